/* Every checksum, on all processor cores: nothing of the target is touched before they are right.
 */
#include <stdatomic.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/archive_file.h"
#include "flow/restore_internal.h"

struct check {
    const struct bp_restore_job *job;
    const struct bp_catalog_entry *entry;
    struct bp_buf *texts; /* of each worker */
    struct bp_clock **clocks;
    atomic_llong bytes;
    int64_t all_bytes;
};

static enum bp_code begin(void *ctx, size_t worker, struct bp_clock *clock, struct bp_err *err)
{
    struct check *c = ctx;

    (void)err;
    c->clocks[worker] = clock;
    return BP_OK;
}

static enum bp_code claim(void *ctx, size_t worker, size_t task, struct bp_err *err)
{
    (void)ctx;
    (void)worker;
    (void)task;
    (void)err;
    return BP_OK;
}

static enum bp_code work(void *ctx, size_t worker, size_t task, struct bp_err *err)
{
    struct check *c = ctx;
    const struct bp_manifest_file *file = &c->entry->manifest.files[task];

    if (bp_stop_check(c->clocks[worker]->stop, err) != BP_OK ||
        bp_archive_file_read(c->job->store, c->entry, file, &c->texts[worker], err) != BP_OK)
        return err->code;
    atomic_fetch_add(&c->bytes, file->bytes);
    return BP_OK;
}

static void end(void *ctx, size_t worker)
{
    bp_buf_free(&((struct check *)ctx)->texts[worker]);
}

static enum bp_code idle(void *ctx, struct bp_err *err)
{
    (void)ctx;
    (void)err;
    return BP_OK;
}

static enum bp_code watch(void *ctx, struct bp_err *err)
{
    struct check *c = ctx;
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};

    (void)err;
    bp_put_size(&words, atomic_load(&c->bytes));
    bp_buf_puts(&words, " of ");
    bp_put_size(&words, c->all_bytes);
    bp_progress(c->job->out, "checking: %s", bp_buf_str(&words));
    return BP_OK;
}

enum bp_code bp_restore_check_files(const struct bp_restore_job *job,
                                    const struct bp_catalog_entry *entry, struct bp_err *err)
{
    size_t cores = bp_crew_cores();
    BP_AUTO(bp_freep) struct bp_buf *texts = bp_alloc(cores, sizeof(*texts));
    BP_AUTO(bp_freep) struct bp_clock **clocks = bp_alloc(cores, sizeof(struct bp_clock *));
    struct check c = {.job = job,
                      .entry = entry,
                      .texts = texts,
                      .clocks = clocks,
                      .all_bytes = bp_manifest_bytes(&entry->manifest)};
    const struct bp_crew_job crew = {.workers = cores,
                                     .tasks = entry->manifest.file_count,
                                     .begin = begin,
                                     .claim = claim,
                                     .work = work,
                                     .end = end,
                                     .idle = idle,
                                     .watch = watch,
                                     .ctx = &c,
                                     .clock = job->clock};
    struct bp_err why = {0};
    size_t began = 0;
    enum bp_code rc = bp_stop_check(job->clock->stop, err);

    if (rc == BP_OK && crew.tasks > 0)
        rc = bp_crew_run(&crew, &began, &why, err);
    bp_progress_end(job->out);
    return rc;
}
