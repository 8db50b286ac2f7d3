#include "source/postgres_script.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/sql.h"
#include "base/text.h"

enum { EXCERPT_LIMIT = 200, WORDS_KEPT = 4 };

/* What the words of a statement have told so far. */
struct state {
    char words[WORDS_KEPT]; /* the first letters of the first words */
    int word_count;
    int parens;
    int begins; /* BEGIN ATOMIC and CASE that wait for their END */
};

/* CREATE [OR REPLACE] {FUNCTION | PROCEDURE}: the only statements that have BEGIN ATOMIC. */
static bool makes_routine(const struct state *s)
{
    if (s->words[0] != 'c')
        return false;
    if (s->words[1] == 'f' || s->words[1] == 'p')
        return true;
    return s->words[1] == 'o' && s->words[2] == 'r' && (s->words[3] == 'f' || s->words[3] == 'p');
}

static void take_word(struct state *s, const struct bp_sql *sql)
{
    if (s->word_count < WORDS_KEPT)
        s->words[s->word_count++] = (char)tolower((unsigned char)*sql->token);
    if (!makes_routine(s) || s->parens > 0)
        return;
    if (bp_sql_is_word(sql, "begin") || (s->begins > 0 && bp_sql_is_word(sql, "case")))
        s->begins++;
    else if (s->begins > 0 && bp_sql_is_word(sql, "end"))
        s->begins--;
}

static void take_token(struct state *s, const struct bp_sql *sql)
{
    if (sql->kind == BP_SQL_WORD)
        take_word(s, sql);
    else if (bp_sql_is(sql, '('))
        s->parens++;
    else if (bp_sql_is(sql, ')') && s->parens > 0)
        s->parens--;
}

bool bp_pg_script_next(struct bp_pg_script *script)
{
    const char *text = script->text;
    struct bp_sql sql = {0};
    struct state s = {0};

    if (script->len == 0)
        script->len = strlen(text);
    sql = (struct bp_sql){.at = text + script->next, .end = text + script->len};
    do {
        if (!bp_sql_next_solid(&sql))
            sql.token = sql.end;
    } while (bp_sql_is(&sql, ';'));
    script->start = (size_t)(sql.token - text);
    while (sql.token < sql.end && (!bp_sql_is(&sql, ';') || s.parens > 0 || s.begins > 0)) {
        take_token(&s, &sql);
        if (!bp_sql_next(&sql))
            sql.token = sql.end;
    }
    script->end = (size_t)(sql.token - text);
    script->next = script->end;
    return script->end > script->start;
}

static void add_excerpt(const struct bp_pg_script *script, struct bp_buf *out)
{
    BP_AUTO(bp_freep)
    char *statement = bp_strndup(script->text + script->start, script->end - script->start);

    bp_put_foreign(out, statement, EXCERPT_LIMIT);
}

void bp_pg_script_excerpt(const char *text, size_t index, struct bp_buf *out)
{
    struct bp_pg_script script = {.text = text};
    size_t i = 0;

    while (bp_pg_script_next(&script)) {
        if (i++ == index) {
            add_excerpt(&script, out);
            return;
        }
    }
}

/* The byte where a character begins. The server counts characters; a byte 10xxxxxx begins none. */
static size_t character_offset(const char *text, size_t position)
{
    size_t i = 0;

    for (size_t seen = 0; text[i] != '\0'; i++) {
        if (((unsigned char)text[i] & 0xC0U) != 0x80U && ++seen == position)
            return i;
    }
    return i;
}

void bp_pg_script_excerpt_at(const char *text, size_t position, struct bp_buf *out)
{
    struct bp_pg_script script = {.text = text};
    size_t offset = character_offset(text, position);

    while (bp_pg_script_next(&script)) {
        if (offset <= script.end) {
            add_excerpt(&script, out);
            return;
        }
    }
}

/* Only lines that hold white space, comments or the words themselves may come before. */
static void blank_first_restrict(char *text)
{
    struct bp_sql sql = {.at = text, .end = text + strlen(text)};
    char *p = bp_sql_next_solid(&sql) ? text + (sql.token - text) : text;

    if (bp_text_starts_with(p, "\\restrict "))
        memset(p, ' ', strcspn(p, "\n"));
}

static void blank_last_unrestrict(char *text)
{
    size_t end = strlen(text);
    size_t start = 0;

    while (end > 0 && isspace((unsigned char)text[end - 1]))
        end--;
    start = end;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    if (bp_text_starts_with(text + start, "\\unrestrict "))
        memset(text + start, ' ', end - start);
}

char *bp_pg_script_without_meta(const char *text)
{
    char *copy = bp_strdup(text);

    blank_first_restrict(copy);
    blank_last_unrestrict(copy);
    return copy;
}
