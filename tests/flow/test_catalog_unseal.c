#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/archive_file.h"
#include "test_backup_world.h"

/* A backup of the fake source, sealed and signed; then somebody opens it. */
static struct bp_identities mine;
static struct bp_identities other;
static struct bp_recipients recipients;
static struct bp_sign_key sign_key;
static struct bp_trusted_keys trusted;
static struct bp_catalog catalog;
static struct bp_opener opener;

static void trust(const struct bp_buf *public_file)
{
    cr_assert_eq(bp_trusted_keys_add(&trusted, bp_buf_str(public_file), "key.pub", &bw.err), BP_OK,
                 "%s", bw.err.msg);
}

static void set_up(void)
{
    BP_AUTO(bp_buf_free) struct bp_buf secret = {0};
    BP_AUTO(bp_buf_free) struct bp_buf public = {0};

    backup_set_up();
    bp_identities_make(&mine);
    bp_identities_make(&other);
    bp_identity_recipient(&mine, 0, &recipients);
    bp_sign_key_make(&secret, &public);
    cr_assert_eq(bp_sign_key_parse(bp_buf_str(&secret), "key", &sign_key, &bw.err), BP_OK, "%s",
                 bw.err.msg);
    trust(&public);
    bw.job.sealing.recipients = &recipients;
    bw.job.sign_key = &sign_key;
    opener = (struct bp_opener){.identities = &mine, .trusted = &trusted};
}

static void tear_down(void)
{
    bp_catalog_free(&catalog);
    bp_identities_free(&mine);
    bp_identities_free(&other);
    bp_recipients_free(&recipients);
    bp_trusted_keys_free(&trusted);
    bp_sign_key_wipe(&sign_key);
    backup_tear_down();
}

TestSuite(catalog_unseal, .init = set_up, .fini = tear_down, .timeout = 60);

static void back_up(void)
{
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
}

static enum bp_code unseal(void)
{
    bp_catalog_free(&catalog);
    cr_assert_eq(bp_catalog_load(&bw.store.base, &catalog, &bw.err), BP_OK, "%s", bw.err.msg);
    cr_assert_geq(catalog.count, 1);
    return bp_catalog_unseal(&bw.store.base, &catalog.at[0], &opener, &bw.err);
}

/* Replace what a file of the newest archive has in the store. */
static void replace(const char *name, const char *from, const char *to)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/%s", catalog.at[0].path, name);
    const char *text = fake_store_get(&bw.store, path);
    BP_AUTO(bp_buf_free) struct bp_buf changed = {0};
    const char *at = text != NULL ? strstr(text, from) : NULL;

    cr_assert_not_null(at, "%s: no '%s'", name, from);
    bp_buf_add(&changed, text, (size_t)(at - text));
    bp_buf_puts(&changed, to);
    bp_buf_puts(&changed, at + strlen(from));
    fake_store_put(&bw.store, path, bp_buf_str(&changed));
}

Test(catalog_unseal, gives_tables_and_files_to_who_has_a_key)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    const struct bp_manifest_file *file = NULL;
    const struct bp_catalog_entry *entry = NULL;

    back_up();
    cr_assert_eq(unseal(), BP_OK, "%s", bw.err.msg);
    entry = &catalog.at[0];
    cr_expect_eq(entry->manifest.table_count, 2);
    cr_expect_eq(bp_manifest_rows(&entry->manifest), 3);
    cr_expect_not(entry->manifest.sealed);
    cr_expect(entry->outer.sealed);
    file = bp_manifest_file(&entry->manifest, "public/tables/users/data.sql");
    cr_assert_not_null(file);
    cr_assert_eq(bp_archive_file_read(&bw.store.base, entry, file, &text, &bw.err), BP_OK, "%s",
                 bw.err.msg);
    cr_expect_eq(strncmp(bp_buf_str(&text), "COPY ", 5), 0);
    file = bp_manifest_file(&entry->manifest, "restore.sh");
    cr_assert_not_null(file);
    cr_expect_eq(bp_archive_file_read(&bw.store.base, entry, file, &text, &bw.err), BP_OK, "%s",
                 bw.err.msg);
}

