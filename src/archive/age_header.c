#include "archive/age_header.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* A body is base64 in lines of 64; the last one is shorter, and may be empty. */
enum { COLUMNS = 64, PART_DIGITS = 43 };

static const char magic[] = "age-encryption.org/v1\n";
static const char end_mark[] = "---";

/* A part of the text. */
struct word {
    const char *at;
    size_t len;
};

/* ---- writing ---- */

void bp_age_header_begin(struct bp_buf *out)
{
    bp_buf_puts(out, magic);
}

/* Without padding, as age wants it. */
static void put_part(const unsigned char part[BP_AGE_PART_SIZE], struct bp_buf *out)
{
    BP_AUTO(bp_freep) char *text = bp_text_base64(part, BP_AGE_PART_SIZE);

    bp_buf_add(out, text, PART_DIGITS);
    bp_buf_putc(out, '\n');
}

void bp_age_header_stanza(const struct bp_age_stanza *stanza, struct bp_buf *out)
{
    bp_buf_puts(out, "-> X25519 ");
    put_part(stanza->share, out);
    put_part(stanza->body, out);
}

void bp_age_header_end(struct bp_buf *out)
{
    bp_buf_puts(out, end_mark);
}

void bp_age_header_mac(const unsigned char mac[BP_AGE_PART_SIZE], struct bp_buf *out)
{
    bp_buf_putc(out, ' ');
    put_part(mac, out);
}

/* ---- reading ---- */

bool bp_age_header_begins(const char *text, size_t len)
{
    size_t known = len < strlen(magic) ? len : strlen(magic);

    return known == 0 || memcmp(text, magic, known) == 0;
}

size_t bp_age_header_size(const char *text, size_t len)
{
    const char *mark = memmem(text, len, "\n---", 4);
    const char *end = NULL;

    if (mark != NULL)
        end = memchr(mark + 1, '\n', len - (size_t)(mark + 1 - text));
    return end != NULL ? (size_t)(end + 1 - text) : 0;
}

/* Cut the next line off; without its end. */
static bool next_line(struct word *rest, struct word *line)
{
    const char *end = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;

    if (end == NULL)
        return false;
    *line = (struct word){rest->at, (size_t)(end - rest->at)};
    rest->len -= line->len + 1;
    rest->at = end + 1;
    return true;
}

static bool starts_with(struct word word, const char *text)
{
    return word.len >= strlen(text) && memcmp(word.at, text, strlen(text)) == 0;
}

static bool is_text(struct word word, const char *text)
{
    return word.len == strlen(text) && starts_with(word, text);
}

/* -1: it is no digit of base64. */
static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Base64 as age wants it: without padding, and the bits that are left over are zero. out has room
 * for 48 bytes; one line. */
static bool unbase64(struct word line, unsigned char *out, size_t *len)
{
    uint32_t bits = 0;
    unsigned have = 0;

    *len = 0;
    for (size_t i = 0; i < line.len; i++) {
        int digit = digit_of(line.at[i]);

        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[(*len)++] = (unsigned char)(bits >> have & 0xFFU);
        }
    }
    return have < 6 && (bits & ((1U << have) - 1)) == 0;
}

static bool read_part(struct word line, unsigned char out[BP_AGE_PART_SIZE])
{
    unsigned char bytes[COLUMNS];
    size_t len = 0;

    if (line.len != PART_DIGITS || !unbase64(line, bytes, &len))
        return false;
    memcpy(out, bytes, BP_AGE_PART_SIZE);
    return true;
}

/* Cut the next argument off: of characters that show, with a blank before each but the first. */
static bool next_argument(struct word *rest, struct word *out)
{
    size_t len = 0;

    while (len < rest->len && rest->at[len] != ' ') {
        if (rest->at[len] < 33 || rest->at[len] > 126)
            return false;
        len++;
    }
    *out = (struct word){rest->at, len};
    /* A blank at the end has an empty argument behind it. */
    if (len == 0 || len + 1 == rest->len)
        return false;
    rest->at += len < rest->len ? len + 1 : len;
    rest->len -= len < rest->len ? len + 1 : len;
    return true;
}

