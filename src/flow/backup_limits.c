/* What comes near a limit of Git servers, said before it stops a backup. */
#include <string.h>

#include "base/text.h"
#include "flow/backup_internal.h"

/* GitHub warns of files above 50 MiB, and refuses those of 100 MiB. */
enum { LARGE_FILE = 50 << 20, LARGEST_FILE = 95 << 20, NAMED = 3 };

enum bp_code bp_backup_check_manifest(const struct bp_backup *b, struct bp_err *err)
{
    if (b->described <= LARGEST_FILE)
        return BP_OK;
    return bp_fail(err, BP_EFAILED,
                   "%s would have %zu bytes for %zu tables in %zu files, and a Git server refuses "
                   "files of 100 MiB; hint: back the schemas up apart, with --schema and a "
                   "--backup-branch for each",
                   BP_MANIFEST_NAME, b->described, b->manifest.table_count, b->manifest.file_count);
}

void bp_backup_grow(const struct bp_backup *b, struct bp_growth *out)
{
    struct bp_store *store = b->job->store;

    bp_growth_read(store->ops->message(store), out);
    if (b->added <= 0)
        return;
    if (out->began_ms <= 0)
        out->at_least = store->ops->exists(store);
    bp_growth_add(out, b->added, bp_clock_wall(b->job->clock));
}

/* Only a row makes a file of rows that large; all else cannot be cut. */
static const char *hint_for(const char *path)
{
    if (strstr(path, "/tables/") != NULL && !bp_text_ends_with(path, "/schema.sql"))
        return "a single row is that large, keep such values outside the database";
    return "back the schemas up apart, with --schema and a --backup-branch for each";
}

static void warn_file(const struct bp_backup *b, const char *path, int64_t bytes, size_t *large)
{
    BP_AUTO(bp_buf_free) struct bp_buf size = {0};

    if (bytes <= LARGE_FILE || (*large)++ >= NAMED)
        return;
    bp_put_size(&size, bytes);
    bp_warn(b->job->out,
            "'%s' has %s: GitHub warns of files above 50 MiB, and one above 95 MiB stops a backup; "
            "hint: %s",
            path, bp_buf_str(&size), hint_for(path));
}

static void warn_files(const struct bp_backup *b)
{
    size_t large = 0;

    warn_file(b, BP_MANIFEST_NAME, (int64_t)b->described, &large);
    for (size_t i = 0; i < b->manifest.file_count; i++)
        warn_file(b, b->manifest.files[i].path, b->manifest.files[i].bytes, &large);
    if (large > NAMED)
        bp_warn(b->job->out, "%zu more files have more than 50 MiB", large - NAMED);
}

void bp_backup_warn(const struct bp_backup *b, const struct bp_backup_result *result)
{
    BP_AUTO(bp_buf_free) struct bp_buf entries = {0};
    BP_AUTO(bp_buf_free) struct bp_buf size = {0};

    warn_files(b);
    if (bp_growth_warn_entries(b->archives, &entries))
        bp_warn(b->job->out, "%s", bp_buf_str(&entries));
    if (bp_growth_warn(&result->growth, bp_clock_wall(b->job->clock), &size))
        bp_warn(b->job->out, "%s", bp_buf_str(&size));
}