Test(catalog_unseal, the_public_half_names_no_table_no_database_and_no_path)
{
    back_up();
    backup_manifest();
    cr_expect(bw.manifest.sealed);
    cr_expect_eq(bw.manifest.table_count, 0);
    cr_expect_str_eq(bw.manifest.database.name, "");
    cr_expect_str_eq(bw.manifest.database.system_identifier, "");
    cr_expect_str_eq(bw.manifest.source.repository, "myorg/myapp");
    cr_expect_null(strstr(backup_file("manifest.json"), "users"));
    cr_expect_null(backup_file("roles.sql"));
    cr_expect_not_null(backup_file("restore.sh"));
    cr_expect_null(strstr(bw.store.message, "rows"), "%s", bw.store.message);
}

Test(catalog_unseal, a_readable_archive_needs_no_key)
{
    bw.job.sealing.recipients = NULL;
    opener.identities = NULL;
    back_up();
    cr_assert_eq(unseal(), BP_OK, "%s", bw.err.msg);
    cr_expect_eq(catalog.at[0].manifest.table_count, 2);
}

Test(catalog_unseal, no_key_and_a_wrong_key_are_told_apart)
{
    back_up();
    opener.identities = NULL;
    cr_expect_eq(unseal(), BP_EUSAGE);
    cr_expect_not_null(strstr(bw.err.msg, "--identity"), "%s", bw.err.msg);
    opener.identities = &other;
    cr_expect_eq(unseal(), BP_EAUTH, "%s", bw.err.msg);
    cr_expect_not_null(strstr(bw.err.msg, "; hint: --identity FILE"), "%s", bw.err.msg);
}

Test(catalog_unseal, an_archive_that_nobody_signed_is_not_trusted)
{
    bw.job.sign_key = NULL;
    back_up();
    cr_expect_eq(unseal(), BP_EINTEGRITY);
    cr_expect_not_null(strstr(bw.err.msg, "not signed"), "%s", bw.err.msg);
    opener.trusted = NULL;
    cr_expect_eq(unseal(), BP_OK, "%s", bw.err.msg);
}

Test(catalog_unseal, a_manifest_that_was_changed_is_not_trusted_but_one_with_a_verification)
{
    back_up();
    cr_assert_eq(unseal(), BP_OK, "%s", bw.err.msg);
    replace("manifest.json", "\"verification\": {}",
            "\"verification\": {\n    \"at\": \"2024-01-16T10:30:00Z\",\n    \"level\": \"L2\",\n"
            "    \"took_ms\": 5\n  }");
    cr_assert_eq(unseal(), BP_OK, "%s", bw.err.msg);
    cr_expect_str_eq(catalog.at[0].manifest.verification.level, "L2");
    replace("manifest.json", "myorg/myapp", "myorg/yourapp");
    cr_expect_eq(unseal(), BP_EINTEGRITY, "%s", bw.err.msg);
}

Test(catalog_unseal, damage_of_the_private_half_is_named)
{
    back_up();
    cr_assert_eq(unseal(), BP_OK, "%s", bw.err.msg);
    opener.trusted = NULL;
    replace(BP_MANIFEST_PRIVATE, "age-encryption", "age-Encryption");
    cr_expect_eq(unseal(), BP_EINTEGRITY);
    cr_expect_not_null(strstr(bw.err.msg, "the checksum of '" BP_MANIFEST_PRIVATE "'"), "%s",
                       bw.err.msg);
    replace("manifest.json", "manifest.private", "manifest.other");
    cr_expect_eq(unseal(), BP_EINTEGRITY, "%s", bw.err.msg);
}

Test(catalog_unseal, the_halves_of_two_archives_do_not_fit)
{
    back_up();
    cr_assert_eq(unseal(), BP_OK, "%s", bw.err.msg);
    opener.trusted = NULL;
    replace("manifest.json", "\"id\": \"2024-01-15", "\"id\": \"2024-01-16");
    cr_expect_eq(unseal(), BP_EINTEGRITY);
    cr_expect_not_null(strstr(bw.err.msg, "different archives"), "%s", bw.err.msg);
}

