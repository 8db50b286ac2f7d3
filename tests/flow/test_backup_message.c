#include <criterion/criterion.h>
#include <string.h>

#include "flow/backup_message.h"

Test(backup_message, says_what_the_archive_holds_and_where_it_is_from)
{
    struct bp_manifest_table table = {.rows = 48210};
    struct bp_manifest_file file = {.bytes = 1000};
    char repo[] = "o/r";
    char sha[] = "abc";
    char url[] = "https://forge.test/1";
    const struct bp_manifest m = {.source = {.repository = repo, .sha = sha, .run_url = url},
                                  .tables = &table,
                                  .table_count = 1,
                                  .files = &file,
                                  .file_count = 1};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_backup_message("2024-01-15T14-30-45Z", "main", &m, &text);
    cr_expect_str_eq(bp_buf_str(&text), "backup: 2024-01-15T14-30-45Z main (1 tables, 48,210 rows)"
                                        "\n\nBackup-Id: 2024-01-15T14-30-45Z\n"
                                        "Source: o/r@abc\n"
                                        "Run-Url: https://forge.test/1\n"
                                        "Rows: 48210\nBytes: 1000\n");
}

Test(backup_message, what_a_manifest_says_cannot_add_a_line)
{
    char repo[] = "o/r\nRemoved: everything";
    char none[] = "";
    struct bp_manifest m = {.source = {.repository = repo, .sha = none, .run_url = none}};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_backup_message("x", "main", &m, &text);
    cr_expect_not_null(strstr(bp_buf_str(&text), "\nSource: o/r Removed: everything@unknown\n"),
                       "%s", bp_buf_str(&text));
    m.source.repository = none;
    bp_buf_cut(&text, 0);
    bp_backup_message("x", "main", &m, &text);
    cr_expect_null(strstr(bp_buf_str(&text), "Source:"));
}
