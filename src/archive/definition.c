#include "archive/definition.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sql.h"
#include "base/text.h"

struct piece {
    const char *at;
    size_t len;
};

/* ---- names ---- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && isspace((unsigned char)*at))
        at++;
    return at;
}

static bool take_quoted(const char **at, const char *end, char **out)
{
    BP_AUTO(bp_buf_free) struct bp_buf name = {0};

    for (const char *p = *at + 1; p < end; p++) {
        if (*p == '"' && (p + 1 == end || p[1] != '"')) {
            *at = p + 1;
            *out = bp_buf_take(&name);
            return true;
        }
        p += *p == '"';
        bp_buf_putc(&name, *p);
    }
    return false;
}

bool bp_identifier_take(const char **at, const char *end, char **out)
{
    const char *p = *at;

    if (p < end && *p == '"')
        return take_quoted(at, end, out);
    while (p < end && is_word(*p))
        p++;
    if (p == *at)
        return false;
    *out = bp_strndup(*at, (size_t)(p - *at));
    *at = p;
    return true;
}

/* Move *at behind the word if it comes next. */
static bool take_word(const char **at, const char *end, const char *word)
{
    const char *p = skip_blanks(*at, end);
    size_t len = strlen(word);

    if ((size_t)(end - p) < len || strncmp(p, word, len) != 0 ||
        ((size_t)(end - p) > len && is_word(word[0]) && is_word(p[len])))
        return false;
    *at = p + len;
    return true;
}

bool bp_identifiers_take(const char **at, const char *end, struct bp_list *out)
{
    const char *p = *at;
    char *name = NULL;

    if (!take_word(&p, end, "("))
        return false;
    if (take_word(&p, end, ")")) {
        *at = p;
        return true;
    }
    do {
        p = skip_blanks(p, end);
        if (!bp_identifier_take(&p, end, &name))
            return false;
        bp_list_take(out, name);
        if (take_word(&p, end, "WITHOUT") && !take_word(&p, end, "OVERLAPS"))
            return false;
    } while (take_word(&p, end, ","));
    if (!take_word(&p, end, ")"))
        return false;
    *at = p;
    return true;
}

/* ---- the primary key ---- */

/* Behind the next place where this text is; the end when there is none. */
static const char *behind(const char *at, const char *end, const char *text, size_t len)
{
    const char *found = len > 0 ? memmem(at, (size_t)(end - at), text, len) : NULL;

    return found != NULL ? found + len : end;
}

void bp_definition_key(const char *sql, size_t len, struct bp_list *columns)
{
    const char *end = sql + len;
    struct bp_sql tokens = {.at = sql, .end = end};

    while (bp_sql_find_word(&tokens, "primary")) {
        const char *p = tokens.at;

        if (!take_word(&p, end, "KEY"))
            continue;
        if (!bp_identifiers_take(&p, end, columns))
            bp_list_free(columns);
        return;
    }
}

/* ---- entries ---- */

static const char entry_start[] = "--\n-- Name: ";
static const char dump_end[] = "--\n-- PostgreSQL database dump complete\n";

static bool is_at(const char *at, const char *end, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(end - at) >= len && memcmp(at, text, len) == 0;
}

/* Where the next line begins; the end when there is none. */
static const char *next_line(const char *at, const char *end)
{
    return behind(at, end, "\n", 1);
}

static bool begins_piece(const char *at, const char *end)
{
    return is_at(at, end, entry_start) || is_at(at, end, dump_end);
}

/* Cut the next piece off: an entry, what precedes the first one, or what follows the last one. */
static bool take_piece(const char **at, const char *end, struct piece *out)
{
    const char *p = *at;

    if (p == end)
        return false;
    do
        p = next_line(p, end);
    while (p < end && !begins_piece(p, end));
    *out = (struct piece){.at = *at, .len = (size_t)(p - *at)};
    *at = p;
    return true;
}

static bool is_entry(const struct piece *piece)
{
    return is_at(piece->at, piece->at + piece->len, entry_start);
}

/* An entry without the blank lines and the settings behind it: those are for the next one. */
static char *trimmed(const struct piece *piece)
{
    static const char setting[] = "SET default_table";
    const char *end = piece->at + piece->len;
    const char *keep = piece->at;

    for (const char *at = piece->at; at < end; at = next_line(at, end)) {
        if (*at != '\n' && !is_at(at, end, setting))
            keep = next_line(at, end);
    }
    return bp_strndup(piece->at, (size_t)(keep - piece->at));
}

void bp_definition_entries(const char *sql, size_t len, struct bp_list *out)
{
    const char *end = sql + len;
    const char *at = sql;
    struct piece piece = {0};

    while (take_piece(&at, end, &piece)) {
        if (is_entry(&piece))
            bp_list_take(out, trimmed(&piece));
    }
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool is_covered(const struct piece *piece, const struct bp_list *covered)
{
    BP_AUTO(bp_freep) char *key = NULL;

    if (covered->count == 0)
        return false;
    key = trimmed(piece);
    return bsearch(&key, covered->at, covered->count, sizeof(*covered->at), by_text) != NULL;
}

/* The head and the end of a dump without the lines that say nothing of the database. */
static void put_frame(const struct piece *piece, struct bp_buf *out)
{
    static const char *const passed[] = {"\\restrict ", "\\unrestrict ", "-- Dumped from ",
                                         "-- Dumped by "};
    const char *end = piece->at + piece->len;
    const char *next = NULL;

    for (const char *at = piece->at; at < end; at = next) {
        bool pass = false;

        next = next_line(at, end);
        for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
            pass = pass || is_at(at, end, passed[i]);
        if (!pass)
            bp_buf_add(out, at, (size_t)(next - at));
    }
}

void bp_definition_rest(const char *sql, size_t len, const struct bp_list *covered,
                        struct bp_buf *out)
{
    const char *end = sql + len;
    const char *at = sql;
    struct piece piece = {0};

    while (take_piece(&at, end, &piece)) {
        if (!is_entry(&piece))
            put_frame(&piece, out);
        else if (!is_covered(&piece, covered))
            bp_buf_add(out, piece.at, piece.len);
    }
}
