#include "archive/sign.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"

/* The texts of minisign's files as bytes; numbers are places in them. */
enum {
    ID = 8,
    SIGNATURE = 64,
    HASH = 64,
    SUM = 32,
    PUBLIC_KEY = 42, /* "Ed", id, key */
    PUBLIC_AT = 10,
    SECRET_KEY = 158, /* "Ed", two bytes of the password's function, "B2", 48 of it, then */
    KDF_AT = 2,
    SUM_KIND_AT = 4,
    ID_AT = 54,
    SECRET_AT = 62,
    SUM_AT = 126,
    SIGNED = 74 /* "ED" or "Ed", id, signature */
};

static const char untrusted[] = "untrusted comment: ";
static const char trusted[] = "trusted comment: ";

/* Bytes that may be a secret. */
static void free_secret(struct bp_buf *buf)
{
    if (buf->data != NULL)
        sodium_memzero(buf->data, buf->size);
    bp_buf_free(buf);
}

/* An id as minisign shows it: the last byte first. */
static void put_id(const unsigned char id[ID], char out[2 * ID + 1])
{
    for (size_t i = 0; i < ID; i++)
        (void)snprintf(out + 2 * i, 3, "%02X", id[ID - 1 - i]);
}

/* ---- keys ---- */

/* The one line of a key's file that is neither empty nor a comment, decoded; room is reserved, so
 * that no second copy of it stays behind. false: there is another number of them. */
static bool read_key(const char *text, struct bp_buf *out)
{
    BP_AUTO(bp_free_secretp) char *copy = bp_strdup(text);
    char *more = NULL;
    size_t found = 0;
    bool good = true;

    bp_buf_reserve(out, strlen(text));
    for (char *line = strtok_r(copy, "\r\n", &more); line != NULL;
         line = strtok_r(NULL, "\r\n", &more)) {
        bp_text_trim(line);
        if (line[0] == '\0' || bp_text_starts_with(line, "untrusted comment:"))
            continue;
        good = good && bp_text_unbase64(line, out);
        found++;
    }
    return good && found == 1;
}

static void sum_of(const unsigned char *bytes, unsigned char out[SUM])
{
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, NULL, 0, SUM);
    (void)crypto_generichash_update(&state, bytes, 2);
    (void)crypto_generichash_update(&state, bytes + ID_AT, SUM_AT - ID_AT);
    (void)crypto_generichash_final(&state, out, SUM);
    sodium_memzero(&state, sizeof(state));
}

/* minisign leaves the sum of a key without a password empty; but a key says its public half too. */
static bool is_whole(const unsigned char *bytes)
{
    unsigned char sum[SUM];
    unsigned char public[crypto_sign_PUBLICKEYBYTES];
    unsigned char secret[crypto_sign_SECRETKEYBYTES];
    bool same = false;

    sum_of(bytes, sum);
    (void)crypto_sign_seed_keypair(public, secret, bytes + SECRET_AT);
    same = sodium_memcmp(secret, bytes + SECRET_AT, sizeof(secret)) == 0 &&
           (sodium_is_zero(bytes + SUM_AT, SUM) || sodium_memcmp(sum, bytes + SUM_AT, SUM) == 0);
    sodium_memzero(secret, sizeof(secret));
    return same;
}

enum bp_code bp_sign_key_parse(const char *text, const char *name, struct bp_sign_key *out,
                               struct bp_err *err)
{
    BP_AUTO(free_secret) struct bp_buf key = {0};
    const unsigned char *bytes = NULL;

    *out = (struct bp_sign_key){{0}, {0}};
    if (sodium_init() < 0)
        abort();
    if (read_key(text, &key) && key.len == PUBLIC_KEY)
        return bp_fail(err, BP_EUSAGE,
                       "%s is a public key, which signs nothing; hint: give the secret key that "
                       "belongs to it",
                       name);
    if (key.len != SECRET_KEY || memcmp(key.data, "Ed", 2) != 0 ||
        memcmp(key.data + SUM_KIND_AT, "B2", 2) != 0)
        return bp_fail(
            err, BP_EUSAGE,
            "%s is no secret key of minisign; hint: 'backproof keygen signing' makes one", name);
    bytes = (const unsigned char *)key.data;
    if (!sodium_is_zero(bytes + KDF_AT, 2))
        return bp_fail(
            err, BP_EUSAGE,
            "%s is locked with a password; hint: 'backproof keygen signing' or 'minisign "
            "-G -W' makes one without, and 'minisign -C -W' takes the password away",
            name);
    if (!is_whole(bytes))
        return bp_fail(err, BP_EUSAGE, "%s is damaged: its checksum is wrong", name);
    memcpy(out->id, bytes + ID_AT, ID);
    memcpy(out->secret, bytes + SECRET_AT, sizeof(out->secret));
    return BP_OK;
}

