#include <criterion/criterion.h>
#include <string.h>

#include "archive/manifest.h"
#include "base/mem.h"
#include "flow/backup.h"
#include "flow/restore.h"
#include "support/fake_clock.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

static const struct fake_source_table tables[] = {
    {"public", "users", 3, 30}, {"a\nb", "x;y", 2, 40}, {NULL, NULL, 0, 0}};

static struct fake_clock fclock;
static struct fake_store store;
static struct fake_target target;
static struct bp_out out;
static struct bp_err err;
static struct bp_restore_result result;
static struct bp_restore_job job;
static bool answer;
static char asked[256];

static bool confirm(void *ctx, const char *question)
{
    (void)ctx;
    (void)snprintf(asked, sizeof(asked), "%s", question);
    return answer;
}

#define ARCHIVE "backups/latest/latest_2024-01-15T14-30-45Z/"

/* What the source would have written, with a checksum that is right. */
static void put_file(const char *path, const char *text)
{
    const char *old = fake_store_get(&store, ARCHIVE "manifest.json");
    BP_AUTO(bp_freep) char *full = bp_format(ARCHIVE "%s", path);
    BP_AUTO(bp_buf_free) struct bp_buf rendered = {0};
    struct bp_manifest m = {0};

    cr_assert_eq(bp_manifest_parse(old, strlen(old), &m, &err), BP_OK, "%s", err.msg);
    for (size_t i = 0; i < m.file_count; i++) {
        if (strcmp(m.files[i].path, path) != 0)
            continue;
        m.files[i].bytes = (int64_t)strlen(text);
        bp_sha256_hex(text, strlen(text), m.files[i].sha256);
    }
    bp_manifest_render(&m, &rendered);
    bp_manifest_free(&m);
    fake_store_put(&store, full, text);
    fake_store_put(&store, ARCHIVE "manifest.json", bp_buf_str(&rendered));
}

#define BLOCK(name, type, sql) \
    "--\n-- Name: " name "; Type: " type "; Schema: public; Owner: a\n--\n\n" sql "\n\n"
#define HEAD "SET statement_timeout = 0;\n\n"

static const char pre_data[] = HEAD BLOCK("users", "TABLE", "CREATE TABLE public.users (id int);");
static const char post_data[] =
    HEAD BLOCK("users users_pkey", "CONSTRAINT",
               "ALTER TABLE ONLY public.users\n    ADD CONSTRAINT users_pkey PRIMARY KEY (id);")
        BLOCK("users_a", "INDEX", "CREATE INDEX users_a ON public.users USING btree (id);")
            BLOCK("users_b", "INDEX", "CREATE INDEX users_b ON public.users USING btree (id);");

static void set_up(void)
{
    struct fake_source source = fake_source(tables);
    struct bp_backup_job backup = {.source = &source.base,
                                   .store = &store.base,
                                   .clock = &fclock.base,
                                   .out = &out,
                                   .branch = "main",
                                   .event = "push",
                                   .tool_version = "1"};
    struct bp_backup_result made;

    source.large_object_lines = 2;
    fclock = fake_clock_new();
    fclock.wall_start_ms = INT64_C(1705329045000);
    store = fake_store();
    target = fake_target();
    out = (struct bp_out){.out = stdout, .err = stderr, .level = BP_LEVEL_QUIET};
    cr_assert_eq(bp_flow_backup(&backup, &made, &err), BP_OK);
    put_file("database/pre-data.sql", pre_data);
    put_file("database/post-data.sql", post_data);
    job = (struct bp_restore_job){.store = &store.base,
                                  .target = &target.base,
                                  .clock = &fclock.base,
                                  .out = &out,
                                  .archive = "latest",
                                  .branch = "main",
                                  .jobs = 1,
                                  .confirm = confirm};
}

static void tear_down(void)
{
    bp_restore_result_free(&result);
    fake_store_release(&store);
    fake_target_release(&target);
}

TestSuite(restore, .init = set_up, .fini = tear_down);

static enum bp_code run(void)
{
    bp_restore_result_free(&result);
    return bp_flow_restore(&job, &result, &err);
}

Test(restore, runs_everything_in_order_and_commits)
{
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&target.log),
                     "begin\n"
                     "run roles.sql\n"
                     "define database/pre-data.sql: TABLE public.users\n"
                     "run database/large-objects/data.sql\n"
                     "copy COPY \"public\".\"users\" (\"id\") FROM stdin;\n"
                     "copy COPY \"a\nb\".\"x;y\" (\"id\") FROM stdin;\n"
                     "run database/sequences.sql\n"
                     "define database/post-data.sql: CONSTRAINT public.users users_pkey\n"
                     "define database/post-data.sql: INDEX public.users_a\n"
                     "define database/post-data.sql: INDEX public.users_b\n"
                     "commit\n"
                     "define statistics\n"
                     "define statistics\n");
    cr_expect(target.committed);
    cr_expect_eq(result.rows, 5);
    cr_expect_str_eq(result.id, "2024-01-15T14-30-45Z");
}

