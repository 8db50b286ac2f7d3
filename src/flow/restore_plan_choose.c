/* A part of an archive: what belongs to the schemas and tables that were chosen. */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/restore_plan_internal.h"

enum { NAMES_OFFERED = 3, NAME_LIMIT = 200, WHY_LIMIT = 400 };

struct choice {
    const struct bp_restore_want *want;
    struct bp_objects *objects;
    struct bp_list *skipped;
    struct bp_list triggers; /* names of those that were left out */
};

static bool is_type(const struct bp_script_block *block, const char *type)
{
    return strcmp(block->type, type) == 0;
}

static bool is_chosen_schema(const struct choice *c, const char *schema)
{
    return c->want->schemas != NULL && bp_list_has(c->want->schemas, schema);
}

static void skip(struct choice *c, const struct bp_script_block *block, const char *why)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_buf_puts(&text, block->type);
    bp_buf_putc(&text, ' ');
    if (block->schema[0] != '\0') {
        bp_put_foreign(&text, block->schema, NAME_LIMIT);
        bp_buf_putc(&text, '.');
    }
    bp_put_foreign(&text, block->name, NAME_LIMIT);
    bp_buf_puts(&text, ": ");
    bp_put_foreign(&text, why, WHY_LIMIT);
    if (!bp_list_has(c->skipped, bp_buf_str(&text)))
        bp_list_add(c->skipped, bp_buf_str(&text));
}

/* ---- what was chosen ---- */

/* "schema.table", or "table" of public; a part may be in quotes. */
static bool read_table(const char *text, struct bp_qname *out)
{
    struct bp_sql sql = {.at = text, .end = text + strlen(text)};
    const char *dot = strchr(text, '.');

    bp_qname_free(out);
    if (strchr(text, '"') != NULL) {
        if (!bp_qname_take(&sql, out) || sql.kind != BP_SQL_END)
            return false;
        if (out->schema[0] == '\0') {
            bp_free(out->schema);
            out->schema = bp_strdup("public");
        }
        return true;
    }
    out->schema = dot != NULL ? bp_strndup(text, (size_t)(dot - text)) : bp_strdup("public");
    out->name = bp_strdup(dot != NULL ? dot + 1 : text);
    return out->name[0] != '\0';
}

/* Names of the archive that a person may have meant. */
static void offer(const struct bp_objects *objects, const char *name, struct bp_buf *out)
{
    size_t offered = 0;

    for (size_t i = 0; i < objects->count && offered < NAMES_OFFERED; i++) {
        const struct bp_object *object = &objects->at[i];

        if (!object->relation || strcasestr(object->name, name) == NULL)
            continue;
        bp_buf_puts(out, offered++ == 0 ? "; hint: it has " : ", ");
        bp_put_foreign(out, object->schema, NAME_LIMIT);
        bp_buf_putc(out, '.');
        bp_put_foreign(out, object->name, NAME_LIMIT);
    }
}

static enum bp_code choose_table(struct choice *c, const char *text, struct bp_err *err)
{
    BP_AUTO(bp_qname_free) struct bp_qname name = {0};
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};
    struct bp_object *object = NULL;

    if (!read_table(text, &name))
        return bp_fail(err, BP_EUSAGE, "--table '%s' is no name of a table", text);
    object = bp_objects_find(c->objects, name.schema, name.name);
    if (object != NULL && object->relation) {
        object->chosen = true;
        return BP_OK;
    }
    offer(c->objects, name.name, &names);
    return bp_fail(err, BP_ENOTFOUND, "the archive has no table '%s.%s'%s", name.schema, name.name,
                   bp_buf_str(&names));
}

static bool has_schema(const struct choice *c, const struct bp_script *pre, const char *schema)
{
    for (size_t i = 0; i < c->objects->count; i++) {
        if (strcmp(c->objects->at[i].schema, schema) == 0)
            return true;
    }
    for (size_t i = 0; i < pre->count; i++) {
        BP_AUTO(bp_freep) char *name = bp_block_schema(&pre->at[i]);

        if (name != NULL && strcmp(name, schema) == 0)
            return true;
    }
    return false;
}

static enum bp_code refuse_schema(const struct choice *c, const char *schema, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};
    const char *last = NULL;

    for (size_t i = 0; i < c->objects->count && names.len < NAME_LIMIT; i++) {
        const char *now = c->objects->at[i].schema;

        if (last == NULL || strcmp(last, now) != 0) {
            bp_buf_puts(&names, last == NULL ? "; hint: it has " : ", ");
            bp_put_foreign(&names, now, NAME_LIMIT);
        }
        last = now;
    }
    return bp_fail(err, BP_ENOTFOUND, "the archive has no schema '%s'%s", schema,
                   bp_buf_str(&names));
}

