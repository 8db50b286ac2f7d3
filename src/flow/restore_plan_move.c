/* Another schema for the objects that are restored. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/restore_plan_internal.h"

enum { NAME_LIMIT = 200 };

static bool is_moved(const struct bp_objects *objects, const struct bp_qname *name)
{
    const struct bp_object *object = bp_objects_find(objects, name->schema, name->name);

    if (object != NULL)
        return object->kept;
    /* An operator is no object of the list: it goes with whatever else is kept of its schema. */
    for (size_t i = 0; name->name[0] == '\0' && i < objects->count; i++) {
        if (objects->at[i].kept && strcmp(objects->at[i].schema, name->schema) == 0)
            return true;
    }
    return false;
}

static void put_moved(const struct bp_name_at *found, const char *into, struct bp_buf *out)
{
    BP_AUTO(bp_freep) char *name = NULL;

    if (!found->literal) {
        bp_sql_put_name(out, into);
        return;
    }
    name = bp_qname_quoted(into, found->name.name);
    bp_sql_put_text(out, name);
}

char *bp_restore_move_sql(struct bp_sql sql, const struct bp_objects *objects, const char *into)
{
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};
    BP_AUTO(bp_name_at_free) struct bp_name_at found = {0};
    const char *from = sql.at;

    while (bp_name_next(&sql, &found)) {
        if (!is_moved(objects, &found.name))
            continue;
        bp_buf_add(&out, from, (size_t)(found.at - from));
        put_moved(&found, into, &out);
        from = found.at + found.len;
    }
    bp_buf_add(&out, from, (size_t)(sql.end - from));
    return bp_buf_take(&out);
}

/* ---- blocks ---- */

/* A literal or a body that names a schema which objects move away from. */
static bool names_old(const struct bp_sql *sql, const struct bp_list *schemas)
{
    BP_AUTO(bp_freep) char *text = bp_strndup(sql->token, sql->len);

    for (size_t i = 0; i < schemas->count; i++) {
        const char *schema = schemas->at[i];
        size_t len = strlen(schema);

        for (const char *at = strstr(text, schema); at != NULL; at = strstr(at + 1, schema)) {
            struct bp_sql word = {.at = at, .end = at + strlen(at)};
            struct bp_sql before = {.at = at - 1, .end = at + len};

            /* a whole word: neither does it begin before, nor go on behind */
            if (bp_sql_next(&word) && (word.kind != BP_SQL_WORD || word.len == len) &&
                (at == text || (bp_sql_next(&before) && before.at <= at)))
                return true;
        }
    }
    return false;
}

/* Comments are words for people. */
static void warn(const struct bp_script_block *block, const struct bp_list *schemas,
                 struct bp_list *skipped)
{
    struct bp_sql sql = bp_script_sql(block->sql);

    while (strcmp(block->type, "COMMENT") != 0 && bp_sql_next_solid(&sql)) {
        bool changed = bp_text_starts_with(sql.at, "::regclass");

        if ((sql.kind == BP_SQL_DOLLAR || (sql.kind == BP_SQL_TEXT && !changed)) &&
            names_old(&sql, schemas)) {
            BP_AUTO(bp_buf_free) struct bp_buf text = {0};

            bp_put_foreign(&text, block->type, NAME_LIMIT);
            bp_buf_putc(&text, ' ');
            bp_put_foreign(&text, block->name, NAME_LIMIT);
            bp_buf_puts(&text,
                        ": a body or a literal in it names the old schema and stays as it is");
            bp_list_add(skipped, bp_buf_str(&text));
            return;
        }
    }
}

static enum bp_code check_names(const struct bp_objects *objects, const char *into,
                                struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list names = {0};

    for (size_t i = 0; i < objects->count; i++) {
        if (objects->at[i].kept && objects->at[i].relation)
            bp_list_add(&names, objects->at[i].name);
    }
    bp_list_sort(&names);
    for (size_t i = 1; i < names.count; i++) {
        if (strcmp(names.at[i - 1], names.at[i]) == 0)
            return bp_fail(err, BP_EUSAGE,
                           "two tables '%s' cannot both go into schema '%s'; hint: restore them "
                           "one after the other into two schemas",
                           names.at[i], into);
    }
    return BP_OK;
}

