#include "source/postgres_definition.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"

/* An entry as pg_restore --verbose writes it. */
struct words {
    const char *numbers; /* "219 (class 1259 OID 16400)" */
    const char *depends; /* NULL: on nothing */
    const char *name;
    const char *type;
    const char *body;
};

static const struct words table_a = {"219 (class 1259 OID 16400)", NULL, "a", "TABLE",
                                     "CREATE TABLE app.a ();"};
static const struct words table_b = {"220 (class 1259 OID 16500)", NULL, "b", "TABLE",
                                     "CREATE TABLE app.b ();"};

static void put_entry(struct bp_buf *out, const struct words *w)
{
    bp_buf_printf(out, "--\n-- TOC entry %s\n", w->numbers);
    if (w->depends != NULL)
        bp_buf_printf(out, "-- Dependencies: %s\n", w->depends);
    bp_buf_printf(out,
                  "-- Name: %s; Type: %s; Schema: app; Owner: o\n-- Data Pos: 0\n--\n\n%s\n\n\n",
                  w->name, w->type, w->body);
}

static void put_text(struct bp_buf *out, const struct words *entries, size_t count)
{
    bp_buf_puts(out, "--\n-- PostgreSQL database dump\n--\n\nSET x = 1;\n\n");
    for (size_t i = 0; i < count; i++)
        put_entry(out, &entries[i]);
    bp_buf_puts(out, "-- Completed on 2024-01-15 14:30:45 UTC\n\n--\n-- done\n--\n\n");
}

static void add_table(struct bp_tables *tables, const char *name, uint32_t id)
{
    tables->at[tables->count++] =
        (struct bp_table){.schema = bp_strdup("app"), .name = bp_strdup(name), .id = id};
}

/* Tables a and b, with the definitions that the text has for them. */
static void read_text(const char *text, struct bp_tables *tables)
{
    BP_AUTO(bp_buf_free) struct bp_buf verbose = {0};

    if (tables->at == NULL) {
        tables->at = bp_alloc(2, sizeof(struct bp_table));
        add_table(tables, "b", 16500);
        add_table(tables, "a", 16400);
    }
    bp_buf_puts(&verbose, text);
    bp_pg_definitions_set(&verbose, tables);
}

static void read_entries(const struct words *entries, size_t count, struct bp_tables *tables)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    put_text(&text, entries, count);
    read_text(text.data, tables);
}

/* The definition of a table is made of these entries; NULL at the end. */
static void expect_definition(const struct bp_table *table, const struct words *const *entries)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    for (size_t i = 0; entries[i] != NULL; i++)
        bp_buf_printf(&text, "%s--\n-- Name: %s; Type: %s; Schema: app; Owner: o\n--\n\n%s\n",
                      i > 0 ? "\n\n" : "", entries[i]->name, entries[i]->type, entries[i]->body);
    cr_expect_str_eq(table->definition, bp_buf_str(&text), "%s: %s", table->name,
                     table->definition);
}

Test(postgres_definition, gives_each_table_what_belongs_to_it)
{
    const struct words e[] = {
        table_a,
        table_b,
        {"3300 (class 2606 OID 1)", "219", "a a_pkey", "CONSTRAINT", "ALTER TABLE a;"},
        {"3301 (class 2606 OID 2)", "3300 219 220", "b b_a_fkey", "FK CONSTRAINT",
         "ALTER TABLE b;"},
        {"3302 (class 1259 OID 3)", "220", "b_i", "INDEX", "CREATE INDEX b_i ON app.b;"},
        {"3303 (class 0 OID 0)", "3302", "INDEX b_i", "COMMENT", "COMMENT ON INDEX app.b_i;"},
        {"3304 (class 2620 OID 4)", "219 220", "b b_t", "TRIGGER", "CREATE TRIGGER b_t;"},
        {"3305 (class 2604 OID 5)", "220 219", "a id", "DEFAULT", "ALTER TABLE a SET DEFAULT;"},
    };
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};

    read_entries(e, sizeof(e) / sizeof(e[0]), &tables);
    expect_definition(&tables.at[1], (const struct words *[]){&e[0], &e[2], &e[7], NULL});
    expect_definition(&tables.at[0],
                      (const struct words *[]){&e[1], &e[3], &e[4], &e[5], &e[6], NULL});
}

