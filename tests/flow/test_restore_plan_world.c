#include "flow/test_restore_plan_world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { LIMIT = 1 << 20 };

void plan_world_text(const char *name, struct bp_buf *out)
{
    const char *data = getenv("BP_TEST_DATA");
    BP_AUTO(bp_freep)
    char *path = bp_format("%s/definitions/%s", data != NULL ? data : "tests/data", name);
    struct bp_err err = {0};

    cr_assert_eq(bp_file_read(path, LIMIT, out, &err), BP_OK, "%s", err.msg);
}

void plan_world_parse(const char *name, struct bp_script *out)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_err err = {0};

    plan_world_text(name, &text);
    cr_assert_eq(bp_script_parse(text.data, text.len, out, &err), BP_OK, "%s", err.msg);
}

static void add_table(struct plan_world *w, const char *schema, const char *name)
{
    struct bp_manifest_table *table = bp_manifest_add_table(&w->manifest);

    table->schema = bp_strdup(schema);
    table->name = bp_strdup(name);
}

void plan_world_open(struct plan_world *w)
{
    static const char *const names[] = {"roles.sql", "pre-data.sql", "sequences.sql",
                                        "post-data.sql", "refresh.sql"};

    *w = (struct plan_world){0};
    add_table(w, "app", "users");
    add_table(w, "app", "orders");
    add_table(w, "other", "log");
    for (size_t i = 0; i < 5; i++)
        plan_world_text(names[i], &w->text[i]);
    w->texts = (struct bp_restore_texts){.roles = bp_buf_str(&w->text[0]),
                                         .pre_data = bp_buf_str(&w->text[1]),
                                         .sequences = bp_buf_str(&w->text[2]),
                                         .post_data = bp_buf_str(&w->text[3]),
                                         .refresh = bp_buf_str(&w->text[4])};
}

void plan_world_close(struct plan_world *w)
{
    bp_manifest_free(&w->manifest);
    for (size_t i = 0; i < 5; i++)
        bp_buf_free(&w->text[i]);
    bp_list_free(&w->chosen);
    bp_list_free(&w->mapped);
    bp_list_free(&w->skipped);
    bp_restore_plan_free(&w->plan);
}

enum bp_code plan_world_make(struct plan_world *w)
{
    bp_restore_plan_free(&w->plan);
    bp_list_free(&w->skipped);
    return bp_restore_plan_make(&w->manifest, &w->texts, &w->want, &w->plan, &w->skipped, &w->err);
}

const struct bp_restore_step *plan_world_step(const struct bp_restore_steps *steps,
                                              const char *label)
{
    for (size_t i = 0; i < steps->count; i++) {
        if (bp_text_ends_with(steps->at[i].label, label))
            return &steps->at[i];
    }
    return NULL;
}

bool plan_world_skipped(const struct plan_world *w, const char *what, const char *why)
{
    for (size_t i = 0; i < w->skipped.count; i++) {
        if (bp_text_starts_with(w->skipped.at[i], what) && strstr(w->skipped.at[i], why) != NULL)
            return true;
    }
    return false;
}
