#include "flow/archive_check.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/archive_file.h"

enum { FINDINGS_LIMIT = 100, NAME_SHOWN = 200 };

struct checking {
    const struct bp_archive_check *check;
    const struct bp_manifest *manifest;
    const struct bp_manifest *outer; /* of a sealed archive that was opened; NULL */
    size_t *alone;                   /* files of outer that stand for no file of the manifest */
    size_t alone_count;
    struct bp_buf *texts; /* one for each worker */
    char **faults;        /* by task; NULL: the file is good */
    atomic_llong files;
    atomic_llong bytes;
};

/* ---- one file ---- */

static void end(void *ctx, size_t worker)
{
    bp_buf_free(&((struct checking *)ctx)->texts[worker]);
}

/* The tasks are the files of the manifest, then those that only the public half lists. */
static const struct bp_manifest_file *file_of(const struct checking *c, size_t task)
{
    if (task < c->manifest->file_count)
        return &c->manifest->files[task];
    return &c->outer->files[c->alone[task - c->manifest->file_count]];
}

static enum bp_code work(void *ctx, size_t worker, size_t task, struct bp_err *err)
{
    struct checking *c = ctx;
    const struct bp_archive_check *check = c->check;
    struct bp_buf *text = &c->texts[worker];
    enum bp_code rc = bp_stop_check(check->clock->stop, err);

    if (rc == BP_OK)
        rc = bp_archive_file_read(check->store, check->entry, file_of(c, task), text, err);
    if (rc == BP_OK) {
        atomic_fetch_add(&c->files, 1);
        atomic_fetch_add(&c->bytes, (long long)text->len);
        if (check->look != NULL && task < c->manifest->file_count)
            rc = check->look(check->ctx, task, text, err);
    }
    if (rc != BP_EINTEGRITY)
        return rc;
    c->faults[task] = bp_strdup(err->msg);
    return BP_OK;
}

static enum bp_code watch(void *ctx, struct bp_err *err)
{
    struct checking *c = ctx;
    BP_AUTO(bp_buf_free) struct bp_buf size = {0};

    (void)err;
    bp_put_size(&size, atomic_load(&c->bytes));
    bp_progress(c->check->out, "checking: file %lld of %zu, %s", atomic_load(&c->files),
                c->manifest->file_count + c->alone_count, bp_buf_str(&size));
    return BP_OK;
}

/* ---- which files there are ---- */

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool has(const struct bp_list *sorted, const char *text)
{
    return sorted->count > 0 &&
           bsearch(&text, sorted->at, sorted->count, sizeof(*sorted->at), by_text) != NULL;
}

/* What stands in the archive for a file. */
static const char *place_of(const struct bp_manifest_file *file)
{
    return file->sealed != NULL ? file->sealed : file->path;
}

/* The private half lists what the public one does under other names. */
static void find_alone(struct checking *c)
{
    BP_AUTO(bp_list_free) struct bp_list places = {0};

    if (c->outer == NULL)
        return;
    for (size_t i = 0; i < c->manifest->file_count; i++)
        bp_list_add(&places, place_of(&c->manifest->files[i]));
    bp_list_sort(&places);
    c->alone = bp_alloc(c->outer->file_count + 1, sizeof(*c->alone));
    for (size_t i = 0; i < c->outer->file_count; i++) {
        if (!has(&places, c->outer->files[i].path))
            c->alone[c->alone_count++] = i;
    }
}

/* Add a path and the folders above it; sorted afterwards by the caller. */
static void add_place(struct bp_list *files, struct bp_list *folders, const char *path)
{
    const char *slash = strrchr(path, '/');

    bp_list_add(files, path);
    /* Neighbours share folders: this keeps the list of them short. */
    while (slash != NULL) {
        BP_AUTO(bp_freep) char *folder = bp_strndup(path, (size_t)(slash - path));

        if (folders->count > 0 && strcmp(folders->at[folders->count - 1], folder) == 0)
            return;
        bp_list_add(folders, folder);
        slash = strrchr(folder, '/');
        slash = slash != NULL ? path + (slash - folder) : NULL;
    }
}

static void keep_different(struct bp_list *sorted)
{
    size_t kept = 0;

    for (size_t i = 0; i < sorted->count; i++) {
        if (kept > 0 && strcmp(sorted->at[kept - 1], sorted->at[i]) == 0)
            bp_free(sorted->at[i]);
        else
            sorted->at[kept++] = sorted->at[i];
    }
    sorted->count = kept;
}

