/*
 * archive/rows.h: every byte between the head and the end of a data file is in exactly one row, and
 * every byte of a row but the tabs in exactly one field.
 */
#include <string.h>

#include "archive/rows.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"

static void check_row(const struct bp_field *row, size_t columns)
{
    BP_AUTO(bp_freep) struct bp_field *fields = bp_alloc(columns + 1, sizeof(*fields));
    BP_AUTO(bp_buf_free) struct bp_buf value = {0};
    size_t len = 0;

    must(memchr(row->at, '\n', row->len) == NULL);
    if (!bp_row_split(row, fields, columns))
        return;
    for (size_t i = 0; i < columns; i++) {
        must(memchr(fields[i].at, '\t', fields[i].len) == NULL);
        must(bp_field_equal(&fields[i], &fields[i]));
        bp_buf_cut(&value, 0);
        bp_field_put(&fields[i], &value);
        must(value.len <= fields[i].len);
        len += fields[i].len + (i > 0);
    }
    must(len == row->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_rows_free) struct bp_rows rows = {0};
    struct bp_field row = {0};
    struct bp_err err = {0};
    const char *at = NULL;

    if (bp_rows_open((const char *)data, size, &rows, &err) != BP_OK) {
        must(err.code == BP_EINTEGRITY && rows.columns.at == NULL);
        return 0;
    }
    at = rows.at;
    while (bp_rows_next(&rows, &row)) {
        must(row.at == at && row.at[row.len] == '\n');
        at += row.len + 1;
        check_row(&row, rows.columns.count);
    }
    must(at == (const char *)data + size - strlen("\\.\n"));
    return 0;
}
