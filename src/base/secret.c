#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { SHORTEST_FORM = 4 };

static int longest_first(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;
    size_t a_len = strlen(*a);
    size_t b_len = strlen(*b);

    return (a_len < b_len) - (a_len > b_len);
}

/* Takes over form. */
static void take_form(struct bp_secrets *secrets, char *form)
{
    BP_AUTO(bp_free_secretp) char *owned = form;

    if (strlen(owned) >= SHORTEST_FORM && !bp_list_has(&secrets->forms, owned))
        bp_list_add(&secrets->forms, owned);
}

/* As it stands in a JSON string, which --format json prints. */
static char *in_json(const char *text)
{
    struct bp_buf out = {0};

    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            bp_buf_putc(&out, '\\');
        bp_buf_putc(&out, *p);
    }
    return bp_buf_take(&out);
}

static void add_line(struct bp_secrets *secrets, const char *line)
{
    BP_AUTO(bp_free_secretp) char *basic = bp_format("x-access-token:%s", line);

    take_form(secrets, bp_strdup(line));
    take_form(secrets, in_json(line));
    take_form(secrets, bp_percent_encode(line, "-._~"));
    take_form(secrets, bp_percent_encode(line, "-._~!$&'()*+,;=:@/?"));
    take_form(secrets, bp_percent_decode(line));
    take_form(secrets, bp_text_base64(line, strlen(line)));
    take_form(secrets, bp_text_base64(basic, strlen(basic)));
}

void bp_secrets_add(struct bp_secrets *secrets, const char *secret)
{
    BP_AUTO(bp_free_secretp) char *rest = bp_strdup(secret);
    char *line = NULL;
    char *more = NULL;

    bp_text_trim(rest);
    take_form(secrets, bp_strdup(secret));
    add_line(secrets, rest);
    for (line = strtok_r(rest, "\r\n", &more); line != NULL; line = strtok_r(NULL, "\r\n", &more)) {
        bp_text_trim(line);
        add_line(secrets, line);
    }
    if (secrets->forms.count > 1)
        qsort(secrets->forms.at, secrets->forms.count, sizeof(char *), longest_first);
}

static const char *form_at(const struct bp_secrets *secrets, const char *text)
{
    for (size_t i = 0; i < secrets->forms.count; i++) {
        if (bp_text_starts_with(text, secrets->forms.at[i]))
            return secrets->forms.at[i];
    }
    return NULL;
}

void bp_secrets_mask(const struct bp_secrets *secrets, const char *text, struct bp_buf *out)
{
    for (const char *p = text; *p != '\0';) {
        const char *form = form_at(secrets, p);

        if (form != NULL) {
            bp_buf_puts(out, "***");
            p += strlen(form);
        } else {
            bp_buf_putc(out, *p++);
        }
    }
}

void bp_secrets_free(struct bp_secrets *secrets)
{
    for (size_t i = 0; i < secrets->forms.count; i++)
        explicit_bzero(secrets->forms.at[i], strlen(secrets->forms.at[i]));
    bp_list_free(&secrets->forms);
}
