#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/keys.h"

#define SECRET  "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
#define PUBLIC  "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
#define TRUSTED "RWQkeHaYfez68OPgEIwRkw+t0bJepQQ7GjA2N/gXhI2Hn3Wk0pqz+Rff"

enum { ALL = BP_GROUP_GENERAL | BP_GROUP_BACKUP | BP_GROUP_OPEN };

static char *dir;
static char *stream;
static size_t stream_len;
static struct bp_out out;
static struct bp_app app;
static struct bp_err err;

static void set_up(void)
{
    cr_assert_eq(bp_tempdir_new("/tmp", &dir, &err), BP_OK, "%s", err.msg);
    out = (struct bp_out){.err = open_memstream(&stream, &stream_len), .level = BP_LEVEL_NORMAL};
    app = (struct bp_app){.out = &out};
}

static void tear_down(void)
{
    bp_config_free(&app.cfg);
    bp_secrets_free(&out.secrets);
    (void)fclose(out.err);
    bp_free(stream);
    bp_tempdir_removep(&dir);
}

TestSuite(keys, .init = set_up, .fini = tear_down);

/* words, then what the environment holds; both end with NULL. */
static void load(const char *const *words, const char *const *vars)
{
    const struct bp_env env = {.vars = vars};

    bp_config_free(&app.cfg);
    cr_assert_eq(bp_config_load(&app.cfg, ALL, words, &env, &out.secrets, &err), BP_OK, "%s",
                 err.msg);
}

static void load_option(const char *option, const char *value)
{
    load((const char *const[]){option, value, NULL}, (const char *const[]){NULL});
}

static void load_variable(const char *name, const char *value)
{
    BP_AUTO(bp_freep) char *var = bp_format("%s=%s", name, value);

    load((const char *const[]){NULL}, (const char *const[]){var, NULL});
}

static char *file(const char *name, const char *text)
{
    char *path = bp_format("%s/%s", dir, name);

    cr_assert_eq(bp_file_write(path, text, strlen(text), &err), BP_OK, "%s", err.msg);
    return path;
}

static const char *warnings(void)
{
    (void)fflush(out.err);
    return stream;
}

Test(keys, what_is_not_given_is_empty)
{
    struct bp_recipients recipients;
    struct bp_identities identities;
    struct bp_trusted_keys trusted;
    struct bp_chunk_key chunk;
    struct bp_sign_key sign;
    bool given = true;

    load((const char *const[]){NULL}, (const char *const[]){NULL});
    cr_expect(bp_keys_recipients(&app, &recipients, &err) == BP_OK && recipients.count == 0);
    cr_expect(bp_keys_identities(&app, &identities, &err) == BP_OK && identities.count == 0);
    cr_expect(bp_keys_trusted(&app, &trusted, &err) == BP_OK && trusted.count == 0);
    cr_expect(bp_keys_chunk(&app, &chunk, &err) == BP_OK && !chunk.given);
    cr_expect(bp_keys_sign(&app, &sign, &given, &err) == BP_OK && !given);
}

