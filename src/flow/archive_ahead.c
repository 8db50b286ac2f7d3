#include "flow/archive_ahead.h"

static void *read_file(void *ctx)
{
    struct bp_archive_ahead *ahead = ctx;

    ahead->code =
        bp_archive_file_read(ahead->store, ahead->entry, ahead->file, &ahead->text, &ahead->err);
    return NULL;
}

static void wait_for(struct bp_archive_ahead *ahead)
{
    if (ahead->reading)
        (void)pthread_join(ahead->thread, NULL);
    ahead->reading = false;
}

void bp_archive_ahead_begin(struct bp_archive_ahead *ahead, struct bp_store *store,
                            const struct bp_catalog_entry *entry,
                            const struct bp_manifest_file *file)
{
    ahead->store = store;
    ahead->entry = entry;
    ahead->file = file;
    /* Without a thread it is read when it is taken. */
    ahead->reading = pthread_create(&ahead->thread, NULL, read_file, ahead) == 0;
}

enum bp_code bp_archive_ahead_take(struct bp_archive_ahead *ahead, struct bp_buf *out,
                                   struct bp_err *err)
{
    struct bp_buf old = *out;

    if (!ahead->reading)
        return bp_archive_file_read(ahead->store, ahead->entry, ahead->file, out, err);
    wait_for(ahead);
    if (ahead->code != BP_OK) {
        *err = ahead->err;
        return ahead->code;
    }
    *out = ahead->text;
    ahead->text = old;
    return BP_OK;
}

void bp_archive_ahead_free(struct bp_archive_ahead *ahead)
{
    wait_for(ahead);
    bp_buf_free(&ahead->text);
}
