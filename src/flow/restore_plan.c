#include "flow/restore_plan.h"

#include <string.h>

#include "base/mem.h"
#include "flow/restore_plan_internal.h"

static const char pre_file[] = "database/pre-data.sql";
static const char post_file[] = "database/post-data.sql";
static const char refresh_file[] = "database/refresh.sql";

/* What a plan is made of. */
struct maker {
    const struct bp_manifest *manifest;
    const struct bp_restore_texts *texts;
    const struct bp_restore_want *want;
    struct bp_restore_plan *plan;
    struct bp_list *skipped;
    struct bp_script pre;
    struct bp_script post;
    struct bp_objects objects; /* of a part */
    struct bp_role_maps maps;
};

static void maker_free(struct maker *m)
{
    bp_script_free(&m->pre);
    bp_script_free(&m->post);
    bp_objects_free(&m->objects);
    bp_role_maps_free(&m->maps);
}

static bool is_kept(const struct maker *m, const char *schema, const char *name)
{
    const struct bp_object *object = bp_objects_find(&m->objects, schema, name);

    return object != NULL && object->kept;
}

static void add_tables(struct maker *m)
{
    const struct bp_manifest *manifest = m->manifest;
    struct bp_restore_plan *plan = m->plan;
    const char *into = m->want->into_schema;

    plan->tables = bp_alloc(manifest->table_count + 1, sizeof(*plan->tables));
    for (size_t i = 0; i < manifest->table_count; i++) {
        const struct bp_manifest_table *table = &manifest->tables[i];

        if (!plan->whole && !is_kept(m, table->schema, table->name))
            continue;
        plan->tables[plan->table_count++] = (struct bp_restore_table){
            .table = table,
            .target = bp_qname_quoted(into != NULL ? into : table->schema, table->name),
            .moved = into != NULL};
    }
}

