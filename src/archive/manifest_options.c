#include "archive/manifest_options.h"

#include <stddef.h>

static const struct {
    const char *key;
    size_t offset;
} lists[] = {
    {"schemas", offsetof(struct bp_manifest_options, schemas)},
    {"exclude_schemas", offsetof(struct bp_manifest_options, exclude_schemas)},
    {"tables", offsetof(struct bp_manifest_options, tables)},
    {"exclude_tables", offsetof(struct bp_manifest_options, exclude_tables)},
    {"exclude_table_data", offsetof(struct bp_manifest_options, exclude_table_data)},
    {"masks", offsetof(struct bp_manifest_options, masks)},
};

enum { LISTS = sizeof(lists) / sizeof(lists[0]) };

static struct bp_list *list_at(struct bp_manifest_options *options, size_t i)
{
    return (struct bp_list *)(void *)((char *)options + lists[i].offset);
}

static struct bp_json *array_of(const struct bp_list *list)
{
    struct bp_json *array = bp_json_array_new();

    for (size_t i = 0; i < list->count; i++)
        bp_json_push(array, bp_json_text_new(list->at[i]));
    return array;
}

struct bp_json *bp_manifest_options_render(const struct bp_manifest_options *options)
{
    struct bp_manifest_options same = *options; /* the lists stay where they are */
    struct bp_json *object = bp_json_object_new();

    for (size_t i = 0; i < LISTS; i++) {
        if (list_at(&same, i)->count > 0)
            bp_json_set(object, lists[i].key, array_of(list_at(&same, i)));
    }
    if (options->schema_dumps)
        bp_json_set_bool(object, "schema_dumps", true);
    return object;
}

void bp_manifest_options_parse(const struct bp_json *object, struct bp_manifest_options *options)
{
    for (size_t i = 0; i < LISTS; i++) {
        const struct bp_json *array = bp_json_get(object, lists[i].key);

        for (const struct bp_json *p = bp_json_first(array); p != NULL; p = bp_json_next(p)) {
            if (bp_json_text(p) != NULL)
                bp_list_add(list_at(options, i), bp_json_text(p));
        }
    }
    options->schema_dumps = bp_json_get_bool(object, "schema_dumps", false);
}

void bp_manifest_options_free(struct bp_manifest_options *options)
{
    for (size_t i = 0; i < LISTS; i++)
        bp_list_free(list_at(options, i));
}
