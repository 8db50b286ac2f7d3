#include "gha/append.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

static void close_fdp(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* A pipe, say, cannot be asked: it begins a line. */
static bool in_a_line(int fd)
{
    struct stat info;
    char last = '\n';

    return fstat(fd, &info) == 0 && info.st_size > 0 &&
           pread(fd, &last, 1, info.st_size - 1) == 1 && last != '\n';
}

enum bp_code bp_gha_append(const char *variable, const char *path, const char *text,
                           struct bp_err *err)
{
    BP_AUTO(close_fdp) int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    BP_AUTO(bp_buf_free) struct bp_buf all = {0};
    size_t done = 0;

    if (fd < 0)
        return bp_fail(err, BP_EFAILED, "cannot open '%s' (%s): %m", path, variable);
    if (in_a_line(fd))
        bp_buf_putc(&all, '\n');
    bp_buf_puts(&all, text);
    while (done < all.len) {
        ssize_t put = write(fd, all.data + done, all.len - done);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return bp_fail(err, BP_EFAILED, "cannot write to '%s' (%s): %m", path, variable);
        done += (size_t)put;
    }
    return BP_OK;
}
