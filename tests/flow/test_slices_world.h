/* A table of the fake source in slices, and threads that read it: what all tests of flow/slices
 * share. */
#ifndef TESTS_FLOW_SLICES_WORLD_H
#define TESTS_FLOW_SLICES_WORLD_H

#include <pthread.h>
#include <stdatomic.h>

#include "flow/slices.h"
#include "support/fake_source.h"

enum { MOST_SLICES = 32, MOST_READERS = 4, ROW_LEN = 24 };

struct slices_thread {
    pthread_t thread;
    size_t number;
    enum bp_code rc;
    struct bp_err err;
};

/* One at a time: Criterion runs each test in a process of its own. */
struct slices_world {
    struct fake_source_table shapes[2]; /* of one table; rows are ROW_LEN bytes unless changed */
    unsigned rows_per_fence;            /* one row of so many is a fence; 0: none is */
    struct fake_source source;
    struct bp_store store; /* keeps nothing: the checksums of the files are what counts */
    struct bp_slices_progress progress;
    struct bp_source_info info;
    struct bp_tables tables;
    struct bp_slices *slices;
    struct bp_stop stop;
    struct bp_clock clock_of_all;
    struct bp_err err;

    /* Several readers take slices from one list, as a crew's do. */
    size_t order[MOST_SLICES]; /* the slices in the order in which they are taken */
    size_t order_count;
    atomic_size_t order_next;
    struct slices_thread threads[MOST_READERS];
};

extern struct slices_world sw;

/* For TestSuite's .init and .fini. */
void slices_set_up(void);
void slices_tear_down(void);

/* Below this number; the same ones in every run. */
unsigned slices_choose(unsigned below);

/* The rows; the row's number decides whether it is a fence. */
void slices_make_row(const struct fake_source_table *table, int64_t i, char *row);
bool slices_has_fence(int64_t i);

/* Begin anew with a table in so many slices, which begin at these rows (NULL: equally long). */
void slices_open(int64_t rows, size_t count, const int64_t *cuts);

/* Which slices slices_read_with() reads: all. */
void slices_in_order(void);
void slices_in_any_order(void);

/* So many threads read, until all are done or one fails, which stops the others. */
void slices_read_with(size_t readers);

/* What the files of the table are, as text; owned by the caller. */
char *slices_files(void);

#endif
