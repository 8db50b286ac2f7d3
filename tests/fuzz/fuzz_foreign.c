/*
 * What keeps foreign text harmless: bp_put_foreign(), the masking of secrets, and what a GitHub
 * runner would take for a command. The first line is a secret, the rest is text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/print.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "gha/command.h"

static void check_foreign(const char *text)
{
    static const size_t limits[] = {0, 1, 7, 100};

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        BP_AUTO(bp_buf_free) struct bp_buf out = {0};

        bp_put_foreign(&out, text, limits[i]);
        must(out.len <= limits[i] + 3 && fuzz_is_plain(bp_buf_str(&out)));
    }
}

/* Each "%" of the data is one of ours. */
static void check_data(const char *text)
{
    BP_AUTO(bp_buf_free) struct bp_buf data = {0};

    bp_gha_put_data(&data, text);
    must(strpbrk(bp_buf_str(&data), "\r\n") == NULL && strstr(bp_buf_str(&data), "##[") == NULL);
    for (const char *p = strchr(bp_buf_str(&data), '%'); p != NULL; p = strchr(p + 1, '%'))
        must(strncmp(p, "%25", 3) == 0 || strncmp(p, "%0D", 3) == 0 || strncmp(p, "%0A", 3) == 0);
}

/* As a runner reads it: it trims each line first. */
static void check_no_command(const char *text)
{
    must(strstr(text, "##[") == NULL);
    for (const char *line = text; *line != '\0';) {
        must(strncmp(line + strspn(line, " \t\v\f"), "::", 2) != 0);
        line += strcspn(line, "\r\n");
        line += *line != '\0';
    }
}

static void check_printed(struct bp_out *out, const char *secret, const char *text)
{
    char *shown = NULL;
    size_t len = 0;

    out->out = open_memstream(&shown, &len);
    must(out->out != NULL);
    out->err = out->out;
    bp_print(out, "%s%s%s\n", text, secret, text);
    bp_warn(out, "%s%s", text, secret);
    (void)fclose(out->out);
    check_no_command(shown);
    bp_free(shown);
}

/* The stars that take the place of a secret may make a new one that has stars in it. */
static void check_masked(const struct bp_secrets *secrets, const char *secret, const char *text)
{
    BP_AUTO(bp_freep) char *all = bp_format("%s%s%s", text, secret, text);
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    bp_secrets_mask(secrets, all, &out);
    if (strlen(secret) >= 4 && strchr(secret, '*') == NULL)
        must(strstr(bp_buf_str(&out), secret) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *all = fuzz_string(data, size);
    struct bp_out out = {.runner = true, .level = BP_LEVEL_NORMAL};
    char *text = all;
    const char *secret = fuzz_line(&text);

    check_foreign(text);
    check_data(text);
    bp_secrets_add(&out.secrets, secret);
    check_masked(&out.secrets, secret, text);
    check_printed(&out, secret, text);
    bp_secrets_free(&out.secrets);
    return 0;
}
