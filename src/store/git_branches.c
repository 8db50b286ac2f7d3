/* Which branches a backup repository has. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"

#define ORIGIN_HEADS "refs/remotes/origin/"

enum { BRANCHES_LIMIT = 10000 };

/* Lines "id TAB refs/heads/name". */
static enum bp_code read_names(const char *text, const char *folder, struct bp_list *out,
                               struct bp_err *err)
{
    BP_AUTO(bp_freep) char *copy = bp_strdup(text);
    char *rest = copy;

    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        const char *name = strchr(line, '\t');

        if (name == NULL || !bp_text_starts_with(name + 1, folder))
            continue;
        name += 1 + strlen(folder);
        if (strcmp(folder, ORIGIN_HEADS) == 0 && strcmp(name, "HEAD") == 0)
            continue;
        if (out->count == BRANCHES_LIMIT)
            return bp_fail(err, BP_EFAILED,
                           "the backup repository has more than %d branches; hint: name those "
                           "that matter with --branch",
                           BRANCHES_LIMIT);
        if (!bp_list_has(out, name))
            bp_list_add(out, name);
    }
    return BP_OK;
}

static enum bp_code ask(struct bp_git_store *git, const char *folder, struct bp_list *out,
                        struct bp_err *err)
{
    BP_AUTO(bp_freep) char *pattern = bp_format("%s*", folder);
    const char *const argv[] = {"git", "ls-remote", "--quiet", BP_GIT_REMOTE, pattern, NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};

    if (bp_git_run(git, argv, NULL, &result, err) != BP_OK)
        return bp_wrap(err, "listing the branches of '%s'", git->options.url);
    if (result.exit_status != 0)
        return bp_git_fail_command(git, "ls-remote", &result, err);
    return read_names(bp_buf_str(&result.out), folder, out, err);
}

static void free_git(struct bp_git_store *git)
{
    bp_git_env_free(&git->env);
    bp_git_url_free(&git->url);
}

enum bp_code bp_git_branches(const struct bp_git_options *options, struct bp_list *out,
                             struct bp_err *err)
{
    BP_AUTO(free_git) struct bp_git_store git = {.options = *options, .ref_folder = BP_GIT_HEADS};

    if (bp_git_url_parse(options->url, &git.url, err) != BP_OK ||
        bp_git_env_build(&git, err) != BP_OK || bp_git_wire_check(&git, err) != BP_OK ||
        ask(&git, BP_GIT_HEADS, out, err) != BP_OK)
        return err->code;
    if (git.url.transport == BP_GIT_LOCAL && ask(&git, ORIGIN_HEADS, out, err) != BP_OK)
        return err->code;
    bp_list_sort(out);
    return BP_OK;
}
