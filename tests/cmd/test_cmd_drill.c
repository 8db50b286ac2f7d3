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

TestSuite(cmd_drill, .init = set_up, .fini = tear_down, .timeout = 60);

static int run(const char *line)
{
    fake.app.store = &store.base;
    return fake_app_run(&fake, line);
}

Test(cmd_drill, proves_the_branches_that_are_named)
{
    cr_expect_eq(run("drill --level L0 --branch main --backup-repo /x"), 0, "%s", fake.err);
    cr_expect(strstr(fake.out, "BRANCH  ARCHIVE") == fake.out, "%s", fake.out);
    cr_expect(strstr(fake.out, "  proved\n") != NULL, "%s", fake.out);
}

Test(cmd_drill, tells_programs_the_same)
{
    cr_expect_eq(run("drill --level L0 --branch main --format json --backup-repo /x"), 0);
    cr_expect(strstr(fake.out, "\"rto_ms\": null") != NULL, "%s", fake.out);
}

Test(cmd_drill, has_the_status_of_the_worst_branch)
{
    store.tip[0].data[0] ^= 1;
    cr_expect_eq(run("drill --level L0 --branch main --backup-repo /x"), 8);
    cr_expect(strstr(fake.out, "  failed\n") != NULL, "%s", fake.out);
}
