#include <criterion/criterion.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
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
