#include "archive/rows.h"

#include <string.h>

#include "archive/definition.h"
#include "base/mem.h"
#include "base/text.h"

static const char tail[] = "\\.\n";

/* Move *at behind COPY "schema"."table" ("a", "b") FROM stdin; and its line end. A table without
 * columns has no list of them. */
static bool take_head(const char **at, const char *end, struct bp_list *columns)
{
    static const char copy[] = "COPY ";
    static const char from[] = " FROM stdin;\n";
    const char *p = *at;

    if ((size_t)(end - p) < strlen(copy) || memcmp(p, copy, strlen(copy)) != 0)
        return false;
    p += strlen(copy);
    for (int part = 0; part < 2; part++) {
        BP_AUTO(bp_freep) char *name = NULL;

        if (!bp_identifier_take(&p, end, &name) || p == end || *p != (part == 0 ? '.' : ' '))
            return false;
        p += part == 0;
    }
    if (end - p > 1 && p[1] == '(' &&
        (!bp_identifiers_take(&p, end, columns) || columns->count == 0))
        return false;
    if ((size_t)(end - p) < strlen(from) || memcmp(p, from, strlen(from)) != 0)
        return false;
    *at = p + strlen(from);
    return true;
}

enum bp_code bp_rows_open(const char *text, size_t len, struct bp_rows *out, struct bp_err *err)
{
    const char *end = text + len;

    *out = (struct bp_rows){.at = text};
    if (!take_head(&out->at, end, &out->columns) || (size_t)(end - out->at) < strlen(tail) ||
        memcmp(end - strlen(tail), tail, strlen(tail)) != 0 ||
        (end - out->at > (ptrdiff_t)strlen(tail) && end[-1 - (ptrdiff_t)strlen(tail)] != '\n')) {
        bp_rows_free(out);
        return bp_fail(err, BP_EINTEGRITY, "this is no data file");
    }
    out->end = end - strlen(tail);
    return BP_OK;
}

bool bp_rows_next(struct bp_rows *rows, struct bp_field *row)
{
    const char *end = NULL;

    if (rows->at >= rows->end)
        return false;
    end = memchr(rows->at, '\n', (size_t)(rows->end - rows->at)); /* each row has one */
    *row = (struct bp_field){.at = rows->at, .len = (size_t)(end - rows->at)};
    rows->at = end + 1;
    return true;
}

void bp_rows_free(struct bp_rows *rows)
{
    bp_list_free(&rows->columns);
    *rows = (struct bp_rows){0};
}

bool bp_row_split(const struct bp_field *row, struct bp_field *fields, size_t count)
{
    const char *at = row->at;
    const char *end = row->at + row->len;

    if (count == 0)
        return row->len == 0;
    for (size_t i = 0; i < count; i++) {
        const char *tab = memchr(at, '\t', (size_t)(end - at));

        if ((tab == NULL) != (i + 1 == count))
            return false;
        fields[i] = (struct bp_field){.at = at, .len = (size_t)((tab != NULL ? tab : end) - at)};
        at = tab != NULL ? tab + 1 : end;
    }
    return true;
}

bool bp_field_is_null(const struct bp_field *field)
{
    return field->len == 2 && memcmp(field->at, "\\N", 2) == 0;
}

bool bp_field_equal(const struct bp_field *a, const struct bp_field *b)
{
    return a->len == b->len && memcmp(a->at, b->at, a->len) == 0;
}

void bp_field_put(const struct bp_field *field, struct bp_buf *out)
{
    static const char letters[] = "bfnrtv";
    static const char meant[] = "\b\f\n\r\t\v";

    for (size_t i = 0; i < field->len; i++) {
        const char *letter = NULL;

        if (field->at[i] != '\\' || i + 1 == field->len) {
            bp_buf_putc(out, field->at[i]);
            continue;
        }
        i++;
        letter = field->at[i] != '\0' ? strchr(letters, field->at[i]) : NULL;
        if (letter != NULL)
            bp_buf_putc(out, meant[letter - letters]);
        else
            bp_buf_putc(out, field->at[i]);
    }
}
