#include <criterion/criterion.h>
#include <string.h>

#include "archive/manifest.h"
#include "base/mem.h"

static struct bp_manifest manifest;
static struct bp_manifest parsed;
static struct bp_buf text;

static void set_up(void)
{
    struct bp_manifest_file *file = NULL;

    manifest.id = bp_strdup("2024-01-15T14-30-45Z");
    file = bp_manifest_add_file(&manifest, "public/tables/users/data.sql", 5);
    memset(file->sha256, 'a', sizeof(file->sha256) - 1);
}

static void tear_down(void)
{
    bp_manifest_free(&manifest);
    bp_manifest_free(&parsed);
    bp_buf_free(&text);
}

TestSuite(manifest_render, .init = set_up, .fini = tear_down);

static void pass_on(void)
{
    struct bp_err err = {0};

    bp_manifest_render(&manifest, &text);
    cr_assert_eq(bp_manifest_parse(text.data, text.len, &parsed, &err), BP_OK, "%s", err.msg);
}

/* restore.sh knows such lines. */
Test(manifest_render, where_a_file_lies_sealed_stands_between_path_and_checksum)
{
    manifest.files[0].sealed = bp_strdup("sealed/ab/cd.zst.age");
    pass_on();
    cr_expect_str_eq(parsed.files[0].sealed, "sealed/ab/cd.zst.age");
    cr_expect_not_null(strstr(text.data, "    {\"bytes\": 5, \"path\": "
                                         "\"public/tables/users/data.sql\", \"sealed\": "
                                         "\"sealed/ab/cd.zst.age\", \"sha256\": \"aaa"),
                       "%s", text.data);
}

Test(manifest_render, the_half_that_everybody_can_read_says_so_on_a_line)
{
    manifest.sealed = true;
    pass_on();
    cr_expect(parsed.sealed);
    cr_expect_null(parsed.files[0].sealed);
    cr_expect_not_null(strstr(text.data, "\n  \"sealed\": true,\n"), "%s", text.data);
}

Test(manifest_render, a_readable_one_does_not_speak_of_sealing)
{
    pass_on();
    cr_expect_not(parsed.sealed);
    cr_expect_null(strstr(text.data, "seal"), "%s", text.data);
}

/* A manifest comes from outside. */
Test(manifest_render, a_place_outside_the_archive_is_refused)
{
    static const char *const places[] = {"", "../x", "/x", "sealed//x", "sealed/a b", NULL};
    struct bp_err err = {0};

    for (const char *const *place = places; *place != NULL; place++) {
        bp_free(manifest.files[0].sealed);
        manifest.files[0].sealed = bp_strdup(*place);
        bp_buf_cut(&text, 0);
        bp_manifest_render(&manifest, &text);
        cr_expect_eq(bp_manifest_parse(text.data, text.len, &parsed, &err), BP_EINTEGRITY, "%s",
                     *place);
        cr_expect_not_null(strstr(err.msg, "public/tables/users/data.sql"), "%s", err.msg);
    }
}
