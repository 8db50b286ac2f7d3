#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/archive_signature.h"
#include "support/fake_sealed.h"

#define MANIFEST FAKE_SEALED_PATH "/" BP_MANIFEST_NAME

/* An archive that this key has signed, its manifest read. */
static struct fake_store store;
static struct bp_identities mine;
static struct bp_recipients recipients;
static struct bp_sign_key key;
static struct bp_trusted_keys trusted;
static struct bp_manifest manifest;
static struct bp_err err;

static void make_key(struct bp_sign_key *out)
{
    BP_AUTO(bp_buf_free) struct bp_buf secret = {0};
    BP_AUTO(bp_buf_free) struct bp_buf public = {0};

    bp_sign_key_make(&secret, &public);
    cr_assert_eq(bp_sign_key_parse(bp_buf_str(&secret), "key", out, &err), BP_OK, "%s", err.msg);
}

static void read_manifest(void)
{
    const char *text = fake_store_get(&store, MANIFEST);

    bp_manifest_free(&manifest);
    cr_assert_eq(bp_manifest_parse(text, strlen(text), &manifest, &err), BP_OK, "%s", err.msg);
}

static void set_up(void)
{
    store = fake_store();
    bp_identities_make(&mine);
    bp_identity_recipient(&mine, 0, &recipients);
    make_key(&key);
    bp_trusted_keys_add_own(&trusted, &key);
    fake_sealed(&store, &recipients, &key);
    read_manifest();
}

static void tear_down(void)
{
    bp_manifest_free(&manifest);
    bp_trusted_keys_free(&trusted);
    bp_recipients_free(&recipients);
    bp_identities_free(&mine);
    fake_store_release(&store);
}

TestSuite(archive_signature, .init = set_up, .fini = tear_down);

static enum bp_code check(void)
{
    return bp_archive_signature_check(&store.base, FAKE_SEALED_PATH, &trusted, &manifest, &err);
}

/* Put this where the manifest has an empty verification. */
static void put_verification(const char *text)
{
    static const char empty[] = "\"verification\": {}";
    const char *old = fake_store_get(&store, MANIFEST);
    const char *at = strstr(old, empty);
    BP_AUTO(bp_freep) char *changed = NULL;

    cr_assert_not_null(at);
    changed =
        bp_format("%.*s\"verification\": %s%s", (int)(at - old), old, text, at + strlen(empty));
    fake_store_put(&store, MANIFEST, changed);
    read_manifest();
}

Test(archive_signature, of_a_trusted_key_is_good)
{
    cr_expect_eq(check(), BP_OK, "%s", err.msg);
    cr_expect_str_eq(manifest.id, "2024-01-16T14-30-45Z");
    cr_expect_eq(manifest.file_count, 3);
}

Test(archive_signature, a_verification_that_was_noted_later_stays)
{
    put_verification("{\n    \"at\": \"2024-01-16T10:30:00Z\",\n    \"level\": \"L2\",\n"
                     "    \"took_ms\": 5\n  }");
    cr_expect_eq(check(), BP_OK, "%s", err.msg);
    cr_expect_str_eq(manifest.verification.level, "L2");
}

Test(archive_signature, what_else_stands_there_does_not)
{
    put_verification("{\n    }, \"pg_dump_versions\": 1, \"options\": {\"schema_dumps\": true},\n"
                     " \"x\": {\n  }");
    manifest.options.schema_dumps = true;
    cr_expect_eq(check(), BP_OK, "%s", err.msg);
    cr_expect_not(manifest.options.schema_dumps);
}

Test(archive_signature, a_change_anywhere_else_shows)
{
    const char *old = fake_store_get(&store, MANIFEST);
    BP_AUTO(bp_freep) char *changed = bp_strdup(old);

    *strstr(changed, "sealed/one") = 'S';
    fake_store_put(&store, MANIFEST, changed);
    cr_expect_eq(check(), BP_EINTEGRITY);
    cr_expect_eq(manifest.file_count, 3, "the manifest stays as it was");
}

Test(archive_signature, of_another_key_is_refused)
{
    make_key(&key);
    bp_trusted_keys_free(&trusted);
    bp_trusted_keys_add_own(&trusted, &key);
    cr_expect_eq(check(), BP_EINTEGRITY);
    cr_expect_not_null(strstr(err.msg, "not trusted"), "%s", err.msg);
}

Test(archive_signature, that_is_missing_or_cannot_be_fetched_is_told_apart)
{
    store.fetch_outages = 1;
    cr_expect_eq(check(), BP_EUNAVAILABLE);
    fake_store_release(&store);
    store = fake_store();
    fake_sealed(&store, &recipients, NULL);
    cr_expect_eq(check(), BP_ENOTFOUND);
}
