/* Recipients, identities and the chunk key as texts; seal.h says what they are. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "archive/age.h"
#include "archive/bech32.h"
#include "archive/hkdf.h"
#include "archive/seal.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"

static const char recipient_prefix[] = "age";
static const char identity_prefix[] = "AGE-SECRET-KEY-";

/* ---- lists of keys ---- */

typedef unsigned char seal_key[BP_SEAL_KEY_SIZE];

/* A list grows into new memory, so that the old one can be overwritten. */
static void add_key(seal_key **at, size_t *count, const seal_key key)
{
    seal_key *grown = bp_alloc(*count + 1, sizeof(*grown));

    for (size_t i = 0; i < *count; i++)
        memcpy(grown[i], (*at)[i], BP_SEAL_KEY_SIZE);
    memcpy(grown[*count], key, BP_SEAL_KEY_SIZE);
    if (*count > 0)
        explicit_bzero(*at, *count * sizeof(**at));
    bp_free(*at);
    *at = grown;
    (*count)++;
}

static bool has_key(seal_key *const at, size_t count, const seal_key key)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(at[i], key, BP_SEAL_KEY_SIZE) == 0)
            return true;
    }
    return false;
}

/* ---- texts ---- */

/* A text that is being read line by line. */
struct lines {
    const char *name; /* where it comes from */
    size_t number;    /* of the line */
    size_t found;     /* keys */
};

typedef enum bp_code read_line(void *ctx, const char *line, const struct lines *where,
                               struct bp_err *err);

/* Lines that are neither empty nor a comment. */
static enum bp_code read_lines(const char *text, const char *name, read_line *read, void *ctx,
                               struct bp_err *err)
{
    struct lines where = {.name = name};

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        BP_AUTO(bp_free_secretp) char *line = bp_strndup(text, len);

        where.number++;
        text += text[len] == '\n' ? len + 1 : len;
        bp_text_trim(line);
        if (line[0] == '\0' || line[0] == '#')
            continue;
        if (read(ctx, line, &where, err) != BP_OK)
            return err->code;
        where.found++;
    }
    return where.found > 0 ? BP_OK : bp_fail(err, BP_EUSAGE, "%s holds no key", name);
}

static bool is_secret(const char *line)
{
    return strncasecmp(line, identity_prefix, strlen(identity_prefix)) == 0;
}

static enum bp_code read_recipient(void *ctx, const char *line, const struct lines *where,
                                   struct bp_err *err)
{
    struct bp_recipients *recipients = ctx;
    seal_key key;

    if (is_secret(line))
        return bp_fail(
            err, BP_EUSAGE,
            "%s, line %zu is a secret key, which does not belong here; hint: a recipient "
            "is the public key, age1...; if others have seen the secret one, make a new "
            "pair",
            where->name, where->number);
    if (bp_text_starts_with(line, "ssh-"))
        return bp_fail(err, BP_EUSAGE,
                       "%s, line %zu is an SSH key, which cannot seal an archive; hint: 'backproof "
                       "keygen' makes a key that can",
                       where->name, where->number);
    if (!bp_bech32_parse(line, recipient_prefix, key) || !bp_age_is_public(key))
        return bp_fail(err, BP_EUSAGE,
                       "%s, line %zu is no age recipient; hint: one looks like age1..., 62 letters "
                       "and digits, and has no letter changed",
                       where->name, where->number);
    if (has_key(recipients->at, recipients->count, key))
        return BP_OK;
    if (recipients->count == BP_RECIPIENTS_LIMIT)
        return bp_fail(err, BP_EUSAGE, "there are more than %d recipients", BP_RECIPIENTS_LIMIT);
    add_key(&recipients->at, &recipients->count, key);
    return BP_OK;
}

enum bp_code bp_recipients_add(struct bp_recipients *recipients, const char *text, const char *name,
                               struct bp_err *err)
{
    return read_lines(text, name, read_recipient, recipients, err);
}

void bp_recipient_text(const struct bp_recipients *recipients, size_t i,
                       char out[BP_RECIPIENT_SIZE])
{
    bp_bech32_put(recipients->at[i], recipient_prefix, out, BP_RECIPIENT_SIZE);
}

void bp_recipients_free(struct bp_recipients *recipients)
{
    bp_free(recipients->at);
    *recipients = (struct bp_recipients){0};
}

static enum bp_code read_identity(void *ctx, const char *line, const struct lines *where,
                                  struct bp_err *err)
{
    struct bp_identities *identities = ctx;
    seal_key key;

    if (bp_text_starts_with(line, "age-encryption.org/") || strstr(line, "BEGIN AGE") != NULL)
        return bp_fail(err, BP_EUSAGE,
                       "%s is locked with a passphrase; hint: unlock it with 'age -d'",
                       where->name);
    if (bp_text_starts_with(line, "age1"))
        return bp_fail(err, BP_EUSAGE,
                       "%s, line %zu is a recipient, which opens nothing; hint: an identity is the "
                       "secret key that belongs to it",
                       where->name, where->number);
    if (!bp_bech32_parse(line, identity_prefix, key))
        return bp_fail(err, BP_EUSAGE,
                       "%s, line %zu is no age identity; hint: one looks like AGE-SECRET-KEY-1..., "
                       "74 letters and digits, and has no letter changed",
                       where->name, where->number);
    if (!has_key(identities->at, identities->count, key)) {
        if (identities->count == BP_RECIPIENTS_LIMIT)
            return bp_fail(err, BP_EUSAGE, "there are more than %d identities",
                           BP_RECIPIENTS_LIMIT);
        add_key(&identities->at, &identities->count, key);
    }
    explicit_bzero(key, sizeof(key));
    return BP_OK;
}

