#include "source/postgres_scope.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_scope_sql.h"

enum {
    NAMES_PER_ARGUMENT = 50, /* pg_dump asks the server once for each argument */
    SHOWN = 200,
    ORPHANS_SHOWN = 20,
};

/* What pg_dump takes for a table (--table); the others come with one of these. */
#define KINDS       "c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"
#define USER_SCHEMA "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
#define FROM_RELATIONS                                               \
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace" \
    " WHERE c.relpersistence <> 't' AND " USER_SCHEMA " AND " KINDS

static const struct bp_pg_aliases plain = {"c", "n"};
static const struct bp_pg_aliases other = {"oc", "oc_n"};

void bp_pg_scope_free(struct bp_pg_scope *out)
{
    bp_free(out->relations);
    bp_free(out->rows);
    bp_free(out->path);
    *out = (struct bp_pg_scope){0};
}

/*
 * The same for sequences as well: one that belongs to a column is dumped with its table, and one
 * of an identity column never without it.
 */
static enum bp_code put_relations(const struct bp_pg_scope_maker *m, struct bp_buf *sql,
                                  struct bp_err *err)
{
    static const char owner[] =
        "EXISTS (SELECT FROM pg_depend sd JOIN pg_class oc ON oc.oid = sd.refobjid"
        " JOIN pg_namespace oc_n ON oc_n.oid = oc.relnamespace"
        " WHERE sd.classid = 'pg_class'::regclass AND sd.objid = c.oid AND sd.objsubid = 0"
        " AND sd.refclassid = 'pg_class'::regclass AND sd.deptype IN";
    BP_AUTO(bp_buf_free) struct bp_buf own = {0};
    BP_AUTO(bp_buf_free) struct bp_buf owners = {0};
    enum bp_code rc = bp_pg_scope_put_selected(m, &plain, &own, err);

    if (rc == BP_OK)
        rc = bp_pg_scope_put_selected(m, &other, &owners, err);
    if (rc != BP_OK || own.len == 0)
        return rc;
    bp_buf_printf(sql,
                  " AND CASE WHEN c.relkind = 'S' THEN %s ('a', 'i')%s)"
                  " OR NOT %s ('i'))%s ELSE true%s END",
                  owner, owners.data, owner, own.data, own.data);
    return rc;
}

/* What the server says of each pattern. */
static enum bp_code check_patterns(const struct bp_pg_scope_maker *m, struct bp_err *err)
{
    const struct bp_scope *s = m->scope;
    const struct bp_list *lists[] = {&s->schemas, &s->exclude_schemas, &s->tables,
                                     &s->exclude_tables, &s->exclude_table_data};

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (size_t j = 0; j < lists[i]->count; j++) {
            BP_AUTO(bp_pg_pattern_free) struct bp_pg_pattern pattern = {0};
            const char *text = lists[i]->at[j];
            enum bp_code rc =
                bp_pg_pattern_parse(text, bp_pg_scope_kind(s, lists[i]), &pattern, err);

            if (rc == BP_OK)
                rc = bp_pg_pattern_check(m->pg, &pattern, text, err);
            if (rc != BP_OK)
                return rc;
        }
    }
    return BP_OK;
}

static enum bp_code read_path(struct bp_pg *pg, char **out, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *found = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    enum bp_code rc = bp_pg_run(pg, "RESET search_path", err);

    /* With the schemas that are searched unnamed: a table may hide behind one of pg_catalog. */
    if (rc == BP_OK)
        rc = bp_pg_query(pg, "SELECT current_schemas(true)", &found, err);
    if (rc == BP_OK)
        rc = bp_pg_put_literal(pg, PQgetvalue(found, 0, 0), &sql, err);
    if (rc == BP_OK)
        rc = bp_pg_apply_settings(pg, err);
    if (rc != BP_OK)
        return bp_wrap(err, "cannot read the search path");
    bp_buf_puts(&sql, "::name[]");
    *out = bp_buf_take(&sql);
    return BP_OK;
}

