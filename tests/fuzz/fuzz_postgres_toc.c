/*
 * source/postgres_toc.h and source/postgres_definition.h: what pg_restore wrote holds names and
 * bodies that anybody may have made up.
 */
#include <string.h>

#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "source/postgres_definition.h"
#include "source/postgres_toc.h"

static size_t count_of(const char *text, char c)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += *text == c;
    return count;
}

static void check_list(const char *text)
{
    BP_AUTO(bp_pg_relations_free) struct bp_pg_relations relations = {0};
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};

    bp_pg_relations_read(text, &relations);
    must(relations.count <= count_of(text, '\n') + 1);
    for (size_t i = 0; i < relations.count; i++) {
        must(i == 0 || relations.at[i - 1] <= relations.at[i]);
        must(bp_pg_relations_has(&relations, relations.at[i]));
    }
    bp_pg_relations_put(&relations, &sql);
    must(strspn(sql.data, "'{}0123456789,") == sql.len);
    must(count_of(sql.data, ',') + 1 == relations.count + (relations.count == 0));
}

static void add_table(struct bp_tables *tables, uint32_t id)
{
    tables->at[tables->count++] =
        (struct bp_table){.schema = bp_strdup("s"), .name = bp_strdup("t"), .id = id};
}

static void check_definitions(const char *text)
{
    BP_AUTO(bp_tables_free) struct bp_tables tables = {.at = bp_alloc(2, sizeof(struct bp_table))};
    BP_AUTO(bp_buf_free) struct bp_buf verbose = {0};

    add_table(&tables, 16406);
    add_table(&tables, 16400);
    bp_buf_puts(&verbose, text);
    bp_pg_definitions_set(&verbose, &tables);
    for (size_t i = 0; i < tables.count; i++) {
        const char *definition = tables.at[i].definition;
        size_t len = strlen(definition);

        must(len == 0 || (definition[len - 1] == '\n' && strncmp(definition, "--\n", 3) == 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);

    check_list(text);
    check_definitions(text);
    return 0;
}