Test(keys, recipients_are_values_or_files)
{
    BP_AUTO(bp_freep) char *path = file("r.txt", "# ops\n" PUBLIC "\n");
    BP_AUTO(bp_recipients_free) struct bp_recipients one = {0};
    BP_AUTO(bp_recipients_free) struct bp_recipients two = {0};

    load_option("--recipient", path);
    cr_expect_eq(bp_keys_recipients(&app, &one, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(one.count, 1);
    load_variable("BACKPROOF_RECIPIENT", "# ops\n" PUBLIC "\n");
    cr_expect_eq(bp_keys_recipients(&app, &two, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(two.count, 1);
    cr_expect_str_empty(warnings());
}

Test(keys, a_recipient_that_is_a_secret_key_or_no_file_is_refused)
{
    BP_AUTO(bp_freep) char *path = file("k.txt", SECRET);
    BP_AUTO(bp_buf_free) struct bp_buf masked = {0};
    struct bp_recipients recipients;

    load_option("--recipient", SECRET);
    cr_expect_eq(bp_keys_recipients(&app, &recipients, &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "--recipient was given a secret key"), "%s", err.msg);
    bp_secrets_mask(&out.secrets, SECRET, &masked);
    cr_expect_str_eq(bp_buf_str(&masked), "***");
    load_option("--recipient", path);
    cr_expect_eq(bp_keys_recipients(&app, &recipients, &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "line 1 is a secret key"), "%s", err.msg);
    load_option("--recipient", "/no/such/file");
    cr_expect_eq(bp_keys_recipients(&app, &recipients, &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "--recipient: cannot open '/no/such/file'"), "%s", err.msg);
    cr_expect_null(recipients.at);
}

Test(keys, an_identity_comes_from_a_file_or_from_the_environment)
{
    BP_AUTO(bp_freep) char *path = file("k.txt", "# public key: " PUBLIC "\n" SECRET "\n");
    BP_AUTO(bp_identities_free) struct bp_identities one = {0};
    BP_AUTO(bp_identities_free) struct bp_identities two = {0};
    BP_AUTO(bp_buf_free) struct bp_buf masked = {0};

    load_option("--identity", path);
    cr_expect_eq(bp_keys_identities(&app, &one, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(one.count, 1);
    cr_expect_str_empty(warnings());
    bp_secrets_mask(&out.secrets, PUBLIC " " SECRET, &masked);
    cr_expect_str_eq(bp_buf_str(&masked), PUBLIC " ***");
    load_variable("BACKPROOF_IDENTITY", "# public key: " PUBLIC "\n" SECRET "\n");
    cr_expect_eq(bp_keys_identities(&app, &two, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(two.count, 1);
}

Test(keys, an_identity_on_the_command_line_is_refused)
{
    BP_AUTO(bp_buf_free) struct bp_buf masked = {0};
    struct bp_identities identities;

    load_option("--identity", SECRET);
    cr_expect_eq(bp_keys_identities(&app, &identities, &err), BP_EUSAGE);
    cr_expect_str_eq(err.msg, "the key in --identity would show in the process list; hint: set "
                              "BACKPROOF_IDENTITY instead, or name the file that holds it");
    bp_secrets_mask(&out.secrets, SECRET, &masked);
    cr_expect_str_eq(bp_buf_str(&masked), "***");
    cr_expect_null(identities.at);
}

Test(keys, an_identity_that_others_may_read_is_warned_of)
{
    BP_AUTO(bp_freep) char *path = file("k.txt", SECRET);
    BP_AUTO(bp_identities_free) struct bp_identities identities = {0};

    cr_assert_eq(chmod(path, 0640), 0);
    load_option("--identity", path);
    cr_expect_eq(bp_keys_identities(&app, &identities, &err), BP_OK, "%s", err.msg);
    cr_expect_not_null(strstr(warnings(), "others may read the secret key in '"), "%s", stream);
    cr_expect_not_null(strstr(warnings(), "hint: chmod 600 '"), "%s", stream);
}

Test(keys, a_chunk_key_names_its_variable)
{
    struct bp_chunk_key key;
    char text[BP_SEAL_NAME_SIZE];

    bp_chunk_key_make(text);
    load_variable("BACKPROOF_CHUNK_KEY", text);
    cr_expect(bp_keys_chunk(&app, &key, &err) == BP_OK && key.given);
    load_variable("BACKPROOF_CHUNK_KEY", "hunter22");
    cr_expect_eq(bp_keys_chunk(&app, &key, &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "BACKPROOF_CHUNK_KEY: "), "%s", err.msg);
    cr_expect_null(strstr(err.msg, "hunter22"), "%s", err.msg);
}

Test(keys, a_signing_key_is_its_text_its_line_or_its_file)
{
    BP_AUTO(bp_buf_free) struct bp_buf secret = {0};
    BP_AUTO(bp_buf_free) struct bp_buf public = {0};
    BP_AUTO(bp_freep) char *path = NULL;
    struct bp_sign_key key;
    bool given = false;

    bp_sign_key_make(&secret, &public);
    path = file("s.key", secret.data);
    load_variable("BACKPROOF_SIGN_KEY", secret.data);
    cr_expect(bp_keys_sign(&app, &key, &given, &err) == BP_OK && given, "%s", err.msg);
    load_variable("BACKPROOF_SIGN_KEY", strchr(secret.data, '\n') + 1);
    cr_expect(bp_keys_sign(&app, &key, &given, &err) == BP_OK && given, "%s", err.msg);
    load_variable("BACKPROOF_SIGN_KEY", path);
    cr_expect(bp_keys_sign(&app, &key, &given, &err) == BP_OK && given, "%s", err.msg);
    load_variable("BACKPROOF_SIGN_KEY", public.data);
    cr_expect_eq(bp_keys_sign(&app, &key, &given, &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "BACKPROOF_SIGN_KEY is a public key"), "%s", err.msg);
    load_variable("BACKPROOF_SIGN_KEY", "/no/such/key");
    cr_expect_eq(bp_keys_sign(&app, &key, &given, &err), BP_EUSAGE);
}

Test(keys, trusted_keys_are_values_or_files)
{
    BP_AUTO(bp_freep)
    char *path = file("p.pub", "untrusted comment: minisign public key\n" TRUSTED "\n");
    BP_AUTO(bp_trusted_keys_free) struct bp_trusted_keys one = {0};
    BP_AUTO(bp_trusted_keys_free) struct bp_trusted_keys two = {0};
    struct bp_trusted_keys none;

    load((const char *const[]){"--trusted-key", path, "--trusted-key", TRUSTED, NULL},
         (const char *const[]){NULL});
    cr_expect_eq(bp_keys_trusted(&app, &one, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(one.count, 2);
    load_variable("BACKPROOF_TRUSTED_KEY", "untrusted comment: minisign\n" TRUSTED "\n");
    cr_expect_eq(bp_keys_trusted(&app, &two, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(two.count, 1);
    load_option("--trusted-key", "/no/such/key");
    cr_expect_eq(bp_keys_trusted(&app, &none, &err), BP_EUSAGE);
    cr_expect_null(none.at);
}

Test(keys, a_secret_key_where_another_key_belongs_is_never_shown)
{
    static const char *const options[] = {"--trusted-key", "--recipient"};
    static const char chunk[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    BP_AUTO(bp_buf_free) struct bp_buf secret = {0};
    BP_AUTO(bp_buf_free) struct bp_buf public = {0};
    struct bp_recipients recipients;
    struct bp_trusted_keys trusted;

    bp_sign_key_make(&secret, &public);
    secret.data[secret.len - 1] = '\0';
    for (size_t i = 0; i < 2; i++) {
        const char *const keys[] = {SECRET, chunk, strchr(secret.data, '\n') + 1};

        for (size_t k = 0; k < 3; k++) {
            BP_AUTO(bp_buf_free) struct bp_buf shown = {0};

            load_option(options[i], keys[k]);
            cr_expect_eq(i == 0 ? bp_keys_trusted(&app, &trusted, &err)
                                : bp_keys_recipients(&app, &recipients, &err),
                         BP_EUSAGE);
            bp_secrets_mask(&out.secrets, err.msg, &shown);
            cr_expect_null(strstr(bp_buf_str(&shown), keys[k]), "%s", bp_buf_str(&shown));
            cr_expect_not_null(strstr(bp_buf_str(&shown), "secret key"), "%s", bp_buf_str(&shown));
        }
    }
}

Test(keys, a_file_of_an_editor_that_marks_it_is_read)
{
    BP_AUTO(bp_freep) char *path = file("k.txt", "\xef\xbb\xbf# mine\r\n" SECRET "\r\n");
    BP_AUTO(bp_identities_free) struct bp_identities identities = {0};

    load_option("--identity", path);
    cr_expect_eq(bp_keys_identities(&app, &identities, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(identities.count, 1);
}

/* What stands behind a NUL would be passed over: a recipient who cannot open what is his. */
Test(keys, a_file_that_holds_a_nul_is_refused)
{
    static const char text[] = PUBLIC "\n\0" PUBLIC "\n";
    BP_AUTO(bp_freep) char *path = bp_format("%s/r.txt", dir);
    struct bp_recipients recipients;

    cr_assert_eq(bp_file_write(path, text, sizeof(text) - 1, &err), BP_OK, "%s", err.msg);
    load_option("--recipient", path);
    cr_expect_eq(bp_keys_recipients(&app, &recipients, &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "save it as UTF-8"), "%s", err.msg);
}

/* As `age -p` writes it, without armor: bytes of all kinds. */
Test(keys, an_identity_that_is_locked_with_a_passphrase_is_told)
{
    static const char text[] = "age-encryption.org/v1\n-> scrypt AAAA 18\nAAAA\n--- AAAA\n\0\1";
    BP_AUTO(bp_freep) char *path = bp_format("%s/k.age", dir);
    struct bp_identities identities;

    cr_assert_eq(bp_file_write(path, text, sizeof(text) - 1, &err), BP_OK, "%s", err.msg);
    load_option("--identity", path);
    cr_expect_eq(bp_keys_identities(&app, &identities, &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "locked with a passphrase"), "%s", err.msg);
}

Test(keys, only_a_file_that_holds_a_secret_key_is_warned_of)
{
    BP_AUTO(bp_freep) char *path = file("k.txt", PUBLIC);
    struct bp_identities identities;

    cr_assert_eq(chmod(path, 0644), 0);
    load_option("--identity", path);
    cr_expect_eq(bp_keys_identities(&app, &identities, &err), BP_EUSAGE);
    cr_expect_str_empty(warnings());
}

Test(keys, what_opens_is_what_was_given)
{
    const struct bp_identities none = {0};
    struct bp_trusted_keys trusted = {.count = 1};

    cr_expect_null(bp_keys_opener(&none, &trusted).identities);
    cr_expect_eq(bp_keys_opener(&none, &trusted).trusted, &trusted);
    trusted.count = 0;
    cr_expect_null(bp_keys_opener(&none, &trusted).trusted);
}
