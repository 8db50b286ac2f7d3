/*
 * manifest.json: what an archive holds. It is written last; a folder without a valid one is not a
 * backup. docs/archive-format.md describes it for others.
 */
#ifndef BP_ARCHIVE_MANIFEST_H
#define BP_ARCHIVE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/manifest_options.h"
#include "archive/manifest_verification.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/list.h"

enum { BP_MANIFEST_FORMAT = 1, BP_MANIFEST_LIMIT = 256 << 20, BP_MANIFEST_FILES_LIMIT = 1000000 };

#define BP_MANIFEST_NAME "manifest.json"
/* The other half of a sealed archive's: a whole manifest, sealed. */
#define BP_MANIFEST_PRIVATE "manifest.private.json.zst.age"
#define BP_PATH_SEALED      "sealed"

struct bp_manifest_file {
    char *path; /* below the archive */
    int64_t bytes;
    char sha256[BP_SHA256_HEX_SIZE];
    char *sealed; /* where it lies in a sealed archive, below it; NULL: at path, as it is */
};

struct bp_manifest_table {
    char *schema;
    char *name;
    char *order;
    int64_t rows;
    int64_t bytes;                   /* of COPY text */
    char sha256[BP_SHA256_HEX_SIZE]; /* of its files' checksums, each with a line end, in order */
    struct bp_list files;            /* of rows, in order */
};

/* All strings are owned; NULL is written as "". */
struct bp_manifest {
    char *id;
    int64_t started_ms;
    int64_t finished_ms;
    char *tool_version;
    struct {
        char *repository;
        char *ref;
        char *sha;
        char *event;
        char *run_id;
        char *run_url;
    } source;
    struct {
        char *name;
        char *server_version;
        int64_t version_num;
        char *encoding;
        char *collation;
        int64_t size_bytes;
        char *system_identifier;
        char *snapshot;
        char *lsn;
    } database;
    char *pg_dump_version;
    int64_t large_objects;
    struct bp_manifest_options options;
    struct bp_manifest_verification verification;
    bool sealed; /* the public half of a sealed archive's manifest: it names no table, and of the
                    database only the version */

    struct bp_manifest_table *tables;
    size_t table_count;
    struct bp_manifest_file *files;
    size_t file_count;
};

/* Lent until the next call that adds one. */
struct bp_manifest_table *bp_manifest_add_table(struct bp_manifest *m);
struct bp_manifest_file *bp_manifest_add_file(struct bp_manifest *m, const char *path,
                                              int64_t bytes);

int64_t bp_manifest_rows(const struct bp_manifest *m);
int64_t bp_manifest_bytes(const struct bp_manifest *m); /* of all files */

/* The file with this path in a manifest that was parsed; NULL: none. Lent. */
const struct bp_manifest_file *bp_manifest_file(const struct bp_manifest *m, const char *path);

/* What it says of the source, and of the database. Owned by the caller. */
struct bp_json *bp_manifest_source_new(const struct bp_manifest *m) BP_CHECK;
struct bp_json *bp_manifest_database_new(const struct bp_manifest *m) BP_CHECK;

void bp_manifest_render(const struct bp_manifest *m, struct bp_buf *out);

/*
 * Read and check one: complete, of a format that this version knows, every path below the archive,
 * every table's files listed. BP_EINTEGRITY names what is wrong.
 */
enum bp_code bp_manifest_parse(const char *text, size_t len, struct bp_manifest *out,
                               struct bp_err *err) BP_CHECK;

void bp_manifest_free(struct bp_manifest *m); /* for BP_AUTO */

#endif
