#include <criterion/criterion.h>
#include <string.h>

#include "archive/sign.h"
#include "base/mem.h"
#include "base/text.h"

/* Made by minisign 0.11. */
static const char minisign_public[] = "untrusted comment: minisign public key F0FAEC7D98767824\n"
                                      "RWQkeHaYfez68OPgEIwRkw+t0bJepQQ7GjA2N/gXhI2Hn3Wk0pqz+Rff\n";
static const char minisign_secret[] =
    "untrusted comment: minisign encrypted secret key\n"
    "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAJHh2mH3s+vBx1dJaKeGU"
    "7N2cs5wl7JYWf/sxyWLxM6ZlgbJvrQEUhePgEIwRkw+t0bJepQQ7GjA2N/gXhI2Hn3Wk0pqz+RffAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
static const char prehashed[] =
    "untrusted comment: signature from minisign secret key\n"
    "RUQkeHaYfez68Ano39g1HioY7Q/dQ28fUG5Rmf0iR6RWZExPVfqqG/ZQnOeXjz6X6UMTWdbHIBJBlKAhAdIlDU5EqQuk7"
    "EQxgQI=\n"
    "trusted comment: timestamp:1795347813\tfile:f\thashed\n"
    "TROckdSlhybbnYfpl5qEwu/68XsosfQURbTihRIIJablabjXitd2dYmrU5qg2ocuKo8A74/hDKfbTFNZsgRfAQ==\n";
static const char legacy[] =
    "untrusted comment: signature from minisign secret key\n"
    "RWQkeHaYfez68OrvphkL05oMFs8NNy3u2T/GDG7bW6Mmcq/vwKNCLgK85/4deNnabu0HOyPejjcSKIV8vdQ/bc5wIr0Dp"
    "ip7Ows=\n"
    "trusted comment: timestamp:1795347813\tfile:f\n"
    "KhzFad5/7+0oWLQG9M5G7H+8MikbBCX7r9ZDy0wV5UVswiNuUFC+TIfVwwoDv+A+zyV1dfj+sAblFJ0OhRQuAw==\n";

static struct bp_trusted_keys trusted;

static void set_up(void)
{
    struct bp_err err = {0};

    cr_assert_eq(bp_trusted_keys_add(&trusted, minisign_public, "a", &err), BP_OK, "%s", err.msg);
}

static void tear_down(void)
{
    bp_trusted_keys_free(&trusted);
}

TestSuite(sign, .init = set_up, .fini = tear_down);

static enum bp_code check(const char *text, const char *signature, struct bp_err *err)
{
    return bp_sign_check(&trusted, text, strlen(text), signature, err);
}