enum bp_code bp_pg_scope_open(struct bp_pg *pg, const struct bp_scope *scope,
                              struct bp_pg_scope *out, struct bp_err *err)
{
    struct bp_pg_scope_maker m = {.pg = pg, .scope = scope};
    struct bp_buf relations = {0};
    struct bp_buf rows = {0};
    enum bp_code rc = BP_OK;

    *out = (struct bp_pg_scope){.narrow = bp_pg_scope_is_narrow(scope)};
    rc = read_path(pg, &out->path, err);
    m.path = out->path;
    if (rc == BP_OK)
        rc = check_patterns(&m, err);
    if (rc == BP_OK)
        rc = put_relations(&m, &relations, err);
    bp_buf_puts(&rows, bp_buf_str(&relations));
    if (rc == BP_OK)
        rc =
            bp_pg_scope_put_any(&m, &scope->exclude_table_data, bp_pg_and_none, &plain, &rows, err);
    bp_buf_puts(&relations, "");
    out->relations = bp_buf_take(&relations);
    out->rows = bp_buf_take(&rows);
    if (rc != BP_OK)
        bp_pg_scope_free(out);
    return rc;
}

/* One list of patterns, and what a pattern that matches nothing is. */
struct rule {
    const struct bp_list *patterns;
    const char *option;
    bool required;
    bool schemas;
};

static enum bp_code matches(const struct bp_pg_scope_maker *m, const struct rule *rule,
                            const char *pattern, bool *any, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *found = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    enum bp_code rc = BP_OK;

    bp_buf_printf(&sql, "SELECT %s AND ",
                  rule->schemas ? "FROM pg_namespace n WHERE " USER_SCHEMA : FROM_RELATIONS);
    rc = bp_pg_scope_put_pattern(
        m, pattern, rule->schemas ? BP_PG_PATTERN_SCHEMA : BP_PG_PATTERN_TABLE, &plain, &sql, err);
    bp_buf_puts(&sql, " LIMIT 1");
    if (rc == BP_OK)
        rc = bp_pg_query(m->pg, sql.data, &found, err);
    *any = rc == BP_OK && PQntuples(found) > 0;
    return rc;
}

static enum bp_code check_rule(const struct bp_pg_scope_maker *m, const struct rule *rule,
                               struct bp_list *warnings, struct bp_err *err)
{
    for (size_t i = 0; i < rule->patterns->count; i++) {
        BP_AUTO(bp_buf_free) struct bp_buf words = {0};
        bool any = false;
        enum bp_code rc = matches(m, rule, rule->patterns->at[i], &any, err);

        if (rc != BP_OK)
            return rc;
        if (any)
            continue;
        bp_buf_printf(&words, "no %s matches %s '", rule->schemas ? "schema" : "table",
                      rule->option);
        bp_put_foreign(&words, rule->patterns->at[i], SHOWN);
        bp_buf_putc(&words, '\'');
        if (rule->required)
            return bp_fail(err, BP_EUSAGE, "%s; hint: a name with upper case needs double quotes%s",
                           words.data,
                           rule->schemas ? "" : ", and one outside the search path its schema");
        bp_list_take(warnings, bp_buf_take(&words));
    }
    return BP_OK;
}

/*
 * What is taken although what it depends on is not: restoring it would fail. A partition of a
 * table that is left out is as good as a table to pg_dump, but it is attached in the end.
 */
