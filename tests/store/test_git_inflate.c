#include "store/git_inflate.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "test_git_box.h"

enum { LEN = 300000, GUARD = 64 };

static struct git_box box;
static char *file;

static void set_up(void)
{
    git_box_open(&box);
    file = bp_format("%s/stream", box.dir);
}

static void tear_down(void)
{
    bp_freep(&file);
    git_box_close(&box);
}

TestSuite(store_git_inflate, .init = set_up, .fini = tear_down, .timeout = 60);

/* Lines that are not all alike, as zlib writes them; `more` changes the bytes z of the stream. */
static int make(int level, const char *more)
{
    bp_free(git_box_run(
        &box,
        "python3 -c 'import zlib\n"
        "t = b\"\".join(b\"line %%d of %%d\\n\" %% (n, n * n) for n in range(20000))\n"
        "z = bytearray(zlib.compress(t[:%d], %d))\n"
        "%s\n"
        "open(\"stream\", \"wb\").write(b\"before\" + z); open(\"text\", \"wb\").write(t[:%d])'",
        LEN, level, more, LEN));
    return open(file, O_RDONLY | O_CLOEXEC);
}

static bool is_right(const char *text)
{
    BP_AUTO(bp_freep) char *wanted_file = bp_format("%s/text", box.dir);
    BP_AUTO(bp_freep) char *wanted = bp_alloc(1, LEN);
    int fd = open(wanted_file, O_RDONLY | O_CLOEXEC);
    bool read_all = read(fd, wanted, LEN) == LEN;

    (void)close(fd);
    return read_all && memcmp(wanted, text, LEN) == 0;
}

/* Read it all in pieces; what follows in the buffer stays as it was. */
static bool read_in(int fd, size_t piece, char *text)
{
    BP_AUTO(bp_git_inflate_freep) struct bp_git_inflate *in = bp_git_inflate_new(fd, 6);

    for (size_t at = 0; at < LEN; at += piece) {
        if (!bp_git_inflate_read(in, text + at, piece < LEN - at ? piece : LEN - at))
            return false;
    }
    return bp_git_inflate_end(in);
}

static bool reads(int fd)
{
    BP_AUTO(bp_freep) char *text = bp_alloc(1, LEN + GUARD);
    static const char nothing[GUARD];
    bool done = read_in(fd, LEN, text);

    cr_expect_eq(memcmp(text + LEN, nothing, GUARD), 0, "it wrote more than was asked for");
    (void)close(fd);
    return done;
}

Test(store_git_inflate, gives_what_was_compressed_at_any_level_in_pieces_of_any_size)
{
    static const size_t pieces[] = {LEN, 1, 7, 65536};

    for (int level = 0; level <= 9; level += 3) {
        for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
            BP_AUTO(bp_freep) char *text = bp_alloc(1, LEN);
            int fd = make(level, "");

            cr_expect(read_in(fd, pieces[i], text), "level %d, %zu at a time", level, pieces[i]);
            cr_expect(is_right(text), "level %d, %zu at a time", level, pieces[i]);
            (void)close(fd);
        }
    }
}

Test(store_git_inflate, what_follows_the_stream_does_not_matter)
{
    cr_expect(reads(make(6, "z += b\"more\"")));
}

Test(store_git_inflate, an_end_that_comes_too_early_or_too_late_is_noticed)
{
    BP_AUTO(bp_git_inflate_freep) struct bp_git_inflate *early = NULL;
    BP_AUTO(bp_git_inflate_freep) struct bp_git_inflate *late = NULL;
    BP_AUTO(bp_freep) char *text = bp_alloc(1, LEN + 1);
    int fd = make(6, "");

    early = bp_git_inflate_new(fd, 6);
    cr_expect_not(bp_git_inflate_read(early, text, LEN + 1));
    late = bp_git_inflate_new(fd, 6);
    cr_expect(bp_git_inflate_read(late, text, LEN - 1));
    cr_expect_not(bp_git_inflate_end(late));
    (void)close(fd);
}

Test(store_git_inflate, whatever_is_damaged_is_noticed)
{
    static const char *const damages[] = {
        "z[0] ^= 1",  /* it says that it is no zlib */
        "z[1] |= 32", /* a dictionary is wanted */
        "z[2] |= 6",  /* no kind of block */
        "z[-1] ^= 1", /* the checksum */
        "del z[-1]",
        "del z[-4:]",
        "del z[len(z) // 2:]",
        "del z[1:]",
        "del z[:]",
        "z[len(z) // 2] ^= 255", /* something in between */
        "z[40:4000] = bytes(3960)",
        "z[40:4000] = b\"\\xff\" * 3960",
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
        cr_expect_not(reads(make(6, damages[i])), "%s", damages[i]);
}

Test(store_git_inflate, any_byte_may_be_wrong)
{
    for (int i = 0; i < 20; i++) {
        BP_AUTO(bp_freep)
        char *damage = bp_format("z[%d * (len(z) - 1) // 19] ^= 1 << %d %% 8", i, i);

        cr_expect_not(reads(make(6, damage)), "%s", damage);
    }
}

Test(store_git_inflate, a_file_that_cannot_be_read_is_noticed)
{
    BP_AUTO(bp_git_inflate_freep) struct bp_git_inflate *in = bp_git_inflate_new(-1, 0);
    char c = 0;

    cr_expect_not(bp_git_inflate_read(in, &c, 1));
}
