#include <criterion/criterion.h>

#include "cmd/seal_args.h"
#include "support/fake_clock.h"

Test(seal_args, a_dash_and_nothing_are_streams)
{
    struct fake_clock clock = fake_clock_new();
    struct bp_out out = {.out = stdout};
    struct bp_app app = {.out = &out, .clock = &clock.base, .in = stdin};

    cr_expect_null(bp_seal_args(&app).from);
    cr_expect_null(bp_seal_args(&app).to);
    cr_expect_eq(bp_seal_args(&app).in, stdin);
    cr_expect_eq(bp_seal_args(&app).out, stdout);
    bp_list_add(&app.cfg.args, "-");
    bp_list_add(&app.cfg.args, "out");
    cr_expect_null(bp_seal_args(&app).from);
    cr_expect_str_eq(bp_seal_args(&app).to, "out");
    bp_list_free(&app.cfg.args);
    bp_list_add(&app.cfg.args, "in");
    cr_expect_str_eq(bp_seal_args(&app).from, "in");
    cr_expect_null(bp_seal_args(&app).to);
    cr_expect_not(bp_seal_args(&app).dry);
    bp_list_free(&app.cfg.args);
}
