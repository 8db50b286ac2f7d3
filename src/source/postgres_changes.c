#include "source/postgres_changes.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_pattern.h"

enum { SHOWN = 200 };

/* "relation public.t [16402 r]": with its OID, because another one may have the name by now. */
static const char names_sql[] =
    " SELECT format('schema %I [%s]', n.nspname, n.oid) AS line FROM space n"
    " UNION ALL SELECT format('relation %I.%I [%s %s]', n.nspname, c.relname, c.oid, c.relkind)"
    "  FROM pg_class c JOIN space n ON n.oid = c.relnamespace"
    "  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't'";

/* Neither that of an array nor of a table's rows. */
#define OWN_TYPE                                                                 \
    "(t.typrelid = 0 AND t.typcategory <> 'A' OR EXISTS (SELECT FROM pg_class c" \
    " WHERE c.oid = t.typrelid AND c.relkind = 'c'))"

static const char types_sql[] =
    " UNION ALL SELECT format('type %I.%I [%s]', n.nspname, t.typname, t.oid)"
    "  FROM pg_type t JOIN space n ON n.oid = t.typnamespace"
    "  WHERE " OWN_TYPE
    " UNION ALL SELECT format('value %L of type %I.%I [%s]', e.enumlabel, n.nspname, t.typname, e.oid)"
    "  FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN space n ON n.oid = t.typnamespace";

/*
 * Their whole rows, but for who may use them: replacing a function by itself, as some tools do
 * every night, is no change.
 */
static const char definitions_sql[] =
    " UNION ALL SELECT format('function %I.%I [%s %s]', n.nspname, p.proname, p.oid,"
    "   md5((to_jsonb(p) - 'proacl')::text))"
    "  FROM pg_proc p JOIN space n ON n.oid = p.pronamespace"
    " UNION ALL SELECT format('definition of type %I.%I [%s %s]', n.nspname, t.typname, t.oid,"
    "   md5((to_jsonb(t) - 'typacl')::text))"
    "  FROM pg_type t JOIN space n ON n.oid = t.typnamespace WHERE " OWN_TYPE
    " UNION ALL SELECT format('rule %I on %I.%I [%s %s]', r.rulename, n.nspname, c.relname, r.oid,"
    "   md5(to_jsonb(r)::text))"
    "  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN space n ON n.oid = c.relnamespace"
    " UNION ALL SELECT format('operator %I.%s [%s %s]', n.nspname, o.oprname, o.oid,"
    "   md5(to_jsonb(o)::text))"
    "  FROM pg_operator o JOIN space n ON n.oid = o.oprnamespace"
    " UNION ALL SELECT format('collation %I.%I [%s %s]', n.nspname, l.collname, l.oid,"
    "   md5(to_jsonb(l)::text))"
    "  FROM pg_collation l JOIN space n ON n.oid = l.collnamespace"
    " UNION ALL SELECT format('trigger %I on %I.%I [%s %s]', g.tgname, n.nspname, c.relname, g.oid,"
    "   md5(to_jsonb(g)::text))"
    "  FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN space n ON n.oid = c.relnamespace"
    "  WHERE NOT g.tgisinternal";

