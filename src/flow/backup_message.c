#include "flow/backup_message.h"

#include <inttypes.h>
#include <stdbool.h>

#include "base/text.h"

enum { LONGEST = 500 };

static bool is_known(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* Of a manifest that somebody may have written by hand: on one line. */
static void put_source(const struct bp_manifest *m, struct bp_buf *out)
{
    bp_buf_puts(out, "Source: ");
    bp_put_foreign(out, m->source.repository, LONGEST);
    bp_buf_putc(out, '@');
    bp_put_foreign(out, is_known(m->source.sha) ? m->source.sha : "unknown", LONGEST);
    bp_buf_putc(out, '\n');
}

static void put_run(const struct bp_manifest *m, struct bp_buf *out)
{
    bp_buf_puts(out, "Run-Url: ");
    bp_put_foreign(out, m->source.run_url, LONGEST);
    bp_buf_putc(out, '\n');
}

static void put_size(const struct bp_manifest *m, struct bp_buf *out)
{
    bp_buf_printf(out, "%zu tables, ", m->table_count);
    bp_put_count(out, bp_manifest_rows(m));
    bp_buf_puts(out, " rows)");
}

void bp_backup_message(const char *id, const char *branch, const struct bp_manifest *manifest,
                       struct bp_buf *out)
{
    const struct bp_manifest *m = manifest;

    bp_buf_printf(out, "backup: %s %s (", id, branch);
    if (m->sealed)
        bp_buf_puts(out, "sealed)");
    else
        put_size(m, out);
    bp_buf_printf(out, "\n\nBackup-Id: %s\n", id);
    if (is_known(m->source.repository))
        put_source(m, out);
    if (is_known(m->source.run_url))
        put_run(m, out);
    if (!m->sealed)
        bp_buf_printf(out, "Rows: %" PRId64 "\n", bp_manifest_rows(m));
    bp_buf_printf(out, "Bytes: %" PRId64 "\n", bp_manifest_bytes(m));
}
