#include "base/print.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum { PROGRESS_EVERY_MS = 10000 };

/* A runner trims every kind of white space; of those beyond ASCII any byte may be a part. */
static const char *skip_blanks(const char *text)
{
    while (*text == ' ' || *text == '\t' || *text == '\v' || *text == '\f' ||
           (unsigned char)*text >= 0x80)
        text++;
    return text;
}

/* Break what a runner would read as a command: "::" at a line's start, "##[" anywhere. */
static void put_harmless(const char *text, struct bp_buf *out)
{
    bool line_start = true;

    for (const char *p = text; *p != '\0'; p++) {
        if (line_start && bp_text_starts_with(skip_blanks(p), "::"))
            bp_buf_puts(out, "| ");
        line_start = *p == '\n' || *p == '\r';
        bp_buf_putc(out, *p);
        if (p[0] == '#' && p[1] == '#' && p[2] == '[')
            bp_buf_putc(out, ' ');
    }
}

static void write_text(struct bp_out *out, FILE *stream, const char *text)
{
    BP_AUTO(bp_buf_free) struct bp_buf masked = {0};
    BP_AUTO(bp_buf_free) struct bp_buf harmless = {0};

    bp_secrets_mask(&out->secrets, text, &masked);
    if (out->runner)
        put_harmless(bp_buf_str(&masked), &harmless);
    (void)fputs(bp_buf_str(out->runner ? &harmless : &masked), stream);
}

/* One line, masked first: a secret that holds a tab would not be known again afterwards. */
static void put_line(struct bp_out *out, const char *line, struct bp_buf *text)
{
    BP_AUTO(bp_buf_free) struct bp_buf masked = {0};

    bp_secrets_mask(&out->secrets, line, &masked);
    bp_put_foreign(text, bp_buf_str(&masked), SIZE_MAX);
}

void bp_print(struct bp_out *out, const char *fmt, ...)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    va_list args;

    va_start(args, fmt);
    bp_buf_vprintf(&text, fmt, args);
    va_end(args);
    bp_progress_end(out);
    write_text(out, out->out, bp_buf_str(&text));
}

/* What the kinds of messages differ in. */
struct kind {
    enum bp_level level; /* shown from this one on */
    const char *color;
    const char *label; /* NULL: none */
};

static const struct kind info = {BP_LEVEL_NORMAL, "", NULL};
static const struct kind debug = {BP_LEVEL_VERBOSE, "\033[2m", "debug"};
static const struct kind warning = {BP_LEVEL_QUIET, "\033[33m", "warning"};
static const struct kind error = {BP_LEVEL_QUIET, "\033[31m", "error"};

static void note(struct bp_out *out, const struct kind *kind, const char *line)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (out->level < kind->level)
        return;
    bp_progress_end(out);
    if (kind->label != NULL && out->color)
        bp_buf_printf(&text, "backproof: %s%s:\033[0m ", kind->color, kind->label);
    else if (kind->label != NULL)
        bp_buf_printf(&text, "backproof: %s: ", kind->label);
    /* Names in it may hold line ends and worse. */
    put_line(out, line, &text);
    bp_buf_putc(&text, '\n');
    write_text(out, out->err, bp_buf_str(&text));
    (void)fflush(out->err);
    if (out->annotate != NULL && (kind == &warning || kind == &error))
        out->annotate(out, kind == &error ? BP_SEVERITY_ERROR : BP_SEVERITY_WARNING, line);
}

static void vnote(struct bp_out *out, const struct kind *kind, const char *fmt, va_list args)
    BP_PRINTF(3, 0);

static void vnote(struct bp_out *out, const struct kind *kind, const char *fmt, va_list args)
{
    BP_AUTO(bp_buf_free) struct bp_buf line = {0};

    bp_buf_vprintf(&line, fmt, args);
    note(out, kind, bp_buf_str(&line));
}

void bp_info(struct bp_out *out, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vnote(out, &info, fmt, args);
    va_end(args);
}

void bp_debug(struct bp_out *out, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vnote(out, &debug, fmt, args);
    va_end(args);
}

void bp_warn(struct bp_out *out, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vnote(out, &warning, fmt, args);
    va_end(args);
}

void bp_error(struct bp_out *out, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vnote(out, &error, fmt, args);
    va_end(args);
}

void bp_progress(struct bp_out *out, const char *fmt, ...)
{
    BP_AUTO(bp_buf_free) struct bp_buf clean = {0};
    BP_AUTO(bp_buf_free) struct bp_buf line = {0};
    int64_t now = out->clock != NULL ? bp_clock_mono(out->clock) : 0;
    va_list args;

    if (!out->terminal && out->progress_due_ms == 0) /* short work needs no such lines in a log */
        out->progress_due_ms = now + PROGRESS_EVERY_MS;
    if (out->level < BP_LEVEL_NORMAL || now < out->progress_due_ms)
        return;
    out->progress_due_ms = now + (out->terminal ? 100 : PROGRESS_EVERY_MS);
    va_start(args, fmt);
    bp_buf_vprintf(&line, fmt, args);
    va_end(args);
    if (!out->terminal) {
        note(out, &info, bp_buf_str(&line));
        return;
    }
    put_line(out, bp_buf_str(&line), &clean);
    (void)fputs("\r\033[K", out->err);
    write_text(out, out->err, bp_buf_str(&clean));
    (void)fflush(out->err);
    out->progress_shown = true;
}

void bp_progress_end(struct bp_out *out)
{
    if (!out->progress_shown)
        return;
    out->progress_shown = false;
    (void)fputs("\r\033[K", out->err);
}

void bp_ask(struct bp_out *out, const char *fmt, ...)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    va_list args;

    va_start(args, fmt);
    bp_buf_vprintf(&text, fmt, args);
    va_end(args);
    bp_progress_end(out);
    write_text(out, out->err, bp_buf_str(&text));
    (void)fflush(out->err);
}

void bp_print_command(struct bp_out *out, const char *line)
{
    BP_AUTO(bp_buf_free) struct bp_buf masked = {0};

    bp_secrets_mask(&out->secrets, line, &masked);
    bp_buf_putc(&masked, '\n');
    (void)fputs(bp_buf_str(&masked), out->err);
    (void)fflush(out->err);
}
