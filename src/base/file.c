#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

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

enum bp_code bp_file_write(const char *path, const void *data, size_t len, struct bp_err *err)
{
    BP_AUTO(close_fdp) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const char *p = data;

    if (fd < 0)
        return bp_fail(err, BP_EFAILED, "cannot write '%s': %m", path);
    (void)fchmod(fd, 0600); /* one that was there keeps its mode */
    while (len > 0) {
        ssize_t put = write(fd, p, len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return bp_fail(err, BP_EFAILED, "cannot write '%s': %m", path);
        p += put;
        len -= (size_t)put;
    }
    return BP_OK;
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
