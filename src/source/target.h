/*
 * A target: the database that an archive is restored into, changed in one transaction: until
 * commit() succeeds, nothing has happened to it.
 */
#ifndef BP_SOURCE_TARGET_H
#define BP_SOURCE_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/list.h"

struct bp_target_info {
    char name[128];    /* of the database */
    char where[256];   /* "host:port" or a socket folder, for messages */
    int version_num;   /* 150008 */
    char encoding[32]; /* of the database: "UTF8", "LATIN1" ... */
};

struct bp_target;

struct bp_target_ops {
    /* Connect. BP_EUNAVAILABLE, BP_EAUTH, BP_ENOTFOUND (no such database). */
    enum bp_code (*open)(struct bp_target *self, struct bp_target_info *info, struct bp_err *err);

    /* What the database holds already, as "table public.users", "function app.f" ...; at most
     * ten are named; *count counts them all. What a new database has does not count. */
    enum bp_code (*contents)(struct bp_target *self, struct bp_list *some, int64_t *count,
                             struct bp_err *err);

    /* Start the transaction with settings that make COPY text mean what the source meant;
     * encoding is the client encoding of all that follows ("UTF8"). */
    enum bp_code (*begin)(struct bp_target *self, const char *encoding, struct bp_err *err);

    /* Inside the transaction: remove everything that contents() counts. */
    enum bp_code (*clean)(struct bp_target *self, struct bp_err *err);

    /* Run SQL statements. An error names the failing statement; label says what is being run. */
    enum bp_code (*run)(struct bp_target *self, const char *sql, const char *label,
                        struct bp_err *err);

    /* Load rows: the COPY statement, any number of pieces of COPY text, the end; *rows is the
     * number that the server took. */
    enum bp_code (*copy_begin)(struct bp_target *self, const char *sql, struct bp_err *err);
    enum bp_code (*copy_put)(struct bp_target *self, const char *data, size_t len,
                             struct bp_err *err);
    enum bp_code (*copy_end)(struct bp_target *self, int64_t *rows, struct bp_err *err);

    enum bp_code (*commit)(struct bp_target *self, struct bp_err *err);
    void (*free)(struct bp_target *self); /* rolls back what is not committed */
};

struct bp_target {
    const struct bp_target_ops *ops;
};

void bp_target_freep(struct bp_target **target); /* for BP_AUTO */

/* A target that looks at inner, which it takes over, and changes nothing. */
struct bp_target *bp_target_dry_new(struct bp_target *inner) BP_CHECK;

#endif
