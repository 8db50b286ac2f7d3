/*
 * A scratch: an empty database that an archive is restored into to prove it, and that is gone or
 * empty afterwards. It never is one that matters: a driver makes a cluster of its own, or gets an
 * address and proves that nothing is there.
 *
 * Callers call through scratch->ops: start once, then target and source as often as needed, then
 * free.
 */
#ifndef BP_SOURCE_SCRATCH_H
#define BP_SOURCE_SCRATCH_H

#include "base/buf.h"
#include "source/source.h"
#include "source/target.h"

/* What the archive's database was like. Lent. */
struct bp_scratch_want {
    int version_num;               /* 150008: no older major will do */
    const char *encoding;          /* "UTF8" */
    const char *collation;         /* taken if this system has it */
    const char *system_identifier; /* of the source: with name, a scratch that is refused */
    const char *name;
};

struct bp_scratch_info {
    int version_num;
    char where[256]; /* for messages */
    bool same_collation;
};

struct bp_scratch;

struct bp_scratch_ops {
    /*
     * Make the empty database. BP_ENOTFOUND: no server programs of that major or a newer one here
     * (the hint names the package, and --scratch-url). BP_EUSAGE: it is the source itself, not
     * empty, or too old. BP_EFAILED: the server does not start; the message holds its words. A
     * server that is made belongs to the thread that calls this: it ends with it.
     */
    enum bp_code (*start)(struct bp_scratch *self, const struct bp_scratch_want *want,
                          struct bp_scratch_info *info, struct bp_err *err);

    /* Drivers for it, not opened yet. Owned by the caller; free them before the scratch. The scope
     * is lent for the life of the source. */
    struct bp_target *(*target)(struct bp_scratch *self);
    struct bp_source *(*source)(struct bp_scratch *self, const struct bp_scope *scope);

    /* Which of these extensions its server cannot make; for messages. */
    enum bp_code (*missing)(struct bp_scratch *self, const struct bp_list *extensions,
                            struct bp_list *out, struct bp_err *err);

    /* Run one query in a read-only transaction and tell whether it returned one row with the one
     * value true; otherwise why says what it returned. */
    enum bp_code (*ask)(struct bp_scratch *self, const char *sql, bool *yes, struct bp_buf *why,
                        struct bp_err *err);

    /* Stop and remove the cluster, or empty the database. */
    void (*free)(struct bp_scratch *self);
};

struct bp_scratch {
    const struct bp_scratch_ops *ops;
};

void bp_scratch_freep(struct bp_scratch **scratch); /* for BP_AUTO */

#endif
