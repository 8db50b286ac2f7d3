#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "archive/manifest_options.h"
#include "base/buf.h"

static struct bp_manifest_options options;
static struct bp_manifest_options got;
static struct bp_err err;

static void tear_down(void)
{
    bp_manifest_options_free(&options);
    bp_manifest_options_free(&got);
}

TestSuite(manifest_options, .fini = tear_down);

static struct bp_list *const lists[] = {
    &options.schemas,        &options.exclude_schemas,    &options.tables,
    &options.exclude_tables, &options.exclude_table_data, &options.masks};
static struct bp_list *const got_lists[] = {
    &got.schemas,        &got.exclude_schemas,    &got.tables,
    &got.exclude_tables, &got.exclude_table_data, &got.masks};
static const char *const keys[] = {"schemas",        "exclude_schemas",    "tables",
                                   "exclude_tables", "exclude_table_data", "masks"};

enum { LISTS = sizeof(lists) / sizeof(lists[0]) };

/* As text without any blank. */
static void expect_text(const char *wanted)
{
    BP_AUTO(bp_json_freep) struct bp_json *object = bp_manifest_options_render(&options);
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_buf_free) struct bp_buf dense = {0};

    bp_json_render(object, 0, &text);
    for (const char *p = bp_buf_str(&text); *p != '\0'; p++) {
        if (*p != ' ' && *p != '\n')
            bp_buf_putc(&dense, *p);
    }
    cr_expect_str_eq(bp_buf_str(&dense), wanted, "%s instead of %s", bp_buf_str(&dense), wanted);
}

static void parse(const char *text)
{
    BP_AUTO(bp_json_freep) struct bp_json *object = NULL;

    cr_assert_eq(bp_json_parse(text, strlen(text), &object, &err), BP_OK, "%s", err.msg);
    bp_manifest_options_parse(object, &got);
}

static void expect_nothing(void)
{
    for (size_t i = 0; i < LISTS; i++)
        cr_expect_eq(got_lists[i]->count, 0, "%s", keys[i]);
    cr_expect_not(got.schema_dumps);
}

Test(manifest_options, of_everything_there_is_nothing_to_tell)
{
    expect_text("{}");
}

Test(manifest_options, each_list_has_its_own_key)
{
    for (size_t i = 0; i < LISTS; i++) {
        char wanted[64];

        bp_list_add(lists[i], "a");
        bp_list_add(lists[i], "b.*");
        (void)snprintf(wanted, sizeof(wanted), "{\"%s\":[\"a\",\"b.*\"]}", keys[i]);
        expect_text(wanted);
        bp_list_free(lists[i]);
    }
}

Test(manifest_options, dumps_are_told_only_when_there_are_some)
{
    options.schema_dumps = true;
    expect_text("{\"schema_dumps\":true}");
}

Test(manifest_options, what_is_rendered_is_parsed)
{
    BP_AUTO(bp_json_freep) struct bp_json *object = NULL;

    for (size_t i = 0; i < LISTS; i++) {
        bp_list_addf(lists[i], "odd \"%s\"\n\xC3\xA9", keys[i]);
        for (size_t n = 0; n < i; n++)
            bp_list_addf(lists[i], "number %zu", n);
    }
    options.schema_dumps = true;
    object = bp_manifest_options_render(&options);
    bp_manifest_options_parse(object, &got);
    cr_expect(got.schema_dumps);
    for (size_t i = 0; i < LISTS; i++) {
        cr_assert_eq(got_lists[i]->count, i + 1, "%s", keys[i]);
        for (size_t n = 0; n <= i; n++)
            cr_expect_str_eq(got_lists[i]->at[n], lists[i]->at[n]);
    }
}

/* Older archives have no options at all. */
Test(manifest_options, none_are_as_good_as_empty_ones)
{
    bp_manifest_options_parse(NULL, &got);
    expect_nothing();
    parse("{}");
    expect_nothing();
}

Test(manifest_options, what_is_not_known_is_passed_over)
{
    parse("{\"schemas\": {\"a\": 1}, \"tables\": 7, \"masks\": null, \"schema_dumps\": \"yes\","
          " \"of_the_future\": [\"a\"], \"exclude_tables\": [1, null, [\"b\"], {}]}");
    expect_nothing();
    parse("{\"schemas\": [1, \"a\", null, \"b\"], \"schema_dumps\": true}");
    cr_assert_eq(got.schemas.count, 2);
    cr_expect_str_eq(got.schemas.at[0], "a");
    cr_expect_str_eq(got.schemas.at[1], "b");
    cr_expect(got.schema_dumps);
}

Test(manifest_options, what_was_freed_is_empty)
{
    bp_list_add(&got.masks, "a.b=null");
    bp_list_add(&got.schemas, "a");
    bp_manifest_options_free(&got);
    expect_nothing();
}
