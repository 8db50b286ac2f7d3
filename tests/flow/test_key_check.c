#include <criterion/criterion.h>
#include <string.h>

#include "flow/key_check.h"
#include "support/fake_archive.h"
#include "support/fake_sealed.h"

static struct fake_store store;
static struct bp_identities mine;
static struct bp_recipients recipients;
static struct bp_key_check result;
static struct bp_err err;

static void set_up(void)
{
    store = fake_store();
    bp_identities_make(&mine);
    bp_identity_recipient(&mine, 0, &recipients);
}

static void tear_down(void)
{
    bp_key_check_free(&result);
    bp_identities_free(&mine);
    bp_recipients_free(&recipients);
    fake_store_release(&store);
}

TestSuite(key_check, .init = set_up, .fini = tear_down);

static enum bp_code check(const struct bp_identities *identities,
                          const struct bp_trusted_keys *trusted)
{
    const struct bp_key_check_job job = {.store = &store.base,
                                         .branch = "main",
                                         .opener = {.identities = identities, .trusted = trusted}};

    bp_key_check_free(&result);
    return bp_flow_key_check(&job, &result, &err);
}

Test(key_check, names_the_identities_that_open_the_newest_archive)
{
    fake_sealed(&store, &recipients, NULL);
    bp_identities_make(&mine); /* a second one, which opens nothing */
    cr_assert_eq(check(&mine, NULL), BP_OK, "%s", err.msg);
    cr_expect_str_eq(result.id, "2024-01-16T14-30-45Z");
    cr_expect(result.sealed);
    cr_assert_eq(result.openers.count, 1);
    cr_expect_arr_eq(result.openers.at[0], recipients.at[0], BP_SEAL_KEY_SIZE);
    cr_expect_eq(result.files, 2);
}

Test(key_check, says_when_none_opens_it_and_when_none_is_given)
{
    BP_AUTO(bp_identities_free) struct bp_identities stranger = {0};
    const struct bp_identities none = {0};

    fake_sealed(&store, &recipients, NULL);
    bp_identities_make(&stranger);
    cr_expect_eq(check(&stranger, NULL), BP_EAUTH, "%s", err.msg);
    cr_expect_null(result.openers.at);
    cr_expect_eq(check(&none, NULL), BP_EUSAGE, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "--identity"), "%s", err.msg);
}

Test(key_check, a_readable_archive_needs_no_key)
{
    struct fake_archive archive = fake_archive(&store, FAKE_SEALED_PATH);
    const struct bp_identities none = {0};

    fake_archive_file(&archive, "roles.sql", "one\n");
    fake_archive_end(&archive);
    cr_assert_eq(check(&none, NULL), BP_OK, "%s", err.msg);
    cr_expect_not(result.sealed);
    cr_expect_str_eq(result.id, "2024-01-16T14-30-45Z");
}

Test(key_check, there_must_be_an_archive)
{
    cr_expect_eq(check(&mine, NULL), BP_ENOTFOUND);
    store.missing = true;
    cr_expect_eq(check(&mine, NULL), BP_ENOTFOUND);
    cr_expect_not_null(strstr(err.msg, "no branch 'main'"), "%s", err.msg);
}

Test(key_check, damage_of_a_small_file_shows)
{
    fake_sealed(&store, &recipients, NULL);
    fake_sealed_damage(&store, FAKE_SEALED_PATH "/" FAKE_SEALED_FILE);
    cr_expect_eq(check(&mine, NULL), BP_EINTEGRITY, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, FAKE_SEALED_FILE), "%s", err.msg);
}

Test(key_check, a_signature_is_checked_when_keys_are_trusted)
{
    BP_AUTO(bp_buf_free) struct bp_buf secret = {0};
    BP_AUTO(bp_buf_free) struct bp_buf public = {0};
    BP_AUTO(bp_trusted_keys_free) struct bp_trusted_keys trusted = {0};
    struct bp_sign_key key;

    bp_sign_key_make(&secret, &public);
    cr_assert_eq(bp_sign_key_parse(secret.data, "k", &key, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_trusted_keys_add(&trusted, public.data, "k", &err), BP_OK, "%s", err.msg);
    fake_sealed(&store, &recipients, NULL);
    cr_expect_eq(check(&mine, &trusted), BP_EINTEGRITY, "%s", err.msg);
    fake_sealed(&store, &recipients, &key);
    cr_expect_eq(check(&mine, &trusted), BP_OK, "%s", err.msg);
}

Test(key_check, an_outage_is_passed_on)
{
    fake_sealed(&store, &recipients, NULL);
    store.fetch_outages = 1;
    cr_expect_eq(check(&mine, NULL), BP_EUNAVAILABLE);
}
