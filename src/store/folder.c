#include "store/folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

enum { MANIFEST_LIMIT = 256 << 20, NAMES_LIMIT = 1000000, ID_LIMIT = 40 };

static const char latest[] = "backups/latest";

struct folder {
    struct bp_store base;
    char *path; /* as it was given, for messages */
    char *root; /* real; NULL before open() */
    enum bp_folder_kind kind;
    char *shown; /* of an archive: the path where it is shown */
};

static struct folder *from_base(struct bp_store *self)
{
    return (struct folder *)self;
}

static bool has(const char *path, const char *name, mode_t type)
{
    BP_AUTO(bp_freep) char *full = bp_format("%s/%s", path, name);
    struct stat info;

    return stat(full, &info) == 0 && (info.st_mode & S_IFMT) == type;
}

static bool is_git(const char *path)
{
    return has(path, ".git", S_IFDIR) || has(path, ".git", S_IFREG) ||
           (has(path, "HEAD", S_IFREG) && has(path, "objects", S_IFDIR));
}

enum bp_folder_kind bp_folder_kind(const char *path)
{
    if (is_git(path))
        return BP_FOLDER_OTHER;
    if (has(path, "manifest.json", S_IFREG))
        return BP_FOLDER_ARCHIVE;
    return has(path, "backups", S_IFDIR) ? BP_FOLDER_BACKUPS : BP_FOLDER_OTHER;
}

/* ---- paths ---- */

static bool is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* The part of the path that lies in the folder; NULL: there is nothing at such a path. */
static const char *inner_path(const struct folder *f, const char *path)
{
    if (f->shown == NULL)
        return path;
    if (!is_below(path, f->shown))
        return NULL;
    path += strlen(f->shown);
    return path[0] == '/' ? path + 1 : path;
}

/* Where it really is, links followed. BP_ENOTFOUND; BP_EFAILED: outside of the folder. */
static enum bp_code resolve(const struct folder *f, const char *path, char **out,
                            struct bp_err *err)
{
    const char *inner = inner_path(f, path);
    BP_AUTO(bp_freep) char *full = NULL;
    char *real = NULL;

    if (inner == NULL || f->root == NULL)
        return bp_fail(err, BP_ENOTFOUND, "there is no '%s' in '%s'", path, f->path);
    full = bp_format("%s/%s", f->root, inner);
    real = realpath(full, NULL);
    if (real == NULL && (errno == ENOENT || errno == ENOTDIR))
        return bp_fail(err, BP_ENOTFOUND, "there is no '%s' in '%s'", path, f->path);
    if (real == NULL)
        return bp_fail(err, BP_EFAILED, "cannot read '%s': %m", full);
    if (!is_below(real, f->root) && strcmp(f->root, "/") != 0) {
        bp_free(real);
        return bp_fail(err, BP_EFAILED,
                       "'%s' leads out of the folder '%s' and is not read; hint: copy the folder "
                       "with the files that its links name",
                       full, f->path);
    }
    *out = real;
    return BP_OK;
}

/* ---- opening ---- */

static bool is_id(const char *id)
{
    size_t len = strlen(id);

    return len > 0 && len <= ID_LIMIT &&
           strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") == len;
}

static enum bp_code show_archive(struct folder *f, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/manifest.json", f->root);
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_json_freep) struct bp_json *manifest = NULL;
    const char *id = NULL;

    if (bp_file_read(path, MANIFEST_LIMIT, &text, err) != BP_OK)
        return err->code;
    if (bp_json_parse(bp_buf_str(&text), text.len, &manifest, err) == BP_OK)
        id = bp_json_get_text(manifest, "id");
    if (id == NULL || !is_id(id))
        return bp_fail(err, BP_EINTEGRITY,
                       "the manifest of '%s' is damaged: it does not tell the archive's id; hint: "
                       "copy the archive again",
                       f->path);
    bp_free(f->shown);
    f->shown = bp_format("%s/latest_%s", latest, id);
    return BP_OK;
}

static enum bp_code folder_open(struct bp_store *self, struct bp_err *err)
{
    struct folder *f = from_base(self);

    f->kind = bp_folder_kind(f->path);
    bp_free(f->root);
    f->root = f->kind != BP_FOLDER_OTHER ? realpath(f->path, NULL) : NULL;
    if (f->root == NULL)
        return bp_fail(err, BP_ENOTFOUND, "'%s' holds neither a folder 'backups' nor an archive",
                       f->path);
    return f->kind == BP_FOLDER_ARCHIVE ? show_archive(f, err) : BP_OK;
}

static bool folder_exists(struct bp_store *self)
{
    return from_base(self)->root != NULL;
}

static const char *folder_message(struct bp_store *self)
{
    (void)self;
    return "";
}

static enum bp_code folder_is_public(struct bp_store *self, bool *out, struct bp_err *err)
{
    (void)self;
    (void)err;
    *out = false;
    return BP_OK;
}

/* ---- reading ---- */

