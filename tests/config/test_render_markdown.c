#include <criterion/criterion.h>
#include <string.h>

#include "cmd/cmd.h"

Test(render_markdown, has_a_row_for_every_option)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_render_markdown(bp_cmd_program(), &text);
    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        BP_AUTO(bp_buf_free) struct bp_buf row = {0};

        bp_buf_printf(&row, bp_option(id)->secret ? "\n| (%s)" : "\n| `--%s", bp_option(id)->name);
        cr_expect_not_null(strstr(text.data, row.data), "%s", row.data);
    }
}

Test(render_markdown, every_row_of_a_table_has_its_cells)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    size_t rows = 0;
    char *more = NULL;

    bp_render_markdown(bp_cmd_program(), &text);
    for (char *line = strtok_r(text.data, "\n", &more); line != NULL;
         line = strtok_r(NULL, "\n", &more)) {
        size_t bars = 0;

        if (line[0] != '|')
            continue;
        for (const char *p = line; *p != '\0'; p++)
            bars += *p == '|' && (p == line || p[-1] != '\\');
        cr_expect(bars == 5 || bars == 3, "%s", line);
        rows++;
    }
    cr_expect_gt(rows, (size_t)BP_OPT_COUNT);
}
