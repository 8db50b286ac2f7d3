#include "source/postgres_script.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

enum { EXCERPT_LIMIT = 200, WORDS_KEPT = 4 };

/* What the words of a statement have told so far. */
struct state {
    char words[WORDS_KEPT]; /* the first letters of the first words */
    int word_count;
    int parens;
    int begins; /* BEGIN ATOMIC and CASE that wait for their END */
};

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name_part(char c)
{
    return is_name_start(c) || isdigit((unsigned char)c) || c == '$';
}

/* Past the quoted thing that begins at p. A doubled quote inside it does not end it. */
static const char *skip_quoted(const char *p, char quote, bool backslashes)
{
    for (p++; *p != '\0'; p++) {
        bool doubled = *p == quote && p[1] == quote;
        bool escaped = backslashes && *p == '\\' && p[1] != '\0';

        if (doubled || escaped)
            p++;
        else if (*p == quote)
            return p + 1;
    }
    return p;
}

static const char *skip_block_comment(const char *p)
{
    int depth = 0;

    while (*p != '\0') {
        if (p[0] == '/' && p[1] == '*') {
            depth++;
            p += 2;
        } else if (p[0] == '*' && p[1] == '/') {
            depth--;
            p += 2;
            if (depth == 0)
                return p;
        } else {
            p++;
        }
    }
    return p;
}

/* Past $tag$ ... $tag$ when p begins one, else p + 1. */
static const char *skip_dollar(const char *p)
{
    const char *end = p + 1;
    size_t len = 0;

    if (*end != '$' && !is_name_start(*end))
        return p + 1;
    while (is_name_part(*end) && *end != '$')
        end++;
    if (*end != '$')
        return p + 1;
    len = (size_t)(end + 1 - p);
    for (end++; *end != '\0'; end++) {
        if (strncmp(end, p, len) == 0)
            return end + len;
    }
    return end;
}

static bool is_comment(const char *p)
{
    return (p[0] == '-' && p[1] == '-') || (p[0] == '/' && p[1] == '*');
}

static const char *skip_comment(const char *p)
{
    return p[0] == '-' ? p + strcspn(p, "\n") : skip_block_comment(p);
}

static bool is_word(const char *p, size_t len, const char *word)
{
    return len == strlen(word) && strncasecmp(p, word, len) == 0;
}

/* CREATE [OR REPLACE] {FUNCTION | PROCEDURE}: the only statements that have BEGIN ATOMIC. */
static bool makes_routine(const struct state *s)
{
    if (s->words[0] != 'c')
        return false;
    if (s->words[1] == 'f' || s->words[1] == 'p')
        return true;
    return s->words[1] == 'o' && s->words[2] == 'r' && (s->words[3] == 'f' || s->words[3] == 'p');
}

static const char *take_word(struct state *s, const char *p)
{
    size_t len = 0;

    while (is_name_part(p[len]))
        len++;
    if (s->word_count < WORDS_KEPT)
        s->words[s->word_count++] = (char)tolower((unsigned char)*p);
    if (makes_routine(s) && s->parens == 0) {
        if (is_word(p, len, "begin") || (s->begins > 0 && is_word(p, len, "case")))
            s->begins++;
        else if (s->begins > 0 && is_word(p, len, "end"))
            s->begins--;
    }
    return p + len;
}

/* Past the next piece of a statement. */
static const char *take_piece(struct state *s, const char *p)
{
    if (is_comment(p))
        return skip_comment(p);
    if (*p == '\'')
        return skip_quoted(p, '\'', false);
    if ((*p == 'e' || *p == 'E') && p[1] == '\'')
        return skip_quoted(p + 1, '\'', true);
    if (*p == '"')
        return skip_quoted(p, '"', false);
    if (*p == '$')
        return skip_dollar(p);
    if (is_name_start(*p))
        return take_word(s, p);
    if (*p == '(')
        s->parens++;
    else if (*p == ')' && s->parens > 0)
        s->parens--;
    return p + 1;
}

bool bp_pg_script_next(struct bp_pg_script *script)
{
    struct state s = {0};
    const char *p = script->text + script->next;

    while (*p == ';' || isspace((unsigned char)*p) || is_comment(p))
        p = is_comment(p) ? skip_comment(p) : p + 1;
    script->start = (size_t)(p - script->text);
    while (*p != '\0' && (*p != ';' || s.parens > 0 || s.begins > 0))
        p = take_piece(&s, p);
    script->end = (size_t)(p - script->text);
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
    char *p = text;

    while (isspace((unsigned char)*p) || is_comment(p)) {
        if (is_comment(p))
            p += skip_comment(p) - p;
        else
            p++;
    }
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
