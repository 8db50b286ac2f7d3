#include "source/postgres_pattern.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_error.h"

enum { PATTERN_SHOWN = 200, PARTS = 2 };

static const char invalid_regular_expression[] = "2201B";
static const char empty_expression[] = "^()$";

static enum bp_code refuse(const char *text, const char *why, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf shown = {0};

    bp_put_foreign(&shown, text, PATTERN_SHOWN);
    return bp_fail(err, BP_EUSAGE, "the pattern '%s' %s", bp_buf_str(&shown), why);
}

void bp_pg_pattern_free(struct bp_pg_pattern *pattern)
{
    bp_free(pattern->schema);
    bp_free(pattern->name);
    *pattern = (struct bp_pg_pattern){0};
}

/* Only what psql itself folds in every locale. */
static char fold(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Append what one character outside quotes stands for; next is the one behind it. */
static void put_unquoted(struct bp_buf *out, char c, char next)
{
    if (c == '*')
        bp_buf_puts(out, ".*");
    else if (c == '?')
        bp_buf_putc(out, '.');
    else if (c == '[' && next == ']')
        bp_buf_puts(out, "\\["); /* more likely the name of an array type than an empty choice */
    else
        bp_buf_putc(out, fold(c));
}

static void put_quoted(struct bp_buf *out, char c)
{
    if (strchr("|*+?()[]{}.^\\", c) != NULL)
        bp_buf_putc(out, '\\');
    bp_buf_putc(out, c);
}

/*
 * Append the regular expression of the name that begins at *at, and move *at to the dot or the end
 * behind it. false: a quote is open.
 */
static bool take_part(const char **at, struct bp_buf *out)
{
    const char *p = *at;
    bool quoted = false;

    bp_buf_puts(out, "^(");
    for (; *p != '\0' && (quoted || *p != '.'); p++) {
        if (*p == '"' && quoted && p[1] == '"')
            bp_buf_putc(out, *p++);
        else if (*p == '"')
            quoted = !quoted;
        else if (*p == '$')
            bp_buf_puts(out, "\\$"); /* it is part of names; the end is there anyway */
        else if (quoted)
            put_quoted(out, *p);
        else
            put_unquoted(out, *p, p[1]);
    }
    bp_buf_puts(out, ")$");
    *at = p;
    return !quoted;
}

enum bp_code bp_pg_pattern_parse(const char *text, enum bp_pg_pattern_kind kind,
                                 struct bp_pg_pattern *out, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list parts = {0};
    size_t most = kind == BP_PG_PATTERN_TABLE ? PARTS : 1;
    const char *p = text;

    for (bool more = true; more; p += more ? 1 : 0) {
        struct bp_buf part = {0};
        bool closed = take_part(&p, &part);

        bp_list_take(&parts, bp_buf_take(&part));
        if (!closed)
            return refuse(text, "has a double quote that is not closed", err);
        if (strcmp(parts.at[parts.count - 1], empty_expression) == 0)
            return refuse(text, "has an empty name", err);
        more = *p == '.';
        if (more && parts.count == most)
            return refuse(text,
                          kind == BP_PG_PATTERN_TABLE
                              ? "has too many dots; hint: it is schema.table, and a dot in a name "
                                "needs double quotes"
                              : "has a dot; hint: it is a schema's name, and a dot in a name "
                                "needs double quotes",
                          err);
    }
    out->schema = parts.count == PARTS ? bp_strdup(parts.at[0]) : NULL;
    out->name = bp_strdup(parts.at[parts.count - 1]);
    return BP_OK;
}

enum bp_code bp_pg_put_literal(struct bp_pg *pg, const char *text, struct bp_buf *out,
                               struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf shown = {0};
    char *literal = NULL;

    if (pg->conn == NULL)
        return bp_fail(err, BP_EUNAVAILABLE, "the connection to the database is closed");
    literal = PQescapeLiteral(pg->conn, text, strlen(text));
    if (literal != NULL) {
        bp_buf_puts(out, literal);
        PQfreemem(literal);
        return BP_OK;
    }
    bp_put_foreign(&shown, text, PATTERN_SHOWN);
    return bp_fail(err, BP_EUSAGE, "'%s' is not text in the encoding %s", bp_buf_str(&shown),
                   PQparameterStatus(pg->conn, "client_encoding"));
}

/* The result of a query that fails when the server cannot read the expression. */
static enum bp_code ask(struct bp_pg *pg, const char *expression, PGresult **out,
                        struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    enum bp_code rc = BP_OK;

    bp_buf_puts(&sql, "SELECT '' ~ ");
    rc = bp_pg_put_literal(pg, expression, &sql, err);
    if (rc == BP_OK)
        rc = bp_pg_send(pg, sql.data, err);
    if (rc == BP_OK)
        rc = bp_pg_next(pg, out, err);
    if (rc == BP_OK)
        bp_pg_drain(pg);
    return rc;
}

static enum bp_code check(struct bp_pg *pg, const char *expression, const char *text,
                          struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *result = NULL;
    enum bp_code rc = ask(pg, expression, &result, err);

    if (rc != BP_OK || PQresultStatus(result) == PGRES_TUPLES_OK)
        return rc;
    rc = bp_pg_fail_result(result, err);
    if (bp_pg_has_state(result, invalid_regular_expression)) {
        BP_AUTO(bp_freep) char *words = bp_format("cannot be used: %s", err->msg);

        return refuse(text, words, err);
    }
    return rc;
}

enum bp_code bp_pg_pattern_check(struct bp_pg *pg, const struct bp_pg_pattern *pattern,
                                 const char *text, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    if (pattern->schema != NULL)
        rc = check(pg, pattern->schema, text, err);
    return rc == BP_OK ? check(pg, pattern->name, text, err) : rc;
}

void bp_pg_pattern_put_exact(struct bp_buf *out, const char *name)
{
    bp_buf_putc(out, '"');
    for (const char *p = name; *p != '\0'; p++) {
        if (*p == '"')
            bp_buf_putc(out, '"');
        bp_buf_putc(out, *p);
    }
    bp_buf_putc(out, '"');
}
