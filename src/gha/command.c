#include "gha/command.h"

#include <string.h>

#include "base/text.h"

enum { PER_KIND = 10, MESSAGE_LIMIT = 4000 };

bool bp_gha_is_runner(const struct bp_env *env)
{
    const char *value = bp_env_get(env, "GITHUB_ACTIONS");

    return value != NULL && strcmp(value, "true") == 0;
}

/* Each character of also is escaped as well. */
static void put_escaped(struct bp_buf *out, const char *text, const char *also)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '%' || *p == '\r' || *p == '\n' || strchr(also, *p) != NULL)
            bp_buf_printf(out, "%%%02X", (unsigned char)*p);
        else
            bp_buf_putc(out, *p);
        /* The older form of a command, "##[...]", is found anywhere in a line. */
        if (p[0] == '#' && p[1] == '#' && p[2] == '[')
            bp_buf_putc(out, ' ');
    }
}

void bp_gha_put_data(struct bp_buf *out, const char *text)
{
    put_escaped(out, text, "");
}

void bp_gha_put_property(struct bp_buf *out, const char *text)
{
    put_escaped(out, text, ":,");
}

void bp_gha_annotate(struct bp_out *out, enum bp_severity severity, const char *message)
{
    BP_AUTO(bp_buf_free) struct bp_buf masked = {0};
    BP_AUTO(bp_buf_free) struct bp_buf shortened = {0};
    BP_AUTO(bp_buf_free) struct bp_buf line = {0};

    if (out->annotated[severity]++ >= PER_KIND)
        return;
    /* Before anything changes the text: a secret that was cut or escaped is not known as one. */
    bp_secrets_mask(&out->secrets, message, &masked);
    bp_put_foreign(&shortened, bp_buf_str(&masked), MESSAGE_LIMIT);
    bp_buf_printf(&line,
                  "::%s title=backproof::", severity == BP_SEVERITY_ERROR ? "error" : "warning");
    bp_gha_put_data(&line, bp_buf_str(&shortened));
    bp_print_command(out, bp_buf_str(&line));
}
