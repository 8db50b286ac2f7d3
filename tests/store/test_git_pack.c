#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/random.h"
#include "store/git_pack.h"
#include "test_git_box.h"

static struct git_box box;
static struct bp_git_pack *pack;
static struct bp_err err;
static char *folder;

/* A repository without a store: what is in it, git says. */
static void set_up(void)
{
    (void)git_libgit2_init();
    git_box_open(&box);
    folder = bp_format("%s/objects/pack", box.bare);
    pack = bp_git_pack_new(folder, BP_GIT_PACK_MOST);
}

static void tear_down(void)
{
    bp_git_pack_freep(&pack);
    bp_freep(&folder);
    git_box_close(&box);
    (void)git_libgit2_shutdown();
}

TestSuite(store_git_pack, .init = set_up, .fini = tear_down, .timeout = 60);

static void expect_output(const char *wanted, const char *command)
{
    BP_AUTO(bp_freep) char *got = git_box_run(&box, "%s", command);

    cr_expect_str_eq(got, wanted, "%s gave '%s', not '%s'", command, got, wanted);
}

static git_oid add(const void *data, size_t len)
{
    git_oid id;

    bp_git_pack_name(data, len, &id);
    cr_assert_eq(bp_git_pack_add(pack, &id, data, len, &err), BP_OK, "%s", err.msg);
    return id;
}

static void end(void)
{
    cr_assert_eq(bp_git_pack_end(pack, &err), BP_OK, "%s", err.msg);
}

Test(store_git_pack, a_name_is_the_one_that_git_gives)
{
    char hex[64];
    git_oid id;

    bp_git_pack_name("hello\n", 6, &id);
    cr_expect_str_eq(git_oid_tostr(hex, sizeof(hex), &id),
                     "ce013625030ba8dba906f756967f9e9ca394464a");
    bp_git_pack_name("", 0, &id);
    cr_expect_str_eq(git_oid_tostr(hex, sizeof(hex), &id),
                     "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
}

Test(store_git_pack, git_finds_a_pack_of_any_content_good)
{
    /* Sizes around those where the head of an object grows by a byte, and what is not compressible.
     */
    static const size_t sizes[] = {0, 1, 15, 16, 2047, 2048, 262143, 262144, 3000000};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        BP_AUTO(bp_freep) char *noise = bp_alloc(1, sizes[i] + 1);
        BP_AUTO(bp_freep) char *plain = bp_alloc(1, sizes[i] + 1);

        bp_random(noise, sizes[i]);
        memset(plain, 'a', sizes[i]);
        (void)add(noise, sizes[i]);
        (void)add(plain, sizes[i]);
    }
    end();
    expect_output(
        "", "git -C server.git fsck --full --strict --no-dangling 2>&1 | grep -v ^notice || true");
    expect_output(
        "ok", "cd server.git && git index-pack --strict --verify objects/pack/*.pack >/dev/null && "
              "echo ok");
    expect_output("17", "git -C server.git cat-file --batch-all-objects --batch-check | wc -l");
    expect_output("3000000", "git -C server.git cat-file -s $(head -c 3000000 /dev/zero | "
                             "tr '\\0' a | git hash-object --stdin)");
    expect_output("0", "find server.git/objects -name 'tmp*' | wc -l");
}

Test(store_git_pack, the_index_is_the_one_that_git_would_write)
{
    for (int i = 0; i < 1000; i++) {
        char text[32];
        int len = snprintf(text, sizeof(text), "content %d\n", i);

        (void)add(text, (size_t)len);
    }
    end();
    expect_output("same", "git index-pack -o i.idx server.git/objects/pack/*.pack >/dev/null && "
                          "cmp i.idx server.git/objects/pack/*.idx && echo same");
}

Test(store_git_pack, a_content_is_in_a_pack_once)
{
    for (int i = 0; i < 200; i++) {
        char text[32];
        int len = snprintf(text, sizeof(text), "%d", i % 100);

        (void)add(text, (size_t)len);
    }
    end();
    expect_output("100",
                  "cd server.git && git verify-pack -v objects/pack/*.idx | grep -c ' blob '");
}

Test(store_git_pack, nothing_makes_no_pack)
{
    end();
    expect_output("0", "find server.git/objects/pack -type f | wc -l");
}

Test(store_git_pack, a_pack_that_was_not_ended_leaves_nothing)
{
    (void)add("x", 1);
    cr_expect_gt(bp_git_pack_open_bytes(pack), 0);
    expect_output("1", "find server.git/objects/pack -name 'tmp_pack_*' | wc -l");
    bp_git_pack_freep(&pack);
    expect_output("0", "find server.git/objects/pack -type f | wc -l");
}

