#include <criterion/criterion.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "support/fake_app.h"
#include "support/fake_clock.h"

static struct fake_clock fclock;
static struct fake_app fake;
static char *folder;

static void set_up(void)
{
    struct bp_err err = {0};

    fclock = fake_clock_new();
    fake = fake_app(&fclock.base);
    cr_assert_eq(bp_tempdir_new("/tmp", &folder, &err), BP_OK, "%s", err.msg);
}

static void tear_down(void)
{
    bp_tempdir_removep(&folder);
    fake_app_release(&fake);
}

TestSuite(proving, .init = set_up, .fini = tear_down);

/* A command line that is refused, with these words; checks is the content of --check-sql. */
static void refuse(const char *line, const char *checks, const char *words)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/checks.sql", folder);
    BP_AUTO(bp_freep) char *full = bp_format("%s --check-sql %s", line, path);
    struct bp_err err = {0};

    cr_assert_eq(bp_file_put(path, checks, true, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(fake_app_run(&fake, full), 2, "%s", fake.err);
    cr_expect(strstr(fake.err, words) != NULL, "%s", fake.err);
}

Test(proving, the_last_level_needs_checks)
{
    cr_expect_eq(fake_app_run(&fake, "verify --level L5 --backup-repo /x"), 2);
    cr_expect(strstr(fake.err, "--level L5 needs your own checks") != NULL, "%s", fake.err);
}

Test(proving, checks_are_read_before_anything_else)
{
    refuse("verify --backup-repo /x", "-- nothing\n", "holds no query");
    refuse("drill --backup-repo /x", "SELECT 'x", "quoted without an end");
    cr_expect_eq(fake_app_run(&fake, "verify --check-sql /no/such/file --backup-repo /x"), 2);
    cr_expect(strstr(fake.err, "/no/such/file") != NULL, "%s", fake.err);
}

Test(proving, too_many_connections_are_refused)
{
    cr_expect_eq(fake_app_run(&fake, "verify --jobs 65 --backup-repo /x"), 2);
    cr_expect(strstr(fake.err, "--jobs takes at most 64") != NULL, "%s", fake.err);
}
