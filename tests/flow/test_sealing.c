#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/name.h"
#include "base/file.h"
#include "base/mem.h"
#include "flow/sealing.h"
#include "support/fake_store.h"

static struct fake_store store;
static struct bp_recipients recipients;
static struct bp_identities identities;
static struct bp_identities witness;
static struct bp_sealing_job job;
static struct bp_err err;

static void set_up(void)
{
    store = fake_store();
    bp_identities_make(&identities);
    bp_identity_recipient(&identities, 0, &recipients);
    job = (struct bp_sealing_job){.recipients = &recipients};
}

static void tear_down(void)
{
    bp_recipients_free(&recipients);
    bp_identities_free(&identities);
    bp_identities_free(&witness);
    fake_store_release(&store);
}

TestSuite(sealing, .init = set_up, .fini = tear_down);

static void with_key(void)
{
    memset(job.key.bytes, 7, sizeof(job.key.bytes));
    job.key.given = true;
}

static struct bp_stage_file put(struct bp_sealing *sealing, const char *text)
{
    struct bp_stage_file file = {0};

    cr_assert_eq(bp_sealing_put(sealing, &store.base, text, strlen(text), &file, &err), BP_OK, "%s",
                 err.msg);
    return file;
}

/* The latest archive is this one file, verified to this level or never. */
static void publish(const struct bp_stage_file *file, const char *level)
{
    struct bp_manifest m = {.id = bp_strdup("2024-01-15T14-30-45Z"), .sealed = true};
    BP_AUTO(bp_freep) char *path = bp_sealing_path(file->sealed.name);
    BP_AUTO(bp_freep) char *full = bp_format("%s/%s", BP_PATH_CURRENT, path);
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_manifest_file *listed = bp_manifest_add_file(&m, path, file->sealed.bytes);

    memcpy(listed->sha256, file->sealed.sha256, sizeof(listed->sha256));
    if (level != NULL)
        m.verification.level = bp_strdup(level);
    bp_manifest_render(&m, &text);
    fake_store_put(&store, BP_PATH_CURRENT "/" BP_MANIFEST_NAME, bp_buf_str(&text));
    fake_store_put(&store, full, "what was sealed before");
    bp_manifest_free(&m);
}