Test(sign, accepts_what_minisign_signed)
{
    struct bp_err err = {0};

    cr_expect_eq(check("hello\n", prehashed, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(check("hello\n", legacy, &err), BP_OK, "%s", err.msg);
}

Test(sign, refuses_another_text)
{
    struct bp_err err = {0};

    cr_expect_eq(check("hello", prehashed, &err), BP_EINTEGRITY);
    cr_expect_eq(check("", prehashed, &err), BP_EINTEGRITY);
    cr_expect_eq(check("hellO\n", legacy, &err), BP_EINTEGRITY);
    cr_expect_str_eq(err.msg, "the signature by key F0FAEC7D98767824 is wrong: what was signed is "
                              "not what is here");
}

/* All but the first line, which nobody signs, and the marks that end a base64 text. */
Test(sign, notices_every_change_of_a_signature)
{
    struct bp_err err = {0};
    const char *body = strchr(prehashed, '\n') + 1;

    for (size_t i = (size_t)(body - prehashed); i + 1 < strlen(prehashed); i++) {
        BP_AUTO(bp_freep) char *changed = bp_strdup(prehashed);
        BP_AUTO(bp_freep) char *cut = bp_strndup(prehashed, i);

        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        cr_expect_eq(check("hello\n", changed, &err), BP_EINTEGRITY, "byte %zu: %s", i, changed);
        cr_expect_eq(check("hello\n", cut, &err), BP_EINTEGRITY, "%zu bytes", i);
    }
    cr_expect_eq(check("hello\n", "", &err), BP_EINTEGRITY);
    cr_expect_str_eq(err.msg, "the signature is damaged");
}

Test(sign, wants_four_lines_and_no_more)
{
    BP_AUTO(bp_freep) char *more = bp_format("%smore\n", prehashed);
    BP_AUTO(bp_freep) char *blank = bp_format("%s\r\n", prehashed);
    BP_AUTO(bp_buf_free) struct bp_buf huge = {0};
    struct bp_err err = {0};

    cr_expect_eq(check("hello\n", more, &err), BP_EINTEGRITY);
    cr_expect_eq(check("hello\n", blank, &err), BP_OK, "%s", err.msg);
    bp_buf_puts(&huge, prehashed);
    while (huge.len <= BP_SIGNATURE_LIMIT)
        bp_buf_puts(&huge, "\n");
    cr_expect_eq(check("hello\n", huge.data, &err), BP_EINTEGRITY, "there is a limit");
}

Test(sign, signs_so_that_it_can_be_checked)
{
    BP_AUTO(bp_sign_key_wipe) struct bp_sign_key key;
    BP_AUTO(bp_buf_free) struct bp_buf signature = {0};
    struct bp_err err = {0};

    cr_assert_eq(bp_sign_key_parse(minisign_secret, "k", &key, &err), BP_OK, "%s", err.msg);
    bp_sign(&key, "text", 4, "archive 2024\nno second line", &signature);
    cr_expect_not_null(strstr(signature.data, "\ntrusted comment: archive 2024 no second line\n"),
                       "%s", signature.data);
    cr_expect_eq(check("text", signature.data, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(check("Text", signature.data, &err), BP_EINTEGRITY);
}

Test(sign, the_public_half_of_a_signing_key_is_the_one_in_its_file)
{
    BP_AUTO(bp_trusted_keys_free) struct bp_trusted_keys own = {0};
    struct bp_sign_key key;
    struct bp_err err = {0};

    cr_assert_eq(bp_sign_key_parse(minisign_secret, "a", &key, &err), BP_OK, "%s", err.msg);
    bp_trusted_keys_add_own(&own, &key);
    cr_assert_eq(own.count, 1);
    cr_expect_eq(memcmp(own.at[0].id, trusted.at[0].id, sizeof(own.at[0].id)), 0);
    cr_expect_eq(memcmp(own.at[0].public, trusted.at[0].public, sizeof(own.at[0].public)), 0);
}

Test(sign, names_a_key_that_is_not_trusted)
{
    BP_AUTO(bp_buf_free) struct bp_buf secret = {0};
    BP_AUTO(bp_buf_free) struct bp_buf public = {0};
    BP_AUTO(bp_buf_free) struct bp_buf signature = {0};
    BP_AUTO(bp_sign_key_wipe) struct bp_sign_key key;
    struct bp_trusted_keys none = {0};
    struct bp_err err = {0};

    bp_sign_key_make(&secret, &public);
    cr_assert_eq(bp_sign_key_parse(secret.data, "k", &key, &err), BP_OK, "%s", err.msg);
    bp_sign(&key, "text", 4, "", &signature);
    cr_expect_eq(check("text", signature.data, &err), BP_EINTEGRITY);
    cr_expect_not_null(strstr(err.msg, "which is not trusted"), "%s", err.msg);
    cr_expect_not_null(
        strstr(public.data, strstr(err.msg, "by key ") != NULL ? "public key " : "?"));
    cr_expect_eq(bp_sign_check(&none, "text", 4, signature.data, &err), BP_EINTEGRITY);
    cr_assert_eq(bp_trusted_keys_add(&trusted, public.data, "k", &err), BP_OK, "%s", err.msg);
    cr_expect_eq(check("text", signature.data, &err), BP_OK, "%s", err.msg);
    /* The id is only a hint: somebody else's key with the same one proves nothing. */
    memcpy(trusted.at[0].id, key.id, sizeof(key.id));
    cr_expect_eq(check("text", signature.data, &err), BP_OK, "%s", err.msg);
    trusted.count = 1;
    cr_expect_eq(check("text", signature.data, &err), BP_EINTEGRITY);
}

Test(sign, reads_a_key_as_a_file_or_as_its_line)
{
    BP_AUTO(bp_sign_key_wipe) struct bp_sign_key key;
    struct bp_trusted_keys keys = {0};
    struct bp_err err = {0};

    cr_expect_eq(bp_sign_key_parse(strchr(minisign_secret, '\n') + 1, "k", &key, &err), BP_OK);
    cr_expect_eq(bp_trusted_keys_add(&keys, strchr(minisign_public, '\n') + 1, "k", &err), BP_OK);
    cr_expect_eq(bp_trusted_keys_add(
                     &keys, "RWQkeHaYfez68OPgEIwRkw+t0bJepQQ7GjA2N/gXhI2Hn3Wk0pqz+Rff", "k", &err),
                 BP_OK);
    cr_expect_eq(keys.count, 2);
    bp_trusted_keys_free(&keys);
}

Test(sign, refuses_keys_that_are_none_without_showing_them)
{
    static const char *const wrong[] = {
        "",
        "RWQ",
        "untrusted comment: only\n",
        minisign_public,
        "age1zvkyg2lqzraa2lnjvqej32nkuu",
        "RWRTY0IyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAJHh2mH3s+vBx1dJaKeGU"
        "7N2cs5wl7JYWf/sxyWLxM6ZlgbJvrQEUhePgEIwRkw+t0bJepQQ7GjA2N/gXhI2Hn3Wk0pqz+RffAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"};
    struct bp_trusted_keys keys = {0};
    struct bp_sign_key key;
    struct bp_err err = {0};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_eq(bp_sign_key_parse(wrong[i], "'k'", &key, &err), BP_EUSAGE, "%s", wrong[i]);
        cr_expect_not_null(strstr(err.msg, "'k'"), "%s", err.msg);
        cr_expect_null(strstr(err.msg, "RW"), "%s", err.msg);
    }
    cr_expect_not_null(strstr(err.msg, "locked with a password"), "%s", err.msg);
    cr_expect_eq(bp_trusted_keys_add(&keys, minisign_secret, "'k'", &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "is a secret key"), "%s", err.msg);
    cr_expect_null(strstr(err.msg, "RWQAA"), "%s", err.msg);
    cr_expect_eq(bp_trusted_keys_add(&keys, "RWQk", "'k'", &err), BP_EUSAGE);
    cr_expect_null(keys.at);
}

Test(sign, notices_a_secret_key_that_was_changed)
{
    BP_AUTO(bp_buf_free) struct bp_buf secret = {0};
    BP_AUTO(bp_buf_free) struct bp_buf public = {0};
    char *line = NULL;

    bp_sign_key_make(&secret, &public);
    line = strchr(secret.data, '\n') + 1;
    for (size_t i = 0; line[i] != '\n' && line[i] != '='; i++) {
        struct bp_sign_key key;
        struct bp_err err = {0};
        char was = line[i];

        if (i >= 8 && i < 72)
            continue; /* of a password, which there is none */
        line[i] = was == 'A' ? 'B' : 'A';
        cr_expect_eq(bp_sign_key_parse(secret.data, "k", &key, &err), BP_EUSAGE, "letter %zu", i);
        line[i] = was;
    }
}
