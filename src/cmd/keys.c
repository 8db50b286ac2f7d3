#include "cmd/keys.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

/* Digits of keys in base64: of a public one, and fewer than of a secret one. */
enum { FILE_LIMIT = 64 << 10, PUBLIC_KEY_DIGITS = 56, SECRET_DIGITS = 100 };

/* ---- files ---- */

static void free_secret(struct bp_buf *buf)
{
    if (buf->data != NULL)
        explicit_bzero(buf->data, buf->size);
    bp_buf_free(buf);
}

static bool is_identity(const char *value)
{
    static const char prefix[] = "AGE-SECRET-KEY-";

    return strncasecmp(value, prefix, strlen(prefix)) == 0;
}

/* A secret key of some kind, where the name of a file belongs. */
static bool is_secret(const char *value)
{
    size_t len = strlen(value);

    return is_identity(value) || (bp_text_starts_with(value, "RW") && len > SECRET_DIGITS) ||
           (len == BP_SEAL_NAME_SIZE - 1 && strspn(value, "0123456789abcdefABCDEF") == len);
}

/* Editors put a mark before a text, and some write two bytes for each letter. */
static enum bp_code clean_text(const char *path, struct bp_buf *text, struct bp_err *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    static const char locked[] = "age-encryption.org/"; /* told by who reads identities */
    const char *at = bp_buf_str(text);

    if (bp_text_starts_with(at, mark)) {
        text->len -= strlen(mark);
        memmove(text->data, text->data + strlen(mark), text->len + 1);
    }
    if (strlen(bp_buf_str(text)) == text->len || bp_text_starts_with(at, locked))
        return BP_OK;
    return bp_fail(err, BP_EUSAGE, "'%s' is no plain text; hint: save it as UTF-8", path);
}

static enum bp_code read_file(struct bp_app *app, const char *path, enum bp_opt id,
                              struct bp_buf *out, struct bp_err *err)
{
    if (is_secret(path)) {
        bp_secrets_add(&app->out->secrets, path);
        return bp_fail(err, BP_EUSAGE,
                       "--%s was given a secret key of another kind; hint: if others have seen it, "
                       "make a new one",
                       bp_option(id)->name);
    }
    bp_buf_reserve(out, FILE_LIMIT); /* what grows leaves a copy behind */
    if (bp_file_read(path, FILE_LIMIT, out, err) == BP_OK)
        return clean_text(path, out, err);
    err->code = BP_EUSAGE;
    return bp_wrap(err, "--%s", bp_option(id)->name);
}

/* Pipes and the like are nobody else's business. */
static void warn_of_readers(struct bp_app *app, const char *path)
{
    struct stat info;

    if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 077) != 0)
        bp_warn(app->out, "others may read the secret key in '%s'; hint: chmod 600 '%s'", path,
                path);
}

/* The lines of a key's file may be given as they are, in the environment. */
static bool is_comment(const struct bp_app *app, enum bp_opt id, const char *value)
{
    return bp_config_origin(&app->cfg, id) == BP_FROM_ENVIRONMENT &&
           (value[0] == '#' || bp_text_starts_with(value, "untrusted comment:"));
}

/* ---- recipients and identities ---- */

static enum bp_code add_recipient(struct bp_app *app, const char *value, struct bp_recipients *out,
                                  struct bp_err *err)
{
    BP_AUTO(free_secret) struct bp_buf text = {0};
    BP_AUTO(bp_freep) char *name = NULL;

    if (is_comment(app, BP_OPT_RECIPIENT, value))
        return BP_OK;
    if (is_identity(value)) {
        bp_secrets_add(&app->out->secrets, value);
        return bp_fail(err, BP_EUSAGE,
                       "--recipient was given a secret key; hint: a recipient is the public key, "
                       "age1...; if others have seen the secret one, make a new pair");
    }
    if (bp_text_starts_with(value, "age1"))
        return bp_recipients_add(out, value, "--recipient", err);
    if (read_file(app, value, BP_OPT_RECIPIENT, &text, err) != BP_OK)
        return err->code;
    name = bp_format("'%s'", value);
    return bp_recipients_add(out, bp_buf_str(&text), name, err);
}

enum bp_code bp_keys_recipients(struct bp_app *app, struct bp_recipients *out, struct bp_err *err)
{
    const struct bp_list *values = bp_config_list(&app->cfg, BP_OPT_RECIPIENT);

    *out = (struct bp_recipients){0};
    for (size_t i = 0; i < values->count; i++) {
        if (add_recipient(app, values->at[i], out, err) != BP_OK) {
            bp_recipients_free(out);
            return err->code;
        }
    }
    return BP_OK;
}

/* The secret lines of a file; its comments may be shown. */
static void register_lines(struct bp_app *app, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\r\n");
        BP_AUTO(bp_free_secretp) char *line = bp_strndup(text, len);

        if (is_identity(line))
            bp_secrets_add(&app->out->secrets, line);
        text += text[len] != '\0' ? len + 1 : len;
    }
}

static enum bp_code add_identity(struct bp_app *app, const char *value, struct bp_identities *out,
                                 struct bp_err *err)
{
    BP_AUTO(free_secret) struct bp_buf text = {0};
    BP_AUTO(bp_freep) char *name = NULL;
    char env[64];

