#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "base/sql.h"

/* Each token between bars, with the first letter of its kind. */
static char *tokens(const char *text, bool backslashes)
{
    struct bp_sql sql = {.at = text, .end = text + strlen(text), .backslashes = backslashes};
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    while (bp_sql_next(&sql))
        bp_buf_printf(&out, "%c%.*s|", " scwntdo"[sql.kind], (int)sql.len, sql.token);
    return bp_buf_take(&out);
}

static void expect(const char *text, const char *expected)
{
    BP_AUTO(bp_freep) char *found = tokens(text, false);

    cr_expect_str_eq(found, expected, "%s", found);
}

Test(sql, cuts_a_statement_into_tokens)
{
    expect("SELECT a.\"B;\"\"\", 1;", "wSELECT|s |wa|o.|n\"B;\"\"\"|o,|s |w1|o;|");
    expect("-- a ' comment\n/* b /* ; */ */x", "c-- a ' comment|s\n|c/* b /* ; */ */|wx|");
}

Test(sql, knows_every_form_of_a_literal)
{
    expect("'a''b\\' E'a\\'b'e''X'1'", "t'a''b\\'|s |tE'a\\'b'|te''|wX|t'1'|");
    expect("$$a;'$$ $_1$ $$ $_1$ $1", "d$$a;'$$|s |d$_1$ $$ $_1$|s |o$|w1|");
    expect("a$b$c", "wa$b$c|");
}

Test(sql, with_backslashes_every_literal_has_escapes)
{
    BP_AUTO(bp_freep) char *found = tokens("'a\\'b' x", true);

    cr_expect_str_eq(found, "t'a\\'b'|s |wx|");
}

Test(sql, tells_of_what_has_no_end)
{
    static const char *const texts[] = {"'a''", "\"a", "E'\\'", "$a$ b $b$", "/* /* */"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct bp_sql sql = {.at = texts[i], .end = texts[i] + strlen(texts[i])};

        cr_expect(bp_sql_next(&sql));
        cr_expect(sql.open, "%s", texts[i]);
        cr_expect_not(bp_sql_next(&sql));
    }
}

Test(sql, names_are_folded_unless_they_are_quoted)
{
    const char *text = "Users \"Us\"\"ers\" 1a";
    struct bp_sql sql = {.at = text, .end = text + strlen(text)};
    BP_AUTO(bp_freep) char *plain = bp_sql_next_solid(&sql) ? bp_sql_name(&sql) : NULL;
    BP_AUTO(bp_freep) char *quoted = bp_sql_next_solid(&sql) ? bp_sql_name(&sql) : NULL;

    cr_expect_str_eq(plain, "users");
    cr_expect_str_eq(quoted, "Us\"ers");
    cr_expect(bp_sql_next_solid(&sql));
    cr_expect_null(bp_sql_name(&sql));
}

Test(sql, what_is_written_is_read_as_the_same)
{
    static const char *const texts[] = {"", "a", "it's", "a\\b", "\"q\"", "é\n"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        BP_AUTO(bp_buf_free) struct bp_buf out = {0};
        struct bp_sql sql = {0};

        bp_sql_put_text(&out, texts[i]);
        bp_sql_put_name(&out, texts[i]);
        sql = (struct bp_sql){.at = out.data, .end = out.data + out.len};
        cr_assert(bp_sql_next(&sql));
        {
            BP_AUTO(bp_freep) char *text = bp_sql_text(&sql);

            cr_expect_str_eq(text, texts[i]);
        }
        cr_assert(bp_sql_next(&sql));
        {
            BP_AUTO(bp_freep) char *name = bp_sql_name(&sql);

            cr_expect_str_eq(name, texts[i]);
        }
    }
}