/* The first name of a statement, and the second: an owned sequence and its table, a partitioned
 * table and its partition. */
static bool two_objects(const struct choice *c, const struct bp_script_block *block,
                        struct bp_object **first, struct bp_object **second)
{
    struct bp_sql sql = bp_script_sql(block->sql);
    BP_AUTO(bp_name_at_free) struct bp_name_at name = {0};

    if (!bp_name_next(&sql, &name))
        return false;
    *first = bp_objects_find(c->objects, name.name.schema, name.name.name);
    if (!bp_name_next(&sql, &name))
        return false;
    *second = bp_objects_find(c->objects, name.name.schema, name.name.name);
    return *first != NULL && *second != NULL;
}

/* What belongs to a table that is chosen: its sequence, its partition; NULL: nothing new. */
static struct bp_object *part_of(const struct choice *c, const struct bp_script_block *block)
{
    bool owned = is_type(block, "SEQUENCE OWNED BY");
    struct bp_object *first = NULL;
    struct bp_object *second = NULL;
    struct bp_object *part = NULL;

    if ((!owned && !is_type(block, "TABLE ATTACH")) || !two_objects(c, block, &first, &second))
        return NULL;
    part = owned ? first : second;
    return !part->chosen && (owned ? second : first)->chosen ? part : NULL;
}

/* A partition may have partitions, and come before the table it belongs to. */
static void choose_parts(struct choice *c, const struct bp_script *pre)
{
    bool more = true;

    while (more) {
        more = false;
        for (size_t i = 0; i < pre->count; i++) {
            struct bp_object *part = part_of(c, &pre->at[i]);

            if (part != NULL)
                part->chosen = more = true;
        }
    }
}

static enum bp_code choose(struct choice *c, const struct bp_script *pre, struct bp_err *err)
{
    const struct bp_restore_want *want = c->want;

    for (size_t i = 0; want->schemas != NULL && i < want->schemas->count; i++) {
        if (!has_schema(c, pre, want->schemas->at[i]))
            return refuse_schema(c, want->schemas->at[i], err);
    }
    for (size_t i = 0; want->tables != NULL && i < want->tables->count; i++) {
        if (choose_table(c, want->tables->at[i], err) != BP_OK)
            return err->code;
    }
    for (size_t i = 0; i < c->objects->count; i++) {
        struct bp_object *object = &c->objects->at[i];

        object->chosen = object->chosen || is_chosen_schema(c, object->schema);
    }
    choose_parts(c, pre);
    return BP_OK;
}

/* ---- blocks ---- */

/* Whether a block belongs to the choice by its name. */
static bool is_inside(const struct choice *c, const struct bp_script_block *block,
                      const struct bp_qname *subject)
{
    const struct bp_object *object =
        subject->schema != NULL ? bp_objects_find(c->objects, subject->schema, subject->name)
                                : NULL;

    if (block->schema[0] == '\0') /* a cast, a language ... */
        return false;
    if (object != NULL)
        return object->chosen || object->kept;
    if (subject->schema != NULL)
        return is_chosen_schema(c, subject->schema);
    return is_chosen_schema(c, block->schema);
}

/* What others can be made without: left out when what it needs is not there. What has to be made
 * is tried; the server tells. */
static bool can_go(const struct bp_script_block *block)
{
    static const char *const stay[] = {"TABLE",     "FOREIGN TABLE", "TYPE",      "DOMAIN",
                                       "FUNCTION",  "PROCEDURE",     "AGGREGATE", "SEQUENCE",
                                       "OPERATOR",  "SHELL TYPE",    "COLLATION", "CONVERSION",
                                       "STATISTICS"};

    for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++) {
        if (is_type(block, stay[i]))
            return false;
    }
    return true;
}

static bool is_builtin(const char *schema)
{
    return bp_text_starts_with(schema, "pg_") || strcmp(schema, "information_schema") == 0 ||
           strcmp(schema, "toast") == 0; /* WITH (toast.autovacuum_enabled = ...) */
}

/* Name what a block needs of what is not restored. false: it cannot be without. */
static bool check_needs(struct choice *c, const struct bp_script_block *block)
{
    struct bp_sql sql = bp_script_sql(block->sql);
    BP_AUTO(bp_name_at_free) struct bp_name_at found = {0};
    bool go = can_go(block);
    bool table = is_type(block, "TABLE") || is_type(block, "FOREIGN TABLE");

    while (bp_name_next(&sql, &found)) {
        const struct bp_qname *name = &found.name;
        const struct bp_object *object = bp_objects_find(c->objects, name->schema, name->name);
        bool missing = object != NULL ? !object->kept
                                      : table && !is_builtin(name->schema) &&
                                            !is_chosen_schema(c, name->schema);
        BP_AUTO(bp_freep) char *why = NULL;

        if (!missing)
            continue;
        why = bp_format(go ? "left out, it needs %s.%s, which is not restored"
                           : "it needs %s.%s, which is not restored and has to be there",
                        name->schema, name->name);
        skip(c, block, why);
        if (go)
            return false;
    }
    return true;
}