static void move_block(struct bp_script_block *block, const struct bp_objects *objects,
                       const char *into)
{
    struct bp_sql sql = bp_script_sql(block->sql);
    BP_AUTO(bp_freep) char *moved = bp_restore_move_sql(sql, objects, into);
    char *all = bp_format("%.*s%s", (int)(sql.at - block->sql), block->sql, moved);

    bp_free(block->sql);
    block->sql = all;
}

enum bp_code bp_restore_move(struct bp_script *script, const struct bp_objects *objects,
                             const char *into, struct bp_list *skipped, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list schemas = {0};

    if (check_names(objects, into, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < objects->count; i++) {
        if (objects->at[i].kept && !bp_list_has(&schemas, objects->at[i].schema))
            bp_list_add(&schemas, objects->at[i].schema);
    }
    for (size_t i = 0; i < script->count; i++) {
        if (script->at[i].sql[0] == '\0')
            continue;
        warn(&script->at[i], &schemas, skipped);
        move_block(&script->at[i], objects, into);
    }
    return BP_OK;
}

char *bp_restore_rename_schema(const char *text, const char *into)
{
    struct bp_sql sql = {.at = text, .end = text + strlen(text)};
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};
    bool named = false;

    while (bp_sql_next(&sql)) {
        if (named && (sql.kind == BP_SQL_WORD || sql.kind == BP_SQL_NAME))
            bp_sql_put_name(&out, into);
        else
            bp_buf_add(&out, sql.token, sql.len);
        if (sql.kind != BP_SQL_SPACE)
            named = bp_sql_is_word(&sql, "schema");
    }
    return bp_buf_take(&out);
}

void bp_restore_put_schema(struct bp_buf *out, const char *schema, const char *sql)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_buf_free) struct bp_buf name = {0};
    struct bp_sql rest = bp_script_sql(sql);
    struct bp_sql create = rest;

    if (bp_sql_next_solid(&create) && bp_sql_is_word(&create, "create")) {
        do
            (void)bp_sql_next(&create);
        while (create.kind != BP_SQL_END && !bp_sql_is(&create, ';'));
        rest = create;
    }
    bp_sql_put_text(&text, schema);
    bp_sql_put_name(&name, schema);
    bp_buf_printf(out,
                  "DO $backproof$\nBEGIN\n"
                  "  IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s) THEN\n"
                  "    RETURN;\n  END IF;\n  CREATE SCHEMA %s;\n%sEND\n$backproof$;\n",
                  bp_buf_str(&text), bp_buf_str(&name), rest.at + strspn(rest.at, "\n"));
}

char *bp_restore_sequences(const char *text, const struct bp_objects *objects, const char *into)
{
    struct bp_sql sql = {.at = text, .end = text + strlen(text)};
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};
    BP_AUTO(bp_buf_free) struct bp_buf line = {0};
    bool kept = false;

    while (bp_sql_next(&sql)) {
        BP_AUTO(bp_freep) char *value = bp_sql_text(&sql);
        BP_AUTO(bp_qname_free) struct bp_qname name = {0};
        const struct bp_object *object = NULL;

        if (value != NULL && bp_qname_read(value, &name))
            object = bp_objects_find(objects, name.schema, name.name);
        kept = kept || (object != NULL && object->kept);
        if (into != NULL && object != NULL) {
            BP_AUTO(bp_freep) char *moved = bp_qname_quoted(into, name.name);

            bp_sql_put_text(&line, moved);
        } else {
            bp_buf_add(&line, sql.token, sql.len);
        }
        if (!bp_sql_is(&sql, ';'))
            continue;
        if (kept) {
            bp_buf_puts(&out, bp_buf_str(&line) + strspn(bp_buf_str(&line), "\n"));
            bp_buf_putc(&out, '\n');
        }
        bp_buf_cut(&line, 0);
        kept = false;
    }
    return bp_buf_take(&out);
}
