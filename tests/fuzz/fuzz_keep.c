/* archive/keep.h: what can be read can be edited, and an edit changes one archive alone. */
#include <string.h>

#include "archive/keep.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"

static const char id[] = "2024-01-15T14-30-45Z";

/* All marks but that of id are the same. */
static void check_others(const struct bp_marks *was, const struct bp_marks *is)
{
    size_t next = 0;

    for (size_t i = 0; i < was->count; i++) {
        if (strcmp(was->at[i].id, id) == 0)
            continue;
        while (next < is->count && strcmp(is->at[next].id, id) == 0)
            next++;
        must(next < is->count && strcmp(is->at[next].id, was->at[i].id) == 0);
        must(strcmp(is->at[next++].reason, was->at[i].reason) == 0);
    }
}

static void check_edit(const char *text, const struct bp_marks *was, const char *reason)
{
    BP_AUTO(bp_buf_free) struct bp_buf edited = {0};
    BP_AUTO(bp_marks_free) struct bp_marks is = {0};
    struct bp_err err;

    bp_marks_edit(text, id, reason, &edited);
    if (edited.len > BP_KEEP_LIMIT)
        return;
    must(bp_marks_parse(bp_buf_str(&edited), edited.len, &is, &err) == BP_OK);
    must((bp_marks_find(&is, id) != NULL) == (reason != NULL));
    must(reason == NULL || strcmp(bp_marks_find(&is, id)->reason, reason) == 0);
    check_others(was, &is);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);
    BP_AUTO(bp_marks_free) struct bp_marks marks = {0};
    struct bp_archive_name name;
    struct bp_err err = {0};

    if (bp_marks_parse(text, strlen(text), &marks, &err) != BP_OK) {
        must(err.code == BP_EUSAGE && fuzz_is_plain(err.msg) && marks.count == 0);
        return 0;
    }
    for (size_t i = 0; i < marks.count; i++) {
        char folder[BP_ARCHIVE_ID_SIZE + 8] = "latest_";

        memcpy(folder + strlen(folder), marks.at[i].id, sizeof(marks.at[i].id));
        must(bp_archive_name_parse(folder, &name) && strcmp(name.id, marks.at[i].id) == 0);
    }
    check_edit(text, &marks, "why");
    check_edit(text, &marks, "");
    check_edit(text, &marks, NULL);
    return 0;
}