Test(postgres_definition, gives_nobody_what_belongs_to_no_table)
{
    const struct words e[] = {
        {"7 (class 2615 OID 5)", NULL, "app", "SCHEMA", "CREATE SCHEMA app;"},
        table_a,
        {"221 (class 1255 OID 6)", "219", "f()", "FUNCTION", "CREATE FUNCTION app.f();"},
        {"222 (class 1259 OID 99)", "219", "v", "VIEW", "CREATE VIEW app.v;"},
        {"223 (class 2618 OID 8)", "222 219", "v _RETURN", "RULE", "CREATE RULE;"},
        {"224 (class 1259 OID 16999)", NULL, "other", "TABLE", "CREATE TABLE app.other ();"},
        {"225 (class 1259 OID 9)", "224", "other_i", "INDEX", "CREATE INDEX other_i;"},
    };
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};

    read_entries(e, sizeof(e) / sizeof(e[0]), &tables);
    expect_definition(&tables.at[1], (const struct words *[]){&e[1], NULL});
    expect_definition(&tables.at[0], (const struct words *[]){NULL});
}

Test(postgres_definition, leaves_settings_to_the_entry_that_follows)
{
    struct words a = table_a;
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};

    a.body = "CREATE TABLE app.a ();\n\n\nSET default_tablespace = '';\n\n"
             "SET default_table_access_method = heap;";
    read_entries((const struct words[]){a, table_b}, 2, &tables);
    expect_definition(&tables.at[1], (const struct words *[]){&table_a, NULL});
    expect_definition(&tables.at[0], (const struct words *[]){&table_b, NULL});
}

Test(postgres_definition, takes_names_and_texts_that_look_like_its_own_words)
{
    const struct words e[] = {
        table_a,
        {"3300 (class 1259 OID 1)", "219", "x\"; Type: TABLE; y", "INDEX", "-- Completed on x"},
        {"3301 (class 2606 OID 2)", "219", "a Completed", "CONSTRAINT", "--\n-- Name: z\n--"},
    };
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};

    read_entries(e, sizeof(e) / sizeof(e[0]), &tables);
    cr_expect_not_null(strstr(tables.at[1].definition, "CREATE TABLE app.a ();"));
    cr_expect_not_null(strstr(tables.at[1].definition, "--\n-- Name: z\n--\n"));
    cr_expect_null(strstr(tables.at[1].definition, "2024-01-15"), "the end belongs to nobody");
    cr_expect_str_empty(tables.at[0].definition);
}

Test(postgres_definition, survives_text_that_only_looks_like_entries)
{
    static const char *const texts[] = {
        "",
        "\n",
        "--\n-- TOC entry ",
        "--\n-- TOC entry 219 (class 1259 OID 16400)",
        "--\n-- TOC entry 219 (class 1259 OID 16400)\n--\n",
        "--\n-- TOC entry x (class 1259 OID 16400)\n-- Name: a; Type: TABLE; Schema: app\n--\n",
        "--\n-- TOC entry 219 (class 1259 OID 16400)\n-- Name: a\n--\nx\n",
        "x--\n-- TOC entry 219 (class 1259 OID 16400)\n-- Name: a; Type: TABLE; Schema: app\n--\n",
        "\n-- Completed on ",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        BP_AUTO(bp_tables_free) struct bp_tables tables = {0};

        read_text(texts[i], &tables);
        expect_definition(&tables.at[0], (const struct words *[]){NULL});
        expect_definition(&tables.at[1], (const struct words *[]){NULL});
    }
}

/* Somebody wrote it into the body of a function: the numbers are not pg_restore's. */
Test(postgres_definition, takes_no_memory_for_numbers_that_cannot_be)
{
    const struct words e[] = {
        table_a,
        {"4294967295 (class 1259 OID 16500)", NULL, "b", "TABLE", "x"},
        {"3000000000 (class 1259 OID 1)", "4294967295 99999999999999999999 219", "i", "INDEX", "y"},
    };
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};

    read_entries(e, sizeof(e) / sizeof(e[0]), &tables);
    expect_definition(&tables.at[1], (const struct words *[]){&table_a, NULL});
    expect_definition(&tables.at[0], (const struct words *[]){NULL});
}

Test(postgres_definition, comes_to_an_end_with_dependencies_that_are_no_numbers, .timeout = 10)
{
    const struct words e[] = {
        table_a,
        {"300 (class 1259 OID 1)", "x219 ; 219", "i", "INDEX", "y"},
    };
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};

    read_entries(e, sizeof(e) / sizeof(e[0]), &tables);
    expect_definition(&tables.at[1], (const struct words *[]){&table_a, NULL});
}

Test(postgres_definition, replaces_what_it_gave_before)
{
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};

    read_entries(&table_a, 1, &tables);
    read_entries(&table_b, 1, &tables);
    expect_definition(&tables.at[1], (const struct words *[]){NULL});
    expect_definition(&tables.at[0], (const struct words *[]){&table_b, NULL});
}
