#include <criterion/criterion.h>
#include <string.h>

#include "source/postgres_pattern.h"
#include "test_postgres_support.h"

Test(postgres_pattern, writes_what_psql_writes)
{
    static const struct {
        const char *pattern;
        const char *schema;
        const char *name;
    } cases[] = {
        {"users", NULL, "^(users)$"},
        {"Users", NULL, "^(users)$"},
        {"\"Users\"", NULL, "^(Users)$"},
        {"u*", NULL, "^(u.*)$"},
        {"u?", NULL, "^(u.)$"},
        {"\"u*?\"", NULL, "^(u\\*\\?)$"},
        {"app.users", "^(app)$", "^(users)$"},
        {"*.*", "^(.*)$", "^(.*)$"},
        {"\"a.b\".c", "^(a\\.b)$", "^(c)$"},
        {"A\"B\"C", NULL, "^(aBc)$"},
        {"\"a\"\"b\"", NULL, "^(a\"b)$"},
        {"a\"\"b", NULL, "^(ab)$"},
        {"t[0-9]+", NULL, "^(t[0-9]+)$"},
        {"(a|b)", NULL, "^((a|b))$"},
        {"t[]", NULL, "^(t\\[])$"},
        {"a$b", NULL, "^(a\\$b)$"},
        {"\"a$b\"", NULL, "^(a\\$b)$"},
        {"\"|*+?()[]{}.^\\\"", NULL, "^(\\|\\*\\+\\?\\(\\)\\[\\]\\{\\}\\.\\^\\\\)$"},
        {"\\d", NULL, "^(\\d)$"},
        {"\303\204\"\303\204\"", NULL, "^(\303\204\303\204)$"},
        {"a\nb", NULL, "^(a\nb)$"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BP_AUTO(bp_pg_pattern_free) struct bp_pg_pattern got = {0};
        struct bp_err err = {0};

        cr_assert_eq(bp_pg_pattern_parse(cases[i].pattern, BP_PG_PATTERN_TABLE, &got, &err), BP_OK,
                     "%s: %s", cases[i].pattern, err.msg);
        cr_expect_str_eq(got.name, cases[i].name, "%s", cases[i].pattern);
        cr_expect_eq(got.schema == NULL, cases[i].schema == NULL, "%s", cases[i].pattern);
        if (got.schema != NULL && cases[i].schema != NULL)
            cr_expect_str_eq(got.schema, cases[i].schema);
    }
}

Test(postgres_pattern, refuses_what_cannot_be_meant)
{
    static const struct {
        const char *pattern;
        enum bp_pg_pattern_kind kind;
        const char *words;
    } cases[] = {
        {"", BP_PG_PATTERN_TABLE, "empty name"},
        {"", BP_PG_PATTERN_SCHEMA, "empty name"},
        {"\"\"", BP_PG_PATTERN_TABLE, "empty name"},
        {".t", BP_PG_PATTERN_TABLE, "empty name"},
        {"s.", BP_PG_PATTERN_TABLE, "empty name"},
        {"d.s.t", BP_PG_PATTERN_TABLE, "too many dots"},
        {"s.t", BP_PG_PATTERN_SCHEMA, "has a dot"},
        {"\"t", BP_PG_PATTERN_TABLE, "not closed"},
        {"\"s.t", BP_PG_PATTERN_TABLE, "not closed"},
        {"s.\"t\"\"", BP_PG_PATTERN_TABLE, "not closed"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BP_AUTO(bp_pg_pattern_free) struct bp_pg_pattern got = {0};
        struct bp_err err = {0};

        cr_expect_eq(bp_pg_pattern_parse(cases[i].pattern, cases[i].kind, &got, &err), BP_EUSAGE,
                     "%s", cases[i].pattern);
        cr_expect_not_null(strstr(err.msg, cases[i].words), "%s: %s", cases[i].pattern, err.msg);
        cr_expect_not_null(strstr(err.msg, cases[i].pattern), "%s", err.msg);
    }
}

Test(postgres_pattern, takes_a_quoted_dot_for_a_part_of_a_schemas_name)
{
    BP_AUTO(bp_pg_pattern_free) struct bp_pg_pattern got = {0};
    struct bp_err err = {0};

    cr_assert_eq(bp_pg_pattern_parse("\"a.b\"", BP_PG_PATTERN_SCHEMA, &got, &err), BP_OK);
    cr_expect_str_eq(got.name, "^(a\\.b)$");
    cr_expect_null(got.schema);
}

Test(postgres_pattern, names_the_pattern_that_the_server_cannot_read)
{
    static const char *const bad[] = {"a(b", "a[b", "s(.t", "s.t{2,1}", "a*+", "\\"};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_pg_pattern_free) struct bp_pg_pattern good = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    cr_assert_eq(bp_pg_open(&pg, &db.options, &err), BP_OK, "%s", err.msg);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        BP_AUTO(bp_pg_pattern_free) struct bp_pg_pattern got = {0};

        cr_assert_eq(bp_pg_pattern_parse(bad[i], BP_PG_PATTERN_TABLE, &got, &err), BP_OK);
        cr_expect_eq(bp_pg_pattern_check(&pg, &got, bad[i], &err), BP_EUSAGE, "%s", bad[i]);
        cr_expect_not_null(strstr(err.msg, bad[i]), "%s", err.msg);
        cr_expect_not_null(strstr(err.msg, "invalid regular expression"), "%s", err.msg);
    }
    cr_assert_eq(bp_pg_pattern_parse("s[0-9].t", BP_PG_PATTERN_TABLE, &good, &err), BP_OK);
    cr_expect_eq(bp_pg_pattern_check(&pg, &good, "s[0-9].t", &err), BP_OK, "%s", err.msg);
}

Test(postgres_pattern, refuses_bytes_that_the_connection_cannot_send)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    cr_assert_eq(bp_pg_open(&pg, &db.options, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(bp_pg_put_literal(&pg, "a\377", &sql, &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "not text in the encoding UTF8"), "%s", err.msg);
}

Test(postgres_pattern, quotes_a_name_so_that_it_means_itself)
{
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};
    BP_AUTO(bp_pg_pattern_free) struct bp_pg_pattern got = {0};
    struct bp_err err = {0};

    bp_pg_pattern_put_exact(&out, "A\"b.*");
    cr_expect_str_eq(out.data, "\"A\"\"b.*\"");
    cr_assert_eq(bp_pg_pattern_parse(out.data, BP_PG_PATTERN_TABLE, &got, &err), BP_OK);
    cr_expect_str_eq(got.name, "^(A\"b\\.\\*)$");
}
