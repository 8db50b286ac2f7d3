#include <criterion/criterion.h>
#include <string.h>

#include "archive/definition.h"
#include "base/mem.h"

static void expect_list(const struct bp_list *got, const char *const *wanted, const char *where)
{
    size_t count = 0;

    for (; wanted[count] != NULL; count++) {
        cr_assert(count < got->count, "%s: %s is missing", where, wanted[count]);
        cr_expect_str_eq(got->at[count], wanted[count], "%s", where);
    }
    cr_expect_eq(got->count, count, "%s", where);
}

Test(definition, finds_the_columns_of_the_primary_key)
{
    static const struct {
        const char *sql;
        const char *columns[4];
    } rows[] = {
        {"ALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (id);\n", {"id"}},
        {"ADD CONSTRAINT k PRIMARY KEY (\"a\tb\", \"q\"\"x\") INCLUDE (v);", {"a\tb", "q\"x"}},
        {"ADD CONSTRAINT \"PRIMARY KEY (no)\" PRIMARY KEY (yes);", {"yes"}},
        {"ADD CONSTRAINT k PRIMARY KEY (id, at WITHOUT OVERLAPS);", {"id", "at"}},
        {"-- PRIMARY KEY (no)\nADD CONSTRAINT k PRIMARY KEY (\xC3\xA9t\xC3\xA9);",
         {"\xC3\xA9t\xC3\xA9"}},
        {"DEFAULT 'PRIMARY KEY (no)' ADD PRIMARY KEY (yes)", {"yes"}},
        {"DEFAULT 'it''s PRIMARY KEY (no)' ADD PRIMARY KEY (yes)", {"yes"}},
        {"DEFAULT E'\\'PRIMARY KEY (no)' ADD PRIMARY KEY (yes)", {"yes"}},
        {"$a$ PRIMARY KEY (no) $$ $a$ ADD PRIMARY KEY (yes)", {"yes"}},
        {"ADD CONSTRAINT u UNIQUE (id);", {NULL}},
        {"ADD CONSTRAINT myPRIMARY KEY (id);", {NULL}},
        {"PRIMARY KEYS (id)", {NULL}},
        {"PRIMARY KEY (id", {NULL}},
        {"PRIMARY KEY (id, )", {NULL}},
        {"PRIMARY KEY (id WITHOUT)", {NULL}},
        {"'PRIMARY KEY (id)", {NULL}},
        {"", {NULL}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BP_AUTO(bp_list_free) struct bp_list columns = {0};

        bp_definition_key(rows[i].sql, strlen(rows[i].sql), &columns);
        expect_list(&columns, rows[i].columns, rows[i].sql);
    }
}

Test(definition, reads_names_in_brackets)
{
    static const char text[] = "(a, \"b, \"\"c\"\")\") FROM";
    static const char *const wanted[] = {"a", "b, \"c\")", NULL};
    BP_AUTO(bp_list_free) struct bp_list names = {0};
    const char *at = text;

    cr_expect(bp_identifiers_take(&at, text + strlen(text), &names));
    expect_list(&names, wanted, text);
    cr_expect_str_eq(at, " FROM");
    at = "()";
    cr_expect(bp_identifiers_take(&at, at + 2, &names));
    cr_expect_eq(names.count, 2);
}

/* As pg_dump writes them: a head, entries, an end; settings stand before the entry they are for. */
#define HEAD                                                                                    \
    "--\n-- PostgreSQL database dump\n--\n\n\\restrict KEY\n\n-- Dumped from database version " \
    "15.1\n-- Dumped by pg_dump version 15.2\n\nSET row_security = off;\n\n"
#define VIEW "--\n-- Name: v; Type: VIEW; Schema: public; Owner: me\n--\n\nCREATE VIEW v;\n"
#define TABLE                                                                                  \
    "--\n-- Name: t; Type: TABLE; Schema: public; Owner: me\n--\n\nCREATE TABLE t (\n);\n\n\n" \
    "ALTER TABLE t OWNER TO me;\n"
#define SETTING "\nSET default_tablespace = '';\n\nSET default_table_access_method = heap;\n\n"
#define END     "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict KEY\n"

Test(definition, cuts_a_text_into_its_entries)
{
    static const char dump[] = HEAD VIEW SETTING TABLE "\n\n" END;
    static const char *const wanted[] = {VIEW, TABLE, NULL};
    BP_AUTO(bp_list_free) struct bp_list entries = {0};

    bp_definition_entries(dump, strlen(dump), &entries);
    expect_list(&entries, wanted, "a dump");
}

Test(definition, what_another_text_shows_is_left_out)
{
    static const char dump[] = HEAD VIEW SETTING TABLE "\n\n" END;
    BP_AUTO(bp_list_free) struct bp_list covered = {0};
    BP_AUTO(bp_buf_free) struct bp_buf rest = {0};

    bp_list_add(&covered, TABLE);
    bp_list_add(&covered, "something else\n");
    bp_list_sort(&covered);
    bp_definition_rest(dump, strlen(dump), &covered, &rest);
    cr_expect_str_eq(
        bp_buf_str(&rest),
        "--\n-- PostgreSQL database dump\n--\n\n\n\nSET row_security = off;\n\n" VIEW SETTING
        "--\n-- PostgreSQL database dump complete\n--\n\n");
}

Test(definition, a_text_without_entries_stays_as_it_is)
{
    static const char roles[] = "CREATE ROLE me;\nALTER ROLE me LOGIN;\n";
    BP_AUTO(bp_list_free) struct bp_list none = {0};
    BP_AUTO(bp_buf_free) struct bp_buf rest = {0};

    bp_definition_rest(roles, strlen(roles), &none, &rest);
    cr_expect_str_eq(bp_buf_str(&rest), roles);
    bp_definition_rest("", 0, &none, &rest);
    cr_expect_str_eq(bp_buf_str(&rest), roles);
}
