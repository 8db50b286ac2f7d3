/*
 * Text that somebody else wrote (a server, a branch's name) inside Markdown and HTML that GitHub
 * shows: it stays the text that it is, and makes no table cell, link, mention or tag.
 */
#ifndef BP_BASE_MARKDOWN_H
#define BP_BASE_MARKDOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/secret.h"

/*
 * Append text for a table's cell, a paragraph or an HTML element, on one line. Secrets (may be
 * NULL) are hidden first: cut or escaped they would not be known as such. Of the rest at most limit
 * bytes are taken.
 */
void bp_markdown_put(struct bp_buf *out, const struct bp_secrets *secrets, const char *text,
                     size_t limit);

/*
 * Append label (at most 128 bytes of it) as a link to url; as plain text when url is "" or no plain
 * http or https address, or when a secret is in it.
 */
void bp_markdown_put_link(struct bp_buf *out, const struct bp_secrets *secrets, const char *label,
                          const char *url);

#endif
