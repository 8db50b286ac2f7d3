#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "source/postgres_scratch.h"

static struct bp_clock the_clock;
static struct bp_env env;
static char *folder;
static struct bp_err err;

static void set_up(void)
{
    the_clock = bp_clock_system(NULL);
    env.vars = (const char *const *)environ;
    cr_assert_eq(bp_tempdir_new("/tmp", &folder, &err), BP_OK, "%s", err.msg);
}

static void tear_down(void)
{
    bp_tempdir_removep(&folder);
}

TestSuite(postgres_scratch_programs, .init = set_up, .fini = tear_down, .timeout = 60);

static void add_program(const char *dir, const char *name, const char *says)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/%s", dir, name);
    BP_AUTO(bp_freep) char *text = bp_format("#!/bin/sh\necho '%s'\n", says);

    cr_assert_eq(bp_file_put(path, text, true, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(chmod(path, 0755), 0);
}

/* A folder with programs that claim to be of this version; owned. */
static char *make_version(const char *version)
{
    char *dir = bp_format("%s/%s", folder, version);
    BP_AUTO(bp_freep) char *says = bp_format("postgres (PostgreSQL) %s", version);

    add_program(dir, "postgres", says);
    add_program(dir, "initdb", says);
    return dir;
}

static enum bp_code find(const char *const *dirs, int version_num, char **out)
{
    const struct bp_postgres_options options = {
        .env = &env, .clock = &the_clock, .program_dirs = dirs};

    return bp_pg_server_programs(&options, version_num, out, &err);
}

Test(postgres_scratch_programs, the_archives_own_major_comes_before_a_newer_one)
{
    BP_AUTO(bp_freep) char *v14 = make_version("14.9");
    BP_AUTO(bp_freep) char *v15 = make_version("15.8");
    BP_AUTO(bp_freep) char *v17 = make_version("17.2");
    BP_AUTO(bp_freep) char *v16 = make_version("16.1");
    const char *const dirs[] = {v14, v17, v15, v16, NULL};
    BP_AUTO(bp_freep) char *found = NULL;

    cr_assert_eq(find(dirs, 150002, &found), BP_OK, "%s", err.msg);
    cr_expect_str_eq(found, v15);
}

Test(postgres_scratch_programs, else_the_next_newer_one_is_taken)
{
    BP_AUTO(bp_freep) char *v14 = make_version("14.9");
    BP_AUTO(bp_freep) char *v17 = make_version("17.2");
    BP_AUTO(bp_freep) char *v16 = make_version("16.1");
    const char *const dirs[] = {v14, v17, v16, NULL};
    BP_AUTO(bp_freep) char *found = NULL;

    cr_assert_eq(find(dirs, 150002, &found), BP_OK, "%s", err.msg);
    cr_expect_str_eq(found, v16);
}

Test(postgres_scratch_programs, older_ones_do_not_do)
{
    BP_AUTO(bp_freep) char *v14 = make_version("14.9");
    const char *const dirs[] = {v14, "/no/such/folder", NULL};
    BP_AUTO(bp_freep) char *found = NULL;

    cr_assert_eq(find(dirs, 150002, &found), BP_ENOTFOUND);
    cr_expect_str_eq(err.msg,
                     "no programs of a PostgreSQL server of version 15 or newer are here (the "
                     "newest found is 14); hint: install postgresql-15, or give an empty database "
                     "with --scratch-url");
    cr_expect_null(found);
}

Test(postgres_scratch_programs, a_server_without_initdb_is_none)
{
    BP_AUTO(bp_freep) char *v15 = make_version("15.8");
    BP_AUTO(bp_freep) char *initdb = bp_format("%s/initdb", v15);
    const char *const dirs[] = {v15, NULL};
    BP_AUTO(bp_freep) char *found = NULL;

    cr_assert_eq(unlink(initdb), 0);
    cr_assert_eq(find(dirs, 150002, &found), BP_ENOTFOUND);
    cr_expect(strstr(err.msg, "(none found)") != NULL, "%s", err.msg);
}

Test(postgres_scratch_programs, pg_config_is_asked_too)
{
    BP_AUTO(bp_freep) char *built = make_version("99.1");
    BP_AUTO(bp_freep) char *bin = bp_format("%s/bin", folder);
    BP_AUTO(bp_freep) char *path = bp_format("PATH=%s:/usr/bin:/bin", bin);
    const char *const vars[] = {path, NULL};
    BP_AUTO(bp_freep) char *found = NULL;

    add_program(bin, "pg_config", built);
    env.vars = vars;
    /* The program is looked up in our own PATH. */
    cr_assert_eq(setenv("PATH", path + strlen("PATH="), 1), 0);
    cr_assert_eq(find(NULL, 990000, &found), BP_OK, "%s", err.msg);
    cr_expect_str_eq(found, built);
}
