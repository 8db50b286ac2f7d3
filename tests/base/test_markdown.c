#include <criterion/criterion.h>
#include <string.h>

#include "base/markdown.h"

static struct bp_secrets secrets;

static void tear_down(void)
{
    bp_secrets_free(&secrets);
}

TestSuite(markdown, .fini = tear_down);

static void expect(const char *given, const char *wanted)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_markdown_put(&text, &secrets, given, 1000);
    cr_expect_str_eq(bp_buf_str(&text), wanted, "'%s' became '%s'", given, bp_buf_str(&text));
}

static void expect_link(const char *label, const char *url, const char *wanted)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_markdown_put_link(&text, &secrets, label, url);
    cr_expect_str_eq(bp_buf_str(&text), wanted, "'%s' became '%s'", url, bp_buf_str(&text));
}

Test(markdown, plain_text_stays_readable)
{
    expect("", "");
    expect("no branch 'dev' in octo-org/app (gone), größe 50%",
           "no branch 'dev' in octo-org/app (gone), größe 50%");
}

Test(markdown, nothing_in_it_means_anything)
{
    expect("a|b", "a&#124;b");
    expect("<script>alert(1)</script>", "&#60;script&#62;alert(1&#41;&#60;/script&#62;");
    expect("&lt;", "&#38;lt;");
    expect("`code` *b* _i_ ~s~ $m$ \\", "&#96;code&#96; &#42;b&#42; &#95;i&#95; &#126;s&#126; "
                                        "&#36;m&#36; &#92;");
    expect("![x](javascript:alert)", "&#33;&#91;x&#93;(javascript&#58;alert)");
    expect("::error::x", "&#58;&#58;error&#58;&#58;x");
}

Test(markdown, it_begins_no_list_and_no_code)
{
    expect("1. a", "1&#46; a");
    expect("2) a", "2&#41; a");
    expect("- a - b", "&#45; a - b");
    expect("+ a", "&#43; a");
    expect("===", "&#61;==");
    expect("* a", "&#42; a");
    expect("> a", "&#62; a");
    expect("    code - ", "code - ");
}

Test(markdown, nobody_is_called_and_nothing_is_linked)
{
    expect("ask @team", "ask &#64;&#8203;team");
    expect("@a @@b (@c", "&#64;&#8203;a &#64;&#8203;&#64;&#8203;b (&#64;&#8203;c");
    expect("fixes #12 ##[error]x", "fixes &#35;&#8203;12 &#35;&#8203;&#35;&#8203;&#91;error&#93;x");
    expect("https://a.test www.a.test WWW.A", "https&#58;//a.test www&#46;a.test WWW&#46;A");
}

Test(markdown, what_people_copy_has_no_hidden_characters)
{
    expect("octo-org/app@main", "octo-org/app&#64;main");
}

Test(markdown, it_stays_on_one_line_and_is_utf8)
{
    expect("a\r\nb\tc\033[31md\x7f", "a  b c &#91;31md ");
    expect("a\xff\xfe z", "a?? z");
}

Test(markdown, it_is_cut_between_characters_before_it_grows)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_markdown_put(&text, NULL, "|ää", 4);
    cr_expect_str_eq(bp_buf_str(&text), "&#124;ä...");
}

/* "_" and "|" are escaped: afterwards the secret would be another text. */
Test(markdown, a_secret_is_hidden_whatever_is_in_it_and_wherever_the_cut_is)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_secrets_add(&secrets, "ghp_se|cret");
    expect("it is ghp_se|cret.", "it is &#42;&#42;&#42;.");
    bp_markdown_put(&text, &secrets, "it is ghp_se|cret.", 9);
    cr_expect_str_eq(bp_buf_str(&text), "it is &#42;&#42;&#42;...");
}

Test(markdown, a_link_goes_to_a_plain_web_address)
{
    expect_link("42", "https://github.test/o/r/actions/runs/42",
                "[42](https://github.test/o/r/actions/runs/42)");
    expect_link("a_b", "http://127.0.0.1:8080/x_y?a=1&copy=2#z",
                "[a&#95;b](http://127.0.0.1:8080/x_y?a=1&amp;copy=2#z)");
}

Test(markdown, any_other_address_is_no_link)
{
    static const char *const urls[] = {
        "",
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "ftp://a.test",
        "//a.test",
        "https://",
        "https:///x",
        " https://a.test",
        "https://a.test/a b",
        "https://a.test/\n",
        "https://a.test/(x)",
        "https://a.test/<x>",
        "https://a.test/|",
        "https://a.test/\"x\"",
        "https://a.test/]",
        "https://a.test\\b",
        "https://a.test/`x`",
        "https://github.com@evil.test/",
        "https://a.test/\xc3\xa4",
        "https://a.test/\xff",
    };

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        expect_link("a|b", urls[i], "a&#124;b");
}

Test(markdown, an_address_with_a_secret_or_without_end_is_no_link)
{
    char url[2000] = "https://a.test/";

    bp_secrets_add(&secrets, "s3cr3t");
    expect_link("x", "https://a.test/?t=s3cr3t", "x");
    memset(url + strlen(url), 'x', sizeof(url) - strlen(url) - 1);
    expect_link("x", url, "x");
}
