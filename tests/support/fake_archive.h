/* Archives in a fake store, file by file: their manifests are made from the files. */
#ifndef TESTS_SUPPORT_FAKE_ARCHIVE_H
#define TESTS_SUPPORT_FAKE_ARCHIVE_H

#include "archive/manifest.h"
#include "support/fake_store.h"

/* One that is being made. */
struct fake_archive {
    struct fake_store *store;
    const char *path; /* of its folder in the store */
    struct bp_manifest manifest;
};

/* The folder's name tells the id; it is "latest_..." or "...--source--event--sha". */
struct fake_archive fake_archive(struct fake_store *store, const char *path);

void fake_archive_file(struct fake_archive *archive, const char *path, const char *text);

/* A table of public: columns "a, b"; each element of files is the rows of a data file, NULL at the
 * end; definition becomes schema.sql. */
void fake_archive_table(struct fake_archive *archive, const char *name, const char *columns,
                        const char *definition, const char *const *files);

/* Write the manifest and free it. */
void fake_archive_end(struct fake_archive *archive);

#endif
