#include <criterion/criterion.h>
#include <string.h>

#include "support/fake_app.h"
#include "support/fake_clock.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

static const struct fake_source_table tables[] = {{"public", "users", 3, 30}, {NULL, NULL, 0, 0}};

static struct fake_clock fclock;
static struct fake_store store;
static struct fake_app fake;

static void set_up(void)
{
    struct fake_source source = fake_source(tables);

    fclock = fake_clock_new();
    store = fake_store();
    fake = fake_app(&fclock.base);
    fake.app.source = &source.base;
    fake.app.store = &store.base;
    cr_assert_eq(fake_app_run(&fake, "backup --backup-repo /x"), 0, "%s", fake.err);
}

static void tear_down(void)
{
    fake_app_release(&fake);
    fake_store_release(&store);
}

TestSuite(cmd_verify, .init = set_up, .fini = tear_down, .timeout = 60);

static int run(const char *line)
{
    fake.app.store = &store.base;
    return fake_app_run(&fake, line);
}

Test(cmd_verify, takes_the_latest_and_says_how_far_it_came)
{
    cr_expect_eq(run("verify --level L0 --backup-repo /x"), 0, "%s", fake.err);
    cr_expect(strstr(fake.out, ": proved to L0 in ") != NULL, "%s", fake.out);
    cr_expect(strstr(fake.out, "\n  recorded in main, commit ") != NULL, "%s", fake.out);
}

Test(cmd_verify, tells_programs_the_same)
{
    cr_expect_eq(run("verify latest --level L0 --no-record --format json --backup-repo /x"), 0);
    cr_expect(strstr(fake.out, "\"level\": \"L0\"") != NULL, "%s", fake.out);
    cr_expect(strstr(fake.out, "\"commit\": \"\"") != NULL, "%s", fake.out);
}

Test(cmd_verify, what_is_wrong_is_reported_and_the_status_says_so)
{
    store.tip[0].data[0] ^= 1;
    cr_expect_eq(run("verify --level L0 --format json --backup-repo /x"), 8);
    cr_expect(strstr(fake.out, "\"verified\": false") != NULL, "%s", fake.out);
    cr_expect(strstr(fake.err, "did not reach L0") != NULL, "%s", fake.err);
}

Test(cmd_verify, an_id_and_a_time_are_two_archives)
{
    cr_expect_eq(run("verify latest --at 2024-01-15T12:00Z --backup-repo /x"), 2);
}

Test(cmd_verify, needs_to_know_where_archives_are)
{
    fake.app.store = NULL;
    cr_expect_eq(fake_app_run(&fake, "verify"), 2);
    cr_expect(strstr(fake.err, "--backup-repo") != NULL, "%s", fake.err);
}
