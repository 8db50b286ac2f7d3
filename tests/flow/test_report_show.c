#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/show.h"

static struct bp_catalog_entry entry;
static struct bp_buf text;

static void set_up(void)
{
    entry.manifest.id = bp_strdup("2024-01-15T14-30-45Z");
    entry.manifest.started_ms = INT64_C(1705329045000);
    entry.manifest.database.server_version = bp_strdup("15.8");
}

static void tear_down(void)
{
    bp_manifest_free(&entry.manifest);
    bp_buf_free(&text);
}

TestSuite(report_show, .init = set_up, .fini = tear_down);

static const char *show(int64_t took_ms)
{
    const struct bp_shown shown = {.entry = &entry};

    entry.manifest.finished_ms = entry.manifest.started_ms + took_ms;
    bp_buf_cut(&text, 0);
    bp_show_text(&shown, false, &text);
    return bp_buf_str(&text);
}

/* The manifest holds whole seconds. */
Test(report_show, a_quick_backup_took_less_than_a_second)
{
    cr_expect_not_null(strstr(show(0), ", in less than a second"), "%s", text.data);
    cr_expect_not_null(strstr(show(12000), ", in 12.0 s"), "%s", text.data);
}

Test(report_show, a_shut_archive_says_how_it_is_opened)
{
    cr_expect_null(strstr(show(0), "--identity"), "%s", text.data);
    entry.manifest.sealed = true;
    cr_expect_not_null(strstr(show(0), "--identity"), "%s", text.data);
}
