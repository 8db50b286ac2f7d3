#include <criterion/criterion.h>
#include <string.h>

#include "config/option.h"

Test(option_table, every_row_is_filled_and_its_help_is_a_sentence)
{
    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        const struct bp_option *o = &bp_option_table[id];

        cr_assert_not_null(o->name, "row %d", (int)id);
        cr_expect_neq(o->group, 0u, "%s", o->name);
        cr_assert_not_null(o->help, "%s", o->name);
        cr_expect_eq(o->help[strlen(o->help) - 1], '.', "%s: %s", o->name, o->help);
        cr_expect_eq(o->type == BP_TYPE_FLAG, o->value == NULL, "%s", o->name);
        cr_expect_eq(o->type == BP_TYPE_CHOICE, o->choices[0] != NULL, "%s", o->name);
    }
}

Test(option_table, no_two_options_of_a_group_share_a_name_or_a_letter)
{
    for (enum bp_opt a = 0; a < BP_OPT_COUNT; a++) {
        for (enum bp_opt b = a + 1; b < BP_OPT_COUNT; b++) {
            const struct bp_option *one = &bp_option_table[a];
            const struct bp_option *other = &bp_option_table[b];

            if ((one->group & other->group) == 0)
                continue;
            cr_expect_str_neq(one->name, other->name);
            cr_expect(one->letter == 0 || one->letter != other->letter, "%s, %s", one->name,
                      other->name);
        }
    }
}