Test(sealing, without_recipients_a_content_stays_as_it_is)
{
    const struct bp_recipients none = {0};
    BP_AUTO(bp_sealing_freep) struct bp_sealing *sealing = NULL;
    struct bp_stage_file file = {0};

    job.recipients = &none;
    sealing = bp_sealing_new(&job);
    cr_expect_not(bp_sealing_is_on(sealing));
    cr_expect_not(bp_sealing_is_on(NULL));
    file = put(sealing, "abc");
    cr_expect_eq(file.bytes, 3);
    cr_expect_str_eq(file.sealed.name, "");
    cr_expect_str_eq(file.sha256,
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

Test(sealing, both_forms_are_described)
{
    BP_AUTO(bp_sealing_freep) struct bp_sealing *sealing = bp_sealing_new(&job);
    struct bp_stage_file file = put(sealing, "abc");
    BP_AUTO(bp_freep) char *path = bp_sealing_path(file.sealed.name);

    cr_expect_eq(file.bytes, 3);
    cr_expect_gt(file.sealed.bytes, 200);
    cr_expect_str_eq(file.sha256,
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cr_expect_eq(strlen(file.sealed.sha256), 64);
    cr_expect_str_neq(file.sealed.sha256, file.sha256);
    cr_expect_eq(strlen(path), strlen("sealed/") + 65 + strlen(".zst.age"), "%s", path);
}

Test(sealing, without_a_key_contents_that_are_alike_get_names_of_their_own)
{
    BP_AUTO(bp_sealing_freep) struct bp_sealing *sealing = bp_sealing_new(&job);
    struct bp_stage_file one = put(sealing, "abc");
    struct bp_stage_file two = put(sealing, "abc");

    cr_expect_str_neq(one.sealed.name, two.sealed.name);
}

Test(sealing, with_a_key_contents_that_are_alike_share_a_file)
{
    BP_AUTO(bp_sealing_freep) struct bp_sealing *sealing = NULL;
    struct bp_stage_file one = {0};
    struct bp_stage_file two = {0};

    with_key();
    sealing = bp_sealing_new(&job);
    one = put(sealing, "abc");
    two = put(sealing, "abc");
    cr_expect_str_eq(one.sealed.name, two.sealed.name);
    cr_expect_str_eq(one.sealed.sha256, two.sealed.sha256);
    cr_expect_eq(bp_sealing_kept(sealing), 0, "none is of an earlier backup");
    cr_expect(bp_sealing_first(sealing, one.sealed.name));
    cr_expect_not(bp_sealing_first(sealing, two.sealed.name));
}

Test(sealing, very_many_names_are_told_apart)
{
    BP_AUTO(bp_sealing_freep) struct bp_sealing *sealing = NULL;

    with_key();
    store.put_result = BP_OK;
    sealing = bp_sealing_new(&job);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 300; i++) {
            BP_AUTO(bp_freep) char *text = bp_format("%d", i);
            struct bp_stage_file file = put(sealing, text);

            cr_assert_eq(bp_sealing_first(sealing, file.sealed.name), round == 0, "%d", i);
        }
    }
}

/* Seal a text, make it the latest archive, and look at it with a new sealing. */
static struct bp_stage_file again(const char *level, const char *text, size_t *kept)
{
    BP_AUTO(bp_sealing_freep) struct bp_sealing *before = bp_sealing_new(&job);
    BP_AUTO(bp_sealing_freep) struct bp_sealing *sealing = bp_sealing_new(&job);
    struct bp_stage_file old = put(before, "abc");
    struct bp_stage_file file = {0};

    publish(&old, level);
    cr_assert_eq(bp_sealing_look(sealing, &store.base, &err), BP_OK, "%s", err.msg);
    file = put(sealing, text);
    *kept = bp_sealing_kept(sealing);
    if (*kept > 0)
        cr_expect_str_eq(file.sealed.sha256, old.sealed.sha256);
    return file;
}

Test(sealing, what_the_latest_archive_has_keeps_its_sealed_file)
{
    struct bp_stage_file file = {0};
    size_t kept = 0;

    with_key();
    file = again(NULL, "abc", &kept);
    cr_expect_eq(kept, 1);
    cr_expect_eq(file.bytes, 3, "the content is described as well");
    (void)again(NULL, "another text", &kept);
    cr_expect_eq(kept, 0);
}

Test(sealing, without_a_key_everything_is_sealed_anew)
{
    size_t kept = 0;

    (void)again("L3", "abc", &kept);
    cr_expect_eq(kept, 0);
}

/* Sign the latest archive's manifest with this key, and trust that one. Gives what is kept. */
static size_t kept_of_signed(const struct bp_sign_key *by, const struct bp_sign_key *trusted)
{
    static const char manifest[] = BP_PATH_CURRENT "/" BP_MANIFEST_NAME;
    BP_AUTO(bp_sealing_freep) struct bp_sealing *before = bp_sealing_new(&job);
    BP_AUTO(bp_sealing_freep) struct bp_sealing *sealing = NULL;
    BP_AUTO(bp_trusted_keys_free) struct bp_trusted_keys keys = {0};
    BP_AUTO(bp_buf_free) struct bp_buf signature = {0};
    const struct bp_stage_file file = put(before, "abc");

    publish(&file, NULL);
    bp_sign(by, fake_store_get(&store, manifest), strlen(fake_store_get(&store, manifest)), "",
            &signature);
    fake_store_put(&store, BP_PATH_CURRENT "/" BP_SIGNATURE_NAME, bp_buf_str(&signature));
    publish(&file, "L1");
    bp_trusted_keys_add_own(&keys, trusted);
    job.trusted = &keys;
    sealing = bp_sealing_new(&job);
    cr_assert_eq(bp_sealing_look(sealing, &store.base, &err), BP_OK, "%s", err.msg);
    (void)put(sealing, "abc");
    job.trusted = NULL;
    return bp_sealing_kept(sealing);
}

/* Else who may push could change what a later run signs. */
Test(sealing, a_run_that_signs_keeps_only_what_its_key_has_signed)
{
    struct bp_sign_key keys[2];

    for (size_t i = 0; i < 2; i++) {
        BP_AUTO(bp_buf_free) struct bp_buf secret = {0};
        BP_AUTO(bp_buf_free) struct bp_buf public = {0};

        bp_sign_key_make(&secret, &public);
        cr_assert_eq(bp_sign_key_parse(bp_buf_str(&secret), "key", &keys[i], &err), BP_OK, "%s",
                     err.msg);
    }
    with_key();
    cr_expect_eq(kept_of_signed(&keys[0], &keys[0]), 1);
    cr_expect_eq(kept_of_signed(&keys[1], &keys[0]), 0);
}

/* The witness of this run cannot open what another run sealed. */
Test(sealing, for_a_proof_what_is_kept_was_proved_once_and_is_spooled)
{
    char folder[] = "/tmp/bp-spool-XXXXXX";
    BP_AUTO(bp_tempdir_removep) char *spool = bp_strdup(mkdtemp(folder));
    BP_AUTO(bp_buf_free) struct bp_buf sealed = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_stage_file file = {0};
    size_t kept = 0;

    with_key();
    bp_identities_make(&witness);
    job.witness = &witness;
    job.spool = spool;
    (void)again(NULL, "abc", &kept);
    cr_expect_eq(kept, 0, "never proved");
    (void)again("L0", "abc", &kept);
    cr_expect_eq(kept, 0, "never opened");
    file = again("L1", "abc", &kept);
    cr_expect_eq(kept, 1);
    {
        BP_AUTO(bp_freep) char *path = bp_sealing_path(file.sealed.name);
        BP_AUTO(bp_freep) char *place = bp_sealing_spooled(spool, path);

        cr_assert_eq(bp_file_read(place, 10000, &sealed, &err), BP_OK, "%s", err.msg);
    }
    cr_expect_eq(bp_unseal(&identities, bp_buf_str(&sealed), sealed.len, 100, &text, &err),
                 BP_EAUTH, "it is for the witness alone");
    cr_expect_eq(bp_unseal(&witness, bp_buf_str(&sealed), sealed.len, 100, &text, &err), BP_OK,
                 "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&text), "abc");
}

Test(sealing, a_latest_archive_that_cannot_be_read_is_no_hindrance)
{
    BP_AUTO(bp_sealing_freep) struct bp_sealing *sealing = NULL;

    with_key();
    sealing = bp_sealing_new(&job);
    cr_expect_eq(bp_sealing_look(sealing, &store.base, &err), BP_OK, "there is none");
    fake_store_put(&store, BP_PATH_CURRENT "/" BP_MANIFEST_NAME, "{");
    cr_expect_eq(bp_sealing_look(sealing, &store.base, &err), BP_OK, "%s", err.msg);
    store.fetch_outages = 1;
    cr_expect_eq(bp_sealing_look(sealing, &store.base, &err), BP_EUNAVAILABLE);
}

Test(sealing, a_store_that_takes_nothing_is_told)
{
    BP_AUTO(bp_sealing_freep) struct bp_sealing *sealing = bp_sealing_new(&job);
    struct bp_stage_file file = {0};

    store.put_result = BP_EFAILED;
    cr_expect_eq(bp_sealing_put(sealing, &store.base, "abc", 3, &file, &err), BP_EFAILED);
}
