/*
 * A source: the database that is backed up, read in one snapshot by several connections.
 *
 * Callers call through source->ops: examine alone, or in this order: lock, snapshot, then reader as
 * often as there are threads, then close. What the readers read they read in the same snapshot. A
 * driver fills a struct bp_source_ops and puts a struct bp_source first in its own struct. It never
 * writes to the database, never prints and knows no archive paths.
 */
#ifndef BP_SOURCE_SOURCE_H
#define BP_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/findings.h"
#include "base/list.h"

/*
 * What a backup takes. Each is a list of patterns as psql takes them, but the masks, which are
 * "table.column=what" (docs/backup.md). All lent; empty lists mean everything.
 */
struct bp_scope {
    struct bp_list schemas;
    struct bp_list exclude_schemas;
    struct bp_list tables;
    struct bp_list exclude_tables;
    struct bp_list exclude_table_data;
    struct bp_list masks;
};

/* Rows that are backed up together. All strings are owned by the table. */
struct bp_table {
    char *schema;
    char *name;
    char *copy_in;      /* the statement that loads the rows: COPY "s"."t" ("a", "b") FROM stdin;
                           it names the root of a partition tree where rows may change places */
    const char *order;  /* "primary key" or "row text"; static */
    char *definition;   /* SQL that makes this table with its indexes and constraints, for people */
    int64_t size_bytes; /* what it takes on the server's disk, about */
    bool all_differ;    /* no two rows are the same: archive/chunk.h may put fences */
    uint64_t key_columns; /* bit i: value i of a row, from 0, is in the primary key; 0: unknown */
    bool masked;          /* some of its values must not leave the server, not even in an error */
    size_t slices;        /* its rows, in order, can be read in so many parts; at least 1 */

    /* The driver's own; they mean nothing outside the snapshot. */
    uint32_t id;
    char *columns;       /* of the select list: "t.id, t.email" */
    char *quoted;        /* "app.users" */
    char *condition;     /* which rows of an extension's table, "WHERE ..." or ""; NULL: all */
    char *order_by;      /* "t.id"; may be "" */
    char *key;           /* the column that slices are cut at; NULL: they cannot be */
    char *key_type;      /* "integer" */
    struct bp_list cuts; /* SQL literals: the first key of each slice but the first */
};

struct bp_tables {
    struct bp_table *at;
    size_t count;
};

/* What the snapshot is of. All strings are owned. */
struct bp_source_info {
    char *name;
    char *server_version; /* "15.8" */
    int version_num;      /* 150008 */
    char *encoding;
    char *collation;
    int64_t size_bytes;
    char *system_identifier;
    char *snapshot;
    char *lsn;
    char *pg_dump_version;
    struct bp_list schemas;  /* whose objects are backed up, sorted */
    struct bp_list warnings; /* what a person should know */
};

/* The definitions, each a text of SQL statements that ends with a line end. All owned. */
struct bp_ddl {
    char *roles;     /* makes the roles that are missing, without passwords */
    char *pre_data;  /* everything that the rows need */
    char *sequences; /* setval() of each sequence */
    char *post_data; /* indexes, constraints, triggers ... */
    char *refresh;   /* REFRESH MATERIALIZED VIEW of the populated ones, in order; may be "" */
};

/* One line of COPY text with its line end, or some bytes of a dump; lent for the call. */
typedef enum bp_code bp_row_sink(void *ctx, const char *line, size_t len, struct bp_err *err);

/* Some rows of a table. */
struct bp_slice {
    const struct bp_table *table;
    size_t number; /* below table->slices */
    int64_t limit; /* that many from its start; 0: all */
};

/* One connection in the snapshot, for one thread at a time. */
struct bp_reader;

struct bp_reader_ops {
    /*
     * Make sure that this connection can read the table. BP_ELOCKED: somebody waits to change it,
     * and this one would queue up behind him; then number 0 has to read it.
     */
    enum bp_code (*hold)(struct bp_reader *self, const struct bp_table *table, struct bp_err *err);

