#include "source/postgres_scope_sql.h"

#include "base/mem.h"

const char bp_pg_and_any[] = " AND (";
const char bp_pg_and_none[] = " AND NOT (";

bool bp_pg_scope_is_narrow(const struct bp_scope *scope)
{
    return scope->schemas.count > 0 || scope->tables.count > 0;
}

enum bp_pg_pattern_kind bp_pg_scope_kind(const struct bp_scope *scope,
                                         const struct bp_list *patterns)
{
    return patterns == &scope->schemas || patterns == &scope->exclude_schemas ? BP_PG_PATTERN_SCHEMA
                                                                              : BP_PG_PATTERN_TABLE;
}

static enum bp_code put_match(struct bp_pg *pg, const char *column, const char *expression,
                              struct bp_buf *sql, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    bp_buf_printf(sql, "%s ~ ", column);
    rc = bp_pg_put_literal(pg, expression, sql, err);
    bp_buf_puts(sql, " COLLATE pg_catalog.\"default\"");
    return rc;
}

/* What pg_table_is_visible() tells with the default search path, which is not this session's. */
static void put_visible(const struct bp_pg_scope_maker *m, const struct bp_pg_aliases *a,
                        struct bp_buf *sql)
{
    bp_buf_printf(sql,
                  "%s.nspname = ANY (%s) AND NOT EXISTS (SELECT FROM pg_class vc"
                  " JOIN pg_namespace vn ON vn.oid = vc.relnamespace WHERE vc.relname = %s.relname"
                  " AND array_position(%s, vn.nspname) < array_position(%s, %s.nspname))",
                  a->n, m->path, a->c, m->path, m->path, a->n);
}

/* One pattern as a condition. */
enum bp_code bp_pg_scope_put_pattern(const struct bp_pg_scope_maker *m, const char *text,
                                     enum bp_pg_pattern_kind kind, const struct bp_pg_aliases *a,
                                     struct bp_buf *sql, struct bp_err *err)
{
    BP_AUTO(bp_pg_pattern_free) struct bp_pg_pattern pattern = {0};
    BP_AUTO(bp_freep) char *schema = bp_format("%s.nspname", a->n);
    BP_AUTO(bp_freep) char *name = bp_format("%s.relname", a->c);
    enum bp_code rc = bp_pg_pattern_parse(text, kind, &pattern, err);

    if (rc != BP_OK)
        return rc;
    if (kind == BP_PG_PATTERN_SCHEMA)
        return put_match(m->pg, schema, pattern.name, sql, err);
    bp_buf_puts(sql, "(");
    rc = put_match(m->pg, name, pattern.name, sql, err);
    bp_buf_puts(sql, " AND ");
    if (rc == BP_OK && pattern.schema != NULL)
        rc = put_match(m->pg, schema, pattern.schema, sql, err);
    else
        put_visible(m, a, sql);
    bp_buf_puts(sql, ")");
    return rc;
}

/* " AND [NOT ](this OR that)"; nothing when the list is empty. */
enum bp_code bp_pg_scope_put_any(const struct bp_pg_scope_maker *m, const struct bp_list *patterns,
                                 const char *lead, const struct bp_pg_aliases *a,
                                 struct bp_buf *sql, struct bp_err *err)
{
    enum bp_pg_pattern_kind kind = bp_pg_scope_kind(m->scope, patterns);
    enum bp_code rc = BP_OK;

    for (size_t i = 0; i < patterns->count && rc == BP_OK; i++) {
        bp_buf_puts(sql, i == 0 ? lead : " OR ");
        rc = bp_pg_scope_put_pattern(m, patterns->at[i], kind, a, sql, err);
    }
    if (patterns->count > 0)
        bp_buf_puts(sql, ")");
    return rc;
}

enum bp_code bp_pg_scope_put_selected(const struct bp_pg_scope_maker *m,
                                      const struct bp_pg_aliases *a, struct bp_buf *sql,
                                      struct bp_err *err)
{
    const struct bp_scope *s = m->scope;
    enum bp_code rc = BP_OK;

    if (s->tables.count > 0) {
        rc = bp_pg_scope_put_any(m, &s->tables, bp_pg_and_any, a, sql, err);
    } else {
        rc = bp_pg_scope_put_any(m, &s->schemas, bp_pg_and_any, a, sql, err);
        if (rc == BP_OK)
            rc = bp_pg_scope_put_any(m, &s->exclude_schemas, bp_pg_and_none, a, sql, err);
    }
    if (rc == BP_OK)
        rc = bp_pg_scope_put_any(m, &s->exclude_tables, bp_pg_and_none, a, sql, err);
    if (bp_pg_scope_is_narrow(s))
        bp_buf_printf(sql,
                      " AND NOT EXISTS (SELECT FROM pg_depend xd WHERE xd.classid ="
                      " 'pg_class'::regclass AND xd.objid = %s.oid AND xd.deptype = 'e')",
                      a->c);
    return rc;
}
