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

char *bp_restore_copy(const char *statement, const char *target)
{
    struct bp_sql sql = {.at = statement, .end = statement + strlen(statement)};
    BP_AUTO(bp_qname_free) struct bp_qname name = {0};

    if (!bp_sql_next_solid(&sql) || !bp_sql_is_word(&sql, "copy") || !bp_qname_take(&sql, &name))
        return NULL;
    return bp_format("COPY %s %s", target, sql.token);
}