static void put_base64(const void *bytes, size_t len, struct bp_buf *out)
{
    BP_AUTO(bp_free_secretp) char *text = bp_text_base64(bytes, len);

    bp_buf_puts(out, text);
    bp_buf_putc(out, '\n');
}

void bp_sign_key_make(struct bp_buf *secret_file, struct bp_buf *public_file)
{
    unsigned char secret[SECRET_KEY] = {'E', 'd', 0, 0, 'B', '2'};
    unsigned char public[PUBLIC_KEY] = {'E', 'd'};
    unsigned char seed[crypto_sign_SEEDBYTES];
    char id[2 * ID + 1];

    if (sodium_init() < 0)
        abort();
    bp_random(secret + ID_AT, ID);
    bp_random(seed, sizeof(seed));
    memcpy(public + 2, secret + ID_AT, ID);
    (void)crypto_sign_seed_keypair(public + PUBLIC_AT, secret + SECRET_AT, seed);
    sum_of(secret, secret + SUM_AT);
    put_id(secret + ID_AT, id);
    bp_buf_reserve(secret_file, 512);
    bp_buf_printf(secret_file, "%sbackproof secret key %s\n", untrusted, id);
    put_base64(secret, sizeof(secret), secret_file);
    bp_buf_printf(public_file, "%sbackproof public key %s\n", untrusted, id);
    put_base64(public, sizeof(public), public_file);
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(seed, sizeof(seed));
}

void bp_sign_key_wipe(struct bp_sign_key *key)
{
    sodium_memzero(key, sizeof(*key));
}

static void add_trusted(struct bp_trusted_keys *keys, const void *id, const void *public)
{
    struct bp_trusted_key *added = NULL;

    keys->at = bp_realloc(keys->at, keys->count + 1, sizeof(*keys->at));
    added = &keys->at[keys->count++];
    memcpy(added->id, id, sizeof(added->id));
    memcpy(added->public, public, sizeof(added->public));
}

enum bp_code bp_trusted_keys_add(struct bp_trusted_keys *keys, const char *text, const char *name,
                                 struct bp_err *err)
{
    BP_AUTO(free_secret) struct bp_buf key = {0};

    if (read_key(text, &key) && key.len == SECRET_KEY)
        return bp_fail(err, BP_EUSAGE,
                       "%s is a secret key, which does not belong here; hint: give the public key "
                       "that belongs to it; if others have seen the secret one, make a new pair",
                       name);
    if (key.len != PUBLIC_KEY || memcmp(key.data, "Ed", 2) != 0)
        return bp_fail(
            err, BP_EUSAGE,
            "%s is no public key of minisign; hint: one looks like RW..., 56 letters and "
            "digits",
            name);
    if (keys->count == BP_TRUSTED_KEYS_LIMIT)
        return bp_fail(err, BP_EUSAGE, "there are more than %d trusted keys",
                       BP_TRUSTED_KEYS_LIMIT);
    add_trusted(keys, key.data + 2, key.data + PUBLIC_AT);
    return BP_OK;
}

void bp_trusted_keys_add_own(struct bp_trusted_keys *keys, const struct bp_sign_key *key)
{
    unsigned char public[crypto_sign_PUBLICKEYBYTES];

    (void)crypto_sign_ed25519_sk_to_pk(public, key->secret);
    add_trusted(keys, key->id, public);
}

void bp_trusted_keys_free(struct bp_trusted_keys *keys)
{
    bp_free(keys->at);
    *keys = (struct bp_trusted_keys){0};
}

/* ---- signing ---- */

static void hash_of(const void *text, size_t len, unsigned char out[HASH])
{
    (void)crypto_generichash(out, HASH, text, len, NULL, 0);
}

void bp_sign(const struct bp_sign_key *key, const void *text, size_t len, const char *comment,
             struct bp_buf *out)
{
    BP_AUTO(bp_buf_free) struct bp_buf global = {0};
    unsigned char hash[HASH];
    unsigned char made[SIGNED] = {'E', 'D'};
    unsigned char over_all[SIGNATURE];

