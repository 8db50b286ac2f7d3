#include "flow/stage.h"

#include <string.h>

#include "archive/chunk.h"
#include "base/hash.h"
#include "base/mem.h"

/* GitHub refuses files of 100 MiB; a row cannot be cut. */
enum { LARGEST_FILE = 95 << 20, BYTES_PER_FILE = 32 << 20 };

void bp_stage_files_free(struct bp_stage_files *files)
{
    bp_free(files->at);
    *files = (struct bp_stage_files){0};
}

static struct bp_stage_file *add_file(struct bp_stage_files *files)
{
    if ((files->count & (files->count + 1)) == 0) /* grows at 0, 1, 3, 7 ... */
        files->at = bp_realloc(files->at, 2 * files->count + 1, sizeof(*files->at));
    return &files->at[files->count++];
}

void bp_stage_files_join(struct bp_stage_files *files, struct bp_stage_files *more)
{
    for (size_t i = 0; i < more->count; i++)
        *add_file(files) = more->at[i];
    files->lines += more->lines;
    files->bytes += more->bytes;
    bp_stage_files_free(more);
}

static enum bp_code check_size(size_t len, const char *hint, struct bp_err *err)
{
    if (len <= LARGEST_FILE)
        return BP_OK;
    return bp_fail(err, BP_EFAILED,
                   "a file would have %zu bytes, and a Git server refuses files of 100 MiB; hint: "
                   "%s",
                   len, hint);
}

static enum bp_code end_file(struct bp_lines *lines, struct bp_err *err)
{
    struct bp_stage_file file = {0};

    bp_buf_puts(&lines->file, lines->tail);
    if (check_size(lines->file.len,
                   "a single row is that large, keep such values outside the database",
                   err) != BP_OK ||
        bp_sealing_put(lines->sealing, lines->store, bp_buf_str(&lines->file), lines->file.len,
                       &file, err) != BP_OK)
        return err->code;
    *add_file(lines->files) = file;
    bp_buf_cut(&lines->file, 0);
    lines->file_lines = 0;
    lines->ends = false;
    return BP_OK;
}

static void begin_file(struct bp_lines *lines)
{
    if (lines->file.len == 0)
        bp_buf_puts(&lines->file, lines->head);
}

enum bp_code bp_lines_add(struct bp_lines *lines, const char *line, size_t len, struct bp_err *err)
{
    if (lines->ends && end_file(lines, err) != BP_OK)
        return err->code;
    begin_file(lines);
    bp_buf_add(&lines->file, line, len);
    lines->file_lines++;
    lines->files->lines++;
    lines->files->bytes += (int64_t)len;
    lines->ends = bp_chunk_ends(lines->file.len,
                                &(struct bp_chunk_row){.text = line, .len = len, .key = lines->key},
                                lines->fences);
    return BP_OK;
}

enum bp_code bp_lines_add_bytes(struct bp_lines *lines, const char *bytes, size_t len,
                                struct bp_err *err)
{
    bp_buf_add(&lines->file, bytes, len);
    lines->file_lines++;
    return lines->file.len >= BYTES_PER_FILE ? end_file(lines, err) : BP_OK;
}

enum bp_code bp_lines_end(struct bp_lines *lines, bool empty, struct bp_err *err)
{
    if (lines->file_lines == 0 && !empty)
        return BP_OK;
    begin_file(lines);
    return end_file(lines, err);
}

void bp_lines_free(struct bp_lines *lines)
{
    bp_buf_free(&lines->file);
}

static void describe(struct bp_manifest *manifest, const char *path, int64_t bytes,
                     const char *sha256)
{
    struct bp_manifest_file *entry = bp_manifest_add_file(manifest, path, bytes);

    memcpy(entry->sha256, sha256, sizeof(entry->sha256));
}

/* Contents that are alike share one sealed file. */
static enum bp_code stage_sealed(struct bp_stage *stage, const char *path,
                                 const struct bp_stage_file *file, struct bp_err *err)
{
    const struct bp_sealed *sealed = &file->sealed;
    char *place = bp_sealing_path(sealed->name);

    describe(stage->manifest, path, file->bytes, file->sha256);
    stage->manifest->files[stage->manifest->file_count - 1].sealed = place;
    if (!bp_sealing_first(stage->sealing, sealed->name))
        return BP_OK;
    describe(stage->outer, place, sealed->bytes, sealed->sha256);
    return stage->store->ops->stage(stage->store, place, &sealed->blob, false, err);
}

static enum bp_code stage(struct bp_stage *stage, const char *path,
                          const struct bp_stage_file *file, struct bp_err *err)
{
    if (file->sealed.name[0] != '\0')
        return stage_sealed(stage, path, file, err);
    describe(stage->manifest, path, file->bytes, file->sha256);
    return stage->store->ops->stage(stage->store, path, &file->blob, false, err);
}

enum bp_code bp_stage_open_text(struct bp_stage *to, const char *path, const char *text,
                                bool executable, struct bp_err *err)
{
    struct bp_stage_file file = {0};

    if (bp_sealing_put(NULL, to->store, text, strlen(text), &file, err) != BP_OK)
        return bp_wrap(err, "'%s'", path);
    describe(to->manifest, path, file.bytes, file.sha256);
    if (bp_sealing_is_on(to->sealing))
        describe(to->outer, path, file.bytes, file.sha256);
    return to->store->ops->stage(to->store, path, &file.blob, executable, err);
}

enum bp_code bp_stage_text(struct bp_stage *to, const char *path, const char *text, size_t len,
                           struct bp_err *err)
{
    struct bp_stage_file file = {0};

    if (check_size(len, "back the schemas up apart, with --schema and a --backup-branch for each",
                   err) != BP_OK ||
        bp_sealing_put(to->sealing, to->store, text, len, &file, err) != BP_OK)
        return bp_wrap(err, "'%s'", path);
    return stage(to, path, &file, err);
}

enum bp_code bp_stage_files(struct bp_stage *to, const char *base, const char *ext,
                            const struct bp_stage_files *files, struct bp_list *paths,
                            struct bp_err *err)
{
    for (size_t i = 0; i < files->count; i++) {
        BP_AUTO(bp_freep)
        char *path = files->count == 1 ? bp_format("%s%s", base, ext)
                                       : bp_format("%s/%05zu%s", base, i + 1, ext);

        if (stage(to, path, &files->at[i], err) != BP_OK)
            return err->code;
        if (paths != NULL)
            bp_list_add(paths, path);
    }
    return BP_OK;
}
