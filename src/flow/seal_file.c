#include "flow/seal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

#include "base/mem.h"
#include "flow/new_file.h"

enum { BLOCK = 64 << 10 };

/* The two ends, and what is between them. */
struct pipe {
    const struct bp_seal_file_job *job;
    int from;
    FILE *to; /* NULL: nobody wants it */
    struct bp_new_file file;
    struct bp_sealer *sealer;
    struct bp_unsealer *unsealer;
};

static void free_pipe(struct pipe *p)
{
    if (p->job->from != NULL && p->from >= 0)
        (void)close(p->from);
    bp_new_file_free(&p->file);
    bp_sealer_freep(&p->sealer);
    bp_unsealer_freep(&p->unsealer);
}

static const char *in_name(const struct pipe *p)
{
    return p->job->from != NULL ? p->job->from : "standard input";
}

static const char *out_name(const struct pipe *p)
{
    return p->job->to != NULL ? p->job->to : "standard output";
}

static enum bp_code open_from(struct pipe *p, struct bp_err *err)
{
    p->from = p->job->from != NULL ? open(p->job->from, O_RDONLY | O_CLOEXEC) : fileno(p->job->in);
    if (p->from < 0)
        return bp_fail(err, errno == ENOENT ? BP_ENOTFOUND : BP_EFAILED, "cannot open '%s': %m",
                       in_name(p));
    return BP_OK;
}

static enum bp_code open_to(struct pipe *p, mode_t mode, struct bp_err *err)
{
    if (p->job->to != NULL && bp_new_file_open(&p->file, p->job->to, mode, err) != BP_OK)
        return err->code;
    if (!p->job->dry)
        p->to = p->job->to != NULL ? p->file.to : p->job->out;
    return BP_OK;
}

static enum bp_code put(void *ctx, const void *data, size_t len, struct bp_err *err)
{
    const struct pipe *p = ctx;

    if (p->to != NULL && fwrite(data, 1, len, p->to) != len)
        return bp_fail(err, BP_EFAILED, "cannot write '%s': %m", out_name(p));
    return BP_OK;
}

/* The next bytes; none at the end. */
static enum bp_code get(const struct pipe *p, void *block, size_t *len, struct bp_err *err)
{
    ssize_t got = -1;
    bool ready = false;

    do {
        if (bp_stop_wait(p->job->stop, p->from, POLLIN, -1, &ready, err) != BP_OK)
            return err->code;
        got = ready ? read(p->from, block, BLOCK) : -1;
    } while (!ready || (got < 0 && errno == EINTR));
    if (got < 0)
        return bp_fail(err, BP_EFAILED, "cannot read '%s': %m", in_name(p));
    *len = (size_t)got;
    return BP_OK;
}

static enum bp_code add(struct pipe *p, const void *data, size_t len, struct bp_err *err)
{
    return p->sealer != NULL ? bp_sealer_add(p->sealer, data, len, err)
                             : bp_unsealer_add(p->unsealer, data, len, err);
}

static enum bp_code end(struct pipe *p, struct bp_err *err)
{
    return p->sealer != NULL ? bp_sealer_end(p->sealer, err) : bp_unsealer_end(p->unsealer, err);
}

static enum bp_code pump(struct pipe *p, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *block = bp_alloc(BLOCK, 1);
    size_t len = 0;

    do {
        if (get(p, block, &len, err) != BP_OK)
            return err->code;
        if ((len > 0 ? add(p, block, len, err) : end(p, err)) != BP_OK)
            return bp_wrap(err, "'%s'", in_name(p));
    } while (len > 0);
    return BP_OK;
}

static enum bp_code run(struct pipe *p, mode_t mode, struct bp_err *err)
{
    if (open_from(p, err) != BP_OK || open_to(p, mode, err) != BP_OK || pump(p, err) != BP_OK)
        return err->code;
    if (p->to == NULL)
        return BP_OK;
    if (p->job->to != NULL)
        return bp_new_file_keep(&p->file, err);
    if (fflush(p->to) != 0)
        return bp_fail(err, BP_EFAILED, "cannot write '%s': %m", out_name(p));
    return BP_OK;
}

enum bp_code bp_flow_seal_file(const struct bp_seal_file_job *job,
                               const struct bp_recipients *recipients, struct bp_err *err)
{
    BP_AUTO(free_pipe) struct pipe p = {.job = job, .from = -1};

    p.sealer = bp_sealer_new(recipients, put, &p);
    return run(&p, 0666, err);
}

enum bp_code bp_flow_unseal_file(const struct bp_seal_file_job *job,
                                 const struct bp_identities *identities, struct bp_err *err)
{
    BP_AUTO(free_pipe) struct pipe p = {.job = job, .from = -1};

    p.unsealer = bp_unsealer_new(identities, SIZE_MAX, put, &p);
    return run(&p, 0600, err);
}
