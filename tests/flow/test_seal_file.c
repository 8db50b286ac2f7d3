#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
#include "flow/seal_file.h"

enum { LEN = 300000 };

static char *dir;
static char *text_path;
static char *sealed_path;
static char *opened_path;
static char text[LEN];
static struct bp_identities identities;
static struct bp_recipients recipients;
static struct bp_err err;

static void set_up(void)
{
    cr_assert_eq(bp_tempdir_new("/tmp", &dir, &err), BP_OK, "%s", err.msg);
    text_path = bp_format("%s/text", dir);
    sealed_path = bp_format("%s/sealed", dir);
    opened_path = bp_format("%s/opened", dir);
    bp_random(text, LEN);
    cr_assert_eq(bp_file_write(text_path, text, LEN, &err), BP_OK, "%s", err.msg);
    bp_identities_make(&identities);
    bp_identity_recipient(&identities, 0, &recipients);
}

static void tear_down(void)
{
    bp_tempdir_removep(&dir);
    bp_freep(&text_path);
    bp_freep(&sealed_path);
    bp_freep(&opened_path);
    bp_identities_free(&identities);
    bp_recipients_free(&recipients);
}

TestSuite(seal_file, .init = set_up, .fini = tear_down);

static void seal(void)
{
    const struct bp_seal_file_job job = {.from = text_path, .to = sealed_path};

    cr_assert_eq(bp_flow_seal_file(&job, &recipients, &err), BP_OK, "%s", err.msg);
}

static void expect_text(const char *path)
{
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};

    cr_assert_eq(bp_file_read(path, LEN, &got, &err), BP_OK, "%s", err.msg);
    cr_expect(got.len == LEN && memcmp(got.data, text, LEN) == 0);
}

/* Change one byte near the end. */
static void damage(void)
{
    FILE *file = fopen(sealed_path, "r+b");

    cr_assert_not_null(file);
    cr_assert_eq(fseek(file, -5, SEEK_END), 0);
    (void)fputc('!', file);
    (void)fclose(file);
}

Test(seal_file, a_file_becomes_another_one_and_back)
{
    const struct bp_seal_file_job job = {.from = sealed_path, .to = opened_path};

    seal();
    cr_expect_eq(bp_flow_unseal_file(&job, &identities, &err), BP_OK, "%s", err.msg);
    expect_text(opened_path);
}

Test(seal_file, a_stream_too)
{
    FILE *in = fopen(text_path, "rb");
    FILE *out = fopen(sealed_path, "w+b");
    FILE *back = fopen(opened_path, "w+b");
    const struct bp_seal_file_job there = {.in = in, .out = out};
    const struct bp_seal_file_job again = {.in = out, .out = back};

    cr_assert(in != NULL && out != NULL && back != NULL);
    cr_expect_eq(bp_flow_seal_file(&there, &recipients, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(lseek(fileno(out), 0, SEEK_SET), 0);
    cr_expect_eq(bp_flow_unseal_file(&again, &identities, &err), BP_OK, "%s", err.msg);
    expect_text(opened_path);
    (void)fclose(in);
    (void)fclose(out);
    (void)fclose(back);
}

Test(seal_file, what_is_bad_makes_no_file)
{
    const struct bp_seal_file_job job = {.from = sealed_path, .to = opened_path};

    seal();
    damage();
    cr_expect_eq(bp_flow_unseal_file(&job, &identities, &err), BP_EINTEGRITY);
    cr_expect_not_null(strstr(err.msg, "/sealed': it was tampered with"), "%s", err.msg);
    cr_expect_neq(access(opened_path, F_OK), 0);
}

Test(seal_file, a_stream_gets_what_was_proved)
{
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};
    FILE *out = fopen(opened_path, "wb");
    const struct bp_seal_file_job job = {.from = sealed_path, .out = out};

    seal();
    damage();
    cr_expect_eq(bp_flow_unseal_file(&job, &identities, &err), BP_EINTEGRITY);
    (void)fclose(out);
    cr_assert_eq(bp_file_read(opened_path, LEN, &got, &err), BP_OK);
    cr_expect_gt(got.len, 0);
    cr_expect_lt(got.len, LEN);
    cr_expect_eq(memcmp(got.data, text, got.len), 0);
}

Test(seal_file, nothing_is_replaced_and_a_dry_run_keeps_nothing)
{
    struct bp_seal_file_job job = {.from = text_path, .to = sealed_path, .dry = true};

    cr_expect_eq(bp_flow_seal_file(&job, &recipients, &err), BP_OK, "%s", err.msg);
    cr_expect_neq(access(sealed_path, F_OK), 0);
    job.to = text_path;
    job.dry = false;
    cr_expect_eq(bp_flow_seal_file(&job, &recipients, &err), BP_EUSAGE);
    expect_text(text_path);
    job.from = opened_path;
    job.to = sealed_path;
    cr_expect_eq(bp_flow_seal_file(&job, &recipients, &err), BP_ENOTFOUND);
    job.from = dir;
    cr_expect_eq(bp_flow_seal_file(&job, &recipients, &err), BP_EFAILED);
    cr_expect_neq(access(sealed_path, F_OK), 0);
}

Test(seal_file, a_full_disk_is_an_error)
{
    FILE *full = fopen("/dev/full", "wb");
    const struct bp_seal_file_job job = {.from = text_path, .out = full};

    if (full == NULL)
        cr_skip_test("/dev/full cannot be written");
    cr_expect_eq(bp_flow_seal_file(&job, &recipients, &err), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "cannot write 'standard output'"), "%s", err.msg);
    (void)fclose(full);
}

Test(seal_file, waits_for_input_only_until_it_is_stopped)
{
    struct bp_stop stop;
    int ends[2];
    FILE *in = NULL;
    struct bp_seal_file_job job = {.to = sealed_path, .stop = &stop};

    cr_assert_eq(pipe(ends), 0);
    in = fdopen(ends[0], "rb");
    job.in = in;
    cr_assert_eq(bp_stop_open(&stop, &err), BP_OK, "%s", err.msg);
    bp_stop_ask(&stop);
    cr_expect_eq(bp_flow_seal_file(&job, &recipients, &err), BP_ESTOPPED);
    cr_expect_neq(access(sealed_path, F_OK), 0);
    bp_stop_close(&stop);
    (void)fclose(in);
    (void)close(ends[1]);
}