    if (sodium_init() < 0)
        abort();
    hash_of(text, len, hash);
    memcpy(made + 2, key->id, ID);
    (void)crypto_sign_detached(made + 2 + ID, NULL, hash, sizeof(hash), key->secret);
    bp_buf_add(&global, made + 2 + ID, SIGNATURE);
    bp_put_foreign(&global, comment, BP_SIGNATURE_LIMIT / 2);
    (void)crypto_sign_detached(over_all, NULL, (const unsigned char *)global.data, global.len,
                               key->secret);
    bp_buf_printf(out, "%ssignature from backproof\n", untrusted);
    put_base64(made, sizeof(made), out);
    bp_buf_printf(out, "%s%s\n", trusted, global.data + SIGNATURE);
    put_base64(over_all, sizeof(over_all), out);
}

/* ---- checking ---- */

/* A signature file, read. */
struct signature {
    struct bp_buf made;     /* SIGNED bytes */
    struct bp_buf global;   /* what the second signature covers */
    struct bp_buf over_all; /* the second signature */
};

static void free_signature(struct signature *s)
{
    bp_buf_free(&s->made);
    bp_buf_free(&s->global);
    bp_buf_free(&s->over_all);
}

/* Cut the next line off, without its end. */
static char *next_line(char **rest)
{
    char *line = *rest;
    size_t len = strcspn(line, "\n");

    *rest = line[len] != '\0' ? line + len + 1 : line + len;
    line[len] = '\0';
    if (len > 0 && line[len - 1] == '\r')
        line[len - 1] = '\0';
    return line;
}

/* Four lines; nothing else. */
static bool read_signature(const char *text, struct signature *out)
{
    BP_AUTO(bp_freep) char *copy = bp_strndup(text, strnlen(text, BP_SIGNATURE_LIMIT + 1));
    char *rest = copy;
    const char *comment = NULL;

    if (strlen(copy) > BP_SIGNATURE_LIMIT || !bp_text_starts_with(next_line(&rest), untrusted) ||
        !bp_text_unbase64(next_line(&rest), &out->made) || out->made.len != SIGNED)
        return false;
    comment = next_line(&rest);
    if (!bp_text_starts_with(comment, trusted))
        return false;
    bp_buf_add(&out->global, out->made.data + 2 + ID, SIGNATURE);
    bp_buf_puts(&out->global, comment + strlen(trusted));
    return bp_text_unbase64(next_line(&rest), &out->over_all) && out->over_all.len == SIGNATURE &&
           rest[strspn(rest, "\r\n")] == '\0';
}

static bool holds(const void *signature, const void *text, size_t len,
                  const struct bp_trusted_key *key)
{
    return crypto_sign_verify_detached(signature, text, len, key->public) == 0;
}

/* The text is hashed first ("ED"), or signed as it is ("Ed", which old versions of minisign make).
 */
static bool signed_by(const struct signature *s, const void *text, size_t len,
                      const struct bp_trusted_key *key)
{
    const char *signature = s->made.data + 2 + ID;
    unsigned char hash[HASH];

    if (memcmp(s->made.data, "Ed", 2) == 0)
        return holds(signature, text, len, key);
    if (memcmp(s->made.data, "ED", 2) != 0)
        return false;
    hash_of(text, len, hash);
    return holds(signature, hash, sizeof(hash), key);
}

enum bp_code bp_sign_check(const struct bp_trusted_keys *keys, const void *text, size_t len,
                           const char *signature, struct bp_err *err)
{
    BP_AUTO(free_signature) struct signature s = {0};
    const unsigned char *id = NULL;
    char shown[2 * ID + 1];
    bool known = false;

    if (sodium_init() < 0)
        abort();
    if (!read_signature(signature, &s))
        return bp_fail(err, BP_EINTEGRITY, "the signature is damaged");
    id = (const unsigned char *)s.made.data + 2;
    put_id(id, shown);
    for (size_t i = 0; i < keys->count; i++) {
        const struct bp_trusted_key *key = &keys->at[i];

        if (memcmp(key->id, id, ID) != 0)
            continue;
        known = true;
        if (signed_by(&s, text, len, key) &&
            holds(s.over_all.data, s.global.data, s.global.len, key))
            return BP_OK;
    }
    if (!known)
        return bp_fail(err, BP_EINTEGRITY, "the signature is by key %s, which is not trusted",
                       shown);
    return bp_fail(err, BP_EINTEGRITY,
                   "the signature by key %s is wrong: what was signed is not what is here", shown);
}
