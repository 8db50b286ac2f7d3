#include "store/git_blobs.h"

#include <criterion/criterion.h>
#include <git2.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "test_git_box.h"

enum { LIMIT = 1 << 20, READERS = 4 };

static struct git_box box;
static struct bp_git_blobs *blobs;

static void set_up(void)
{
    BP_AUTO(bp_freep) char *folder = NULL;

    git_box_open(&box);
    folder = bp_format("%s/objects", box.bare);
    blobs = bp_git_blobs_new(folder);
}

static void tear_down(void)
{
    bp_git_blobs_freep(&blobs);
    git_box_close(&box);
}

TestSuite(store_git_blobs, .init = set_up, .fini = tear_down, .timeout = 60);

/* A content in a file of its own. The text holds no quotes. */
static git_oid write_loose(const char *text)
{
    BP_AUTO(bp_freep)
    char *hex = git_box_run(&box, "printf '%s' | git -C server.git hash-object -w --stdin", text);
    git_oid id;

    cr_assert_eq(git_oid_fromstrn(&id, hex, 40), 0, "%s", hex);
    return id;
}

/* All loose ones go into one more pack, and none is left. */
static void pack_with(const char *options)
{
    bp_free(git_box_run(&box,
                        "cd server.git && find objects/?? -type f | sed 's,objects/,,; s,/,,' | "
                        "git pack-objects -q %s objects/pack/pack && git prune-packed",
                        options));
}

/* The content; NULL: libgit2 is asked. Owned. */
static char *text_of(const git_oid *id, size_t limit)
{
    struct bp_buf text = {0};

    bp_buf_puts(&text, "> ");
    if (bp_git_blobs_read(blobs, id, limit, &text))
        return bp_buf_take(&text);
    cr_expect_str_eq(bp_buf_str(&text), "> ", "it left something behind");
    bp_buf_free(&text);
    return NULL;
}

static void expect(const git_oid *id, const char *wanted)
{
    BP_AUTO(bp_freep) char *text = text_of(id, LIMIT);

    cr_assert_not_null(text, "'%s' was not read", wanted);
    cr_expect_str_eq(text, wanted);
}

static void expect_not(const git_oid *id)
{
    BP_AUTO(bp_freep) char *text = text_of(id, LIMIT);

    cr_expect_null(text, "it read '%s'", text);
}

Test(store_git_blobs, reads_contents_in_files_of_their_own)
{
    git_oid id = write_loose("hello");
    git_oid empty = write_loose("");

    expect(&id, "> hello");
    expect(&empty, "> ");
}

Test(store_git_blobs, reads_contents_in_packs)
{
    git_oid ids[100];

    for (int i = 0; i < 100; i++) {
        BP_AUTO(bp_freep) char *text = bp_format("content %d", i);

        ids[i] = write_loose(text);
    }
    pack_with("--window=0");
    for (int i = 0; i < 100; i++) {
        BP_AUTO(bp_freep) char *wanted = bp_format("> content %d", i);

        expect(&ids[i], wanted);
    }
}

Test(store_git_blobs, reads_from_packs_that_come_later)
{
    git_oid first = write_loose("first");
    git_oid second;

    pack_with("");
    expect(&first, "> first");
    second = write_loose("second");
    pack_with("");
    expect(&second, "> second");
    expect(&first, "> first");
}

Test(store_git_blobs, goes_on_reading_what_was_packed_again_meanwhile)
{
    git_oid id = write_loose("here");

    pack_with("");
    expect(&id, "> here");
    bp_free(git_box_run(&box, "rm -f server.git/objects/pack/*"));
    expect(&id, "> here");
}

Test(store_git_blobs, reads_what_stands_behind_two_gibibytes_in_a_table_of_its_own)
{
    git_oid id = write_loose("far away");

    pack_with("--index-version=2,0"); /* as if every place were far */
    expect(&id, "> far away");
}

Test(store_git_blobs, leaves_to_libgit2_what_is_larger_than_the_limit)
{
    git_oid id = write_loose("12345");
    BP_AUTO(bp_freep) char *loose = text_of(&id, 4);
    BP_AUTO(bp_freep) char *packed = NULL;
    BP_AUTO(bp_freep) char *fits = NULL;

    pack_with("");
    packed = text_of(&id, 4);
    fits = text_of(&id, 5);
    cr_expect_null(loose);
    cr_expect_null(packed);
    cr_expect_str_eq(fits, "> 12345");
}