/* What pg_dump names in the definitions of others. Roles: those that something here depends on. */
static const char named_sql[] =
    " UNION ALL SELECT format('index %I.%I [%s]', n.nspname, c.relname, c.oid)"
    "  FROM pg_class c JOIN space n ON n.oid = c.relnamespace WHERE c.relkind IN ('i', 'I')"
    " UNION ALL SELECT format('statistics %I.%I [%s]', n.nspname, x.stxname, x.oid)"
    "  FROM pg_statistic_ext x JOIN space n ON n.oid = x.stxnamespace"
    " UNION ALL SELECT format('text search configuration %I.%I [%s]', n.nspname, x.cfgname, x.oid)"
    "  FROM pg_ts_config x JOIN space n ON n.oid = x.cfgnamespace"
    " UNION ALL SELECT format('text search dictionary %I.%I [%s]', n.nspname, x.dictname, x.oid)"
    "  FROM pg_ts_dict x JOIN space n ON n.oid = x.dictnamespace"
    " UNION ALL SELECT format('operator class %I.%I [%s]', n.nspname, x.opcname, x.oid)"
    "  FROM pg_opclass x JOIN space n ON n.oid = x.opcnamespace"
    " UNION ALL SELECT format('operator family %I.%I [%s]', n.nspname, x.opfname, x.oid)"
    "  FROM pg_opfamily x JOIN space n ON n.oid = x.opfnamespace"
    " UNION ALL SELECT format('conversion %I.%I [%s]', n.nspname, x.conname, x.oid)"
    "  FROM pg_conversion x JOIN space n ON n.oid = x.connamespace"
    " UNION ALL SELECT format('language %I [%s]', x.lanname, x.oid) FROM pg_language x"
    " UNION ALL SELECT format('access method %I [%s]', x.amname, x.oid) FROM pg_am x"
    " UNION ALL SELECT format('foreign-data wrapper %I [%s]', x.fdwname, x.oid)"
    "  FROM pg_foreign_data_wrapper x"
    " UNION ALL SELECT format('server %I [%s]', x.srvname, x.oid) FROM pg_foreign_server x"
    " UNION ALL SELECT format('role %I [%s]', x.rolname, x.oid) FROM pg_roles x WHERE x.oid IN"
    "  (SELECT refobjid FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND dbid ="
    "   (SELECT oid FROM pg_database WHERE datname = current_database()))";

static enum bp_code put_sql(struct bp_pg *pg, const struct bp_pg_changes_scope *scope,
                            bool names_only, struct bp_buf *sql, struct bp_err *err)
{
    bp_buf_puts(sql, "WITH space AS (SELECT oid, nspname FROM pg_namespace"
                     " WHERE nspname = ANY (ARRAY[NULL");
    for (size_t i = 0; i < scope->schemas->count; i++) {
        bp_buf_puts(sql, ", ");
        if (bp_pg_put_literal(pg, scope->schemas->at[i], sql, err) != BP_OK)
            return err->code;
    }
    bp_buf_printf(sql, "]::name[]))%s%s%s", names_sql, scope->relations, types_sql);
    if (!names_only)
        bp_buf_printf(sql, "%s%s", definitions_sql, named_sql);
    return BP_OK;
}

enum bp_code bp_pg_changes_list(struct bp_pg *pg, const struct bp_pg_changes_scope *scope,
                                bool names_only, struct bp_list *out, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};

    if (put_sql(pg, scope, names_only, &sql, err) != BP_OK ||
        bp_pg_query(pg, sql.data, &rows, err) != BP_OK)
        return bp_wrap(err, "cannot list the definitions");
    bp_list_free(out);
    for (int i = 0; i < PQntuples(rows); i++)
        bp_list_add(out, PQgetvalue(rows, i, 0));
    bp_list_sort(out);
    return BP_OK;
}

enum bp_code bp_pg_changes_look(const struct bp_postgres_options *options,
                                const struct bp_pg_changes_scope *scope, bool names_only,
                                const struct bp_list *before, struct bp_err *err)
{
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_list_free) struct bp_list now = {0};

    if (bp_pg_connect(&pg, options, err) != BP_OK || bp_pg_apply_settings(&pg, err) != BP_OK)
        return bp_wrap(err, "cannot see whether definitions were changed");
    pg.deadline = 0;
    if (bp_pg_changes_list(&pg, scope, names_only, &now, err) != BP_OK)
        return err->code;
    return bp_pg_changes_check(before, &now, err);
}

enum bp_code bp_pg_changes_check(const struct bp_list *before, const struct bp_list *now,
                                 struct bp_err *err)
{
    size_t j = 0;

    for (size_t i = 0; i < before->count; i++) {
        BP_AUTO(bp_buf_free) struct bp_buf shown = {0};

        while (j < now->count && strcmp(now->at[j], before->at[i]) < 0)
            j++;
        if (j < now->count && strcmp(now->at[j], before->at[i]) == 0)
            continue;
        bp_put_foreign(&shown, before->at[i], SHOWN);
        return bp_fail(err, BP_ELOCKED, "definitions were changed while they were read: %s",
                       shown.data);
    }
    return BP_OK;
}