/* Where they are in the target. */
static void list_made(const struct maker *m, const char *type, struct bp_list *out)
{
    for (size_t i = 0; i < m->pre.count; i++) {
        const struct bp_script_block *block = &m->pre.at[i];
        BP_AUTO(bp_qname_free) struct bp_qname name = {0};

        if (strcmp(block->type, type) == 0 && bp_block_makes(block, &name))
            bp_list_take(out, bp_qname_quoted(name.schema, name.name));
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

/* Most likely it was written wrong, and the role that was meant keeps all it has. */
static void name_unknown_roles(struct maker *m)
{
    const char *const texts[] = {m->texts->roles, m->texts->pre_data, m->texts->post_data};

    for (size_t i = 0; i < m->maps.from.count; i++) {
        const char *role = m->maps.from.at[i];
        BP_AUTO(bp_buf_free) struct bp_buf quoted = {0};
        bool known = false;

        bp_sql_put_name(&quoted, role);
        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
            known = known || strstr(texts[k], role) != NULL ||
                    strstr(texts[k], bp_buf_str(&quoted)) != NULL;
        if (!known)
            bp_list_addf(m->skipped, "--role-map %s: nothing in the archive names this role",
                         bp_buf_str(&quoted));
    }
}

static bool has_items(const struct bp_list *list)
{
    return list != NULL && list->count > 0;
}

/* A step that makes a schema, before all others. */
static void make_schema(struct maker *m, const char *schema)
{
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    struct bp_restore_step step = {.group = m->plan->pre.count};

    bp_restore_put_schema(&sql, schema, "");
    step.sql = bp_buf_take(&sql);
    step.label = bp_format("schema '%s'", schema);
    bp_restore_steps_take(&m->plan->pre, &step);
}

static bool is_chosen(const struct maker *m, const char *schema)
{
    return m->want->schemas != NULL && bp_list_has(m->want->schemas, schema);
}

/* Whether a block makes it already: then with its owner. */
static bool is_made(const struct maker *m, const char *schema)
{
    for (size_t i = 0; i < m->pre.count; i++) {
        const struct bp_script_block *block = &m->pre.at[i];

        if (strcmp(block->type, "SCHEMA") == 0 && block->sql[0] != '\0' &&
            (m->want->into_schema != NULL || is_chosen(m, schema)))
            return true;
    }
    return false;
}

/* Of tables that were chosen without their schema. */
static void make_schemas(struct maker *m)
{
    const char *into = m->want->into_schema;
    const char *last = "";

    for (size_t i = 0; i < m->objects.count; i++) {
        const struct bp_object *object = &m->objects.at[i];
        const char *schema = into != NULL ? into : object->schema;

        if (!object->kept || strcmp(schema, last) == 0)
            continue;
        last = schema;
        if (!is_made(m, schema))
            make_schema(m, schema);
    }
}

static enum bp_code make_part(struct maker *m, struct bp_err *err)
{
    const char *into = m->want->into_schema;

    bp_objects_read(&m->pre, &m->post, &m->objects);
    if (bp_restore_choose(m->want, &m->objects, &m->pre, &m->post, m->skipped, err) != BP_OK)
        return err->code;
    if (into != NULL && (bp_restore_move(&m->pre, &m->objects, into, m->skipped, err) != BP_OK ||
                         bp_restore_move(&m->post, &m->objects, into, m->skipped, err) != BP_OK))
        return err->code;
    make_schemas(m);
    m->plan->roles = bp_strdup("");
    m->plan->sequences = bp_restore_sequences(m->texts->sequences, &m->objects, into);
    return BP_OK;
}

/* Of the statements that fill materialized views those for what is kept. */
static void keep_refresh(struct maker *m, struct bp_restore_steps *all)
{
    const char *into = m->want->into_schema;

    for (size_t i = 0; i < all->count; i++) {
        struct bp_restore_step *step = &all->at[i];
        struct bp_sql sql = bp_script_sql(step->sql);
        BP_AUTO(bp_name_at_free) struct bp_name_at found = {0};

        if (!bp_name_next(&sql, &found) || !is_kept(m, found.name.schema, found.name.name))
            continue;
        if (into != NULL) {
            char *moved = bp_restore_move_sql(bp_script_sql(step->sql), &m->objects, into);

            bp_free(step->sql);
            step->sql = moved;
        }
        step->group = m->plan->refresh.count;
        bp_restore_steps_take(&m->plan->refresh, step);
    }
}

/* A view is filled with what its owner sees. The preamble would have it fail where policies hide
 * something from him, so that no dump lacks rows unseen. */
static void allow_policies(struct bp_restore_steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        char *sql = bp_format("SET LOCAL row_security = on;\n%s", steps->at[i].sql);

        bp_free(steps->at[i].sql);
        steps->at[i].sql = sql;
    }
}

static enum bp_code make_refresh(struct maker *m, struct bp_err *err)
{
    BP_AUTO(bp_restore_steps_free) struct bp_restore_steps all = {0};

    if (bp_restore_steps_split(m->texts->refresh, refresh_file, &all, err) != BP_OK)
        return err->code;
    allow_policies(&all);
    if (m->plan->whole) {
        m->plan->refresh = all;
        all = (struct bp_restore_steps){0};
        return BP_OK;
    }
    keep_refresh(m, &all);
    return BP_OK;
}

static enum bp_code make(struct maker *m, struct bp_err *err)
{
    const struct bp_restore_want *want = m->want;
    struct bp_restore_plan *plan = m->plan;

    plan->whole = !has_items(want->schemas) && !has_items(want->tables);
    if (plan->whole && want->into_schema != NULL)
        return bp_fail(err, BP_EUSAGE,
                       "--into-schema is for a part; hint: --schema or --table chooses it");
    if (bp_role_maps_read(want->role_maps, &m->maps, err) != BP_OK ||
        parse(m->texts->pre_data, pre_file, &m->pre, err) != BP_OK ||
        parse(m->texts->post_data, post_file, &m->post, err) != BP_OK)
        return err->code;
    if (m->maps.from.count > 0 || want->no_owner || want->no_privileges) {
        change_roles(&m->pre, want, &m->maps);
        change_roles(&m->post, want, &m->maps);
    }
    name_unknown_roles(m);
    plan->preamble = bp_strdup(m->pre.preamble[0] != '\0' ? m->pre.preamble : m->post.preamble);
    if (plan->whole) {
        plan->roles =
            want->no_owner ? bp_strdup("") : bp_restore_roles_without(m->texts->roles, &m->maps);
        plan->sequences = bp_strdup(m->texts->sequences);
    } else if (make_part(m, err) != BP_OK) {
        return err->code;
    }
    bp_restore_steps_serial(&m->pre, pre_file, &plan->pre);
    bp_restore_steps_grouped(&m->post, post_file, &plan->post);
    add_tables(m);
    list_made(m, "TABLE", &plan->made);
    list_made(m, "MATERIALIZED VIEW", &plan->views);
    return make_refresh(m, err);
}

enum bp_code bp_restore_plan_make(const struct bp_manifest *manifest,
                                  const struct bp_restore_texts *texts,
                                  const struct bp_restore_want *want, struct bp_restore_plan *out,
                                  struct bp_list *skipped, struct bp_err *err)
{
    BP_AUTO(maker_free)
    struct maker m = {
        .manifest = manifest, .texts = texts, .want = want, .plan = out, .skipped = skipped};
    enum bp_code rc = BP_OK;

    *out = (struct bp_restore_plan){0};
    *skipped = (struct bp_list){0};
    rc = make(&m, err);
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
    bp_list_free(&plan->made);
    bp_list_free(&plan->views);
    bp_restore_steps_free(&plan->pre);
    bp_restore_steps_free(&plan->post);
    bp_restore_steps_free(&plan->refresh);
    *plan = (struct bp_restore_plan){0};
}
