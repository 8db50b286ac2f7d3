#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "store/git_internal.h"
#include "test_git_box.h"

enum { THREADS = 4, BLOBS = 60, SHARED = 20 };

static struct git_box box;
static struct bp_store *store;
static struct bp_err err;

static void set_up(void)
{
    git_box_open(&box);
    store = git_box_store(&box);
}

static void tear_down(void)
{
    bp_store_freep(&store);
    git_box_close(&box);
}

TestSuite(store_git_stage, .init = set_up, .fini = tear_down, .timeout = 60);

static void expect_output(const char *wanted, const char *command)
{
    BP_AUTO(bp_freep) char *got = git_box_run(&box, "%s", command);

    cr_expect_str_eq(got, wanted, "%s gave '%s', not '%s'", command, got, wanted);
}

/* One that puts its own contents, and some that all put. */
struct putter {
    pthread_t thread;
    int number;
    struct bp_blob blobs[BLOBS];
    enum bp_code rc;
    struct bp_err err;
};

static atomic_int ready;

static char *content(const struct putter *self, int i)
{
    /* Of all lengths up to some 100 kB. */
    struct bp_buf text = {0};

    bp_buf_printf(&text, "content %d of %d\n", i, i < SHARED ? -1 : self->number);
    for (int n = 0; n < i * i; n++)
        bp_buf_printf(&text, "line %d of number %d\n", n, i);
    return bp_buf_take(&text);
}

static void *put_all(void *arg)
{
    struct putter *self = arg;

    atomic_fetch_add(&ready, 1);
    while (atomic_load(&ready) < THREADS) {
        /* All begin at once: the first to ask looks up what the tip holds. */
    }
    for (int i = 0; i < BLOBS && self->rc == BP_OK; i++) {
        BP_AUTO(bp_freep) char *text = content(self, i);

        self->rc = store->ops->put(store, text, strlen(text), &self->blobs[i], &self->err);
    }
    return NULL;
}

static struct putter putters[THREADS];

static void put_at_once(void)
{
    atomic_store(&ready, 0);
    for (int i = 0; i < THREADS; i++) {
        putters[i] = (struct putter){.number = i};
        cr_assert_eq(pthread_create(&putters[i].thread, NULL, put_all, &putters[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(putters[i].thread, NULL);
        cr_assert_eq(putters[i].rc, BP_OK, "%s", putters[i].err.msg);
    }
}

static void stage_all(void)
{
    for (int t = 0; t < THREADS; t++) {
        for (int i = 0; i < BLOBS; i++) {
            BP_AUTO(bp_freep) char *path = bp_format("%d/%d", t, i);

            cr_assert_eq(store->ops->stage(store, path, &putters[t].blobs[i], false, &err), BP_OK,
                         "%s", err.msg);
        }
    }
}

Test(store_git_stage, what_several_threads_put_at_once_all_arrives)
{
    put_at_once();
    stage_all();
    cr_assert_eq(git_box_commit(store, "x", &err), BP_OK, "%s", err.msg);
    expect_output("", "git -C server.git fsck --strict --full 2>&1");
    expect_output("240", "git -C server.git ls-tree -r main | wc -l");
    for (int t = 0; t < THREADS; t++) {
        for (int i = 0; i < BLOBS; i += 7) {
            BP_AUTO(bp_freep) char *path = bp_format("x/%d/%d", t, i);
            BP_AUTO(bp_freep) char *wanted = content(&putters[t], i);
            BP_AUTO(bp_freep) char *got = git_box_text(store, path);

            cr_expect_str_eq(got, wanted, "%s", path);
        }
    }
}

Test(store_git_stage, one_content_is_one_object_whoever_puts_it)
{
    put_at_once();
    for (int t = 1; t < THREADS; t++) {
        for (int i = 0; i < BLOBS; i++)
            cr_expect_eq(strcmp(putters[t].blobs[i].id, putters[0].blobs[i].id) == 0, i < SHARED,
                         "number %d of thread %d", i, t);
    }
    cr_expect_eq(git_box_held(&box, "blob"), 0, "the pack has not ended");
    cr_assert_eq(bp_git_pack_end(((struct bp_git_store *)store)->pack, &err), BP_OK);
    cr_expect_eq(git_box_held(&box, "blob"), SHARED + THREADS * (BLOBS - SHARED));
}

Test(store_git_stage, what_the_base_holds_is_known_to_every_thread)
{
    put_at_once();
    for (int t = 0; t < THREADS; t++)
        cr_expect_not(putters[t].blobs[0].known);
    stage_all();
    cr_assert_eq(git_box_commit(store, "x", &err), BP_OK, "%s", err.msg);
    bp_store_freep(&store);
    store = git_box_store(&box);
    cr_assert_eq(store->ops->base(store, "x", &err), BP_OK, "%s", err.msg);
    put_at_once();
    for (int t = 0; t < THREADS; t++) {
        for (int i = 0; i < BLOBS; i++)
            cr_expect(putters[t].blobs[i].known, "number %d of thread %d", i, t);
    }
    cr_assert_eq(bp_git_pack_end(((struct bp_git_store *)store)->pack, &err), BP_OK);
    cr_expect_eq(git_box_held(&box, "blob"), 0, "nothing of it was written again");
}

Test(store_git_stage, to_hash_writes_nothing)
{
    struct bp_blob hashed = {0};
    struct bp_blob put = {0};

    cr_assert_eq(store->ops->hash(store, "hello\n", 6, &hashed, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(hashed.id, "ce013625030ba8dba906f756967f9e9ca394464a");
    cr_expect_not(hashed.known);
    cr_expect_eq(git_box_held(&box, "blob"), 0);
    cr_assert_eq(store->ops->put(store, "hello\n", 6, &put, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(put.id, hashed.id);
    cr_assert_eq(bp_git_pack_end(((struct bp_git_store *)store)->pack, &err), BP_OK);
    cr_expect_eq(git_box_held(&box, "blob"), 1);
}

Test(store_git_stage, nothing_at_all_is_a_content_too)
{
    struct bp_blob blob = {0};

    cr_assert_eq(store->ops->put(store, NULL, 0, &blob, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(blob.id, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    cr_assert_eq(store->ops->stage(store, "empty", &blob, false, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(git_box_commit(store, "x", &err), BP_OK, "%s", err.msg);
    expect_output("0", "git -C server.git cat-file -s main:x/empty");
}
