/*
 * Which rows only one of two piles has. Of each row it is told a key, the row's content and where
 * the row is; it keeps hashes of them in files of a private temporary folder, by hash, and compares
 * one such file at a time. So memory does not grow with the rows; only of each kind of difference
 * the first ones are kept.
 *
 * The hashes are the first 128 bits of SHA-256: rows that differ do not pass for the same.
 */
#ifndef BP_FLOW_ROW_JOIN_H
#define BP_FLOW_ROW_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/rows.h"
#include "base/err.h"
#include "base/stop.h"

enum bp_row_change { BP_ROW_ADDED, BP_ROW_REMOVED, BP_ROW_CHANGED, BP_ROW_CHANGES };
enum bp_row_pile { BP_PILE_OLD, BP_PILE_NOW };

/* Where a row is, as whoever adds it counts: places are ordered. */
struct bp_row_place {
    uint32_t file; /* below 2^31 */
    uint32_t offset;
};

/* Both are lent for the call. */
struct bp_joined_row {
    enum bp_row_pile pile;
    struct bp_row_place place;
    struct bp_field key;
    struct bp_field content;
};

/* A difference; a row that was added or removed has one of them. */
struct bp_row_pair {
    struct bp_row_place old;
    struct bp_row_place now;
};

struct bp_row_pairs {
    struct bp_row_pair *at;
    size_t count;
    size_t size; /* allocated */
};

struct bp_row_join_result {
    int64_t counts[BP_ROW_CHANGES];
    struct bp_row_pairs first[BP_ROW_CHANGES]; /* in the order of their places */
};

struct bp_row_join_options {
    const char *temp_parent; /* lent */
    int64_t rows;            /* in both piles together, at most */
    size_t keep;             /* of each kind */
};

struct bp_row_join;

enum bp_code bp_row_join_new(const struct bp_row_join_options *options, struct bp_row_join **out,
                             struct bp_err *err) BP_CHECK;

/*
 * A row of a pile. Rows with the same key in both piles and different contents are changed; a
 * table without a key has the content as its key. BP_EFAILED: the disk is full.
 */
enum bp_code bp_row_join_add(struct bp_row_join *join, const struct bp_joined_row *row,
                             struct bp_err *err) BP_CHECK;

/* Once, when all are added. BP_ESTOPPED, BP_EFAILED. */
enum bp_code bp_row_join_run(struct bp_row_join *join, const struct bp_stop *stop,
                             struct bp_row_join_result *out, struct bp_err *err) BP_CHECK;

void bp_row_join_result_free(struct bp_row_join_result *result); /* for BP_AUTO */
void bp_row_join_freep(struct bp_row_join **join);               /* for BP_AUTO */

#endif