Test(store_git_pack, a_pack_ends_at_its_limit)
{
    struct bp_git_part part = {0};
    BP_AUTO(bp_freep) char *noise = bp_alloc(1, 40000);

    bp_git_pack_freep(&pack);
    pack = bp_git_pack_new(folder, 100000);
    for (int i = 0; i < 7; i++) {
        bp_random(noise, 40000);
        (void)add(noise, 40000);
    }
    for (size_t i = 0; i < 2; i++) {
        cr_assert(bp_git_pack_part(pack, i, &part));
        cr_expect_eq(part.count, 3);
        cr_expect_geq(part.bytes, 100000);
    }
    cr_expect_not(bp_git_pack_part(pack, 2, &part));
    end();
    cr_assert(bp_git_pack_part(pack, 2, &part));
    cr_expect_eq(part.count, 1);
    cr_expect_eq(bp_git_pack_open_bytes(pack), 0);
    expect_output(
        "", "git -C server.git fsck --full --strict --no-dangling 2>&1 | grep -v ^notice || true");
    expect_output("7", "git -C server.git cat-file --batch-all-objects --batch-check | wc -l");
}

Test(store_git_pack, a_folder_that_is_gone_is_said)
{
    git_oid id;

    bp_git_pack_freep(&pack);
    pack = bp_git_pack_new("/nonexistent/pack", 1000);
    bp_git_pack_name("x", 1, &id);
    cr_expect_eq(bp_git_pack_add(pack, &id, "x", 1, &err), BP_EFAILED);
    cr_expect_str_eq(err.msg,
                     "cannot begin a pack in '/nonexistent/pack': No such file or directory");
}

/* As when the disk is full: no file may become larger than this many bytes. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {0};

    (void)signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void expect_objects(const char *wanted)
{
    end();
    expect_output("", "cd server.git && git index-pack --strict -o i.idx objects/pack/*.pack 2>&1 "
                      ">/dev/null && cmp i.idx objects/pack/*.idx");
    expect_output(wanted,
                  "cd server.git && git verify-pack -v objects/pack/*.idx | grep -c ' blob '");
}

Test(store_git_pack, one_that_could_not_be_ended_goes_on)
{
    char text[32];

    for (int i = 0; i < 70; i++)
        (void)add(text, (size_t)snprintf(text, sizeof(text), "%d", i));
    limit_files((rlim_t)bp_git_pack_open_bytes(pack) + 5);
    cr_expect_eq(bp_git_pack_end(pack, &err), BP_EFAILED);
    limit_files((rlim_t)bp_git_pack_open_bytes(pack) + 500);
    cr_expect_eq(bp_git_pack_end(pack, &err), BP_EFAILED, "the index does not fit");
    limit_files(RLIM_INFINITY);
    for (int i = 0; i < 72; i++)
        (void)add(text, (size_t)snprintf(text, sizeof(text), "%d", i));
    expect_objects("72");
}

Test(store_git_pack, a_content_that_was_written_in_part_is_not_in_it)
{
    BP_AUTO(bp_freep) char *noise = bp_alloc(1, 40000);
    git_oid id;

    (void)add("x", 1);
    bp_random(noise, 40000);
    bp_git_pack_name(noise, 40000, &id);
    limit_files(20000);
    cr_expect_eq(bp_git_pack_add(pack, &id, noise, 40000, &err), BP_EFAILED);
    limit_files(RLIM_INFINITY);
    (void)add("y", 1);
    expect_objects("2");
}

Test(store_git_pack, one_that_could_not_be_begun_is_begun_again)
{
    git_oid id;

    bp_git_pack_name("x", 1, &id);
    limit_files(5);
    cr_expect_eq(bp_git_pack_add(pack, &id, "x", 1, &err), BP_EFAILED);
    limit_files(RLIM_INFINITY);
    (void)add("x", 1);
    expect_objects("1");
}

enum { THREADS = 4, EACH = 300 };

static atomic_int failures;

/* Every second content is everybody's. */
static void *put_many(void *ctx)
{
    struct bp_err own = {0};

    for (int i = 0; i < EACH; i++) {
        char text[64];
        int len = snprintf(text, sizeof(text), "%d of %d\n", i, i % 2 == 0 ? 0 : *(int *)ctx);
        git_oid id;

        bp_git_pack_name(text, (size_t)len, &id);
        if (bp_git_pack_add(pack, &id, text, (size_t)len, &own) != BP_OK ||
            (i % 100 == 99 && bp_git_pack_end(pack, &own) != BP_OK))
            failures++;
    }
    return NULL;
}

Test(store_git_pack, several_threads_add_and_end_at_once)
{
    int numbers[THREADS] = {1, 2, 3, 4};
    pthread_t threads[THREADS];

    for (int t = 0; t < THREADS; t++)
        cr_assert_eq(pthread_create(&threads[t], NULL, put_many, &numbers[t]), 0);
    for (int t = 0; t < THREADS; t++)
        cr_assert_eq(pthread_join(threads[t], NULL), 0);
    end();
    cr_expect_eq(failures, 0);
    expect_output(
        "", "git -C server.git fsck --full --strict --no-dangling 2>&1 | grep -v ^notice || true");
    expect_output("750", "git -C server.git cat-file --batch-all-objects --batch-check | wc -l");
}