static enum bp_code list_names(const char *path, struct bp_list *names, struct bp_err *err)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, NULL); // cppcheck-suppress nullPointer

    if (count < 0 && (errno == ENOENT || errno == ENOTDIR))
        return BP_OK;
    if (count < 0)
        return bp_fail(err, BP_EFAILED, "cannot read the folder '%s': %m", path);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;

        if (count <= NAMES_LIMIT && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            bp_list_add(names, name);
        bp_free(entries[i]);
    }
    bp_free(entries);
    if (count > NAMES_LIMIT)
        return bp_fail(err, BP_EFAILED, "the folder '%s' holds more than %d names", path,
                       NAMES_LIMIT);
    bp_list_sort(names);
    return BP_OK;
}

static enum bp_code folder_list(struct bp_store *self, const char *path, struct bp_list *names,
                                struct bp_err *err)
{
    const struct folder *f = from_base(self);
    BP_AUTO(bp_freep) char *real = NULL;
    enum bp_code rc = BP_OK;

    if (f->shown != NULL && strcmp(path, latest) == 0) {
        bp_list_add(names, f->shown + strlen(latest) + 1);
        return BP_OK;
    }
    rc = resolve(f, path, &real, err);
    if (rc == BP_ENOTFOUND)
        return BP_OK;
    return real != NULL ? list_names(real, names, err) : rc;
}

static enum bp_code folder_fetch(struct bp_store *self, const struct bp_list *paths,
                                 struct bp_err *err)
{
    (void)self;
    (void)paths;
    (void)err;
    return BP_OK;
}

static enum bp_code folder_read(struct bp_store *self, const char *path, size_t limit,
                                struct bp_buf *out, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *real = NULL;
    struct stat info;

    if (resolve(from_base(self), path, &real, err) != BP_OK || real == NULL)
        return err->code;
    /* a pipe would never end */
    if (stat(real, &info) != 0 || !S_ISREG(info.st_mode))
        return bp_fail(err, BP_ENOTFOUND, "'%s' is no file", real);
    return bp_file_read(real, limit, out, err);
}

static int64_t folder_held(struct bp_store *self)
{
    (void)self;
    return 0;
}

/* ---- writing: nothing does ---- */

static enum bp_code refuse(struct bp_store *self, struct bp_err *err)
{
    return bp_fail(err, BP_EUSAGE,
                   "'%s' is a copy without its Git repository and is only read; hint: name the "
                   "backup repository itself with --backup-repo",
                   from_base(self)->path);
}

static enum bp_code folder_base(struct bp_store *self, const char *path, struct bp_err *err)
{
    (void)path;
    return refuse(self, err);
}

static enum bp_code folder_put(struct bp_store *self, const void *data, size_t len,
                               struct bp_blob *out, struct bp_err *err)
{
    (void)data;
    (void)len;
    (void)out;
    return refuse(self, err);
}

/* Nothing that is found here could be staged. */
static enum bp_code folder_find(struct bp_store *self, const char *path, struct bp_blob *out,
                                struct bp_err *err)
{
    (void)path;
    (void)out;
    return refuse(self, err);
}

static enum bp_code folder_stage(struct bp_store *self, const char *path,
                                 const struct bp_blob *blob, bool executable, struct bp_err *err)
{
    (void)path;
    (void)blob;
    (void)executable;
    return refuse(self, err);
}

static enum bp_code folder_commit(struct bp_store *self, const struct bp_edit *edits, size_t count,
                                  const char *message, struct bp_store_commit *out,
                                  struct bp_err *err)
{
    (void)edits;
    (void)count;
    (void)message;
    (void)out;
    return refuse(self, err);
}

static enum bp_code folder_rewrite(struct bp_store *self, const struct bp_store_step *steps,
                                   size_t count, struct bp_store_commit *out, struct bp_err *err)
{
    (void)steps;
    (void)count;
    (void)out;
    return refuse(self, err);
}

static enum bp_code folder_weigh(struct bp_store *self, int64_t *bytes, struct bp_err *err)
{
    *bytes = 0;
    return refuse(self, err);
}

static void folder_free(struct bp_store *self)
{
    struct folder *f = from_base(self);

    bp_free(f->path);
    bp_free(f->root);
    bp_free(f->shown);
    bp_free(f);
}

struct bp_store *bp_folder_store_new(const char *path)
{
    static const struct bp_store_ops ops = {.open = folder_open,
                                            .exists = folder_exists,
                                            .refresh = folder_open,
                                            .message = folder_message,
                                            .is_public = folder_is_public,
                                            .list = folder_list,
                                            .fetch = folder_fetch,
                                            .read = folder_read,
                                            .find = folder_find,
                                            .base = folder_base,
                                            .put = folder_put,
                                            .hash = folder_put,
                                            .held = folder_held,
                                            .stage = folder_stage,
                                            .commit = folder_commit,
                                            .rewrite = folder_rewrite,
                                            .weigh = folder_weigh,
                                            .free = folder_free};
    struct folder *f = bp_alloc(1, sizeof(*f));

    f->base.ops = &ops;
    f->path = bp_strdup(path);
    return &f->base;
}