    bp_option_env(BP_OPT_IDENTITY, env);
    if (is_comment(app, BP_OPT_IDENTITY, value))
        return BP_OK;
    if (is_identity(value))
        return bp_identities_add(out, value, env, err);
    if (read_file(app, value, BP_OPT_IDENTITY, &text, err) != BP_OK)
        return err->code;
    register_lines(app, bp_buf_str(&text));
    name = bp_format("'%s'", value);
    if (bp_identities_add(out, bp_buf_str(&text), name, err) != BP_OK)
        return err->code;
    warn_of_readers(app, value);
    return BP_OK;
}

/* All that are secrets themselves, before anything can show one of them. */
static enum bp_code guard_identities(struct bp_app *app, const struct bp_list *values,
                                     struct bp_err *err)
{
    bool shown = false;
    char env[64];

    for (size_t i = 0; i < values->count; i++) {
        if (!is_identity(values->at[i]))
            continue;
        bp_secrets_add(&app->out->secrets, values->at[i]);
        shown = bp_config_origin(&app->cfg, BP_OPT_IDENTITY) == BP_FROM_COMMAND_LINE;
    }
    bp_option_env(BP_OPT_IDENTITY, env);
    if (shown)
        return bp_fail(
            err, BP_EUSAGE,
            "the key in --identity would show in the process list; hint: set %s instead, "
            "or name the file that holds it",
            env);
    return BP_OK;
}

enum bp_code bp_keys_identities(struct bp_app *app, struct bp_identities *out, struct bp_err *err)
{
    const struct bp_list *values = bp_config_list(&app->cfg, BP_OPT_IDENTITY);

    *out = (struct bp_identities){0};
    if (guard_identities(app, values, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < values->count; i++) {
        if (add_identity(app, values->at[i], out, err) != BP_OK) {
            bp_identities_free(out);
            return err->code;
        }
    }
    return BP_OK;
}

/* ---- the chunk key, and signatures ---- */

enum bp_code bp_keys_chunk(struct bp_app *app, struct bp_chunk_key *out, struct bp_err *err)
{
    const char *text = bp_config_text(&app->cfg, BP_OPT_CHUNK_KEY);
    char env[64];

    *out = (struct bp_chunk_key){0};
    bp_option_env(BP_OPT_CHUNK_KEY, env);
    if (text != NULL && bp_chunk_key_parse(text, out, err) != BP_OK)
        return bp_wrap(err, "%s", env);
    return BP_OK;
}

enum bp_code bp_keys_sign(struct bp_app *app, struct bp_sign_key *out, bool *given,
                          struct bp_err *err)
{
    const char *value = bp_config_text(&app->cfg, BP_OPT_SIGN_KEY);
    BP_AUTO(free_secret) struct bp_buf text = {0};
    char env[64];

    *out = (struct bp_sign_key){{0}, {0}};
    *given = value != NULL;
    bp_option_env(BP_OPT_SIGN_KEY, env);
    if (value == NULL)
        return BP_OK;
    /* What a key's file begins with, or its line. */
    if (strchr(value, '\n') != NULL || bp_text_starts_with(value, "untrusted comment:") ||
        (bp_text_starts_with(value, "RW") && strlen(value) >= PUBLIC_KEY_DIGITS))
        return bp_sign_key_parse(value, env, out, err);
    if (read_file(app, value, BP_OPT_SIGN_KEY, &text, err) != BP_OK)
        return bp_wrap(err, "%s is no secret key of minisign, and no file of one", env);
    bp_secrets_add(&app->out->secrets, bp_buf_str(&text));
    if (bp_sign_key_parse(bp_buf_str(&text), "the signing key's file", out, err) != BP_OK)
        return err->code;
    warn_of_readers(app, value);
    return BP_OK;
}

static enum bp_code add_trusted(struct bp_app *app, const char *value, struct bp_trusted_keys *out,
                                struct bp_err *err)
{
    BP_AUTO(free_secret) struct bp_buf text = {0};
    BP_AUTO(bp_freep) char *name = NULL;

    if (is_comment(app, BP_OPT_TRUSTED_KEY, value))
        return BP_OK;
    if (bp_text_starts_with(value, "RW") && strlen(value) >= PUBLIC_KEY_DIGITS)
        return bp_trusted_keys_add(out, value, "--trusted-key", err);
    if (read_file(app, value, BP_OPT_TRUSTED_KEY, &text, err) != BP_OK)
        return err->code;
    name = bp_format("'%s'", value);
    return bp_trusted_keys_add(out, bp_buf_str(&text), name, err);
}

enum bp_code bp_keys_trusted(struct bp_app *app, struct bp_trusted_keys *out, struct bp_err *err)
{
    const struct bp_list *values = bp_config_list(&app->cfg, BP_OPT_TRUSTED_KEY);

    *out = (struct bp_trusted_keys){0};
    for (size_t i = 0; i < values->count; i++) {
        if (add_trusted(app, values->at[i], out, err) != BP_OK) {
            bp_trusted_keys_free(out);
            return err->code;
        }
    }
    return BP_OK;
}

struct bp_opener bp_keys_opener(const struct bp_identities *identities,
                                const struct bp_trusted_keys *trusted)
{
    return (struct bp_opener){.identities = identities->count > 0 ? identities : NULL,
                              .trusted = trusted->count > 0 ? trusted : NULL};
}
