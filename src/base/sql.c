#include "base/sql.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static bool is_word_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_word_part(char c)
{
    return is_word_start(c) || isdigit((unsigned char)c) || c == '$';
}

static const char *find(const char *at, const char *end, char c)
{
    const char *found = at < end ? memchr(at, c, (size_t)(end - at)) : NULL;

    return found != NULL ? found : end;
}

/* Behind a quoted thing whose first quote is at `at`. A doubled quote does not end it. */
static const char *skip_plain(struct bp_sql *sql, const char *at)
{
    const char *p = at + 1;

    for (;;) {
        p = find(p, sql->end, *at);
        if (p == sql->end) {
            sql->open = true;
            return p;
        }
        if (p + 1 == sql->end || p[1] != *at)
            return p + 1;
        p += 2;
    }
}

/* The same where a backslash takes the next character with it. */
static const char *skip_escaped(struct bp_sql *sql, const char *at)
{
    for (const char *p = at + 1; p < sql->end; p++) {
        bool doubled = *p == '\'' && p + 1 < sql->end && p[1] == '\'';

        if (doubled || (*p == '\\' && p + 1 < sql->end))
            p++;
        else if (*p == '\'')
            return p + 1;
    }
    sql->open = true;
    return sql->end;
}

static const char *skip_block_comment(struct bp_sql *sql, const char *at)
{
    size_t depth = 0;

    for (const char *p = at; p + 1 < sql->end; p++) {
        if (p[0] == '/' && p[1] == '*') {
            depth++;
            p++;
        } else if (p[0] == '*' && p[1] == '/') {
            if (--depth == 0)
                return p + 2;
            p++;
        }
    }
    sql->open = true;
    return sql->end;
}

/* Behind $tag$ ... $tag$; `at` itself when that is not what begins there. */
static const char *skip_dollars(struct bp_sql *sql, const char *at)
{
    const char *p = at + 1;
    const char *found = NULL;
    size_t len = 0;

    if (p < sql->end && *p != '$' && !is_word_start(*p))
        return at;
    while (p < sql->end && *p != '$' && is_word_part(*p))
        p++;
    if (p == sql->end || *p != '$')
        return at;
    p++;
    len = (size_t)(p - at);
    found = memmem(p, (size_t)(sql->end - p), at, len);
    sql->open = found == NULL;
    return found != NULL ? found + len : sql->end;
}

static const char *skip_space(const struct bp_sql *sql, const char *at)
{
    while (at < sql->end && isspace((unsigned char)*at))
        at++;
    return at;
}

static const char *skip_word(const struct bp_sql *sql, const char *at)
{
    while (at < sql->end && is_word_part(*at))
        at++;
    return at;
}

static bool has(const struct bp_sql *sql, const char *at, const char *two)
{
    return sql->end - at >= 2 && at[0] == two[0] && at[1] == two[1];
}

static const char *take_quoted(struct bp_sql *sql, const char *at)
{
    if (*at == '"') {
        sql->kind = BP_SQL_NAME;
        return skip_plain(sql, at);
    }
    sql->kind = BP_SQL_TEXT;
    if (*at != '\'')
        return skip_escaped(sql, at + 1);
    return sql->backslashes ? skip_escaped(sql, at) : skip_plain(sql, at);
}

static const char *take(struct bp_sql *sql, const char *at)
{
    const char *p = NULL;

    if (*at == '"' || *at == '\'' || has(sql, at, "E'") || has(sql, at, "e'"))
        return take_quoted(sql, at);
    if (isspace((unsigned char)*at)) {
        sql->kind = BP_SQL_SPACE;
        return skip_space(sql, at);
    }
    if (*at != '$' && is_word_part(*at)) {
        sql->kind = BP_SQL_WORD;
        return skip_word(sql, at);
    }
    if (has(sql, at, "--") || has(sql, at, "/*")) {
        sql->kind = BP_SQL_COMMENT;
        return *at == '-' ? find(at, sql->end, '\n') : skip_block_comment(sql, at);
    }
    p = *at == '$' ? skip_dollars(sql, at) : at;
    sql->kind = p > at ? BP_SQL_DOLLAR : BP_SQL_OTHER;
    return p > at ? p : at + 1;
}

bool bp_sql_next(struct bp_sql *sql)
{
    sql->token = sql->at;
    sql->kind = BP_SQL_END;
    if (sql->at < sql->end)
        sql->at = take(sql, sql->at);
    sql->len = (size_t)(sql->at - sql->token);
    return sql->kind != BP_SQL_END;
}

bool bp_sql_next_solid(struct bp_sql *sql)
{
    do
        (void)bp_sql_next(sql);
    while (sql->kind == BP_SQL_SPACE || sql->kind == BP_SQL_COMMENT);
    return sql->kind != BP_SQL_END;
}

bool bp_sql_is_word(const struct bp_sql *sql, const char *word)
{
    return sql->kind == BP_SQL_WORD && sql->len == strlen(word) &&
           strncasecmp(sql->token, word, sql->len) == 0;
}

bool bp_sql_find_word(struct bp_sql *sql, const char *word)
{
    while (bp_sql_next_solid(sql)) {
        if (bp_sql_is_word(sql, word))
            return true;
    }
    return false;
}

bool bp_sql_is(const struct bp_sql *sql, char c)
{
    return sql->kind == BP_SQL_OTHER && *sql->token == c;
}

/* What stands between the quotes, doubled ones made one; escapes: a backslash takes the next. */
static char *unquoted(const char *at, const char *end, char quote, bool escapes)
{
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    bp_buf_reserve(&out, (size_t)(end - at));
    for (const char *p = at + 1; p < end - 1; p++) {
        if ((*p == quote || (escapes && *p == '\\')) && p + 1 < end - 1)
            p++;
        bp_buf_putc(&out, *p);
    }
    bp_buf_puts(&out, "");
    return bp_buf_take(&out);
}

char *bp_sql_name(const struct bp_sql *sql)
{
    char *name = NULL;

    if (sql->kind == BP_SQL_NAME && !sql->open)
        return unquoted(sql->token, sql->at, '"', false);
    if (sql->kind != BP_SQL_WORD || isdigit((unsigned char)*sql->token))
        return NULL;
    name = bp_strndup(sql->token, sql->len);
    for (char *p = name; *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    return name;
}

char *bp_sql_text(const struct bp_sql *sql)
{
    bool escaped = *sql->token != '\'';

    if (sql->kind != BP_SQL_TEXT || sql->open)
        return NULL;
    return unquoted(sql->token + escaped, sql->at, '\'', escaped || sql->backslashes);
}

static void put_doubled(struct bp_buf *out, const char *text, const char *doubled)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (strchr(doubled, *p) != NULL)
            bp_buf_putc(out, *p);
        bp_buf_putc(out, *p);
    }
}

void bp_sql_put_name(struct bp_buf *out, const char *name)
{
    bp_buf_putc(out, '"');
    put_doubled(out, name, "\"");
    bp_buf_putc(out, '"');
}

void bp_sql_put_text(struct bp_buf *out, const char *text)
{
    bool escaped = strchr(text, '\\') != NULL;

    bp_buf_puts(out, escaped ? "E'" : "'");
    put_doubled(out, text, escaped ? "'\\" : "'");
    bp_buf_putc(out, '\'');
}
