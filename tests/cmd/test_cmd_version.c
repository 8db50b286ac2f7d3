#include <criterion/criterion.h>
#include <stdio.h>

#include "support/fake_app.h"
#include "support/fake_clock.h"

Test(cmd_version, prints_the_version_in_both_formats)
{
    struct fake_clock clock = fake_clock_new();
    struct fake_app fake = fake_app(&clock.base);
    char text[64];

    cr_expect_eq(fake_app_run(&fake, "version"), 0);
    (void)snprintf(text, sizeof(text), "backproof %s\n", bp_version());
    cr_expect_str_eq(fake.out, text);
    cr_expect_eq(fake_app_run(&fake, "version --format json"), 0);
    (void)snprintf(text, sizeof(text), "{\"name\": \"backproof\", \"version\": \"%s\"}\n",
                   bp_version());
    cr_expect_str_eq(fake.out, text);
    fake_app_release(&fake);
}