    /*
     * The rows of a slice, in order. An error of the sink ends the copy and is returned. The
     * server's count is compared with what arrived.
     */
    enum bp_code (*rows)(struct bp_reader *self, const struct bp_slice *slice, bp_row_sink *sink,
                         void *ctx, struct bp_err *err);

    /*
     * The large objects as SQL statements, one a line, that make and fill them; runs of lines may
     * be cut apart anywhere between two lines. *count is how many objects there are.
     */
    enum bp_code (*large_objects)(struct bp_reader *self, bp_row_sink *sink, void *ctx,
                                  int64_t *count, struct bp_err *err);

    /* The definitions; fills each table's definition as well. */
    enum bp_code (*ddl)(struct bp_reader *self, struct bp_tables *tables, struct bp_ddl *out,
                        struct bp_err *err);

    /* A dump of one schema in the format that pg_restore reads; the sink gets pieces of it. */
    enum bp_code (*schema_dump)(struct bp_reader *self, const char *schema, bp_row_sink *sink,
                                void *ctx, struct bp_err *err);

    void (*free)(struct bp_reader *self);
};

struct bp_reader {
    const struct bp_reader_ops *ops;
};

struct bp_source;

struct bp_source_ops {
    /*
     * Connect, look at what would keep a backup from working, disconnect; take no lock on a table.
     * An error only for a stop: a connection that fails is a finding. The other calls may follow.
     */
    enum bp_code (*examine)(struct bp_source *self, struct bp_findings *findings,
                            struct bp_err *err);

    /*
     * Keep others from backing up this database under the same name, as long as the session lasts,
     * and again when a lost one is replaced. BP_ELOCKED names who does it already; with wait, its
     * end is waited for.
     */
    enum bp_code (*lock)(struct bp_source *self, const char *name, bool wait, struct bp_err *err);

    /*
     * Lock every table against TRUNCATE and rewriting, then take the snapshot that all readers
     * read. BP_ELOCKED: a table could not be locked in time (the message names who holds it).
     * BP_EAUTH: no right to read. BP_EUNAVAILABLE: no connection.
     */
    enum bp_code (*snapshot)(struct bp_source *self, struct bp_source_info *info,
                             struct bp_tables *tables, struct bp_err *err);

    /*
     * A connection in the snapshot; several threads may ask at once. Number 0 is the one that
     * holds the locks, so it can read every table, and there is one of it only; all others are
     * new. clock is lent for its life. Owned by the caller; free it before the source.
     */
    enum bp_code (*reader)(struct bp_source *self, size_t number, struct bp_clock *clock,
                           struct bp_reader **out, struct bp_err *err);

    /*
     * Whether the locks and the snapshot are still held; BP_EUNAVAILABLE when not. For the thread
     * of reader 0. Cheap, to be called often: it asks the server only now and then.
     */
    enum bp_code (*alive)(struct bp_source *self, struct bp_err *err);

    /*
     * When all is read: the same for sure, and whether what no lock holds still (names of schemas,
     * types ...) is as it was. BP_ELOCKED: it is not, and what was read may not fit together; take
     * another snapshot. When reading failed (all_read is false): whether one of these two is the
     * cause; BP_OK when not, or when nobody can tell.
     */
    enum bp_code (*confirm)(struct bp_source *self, bool all_read, struct bp_err *err);

    /*
     * End the snapshot: give the tables back. Nothing can be read afterwards; what lock() holds
     * stays if the session does. Calling it twice, or never, is fine: free does it too.
     */
    void (*close)(struct bp_source *self);

    void (*free)(struct bp_source *self);
};

struct bp_source {
    const struct bp_source_ops *ops;
};

void bp_source_freep(struct bp_source **source); /* for BP_AUTO */
void bp_reader_freep(struct bp_reader **reader); /* for BP_AUTO */
void bp_tables_free(struct bp_tables *tables);
void bp_source_info_free(struct bp_source_info *info);
void bp_ddl_free(struct bp_ddl *ddl);

#endif
