#include "source/postgres_mask_parse.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/text.h"

enum { MASK_SHOWN = 200, COLUMN_ONLY = 2, WITH_SCHEMA = 3 };

void bp_pg_mask_free(struct bp_pg_mask *mask)
{
    bp_free(mask->schema);
    bp_free(mask->table);
    bp_free(mask->column);
    bp_free(mask->expression);
    *mask = (struct bp_pg_mask){0};
}

static enum bp_code refuse(const char *text, const char *why, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf shown = {0};

    bp_put_foreign(&shown, text, MASK_SHOWN);
    return bp_fail(err, BP_EUSAGE, "the mask '%s' %s", bp_buf_str(&shown), why);
}

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name_part(char c)
{
    return is_name_start(c) || isdigit((unsigned char)c) || c == '$';
}

static const char *skip_blanks(const char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

/* The identifier at *at, owned; NULL when there is none. *at moves behind it and its blanks. */
static char *take_name(const char **at)
{
    BP_AUTO(bp_buf_free) struct bp_buf name = {0};
    const char *p = skip_blanks(*at);

    if (*p == '"') {
        for (p++; *p != '\0' && (*p != '"' || p[1] == '"'); p++) {
            bp_buf_putc(&name, *p);
            if (*p == '"')
                p++;
        }
        if (*p++ != '"')
            return NULL;
    } else if (is_name_start(*p)) {
        for (; is_name_part(*p); p++)
            bp_buf_putc(&name, (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p));
    }
    *at = skip_blanks(p);
    return name.len > 0 ? bp_buf_take(&name) : NULL;
}

/* The names before the "="; *at is then behind it. */
static enum bp_code take_names(const char *text, const char **at, struct bp_pg_mask *out,
                               struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list names = {0};

    for (bool more = true; more; (*at)++) {
        char *name = take_name(at);

        if (name == NULL)
            return refuse(text,
                          "does not begin with the name of a column; hint: it is "
                          "table.column=what or schema.table.column=what, with double quotes "
                          "around names that are not plain words",
                          err);
        bp_list_take(&names, name);
        more = **at == '.';
        if (!more && **at != '=')
            return refuse(text, "has no '=' behind its names; hint: it is table.column=what", err);
    }
    if (names.count != COLUMN_ONLY && names.count != WITH_SCHEMA)
        return refuse(text,
                      names.count < COLUMN_ONLY ? "names no table; hint: it is table.column=what"
                                                : "has too many names; hint: it is "
                                                  "schema.table.column=what",
                      err);
    out->schema = names.count == WITH_SCHEMA ? bp_strdup(names.at[0]) : NULL;
    out->table = bp_strdup(names.at[names.count - 2]);
    out->column = bp_strdup(names.at[names.count - 1]);
    return BP_OK;
}

/* Past the quoted thing that begins at p; NULL when it has no end. */
static const char *skip_quoted(const char *p, bool backslashes)
{
    char quote = *p;

    for (p++; *p != '\0'; p++) {
        bool doubled = *p == quote && p[1] == quote;
        bool escaped = backslashes && *p == '\\' && p[1] != '\0';

        if (doubled || escaped)
            p++;
        else if (*p == quote)
            return p + 1;
    }
    return NULL;
}

static bool is_literal(const char *what)
{
    const char *end = what[0] == '\'' ? skip_quoted(what, false) : NULL;

    return end != NULL && *end == '\0';
}

/* Where the reading of an expression is. */
struct reader {
    const char *at;
    const char *fault; /* NULL: none so far */
    int parens;
    bool continued; /* a quote would go on with the string before, backslashes and all */
};

static void take_string(struct reader *r, bool backslashes)
{
    const char *end = NULL;

    if (r->continued && *r->at == '\'') {
        r->fault = "continues a string with backslashes; hint: write it as one string";
        return;
    }
    end = skip_quoted(backslashes ? r->at + 1 : r->at, backslashes);
    if (end == NULL)
        r->fault = "has a quote that is not closed";
    else
        r->at = end;
    r->continued = backslashes;
}

/* A word or one other character outside quotes. */
static void take_plain(struct reader *r)
{
    const char *p = r->at;

    if ((p[0] == '-' && p[1] == '-') || (p[0] == '/' && p[1] == '*'))
        r->fault = "has a comment in its expression";
    else if (*p == ';')
        r->fault = "has a semicolon in its expression; hint: it is one expression, not statements";
    else if (*p == '$')
        r->fault = "has a dollar sign outside quotes in its expression; hint: write text as 'text'";
    else if (*p == ')' && r->parens == 0)
        r->fault = "closes a parenthesis that it did not open";
    r->parens += (*p == '(') - (*p == ')');
    r->continued = r->continued && isspace((unsigned char)*p);
    r->at++;
    while (is_name_start(*p) && is_name_part(*r->at))
        r->at++;
}

/*
 * What is wrong with an expression that is put between parentheses: it must not be able to close
 * them or hide what follows. Whether it is SQL is the server's to say.
 */
static const char *find_fault(const char *text)
{
    struct reader r = {.at = text};

    while (*r.at != '\0' && r.fault == NULL) {
        bool backslashes = (*r.at == 'e' || *r.at == 'E') && r.at[1] == '\'';

        if (*r.at == '\'' || *r.at == '"' || backslashes)
            take_string(&r, backslashes);
        else
            take_plain(&r);
    }
    if (r.fault == NULL && r.parens > 0)
        return "does not close a parenthesis";
    return r.fault;
}

enum bp_code bp_pg_mask_parse(const char *text, struct bp_pg_mask *out, struct bp_err *err)
{
    BP_AUTO(bp_pg_mask_free) struct bp_pg_mask mask = {0};
    BP_AUTO(bp_freep) char *what = NULL;
    const char *fault = NULL;
    const char *at = text;
    enum bp_code rc = take_names(text, &at, &mask, err);

    if (rc != BP_OK)
        return rc;
    what = bp_strdup(at);
    bp_text_trim(what);
    if (what[0] == '\0')
        return refuse(text, "has no value; hint: null, hash, 'a literal' or an expression", err);
    fault = find_fault(what);
    if (fault != NULL)
        return refuse(text, fault, err);
    if (strcasecmp(what, "null") == 0)
        mask.kind = BP_PG_MASK_NULL;
    else if (strcasecmp(what, "hash") == 0)
        mask.kind = BP_PG_MASK_HASH;
    else
        mask.kind = is_literal(what) ? BP_PG_MASK_LITERAL : BP_PG_MASK_EXPRESSION;
    if (mask.kind == BP_PG_MASK_LITERAL || mask.kind == BP_PG_MASK_EXPRESSION) {
        mask.expression = what;
        what = NULL;
    }
    *out = mask;
    mask = (struct bp_pg_mask){0};
    return BP_OK;
}
