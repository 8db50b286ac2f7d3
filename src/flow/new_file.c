#include "flow/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"

static enum bp_code refuse_existing(const struct bp_new_file *file, struct bp_err *err)
{
    return bp_fail(err, BP_EUSAGE, "'%s' is there already; hint: give the name of a new file",
                   file->path);
}

static enum bp_code cannot_write(const struct bp_new_file *file, struct bp_err *err)
{
    return bp_fail(err, BP_EFAILED, "cannot write '%s': %m", file->path);
}

enum bp_code bp_new_file_open(struct bp_new_file *file, const char *path, mode_t mode,
                              struct bp_err *err)
{
    struct stat info;
    uint64_t mark = 0;
    int fd = -1;

    *file = (struct bp_new_file){.path = path};
    if (lstat(path, &info) == 0)
        return refuse_existing(file, err);
    bp_random(&mark, sizeof(mark));
    file->aside = bp_format("%s.%016" PRIx64, path, mark);
    fd = open(file->aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    file->to = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (file->to == NULL)
        return cannot_write(file, err);
    /* No copy of a secret stays behind in memory. */
    if ((mode & 077) == 0)
        (void)setvbuf(file->to, NULL, _IONBF, 0);
    return BP_OK;
}

enum bp_code bp_new_file_keep(struct bp_new_file *file, struct bp_err *err)
{
    if (fflush(file->to) != 0 || ferror(file->to) != 0 || fsync(fileno(file->to)) != 0)
        return cannot_write(file, err);
    /* A link, unlike a rename, never replaces what is there. */
    if (link(file->aside, file->path) == 0)
        return BP_OK;
    return errno == EEXIST ? refuse_existing(file, err) : cannot_write(file, err);
}

void bp_new_file_free(struct bp_new_file *file)
{
    if (file->to != NULL)
        (void)fclose(file->to);
    if (file->aside != NULL)
        (void)unlink(file->aside);
    bp_free(file->aside);
    *file = (struct bp_new_file){0};
}
