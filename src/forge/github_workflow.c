#include "forge/github_workflow.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#include "base/mem.h"
#include "base/text.h"

/* Generous for a workflow, and small enough for any machine. */
enum {
    LARGEST = 512 << 10,
    DEEPEST = 64,
    MOST_NODES = 50000,
    MOST_OPTIONS = 500,
    LONGEST_OPTION = 500
};

/* ---- limits, before a tree is made of it ---- */

static void parser_begin(yaml_parser_t *parser, const char *text, size_t len)
{
    if (!yaml_parser_initialize(parser))
        abort(); /* it has no memory left */
    yaml_parser_set_input_string(parser, (const unsigned char *)text, len);
}

static enum bp_code no_yaml(const yaml_parser_t *parser, struct bp_err *err)
{
    return bp_fail(err, BP_EFAILED, "the file is no YAML (line %zu: %s)",
                   parser->problem_mark.line + 1,
                   parser->problem != NULL ? parser->problem : "no reason known");
}

static enum bp_code check_limits(const char *text, size_t len, struct bp_err *err)
{
    BP_AUTO(yaml_parser_delete) yaml_parser_t parser = {0};
    yaml_event_type_t type = YAML_NO_EVENT;
    size_t nodes = 0;
    int depth = 0;

    parser_begin(&parser, text, len);
    while (type != YAML_STREAM_END_EVENT) {
        yaml_event_t event;

        if (!yaml_parser_parse(&parser, &event))
            return no_yaml(&parser, err);
        type = event.type;
        yaml_event_delete(&event);
        if (type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT)
            depth++;
        if (type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_END_EVENT)
            depth--;
        if (depth > DEEPEST)
            return bp_fail(err, BP_EFAILED, "the file is nested deeper than %d", DEEPEST);
        if (++nodes > MOST_NODES)
            return bp_fail(err, BP_EFAILED, "the file has more than %d nodes", MOST_NODES);
    }
    return BP_OK;
}

/* ---- looking into the tree ---- */

static const char *scalar(const yaml_node_t *node)
{
    return node != NULL && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value
                                                          : NULL;
}

static bool is_plain(const yaml_node_t *node)
{
    return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* Nothing after the colon, or a word for it. */
static bool is_null(const yaml_node_t *node)
{
    const char *text = scalar(node);

    return node == NULL ||
           (text != NULL && is_plain(node) &&
            (text[0] == '\0' || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0));
}

static bool is_map(const yaml_node_t *node)
{
    return node != NULL && node->type == YAML_MAPPING_NODE;
}

/*
 * All values are text here: "on" is the key as it stands, and not YAML 1.1's word for true. An
 * alias is the node that it stands for; nothing is copied.
 */
static yaml_node_t *get(yaml_document_t *tree, const yaml_node_t *map, const char *key)
{
    if (!is_map(map))
        return NULL;
    for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
         pair < map->data.mapping.pairs.top; pair++) {
        const char *name = scalar(yaml_document_get_node(tree, pair->key));

        if (name != NULL && strcmp(name, key) == 0)
            return yaml_document_get_node(tree, pair->value);
    }
    return NULL;
}

/* ---- inputs ---- */

/* A number or a truth value reaches the workflow in its shortest form: 3.10 as 3.1. */
static void add_option(struct bp_list *options, const yaml_node_t *node)
{
    const char *text = scalar(node);
    char *end = NULL;
    double number = strtod(text, &end);
    char shortest[32];

    bp_list_add(options, text);
    if (!is_plain(node) || text[0] == '\0')
        return;
    if (strcasecmp(text, "true") == 0)
        bp_list_add(options, "true");
    else if (strcasecmp(text, "false") == 0)
        bp_list_add(options, "false");
    if (*end != '\0' || !isfinite(number))
        return;
    (void)snprintf(shortest, sizeof(shortest), "%.15g", number);
    if (!bp_list_has(options, shortest))
        bp_list_add(options, shortest);
}

/* One that cannot be read leaves the list empty: then any value may be right. */
static void read_options(yaml_document_t *tree, const yaml_node_t *list, struct bp_list *options)
{
    if (list == NULL || list->type != YAML_SEQUENCE_NODE ||
        list->data.sequence.items.top - list->data.sequence.items.start > MOST_OPTIONS)
        return;
    for (const yaml_node_item_t *item = list->data.sequence.items.start;
         item < list->data.sequence.items.top; item++) {
        const yaml_node_t *node = yaml_document_get_node(tree, *item);
        const char *text = scalar(node);

        if (text == NULL || strlen(text) > LONGEST_OPTION || strstr(text, "${{") != NULL) {
            bp_list_free(options);
            return;
        }
        add_option(options, node);
    }
}

static enum bp_workflow_type read_type(const yaml_node_t *node)
{
    static const struct {
        const char *name;
        enum bp_workflow_type type;
    } types[] = {{"string", BP_WORKFLOW_TEXT},
                 {"choice", BP_WORKFLOW_CHOICE},
                 {"boolean", BP_WORKFLOW_BOOLEAN},
                 {"number", BP_WORKFLOW_NUMBER}};
    const char *text = scalar(node);

