#include "test_slices_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { FENCES = 3 };

/* ---- a store that keeps nothing: the checksums of the files are what counts ---- */

static enum bp_code put_nothing(struct bp_store *self, const void *data, size_t len,
                                struct bp_blob *out, struct bp_err *e)
{
    (void)self;
    (void)data;
    (void)len;
    (void)e;
    *out = (struct bp_blob){0};
    return BP_OK;
}

static const struct bp_store_ops store_ops = {.put = put_nothing};

/* ---- the world ---- */

struct slices_world sw;
static unsigned seed = 1; /* of the test's own choices, which are the same in every run */

unsigned slices_choose(unsigned below)
{
    seed = seed * 1664525U + 1013904223U;
    return (seed >> 8) % below;
}

bool slices_has_fence(int64_t i)
{
    uint64_t mixed = ((uint64_t)i + 1) * UINT64_C(0x9E3779B97F4A7C15);

    return sw.rows_per_fence > 0 && (mixed >> 40) % sw.rows_per_fence == 0;
}

/* Of short rows one in a million is a fence; these are known to be. */
void slices_make_row(const struct fake_source_table *table, int64_t i, char *row)
{
    static const char *const fences[FENCES] = {"fence 0000000000013081", "fence 0000000000028792",
                                               "fence 0000000001962889"};

    memset(row, 'x', table->row_len);
    if (slices_has_fence(i))
        (void)snprintf(row, table->row_len, "%s", fences[i % FENCES]);
    else
        (void)snprintf(row, table->row_len, "%022lld", (long long)i);
    row[table->row_len - 2] = '.';
    row[table->row_len - 1] = '\n';
}

static void slices_close(void)
{
    bp_slices_freep(&sw.slices);
    bp_tables_free(&sw.tables);
    bp_source_info_free(&sw.info);
}

/* A table in so many slices. */
void slices_open(int64_t rows, size_t count, const int64_t *cuts)
{
    slices_close();
    sw.shapes[0].schema = "public";
    sw.shapes[0].name = "t";
    sw.shapes[0].rows = rows;
    sw.shapes[0].slices = count;
    sw.shapes[0].cuts = cuts;
    sw.source.tables = sw.shapes;
    cr_assert_eq(sw.source.base.ops->snapshot(&sw.source.base, &sw.info, &sw.tables, &sw.err),
                 BP_OK);
    sw.slices = bp_slices_new(&sw.tables, &sw.store, NULL, &sw.progress);
    cr_assert_eq(bp_slices_count(sw.slices), count);
}

void slices_set_up(void)
{
    sw.store.ops = &store_ops;
    sw.shapes[0].row_len = ROW_LEN;
    sw.source = fake_source(sw.shapes);
    sw.source.make_row = slices_make_row;
    cr_assert_eq(bp_stop_open(&sw.stop, &sw.err), BP_OK, "%s", sw.err.msg);
    sw.clock_of_all = bp_clock_system(&sw.stop);
}

void slices_tear_down(void)
{
    slices_close();
    bp_stop_close(&sw.stop);
    cr_expect_eq(atomic_load(&sw.source.readers), 0);
}

/* ---- readers ---- */

static void *read_some(void *arg)
{
    struct slices_thread *self = arg;
    BP_AUTO(bp_reader_freep) struct bp_reader *reader = NULL;

    self->rc = sw.source.base.ops->reader(&sw.source.base, self->number, &sw.clock_of_all, &reader,
                                          &self->err);
    while (self->rc == BP_OK) {
        size_t next = atomic_fetch_add(&sw.order_next, 1);

        if (next >= sw.order_count)
            break;
        self->rc = bp_slices_read(sw.slices, sw.order[next], reader, &sw.clock_of_all, &self->err);
    }
    /* As a crew does: one that fails ends the others' waits. */
    if (self->rc != BP_OK)
        bp_stop_ask(&sw.stop);
    return NULL;
}

void slices_read_with(size_t readers)
{
    for (size_t i = 0; i < readers; i++) {
        sw.threads[i] = (struct slices_thread){.number = i};
        cr_assert_eq(pthread_create(&sw.threads[i].thread, NULL, read_some, &sw.threads[i]), 0);
    }
    for (size_t i = 0; i < readers; i++)
        (void)pthread_join(sw.threads[i].thread, NULL);
}

void slices_in_order(void)
{
    sw.order_count = bp_slices_count(sw.slices);
    atomic_store(&sw.order_next, 0);
    for (size_t i = 0; i < sw.order_count; i++)
        sw.order[i] = i;
}

void slices_in_any_order(void)
{
    slices_in_order();
    for (size_t i = sw.order_count; i > 1; i--) {
        size_t other = slices_choose((unsigned)i);
        size_t moved = sw.order[i - 1];

        sw.order[i - 1] = sw.order[other];
        sw.order[other] = moved;
    }
}

/* What the files of the table are, as text. */
char *slices_files(void)
{
    BP_AUTO(bp_stage_files_free) struct bp_stage_files files = {0};
    struct bp_buf text = {0};

    cr_assert_eq(bp_slices_take(sw.slices, &sw.tables.at[0], &files, &sw.err), BP_OK, "%s",
                 sw.err.msg);
    for (size_t i = 0; i < files.count; i++)
        bp_buf_printf(&text, "%s %lld\n", files.at[i].sha256, (long long)files.at[i].bytes);
    bp_buf_printf(&text, "%lld rows, %lld bytes\n", (long long)files.lines, (long long)files.bytes);
    return bp_buf_take(&text);
}
