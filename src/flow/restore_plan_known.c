/* The objects of an archive, read from the statements: headers may not hold their whole names. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/restore_plan_internal.h"

/* Types of blocks that make something with a schema; relations first. */
static const char *const makers[] = {"TABLE",
                                     "FOREIGN TABLE",
                                     "VIEW",
                                     "MATERIALIZED VIEW",
                                     "SEQUENCE",
                                     "FUNCTION",
                                     "PROCEDURE",
                                     "AGGREGATE",
                                     "TYPE",
                                     "SHELL TYPE",
                                     "DOMAIN",
                                     "COLLATION",
                                     "CONVERSION",
                                     "STATISTICS",
                                     "OPERATOR CLASS",
                                     "OPERATOR FAMILY",
                                     "TEXT SEARCH PARSER",
                                     "TEXT SEARCH TEMPLATE",
                                     "TEXT SEARCH DICTIONARY",
                                     "TEXT SEARCH CONFIGURATION"};

enum { RELATIONS = 5, MAKERS = sizeof(makers) / sizeof(makers[0]) };

static size_t maker(const char *type)
{
    size_t i = 0;

    while (i < MAKERS && strcmp(makers[i], type) != 0)
        i++;
    return i;
}

static bool is_type(const struct bp_script_block *block, const char *type)
{
    return strcmp(block->type, type) == 0;
}

/* Of the names in the statements, the one with this number. */
static bool nth_name(struct bp_sql sql, size_t n, struct bp_qname *out)
{
    BP_AUTO(bp_name_at_free) struct bp_name_at found = {0};

    for (size_t i = 0; bp_name_next(&sql, &found); i++) {
        if (i == n) {
            bp_qname_free(out);
            *out = found.name;
            found.name = (struct bp_qname){0};
            return true;
        }
    }
    return false;
}

/* Go behind the word; the token behind it is the one found last then. */
static bool after_word(struct bp_sql *sql, const char *word)
{
    return bp_sql_find_word(sql, word) && bp_sql_next_solid(sql);
}

/* An index, a constraint: in the schema of its table, and without it. */
static bool beside_table(const struct bp_script_block *block, struct bp_qname *out)
{
    struct bp_sql sql = bp_script_sql(block->sql);
    struct bp_sql word = sql;

    if (!nth_name(sql, 0, out) ||
        !after_word(&word, is_type(block, "INDEX") ? "index" : "constraint"))
        return false;
    bp_free(out->name);
    out->name = bp_sql_name(&word);
    return out->name != NULL;
}

bool bp_block_makes(const struct bp_script_block *block, struct bp_qname *out)
{
    struct bp_sql sql = bp_script_sql(block->sql);
    struct bp_sql first = sql;

    if (is_type(block, "INDEX") || is_type(block, "CONSTRAINT"))
        return beside_table(block, out);
    if (maker(block->type) == MAKERS || !bp_sql_next_solid(&first))
        return false;
    /* ALTER TABLE table ALTER COLUMN c ADD GENERATED ... (SEQUENCE NAME sequence ...) */
    return nth_name(sql, is_type(block, "SEQUENCE") && bp_sql_is_word(&first, "alter") ? 1 : 0,
                    out);
}

bool bp_block_makes_also(const struct bp_script_block *block, struct bp_qname *out)
{
    struct bp_sql sql = bp_script_sql(block->sql);

    return is_type(block, "TYPE") && after_word(&sql, "multirange_type_name") &&
           nth_name(sql, 0, out);
}

bool bp_block_subject(const struct bp_script_block *block, struct bp_qname *out)
{
    struct bp_sql sql = bp_script_sql(block->sql);
    bool attach = is_type(block, "TABLE ATTACH") || is_type(block, "INDEX ATTACH");

    if (is_type(block, "STATISTICS"))
        (void)bp_sql_find_word(&sql, "from");
    return nth_name(sql, attach ? 1 : 0, out);
}

char *bp_block_schema(const struct bp_script_block *block)
{
    struct bp_sql sql = bp_script_sql(block->sql);

    if (!is_type(block, "SCHEMA") && !bp_text_starts_with(block->name, "SCHEMA "))
        return NULL;
    if (!is_type(block, "SCHEMA") && !is_type(block, "ACL") && !is_type(block, "COMMENT") &&
        !is_type(block, "SECURITY LABEL"))
        return NULL;
    return after_word(&sql, "schema") ? bp_sql_name(&sql) : NULL;
}

/* ---- all of them ---- */

void bp_objects_free(struct bp_objects *objects)
{
    for (size_t i = 0; i < objects->count; i++) {
        bp_free(objects->at[i].key);
        bp_free(objects->at[i].schema);
        bp_free(objects->at[i].name);
    }
    bp_free(objects->at);
    *objects = (struct bp_objects){0};
}

static void add_object(struct bp_qname *name, bool relation, struct bp_objects *out)
{
    out->at[out->count++] = (struct bp_object){.key = bp_qname_quoted(name->schema, name->name),
                                               .schema = name->schema,
                                               .name = name->name,
                                               .relation = relation};
    *name = (struct bp_qname){0};
}

static void add_made(const struct bp_script *script, struct bp_objects *out)
{
    for (size_t i = 0; i < script->count; i++) {
        const struct bp_script_block *block = &script->at[i];
        BP_AUTO(bp_qname_free) struct bp_qname name = {0};

        if (bp_block_makes(block, &name))
            add_object(&name, maker(block->type) < RELATIONS, out);
        if (bp_block_makes_also(block, &name))
            add_object(&name, false, out);
    }
}

static int by_key(const void *left, const void *right)
{
    const struct bp_object *a = left;
    const struct bp_object *b = right;

    return strcmp(a->key, b->key);
}

/* One for each key. */
static void merge(struct bp_objects *objects)
{
    size_t count = 0;

    for (size_t i = 0; i < objects->count; i++) {
        struct bp_object *last = count > 0 ? &objects->at[count - 1] : NULL;
        struct bp_object *now = &objects->at[i];

        if (last == NULL || strcmp(last->key, now->key) != 0) {
            objects->at[count++] = *now;
            continue;
        }
        last->relation = last->relation || now->relation;
        bp_free(now->key);
        bp_free(now->schema);
        bp_free(now->name);
    }
    objects->count = count;
}

void bp_objects_read(const struct bp_script *pre, const struct bp_script *post,
                     struct bp_objects *out)
{
    *out =
        (struct bp_objects){.at = bp_alloc(2 * (pre->count + post->count) + 1, sizeof(*out->at))};
    add_made(pre, out);
    add_made(post, out);
    qsort(out->at, out->count, sizeof(*out->at), by_key);
    merge(out);
}

struct bp_object *bp_objects_find(const struct bp_objects *objects, const char *schema,
                                  const char *name)
{
    BP_AUTO(bp_freep) char *key = bp_qname_quoted(schema, name);
    struct bp_object wanted = {.key = key};

    return objects->count == 0
               ? NULL
               : bsearch(&wanted, objects->at, objects->count, sizeof(wanted), by_key);
}
