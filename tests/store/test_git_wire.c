#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "test_git_box.h"

TestSuite(store_git_wire, .timeout = 60);

Test(store_git_wire, the_users_own_ssh_is_kept)
{
    struct git_box box;
    struct bp_err err = {0};
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;

    git_box_open(&box);
    bp_free(git_box_run(&box, "printf '#!/bin/sh\\necho \"git@host: Permission denied "
                              "(publickey).\" >&2\\nexit 255\\n' > ssh && chmod 755 ssh"));
    BP_AUTO(bp_freep) char *command = bp_format("GIT_SSH_COMMAND=%s/ssh", box.dir);
    git_box_set(&box, command);
    box.options.url = "git@host.test:owner/name.git";
    store = bp_git_store_new(&box.options);
    cr_expect_eq(store->ops->open(store, &err), BP_EAUTH);
    cr_expect_str_eq(err.msg, "cannot read the backup repository 'git@host.test:owner/name.git': "
                              "git@host: Permission denied (publickey).; hint: does the server "
                              "know the SSH key, and can ssh read it?");
    bp_store_freep(&store);
    git_box_close(&box);
}

Test(store_git_wire, an_old_git_or_none_is_told)
{
    struct git_box box;
    struct bp_err err = {0};
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;

    git_box_open(&box);
    bp_free(git_box_run(&box, "mkdir bin && printf '#!/bin/sh\\necho git version 2.30.2\\n' "
                              "> bin/git && chmod 755 bin/git"));
    store = bp_git_store_new(&box.options);
    BP_AUTO(bp_freep) char *path = bp_format("%s/bin:/usr/bin:/bin", box.dir);

    cr_assert_eq(setenv("PATH", path, 1), 0);
    cr_expect_eq(store->ops->open(store, &err), BP_EUSAGE);
    cr_expect_str_eq(err.msg, "git is version 2.30; hint: install 2.31 or newer");
    cr_assert_eq(setenv("PATH", "/nonexistent", 1), 0);
    cr_expect_eq(store->ops->open(store, &err), BP_EUSAGE);
    cr_expect_str_eq(err.msg, "cannot run git; hint: install it");
    bp_store_freep(&store);
    git_box_close(&box);
}