static enum bp_code find_orphans(const struct bp_pg_scope_maker *m,
                                 const struct bp_pg_scope *pg_scope, struct bp_list *warnings,
                                 struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *found = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    enum bp_code rc = BP_OK;

    if (pg_scope->relations[0] == '\0')
        return BP_OK;
    bp_buf_printf(&sql,
                  "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), x.what,"
                  " quote_ident(an.nspname) || '.' || quote_ident(ac.relname)"
                  " FROM (SELECT inhrelid AS id, inhparent AS needs, 'is made from' AS what"
                  "  FROM pg_inherits UNION"
                  "  SELECT conrelid, confrelid, 'refers to' FROM pg_constraint"
                  "  WHERE contype = 'f' AND conparentid = 0) x"
                  " JOIN pg_class ac ON ac.oid = x.needs JOIN pg_namespace an"
                  " ON an.oid = ac.relnamespace, pg_class c JOIN pg_namespace n"
                  " ON n.oid = c.relnamespace WHERE c.oid = x.id AND c.relkind IN ('r', 'p', 'f')"
                  " AND " USER_SCHEMA "%s"
                  " AND NOT EXISTS (SELECT FROM pg_class oc JOIN pg_namespace oc_n"
                  " ON oc_n.oid = oc.relnamespace WHERE oc.oid = x.needs",
                  pg_scope->relations);
    rc = bp_pg_scope_put_selected(m, &other, &sql, err);
    bp_buf_printf(&sql, ") ORDER BY 1, 2, 3 LIMIT %d", (int)ORPHANS_SHOWN);
    if (rc == BP_OK)
        rc = bp_pg_query(m->pg, sql.data, &found, err);
    for (int i = 0; rc == BP_OK && i < PQntuples(found); i++) {
        struct bp_buf words = {0};

        bp_put_foreign(&words, PQgetvalue(found, i, 0), SHOWN);
        bp_buf_printf(&words, " %s ", PQgetvalue(found, i, 1));
        bp_put_foreign(&words, PQgetvalue(found, i, 2), SHOWN);
        bp_buf_puts(&words, ", which is left out: a restore into an empty database will fail");
        bp_list_take(warnings, bp_buf_take(&words));
    }
    return rc;
}

enum bp_code bp_pg_scope_check(struct bp_pg *pg, const struct bp_scope *scope,
                               const struct bp_pg_scope *pg_scope, struct bp_list *warnings,
                               struct bp_err *err)
{
    const struct bp_pg_scope_maker m = {.pg = pg, .scope = scope, .path = pg_scope->path};
    const struct rule rules[] = {
        {&scope->schemas, "--schema", true, true},
        {&scope->tables, "--table", true, false},
        {&scope->exclude_schemas, "--exclude-schema", false, true},
        {&scope->exclude_tables, "--exclude-table", false, false},
        {&scope->exclude_table_data, "--exclude-table-data", false, false},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        enum bp_code rc = check_rule(&m, &rules[i], warnings, err);

        if (rc != BP_OK)
            return rc;
        if (rules[i].schemas && rules[i].patterns->count > 0 && scope->tables.count > 0)
            bp_list_addf(warnings, "%s has no effect together with --table", rules[i].option);
    }
    return find_orphans(&m, pg_scope, warnings, err);
}

/*
 * Append --option=pattern for every row: (name), or (schema, name) with names of one schema
 * gathered into one pattern as alternatives, because pg_dump reads its catalog once for each.
 */
static void add_args(const PGresult *rows, const char *option, struct bp_list *args)
{
    int name = PQnfields(rows) - 1;

    for (int i = 0; i < PQntuples(rows);) {
        struct bp_buf arg = {0};
        const char *schema = PQgetvalue(rows, i, 0);
        int first = i;

        bp_buf_printf(&arg, "%s=", option);
        for (; i < PQntuples(rows) && i - first < NAMES_PER_ARGUMENT &&
               (i == first || (name > 0 && strcmp(PQgetvalue(rows, i, 0), schema) == 0));
             i++) {
            if (i == first && name > 0)
                bp_pg_pattern_put_exact(&arg, schema);
            if (name > 0)
                bp_buf_putc(&arg, i == first ? '.' : '|');
            bp_pg_pattern_put_exact(&arg, PQgetvalue(rows, i, name));
        }
        bp_list_take(args, bp_buf_take(&arg));
    }
}

