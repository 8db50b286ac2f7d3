#include "store/git_inflate.h"

#include <errno.h>
#include <isa-l.h>
#include <unistd.h>

#include "base/mem.h"

enum { READ_SIZE = 128 << 10, OUT_MOST = 1 << 30 };

struct bp_git_inflate {
    int fd;
    int64_t at; /* of the next bytes in the file */
    bool ended; /* the file has no more, or cannot be read */
    struct inflate_state state;
    unsigned char input[READ_SIZE];
};

struct bp_git_inflate *bp_git_inflate_new(int fd, int64_t at)
{
    /* Not zeroed, which would take longer than reading a small file. */
    struct bp_git_inflate *in = bp_realloc(NULL, 1, sizeof(*in));

    in->fd = fd;
    in->at = at;
    in->ended = false;
    isal_inflate_init(&in->state);
    in->state.crc_flag = ISAL_ZLIB;
    return in;
}

static void fill(struct bp_git_inflate *in)
{
    ssize_t got = -1;

    do {
        got = pread(in->fd, in->input, sizeof(in->input), in->at);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        in->ended = true;
        return;
    }
    in->at += got;
    in->state.next_in = in->input;
    in->state.avail_in = (uint32_t)got;
}

/* Go on until there is no more room for output, or to the end; false: it cannot go on. */
static bool inflate(struct bp_git_inflate *in)
{
    struct inflate_state *state = &in->state;

    while (state->avail_out > 0 && state->block_state != ISAL_BLOCK_FINISH) {
        uint32_t before = state->avail_out;

        if (state->avail_in == 0)
            fill(in);
        if (isal_inflate(state) != ISAL_DECOMP_OK)
            return false;
        /* Without more input it may still hold output back. */
        if (in->ended && state->avail_out == before && state->block_state != ISAL_BLOCK_FINISH)
            return false;
    }
    return true;
}

bool bp_git_inflate_read(struct bp_git_inflate *in, void *out, size_t len)
{
    unsigned char *at = out;

    while (len > 0) {
        uint32_t part = len < OUT_MOST ? (uint32_t)len : OUT_MOST;

        in->state.next_out = at;
        in->state.avail_out = part;
        if (!inflate(in) || in->state.avail_out > 0)
            return false;
        at += part;
        len -= part;
    }
    return true;
}

bool bp_git_inflate_end(struct bp_git_inflate *in)
{
    unsigned char more = 0;

    in->state.next_out = &more;
    in->state.avail_out = 1;
    return inflate(in) && in->state.avail_out == 1;
}

void bp_git_inflate_freep(struct bp_git_inflate **in)
{
    bp_freep(in);
}
