#include <string.h>

#include "archive/rows.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/diff.h"

enum { LEAD = 20 }; /* characters before the first one that differs */

/* The fields of a line by its pile's columns. */
struct line {
    const struct bp_list *columns;
    struct bp_field *fields;
};

static enum bp_code split(const struct bp_diff_table *table, const char *text, size_t pile,
                          struct line *out, struct bp_err *err)
{
    const struct bp_field row = {.at = text, .len = strlen(text)};

    out->columns = &table->columns[pile];
    out->fields = bp_alloc(out->columns->count + 1, sizeof(*out->fields));
    if (!bp_row_split(&row, out->fields, out->columns->count))
        return bp_fail(err, BP_EINTEGRITY, "a row has not as many values as columns");
    return BP_OK;
}

static const struct bp_field *field_of(const struct line *line, const char *column)
{
    for (size_t i = 0; i < line->columns->count; i++) {
        if (strcmp(line->columns->at[i], column) == 0)
            return &line->fields[i];
    }
    return NULL;
}

static size_t before_character(const char *text, size_t at)
{
    while (at > 0 && ((unsigned char)text[at] & 0xC0U) == 0x80U)
        at--;
    return at;
}

/* The value from byte `from` on, cut to the limit; as UTF-8, so that JSON can hold it. */
static struct bp_diff_value cut_value(const struct bp_buf *whole, size_t from, size_t limit)
{
    struct bp_diff_value value = {0};
    struct bp_buf part = {0};
    size_t to = whole->len;

    if (to - from > limit)
        to = before_character(whole->data, from + limit);
    value.cut = from > 0 || to < whole->len;
    bp_buf_puts(&part, from > 0 ? "..." : "");
    bp_buf_add(&part, bp_buf_str(whole) + from, to - from);
    bp_buf_puts(&part, to < whole->len ? "..." : "");
    if (!bp_text_is_utf8(bp_buf_str(&part), part.len)) {
        struct bp_buf clean = {0};

        bp_put_foreign(&clean, bp_buf_str(&part), SIZE_MAX);
        bp_buf_free(&part);
        part = clean;
    }
    bp_buf_puts(&part, ""); /* an empty value is a text all the same */
    value.text = bp_buf_take(&part);
    return value;
}

static size_t common_start(const struct bp_buf *a, const struct bp_buf *b)
{
    size_t i = 0;

    while (i < a->len && i < b->len && a->data[i] == b->data[i])
        i++;
    return i;
}

/* One value or two. Of long ones that begin alike, the place where they begin to differ is shown.
 */
static void make_values(const struct bp_field *old, const struct bp_field *now, size_t limit,
                        struct bp_diff_cell *cell)
{
    BP_AUTO(bp_buf_free) struct bp_buf before = {0};
    BP_AUTO(bp_buf_free) struct bp_buf after = {0};
    bool has_old = old != NULL && !bp_field_is_null(old);
    bool has_now = now != NULL && !bp_field_is_null(now);
    size_t from = 0;

    if (has_old)
        bp_field_put(old, &before);
    if (has_now)
        bp_field_put(now, &after);
    if (has_old && has_now && (before.len > limit || after.len > limit) &&
        !bp_field_equal(old, now)) {
        from = common_start(&before, &after);
        from = from > LEAD ? before_character(bp_buf_str(&before), from - LEAD) : 0;
    }
    if (has_old)
        cell->old = cut_value(&before, from, limit);
    if (has_now)
        cell->now = cut_value(&after, from, limit);
}

static void add_cell(struct bp_diff_row *row, const char *column, const struct bp_field *old,
                     const struct bp_field *now, size_t limit)
{
    struct bp_diff_cell *cell = &row->cells[row->count++];

    *cell = (struct bp_diff_cell){.column = column};
    make_values(old, now, limit, cell);
}

static bool is_in(const struct bp_list *list, const char *name)
{
    return bp_list_has(list, name);
}

/* The key, then the columns that differ. */
static void make_changed(const struct bp_diff_table *table, const struct line lines[2],
                         size_t limit, struct bp_diff_row *out)
{
    for (size_t i = 0; i < table->key.count; i++) {
        const char *column = table->key.at[i];

        add_cell(out, column, field_of(&lines[0], column), field_of(&lines[1], column), limit);
    }
    for (size_t i = 0; i < lines[0].columns->count; i++) {
        const char *column = lines[0].columns->at[i];
        const struct bp_field *now = field_of(&lines[1], column);

        if (now != NULL && !is_in(&table->key, column) && !bp_field_equal(&lines[0].fields[i], now))
            add_cell(out, column, &lines[0].fields[i], now, limit);
    }
}

static void make_whole(const struct line *line, bool is_old, size_t limit, struct bp_diff_row *out)
{
    for (size_t i = 0; i < line->columns->count; i++)
        add_cell(out, line->columns->at[i], is_old ? &line->fields[i] : NULL,
                 is_old ? NULL : &line->fields[i], limit);
}

enum bp_code bp_diff_row_make(const struct bp_diff_table *table, const char *const lines[2],
                              size_t value_limit, struct bp_diff_row *out, struct bp_err *err)
{
    struct line split_lines[2] = {{0}, {0}};
    enum bp_code rc = BP_OK;

    for (size_t pile = 0; pile < 2 && rc == BP_OK; pile++) {
        if (lines[pile] != NULL)
            rc = split(table, lines[pile], pile, &split_lines[pile], err);
    }
    out->cells =
        bp_alloc(table->columns[0].count + table->columns[1].count + 1, sizeof(*out->cells));
    if (rc == BP_OK && lines[0] != NULL && lines[1] != NULL)
        make_changed(table, split_lines, value_limit, out);
    else if (rc == BP_OK && lines[0] != NULL)
        make_whole(&split_lines[0], true, value_limit, out);
    else if (rc == BP_OK && lines[1] != NULL)
        make_whole(&split_lines[1], false, value_limit, out);
    bp_free(split_lines[0].fields);
    bp_free(split_lines[1].fields);
    return rc;
}
