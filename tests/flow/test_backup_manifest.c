#include <criterion/criterion.h>
#include <string.h>

#include "archive/seal.h"
#include "archive/sign.h"
#include "test_backup_world.h"

static struct bp_identities identities;
static struct bp_recipients recipients;
static struct bp_sign_key sign_key;

static void set_up(void)
{
    BP_AUTO(bp_buf_free) struct bp_buf secret = {0};
    BP_AUTO(bp_buf_free) struct bp_buf public = {0};

    backup_set_up();
    bp_identities_make(&identities);
    bp_identity_recipient(&identities, 0, &recipients);
    bp_sign_key_make(&secret, &public);
    cr_assert_eq(bp_sign_key_parse(bp_buf_str(&secret), "key", &sign_key, &bw.err), BP_OK, "%s",
                 bw.err.msg);
}

static void tear_down(void)
{
    bp_identities_free(&identities);
    bp_recipients_free(&recipients);
    bp_sign_key_wipe(&sign_key);
    backup_tear_down();
}

TestSuite(backup_manifest, .init = set_up, .fini = tear_down, .timeout = 60);

Test(backup_manifest, a_readable_archive_has_one_manifest)
{
    backup_manifest();
    cr_expect_not(bw.manifest.sealed);
    cr_expect_eq(bw.manifest.table_count, 2);
    cr_expect_null(backup_file(BP_MANIFEST_PRIVATE));
    cr_expect_null(backup_file(BP_SIGNATURE_NAME));
}

Test(backup_manifest, a_sealed_one_has_two_and_the_first_lists_the_second)
{
    bw.job.sealing.recipients = &recipients;
    backup_manifest();
    cr_expect(bw.manifest.sealed);
    cr_expect_gt(backup_listed(BP_MANIFEST_PRIVATE)->bytes, 200);
    cr_expect_not_null(backup_file(BP_MANIFEST_PRIVATE));
    cr_expect_str_eq(bw.manifest.id, "2024-01-15T14-30-45Z");
    cr_expect_str_eq(bw.manifest.source.run_url, "https://forge.test/1");
}

Test(backup_manifest, a_signature_is_a_file_that_no_manifest_lists)
{
    bw.job.sign_key = &sign_key;
    backup_manifest();
    cr_expect_not_null(strstr(backup_file(BP_SIGNATURE_NAME), "\ntrusted comment: backproof "
                                                              "2024-01-15T14-30-45Z\n"),
                       "%s", backup_file(BP_SIGNATURE_NAME));
    for (size_t i = 0; i < bw.manifest.file_count; i++)
        cr_expect_str_neq(bw.manifest.files[i].path, BP_SIGNATURE_NAME);
}

/* After a lost race the id may be another one, and both halves must tell it. */
Test(backup_manifest, is_made_again_when_a_push_was_lost)
{
    bw.job.sealing.recipients = &recipients;
    bw.store.lost_races = 2;
    backup_manifest();
    cr_expect_eq(bw.store.commits, 1);
    for (size_t i = 0, seen = 0; i < bw.manifest.file_count; i++) {
        seen += strcmp(bw.manifest.files[i].path, BP_MANIFEST_PRIVATE) == 0;
        cr_expect_leq(seen, 1, "listed once");
    }
}
