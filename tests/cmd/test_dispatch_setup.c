#include <criterion/criterion.h>
#include <string.h>

#include "cmd/dispatch_setup.h"
#include "support/fake_app.h"
#include "support/fake_forge.h"

static struct fake_clock fclock;
static struct fake_forge forge;
static struct fake_app fake;

static void set_up(void)
{
    fclock = fake_clock_new();
    forge = fake_forge(&fclock);
    fake = fake_app(&fclock.base);
}

static void tear_down(void)
{
    fake_app_release(&fake);
}

TestSuite(dispatch_setup, .init = set_up, .fini = tear_down);

/* What the words of a command line become. */
static enum bp_code setup(const char *const *words, bool check_only, struct bp_dispatch_setup *out,
                          struct bp_err *err)
{
    struct bp_app *app = &fake.app;

    app->forge = &forge.base;
    app->out = &fake.output;
    app->env = &fake.environment;
    fake.environment.vars = fake.env;
    cr_assert_eq(bp_config_load(&app->cfg, BP_GROUP_GENERAL | BP_GROUP_FORGE | BP_GROUP_DISPATCH,
                                words, app->env, &app->out->secrets, err),
                 BP_OK, "%s", err->msg);
    return bp_dispatch_setup_read(app, check_only, out, err);
}

Test(dispatch_setup, the_whole_takes_longer_when_a_run_has_to_finish)
{
    static const char *const plain[] = {"--repo", "o/r", "--branch", "main", NULL};
    static const char *const ends[] = {"--repo",  "o/r",      "--branch", "main",
                                       "--until", "finished", NULL};
    static const char *const told[] = {"--repo",   "o/r",       "--branch", "main", "--until",
                                       "finished", "--timeout", "3m",       NULL};
    static const struct {
        const char *const *words;
        int64_t minutes;
    } rows[] = {{plain, 15}, {ends, 60}, {told, 3}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bp_dispatch_setup out = {0};
        struct bp_err err = {0};

        cr_assert_eq(setup(rows[i].words, false, &out, &err), BP_OK, "%s", err.msg);
        cr_expect_eq(out.job.timeout_ms, rows[i].minutes * 60000, "row %zu", i);
        cr_expect_eq(out.job.until, i == 0 ? BP_UNTIL_STARTED : BP_UNTIL_FINISHED);
        bp_dispatch_setup_free(&out);
        bp_config_free(&fake.app.cfg);
    }
}

Test(dispatch_setup, no_time_at_all_is_an_error)
{
    static const char *const names[] = {"--request-timeout", "--timeout", "--poll-interval"};

    for (size_t i = 0; i < 3; i++) {
        const char *const words[] = {"--repo", "o/r", "--branch", "main", names[i], "0s", NULL};
        struct bp_dispatch_setup out = {0};
        struct bp_err err = {0};

        cr_expect_eq(setup(words, false, &out, &err), BP_EUSAGE, "%s", names[i]);
        cr_expect_not_null(strstr(err.msg, names[i]), "%s", err.msg);
        bp_dispatch_setup_free(&out);
        bp_config_free(&fake.app.cfg);
    }
}

Test(dispatch_setup, two_calls_have_different_seeds)
{
    static const char *const words[] = {"--repo", "o/r", NULL};
    struct bp_dispatch_setup one = {0};
    struct bp_dispatch_setup two = {0};
    struct bp_err err = {0};

    cr_assert_eq(setup(words, true, &one, &err), BP_OK, "%s", err.msg);
    bp_config_free(&fake.app.cfg);
    cr_assert_eq(setup(words, true, &two, &err), BP_OK, "%s", err.msg);
    cr_expect(one.job.check_only && one.job.seed != two.job.seed);
    cr_expect_str_eq(one.targets.at[0].branch, "");
    bp_dispatch_setup_free(&one);
    bp_dispatch_setup_free(&two);
    bp_config_free(&fake.app.cfg);
}
