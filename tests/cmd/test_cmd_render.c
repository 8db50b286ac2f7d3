#include <criterion/criterion.h>
#include <string.h>

#include "support/fake_app.h"
#include "support/fake_clock.h"

Test(cmd_render, makes_each_kind_of_text)
{
    static const struct {
        const char *line;
        const char *beginning;
    } rows[] = {{"render man", ".TH BACKPROOF 1"},
                {"render markdown", "# Commands and options"},
                {"render bash", "# bash completion"},
                {"render zsh", "#compdef backproof"},
                {"render fish", "# fish completion"},
                {"render action-inputs", "  format:\n"},
                {"render action-env", "        BACKPROOF_FORMAT: ${{ inputs.format"}};
    struct fake_clock clock = fake_clock_new();
    struct fake_app fake = fake_app(&clock.base);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(fake_app_run(&fake, rows[i].line), 0, "%s", rows[i].line);
        cr_expect(strstr(fake.out, rows[i].beginning) == fake.out, "%s", rows[i].line);
    }
    cr_expect_eq(fake_app_run(&fake, "render pdf"), 2);
    cr_expect_str_eq(fake.err, "backproof: error: 'pdf' is none of man, markdown, bash, zsh, fish, "
                               "action-inputs, action-env\n");
    fake_app_release(&fake);
}