enum bp_code bp_identities_add(struct bp_identities *identities, const char *text, const char *name,
                               struct bp_err *err)
{
    return read_lines(text, name, read_identity, identities, err);
}

void bp_identities_make(struct bp_identities *identities)
{
    seal_key key;

    bp_random(key, sizeof(key));
    add_key(&identities->at, &identities->count, key);
    explicit_bzero(key, sizeof(key));
}

void bp_identity_text(const struct bp_identities *identities, size_t i, char out[BP_IDENTITY_SIZE])
{
    bp_bech32_put(identities->at[i], identity_prefix, out, BP_IDENTITY_SIZE);
}

void bp_identity_recipient(const struct bp_identities *identities, size_t i,
                           struct bp_recipients *recipients)
{
    seal_key key;

    bp_age_public(identities->at[i], key);
    if (!has_key(recipients->at, recipients->count, key))
        add_key(&recipients->at, &recipients->count, key);
}

void bp_identities_free(struct bp_identities *identities)
{
    if (identities->count > 0)
        explicit_bzero(identities->at, identities->count * sizeof(*identities->at));
    bp_free(identities->at);
    *identities = (struct bp_identities){0};
}

/* ---- names ---- */

static void put_hex(const seal_key bytes, char out[BP_SEAL_NAME_SIZE])
{
    for (size_t i = 0; i < BP_SEAL_KEY_SIZE; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static bool parse_hex(const char *line, seal_key out)
{
    if (strlen(line) != BP_SEAL_NAME_SIZE - 1)
        return false;
    for (size_t i = 0; i < BP_SEAL_NAME_SIZE - 1; i++) {
        unsigned char c = (unsigned char)line[i];
        unsigned digit = (unsigned)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);

        if (!isxdigit(c))
            return false;
        out[i / 2] = (unsigned char)((i % 2 == 0 ? 0U : (unsigned)out[i / 2] << 4) | digit);
    }
    return true;
}

static enum bp_code read_chunk_key(void *ctx, const char *line, const struct lines *where,
                                   struct bp_err *err)
{
    struct bp_chunk_key *key = ctx;

    if (key->given || !parse_hex(line, key->bytes))
        return bp_fail(err, BP_EUSAGE,
                       "%s is no chunk key of 64 hex digits; hint: 'backproof keygen chunk' makes "
                       "one",
                       where->name);
    key->given = true;
    return BP_OK;
}

enum bp_code bp_chunk_key_parse(const char *text, struct bp_chunk_key *out, struct bp_err *err)
{
    *out = (struct bp_chunk_key){0};
    if (read_lines(text, "the text", read_chunk_key, out, err) == BP_OK)
        return BP_OK;
    explicit_bzero(out, sizeof(*out));
    return err->code;
}

void bp_chunk_key_make(char out[BP_SEAL_NAME_SIZE])
{
    seal_key key;

    bp_random(key, sizeof(key));
    put_hex(key, out);
    explicit_bzero(key, sizeof(key));
}

static int by_bytes(const void *left, const void *right)
{
    return memcmp(left, right, BP_SEAL_KEY_SIZE);
}

/* The set of recipients decides, not the order in which they were given. */
static void name_key(const struct bp_chunk_key *key, const struct bp_recipients *recipients,
                     seal_key out)
{
    static const char purpose[] = "backproof sealed name v1";
    BP_AUTO(bp_buf_free) struct bp_buf info = {0};

    bp_buf_add(&info, purpose, sizeof(purpose));
    for (size_t i = 0; i < recipients->count; i++)
        bp_buf_add(&info, recipients->at[i], BP_SEAL_KEY_SIZE);
    if (recipients->count > 1)
        qsort(info.data + sizeof(purpose), recipients->count, BP_SEAL_KEY_SIZE, by_bytes);
    bp_hkdf((struct bp_bytes){key->bytes, BP_SEAL_KEY_SIZE}, (struct bp_bytes){NULL, 0},
            (struct bp_bytes){info.data, info.len}, out);
}

void bp_seal_name(const struct bp_chunk_key *key, const struct bp_recipients *recipients,
                  const void *data, size_t len, char out[BP_SEAL_NAME_SIZE])
{
    seal_key secret;
    seal_key name;

    if (key->given) {
        name_key(key, recipients, secret);
        bp_hmac((struct bp_bytes){secret, sizeof(secret)}, (struct bp_bytes){data, len}, name);
        explicit_bzero(secret, sizeof(secret));
    } else {
        bp_random(name, sizeof(name));
    }
    put_hex(name, out);
}
