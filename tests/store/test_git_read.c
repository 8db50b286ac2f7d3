#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "test_git_box.h"

static struct git_box box;
static struct bp_err err;

static void set_up(void)
{
    git_box_open(&box);
}

static void tear_down(void)
{
    git_box_close(&box);
}

TestSuite(store_git_read, .init = set_up, .fini = tear_down, .timeout = 60);

/* A file of an earlier archive goes into the next one without anybody reading it. */
Test(store_git_read, what_was_found_is_staged_again_and_never_fetched)
{
    BP_AUTO(bp_store_freep) struct bp_store *writer = git_box_store(&box);
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    BP_AUTO(bp_freep) char *text = NULL;
    struct bp_blob blob = {0};

    git_box_put(writer, "top", "sealed/ab/c", "what was sealed");
    store = git_box_store(&box);
    cr_assert_eq(store->ops->base(store, "top", &err), BP_OK, "%s", err.msg);
    cr_assert_eq(store->ops->find(store, "top/sealed/ab/c", &blob, &err), BP_OK, "%s", err.msg);
    cr_expect(blob.known, "the base has it");
    cr_assert_eq(store->ops->stage(store, "sealed/ab/c", &blob, false, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(git_box_commit(store, "next", &err), BP_OK, "%s", err.msg);
    text = git_box_text(store, "next/sealed/ab/c");
    cr_expect_str_eq(text, "what was sealed");
}

Test(store_git_read, what_is_no_file_is_not_found)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    struct bp_blob blob = {0};

    git_box_put(store, "top", "folder/f", "x");
    cr_expect_eq(store->ops->find(store, "top/folder", &blob, &err), BP_ENOTFOUND);
    cr_expect_eq(store->ops->find(store, "top/g", &blob, &err), BP_ENOTFOUND);
    cr_expect_not_null(strstr(err.msg, "'top/g'"), "%s", err.msg);
}

enum { READERS = 4, FILES = 50 };

static void *read_all(void *ctx)
{
    struct bp_store *store = ctx;

    for (int i = 0; i < FILES; i++) {
        BP_AUTO(bp_freep) char *path = bp_format("top/f%d", i);
        BP_AUTO(bp_freep) char *wanted = bp_format("content of %d", i);
        BP_AUTO(bp_buf_free) struct bp_buf text = {0};
        struct bp_err why = {0};

        if (store->ops->read(store, path, 100, &text, &why) != BP_OK ||
            strcmp(bp_buf_str(&text), wanted) != 0)
            return ctx;
    }
    return NULL;
}

Test(store_git_read, several_threads_may_read_at_once)
{
    BP_AUTO(bp_store_freep) struct bp_store *writer = git_box_store(&box);
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    pthread_t threads[READERS];

    for (int i = 0; i < FILES; i++) {
        BP_AUTO(bp_freep) char *name = bp_format("f%d", i);
        BP_AUTO(bp_freep) char *text = bp_format("content of %d", i);

        git_box_stage(writer, name, text);
    }
    cr_assert_eq(git_box_commit(writer, "top", &err), BP_OK, "%s", err.msg);
    store = git_box_store(&box);
    for (int i = 0; i < READERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, read_all, store), 0);
    for (int i = 0; i < READERS; i++) {
        void *failed = NULL;

        cr_assert_eq(pthread_join(threads[i], &failed), 0);
        cr_expect_null(failed);
    }
}

/* As it is after Git has tidied up: the older of two contents is a difference from the newer. */
Test(store_git_read, contents_that_are_deltas_on_this_machine_are_read_too)
{
    static const char *const paths[] = {"top/a/b/c/old", "top/a/b/c/new"};
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    struct bp_list all = {0};

    bp_free(git_box_run(
        &box, "git clone -q server.git w 2>/dev/null; mkdir -p w/top/a/b/c; cd w; "
              "seq 5000 >top/a/b/c/old; seq 5001 >top/a/b/c/new; git checkout -q -b main; "
              "git add .; git commit -qm x; git push -q origin main; "
              "git -C ../server.git repack -qadf --window=10"));
    store = git_box_store(&box);
    bp_list_add(&all, "top");
    cr_assert_eq(store->ops->fetch(store, &all, &err), BP_OK, "%s", err.msg);
    bp_list_free(&all);
    for (size_t i = 0; i < 2; i++) {
        BP_AUTO(bp_freep) char *text = git_box_text(store, paths[i]);
        BP_AUTO(bp_freep) char *wanted = git_box_run(&box, "cat w/%s", paths[i]);

        cr_expect_eq(strncmp(text, wanted, strlen(wanted)), 0, "%s is '%.40s'...", paths[i], text);
        cr_expect_leq(strlen(text), strlen(wanted) + 1);
    }
}

/* What the fast way cannot read, libgit2 has the words for. */
Test(store_git_read, a_damaged_content_on_this_machine_is_named)
{
    BP_AUTO(bp_store_freep) struct bp_store *writer = git_box_store(&box);
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_freep) char *numbers = git_box_run(&box, "seq 5000");
    struct bp_list all = {0};

    git_box_put(writer, "top", "a/b/c/f", numbers);
    store = git_box_store(&box);
    bp_list_add(&all, "top");
    cr_assert_eq(store->ops->fetch(store, &all, &err), BP_OK, "%s", err.msg);
    bp_list_free(&all);
    bp_free(git_box_run(&box, "cd server.git && f=objects/$(git rev-parse main:top/a/b/c/f | "
                              "sed 's,..,&/,') && chmod u+w $f && truncate -s -3 $f && "
                              "printf xxx >>$f"));
    cr_expect_neq(store->ops->read(store, "top/a/b/c/f", 1 << 20, &text, &err), BP_OK);
    cr_expect_not_null(strstr(err.msg, "read 'top/a/b/c/f' of the branch 'main'"), "%s", err.msg);
    cr_expect_eq(text.len, 0);
}
