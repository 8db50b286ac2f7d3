#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/backup_keys.h"
#include "support/fake_app.h"
#include "support/fake_clock.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

#define RECIPIENT "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"
#define KEY       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct fake_source_table tables[] = {{"public", "users", 3, 30}, {NULL, NULL, 0, 0}};

static struct fake_clock fclock;
static struct fake_source source;
static struct fake_store store;
static struct fake_app fake;
static char *folder;

static void set_up(void)
{
    struct bp_err err = {0};

    fclock = fake_clock_new();
    source = fake_source(tables);
    store = fake_store();
    fake = fake_app(&fclock.base);
    cr_assert_eq(bp_tempdir_new("/tmp", &folder, &err), BP_OK, "%s", err.msg);
}

static void tear_down(void)
{
    bp_tempdir_removep(&folder);
    fake_app_release(&fake);
    fake_store_release(&store);
}

TestSuite(backup_keys, .init = set_up, .fini = tear_down);

static int run(const char *options)
{
    BP_AUTO(bp_freep) char *line = bp_format("backup --backup-repo /x %s", options);

    fake.app.source = &source.base;
    fake.app.store = &store.base;
    return fake_app_run(&fake, line);
}

static bool is_sealed(void)
{
    const char *manifest = fake_store_get(&store, "backups/current/manifest.json");

    cr_assert_not_null(manifest);
    return strstr(manifest, "\"sealed\": true") != NULL;
}

Test(backup_keys, without_a_recipient_a_backup_is_readable)
{
    cr_expect_eq(run(""), 0, "%s", fake.err);
    cr_expect_not(is_sealed());
}

Test(backup_keys, a_recipient_seals_it_and_so_does_a_file_of_them)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/recipients", folder);
    BP_AUTO(bp_freep) char *options = bp_format("--recipient %s", path);
    struct bp_err err = {0};

    cr_expect_eq(run("--recipient " RECIPIENT), 0, "%s", fake.err);
    cr_expect(is_sealed());
    cr_assert_eq(bp_file_put(path, "# mine\n" RECIPIENT "\n", true, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(run(options), 0, "%s", fake.err);
    cr_expect(is_sealed());
}

/* They would be silently without effect. */
Test(backup_keys, what_only_a_sealed_archive_has_is_refused_for_a_readable_one)
{
    cr_expect_eq(run("--role-passwords"), 2);
    cr_expect_not_null(strstr(fake.err, "--role-passwords is for sealed archives"), "%s", fake.err);
    fake.env[0] = "BACKPROOF_CHUNK_KEY=" KEY;
    cr_expect_eq(run(""), 2);
    cr_expect_not_null(strstr(fake.err, "--chunk-key is for sealed archives"), "%s", fake.err);
    cr_expect_null(strstr(fake.err, KEY));
    cr_expect_eq(store.commits, 0);
}

Test(backup_keys, an_empty_secret_of_a_workflow_is_none)
{
    fake.env[0] = "BACKPROOF_CHUNK_KEY=";
    fake.env[1] = "BACKPROOF_SIGN_KEY=";
    cr_expect_eq(run(""), 0, "%s", fake.err);
}

Test(backup_keys, a_key_that_cannot_be_read_ends_it_before_anything_and_is_not_shown)
{
    fake.env[0] = "BACKPROOF_CHUNK_KEY=not-a-key-but-secret";
    cr_expect_eq(run("--recipient " RECIPIENT), 2);
    cr_expect_null(strstr(fake.err, "not-a-key"), "%s", fake.err);
    fake.env[0] = "BACKPROOF_SIGN_KEY=not-a-key-but-secret";
    cr_expect_eq(run(""), 2);
    cr_expect_null(strstr(fake.err, "not-a-key"), "%s", fake.err);
    cr_expect_eq(run("--recipient age1wrong"), 2);
    cr_expect_eq(store.opens, 0);
}

Test(backup_keys, a_chunk_key_lets_an_unchanged_archive_keep_its_files)
{
    fake.env[0] = "BACKPROOF_CHUNK_KEY=" KEY;
    cr_expect_eq(run("--recipient " RECIPIENT " --format json"), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out, "\"kept_files\": 0"), "%s", fake.out);
    cr_expect_eq(run("--recipient " RECIPIENT " --format json"), 0, "%s", fake.err);
    cr_expect_null(strstr(fake.out, "\"kept_files\": 0"), "%s", fake.out);
}