Test(restore, gives_the_rows_as_they_were)
{
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect(strstr(bp_buf_str(&target.rows), "2\tvalue xxx") != NULL);
    cr_expect(strstr(bp_buf_str(&target.rows), "\\.") == NULL);
    cr_expect_eq(target.rows.len, (size_t)(3 * 30 + 2 * 40));
}

Test(restore, refuses_a_target_that_is_not_empty)
{
    target.contents = 12;
    cr_expect_eq(run(), BP_EUSAGE);
    cr_expect_str_eq(err.msg,
                     "database 'new' at here is not empty: it holds 12 objects (table public.t0, "
                     "table public.t1, table public.t2 ...); hint: restore into a new database, or "
                     "replace all that is there with --clean");
    cr_expect_str_eq(bp_buf_str(&target.log), "");
}

Test(restore, asks_before_it_replaces_anything)
{
    target.contents = 1;
    job.clean = true;
    cr_expect_eq(run(), BP_EUSAGE);
    cr_expect_str_eq(asked, "Replace all 1 objects in database 'new' at here with archive "
                            "2024-01-15T14-30-45Z?");
    cr_expect_str_eq(bp_buf_str(&target.log), "");
    answer = true;
    cr_expect_eq(run(), BP_OK, "%s", err.msg);
    cr_expect(bp_buf_str(&target.log) == strstr(bp_buf_str(&target.log), "begin\nclean\n"));
}

Test(restore, does_not_clean_what_is_empty)
{
    job.clean = true;
    cr_expect_eq(run(), BP_OK, "%s", err.msg);
    cr_expect(strstr(bp_buf_str(&target.log), "clean") == NULL);
    cr_expect_str_eq(asked, "");
}

Test(restore, refuses_an_older_major_version)
{
    target.version_num = 140012;
    cr_expect_eq(run(), BP_EFAILED);
    cr_expect(strstr(err.msg, "the archive is from PostgreSQL 15.8, the target is version 14") !=
              NULL);
}

Test(restore, touches_nothing_when_a_checksum_is_wrong)
{
    fake_store_put(&store, "backups/latest/latest_2024-01-15T14-30-45Z/roles.sql", "DROP ROLE x;");
    cr_expect_eq(run(), BP_EINTEGRITY);
    cr_expect(strstr(err.msg, "the checksum of 'roles.sql' is wrong") != NULL, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&target.log), "");
}

Test(restore, notices_rows_that_the_target_did_not_take)
{
    target.rows_lost = 1;
    cr_expect_eq(run(), BP_EINTEGRITY);
    cr_expect_not(target.committed);
    cr_expect(strstr(err.msg, "the target took 2 rows, the archive holds 3") != NULL, "%s",
              err.msg);
}

Test(restore, does_not_commit_after_a_failing_statement)
{
    target.refuses = "users_pkey";
    cr_expect_eq(run(), BP_EFAILED);
    cr_expect_not(target.committed);
    cr_expect_str_eq(err.msg, "nothing was restored: database/post-data.sql: CONSTRAINT "
                              "public.users users_pkey: syntax error");
}

Test(restore, refuses_a_file_that_is_no_data_file)
{
    static const char *const bad[] = {"",
                                      "\n",
                                      "\\.\n",
                                      "\n\\.\n",
                                      "COPY t FROM stdin; --\\.\n",
                                      "COPY t FROM stdin;\n1",
                                      "COPY t FROM stdin;\n1\\.\n",
                                      "COPY \"t FROM stdin;\n1\n\\.\n",
                                      "SELECT 1;\n1\n\\.\n"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put_file("public/tables/users/data.sql", bad[i]);
        cr_expect_eq(run(), BP_EINTEGRITY, "row %zu: %s", i, err.msg);
        cr_expect_not_null(strstr(err.msg, "is no data file"), "row %zu: %s", i, err.msg);
    }
    cr_expect_not(target.committed);
}

Test(restore, does_not_say_that_nothing_was_restored_when_it_is_unknown)
{
    target.commit_result = BP_EUNAVAILABLE;
    cr_expect_eq(run(), BP_EUNAVAILABLE);
    cr_expect_not_null(strstr(err.msg, "it is not known whether the restore was committed"), "%s",
                       err.msg);
    target.commit_result = BP_EFAILED;
    cr_expect_eq(run(), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "nothing was restored"), "%s", err.msg);
}

Test(restore, ends_when_asked_to)
{
    struct bp_stop stop = {.signal = 15, .fd = -1};

    fclock.base.stop = &stop;
    cr_expect_eq(run(), BP_ESTOPPED);
    cr_expect_str_eq(bp_buf_str(&target.log), "");
}

Test(restore, the_latest_is_the_one_in_its_place_whatever_clocks_said)
{
    fake_store_put(&store, "backups/archive/2035-01-01T00-00-00Z--a--push--1234567/manifest.json",
                   "{}");
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_str_eq(result.id, "2024-01-15T14-30-45Z");
}

Test(restore, a_dry_run_only_looks)
{
    struct bp_target *dry = bp_target_dry_new(&target.base);

    job.target = dry;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_eq(result.rows, 5);
    cr_expect_str_eq(bp_buf_str(&target.log), "");
    bp_target_freep(&dry);
}