    if (is_null(node))
        return BP_WORKFLOW_TEXT;
    for (size_t i = 0; text != NULL && i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(text, types[i].name) == 0)
            return types[i].type;
    }
    return BP_WORKFLOW_OTHER;
}

static bool read_input(yaml_document_t *tree, const yaml_node_pair_t *pair,
                       struct bp_workflow_input *out)
{
    const char *name = scalar(yaml_document_get_node(tree, pair->key));
    const yaml_node_t *rules = yaml_document_get_node(tree, pair->value);
    const yaml_node_t *required = get(tree, rules, "required");
    const yaml_node_t *fallback = get(tree, rules, "default");
    const char *word = scalar(required);

    if (name == NULL || (!is_map(rules) && !is_null(rules)))
        return false;
    out->name = bp_strdup(name);
    out->type = read_type(get(tree, rules, "type"));
    out->required = word != NULL && is_plain(required) && strcasecmp(word, "true") == 0;
    out->has_default =
        !is_null(fallback) && (scalar(fallback) == NULL || *scalar(fallback) != '\0');
    read_options(tree, get(tree, rules, "options"), &out->options);
    return true;
}

static enum bp_code read_inputs(yaml_document_t *tree, const yaml_node_t *inputs,
                                struct bp_workflow_file *out, struct bp_err *err)
{
    const yaml_node_pair_t *first = NULL;
    size_t count = 0;

    if (is_null(inputs))
        return BP_OK;
    if (!is_map(inputs))
        return bp_fail(err, BP_EFAILED, "its 'inputs:' are no map");
    first = inputs->data.mapping.pairs.start;
    count = (size_t)(inputs->data.mapping.pairs.top - first);
    out->input_count = count;
    for (size_t i = 0; count <= BP_WORKFLOW_INPUTS_MAX && i < count; i++) {
        if (!read_input(tree, &first[i], &out->inputs[i]))
            return bp_fail(err, BP_EFAILED, "its input number %zu is not understood", i + 1);
    }
    return BP_OK;
}

/* ---- the trigger ---- */

static const char trigger[] = "workflow_dispatch";

static bool lists_trigger(yaml_document_t *tree, const yaml_node_t *list)
{
    for (const yaml_node_item_t *item = list->data.sequence.items.start;
         item < list->data.sequence.items.top; item++) {
        const char *text = scalar(yaml_document_get_node(tree, *item));

        if (text != NULL && strcmp(text, trigger) == 0)
            return true;
    }
    return false;
}

static enum bp_code read_on(yaml_document_t *tree, const yaml_node_t *on,
                            struct bp_workflow_file *out, struct bp_err *err)
{
    const yaml_node_t *rules = get(tree, on, trigger);
    const char *text = scalar(on);

    if (text != NULL && strstr(text, "${{") != NULL)
        return bp_fail(err, BP_EFAILED, "its 'on:' is a template");
    if (on == NULL || text != NULL) {
        out->dispatchable = text != NULL && strcmp(text, trigger) == 0;
        return BP_OK;
    }
    if (!is_map(on)) {
        out->dispatchable = lists_trigger(tree, on);
        return BP_OK;
    }
    out->dispatchable = rules != NULL;
    if (is_null(rules))
        return BP_OK;
    if (!is_map(rules))
        return bp_fail(err, BP_EFAILED, "its 'workflow_dispatch:' is no map");
    return read_inputs(tree, get(tree, rules, "inputs"), out, err);
}

enum bp_code bp_workflow_read(const char *text, size_t len, struct bp_workflow_file *out,
                              struct bp_err *err)
{
    BP_AUTO(yaml_parser_delete) yaml_parser_t parser = {0};
    BP_AUTO(yaml_document_delete) yaml_document_t tree = {0};
    const yaml_node_t *root = NULL;

    *out = (struct bp_workflow_file){0};
    if (len > LARGEST)
        return bp_fail(err, BP_EFAILED, "the file is larger than %d KiB", LARGEST >> 10);
    if (check_limits(text, len, err) != BP_OK)
        return err->code;
    parser_begin(&parser, text, len);
    if (!yaml_parser_load(&parser, &tree))
        return no_yaml(&parser, err);
    root = yaml_document_get_root_node(&tree);
    if (!is_map(root))
        return bp_fail(err, BP_EFAILED, "the file is no map");
    if (scalar(get(&tree, root, "run-name")) != NULL)
        out->run_name = bp_strdup(scalar(get(&tree, root, "run-name")));
    return read_on(&tree, get(&tree, root, "on"), out, err);
}

void bp_workflow_free(struct bp_workflow_file *file)
{
    for (size_t i = 0; i < BP_WORKFLOW_INPUTS_MAX; i++) {
        bp_free(file->inputs[i].name);
        bp_list_free(&file->inputs[i].options);
    }
    bp_free(file->run_name);
    *file = (struct bp_workflow_file){0};
}
