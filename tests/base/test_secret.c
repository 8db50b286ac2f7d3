#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

static struct bp_secrets secrets;

static void set_up(void)
{
    secrets = (struct bp_secrets){0};
}

static void tear_down(void)
{
    bp_secrets_free(&secrets);
}

TestSuite(secret, .init = set_up, .fini = tear_down);

static void expect_masked(const char *text, const char *wanted)
{
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    bp_secrets_mask(&secrets, text, &out);
    cr_expect_str_eq(bp_buf_str(&out), wanted, "'%s' became '%s', not '%s'", text, bp_buf_str(&out),
                     wanted);
}

Test(secret, without_any_all_text_passes)
{
    expect_masked("", "");
    expect_masked("anything *** at all", "anything *** at all");
}

Test(secret, is_hidden_wherever_it_stands)
{
    bp_secrets_add(&secrets, "s3cr3t");
    expect_masked("s3cr3t", "***");
    expect_masked("a s3cr3t b", "a *** b");
    expect_masked("xs3cr3ty", "x***y");
    expect_masked("s3cr3ts3cr3t", "******");
    expect_masked("s3cs3cr3t", "s3c***");
    expect_masked("s3cr3", "s3cr3");
    expect_masked("S3CR3T", "S3CR3T");
}

Test(secret, is_hidden_trimmed_and_untrimmed)
{
    bp_secrets_add(&secrets, "  ghp_token\r\n");
    expect_masked("[ghp_token]", "[***]");
    expect_masked("[  ghp_token\r\n]", "[***]");
}

Test(secret, is_hidden_when_url_escaped)
{
    bp_secrets_add(&secrets, "p@ss/w:rd 100%");
    expect_masked("postgres://u:p%40ss%2Fw%3Ard%20100%25@h/db", "postgres://u:***@h/db");
    expect_masked("p@ss/w:rd%20100%25", "***");
    expect_masked("p@ss/w:rd 100%", "***");
}

Test(secret, is_hidden_when_percent_decoded)
{
    bp_secrets_add(&secrets, "p%40ssword");
    expect_masked("p@ssword", "***");
    expect_masked("p%40ssword", "***");
    expect_masked("p%2540ssword", "***");
}

Test(secret, is_hidden_as_base64)
{
    BP_AUTO(bp_freep) char *alone = bp_text_base64("ghp_token", 9);
    BP_AUTO(bp_freep) char *basic = bp_text_base64("x-access-token:ghp_token", 24);
    BP_AUTO(bp_freep) char *header = bp_format("Authorization: Basic %s", basic);

    bp_secrets_add(&secrets, "ghp_token");
    expect_masked(alone, "***");
    expect_masked(header, "Authorization: Basic ***");
}

Test(secret, is_hidden_in_a_json_string)
{
    bp_secrets_add(&secrets, "ab\"cd\\ef");
    expect_masked("{\"text\": \"ab\\\"cd\\\\ef\"}", "{\"text\": \"***\"}");
}

Test(secret, each_line_of_a_key_is_hidden)
{
    BP_AUTO(bp_freep) char *line = bp_text_base64("line one", 8);

    bp_secrets_add(&secrets, "-----BEGIN-----\nline one\r\n  line two\n\n-----END-----\n");
    expect_masked("x line one y", "x *** y");
    expect_masked("key: line two", "key: ***");
    expect_masked("-----END-----", "***");
    expect_masked(line, "***");
    expect_masked("line%20one", "***");
    expect_masked("-----BEGIN-----\nline one\r\n  line two\n\n-----END-----", "***");
}

Test(secret, what_is_too_short_is_left_alone)
{
    bp_secrets_add(&secrets, "abc");
    bp_secrets_add(&secrets, "");
    bp_secrets_add(&secrets, "\n \n");
    expect_masked("abcabc", "abcabc");
    expect_masked("\n \n", "\n \n");
    bp_secrets_add(&secrets, "abcd");
    expect_masked("abcdabc", "***abc");
}

Test(secret, the_longest_form_wins)
{
    bp_secrets_add(&secrets, "token");
    bp_secrets_add(&secrets, "token-and-more");
    bp_secrets_add(&secrets, "token-and");
    expect_masked("token-and-more token-and token", "*** *** ***");
}

Test(secret, adding_twice_keeps_one)
{
    size_t forms = 0;

    bp_secrets_add(&secrets, "s3cr3t");
    forms = secrets.forms.count;
    bp_secrets_add(&secrets, "s3cr3t");
    cr_expect_eq(secrets.forms.count, forms);
}

/* Whatever the secret is made of, no form that a person could turn back into it stays. */
Test(secret, any_password_is_hidden_in_all_its_forms)
{
    uint32_t state = 99;

    for (int round = 0; round < 500; round++) {
        char text[13] = "";
        BP_AUTO(bp_freep) char *escaped = NULL;
        BP_AUTO(bp_freep) char *base64 = NULL;
        BP_AUTO(bp_freep) char *all = NULL;
        BP_AUTO(bp_buf_free) struct bp_buf out = {0};

        for (size_t i = 0; i + 1 < sizeof(text); i++) {
            state = state * 1664525U + 1013904223U;
            text[i] = (char)('!' + (state >> 16) % 94);
        }
        escaped = bp_percent_encode(text, "");
        base64 = bp_text_base64(text, strlen(text));
        all = bp_format("\n%s\n%s\n", text, base64);
        bp_secrets_add(&secrets, text);
        bp_secrets_mask(&secrets, all, &out);
        cr_assert_str_eq(bp_buf_str(&out), "\n***\n***\n", "round %d: '%s'", round, text);
        bp_secrets_free(&secrets);
    }
}
