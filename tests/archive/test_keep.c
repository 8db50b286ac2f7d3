#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "archive/keep.h"
#include "base/mem.h"

static struct bp_marks marks;
static struct bp_buf edited;
static struct bp_err err;

static void tear_down(void)
{
    bp_marks_free(&marks);
    bp_buf_free(&edited);
}

TestSuite(keep, .fini = tear_down);

static enum bp_code parse(const char *text)
{
    bp_marks_free(&marks);
    return bp_marks_parse(text, strlen(text), &marks, &err);
}

Test(keep, reads_an_archive_and_a_reason_from_each_line)
{
    cr_assert_eq(parse("# of the shop\n"
                       "\n"
                       "2024-01-15T14-30-45Z  before the migration\n"
                       "  2024-01-15T14-30-45Z--2\r\n"
                       "\t# more\n"
                       "2024-01-16T00-00-00Z\tünïcode # and this"),
                 BP_OK, "%s", err.msg);
    cr_assert_eq(marks.count, 3u);
    cr_expect_str_eq(bp_marks_find(&marks, "2024-01-15T14-30-45Z")->reason, "before the migration");
    cr_expect_str_eq(bp_marks_find(&marks, "2024-01-15T14-30-45Z--2")->reason, "");
    cr_expect_str_eq(bp_marks_find(&marks, "2024-01-16T00-00-00Z")->reason, "ünïcode # and this");
    cr_expect_null(bp_marks_find(&marks, "2024-01-17T00-00-00Z"));
}

Test(keep, an_editors_mark_of_the_byte_order_is_passed_over)
{
    cr_assert_eq(parse("\xef\xbb\xbf# of the shop\n2024-01-15T14-30-45Z why\n"), BP_OK, "%s",
                 err.msg);
    cr_assert_eq(marks.count, 1u);
    cr_assert_eq(parse("\xef\xbb\xbf"
                       "2024-01-15T14-30-45Z why\n"),
                 BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_marks_find(&marks, "2024-01-15T14-30-45Z")->reason, "why");
    cr_expect_eq(parse("\xef\xbb"), BP_EUSAGE);
}

Test(keep, a_folders_name_means_its_archive)
{
    cr_assert_eq(parse("2024-01-14T08-16-02Z--myorg-my--app--schedule--def5678--3 why\n"
                       "latest_2024-01-15T14-30-45Z\n"),
                 BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_marks_find(&marks, "2024-01-14T08-16-02Z--3")->reason, "why");
    cr_expect_not_null(bp_marks_find(&marks, "2024-01-15T14-30-45Z"));
}

Test(keep, no_file_and_an_empty_one_mark_nothing)
{
    cr_expect_eq(parse(""), BP_OK);
    cr_expect_eq(marks.count, 0u);
    cr_expect_eq(parse("\n\n"), BP_OK);
    cr_expect_eq(marks.count, 0u);
}

Test(keep, a_line_that_cannot_be_read_is_named)
{
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        {"2024-01-15T14-30-45Z\nlatest\n",
         "line 2 of backups/keep: 'latest' is no archive's id; hint: write one like "
         "2024-01-15T14-30-45Z, or put '#' in front of a comment"},
        {"2024-01-15", "line 1 of backups/keep: '2024-01-15' is no archive's id"},
        {"2024-02-30T00-00-00Z", "line 1 of backups/keep: '2024-02-30T00-00-00Z' is no"},
        {"2024-01-15T14-30-45Z--1", "line 1 of backups/keep: '2024-01-15T14-30-45Z--1' is no"},
        {"\n\n// why\n", "line 3 of backups/keep: '//' is no archive's id"},
        {"2024-01-15T14-30-45Z a\033[2Jb", "line 1 of backups/keep: it is no plain UTF-8 text"},
        {"# \xff\n", "line 1 of backups/keep: it is no plain UTF-8 text"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(parse(rows[i].text), BP_EUSAGE, "%s", rows[i].text);
        cr_expect_eq(strncmp(err.msg, rows[i].message, strlen(rows[i].message)), 0, "%s", err.msg);
        cr_expect_eq(marks.count, 0u);
    }
}

Test(keep, has_limits_that_it_names)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    const char zero[] = "2024-01-15T14-30-45Z a\0b";

    bp_buf_puts(&text, "2024-01-15T14-30-45Z ");
    while (text.len <= BP_KEEP_LINE_LIMIT)
        bp_buf_putc(&text, 'x');
    cr_expect_eq(parse(bp_buf_str(&text)), BP_EUSAGE);
    cr_expect_str_eq(err.msg, "line 1 of backups/keep: it has more than 1000 bytes");
    bp_buf_cut(&text, BP_KEEP_LINE_LIMIT);
    cr_expect_eq(parse(bp_buf_str(&text)), BP_OK, "%s", err.msg);
    while (text.len <= BP_KEEP_LIMIT)
        bp_buf_puts(&text, "\n#");
    cr_expect_eq(parse(bp_buf_str(&text)), BP_EUSAGE);
    cr_expect_str_eq(err.msg, "backups/keep has more than 1048576 bytes");
    cr_expect_eq(bp_marks_parse(zero, sizeof(zero) - 1, &marks, &err), BP_EUSAGE);
}

static const char *edit(const char *text, const char *id, const char *reason)
{
    bp_buf_cut(&edited, 0);
    bp_marks_edit(text, id, reason, &edited);
    cr_expect_eq(parse(bp_buf_str(&edited)), BP_OK, "%s", err.msg);
    return bp_buf_str(&edited);
}

Test(keep, a_new_file_says_what_it_is)
{
    cr_expect_str_eq(edit("", "2024-01-15T14-30-45Z", "why"),
                     "# Archives that are never removed, one in each line: its id and why.\n"
                     "2024-01-15T14-30-45Z  why\n");
}

Test(keep, other_lines_stay_as_they_are)
{
    const char *text = "# a\r\n\n 2024-01-15T14-30-45Z  one\r\n2024-01-16T00-00-00Z\told";

    cr_expect_str_eq(
        edit(text, "2024-01-17T00-00-00Z", ""),
        "# a\r\n\n 2024-01-15T14-30-45Z  one\r\n2024-01-16T00-00-00Z\told\n2024-01-17T00-00-00Z\n");
    cr_expect_str_eq(edit(text, "2024-01-16T00-00-00Z", "new"),
                     "# a\r\n\n 2024-01-15T14-30-45Z  one\r\n2024-01-16T00-00-00Z  new\n");
    cr_expect_str_eq(edit(text, "2024-01-15T14-30-45Z", NULL),
                     "# a\r\n\n2024-01-16T00-00-00Z\told");
    cr_expect_str_eq(edit(text, "2024-01-17T00-00-00Z", NULL), text);
}

Test(keep, an_archive_that_is_marked_twice_is_marked_once_afterwards)
{
    const char *text = "2024-01-15T14-30-45Z a\n2024-01-15T14-30-45Z--o-r--push--1234567 b\n";

    cr_expect_str_eq(edit(text, "2024-01-15T14-30-45Z", "c"), "2024-01-15T14-30-45Z  c\n");
    cr_expect_str_eq(edit(text, "2024-01-15T14-30-45Z", NULL), "");
}
