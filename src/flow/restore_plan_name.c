/* Names of tables and the like in SQL. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/restore_plan_internal.h"

void bp_qname_free(struct bp_qname *name)
{
    bp_free(name->schema);
    bp_free(name->name);
    *name = (struct bp_qname){0};
}

bool bp_qname_take(struct bp_sql *sql, struct bp_qname *out)
{
    bp_qname_free(out);
    if (!bp_sql_next_solid(sql))
        return false;
    out->name = bp_sql_name(sql);
    if (out->name == NULL)
        return false;
    out->schema = bp_strdup("");
    (void)bp_sql_next_solid(sql);
    if (!bp_sql_is(sql, '.'))
        return true;
    bp_free(out->schema);
    out->schema = out->name;
    out->name = bp_sql_next_solid(sql) ? bp_sql_name(sql) : NULL;
    if (out->name == NULL) {
        bp_qname_free(out);
        return false;
    }
    (void)bp_sql_next_solid(sql);
    return true;
}

bool bp_qname_read(const char *text, struct bp_qname *out)
{
    struct bp_sql sql = {.at = text, .end = text + strlen(text)};

    return bp_qname_take(&sql, out) && sql.kind == BP_SQL_END;
}

char *bp_qname_quoted(const char *schema, const char *name)
{
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    if (schema[0] != '\0') {
        bp_sql_put_name(&out, schema);
        bp_buf_putc(&out, '.');
    }
    bp_sql_put_name(&out, name);
    return bp_buf_take(&out);
}

/* ---- names in SQL ---- */

void bp_name_at_free(struct bp_name_at *found)
{
    bp_qname_free(&found->name);
}

/* Whether ::regclass follows. */
static bool is_regclass(struct bp_sql sql)
{
    return bp_sql_next_solid(&sql) && bp_sql_is(&sql, ':') && bp_sql_next_solid(&sql) &&
           bp_sql_is(&sql, ':') && bp_sql_next_solid(&sql) && bp_sql_is_word(&sql, "regclass");
}

static bool read_literal(const struct bp_sql *sql, struct bp_name_at *out)
{
    BP_AUTO(bp_freep) char *text = is_regclass(*sql) ? bp_sql_text(sql) : NULL;

    out->literal = true;
    return text != NULL && bp_qname_read(text, &out->name) && out->name.schema[0] != '\0';
}

/* The token is a name: whether a dot and another one, or an operator, follow. Goes behind them. */
static bool read_pair(struct bp_sql *sql, struct bp_name_at *out)
{
    struct bp_sql next = *sql;

    if (!bp_sql_next_solid(&next) || !bp_sql_is(&next, '.') || !bp_sql_next_solid(&next))
        return false;
    bp_qname_free(&out->name);
    out->literal = false;
    out->name.schema = bp_sql_name(sql);
    if (out->name.schema == NULL)
        return false;
    out->name.name = bp_sql_name(&next);
    if (out->name.name == NULL)
        out->name.name = bp_strdup("");
    for (*sql = next; bp_sql_next_solid(&next) && bp_sql_is(&next, '.'); *sql = next)
        (void)bp_sql_next_solid(&next);
    return true;
}

bool bp_name_next(struct bp_sql *sql, struct bp_name_at *out)
{
    while (bp_sql_next_solid(sql)) {
        bool name = sql->kind == BP_SQL_NAME || sql->kind == BP_SQL_WORD;

        out->at = sql->token;
        out->len = sql->len;
        if ((name && !sql->open && read_pair(sql, out)) ||
            (sql->kind == BP_SQL_TEXT && read_literal(sql, out)))
            return true;
    }
    return false;
}

char *bp_restore_copy(const char *statement, const char *target)
{
    struct bp_sql sql = {.at = statement, .end = statement + strlen(statement)};
    BP_AUTO(bp_qname_free) struct bp_qname name = {0};

    if (!bp_sql_next_solid(&sql) || !bp_sql_is_word(&sql, "copy") || !bp_qname_take(&sql, &name))
        return NULL;
    return bp_format("COPY %s %s", target, sql.token);
}
