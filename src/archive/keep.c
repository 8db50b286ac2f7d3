#include "archive/keep.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const char head[] = "# Archives that are never removed, one in each line: its id and why.\n";

/* Some editors put it at a file's beginning. */
static const char byte_order_mark[] = "\xef\xbb\xbf";

/* One line without its end; texts are parts of it. */
struct line {
    const char *word; /* NULL: a comment, or nothing at all */
    size_t word_len;
    const char *reason;
    size_t reason_len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct line split(const char *text, size_t len)
{
    struct line line = {0};
    const char *end = text + len;

    if (len >= strlen(byte_order_mark) &&
        memcmp(text, byte_order_mark, strlen(byte_order_mark)) == 0)
        text += strlen(byte_order_mark);
    while (text < end && is_blank(*text))
        text++;
    while (end > text && is_blank(end[-1]))
        end--;
    if (text == end || *text == '#')
        return line;
    line.word = text;
    while (text < end && !is_blank(*text))
        text++;
    line.word_len = (size_t)(text - line.word);
    while (text < end && is_blank(*text))
        text++;
    line.reason = text;
    line.reason_len = (size_t)(end - text);
    return line;
}

/* An id, or what a folder is called. */
static bool read_id(const struct line *line, char id[BP_ARCHIVE_ID_SIZE])
{
    char word[BP_ARCHIVE_NAME_SIZE];
    char folder[BP_ARCHIVE_NAME_SIZE + 8];
    struct bp_archive_name name;

    if (line->word_len >= sizeof(word))
        return false;
    memcpy(word, line->word, line->word_len);
    word[line->word_len] = '\0';
    (void)snprintf(folder, sizeof(folder), "latest_%s", word);
    if (!bp_archive_name_parse(word, &name) && !bp_archive_name_parse(folder, &name))
        return false;
    (void)snprintf(id, BP_ARCHIVE_ID_SIZE, "%s", name.id);
    return true;
}

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (iscntrl((unsigned char)text[i]) && !is_blank(text[i]))
            return false;
    }
    return bp_text_is_utf8(text, len);
}

static enum bp_code read_line(const char *text, size_t len, struct bp_marks *out,
                              struct bp_err *err)
{
    const struct line line = split(text, len);
    char id[BP_ARCHIVE_ID_SIZE];
    BP_AUTO(bp_buf_free) struct bp_buf shown = {0};
    BP_AUTO(bp_freep) char *copy = NULL;

    if (len > BP_KEEP_LINE_LIMIT)
        return bp_fail(err, BP_EUSAGE, "it has more than %d bytes", BP_KEEP_LINE_LIMIT);
    if (!is_plain(text, len))
        return bp_fail(err, BP_EUSAGE, "it is no plain UTF-8 text");
    if (line.word == NULL)
        return BP_OK;
    if (!read_id(&line, id)) {
        copy = bp_strndup(line.word, line.word_len);
        bp_put_foreign(&shown, copy, 60);
        return bp_fail(err, BP_EUSAGE,
                       "'%s' is no archive's id; hint: write one like 2024-01-15T14-30-45Z, or put "
                       "'#' in front of a comment",
                       bp_buf_str(&shown));
    }
    if ((out->count & (out->count + 1)) == 0) /* grows at 0, 1, 3, 7 ... */
        out->at = bp_realloc(out->at, 2 * out->count + 1, sizeof(*out->at));
    memcpy(out->at[out->count].id, id, sizeof(id));
    out->at[out->count++].reason = bp_strndup(line.reason, line.reason_len);
    return BP_OK;
}

/* How long the line at text is, without its end. */
static size_t line_len(const char *text, const char *end)
{
    const char *found = memchr(text, '\n', (size_t)(end - text));

    return (size_t)((found != NULL ? found : end) - text);
}

enum bp_code bp_marks_parse(const char *text, size_t len, struct bp_marks *out, struct bp_err *err)
{
    const char *end = text + len;
    size_t number = 1;

    *out = (struct bp_marks){0};
    if (len > BP_KEEP_LIMIT)
        return bp_fail(err, BP_EUSAGE, "%s has more than %d bytes", BP_PATH_KEEP, BP_KEEP_LIMIT);
    for (; text < end; number++) {
        size_t one = line_len(text, end);

        if (read_line(text, one, out, err) != BP_OK) {
            bp_marks_free(out);
            return bp_wrap(err, "line %zu of %s", number, BP_PATH_KEEP);
        }
        text += one < (size_t)(end - text) ? one + 1 : one;
    }
    return BP_OK;
}

const struct bp_mark *bp_marks_find(const struct bp_marks *marks, const char *id)
{
    for (size_t i = 0; i < marks->count; i++) {
        if (strcmp(marks->at[i].id, id) == 0)
            return &marks->at[i];
    }
    return NULL;
}

void bp_marks_free(struct bp_marks *marks)
{
    for (size_t i = 0; i < marks->count; i++)
        bp_free(marks->at[i].reason);
    bp_free(marks->at);
    *marks = (struct bp_marks){0};
}

static bool is_of(const char *text, size_t len, const char *id)
{
    const struct line line = split(text, len);
    char found[BP_ARCHIVE_ID_SIZE];

    return line.word != NULL && read_id(&line, found) && strcmp(found, id) == 0;
}

static void put_mark(const char *id, const char *reason, struct bp_buf *out)
{
    bp_buf_printf(out, "%s%s%s\n", id, reason[0] != '\0' ? "  " : "", reason);
}

void bp_marks_edit(const char *text, const char *id, const char *reason, struct bp_buf *out)
{
    const char *end = text + strlen(text);
    bool done = reason == NULL;

    if (text == end && !done)
        bp_buf_puts(out, head);
    while (text < end) {
        size_t len = line_len(text, end);
        size_t whole = len < (size_t)(end - text) ? len + 1 : len;

        if (!is_of(text, len, id)) {
            bp_buf_add(out, text, whole);
        } else if (!done) {
            put_mark(id, reason, out);
            done = true;
        }
        text += whole;
    }
    if (done)
        return;
    if (out->len > 0 && out->data[out->len - 1] != '\n')
        bp_buf_putc(out, '\n');
    put_mark(id, reason, out);
}
