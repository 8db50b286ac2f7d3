#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "gha/command.h"

static struct bp_out out;
static char *text;
static size_t len;

static void set_up(void)
{
    out = (struct bp_out){.out = stdout, .err = open_memstream(&text, &len), .runner = true};
}

static void tear_down(void)
{
    bp_secrets_free(&out.secrets);
    (void)fclose(out.err);
    bp_freep(&text);
}

TestSuite(command, .init = set_up, .fini = tear_down);

static void expect_data(const char *given, const char *wanted)
{
    BP_AUTO(bp_buf_free) struct bp_buf data = {0};

    bp_gha_put_data(&data, given);
    cr_expect_str_eq(bp_buf_str(&data), wanted, "'%s' became '%s'", given, bp_buf_str(&data));
}

Test(command, escapes_what_would_end_or_change_a_command)
{
    expect_data("", "");
    expect_data("plain: text, with = and ::", "plain: text, with = and ::");
    expect_data("100%", "100%25");
    expect_data("%0A%25", "%250A%2525");
    expect_data("a\r\nb\n\n", "a%0D%0Ab%0A%0A");
    expect_data("\n::set-output name=x::y", "%0A::set-output name=x::y");
}

Test(command, a_property_ends_at_a_colon_and_at_a_comma_too)
{
    BP_AUTO(bp_buf_free) struct bp_buf value = {0};

    bp_gha_put_property(&value, "100%: a, b\r\n::error::##[x]");
    cr_expect_str_eq(bp_buf_str(&value), "100%25%3A a%2C b%0D%0A%3A%3Aerror%3A%3A# #[x]");
}

Test(command, breaks_the_older_form_of_a_command)
{
    expect_data("##[error]x", "# #[error]x");
    expect_data("a ##[x] b ##[y]", "a # #[x] b # #[y]");
    expect_data("####[", "### #[");
    expect_data("## [#[", "## [#[");
}

Test(command, a_runner_says_that_it_is_one)
{
    static const struct {
        const char *var;
        bool runner;
    } rows[] = {{"GITHUB_ACTIONS=true", true},   {"GITHUB_ACTIONS=false", false},
                {"GITHUB_ACTIONS=TRUE", false},  {"GITHUB_ACTIONS=1", false},
                {"GITHUB_ACTIONS=", false},      {"GITHUB_ACTIONS_X=true", false},
                {"XGITHUB_ACTIONS=true", false}, {"CI=true", false}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const vars[] = {rows[i].var, NULL};
        const struct bp_env env = {.vars = vars};

        cr_expect_eq(bp_gha_is_runner(&env), rows[i].runner, "%s", rows[i].var);
    }
}

Test(command, an_annotation_is_one_line)
{
    bp_gha_annotate(&out, BP_SEVERITY_WARNING, "50% done\r\n::error::fake\033[31m");
    bp_gha_annotate(&out, BP_SEVERITY_ERROR, "##[error]no");
    cr_expect_str_eq(text, "::warning title=backproof::50%25 done  ::error::fake [31m\n"
                           "::error title=backproof::# #[error]no\n");
}

Test(command, ten_of_each_kind_are_sent)
{
    BP_AUTO(bp_buf_free) struct bp_buf wanted = {0};

    for (int i = 0; i < 25; i++)
        bp_gha_annotate(&out, BP_SEVERITY_WARNING, "w");
    for (int i = 0; i < 25; i++)
        bp_gha_annotate(&out, BP_SEVERITY_ERROR, "e");
    for (int i = 0; i < 10; i++)
        bp_buf_puts(&wanted, "::warning title=backproof::w\n");
    for (int i = 0; i < 10; i++)
        bp_buf_puts(&wanted, "::error title=backproof::e\n");
    cr_expect_str_eq(text, bp_buf_str(&wanted));
    cr_expect_eq(out.annotated[BP_SEVERITY_WARNING], 25, "what was not sent is known");
}

Test(command, each_stream_has_a_count_of_its_own)
{
    struct bp_out other = {.out = out.out, .err = out.err};

    for (int i = 0; i < 10; i++)
        bp_gha_annotate(&other, BP_SEVERITY_ERROR, "e");
    rewind(out.err);
    bp_gha_annotate(&out, BP_SEVERITY_ERROR, "one more");
    cr_expect_eq(strncmp(text, "::error title=backproof::one more\n", 34), 0, "%s", text);
}

Test(command, a_long_message_is_cut_between_characters)
{
    static const char prefix[] = "::error title=backproof::";
    BP_AUTO(bp_buf_free) struct bp_buf message = {0};
    BP_AUTO(bp_buf_free) struct bp_buf wanted = {0};

    bp_buf_puts(&message, "x");
    bp_buf_puts(&wanted, prefix);
    bp_buf_puts(&wanted, "x");
    for (int i = 0; i < 3000; i++)
        bp_buf_puts(&message, "\xc3\xa4");
    for (int i = 0; i < 1999; i++)
        bp_buf_puts(&wanted, "\xc3\xa4");
    bp_buf_puts(&wanted, "...\n");
    bp_gha_annotate(&out, BP_SEVERITY_ERROR, bp_buf_str(&message));
    cr_expect_str_eq(text, bp_buf_str(&wanted), "%s", text + strlen(text) - 8);
}

/* Escaping comes after hiding: "%" would make the secret another text. */
Test(command, a_secret_is_hidden_whatever_is_in_it)
{
    static const char *const secrets[] = {"s3cr3t", "100%\"sure", "a##[b", "tab\there"};

    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        BP_AUTO(bp_freep) char *message = bp_format("the password is %s.", secrets[i]);

        bp_secrets_add(&out.secrets, secrets[i]);
        bp_gha_annotate(&out, BP_SEVERITY_ERROR, message);
        cr_expect_not_null(strstr(text, "::the password is ***.\n"), "%s: %s", secrets[i], text);
        rewind(out.err);
        bp_secrets_free(&out.secrets);
    }
}

/* The first half of a secret would not be recognised as one. */
Test(command, a_secret_at_the_cut_is_hidden_too)
{
    BP_AUTO(bp_buf_free) struct bp_buf message = {0};

    for (int i = 0; i < 3990; i++)
        bp_buf_putc(&message, 'x');
    bp_buf_puts(&message, "correct-horse-battery");
    bp_secrets_add(&out.secrets, "correct-horse-battery");
    bp_gha_annotate(&out, BP_SEVERITY_ERROR, bp_buf_str(&message));
    cr_expect_null(strstr(text, "correct"), "%s", strstr(text, "correct"));
}
