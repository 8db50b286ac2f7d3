#include "gha/summary.h"

#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "gha/append.h"

static const char note[] = "\n... shortened, GitHub shows at most 1 MiB\n";

/* How many bytes may still be added. */
static size_t room_in(const char *path)
{
    struct stat info;
    size_t used = 1; /* a line end may be needed first */

    if (stat(path, &info) == 0 && info.st_size > 0)
        used += (size_t)info.st_size;
    return used < BP_GHA_SUMMARY_LIMIT ? BP_GHA_SUMMARY_LIMIT - used : 0;
}

static void shorten(struct bp_buf *text, size_t room)
{
    size_t keep = room > strlen(note) ? room - strlen(note) : 0;

    if (text->len <= room)
        return;
    while (keep > 0 && text->data[keep - 1] != '\n')
        keep--;
    bp_buf_cut(text, keep);
    if (keep + strlen(note) <= room)
        bp_buf_puts(text, note);
}

enum bp_code bp_gha_summary(const struct bp_env *env, const struct bp_secrets *secrets,
                            const char *markdown, struct bp_err *err)
{
    const char *path = bp_env_get(env, "GITHUB_STEP_SUMMARY");
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (path == NULL)
        return BP_OK;
    bp_secrets_mask(secrets, markdown, &text);
    shorten(&text, room_in(path));
    if (text.len == 0)
        return BP_OK;
    return bp_gha_append("GITHUB_STEP_SUMMARY", path, bp_buf_str(&text), err);
}
