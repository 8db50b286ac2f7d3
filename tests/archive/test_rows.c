#include <criterion/criterion.h>
#include <string.h>

#include "archive/rows.h"

static struct bp_err err;

static enum bp_code open_rows(const char *text, struct bp_rows *rows)
{
    return bp_rows_open(text, strlen(text), rows, &err);
}

Test(rows, gives_the_columns_and_each_row)
{
    BP_AUTO(bp_rows_free) struct bp_rows rows = {0};
    struct bp_field row = {0};
    struct bp_field fields[2] = {{0}, {0}};

    cr_assert_eq(open_rows("COPY public.\"Odd \"\"T\" (\"a\n(b\", v) FROM stdin;\n"
                           "1\t\\N\n\ttwo\n\\.\n",
                           &rows),
                 BP_OK, "%s", err.msg);
    cr_assert_eq(rows.columns.count, 2);
    cr_expect_str_eq(rows.columns.at[0], "a\n(b");
    cr_expect_str_eq(rows.columns.at[1], "v");
    cr_assert(bp_rows_next(&rows, &row));
    cr_assert(bp_row_split(&row, fields, 2));
    cr_expect(fields[0].len == 1 && fields[0].at[0] == '1');
    cr_expect(bp_field_is_null(&fields[1]));
    cr_assert(bp_rows_next(&rows, &row));
    cr_assert(bp_row_split(&row, fields, 2));
    cr_expect_eq(fields[0].len, 0);
    cr_expect_not(bp_field_is_null(&fields[0]), "an empty text is none");
    cr_expect(fields[1].len == 3 && memcmp(fields[1].at, "two", 3) == 0);
    cr_expect_not(bp_rows_next(&rows, &row));
}

Test(rows, a_table_may_be_empty_or_have_no_columns)
{
    BP_AUTO(bp_rows_free) struct bp_rows empty = {0};
    BP_AUTO(bp_rows_free) struct bp_rows bare = {0};
    struct bp_field row = {0};

    cr_assert_eq(open_rows("COPY a.b (c) FROM stdin;\n\\.\n", &empty), BP_OK, "%s", err.msg);
    cr_expect_not(bp_rows_next(&empty, &row));
    cr_assert_eq(open_rows("COPY a.b FROM stdin;\n\n\n\\.\n", &bare), BP_OK, "%s", err.msg);
    cr_expect_eq(bare.columns.count, 0);
    for (int i = 0; i < 2; i++) {
        cr_assert(bp_rows_next(&bare, &row));
        cr_expect(bp_row_split(&row, NULL, 0));
    }
    cr_expect_not(bp_rows_next(&bare, &row));
}

Test(rows, refuses_what_is_no_data_file)
{
    static const char *const texts[] = {
        "",
        "COPY a.b (c) FROM stdin;\n",
        "COPY a.b (c) FROM stdin;\n1\n",
        "COPY a.b (c) FROM stdin;\n1\\.\n",
        "COPY a.b (c) FROM stdin;\n\\.",
        "COPY a.b (c) FROM stdin; \n\\.\n",
        "COPY a.b (c FROM stdin;\n\\.\n",
        "COPY a.\"b (c) FROM stdin;\n\\.\n",
        "COPY b (c) FROM stdin;\n\\.\n",
        "COPY a.b () FROM stdin;\n\\.\n",
        "INSERT INTO a.b VALUES (1);\n\\.\n",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct bp_rows rows = {0};

        cr_expect_eq(open_rows(texts[i], &rows), BP_EINTEGRITY, "%s", texts[i]);
        cr_expect_eq(rows.columns.count, 0);
    }
}

Test(rows, a_row_has_as_many_values_as_columns)
{
    static const char text[] = "a\tb\tc";
    const struct bp_field row = {text, strlen(text)};
    const struct bp_field none = {text, 0};
    struct bp_field fields[4];

    cr_expect_not(bp_row_split(&row, fields, 2));
    cr_expect(bp_row_split(&row, fields, 3));
    cr_expect_not(bp_row_split(&row, fields, 4));
    cr_expect_not(bp_row_split(&row, fields, 0));
    cr_expect(bp_row_split(&none, fields, 1));
    cr_expect(bp_row_split(&none, fields, 0));
}

Test(rows, a_value_is_what_its_field_stands_for)
{
    static const struct {
        const char *field;
        const char *value;
    } rows[] = {
        {"plain \xC3\xA9", "plain \xC3\xA9"},
        {"a\\tb\\nc\\rd\\\\e", "a\tb\nc\rd\\e"},
        {"\\b\\f\\v", "\b\f\v"},
        {"\\\\N", "\\N"},
        {"\\x41", "x41"},
        {"open\\", "open\\"},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct bp_field field = {rows[i].field, strlen(rows[i].field)};
        BP_AUTO(bp_buf_free) struct bp_buf value = {0};

        bp_field_put(&field, &value);
        cr_expect_str_eq(bp_buf_str(&value), rows[i].value);
    }
}

Test(rows, a_null_is_not_the_text_that_looks_like_it)
{
    const struct bp_field null = {"\\N", 2};
    const struct bp_field text = {"\\\\N", 3};

    cr_expect(bp_field_is_null(&null));
    cr_expect_not(bp_field_is_null(&text));
    cr_expect(bp_field_equal(&null, &null));
    cr_expect_not(bp_field_equal(&null, &text));
}
