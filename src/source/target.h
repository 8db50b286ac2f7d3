/*
 * A target: the database that an archive is restored into, by one connection in one transaction, or
 * by several that each work in transactions of their own.
 *
 * Callers call through target->ops: open, then lock, then whatever they want to know, then writer
 * as often as there are threads. In a target that several transactions fill, marks tell what is
 * complete, so that a restore that was cut off can go on. A driver fills a struct bp_target_ops and
 * puts a struct bp_target first in its own struct. It never prints and knows no archives.
 */
#ifndef BP_SOURCE_TARGET_H
#define BP_SOURCE_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/list.h"

struct bp_target_info {
    char name[128];    /* of the database */
    char where[256];   /* "host:port" or a socket folder, for messages */
    int version_num;   /* 150008 */
    char encoding[32]; /* of the database: "UTF8", "LATIN1" ... */
    const char *marks; /* the schema where marks are kept, which no archive can have then; static */
};

/* What a restore that has not ended yet wrote down. Strings are owned. */
struct bp_target_marks {
    bool found;
    char *archive; /* as mark_begin() was given them */
    char *plan;
    struct bp_list done; /* the steps that are complete */
};

/* How a connection is set up. Lent for the length of the call, but the clock for its life. */
struct bp_writer_want {
    size_t number;        /* 0: the one that open() made and that holds the lock */
    const char *encoding; /* of all that is sent: "UTF8" */
    const char *preamble; /* SQL that define() needs; may be "" */
    struct bp_clock *clock;
};

/* One connection that changes the target, for one thread at a time. */
struct bp_writer;

struct bp_writer_ops {
    /* Wait with this clock from now on. Lent. */
    void (*use)(struct bp_writer *self, struct bp_clock *clock);

    /*
     * Start a transaction, with settings that make COPY text mean what the source meant. One that
     * is not durable may be lost, with all that come after it, when the server breaks down before
     * a durable one was committed.
     */
    enum bp_code (*begin)(struct bp_writer *self, bool durable, struct bp_err *err);
    enum bp_code (*commit)(struct bp_writer *self, struct bp_err *err);
    void (*rollback)(struct bp_writer *self); /* what is open; nothing if nothing is */

    /* Remove everything that contents() counts, and the marks. */
    enum bp_code (*clean)(struct bp_writer *self, struct bp_err *err);

    /*
     * Run SQL statements: define() with the settings of the preamble, run() with those of begin().
     * An error names the failing statement; label says what is being run. BP_ELOCKED: another
     * session was in the way, trying again makes sense.
     */
    enum bp_code (*define)(struct bp_writer *self, const char *sql, const char *label,
                           struct bp_err *err);
    enum bp_code (*run)(struct bp_writer *self, const char *sql, const char *label,
                        struct bp_err *err);

    /*
     * Before the rows of a table (its quoted name) that this restore has made, and of which copy is
     * the first statement: what can be done so that they are loaded faster.
     */
    enum bp_code (*load)(struct bp_writer *self, const char *table, const char *copy,
                         struct bp_err *err);

    /* Load rows: the COPY statement, any number of pieces of COPY text, the end; *rows is the
     * number that the server took. */
    enum bp_code (*copy_begin)(struct bp_writer *self, const char *sql, struct bp_err *err);
    enum bp_code (*copy_put)(struct bp_writer *self, const char *data, size_t len,
                             struct bp_err *err);
    enum bp_code (*copy_end)(struct bp_writer *self, int64_t *rows, struct bp_err *err);

    /*
     * In a transaction: begin to keep marks, for these; write one down; have none any more. A mark
     * lives as long as the rows that its transaction has loaded: not longer than a crash of the
     * server, when the table is unlogged. BP_EUSAGE: somebody else's schema has the name.
     */
    enum bp_code (*mark_begin)(struct bp_writer *self, const char *archive, const char *plan,
                               struct bp_err *err);
    enum bp_code (*mark)(struct bp_writer *self, const char *step, struct bp_err *err);
    enum bp_code (*mark_end)(struct bp_writer *self, struct bp_err *err);

    void (*free)(struct bp_writer *self); /* rolls back what is not committed */
};

struct bp_writer {
    const struct bp_writer_ops *ops;
};

struct bp_target;

struct bp_target_ops {
    /* Connect. BP_EUNAVAILABLE, BP_EAUTH, BP_ENOTFOUND (no such database). */
    enum bp_code (*open)(struct bp_target *self, struct bp_target_info *info, struct bp_err *err);

    /* Keep others from restoring into this database as long as the target lives. BP_ELOCKED names
     * who does it already. */
    enum bp_code (*lock)(struct bp_target *self, struct bp_err *err);

    /* What the database holds already, as "table public.users", "function app.f" ...; at most
     * ten are named; *count counts them all. What a new database has does not count, nor do marks.
     */
    enum bp_code (*contents)(struct bp_target *self, struct bp_list *some, int64_t *count,
                             struct bp_err *err);

    /* Which of these tables (quoted names) there are. */
    enum bp_code (*existing)(struct bp_target *self, const struct bp_list *tables,
                             struct bp_list *out, struct bp_err *err);

    enum bp_code (*marks)(struct bp_target *self, struct bp_target_marks *out, struct bp_err *err);

    /* A connection; several threads may ask at once for numbers above 0. Owned by the caller; free
     * it before the target. */
    enum bp_code (*writer)(struct bp_target *self, const struct bp_writer_want *want,
                           struct bp_writer **out, struct bp_err *err);

    void (*free)(struct bp_target *self);
};

struct bp_target {
    const struct bp_target_ops *ops;
};

void bp_target_freep(struct bp_target **target);          /* for BP_AUTO */
void bp_writer_freep(struct bp_writer **writer);          /* for BP_AUTO */
void bp_target_marks_free(struct bp_target_marks *marks); /* for BP_AUTO */

/* A target that looks at inner, which it takes over, and changes nothing. */
struct bp_target *bp_target_dry_new(struct bp_target *inner) BP_CHECK;

#endif