static void list_places(const struct checking *c, struct bp_list *files, struct bp_list *folders)
{
    bp_list_add(files, BP_MANIFEST_NAME);
    bp_list_add(files, BP_SIGNATURE_NAME);
    bp_list_add(folders, "");
    for (size_t i = 0; i < c->manifest->file_count; i++)
        add_place(files, folders, place_of(&c->manifest->files[i]));
    for (size_t i = 0; i < c->alone_count; i++)
        add_place(files, folders, c->outer->files[c->alone[i]].path);
    bp_list_sort(files);
    bp_list_sort(folders);
    keep_different(folders);
}

static enum bp_code look_into(const struct checking *c, const char *folder,
                              const struct bp_list *files, const struct bp_list *folders,
                              struct bp_list *findings, struct bp_err *err)
{
    struct bp_store *store = c->check->store;
    const char *slash = folder[0] != '\0' ? "/" : "";
    BP_AUTO(bp_freep)
    char *path = bp_format("%s%s%s", c->check->entry->path, slash, folder);
    BP_AUTO(bp_list_free) struct bp_list names = {0};

    if (store->ops->list(store, path, &names, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < names.count; i++) {
        BP_AUTO(bp_freep) char *name = bp_format("%s%s%s", folder, slash, names.at[i]);
        BP_AUTO(bp_buf_free) struct bp_buf shown = {0};

        if (has(files, name) || has(folders, name))
            continue;
        bp_put_foreign(&shown, name, NAME_SHOWN);
        bp_list_addf(findings, "archive '%s' holds '%s', which its manifest does not list",
                     c->check->entry->name.id, bp_buf_str(&shown));
    }
    return BP_OK;
}

/* Somebody may have put files there: a restore by hand would run them. */
static enum bp_code find_extra(const struct checking *c, struct bp_list *findings,
                               struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list files = {0};
    BP_AUTO(bp_list_free) struct bp_list folders = {0};

    list_places(c, &files, &folders);
    for (size_t i = 0; i < folders.count; i++) {
        if (look_into(c, folders.at[i], &files, &folders, findings, err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

/* ---- all of it ---- */

static enum bp_code read_files(struct checking *c, size_t tasks, struct bp_err *err)
{
    size_t workers = c->check->workers > 0 ? c->check->workers : bp_crew_cores();
    const struct bp_crew_job job = {.workers = workers,
                                    .tasks = tasks,
                                    .work = work,
                                    .end = end,
                                    .watch = watch,
                                    .ctx = c,
                                    .clock = c->check->clock};
    struct bp_err why = {0};
    size_t began = 0;
    enum bp_code rc = BP_OK;

    c->texts = bp_alloc(workers, sizeof(*c->texts));
    rc = bp_crew_run(&job, &began, &why, err);
    bp_progress_end(c->check->out);
    return rc;
}

static void keep_some(struct bp_list *findings)
{
    size_t more = findings->count > FINDINGS_LIMIT ? findings->count - FINDINGS_LIMIT : 0;

    while (findings->count > FINDINGS_LIMIT)
        bp_free(findings->at[--findings->count]);
    if (more > 0)
        bp_list_addf(findings, "and %zu more like these", more);
}

static void free_checking(struct checking *c)
{
    bp_free(c->alone);
    bp_free(c->texts);
}

enum bp_code bp_archive_check(const struct bp_archive_check *check, struct bp_archive_checked *out,
                              struct bp_err *err)
{
    const struct bp_catalog_entry *entry = check->entry;
    BP_AUTO(free_checking)
    struct checking c = {.check = check,
                         .manifest = &entry->manifest,
                         .outer = entry->identities != NULL ? &entry->outer : NULL};
    BP_AUTO(bp_freep) char **faults = NULL;
    size_t tasks = 0;
    enum bp_code rc = BP_OK;

    *out = (struct bp_archive_checked){0};
    find_alone(&c);
    tasks = c.manifest->file_count + c.alone_count;
    faults = bp_alloc(tasks + 1, sizeof(*faults));
    c.faults = faults;
    if (tasks > 0)
        rc = read_files(&c, tasks, err);
    for (size_t i = 0; i < tasks; i++) {
        if (faults[i] != NULL)
            bp_list_take(&out->findings, faults[i]);
    }
    if (rc == BP_OK)
        rc = find_extra(&c, check->only_listed ? &out->extra : &out->findings, err);
    out->files = atomic_load(&c.files);
    out->bytes = atomic_load(&c.bytes);
    keep_some(&out->findings);
    keep_some(&out->extra);
    if (rc == BP_OK && out->findings.count > 0)
        return bp_fail(err, BP_EINTEGRITY, "%s", out->findings.at[0]);
    return rc;
}

void bp_archive_checked_free(struct bp_archive_checked *checked)
{
    bp_list_free(&checked->findings);
    bp_list_free(&checked->extra);
}
