#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "source/postgres_scratch.h"

static struct bp_clock the_clock;
static struct bp_env env;
static struct bp_postgres_options options;
static const struct bp_scratch_want want = {
    .version_num = 130000, .encoding = "UTF8", .collation = "C.UTF-8"};
static struct bp_scratch_info info;
static char *folder;
static struct bp_err err;

static void set_up(void)
{
    the_clock = bp_clock_system(NULL);
    env.vars = (const char *const *)environ;
    cr_assert_eq(bp_tempdir_new("/tmp", &folder, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(chmod(folder, 0755), 0);
    options = (struct bp_postgres_options){.env = &env,
                                           .temp_parent = folder,
                                           .clock = &the_clock,
                                           .connect_timeout_ms = 10000,
                                           .jobs = 2};
}

static void tear_down(void)
{
    bp_tempdir_removep(&folder);
}

TestSuite(postgres_scratch_cluster, .init = set_up, .fini = tear_down, .timeout = 60);

static bool asked(struct bp_scratch *scratch, const char *sql)
{
    BP_AUTO(bp_buf_free) struct bp_buf why = {0};
    bool yes = false;

    cr_assert_eq(scratch->ops->ask(scratch, sql, &yes, &why, &err), BP_OK, "%s", err.msg);
    return yes;
}

Test(postgres_scratch_cluster, gives_an_empty_database_and_leaves_nothing_behind)
{
    BP_AUTO(bp_scratch_freep)
    struct bp_scratch *scratch = bp_postgres_scratch_cluster_new(&options);
    BP_AUTO(bp_target_freep) struct bp_target *target = NULL;
    BP_AUTO(bp_list_free) struct bp_list some = {0};
    struct bp_target_info at;
    int64_t count = -1;

    cr_assert_eq(scratch->ops->start(scratch, &want, &info, &err), BP_OK, "%s", err.msg);
    cr_expect_geq(info.version_num, 130000);
    cr_expect_str_eq(info.where, "a scratch cluster");
    cr_expect(info.same_collation);
    target = scratch->ops->target(scratch);
    cr_assert_eq(target->ops->open(target, &at, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(target->ops->contents(target, &some, &count, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(count, 0);
    cr_expect_str_eq(at.encoding, "UTF8");
    bp_target_freep(&target);
    bp_scratch_freep(&scratch);
    cr_expect_eq(rmdir(folder), 0, "%m");
    cr_assert_eq(mkdir(folder, 0755), 0);
}

Test(postgres_scratch_cluster, nobody_gets_in_from_outside)
{
    BP_AUTO(bp_scratch_freep)
    struct bp_scratch *scratch = bp_postgres_scratch_cluster_new(&options);

    cr_assert_eq(scratch->ops->start(scratch, &want, &info, &err), BP_OK, "%s", err.msg);
    cr_expect(asked(scratch, "SELECT current_setting('listen_addresses') = '';"));
    cr_expect(asked(scratch, "SELECT inet_server_addr() IS NULL;"));
    BP_AUTO(bp_freep) char *find = bp_format("%s/backproof-*", folder);
    BP_AUTO(bp_freep) char *command = bp_format("test \"$(stat -c %%a %s)\" = 700", find);
    cr_expect_eq(system(command), 0);
}

Test(postgres_scratch_cluster, what_this_system_cannot_compare_is_compared_by_bytes)
{
    struct bp_scratch_want odd = want;
    BP_AUTO(bp_scratch_freep)
    struct bp_scratch *scratch = bp_postgres_scratch_cluster_new(&options);

    odd.collation = "xx_YY.UTF-8";
    cr_assert_eq(scratch->ops->start(scratch, &odd, &info, &err), BP_OK, "%s", err.msg);
    cr_expect_not(info.same_collation);
    cr_expect(asked(scratch, "SELECT datcollate = 'C' FROM pg_database WHERE datname = "
                             "current_database();"));
    cr_expect(asked(scratch, "SELECT getdatabaseencoding() = 'UTF8';"));
}

Test(postgres_scratch_cluster, has_the_encoding_of_the_archive)
{
    struct bp_scratch_want latin = want;
    BP_AUTO(bp_scratch_freep)
    struct bp_scratch *scratch = bp_postgres_scratch_cluster_new(&options);

    latin.encoding = "LATIN1";
    latin.collation = "C";
    cr_assert_eq(scratch->ops->start(scratch, &latin, &info, &err), BP_OK, "%s", err.msg);
    cr_expect(asked(scratch, "SELECT getdatabaseencoding() = 'LATIN1';"));
}

Test(postgres_scratch_cluster, without_programs_it_says_what_to_install)
{
    static const char *const nowhere[] = {"/no/such/folder", NULL};
    BP_AUTO(bp_scratch_freep) struct bp_scratch *scratch = NULL;

    options.program_dirs = nowhere;
    scratch = bp_postgres_scratch_cluster_new(&options);
    cr_expect_eq(scratch->ops->start(scratch, &want, &info, &err), BP_ENOTFOUND);
    cr_expect(strstr(err.msg, "install postgresql-13") != NULL, "%s", err.msg);
}

Test(postgres_scratch_cluster, a_long_temporary_folder_is_no_obstacle)
{
    BP_AUTO(bp_freep)
    char *deep = bp_format("%s/%0100d", folder, 0);
    BP_AUTO(bp_scratch_freep) struct bp_scratch *scratch = NULL;

    cr_assert_eq(mkdir(deep, 0755), 0);
    options.temp_parent = deep;
    scratch = bp_postgres_scratch_cluster_new(&options);
    cr_expect_eq(scratch->ops->start(scratch, &want, &info, &err), BP_OK, "%s", err.msg);
}

Test(postgres_scratch_cluster, a_folder_that_the_servers_user_cannot_enter_is_passed_over)
{
    BP_AUTO(bp_scratch_freep)
    struct bp_scratch *scratch = bp_postgres_scratch_cluster_new(&options);

    cr_assert_eq(chmod(folder, 0700), 0);
    cr_expect_eq(scratch->ops->start(scratch, &want, &info, &err), BP_OK, "%s", err.msg);
}

Test(postgres_scratch_cluster, the_environment_of_the_program_stays_with_it)
{
    static const char *const vars[] = {"PATH=/usr/bin:/bin",       "BACKPROOF_TOKEN=secret",
                                       "PGOPTIONS=-c work_mem=no", "PGPASSWORD=secret",
                                       "PGHOST=db.invalid",        NULL};
    BP_AUTO(bp_scratch_freep) struct bp_scratch *scratch = NULL;
    const struct bp_writer_want writing = {
        .encoding = "UTF8", .preamble = "", .clock = options.clock};
    BP_AUTO(bp_target_freep) struct bp_target *target = NULL;
    BP_AUTO(bp_writer_freep) struct bp_writer *writer = NULL;
    struct bp_target_info at;

    env.vars = vars;
    scratch = bp_postgres_scratch_cluster_new(&options);
    cr_assert_eq(scratch->ops->start(scratch, &want, &info, &err), BP_OK, "%s", err.msg);
    target = scratch->ops->target(scratch);
    cr_assert_eq(target->ops->open(target, &at, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(target->ops->writer(target, &writing, &writer, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(writer->ops->begin(writer, true, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(
        writer->ops->run(writer,
                         "CREATE TABLE public.e (v text);"
                         "COPY public.e FROM PROGRAM 'env' (FORMAT csv, DELIMITER e'\\b');"
                         "DO $$BEGIN IF NOT EXISTS (SELECT FROM public.e WHERE v ~ '^PATH')"
                         " OR EXISTS (SELECT FROM public.e WHERE v ~ 'secret')"
                         " THEN RAISE EXCEPTION 'wrong'; END IF; END$$",
                         "env", &err),
        BP_OK, "%s", err.msg);
}

Test(postgres_scratch_cluster, a_server_that_does_not_start_is_quoted)
{
    BP_AUTO(bp_freep) char *initdb = bp_format("%s/bin/initdb", folder);
    BP_AUTO(bp_freep) char *server = bp_format("%s/bin/postgres", folder);
    BP_AUTO(bp_freep) char *bin = bp_format("%s/bin", folder);
    const char *const own[] = {bin, NULL};
    BP_AUTO(bp_scratch_freep) struct bp_scratch *scratch = NULL;

    cr_assert_eq(bp_file_put(initdb, "#!/bin/sh\n", true, &err), BP_OK);
    cr_assert_eq(bp_file_put(server,
                             "#!/bin/sh\n[ \"$1\" = --version ] && echo 'postgres (PostgreSQL) "
                             "15.1' && exit\necho 'FATAL:  out of everything' >&2; exit 1\n",
                             true, &err),
                 BP_OK);
    cr_assert_eq(chmod(initdb, 0755) + chmod(server, 0755) + chmod(bin, 0755), 0);
    options.program_dirs = own;
    scratch = bp_postgres_scratch_cluster_new(&options);
    cr_expect_eq(scratch->ops->start(scratch, &want, &info, &err), BP_EFAILED);
    cr_expect(strstr(err.msg, "does not start: FATAL:  out of everything") != NULL, "%s", err.msg);
}

/* The process that a scratch's server is, from its own file. */
static pid_t read_pid(void)
{
    BP_AUTO(bp_freep)
    char *command = bp_format("head -n 1 %s/backproof-*/data/postmaster.pid", folder);
    FILE *pipe = popen(command, "r");
    char line[32] = "";

    cr_assert_not_null(fgets(line, sizeof(line), pipe));
    (void)pclose(pipe);
    return (pid_t)strtol(line, NULL, 10);
}

Test(postgres_scratch_cluster, the_server_ends_when_we_are_killed)
{
    int ready[2];
    char byte = 0;
    pid_t us = -1;
    pid_t server = -1;

    cr_assert_eq(pipe(ready), 0);
    us = fork();
    if (us == 0) {
        struct bp_scratch *scratch = bp_postgres_scratch_cluster_new(&options);

        if (scratch->ops->start(scratch, &want, &info, &err) != BP_OK)
            _exit(1);
        (void)!write(ready[1], "x", 1);
        for (;;)
            (void)pause();
    }
    (void)close(ready[1]);
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    server = read_pid();
    cr_assert_eq(kill(server, 0), 0);
    (void)kill(us, SIGKILL);
    (void)waitpid(us, NULL, 0);
    while (kill(server, 0) == 0)
        (void)poll(NULL, 0, 10);
}
