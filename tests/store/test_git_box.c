#include "test_git_box.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

static void share_vars(struct git_box *box)
{
    bp_list_take(&box->vars, NULL);
    box->vars.count--;
    box->env.vars = (const char *const *)box->vars.at;
}

void git_box_set(struct git_box *box, const char *variable)
{
    bp_list_add(&box->vars, variable);
    share_vars(box);
}

void git_box_open(struct git_box *box)
{
    struct bp_err err = {0};

    *box = (struct git_box){.clock = bp_clock_system(NULL)};
    cr_assert_eq(bp_tempdir_new("/tmp", &box->dir, &err), BP_OK, "%s", err.msg);
    box->bare = bp_format("%s/server.git", box->dir);
    box->temp = bp_format("%s/temp", box->dir);
    bp_list_addf(&box->vars, "PATH=%s", getenv("PATH"));
    bp_list_addf(&box->vars, "HOME=%s", box->dir);
    bp_list_add(&box->vars, "GIT_CONFIG_NOSYSTEM=1");
    bp_list_add(&box->vars, "GIT_AUTHOR_NAME=somebody");
    bp_list_add(&box->vars, "GIT_AUTHOR_EMAIL=somebody@example.test");
    bp_list_add(&box->vars, "GIT_COMMITTER_NAME=somebody");
    bp_list_add(&box->vars, "GIT_COMMITTER_EMAIL=somebody@example.test");
    share_vars(box);
    box->options = (struct bp_git_options){.url = box->bare,
                                           .branch = "main",
                                           .env = &box->env,
                                           .temp_parent = box->temp,
                                           .clock = &box->clock,
                                           .timeout_ms = 60000};
    bp_free(git_box_run(box, "mkdir temp && git init -q --bare -b main server.git && "
                             "git -C server.git config uploadpack.allowFilter true"));
}

void git_box_close(struct git_box *box)
{
    bp_tempdir_removep(&box->dir);
    bp_free(box->bare);
    bp_free(box->temp);
    bp_list_free(&box->vars);
}

char *git_box_run(struct git_box *box, const char *fmt, ...)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_buf_free) struct bp_buf command = {0};
    struct bp_err err = {0};
    va_list args;

    va_start(args, fmt);
    bp_buf_vprintf(&command, fmt, args);
    va_end(args);
    const char *argv[] = {"sh", "-c", bp_buf_str(&command), NULL};
    const struct bp_child_job job = {
        .argv = argv, .env = box->env.vars, .dir = box->dir, .clock = &box->clock};

    cr_assert_eq(bp_child_run(&job, &result, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(result.exit_status, 0, "%s: %s", argv[2], bp_buf_str(&result.errs));
    char *text = bp_buf_take(&result.out);
    bp_text_trim(text);
    return text;
}

void git_box_hook(struct git_box *box, const char *name, const char *body)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/hooks/%s", box->bare, name);
    BP_AUTO(bp_freep) char *text = bp_format("#!/bin/sh\n%s\n", body);
    struct bp_err err = {0};

    bp_free(git_box_run(box, "mkdir -p server.git/hooks"));
    cr_assert_eq(bp_file_write(path, text, strlen(text), &err), BP_OK, "%s", err.msg);
    bp_free(git_box_run(box, "chmod 755 server.git/hooks/%s", name));
}

struct bp_store *git_box_store(struct git_box *box)
{
    struct bp_store *store = bp_git_store_new(&box->options);
    struct bp_err err = {0};

    cr_assert_eq(store->ops->open(store, &err), BP_OK, "%s", err.msg);
    return store;
}

void git_box_stage(struct bp_store *store, const char *path, const char *text)
{
    struct bp_blob blob = {0};
    struct bp_err err = {0};

    cr_assert_eq(store->ops->put(store, text, strlen(text), &blob, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(store->ops->stage(store, path, &blob, false, &err), BP_OK, "%s", err.msg);
}

enum bp_code git_box_commit(struct bp_store *store, const char *to, struct bp_err *err)
{
    const struct bp_edit edit = {.kind = BP_EDIT_STAGED, .to = to};
    struct bp_store_commit commit;

    return store->ops->commit(store, &edit, 1, "a change\n", &commit, err);
}

void git_box_put(struct bp_store *store, const char *to, const char *name, const char *text)
{
    struct bp_err err = {0};

    git_box_stage(store, name, text);
    cr_assert_eq(git_box_commit(store, to, &err), BP_OK, "%s", err.msg);
}

char *git_box_text(struct bp_store *store, const char *path)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_err err = {0};

    if (store->ops->read(store, path, 1 << 20, &text, &err) != BP_OK)
        return bp_strdup(bp_code_name(err.code));
    return bp_strdup(bp_buf_str(&text));
}

char *git_box_names(struct bp_store *store, const char *path)
{
    BP_AUTO(bp_list_free) struct bp_list names = {0};
    struct bp_buf text = {0};
    struct bp_err err = {0};

    cr_assert_eq(store->ops->list(store, path, &names, &err), BP_OK, "%s", err.msg);
    for (size_t i = 0; i < names.count; i++)
        bp_buf_printf(&text, "%s%s", i > 0 ? " " : "", names.at[i]);
    return bp_buf_take(&text);
}

int git_box_held(struct git_box *box, const char *type)
{
    BP_AUTO(bp_freep)
    char *count = git_box_run(box,
                              "git -C temp/backproof-* cat-file --batch-check='%%(objecttype)' "
                              "--batch-all-objects | grep -c '^%s$' || true",
                              type);

    return atoi(count);
}
