#include "flow/archive_file.h"

#include <string.h>

#include "base/mem.h"

enum { FILE_LIMIT = 128 << 20 };

enum bp_code bp_archive_file_read(struct bp_store *store, const struct bp_catalog_entry *entry,
                                  const struct bp_manifest_file *file, struct bp_buf *out,
                                  struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/%s", entry->path, file->path);
    char hash[BP_SHA256_HEX_SIZE];

    bp_buf_cut(out, 0);
    if (store->ops->read(store, path, FILE_LIMIT, out, err) != BP_OK) {
        if (err->code == BP_ENOTFOUND)
            return bp_fail(err, BP_EINTEGRITY, "archive '%s' lacks the file '%s'", entry->name.id,
                           file->path);
        return bp_wrap(err, "archive '%s', '%s'", entry->name.id, file->path);
    }
    bp_sha256_hex(bp_buf_str(out), out->len, hash);
    if ((int64_t)out->len != file->bytes || strcmp(hash, file->sha256) != 0)
        return bp_fail(err, BP_EINTEGRITY,
                       "archive '%s': the checksum of '%s' is wrong; hint: compare with another "
                       "archive, 'backproof list' shows them",
                       entry->name.id, file->path);
    return BP_OK;
}
