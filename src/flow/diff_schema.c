#include <string.h>

#include "archive/definition.h"
#include "archive/path.h"
#include "base/mem.h"
#include "flow/archive_file.h"
#include "flow/diff.h"

enum { PATCHES_LIMIT = 256 << 20 };

/* Both versions of a file; NULL where an archive has none. */
struct versions {
    const char *path;
    const struct bp_manifest_file *file[2];
};

struct schema {
    const struct bp_diff_job *job;
    struct bp_diff *diff;
    struct versions *at; /* the files that differ: those of tables, then the others */
    size_t count;
    size_t of_tables;
    struct bp_list paths;      /* of the tables' files; owns them */
    struct bp_list covered[2]; /* the entries that the tables' files show */
    size_t bytes;              /* of all patches */
};

static void free_schema(struct schema *s)
{
    bp_free(s->at);
    bp_list_free(&s->paths);
    bp_list_free(&s->covered[BP_PILE_OLD]);
    bp_list_free(&s->covered[BP_PILE_NOW]);
}

static void add_versions(struct schema *s, const char *path)
{
    struct versions *v = &s->at[s->count];

    *v = (struct versions){.path = path,
                           .file = {bp_manifest_file(&s->diff->old->manifest, path),
                                    bp_manifest_file(&s->diff->now->manifest, path)}};
    if (v->file[0] != v->file[1] && (v->file[0] == NULL || v->file[1] == NULL ||
                                     strcmp(v->file[0]->sha256, v->file[1]->sha256) != 0))
        s->count++;
}

static void find_files(struct schema *s)
{
    static const char *const others[] = {"roles.sql", "database/pre-data.sql",
                                         "database/post-data.sql", "database/refresh.sql"};
    const size_t other_count = sizeof(others) / sizeof(others[0]);
    const struct bp_comparison *c = &s->diff->comparison;

    s->at = bp_alloc(c->count + other_count + 1, sizeof(*s->at));
    for (size_t i = 0; i < c->count; i++) {
        const struct bp_manifest_table *t = bp_table_change_table(&c->tables[i]);
        BP_AUTO(bp_freep) char *folder = bp_path_table(t->schema, t->name);

        bp_list_addf(&s->paths, "%s/schema.sql", folder);
        add_versions(s, s->paths.at[s->paths.count - 1]);
    }
    s->of_tables = s->count;
    for (size_t i = 0; i < other_count; i++)
        add_versions(s, others[i]);
}

static enum bp_code fetch(struct schema *s, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};

    for (size_t i = 0; i < s->count; i++) {
        if (s->at[i].file[0] != NULL)
            bp_list_addf(&paths, "%s/%s", s->diff->old->path,
                         bp_archive_file_place(s->at[i].file[0]));
        if (s->at[i].file[1] != NULL)
            bp_list_addf(&paths, "%s/%s", s->diff->now->path,
                         bp_archive_file_place(s->at[i].file[1]));
    }
    return s->job->store->ops->fetch(s->job->store, &paths, err);
}

static enum bp_code read_version(struct schema *s, const struct versions *v, size_t pile,
                                 struct bp_buf *out, struct bp_err *err)
{
    bp_buf_cut(out, 0);
    if (v->file[pile] == NULL)
        return BP_OK;
    return bp_archive_file_read(s->job->store, pile == BP_PILE_OLD ? s->diff->old : s->diff->now,
                                v->file[pile], out, err);
}

static enum bp_code add_patch(struct schema *s, const struct versions *v,
                              const struct bp_buf texts[2], struct bp_err *err)
{
    struct bp_buf patch = {0};
    enum bp_code rc = bp_store_patch(v->path, v->file[0] != NULL ? &texts[0] : NULL,
                                     v->file[1] != NULL ? &texts[1] : NULL, &patch, err);

    s->bytes += patch.len;
    if (rc == BP_OK && s->bytes > PATCHES_LIMIT)
        rc = bp_fail(err, BP_EFAILED,
                     "the definitions differ by more than the limit of %d MiB; hint: compare "
                     "single tables with --table",
                     PATCHES_LIMIT >> 20);
    if (rc == BP_OK && patch.len > 0) {
        bp_list_add(&s->diff->paths, v->path);
        bp_list_take(&s->diff->patches, bp_buf_take(&patch));
    }
    bp_buf_free(&patch);
    return rc;
}

static enum bp_code compare_file(struct schema *s, size_t number, struct bp_err *err)
{
    const struct versions *v = &s->at[number];
    bool of_table = number < s->of_tables;
    struct bp_buf texts[2] = {{0}, {0}};
    enum bp_code rc = bp_stop_check(s->job->clock->stop, err);

    for (size_t pile = 0; pile < 2 && rc == BP_OK; pile++) {
        BP_AUTO(bp_buf_free) struct bp_buf rest = {0};

        rc = read_version(s, v, pile, &texts[pile], err);
        if (rc == BP_OK && of_table) {
            bp_definition_entries(bp_buf_str(&texts[pile]), texts[pile].len, &s->covered[pile]);
        } else if (rc == BP_OK) {
            bp_definition_rest(bp_buf_str(&texts[pile]), texts[pile].len, &s->covered[pile], &rest);
            bp_buf_cut(&texts[pile], 0);
            bp_buf_add(&texts[pile], bp_buf_str(&rest), rest.len);
        }
    }
    if (rc == BP_OK)
        rc = add_patch(s, v, texts, err);
    bp_buf_free(&texts[0]);
    bp_buf_free(&texts[1]);
    return rc;
}

enum bp_code bp_diff_schema(const struct bp_diff_job *job, struct bp_diff *diff, struct bp_err *err)
{
    BP_AUTO(free_schema) struct schema s = {.job = job, .diff = diff};

    find_files(&s);
    if (fetch(&s, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < s.count; i++) {
        if (i == s.of_tables) {
            bp_list_sort(&s.covered[BP_PILE_OLD]);
            bp_list_sort(&s.covered[BP_PILE_NOW]);
        }
        if (compare_file(&s, i, err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}
