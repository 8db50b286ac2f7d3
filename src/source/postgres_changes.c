#include "source/postgres_changes.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { SHOWN = 200 };

/*
 * "function public.f [16402 733]": the OID, and where any change matters the transaction that wrote
 * the row. A table's own row changes with every ANALYZE, and what matters of it is locked.
 */
static const char objects_sql[] =
    "WITH space AS (SELECT oid, nspname FROM pg_namespace"
    "  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')"
    " SELECT line FROM ("
    " SELECT format('schema %I [%s]', nspname, oid) AS line FROM space"
    " UNION ALL SELECT format('relation %I.%I [%s %s]', s.nspname, c.relname, c.oid, c.relkind)"
    "  FROM pg_class c JOIN space s ON s.oid = c.relnamespace"
    "  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND c.relpersistence <> 't'"
    " UNION ALL SELECT format('function %I.%I [%s %s]', s.nspname, p.proname, p.oid, p.xmin)"
    "  FROM pg_proc p JOIN space s ON s.oid = p.pronamespace"
    " UNION ALL SELECT format('type %I.%I [%s %s]', s.nspname, t.typname, t.oid, t.xmin)"
    "  FROM pg_type t JOIN space s ON s.oid = t.typnamespace"
    " UNION ALL SELECT format('value %L of type %I.%I [%s]', e.enumlabel, s.nspname, t.typname, e.oid)"
    "  FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN space s ON s.oid = t.typnamespace"
    " UNION ALL SELECT format('rule %I on %I.%I [%s %s]', r.rulename, s.nspname, c.relname, r.oid,"
    "   r.xmin)"
    "  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN space s ON s.oid = c.relnamespace"
    " UNION ALL SELECT format('operator %I.%s [%s %s]', s.nspname, o.oprname, o.oid, o.xmin)"
    "  FROM pg_operator o JOIN space s ON s.oid = o.oprnamespace"
    " UNION ALL SELECT format('collation %I.%I [%s %s]', s.nspname, l.collname, l.oid, l.xmin)"
    "  FROM pg_collation l JOIN space s ON s.oid = l.collnamespace) x";

enum bp_code bp_pg_changes_list(struct bp_pg *pg, struct bp_list *out, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;

    if (bp_pg_query(pg, objects_sql, &rows, err) != BP_OK)
        return bp_wrap(err, "cannot list the definitions");
    bp_list_free(out);
    for (int i = 0; i < PQntuples(rows); i++)
        bp_list_add(out, PQgetvalue(rows, i, 0));
    bp_list_sort(out);
    return BP_OK;
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
