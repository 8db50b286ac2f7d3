/* The part of the manifest that tells what a backup was asked to take. */
#ifndef BP_ARCHIVE_MANIFEST_OPTIONS_H
#define BP_ARCHIVE_MANIFEST_OPTIONS_H

#include <stdbool.h>

#include "base/json.h"
#include "base/list.h"

/* The words of the options of the same names; all empty: everything, as it is. */
struct bp_manifest_options {
    struct bp_list schemas;
    struct bp_list exclude_schemas;
    struct bp_list tables;
    struct bp_list exclude_tables;
    struct bp_list exclude_table_data;
    struct bp_list masks;
    bool schema_dumps;
};

/* An object with a key for each of them that is not empty. Owned by the caller. */
struct bp_json *bp_manifest_options_render(const struct bp_manifest_options *options) BP_CHECK;

/* Fill options from such an object (or NULL); what is not known is passed over. */
void bp_manifest_options_parse(const struct bp_json *object, struct bp_manifest_options *options);

void bp_manifest_options_free(struct bp_manifest_options *options);

#endif
