/*
 * backproof keygen: make a key, and say what to do with it.
 *
 * Keys are made in archive/; here they are printed or written.
 */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/time.h"
#include "cmd/cmds.h"
#include "cmd/keys.h"
#include "flow/new_file.h"

/* A new key as the texts of its files; a chunk key has no public half. */
struct made {
    const char *kind;
    struct bp_buf secret;
    struct bp_buf public;
    const char *const *advice; /* lines; NULL at the end */
};

static void free_made(struct made *made)
{
    if (made->secret.data != NULL)
        explicit_bzero(made->secret.data, made->secret.size);
    bp_buf_free(&made->secret);
    bp_buf_free(&made->public);
}

static void make_identity(struct bp_app *app, struct made *out)
{
    static const char *const advice[] = {
        "Without the secret key nobody can restore: keep two copies, neither of them at GitHub.",
        "The public key is no secret: back up with --recipient, or make it the variable",
        "BACKPROOF_RECIPIENT of the repository. Two pairs of keys, in two places, are wise.",
        "'backproof key check' tells whether a key opens the newest archive.", NULL};
    BP_AUTO(bp_identities_free) struct bp_identities identities = {0};
    BP_AUTO(bp_recipients_free) struct bp_recipients recipients = {0};
    char secret[BP_IDENTITY_SIZE];
    char public[BP_RECIPIENT_SIZE];
    char now[BP_TIME_SIZE];

    bp_identities_make(&identities);
    bp_identity_recipient(&identities, 0, &recipients);
    bp_identity_text(&identities, 0, secret);
    bp_recipient_text(&recipients, 0, public);
    bp_time_format(bp_clock_wall(app->clock), now);
    bp_buf_printf(&out->secret, "# created: %s\n# public key: %s\n%s\n", now, public, secret);
    bp_buf_printf(&out->public, "%s\n", public);
    explicit_bzero(secret, sizeof(secret));
    out->advice = advice;
}

static void make_chunk(struct bp_app *app, struct made *out)
{
    static const char *const advice[] = {
        "Make it the secret BACKPROOF_CHUNK_KEY of the repository. No copy is needed: it opens",
        "nothing, and with another one the next backup sends everything once more.", NULL};
    char key[BP_SEAL_NAME_SIZE];
    char now[BP_TIME_SIZE];

    bp_chunk_key_make(key);
    bp_time_format(bp_clock_wall(app->clock), now);
    bp_buf_printf(&out->secret, "# created: %s\n%s\n", now, key);
    explicit_bzero(key, sizeof(key));
    out->advice = advice;
}

static void make_signing(struct made *out)
{
    static const char *const advice[] = {
        "Make the secret key the secret BACKPROOF_SIGN_KEY of the repository. Keep the public key",
        "where you restore, not in the backup repository: restore and verify take it with",
        "--trusted-key.", NULL};

    bp_sign_key_make(&out->secret, &out->public);
    out->advice = advice;
}

static enum bp_code make(struct bp_app *app, struct made *out, struct bp_err *err)
{
    out->kind = app->cfg.args.count > 0 ? app->cfg.args.at[0] : "identity";
    bp_buf_reserve(&out->secret, 1024); /* what grows leaves a copy behind */
    if (strcmp(out->kind, "identity") == 0)
        make_identity(app, out);
    else if (strcmp(out->kind, "chunk") == 0)
        make_chunk(app, out);
    else if (strcmp(out->kind, "signing") == 0)
        make_signing(out);
    else
        return bp_fail(err, BP_EUSAGE, "there is no key '%s'; hint: identity, chunk or signing",
                       out->kind);
    return BP_OK;
}

static enum bp_code fill(struct bp_new_file *file, const char *path, mode_t mode,
                         const struct bp_buf *text, struct bp_err *err)
{
    if (bp_new_file_open(file, path, mode, err) != BP_OK)
        return err->code;
    if (fwrite(text->data, 1, text->len, file->to) != text->len)
        return bp_fail(err, BP_EFAILED, "cannot write '%s': %m", path);
    return BP_OK;
}

/* A signing key's public half gets a file too, as with minisign; none is there without the other.
 */
static enum bp_code write_files(struct bp_app *app, const struct made *made, const char *path,
                                struct bp_err *err)
{
    BP_AUTO(bp_freep) char *public_path = bp_format("%s.pub", path);
    BP_AUTO(bp_new_file_free) struct bp_new_file secret = {0};
    BP_AUTO(bp_new_file_free) struct bp_new_file public = {0};
    bool both = strcmp(made->kind, "signing") == 0;

    if (fill(&secret, path, 0600, &made->secret, err) != BP_OK ||
        (both && fill(&public, public_path, 0666, &made->public, err) != BP_OK))
        return err->code;
    if (bp_config_flag(&app->cfg, BP_OPT_DRY_RUN))
        return BP_OK;
    if (both && bp_new_file_keep(&public, err) != BP_OK)
        return err->code;
    return bp_new_file_keep(&secret, err);
}

static void print_json(struct bp_app *app, const struct made *made, const char *path)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_json_set_text(top, "kind", made->kind);
    bp_json_set_text(top, "file", path);
    bp_json_set_text(top, "public", bp_buf_str(&made->public));
    if (path == NULL)
        bp_json_set_text(top, "secret", bp_buf_str(&made->secret));
    bp_json_set_bool(top, "dry_run", bp_config_flag(&app->cfg, BP_OPT_DRY_RUN));
    bp_json_render(top, 1, &text);
    bp_print(app->out, "%s\n", bp_buf_str(&text));
    if (text.data != NULL)
        explicit_bzero(text.data, text.size);
}

static void print_text(struct bp_app *app, const struct made *made, const char *path)
{
    /* An identity's text tells its public half. */
    if (path == NULL)
        bp_print(app->out, "%s", bp_buf_str(&made->secret));
    if (path != NULL || strcmp(made->kind, "identity") != 0)
        bp_print(app->out, "%s", bp_buf_str(&made->public));
    if (path != NULL && bp_config_flag(&app->cfg, BP_OPT_DRY_RUN))
        bp_info(app->out, "would write the secret key into '%s'", path);
    else if (path != NULL)
        bp_info(app->out, "the secret key is in '%s'", path);
    for (const char *const *line = made->advice; *line != NULL; line++)
        bp_info(app->out, "%s", *line);
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(free_made) struct made made = {0};
    const char *path = bp_config_text(&app->cfg, BP_OPT_OUTPUT);

    if (path == NULL && app->out->runner)
        return bp_fail(err, BP_EUSAGE,
                       "the secret key would show in the job's log; hint: make keys on your own "
                       "machine");
    if (make(app, &made, err) != BP_OK ||
        (path != NULL && write_files(app, &made, path, err) != BP_OK))
        return err->code;
    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json"))
        print_json(app, &made, path);
    else
        print_text(app, &made, path);
    return BP_OK;
}

const struct bp_cmd bp_cmd_keygen = {
    .doc = {.name = "keygen",
            .args = "[identity|chunk|signing]",
            .summary = "Make a key for sealed archives, or one that signs them.",
            .details = "identity (unless another is named) is a pair of age keys: backups need the "
                       "public one only. chunk is a secret with which a sealed backup finds what "
                       "it holds already. signing is a pair of minisign's keys; with --output the "
                       "public one is written to FILE.pub.",
            .example = "backproof keygen --output key.txt",
            .groups = BP_GROUP_GENERAL | BP_GROUP_KEYGEN},
    .max_args = 1,
    .run = run,
};
