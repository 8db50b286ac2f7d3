#include "flow/correlate.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

void bp_seen_runs(struct bp_seen *seen, const struct bp_runs *before)
{
    for (size_t i = 0; i < before->count; i++) {
        if (before->at[i].id > seen->newest)
            seen->newest = before->at[i].id;
    }
}

void bp_seen_claim(struct bp_seen *seen, int64_t id)
{
    seen->claimed = bp_realloc(seen->claimed, seen->claimed_count + 1, sizeof(*seen->claimed));
    seen->claimed[seen->claimed_count++] = id;
}

void bp_seen_free(struct bp_seen *seen)
{
    bp_free(seen->claimed);
    *seen = (struct bp_seen){0};
}

static bool is_claimed(const struct bp_seen *seen, int64_t id)
{
    for (size_t i = 0; i < seen->claimed_count; i++) {
        if (seen->claimed[i] == id)
            return true;
    }
    return false;
}

/* Whether this run may be the one, as far as what is seen tells. */
static bool may_be_ours(const struct bp_seen *seen, const struct bp_run *run)
{
    if (run->id <= seen->newest || strcmp(run->event, "workflow_dispatch") != 0 ||
        is_claimed(seen, run->id))
        return false;
    if (run->created_ms != 0 && run->created_ms < seen->since_ms - BP_SEEN_SLACK_MS)
        return false;
    if (seen->robot && run->actor[0] != '\0' && !bp_text_ends_with(run->actor, "[bot]"))
        return false;
    return seen->actor == NULL || run->actor[0] == '\0' || strcasecmp(seen->actor, run->actor) == 0;
}

const struct bp_run *bp_correlate(const struct bp_seen *seen, const struct bp_runs *runs,
                                  const char *branch, const char *mark)
{
    const struct bp_run *found = NULL;

    for (size_t i = 0; i < runs->count; i++) {
        const struct bp_run *run = &runs->at[i];

        if (strcmp(run->branch, branch) == 0 && may_be_ours(seen, run) &&
            (mark == NULL || strstr(run->title, mark) != NULL) &&
            (found == NULL || run->id < found->id))
            found = run;
    }
    return found;
}

const struct bp_run *bp_runs_find(const struct bp_runs *runs, int64_t id)
{
    for (size_t i = 0; i < runs->count; i++) {
        if (runs->at[i].id == id)
            return &runs->at[i];
    }
    return NULL;
}

const struct bp_run *bp_runs_newest(const struct bp_runs *runs, const char *branch)
{
    const struct bp_run *newest = NULL;

    for (size_t i = 0; i < runs->count; i++) {
        const struct bp_run *run = &runs->at[i];

        if (strcmp(run->branch, branch) == 0 && (newest == NULL || run->id > newest->id))
            newest = run;
    }
    return newest;
}