/* The first three arguments of "-> TYPE ARGUMENT ..."; how many there are, 0 when it is wrong. */
static size_t read_arguments(struct word line, struct word out[3])
{
    struct word rest = {line.at + 3, line.len - 3};
    size_t count = 0;

    do {
        struct word argument;

        if (!next_argument(&rest, &argument))
            return 0;
        if (count < 3)
            out[count] = argument;
        count++;
    } while (rest.len > 0);
    return count;
}

/* All lines of a body; the last one, and how many there are. */
static bool read_body(struct word *rest, struct word *last, size_t *lines)
{
    unsigned char bytes[COLUMNS];
    size_t len = 0;

    *lines = 0;
    do {
        if (!next_line(rest, last) || last->len > COLUMNS || !unbase64(*last, bytes, &len))
            return false;
        (*lines)++;
    } while (last->len == COLUMNS);
    return true;
}

static enum bp_code damaged(struct bp_err *err)
{
    return bp_fail(err, BP_EINTEGRITY, "its age header is damaged");
}

static enum bp_code read_stanza(struct word line, struct word *rest, struct bp_age_header *out,
                                bool *passphrase, struct bp_err *err)
{
    struct word arguments[3] = {{NULL, 0}};
    struct word body = {NULL, 0};
    size_t count = starts_with(line, "-> ") ? read_arguments(line, arguments) : 0;
    size_t lines = 0;

    if (count == 0 || !read_body(rest, &body, &lines))
        return damaged(err);
    if (++out->all > BP_AGE_STANZAS_LIMIT)
        return bp_fail(err, BP_EINTEGRITY, "its age header has more than %d recipients",
                       BP_AGE_STANZAS_LIMIT);
    *passphrase = *passphrase || is_text(arguments[0], "scrypt");
    if (!is_text(arguments[0], "X25519")) /* of others, or grease */
        return BP_OK;
    out->at = bp_realloc(out->at, out->count + 1, sizeof(*out->at));
    if (count != 2 || lines != 1 || !read_part(arguments[1], out->at[out->count].share) ||
        !read_part(body, out->at[out->count].body))
        return damaged(err);
    out->count++;
    return BP_OK;
}

static enum bp_code read_lines(struct word *rest, struct bp_age_header *out, struct bp_err *err)
{
    const char *start = rest->at;
    struct word line = {NULL, 0};
    bool passphrase = false;

    if (!bp_age_header_begins(rest->at, rest->len) || !next_line(rest, &line) ||
        !next_line(rest, &line))
        return damaged(err);
    while (!starts_with(line, end_mark)) {
        if (read_stanza(line, rest, out, &passphrase, err) != BP_OK)
            return err->code;
        if (!next_line(rest, &line))
            return damaged(err);
    }
    out->maced = (size_t)(line.at - start) + strlen(end_mark);
    if (!starts_with(line, "--- ") ||
        !read_part((struct word){line.at + 4, line.len - 4}, out->mac))
        return damaged(err);
    /* With a passphrase anybody who knows it could have made the file. */
    if (out->all == 0 || rest->len != 0 || (passphrase && out->all > 1))
        return damaged(err);
    return BP_OK;
}

enum bp_code bp_age_header_parse(const char *text, size_t len, struct bp_age_header *out,
                                 struct bp_err *err)
{
    struct word rest = {text, len};

    *out = (struct bp_age_header){0};
    if (read_lines(&rest, out, err) != BP_OK)
        bp_age_header_free(out);
    return out->all > 0 ? BP_OK : err->code;
}

void bp_age_header_free(struct bp_age_header *header)
{
    bp_free(header->at);
    *header = (struct bp_age_header){0};
}