Test(store_git_blobs, leaves_to_libgit2_what_is_no_content)
{
    BP_AUTO(bp_freep) char *hex = NULL;
    git_oid tree;

    (void)write_loose("x");
    hex = git_box_run(&box, "cd server.git && git mktree </dev/null");
    cr_assert_eq(git_oid_fromstrn(&tree, hex, 40), 0);
    expect_not(&tree);
    pack_with("");
    expect_not(&tree);
}

/* One of the two is written as the difference from the other. */
Test(store_git_blobs, leaves_deltas_to_libgit2)
{
    BP_AUTO(bp_freep) char *one = NULL;
    BP_AUTO(bp_freep) char *two = NULL;
    BP_AUTO(bp_freep) char *deltas = NULL;
    BP_AUTO(bp_freep)
    char *first = git_box_run(&box, "seq 5000 >a; git -C server.git hash-object -w ../a");
    BP_AUTO(bp_freep)
    char *second = git_box_run(&box, "seq 5001 >a; git -C server.git hash-object -w ../a");
    git_oid ids[2];

    cr_assert_eq(git_oid_fromstrn(&ids[0], first, 40), 0);
    cr_assert_eq(git_oid_fromstrn(&ids[1], second, 40), 0);
    pack_with("--window=10");
    deltas = git_box_run(&box, "git verify-pack -v server.git/objects/pack/*.idx | "
                               "grep -c 'blob.* 1 [0-9a-f]*$'");
    cr_assert_str_eq(deltas, "1");
    one = text_of(&ids[0], LIMIT);
    two = text_of(&ids[1], LIMIT);
    cr_expect((one == NULL) != (two == NULL), "one of them is whole");
}

Test(store_git_blobs, knows_nothing_of_what_is_not_there)
{
    static const git_oid nothing;
    BP_AUTO(bp_git_blobs_freep) struct bp_git_blobs *nowhere = bp_git_blobs_new("/nonexistent");
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    expect_not(&nothing);
    cr_expect_not(bp_git_blobs_read(nowhere, &nothing, LIMIT, &text));
}

/* What a damaged file may say: `python` changes the bytes b of the file of this kind. */
static void damage(const char *kind, const char *python)
{
    bp_free(git_box_run(
        &box,
        "f=$(ls server.git/objects/%s); chmod u+w $f; python3 -c 'import struct, sys, zlib\n"
        "b = bytearray(open(sys.argv[1], \"rb\").read())\n"
        "%s\n"
        "open(sys.argv[1], \"wb\").write(b)' $f",
        kind, python));
}

/* Three contents, of which the first has its 20 bytes of name at 1032 and its place at 1104. */
static git_oid make_pack(void)
{
    git_oid id = write_loose("one");

    (void)write_loose("two");
    (void)write_loose("three");
    pack_with("--window=0");
    return id;
}

static void start_anew(void)
{
    bp_git_blobs_freep(&blobs);
    git_box_close(&box);
    set_up();
}

Test(store_git_blobs, a_damaged_index_says_nothing)
{
    static const char *const damages[] = {
        "b[0] ^= 1",                                    /* no index */
        "b[7] = 3",                                     /* of another version */
        "b[8:1032] = b\"\\xff\" * 1024",                /* four thousand million objects */
        "b[8:12] = b\"\\xff\\xff\\xff\\xff\"",          /* fewer and fewer */
        "b[1028:1032] = struct.pack(\">I\", 4000)",     /* more than there is room for */
        "b[1032:1092] = bytes(60)",                     /* other names */
        "b[1104:1116] = b\"\\x7f\\xff\\xff\\xff\" * 3", /* behind the end of the pack */
        "b[1104:1116] = bytes(12)",                     /* in its head */
        "b[1104:1116] = b\"\\xff\\xff\\xff\\xff\" * 3", /* in a table that is not there */
        "b[1104:1116] = b\"\\x80\\x00\\x00\\x00\" * 3", /* what follows is no place */
        "del b[1100:]",
        "del b[40:]",
        "del b[:]",
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        git_oid id = make_pack();
        BP_AUTO(bp_freep) char *text = NULL;

        damage("pack/*.idx", damages[i]);
        text = text_of(&id, LIMIT);
        cr_expect_null(text, "%s: it read '%s'", damages[i], text);
        start_anew();
    }
}

