/* A source with made-up tables, and a target that writes down what it is told. */
#ifndef TESTS_SUPPORT_FAKE_SOURCE_H
#define TESTS_SUPPORT_FAKE_SOURCE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "source/source.h"
#include "source/target.h"

struct fake_source_table {
    const char *schema;
    const char *name;
    int64_t rows;
    size_t row_len;      /* with the line end; at least 24 */
    size_t slices;       /* 0: one */
    const int64_t *cuts; /* the first row of each slice, and the end; NULL: equally long slices */
    int64_t disk_bytes;  /* 0: those of the rows */
};

struct fake_source;

/* A row that is about to be sent. */
struct fake_row {
    struct fake_source *source;
    const struct bp_slice *slice;
    int64_t number;         /* in the table */
    struct bp_clock *clock; /* the reader's */
};

struct fake_source {
    struct bp_source base;
    const struct fake_source_table *tables; /* name NULL at the end */
    int large_object_lines;
    enum bp_code examine_result; /* BP_ESTOPPED: is asked to end; else a finding */
    enum bp_code snapshot_result;
    enum bp_code copy_result; /* after the first row */
    enum bp_code lock_result;
    enum bp_code confirm_result;
    const char *awaited; /* a table that only reader 0 can hold; NULL: none */
    int ddl_locked;      /* so often the definitions cannot be read */
    bool locked;         /* another backup runs */
    size_t dump_bytes;   /* of each schema's dump */
    int most_readers;    /* further ones are refused, but number 0; 0: none is */
    int64_t limit_lie;   /* a part of a slice has so many rows more than asked for */
    /* Called in the reader's thread before each row; an error ends the rows. NULL: nothing. */
    enum bp_code (*on_row)(const struct fake_row *row, struct bp_err *err);
    /* Writes row number i, row_len bytes; NULL: "0\tvalue xxx\n", "1\tvalue xxx\n" ... */
    void (*make_row)(const struct fake_source_table *table, int64_t i, char *row);
    void *ctx;          /* of whoever sets these two */
    int closed;         /* how often close() was called */
    atomic_int readers; /* that were not freed */
    atomic_int readers_asked;
};

struct fake_source fake_source(const struct fake_source_table *tables);

/* Its connections write down, in the order in which they come, what they are told; what is rolled
 * back is written down too. */
struct fake_target {
    struct bp_target base;
    pthread_mutex_t lock; /* of the log and the rows */
    struct bp_buf log;    /* "begin\nrun roles.sql\ncopy COPY ...\n ..." */
    struct bp_buf rows;
    struct bp_list marks; /* that were committed */
    char *marks_archive;  /* NULL: there are none */
    char *marks_plan;
    int64_t contents;
    int version_num;
    int64_t rows_lost;    /* copy_end tells so many fewer */
    const char *refuses;  /* labels and tables with this in them fail; NULL: none */
    enum bp_code refusal; /* how; BP_OK: BP_EFAILED */
    int refusals;         /* so often; 0: always */
    const char *fails;    /* labels of definitions with this fail as well; NULL: none */
    /* Called in the writer's thread while it makes a definition; NULL: nothing. */
    void (*on_define)(struct fake_target *self, const char *label);
    void (*on_copy)(struct fake_target *self, const char *sql); /* before its rows; NULL: nothing */
    bool locked;                                                /* another restore runs */
    const char *has; /* a table that is there; NULL: none */
    bool committed;  /* the last transaction */
    enum bp_code commit_result;
    atomic_int writers; /* that were not freed */
    atomic_int most_writers;
};

struct fake_target fake_target(void);
void fake_target_release(struct fake_target *target);

#endif
