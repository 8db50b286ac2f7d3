#include "flow/restore_plan.h"

#include <string.h>

#include "base/mem.h"
#include "flow/restore_plan_internal.h"

static const char pre_file[] = "database/pre-data.sql";
static const char post_file[] = "database/post-data.sql";
static const char refresh_file[] = "database/refresh.sql";

static void add_tables(const struct bp_manifest *manifest, struct bp_restore_plan *plan)
{
    plan->tables = bp_alloc(manifest->table_count, sizeof(*plan->tables));
    plan->table_count = manifest->table_count;
    for (size_t i = 0; i < manifest->table_count; i++) {
        const struct bp_manifest_table *table = &manifest->tables[i];

        plan->tables[i].table = table;
        plan->tables[i].target = bp_qname_quoted(table->schema, table->name);
    }
}

static enum bp_code parse(const char *text, const char *file, struct bp_script *out,
                          struct bp_err *err)
{
    if (bp_script_parse(text, strlen(text), out, err) != BP_OK)
        return bp_wrap(err, "'%s'", file);
    return BP_OK;
}

/* Without what is not wanted of owners and grants, and with other roles. */
static void change_roles(struct bp_script *script, const struct bp_restore_want *want,
                         const struct bp_role_maps *maps)
{
    for (size_t i = 0; i < script->count; i++) {
        struct bp_script_block *block = &script->at[i];
        bool defaults = strcmp(block->type, "DEFAULT ACL") == 0;
        bool gone = (want->no_privileges && (defaults || strcmp(block->type, "ACL") == 0)) ||
                    (want->no_owner && defaults);
        char *sql = gone ? bp_strdup("") : bp_restore_role_sql(block->sql, maps, want->no_owner);

        bp_free(block->sql);
        block->sql = sql;
    }
}

static enum bp_code make(const struct bp_manifest *manifest, const struct bp_restore_texts *texts,
                         const struct bp_restore_want *want, struct bp_restore_plan *plan,
                         struct bp_list *skipped, struct bp_err *err)
{
    BP_AUTO(bp_script_free) struct bp_script pre = {0};
    BP_AUTO(bp_script_free) struct bp_script post = {0};

    BP_AUTO(bp_role_maps_free) struct bp_role_maps maps = {0};
    (void)skipped;
    if (bp_role_maps_read(want->role_maps, &maps, err) != BP_OK ||
        parse(texts->pre_data, pre_file, &pre, err) != BP_OK ||
        parse(texts->post_data, post_file, &post, err) != BP_OK)
        return err->code;
    plan->whole = true;
    if (maps.from.count > 0 || want->no_owner || want->no_privileges) {
        change_roles(&pre, want, &maps);
        change_roles(&post, want, &maps);
    }
    plan->roles = want->no_owner ? bp_strdup("") : bp_restore_roles_without(texts->roles, &maps);
    plan->preamble = bp_strdup(pre.preamble);
    plan->sequences = bp_strdup(texts->sequences);
    bp_restore_steps_serial(&pre, pre_file, &plan->pre);
    bp_restore_steps_grouped(&post, post_file, &plan->post);
    add_tables(manifest, plan);
    return bp_restore_steps_split(texts->refresh, refresh_file, &plan->refresh, err);
}

enum bp_code bp_restore_plan_make(const struct bp_manifest *manifest,
                                  const struct bp_restore_texts *texts,
                                  const struct bp_restore_want *want, struct bp_restore_plan *out,
                                  struct bp_list *skipped, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    *out = (struct bp_restore_plan){0};
    *skipped = (struct bp_list){0};
    rc = make(manifest, texts, want, out, skipped, err);
    if (rc != BP_OK) {
        bp_restore_plan_free(out);
        bp_list_free(skipped);
    }
    return rc;
}

void bp_restore_plan_free(struct bp_restore_plan *plan)
{
    bp_free(plan->roles);
    bp_free(plan->preamble);
    bp_free(plan->sequences);
    for (size_t i = 0; i < plan->table_count; i++) {
        bp_free(plan->tables[i].target);
    }
    bp_free(plan->tables);
    bp_restore_steps_free(&plan->pre);
    bp_restore_steps_free(&plan->post);
    bp_restore_steps_free(&plan->refresh);
    *plan = (struct bp_restore_plan){0};
}
