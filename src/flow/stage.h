/*
 * Files of the archive that is being made: from lines or texts to blobs in the store, and from
 * blobs to paths in its tree and in the manifest. The first half may run in several threads, each
 * with lines of its own; the second half is the caller's alone, because the number of a file is
 * known only when all those before it are.
 */
#ifndef BP_FLOW_STAGE_H
#define BP_FLOW_STAGE_H

#include "archive/manifest.h"
#include "flow/sealing.h"
#include "store/store.h"

/* Files in order. A zeroed struct is an empty list. */
struct bp_stage_files {
    struct bp_stage_file *at;
    size_t count;
    int64_t lines; /* in all of them, without heads and tails */
    int64_t bytes; /* of these lines */
};

void bp_stage_files_free(struct bp_stage_files *files); /* for BP_AUTO */

/* Move the files of more behind those of files. */
void bp_stage_files_join(struct bp_stage_files *files, struct bp_stage_files *more);

/* Lines on their way into files. All pointers are lent. */
struct bp_lines {
    struct bp_store *store;
    struct bp_sealing *sealing; /* may be NULL: nothing is sealed */
    const char *head;           /* the first line of each file, with its line end; may be "" */
    const char *tail;           /* the last line; may be "" */
    bool fences;                /* archive/chunk.h */
    uint64_t key;               /* likewise */
    struct bp_stage_files *files;

    struct bp_buf file; /* the file that is being filled */
    size_t file_lines;
    bool ends; /* the next line belongs into another file */
};

/* BP_EFAILED: a line that no Git server takes; and what the store returns. */
enum bp_code bp_lines_add(struct bp_lines *lines, const char *line, size_t len,
                          struct bp_err *err) BP_CHECK;

/* Write the file that is being filled. Without any line there is none, unless empty asks for one
 * with head and tail alone. */
enum bp_code bp_lines_end(struct bp_lines *lines, bool empty, struct bp_err *err) BP_CHECK;

void bp_lines_free(struct bp_lines *lines); /* for BP_AUTO */

/* Bytes that are cut anywhere, into files of 32 MiB: what no Git server could take whole. */
enum bp_code bp_lines_add_bytes(struct bp_lines *lines, const char *bytes, size_t len,
                                struct bp_err *err) BP_CHECK;

/* The tree under construction, and the manifest that will tell of it. */
struct bp_stage {
    struct bp_store *store;
    struct bp_manifest *manifest;
    struct bp_sealing *sealing; /* may be NULL: nothing is sealed */
    struct bp_manifest *outer;  /* then: gets the files that are in the store */
};

/* A file that is never sealed: what tells people how to open the others. */
enum bp_code bp_stage_open_text(struct bp_stage *to, const char *path, const char *text,
                                bool executable, struct bp_err *err) BP_CHECK;

enum bp_code bp_stage_text(struct bp_stage *to, const char *path, const char *text, size_t len,
                           struct bp_err *err) BP_CHECK;

/* One file becomes base and ext in one word; several become base/00001 and ext, base/00002 ... The
 * paths are added to the list unless that is NULL. */
enum bp_code bp_stage_files(struct bp_stage *to, const char *base, const char *ext,
                            const struct bp_stage_files *files, struct bp_list *paths,
                            struct bp_err *err) BP_CHECK;

#endif