Test(catalog_unseal, a_file_that_the_public_half_does_not_list_is_damage)
{
    back_up();
    cr_assert_eq(unseal(), BP_OK, "%s", bw.err.msg);
    opener.trusted = NULL;
    replace("manifest.json", "\"path\": \"sealed/", "\"path\": \"hidden/");
    cr_expect_eq(unseal(), BP_EINTEGRITY, "%s", bw.err.msg);
}

Test(catalog_unseal, at_finds_the_newest_that_is_not_newer)
{
    struct bp_catalog_entry *found = NULL;

    back_up();
    bw.clock.wall_start_ms += INT64_C(86400000);
    back_up();
    cr_assert_eq(unseal(), BP_OK, "%s", bw.err.msg);
    cr_assert_eq(catalog.count, 2);
    cr_assert_eq(bp_catalog_at(&catalog, catalog.at[1].name.time_ms, &found, &bw.err), BP_OK);
    cr_expect_eq(found, &catalog.at[1]);
    cr_assert_eq(bp_catalog_at(&catalog, catalog.at[0].name.time_ms - 1, &found, &bw.err), BP_OK);
    cr_expect_eq(found, &catalog.at[1]);
    cr_assert_eq(bp_catalog_at(&catalog, INT64_MAX, &found, &bw.err), BP_OK);
    cr_expect_eq(found, &catalog.at[0]);
    cr_expect_eq(bp_catalog_at(&catalog, catalog.at[1].name.time_ms - 1, &found, &bw.err),
                 BP_ENOTFOUND);
    cr_expect_not_null(strstr(bw.err.msg, catalog.at[1].name.id), "%s", bw.err.msg);
}

/* Nothing that stands there is signed, and a reader of JSON takes the first or the last of two. */
Test(catalog_unseal, nothing_but_a_verification_is_taken_from_where_it_stands)
{
    static const char smuggled[] =
        "\"verification\": {\n    \"at\": \"2024-01-16T10:30:00Z\",\n    \"level\": \"L2\",\n"
        "    \"took_ms\": 5\n    },\n \"options\": {\"schema_dumps\": true, \"masks\": [\"a=b\"]},\n"
        " \"files\": [], \"sealed\": true, \"id\": \"2024-01-17T14-30-45Z\", \"verification\": {\n  }";

    bw.job.sealing.recipients = NULL;
    back_up();
    cr_assert_eq(unseal(), BP_OK, "%s", bw.err.msg);
    replace("manifest.json", "\"verification\": {}", smuggled);
    cr_assert_eq(unseal(), BP_OK, "%s", bw.err.msg);
    cr_expect_not(catalog.at[0].manifest.options.schema_dumps);
    cr_expect_eq(catalog.at[0].manifest.options.masks.count, 0);
    cr_expect_gt(catalog.at[0].manifest.file_count, 5);
    cr_expect_str_eq(catalog.at[0].manifest.id, catalog.at[0].name.id);
    cr_expect_str_eq(catalog.at[0].manifest.verification.level, "L2");
}

Test(catalog_unseal, an_old_archive_in_a_newer_folder_is_not_trusted)
{
    static const char newer[] = "backups/latest/latest_2024-02-01T00-00-00Z";
    static const char *const names[] = {BP_MANIFEST_NAME, BP_SIGNATURE_NAME};

    bw.job.sealing.recipients = NULL;
    back_up();
    cr_assert_eq(unseal(), BP_OK, "%s", bw.err.msg);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        BP_AUTO(bp_freep) char *from = bp_format("%s/%s", catalog.at[0].path, names[i]);
        BP_AUTO(bp_freep) char *to = bp_format("%s/%s", newer, names[i]);
        BP_AUTO(bp_freep) char *text = bp_strdup(fake_store_get(&bw.store, from));

        fake_store_put(&bw.store, to, text);
    }
    cr_expect_eq(unseal(), BP_EINTEGRITY);
    cr_expect_str_eq(catalog.at[0].name.id, "2024-02-01T00-00-00Z");
    cr_expect_not_null(strstr(bw.err.msg, "its manifest is that of '2024-01-"), "%s", bw.err.msg);
}
