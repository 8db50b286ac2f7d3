/*
 * A source: the database that is backed up, read in one snapshot.
 *
 * Callers call through source->ops, in this order: snapshot, then copy, large_objects and ddl as
 * often as they like, then close. A driver fills a struct bp_source_ops and puts a struct bp_source
 * first in its own struct. It never writes to the database, never prints and knows no archive
 * paths.
 */
#ifndef BP_SOURCE_SOURCE_H
#define BP_SOURCE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
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
    char *copy_in;     /* the statement that loads the rows: COPY "s"."t" ("a", "b") FROM stdin;
                          it names the root of a partition tree where rows may change places */
    char *copy_out;    /* the statement that reads them, in order */
    const char *order; /* "primary key" or "row text"; static */
    char *definition;  /* SQL that makes this table with its indexes and constraints, for people */
    uint32_t id;       /* the driver's own; means nothing outside the snapshot */
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
};

/* The definitions, each a text of SQL statements that ends with a line end. All owned. */
struct bp_ddl {
    char *roles;     /* makes the roles that are missing, without passwords */
    char *pre_data;  /* everything that the rows need */
    char *sequences; /* setval() of each sequence */
    char *post_data; /* indexes, constraints, triggers ... */
    char *refresh;   /* REFRESH MATERIALIZED VIEW of the populated ones, in order; may be "" */
};

/* One line of COPY text with its line end; lent for the length of the call. */
typedef enum bp_code bp_row_sink(void *ctx, const char *line, size_t len, struct bp_err *err);

struct bp_source;

struct bp_source_ops {
    /*
     * Lock every table against TRUNCATE and rewriting, then take the snapshot that all later calls
     * read. BP_ELOCKED: a table could not be locked in time (the message names who holds it).
     * BP_EAUTH: no right to read. BP_EUNAVAILABLE: no connection.
     */
    enum bp_code (*snapshot)(struct bp_source *self, struct bp_source_info *info,
                             struct bp_tables *tables, struct bp_err *err);

    /* The definitions in the snapshot; fills each table's definition as well. */
    enum bp_code (*ddl)(struct bp_source *self, struct bp_tables *tables, struct bp_ddl *out,
                        struct bp_err *err);

    /* Every row of one table, in order. An error of the sink ends the copy and is returned. */
    enum bp_code (*copy)(struct bp_source *self, const struct bp_table *table, bp_row_sink *sink,
                         void *ctx, struct bp_err *err);

    /*
     * The large objects as SQL statements, one a line, that make and fill them; runs of lines may
     * be cut apart anywhere between two lines. *count is how many objects there are.
     */
    enum bp_code (*large_objects)(struct bp_source *self, bp_row_sink *sink, void *ctx,
                                  int64_t *count, struct bp_err *err);

    /*
     * End the snapshot: give the locks back and drop the connection. Nothing can be read
     * afterwards. Calling it twice, or never, is fine: free does it too.
     */
    void (*close)(struct bp_source *self);

    void (*free)(struct bp_source *self);
};

struct bp_source {
    const struct bp_source_ops *ops;
};

void bp_source_freep(struct bp_source **source); /* for BP_AUTO */
void bp_tables_free(struct bp_tables *tables);
void bp_source_info_free(struct bp_source_info *info);
void bp_ddl_free(struct bp_ddl *ddl);

#endif
