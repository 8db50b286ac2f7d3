#include "store/git_internal.h"

static void patch_freep(git_patch **patch)
{
    git_patch_free(*patch);
    *patch = NULL;
}

static void start_end(const int *started)
{
    if (*started >= 0)
        (void)git_libgit2_shutdown();
}

static const char *text_of(const struct bp_buf *text)
{
    return text != NULL ? bp_buf_str(text) : NULL;
}

static size_t len_of(const struct bp_buf *text)
{
    return text != NULL ? text->len : 0;
}

enum bp_code bp_store_patch(const char *path, const struct bp_buf *old, const struct bp_buf *now,
                            struct bp_buf *out, struct bp_err *err)
{
    git_diff_options options = GIT_DIFF_OPTIONS_INIT;
    BP_AUTO(start_end) int started = git_libgit2_init();
    BP_AUTO(patch_freep) git_patch *patch = NULL;
    git_buf text = {0};
    int result = started;

    options.flags = GIT_DIFF_FORCE_TEXT;
    if (result >= 0)
        result = git_patch_from_buffers(&patch, text_of(old), len_of(old), path, text_of(now),
                                        len_of(now), path, &options);
    /* Without hunks there is nothing to tell: not even the names of the two files. */
    if (result >= 0 && (git_patch_num_hunks(patch) > 0 || old == NULL || now == NULL))
        result = git_patch_to_buf(&text, patch);
    if (result < 0)
        return bp_git_fail(err, result, "compare two versions of '%s'", path);
    bp_buf_add(out, text.ptr, text.size);
    git_buf_dispose(&text);
    return BP_OK;
}
