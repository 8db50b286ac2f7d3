#include "source/source.h"

#include "base/mem.h"
#include "source/target.h"

void bp_source_freep(struct bp_source **source)
{
    if (*source != NULL)
        (*source)->ops->free(*source);
    *source = NULL;
}

void bp_reader_freep(struct bp_reader **reader)
{
    if (*reader != NULL)
        (*reader)->ops->free(*reader);
    *reader = NULL;
}

void bp_target_freep(struct bp_target **target)
{
    if (*target != NULL)
        (*target)->ops->free(*target);
    *target = NULL;
}

void bp_tables_free(struct bp_tables *tables)
{
    for (size_t i = 0; i < tables->count; i++) {
        struct bp_table *t = &tables->at[i];

        bp_free(t->schema);
        bp_free(t->name);
        bp_free(t->copy_in);
        bp_free(t->definition);
        bp_free(t->columns);
        bp_free(t->quoted);
        bp_free(t->condition);
        bp_free(t->order_by);
        bp_free(t->key);
        bp_free(t->key_type);
        bp_list_free(&t->cuts);
    }
    bp_free(tables->at);
    *tables = (struct bp_tables){0};
}

void bp_source_info_free(struct bp_source_info *info)
{
    bp_free(info->name);
    bp_free(info->server_version);
    bp_free(info->encoding);
    bp_free(info->collation);
    bp_free(info->system_identifier);
    bp_free(info->snapshot);
    bp_free(info->lsn);
    bp_free(info->pg_dump_version);
    bp_list_free(&info->schemas);
    bp_list_free(&info->warnings);
    *info = (struct bp_source_info){0};
}

void bp_ddl_free(struct bp_ddl *ddl)
{
    bp_free(ddl->roles);
    bp_free(ddl->pre_data);
    bp_free(ddl->sequences);
    bp_free(ddl->post_data);
    bp_free(ddl->refresh);
    *ddl = (struct bp_ddl){0};
}