/* Append arguments for what "SELECT <columns> FROM ..." finds. */
static enum bp_code resolve(struct bp_pg *pg, const char *sql, const char *option, bool required,
                            struct bp_list *args, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    enum bp_code rc = bp_pg_query(pg, sql, &rows, err);

    if (rc != BP_OK)
        return rc;
    if (required && PQntuples(rows) == 0)
        return bp_fail(err, BP_EUSAGE,
                       "nothing is left of what %s names; hint: see what the "
                       "options beside it leave out",
                       option);
    add_args(rows, option, args);
    return BP_OK;
}

#define RELATIONS  "SELECT n.nspname, c.relname" FROM_RELATIONS
#define NAMESPACES "SELECT n.nspname FROM pg_namespace n WHERE " USER_SCHEMA
#define BY_NAME    " ORDER BY n.nspname, c.relname"

static enum bp_code schema_args(const struct bp_pg_scope_maker *m, struct bp_list *args,
                                struct bp_err *err)
{
    const struct bp_scope *s = m->scope;
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    bool given = s->schemas.count > 0;
    enum bp_code rc = BP_OK;

    if (!given && s->exclude_schemas.count == 0)
        return BP_OK;
    bp_buf_puts(&sql, NAMESPACES);
    rc = bp_pg_scope_put_any(m, &s->schemas, bp_pg_and_any, &plain, &sql, err);
    if (rc == BP_OK)
        rc = bp_pg_scope_put_any(m, &s->exclude_schemas, given ? bp_pg_and_none : bp_pg_and_any,
                                 &plain, &sql, err);
    bp_buf_puts(&sql, " ORDER BY n.nspname");
    if (rc != BP_OK)
        return rc;
    return resolve(m->pg, sql.data, given ? "--schema" : "--exclude-schema", given, args, err);
}

enum bp_code bp_pg_scope_args(struct bp_pg *pg, const struct bp_scope *scope,
                              const struct bp_pg_scope *pg_scope, struct bp_list *args,
                              struct bp_err *err)
{
    const struct bp_pg_scope_maker m = {.pg = pg, .scope = scope, .path = pg_scope->path};
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    enum bp_code rc = BP_OK;

    if (pg_scope->narrow)
        bp_list_add(args, "--strict-names");
    bp_buf_puts(&sql, RELATIONS);
    if (scope->tables.count > 0) {
        bp_buf_printf(&sql, "%s" BY_NAME, pg_scope->relations);
        return resolve(pg, sql.data, "--table", true, args, err);
    }
    rc = schema_args(&m, args, err);
    if (rc != BP_OK || scope->exclude_tables.count == 0)
        return rc;
    rc = bp_pg_scope_put_any(&m, &scope->exclude_tables, bp_pg_and_any, &plain, &sql, err);
    bp_buf_puts(&sql, BY_NAME);
    if (rc != BP_OK)
        return rc;
    return resolve(pg, sql.data, "--exclude-table", false, args, err);
}

enum bp_code bp_pg_scope_data_args(struct bp_pg *pg, const struct bp_scope *scope,
                                   const struct bp_pg_scope *pg_scope, struct bp_list *args,
                                   struct bp_err *err)
{
    const struct bp_pg_scope_maker m = {.pg = pg, .scope = scope, .path = pg_scope->path};
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    enum bp_code rc = BP_OK;

    bp_buf_puts(&sql, RELATIONS);
    rc = bp_pg_scope_put_any(&m, &scope->exclude_table_data, bp_pg_and_any, &plain, &sql, err);
    if (scope->exclude_table_data.count == 0)
        bp_buf_puts(&sql, " AND (false)");
    /* pg_dump takes these with their schema although it leaves out what makes them. */
    if (pg_scope->narrow)
        bp_buf_printf(&sql,
                      " UNION %s AND EXISTS (SELECT FROM pg_extension e"
                      " WHERE c.oid = ANY (e.extconfig))",
                      RELATIONS);
    bp_buf_puts(&sql, " ORDER BY 1, 2");
    return rc == BP_OK ? resolve(pg, sql.data, "--exclude-table-data", false, args, err) : rc;
}
