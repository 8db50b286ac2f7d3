/* The files of an archive, each proved by the checksum that the manifest has of it. */
#ifndef BP_FLOW_ARCHIVE_FILE_H
#define BP_FLOW_ARCHIVE_FILE_H

#include "flow/catalog.h"

/*
 * Replace out by the content of a file that the archive's manifest lists. Of a sealed archive that
 * was opened (bp_catalog_unseal) it is what was sealed; the checksums of both forms are proved.
 * BP_EINTEGRITY: it is missing, was tampered with, or its size or checksum is wrong. For several
 * threads at once, once all was fetched.
 */
enum bp_code bp_archive_file_read(struct bp_store *store, const struct bp_catalog_entry *entry,
                                  const struct bp_manifest_file *file, struct bp_buf *out,
                                  struct bp_err *err) BP_CHECK;

/* Where a file lies in the archive's folder: what is fetched for it. Lent. */
const char *bp_archive_file_place(const struct bp_manifest_file *file);

#endif
