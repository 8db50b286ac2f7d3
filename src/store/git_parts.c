#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "store/git_internal.h"

/* Not a branch: nobody's clone gets it. */
#define UPLOADS "refs/backproof/upload/"

enum { ABANDONED_S = 24 * 60 * 60 };

static enum bp_code push_ref(struct bp_git_store *git, const char *refspec, struct bp_err *err)
{
    const char *argv[] = {"git", "push", "--quiet", "--no-verify", BP_GIT_REMOTE, refspec, NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    enum bp_code rc = bp_git_run(git, argv, NULL, &result, err);

    if (rc != BP_OK)
        return bp_wrap(err, "pushing to '%s'", git->options.url);
    return result.exit_status == 0 ? BP_OK : bp_git_fail_command(git, "push", &result, err);
}

/* What a run that was killed has left: a reference's name begins with its time. Best effort. */
static void remove_abandoned(struct bp_git_store *git)
{
    static const char *const argv[] = {"git", "ls-remote", BP_GIT_REMOTE, UPLOADS "*", NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    int64_t oldest = bp_clock_wall(git->options.clock) / 1000 - ABANDONED_S;
    struct bp_err err = {0};
    const char *line = NULL;

    if (bp_git_run(git, argv, NULL, &result, &err) != BP_OK || result.exit_status != 0)
        return;
    for (line = strstr(bp_buf_str(&result.out), UPLOADS); line != NULL;
         line = strstr(line + 1, UPLOADS)) {
        BP_AUTO(bp_freep) char *refspec = bp_format(":%.*s", (int)strcspn(line, "\n"), line);
        int64_t begun = strtoll(line + strlen(UPLOADS), NULL, 10);

        if (begun > 0 && begun < oldest)
            (void)push_ref(git, refspec, &err);
    }
}

static char *new_upload(struct bp_git_store *git)
{
    uint64_t number = 0;

    bp_random(&number, sizeof(number));
    return bp_format(UPLOADS "%" PRId64 "-%016" PRIx64, bp_clock_wall(git->options.clock) / 1000,
                     number);
}

/* The names of the files do not matter: nobody looks at them. */
static enum bp_code make_tree(struct bp_git_store *git, const struct bp_git_part *part,
                              git_oid *out, struct bp_err *err)
{
    BP_AUTO(bp_git_builder_freep) git_treebuilder *builder = NULL;
    enum bp_code rc = bp_git_start_tree(git, NULL, &builder, err);

    for (size_t i = 0; rc == BP_OK && i < part->count; i++) {
        const struct bp_git_item item = {.id = part->ids[i], .mode = GIT_FILEMODE_BLOB};
        char name[BP_STORE_ID_SIZE];

        (void)git_oid_tostr(name, sizeof(name), &item.id);
        rc = bp_git_set_entry(builder, name, &item, err);
    }
    return rc == BP_OK ? bp_git_finish_tree(builder, out, err) : rc;
}

static enum bp_code send_part(struct bp_git_store *git, const struct bp_git_part *part,
                              struct bp_err *err)
{
    git_oid tree;
    git_oid commit;
    struct bp_git_draft draft = {
        .root = &tree,
        .parent = git->sent_parts > 0 ? &git->last_part : NULL,
        .message = "A part of a backup that is on its way; it can go when the backup has ended.",
        .time_ms = bp_clock_wall(git->options.clock)};
    BP_AUTO(bp_freep) char *refspec = NULL;
    char hex[BP_STORE_ID_SIZE];
    enum bp_code rc = make_tree(git, part, &tree, err);

    if (rc == BP_OK)
        rc = bp_git_make_commit(git, &draft, &commit, err);
    if (rc != BP_OK)
        return rc;
    refspec = bp_format("%s:%s", git_oid_tostr(hex, sizeof(hex), &commit), git->upload);
    rc = push_ref(git, refspec, err);
    if (rc != BP_OK)
        return bp_wrap(err, "part %zu of a push in parts", git->sent_parts + 1);
    git->last_part = commit;
    git->sent_parts++;
    return BP_OK;
}

enum bp_code bp_git_parts_send(struct bp_git_store *git, struct bp_err *err)
{
    size_t count = 0;
    const struct bp_git_part *parts = bp_git_pack_parts(git->pack, &count);
    int64_t bytes = 0;
    enum bp_code rc = BP_OK;

    for (size_t i = git->sent_parts; i < count; i++)
        bytes += parts[i].bytes;
    while (rc == BP_OK && git->options.push_limit > 0 && bytes > git->options.push_limit &&
           git->sent_parts + 1 < count) {
        if (git->upload == NULL) {
            remove_abandoned(git);
            git->upload = new_upload(git);
        }
        bytes -= parts[git->sent_parts].bytes;
        rc = send_part(git, &parts[git->sent_parts], err);
    }
    return rc;
}

void bp_git_parts_remove(struct bp_git_store *git)
{
    BP_AUTO(bp_freep) char *refspec = bp_format(":%s", git->upload);
    struct bp_err err = {0};

    if (git->sent_parts > 0)
        (void)push_ref(git, refspec, &err);
    bp_freep(&git->upload);
}