/* Of a chosen schema itself: it gets its owner only if it was not there. */
static bool keep_schema(struct choice *c, struct bp_script_block *block, const char *schema)
{
    const char *into = c->want->into_schema != NULL ? c->want->into_schema : schema;
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    BP_AUTO(bp_freep) char *renamed = NULL;

    if (!is_chosen_schema(c, schema))
        return false;
    renamed = bp_restore_rename_schema(block->sql, into);
    if (is_type(block, "SCHEMA"))
        bp_restore_put_schema(&sql, into, renamed);
    else
        bp_buf_puts(&sql, renamed);
    bp_free(block->sql);
    block->sql = bp_buf_take(&sql);
    return true;
}

static bool is_publication(const struct bp_script_block *block)
{
    return bp_text_starts_with(block->type, "PUBLICATION");
}

/* Why a block of the choice is left out whatever it needs; NULL: it is not. */
static const char *never(const struct choice *c, const struct bp_script_block *block)
{
    if (is_publication(block))
        return "left out, publications are not restored with a part";
    if (is_type(block, "DEFAULT ACL") && c->want->into_schema != NULL)
        return "left out, it is for objects to come in the old schema";
    return NULL;
}

/* Whether what a block is about is restored; says so when only an extension can have it. */
static bool has_owner(struct choice *c, const struct bp_script_block *block,
                      const struct bp_qname *subject, const struct bp_object *made)
{
    const struct bp_object *owner = NULL;

    if (subject->schema == NULL || subject->name[0] == '\0') /* an operator has no such name */
        return true;
    owner = bp_objects_find(c->objects, subject->schema, subject->name);
    if (owner != NULL)
        return owner == made || owner->kept;
    skip(c, block, "left out, it belongs to an extension");
    return false;
}

/* A partition may have a block that only switches the trigger of its table: that goes with it. */
static bool keep_trigger(struct choice *c, const struct bp_script_block *block)
{
    struct bp_sql sql = bp_script_sql(block->sql);
    struct bp_sql verb = sql;
    BP_AUTO(bp_freep) char *name = NULL;

    name = bp_sql_find_word(&sql, "trigger") && bp_sql_next_solid(&sql) ? bp_sql_name(&sql) : NULL;
    if (name == NULL || (bp_sql_next_solid(&verb) && bp_sql_is_word(&verb, "alter")))
        return name != NULL && !bp_list_has(&c->triggers, name);
    if (check_needs(c, block))
        return true;
    bp_list_add(&c->triggers, name);
    return false;
}

/* Whether a block is restored; marks what it makes. */
static bool keep(struct choice *c, struct bp_script_block *block)
{
    BP_AUTO(bp_freep) char *schema = bp_block_schema(block);
    BP_AUTO(bp_qname_free) struct bp_qname subject = {0};
    BP_AUTO(bp_qname_free) struct bp_qname made = {0};
    struct bp_object *object = NULL;
    bool was = false;

    if (schema != NULL)
        return keep_schema(c, block, schema);
    if (bp_block_makes(block, &made))
        object = bp_objects_find(c->objects, made.schema, made.name);
    (void)bp_block_subject(block, &subject);
    if (!is_inside(c, block, &subject))
        return false;
    if (never(c, block) != NULL)
        skip(c, block, never(c, block));
    if (never(c, block) != NULL || !has_owner(c, block, &subject, object))
        return false;
    if (is_type(block, "TRIGGER"))
        return keep_trigger(c, block);
    if (object == NULL)
        return check_needs(c, block);
    was = object->kept;
    object->kept = true; /* it may name itself */
    if (bp_block_makes_also(block, &made))
        bp_objects_find(c->objects, made.schema, made.name)->kept = true;
    object->kept = check_needs(c, block) || was;
    return object->kept;
}

static void keep_blocks(struct choice *c, struct bp_script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        struct bp_script_block *block = &script->at[i];

        if (block->sql[0] == '\0' || keep(c, block))
            continue;
        bp_free(block->sql);
        block->sql = bp_strdup("");
    }
}

enum bp_code bp_restore_choose(const struct bp_restore_want *want, struct bp_objects *objects,
                               struct bp_script *pre, struct bp_script *post,
                               struct bp_list *skipped, struct bp_err *err)
{
    struct choice c = {.want = want, .objects = objects, .skipped = skipped};

    if (choose(&c, pre, err) != BP_OK)
        return err->code;
    keep_blocks(&c, pre);
    keep_blocks(&c, post);
    bp_list_free(&c.triggers);
    return BP_OK;
}
