#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"

static void close_fdp(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

enum bp_code bp_file_read(const char *path, size_t limit, struct bp_buf *out, struct bp_err *err)
{
    BP_AUTO(close_fdp) int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t before = out->len;
    char part[16384];
    ssize_t got = 0;

    if (fd < 0)
        return bp_fail(err, errno == ENOENT ? BP_ENOTFOUND : BP_EFAILED, "cannot open '%s': %m",
                       path);
    while ((got = read(fd, part, sizeof(part))) > 0) {
        bp_buf_add(out, part, (size_t)got);
        if (out->len - before > limit)
            return bp_fail(err, BP_EFAILED, "'%s' is larger than the limit of %zu bytes", path,
                           limit);
    }
    if (got < 0)
        return bp_fail(err, BP_EFAILED, "cannot read '%s': %m", path);
    return BP_OK;
}

static enum bp_code write_all(int fd, const char *path, const char *data, size_t len,
                              struct bp_err *err)
{
    while (len > 0) {
        ssize_t put = write(fd, data, len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return bp_fail(err, BP_EFAILED, "cannot write '%s': %m", path);
        data += put;
        len -= (size_t)put;
    }
    return BP_OK;
}

enum bp_code bp_file_write(const char *path, const void *data, size_t len, struct bp_err *err)
{
    BP_AUTO(close_fdp) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        return bp_fail(err, BP_EFAILED, "cannot write '%s': %m", path);
    (void)fchmod(fd, 0600); /* one that was there keeps its mode */
    return write_all(fd, path, data, len, err);
}

/* The folders that a path goes through. */
static enum bp_code make_folders(const char *path, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *folder = bp_strdup(path);

    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0777) != 0 && errno != EEXIST)
            return bp_fail(err, BP_EFAILED, "cannot make the folder '%s': %m", folder);
        *slash = '/';
    }
    return BP_OK;
}

/* Under a name of its own, which the caller removes. */
static enum bp_code write_aside(const char *aside, const char *text, struct bp_err *err)
{
    BP_AUTO(close_fdp) int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0)
        return bp_fail(err, BP_EFAILED, "cannot write '%s': %m", aside);
    if (write_all(fd, aside, text, strlen(text), err) != BP_OK)
        return err->code;
    if (fsync(fd) != 0)
        return bp_fail(err, BP_EFAILED, "cannot write '%s': %m", aside);
    return BP_OK;
}

static void removep(char **path)
{
    (void)unlink(*path);
    bp_freep(path);
}

enum bp_code bp_file_put(const char *path, const char *text, bool replace, struct bp_err *err)
{
    uint64_t mark = 0;

    bp_random(&mark, sizeof(mark));
    BP_AUTO(removep) char *aside = bp_format("%s.%016" PRIx64, path, mark);

    if (make_folders(path, err) != BP_OK || write_aside(aside, text, err) != BP_OK)
        return err->code;
    /* A link, unlike a rename, never replaces what is there. */
    if ((replace ? rename(aside, path) : link(aside, path)) == 0)
        return BP_OK;
    if (errno == EEXIST)
        return bp_fail(err, BP_ELOCKED, "'%s' is there already", path);
    return bp_fail(err, BP_EFAILED, "cannot write '%s': %m", path);
}

bool bp_file_is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

enum bp_code bp_tempdir_new(const char *parent, char **out_path, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/backproof-XXXXXX", parent);

    if (mkdtemp(path) == NULL)
        return bp_fail(err, BP_EFAILED,
                       "cannot make a temporary folder in '%s': %m; hint: set TMPDIR to a folder "
                       "with free space",
                       parent);
    *out_path = path;
    path = NULL;
    return BP_OK;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    (void)remove(path);
    return 0;
}

void bp_tempdir_removep(char **path)
{
    if (*path != NULL)
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): it is, unless FTW_CHDIR is given */
        (void)nftw(*path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    bp_freep(path);
}