/* pg_dump writes them into a file. */
Test(backup_keys, dumps_of_schemas_are_not_sealed)
{
    cr_expect_eq(run("--recipient " RECIPIENT " --schema-dumps"), 2);
    cr_expect_not_null(strstr(fake.err, "--schema-dumps"), "%s", fake.err);
    cr_expect_eq(store.opens, 0);
}

/* ---- the same, below the command line ---- */

#define CHUNK "BACKPROOF_CHUNK_KEY=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct bp_out out;
static struct bp_app app;
static struct bp_env env;
static struct bp_backup_keys keys;
static struct bp_backup_job job;
static struct bp_err why;

static void set_up_load(void)
{
    app = (struct bp_app){.out = &out, .env = &env};
}

static void tear_down_load(void)
{
    bp_backup_keys_free(&keys);
    bp_config_free(&app.cfg);
    bp_secrets_free(&out.secrets);
}

TestSuite(backup_keys_load, .init = set_up_load, .fini = tear_down_load);

/* Both end with NULL. */
static enum bp_code load(const char *const *words, const char *const *vars)
{
    bp_backup_keys_free(&keys);
    bp_config_free(&app.cfg);
    env = (struct bp_env){.vars = vars};
    cr_assert_eq(bp_config_load(&app.cfg, BP_GROUP_GENERAL | BP_GROUP_BACKUP, words, &env,
                                &out.secrets, &why),
                 BP_OK, "%s", why.msg);
    return bp_backup_keys_load(&app, &keys, &why);
}

Test(backup_keys_load, without_any_a_backup_is_readable_and_not_signed)
{
    cr_assert_eq(load((const char *const[]){NULL}, (const char *const[]){NULL}), BP_OK);
    bp_backup_keys_lend(&keys, &job);
    cr_expect_eq(job.sealing.recipients->count, 0);
    cr_expect_null(job.sealing.trusted);
    cr_expect_null(job.sign_key);
}

Test(backup_keys_load, who_signs_takes_over_only_what_is_signed)
{
    BP_AUTO(bp_buf_free) struct bp_buf secret = {0};
    BP_AUTO(bp_buf_free) struct bp_buf public = {0};
    BP_AUTO(bp_freep) char *var = NULL;

    bp_sign_key_make(&secret, &public);
    var = bp_format("BACKPROOF_SIGN_KEY=%s", bp_buf_str(&secret));
    cr_assert_eq(load((const char *const[]){"--recipient", RECIPIENT, NULL},
                      (const char *const[]){CHUNK, var, NULL}),
                 BP_OK, "%s", why.msg);
    bp_backup_keys_lend(&keys, &job);
    cr_expect(job.sealing.key.given);
    cr_assert_not_null(job.sealing.trusted);
    cr_assert_eq(job.sealing.trusted->count, 1);
    cr_expect_eq(memcmp(job.sealing.trusted->at[0].id, job.sign_key->id, sizeof(job.sign_key->id)),
                 0);
}

Test(backup_keys_load, only_a_proof_that_opens_files_needs_a_witness_and_a_place)
{
    BP_AUTO(bp_freep) char *spool = NULL;

    cr_assert_eq(load((const char *const[]){"--recipient", RECIPIENT, "--verify", "L0", NULL},
                      (const char *const[]){CHUNK, "RUNNER_TEMP=/tmp", NULL}),
                 BP_OK, "%s", why.msg);
    cr_expect_null(bp_backup_keys_opener(&keys).identities);
    cr_assert_eq(load((const char *const[]){"--recipient", RECIPIENT, "--verify", "L1", NULL},
                      (const char *const[]){CHUNK, "RUNNER_TEMP=/tmp", NULL}),
                 BP_OK, "%s", why.msg);
    cr_assert_not_null(bp_backup_keys_opener(&keys).identities);
    cr_assert_not_null(keys.spool);
    spool = bp_strdup(keys.spool);
    cr_expect_eq(access(spool, F_OK), 0);
    bp_backup_keys_free(&keys);
    cr_expect_eq(access(spool, F_OK), -1, "it goes with the keys");
}