Test(store_git_blobs, a_damaged_pack_gives_nothing)
{
    static const char *const damages[] = {
        "b[0] ^= 1",                                                     /* no pack */
        "b[7] = 9",                                                      /* of another version */
        "b[12:] = b\"\\xb0\" + b\"\\xff\" * 40",                         /* a size without an end */
        "b[12:] = b\"\\xb0\" + b\"\\x80\" * 4",                          /* that breaks off */
        "b[12:] = b\"\\xbf\" + b\"\\xff\" * 6 + b\"\\x0f\" + bytes(40)", /* and a large one */
        "b[12:] = b\"\\x60\" + bytes(40)",                    /* a delta of something before it */
        "b[12:] = bytes(len(b) - 12)",                        /* no type */
        "b[12:] = b\"\\x34\" + zlib.compress(b\"one\")",      /* fewer bytes than it says */
        "b[12:] = b\"\\x32\" + zlib.compress(b\"one\")",      /* more */
        "b[12:] = b\"\\x33\" + zlib.compress(b\"one\")[:-1]", /* not all of the checksum */
        "del b[13:]",
        "del b[12:]",
        "del b[:]",
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        git_oid id = write_loose("one");

        BP_AUTO(bp_freep) char *text = NULL;

        pack_with("");
        damage("pack/*.pack", damages[i]);
        text = text_of(&id, LIMIT);
        cr_expect_null(text, "%s: it read '%s'", damages[i], text);
        start_anew();
    }
}

Test(store_git_blobs, a_damaged_file_of_its_own_gives_nothing)
{
    static const char *const damages[] = {
        "b = zlib.compress(b\"blob 4\\0one\")",
        "b = zlib.compress(b\"blob 2\\0one\")",
        "b = zlib.compress(b\"blob -3\\0one\")",
        "b = zlib.compress(b\"blob 3\" + b\"one\")",
        "b = zlib.compress(b\"tree 3\\0one\")",
        "b = zlib.compress(b\"blob 99999999999999999999\\0one\")",
        "b = zlib.compress(b\"blob \" + b\"0\" * 60 + b\"3\\0one\")",
        "b = zlib.compress(b\"\")",
        "b = b\"blob 3\\0one\"",
        "b[-1] ^= 1",
        "del b[:]",
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        git_oid id = write_loose("one");
        BP_AUTO(bp_freep) char *text = NULL;

        damage("[0-9a-f][0-9a-f]/*", damages[i]);
        text = text_of(&id, LIMIT);
        cr_expect_null(text, "%s: it read '%s'", damages[i], text);
        start_anew();
    }
}

Test(store_git_blobs, a_pack_that_is_no_file_is_passed_over)
{
    git_oid id = make_pack();

    bp_free(git_box_run(&box,
                        "cd server.git/objects/pack && touch pack-a.idx && mkfifo pack-a.pack "
                        "pack-b.idx && mkdir pack-c.idx pack-c.pack && ln -s d pack-d.idx"));
    expect(&id, "> one");
}

static void *read_in_thread(void *ctx)
{
    const git_oid *ids = ctx;

    for (int i = 0; i < 100; i++) {
        BP_AUTO(bp_freep) char *wanted = bp_format("content %d", i);
        BP_AUTO(bp_buf_free) struct bp_buf text = {0};

        if (!bp_git_blobs_read(blobs, &ids[i], LIMIT, &text) ||
            strcmp(bp_buf_str(&text), wanted) != 0)
            return ctx;
    }
    return NULL;
}

Test(store_git_blobs, several_threads_may_read_at_once)
{
    pthread_t threads[READERS];
    git_oid ids[100];

    for (int i = 0; i < 100; i++) {
        BP_AUTO(bp_freep) char *text = bp_format("content %d", i);

        ids[i] = write_loose(text);
        if (i == 50)
            pack_with("");
    }
    for (int i = 0; i < READERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, read_in_thread, ids), 0);
    for (int i = 0; i < READERS; i++) {
        void *failed = NULL;

        cr_assert_eq(pthread_join(threads[i], &failed), 0);
        cr_expect_null(failed);
    }
}
