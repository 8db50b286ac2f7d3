#include "source/postgres_dump.h"

#include <glob.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_params.h"
#include "source/postgres_pattern.h"

enum {
    TEXT_LIMIT = 512 << 20,
    WORDS_SHOWN = 500,
    MAJOR = 10000,
    PIECE = 64 << 10,
    /* Every table is locked by us already. Whoever is in the way waits for us to end, so waiting
     * for him has no end. */
    LOCK_WAIT_MS = 1000,
    SIGNALLED = 128, /* child.h: 128 + N when signal N ended it */
};

void bp_pg_programs_free(struct bp_pg_programs *programs)
{
    bp_free(programs->dir);
    bp_free(programs->version);
    *programs = (struct bp_pg_programs){0};
}

void bp_pg_dump_texts_free(struct bp_pg_dump_texts *texts)
{
    bp_buf_free(&texts->pre_data);
    bp_buf_free(&texts->post_data);
    bp_buf_free(&texts->verbose);
    bp_buf_free(&texts->list);
}

/* Where packages put the programs of each major version, and then PATH. */
static void usual_dirs(const struct bp_env *env, struct bp_list *out)
{
    static const char *const patterns[] = {"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
                                           "/opt/homebrew/opt/postgresql@*/bin"};
    BP_AUTO(bp_freep) char *path = bp_strdup(bp_env_get(env, "PATH"));
    char *rest = path;

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        BP_AUTO(globfree) glob_t found = {0};

        /* NOLINTNEXTLINE(concurrency-mt-unsafe): it is only with ~ in a pattern */
        if (glob(patterns[i], 0, NULL, &found) != 0)
            continue;
        for (size_t j = 0; j < found.gl_pathc; j++)
            bp_list_add(out, found.gl_pathv[j]);
    }
    for (char *dir = strsep(&rest, ":"); dir != NULL; dir = strsep(&rest, ":")) {
        if (dir[0] == '/')
            bp_list_add(out, dir);
    }
}

void bp_pg_program_dirs(const struct bp_postgres_options *options, struct bp_list *out)
{
    if (options->program_dirs == NULL)
        usual_dirs(options->env, out);
    for (const char *const *dir = options->program_dirs; dir != NULL && *dir != NULL; dir++)
        bp_list_add(out, *dir);
}

/* "pg_dump (PostgreSQL) 15.8 (Debian ...)" -> "15.8", owned; NULL when it is none. */
static char *read_version(const char *words)
{
    const char *start = strstr(words, ") ");

    if (start == NULL || strspn(start + 2, "0123456789") == 0)
        return NULL;
    return bp_strndup(start + 2, strcspn(start + 2, " \n"));
}

enum bp_code bp_pg_program_version(const struct bp_postgres_options *options, const char *dir,
                                   const char *program, char **out, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/%s", dir, program);
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    const char *argv[] = {path, "--version", NULL};
    const struct bp_child_job job = {
        .argv = argv, .env = options->env->vars, .timeout_ms = 10000, .clock = options->clock};

    *out = NULL;
    if (access(path, X_OK) != 0)
        return BP_OK;
    if (bp_child_run(&job, &result, err) == BP_ESTOPPED)
        return BP_ESTOPPED;
    if (result.exit_status == 0 && result.out.len > 0)
        *out = read_version(result.out.data);
    return BP_OK;
}

static enum bp_code none_fits(int server, int newest, struct bp_err *err)
{
    if (newest == 0)
        return bp_fail(err, BP_EFAILED,
                       "the server is PostgreSQL %d and no pg_dump was found; hint: install "
                       "postgresql-client-%d",
                       server, server);
    return bp_fail(err, BP_EFAILED,
                   "the server is PostgreSQL %d, the newest pg_dump found is %d; hint: install "
                   "postgresql-client-%d (https://www.postgresql.org/download/)",
                   server, newest, server);
}

enum bp_code bp_pg_programs_find(const struct bp_postgres_options *options, int server_version,
                                 struct bp_pg_programs *out, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list dirs = {0};
    int server = server_version / MAJOR;
    int best = 0;
    int newest = 0;

    bp_pg_program_dirs(options, &dirs);
    for (size_t i = 0; i < dirs.count && best != server; i++) {
        BP_AUTO(bp_freep) char *version = NULL;
        int major = 0;
        enum bp_code rc = bp_pg_program_version(options, dirs.at[i], "pg_dump", &version, err);

        if (rc != BP_OK)
            return rc;
        major = version != NULL ? (int)strtol(version, NULL, 10) : 0;
        newest = major > newest ? major : newest;
        if (major < server || (best != 0 && major >= best))
            continue;
        bp_pg_programs_free(out);
        *out = (struct bp_pg_programs){.dir = bp_strdup(dirs.at[i]), .version = version};
        version = NULL;
        best = major;
    }
    return best != 0 ? BP_OK : none_fits(server, newest, err);
}

/*
 * The server itself warns at every connection to a database whose collation version changed, which
 * says nothing about the dump. Everything else on standard error does.
 */
static void drop_collation_warning(struct bp_buf *words)
{
    BP_AUTO(bp_buf_free) struct bp_buf kept = {0};
    BP_AUTO(bp_freep) char *text = bp_strdup(bp_buf_str(words));
    char *rest = text;
    bool skipping = false;

    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        bool continues = bp_text_starts_with(line, "DETAIL:") || bp_text_starts_with(line, "HINT:");

        skipping = bp_text_starts_with(line, "WARNING:") ? strstr(line, "collation version") != NULL
                                                         : skipping && continues;
        if (!skipping && line[0] != '\0')
            bp_buf_printf(&kept, "%s\n", line);
    }
    bp_buf_cut(words, 0);
    bp_buf_add(words, bp_buf_str(&kept), kept.len);
}

static enum bp_code fail_program(const char *name, int status, const char *words,
                                 struct bp_err *err)
{
    /* The server's own disk may be full as well; its words come behind "ERROR:". */
    bool full = strstr(words, "No space left on device") != NULL && strstr(words, "ERROR:") == NULL;

    if (strstr(words, "deadlock detected") != NULL ||
        (strstr(words, "timeout") != NULL && strstr(words, "LOCK TABLE") != NULL))
        return bp_fail(err, BP_ELOCKED,
                       "%s could not lock a table in time: another session waits to change it; "
                       "hint: try again later: %s",
                       name, words);
    if (strstr(words, "too many c") != NULL || strstr(words, "connection slots") != NULL ||
        strstr(words, "no more connections allowed") != NULL)
        return bp_fail(err, BP_EUNAVAILABLE, "%s found no free connection: %s", name, words);
    if (strstr(words, "server closed the connection") != NULL ||
        strstr(words, "terminating connection") != NULL)
        return bp_fail(err, BP_EUNAVAILABLE, "the connection of %s to the database was lost: %s",
                       name, words);
    if (status == 0)
        return bp_fail(err, BP_EFAILED, "%s succeeded but complained: %s", name, words);
    if (status > SIGNALLED)
        return bp_fail(err, BP_EFAILED, "%s was ended by signal %d%s", name, status - SIGNALLED,
                       status - SIGNALLED == SIGKILL ? "; hint: out of memory?" : "");
    return bp_fail(err, BP_EFAILED, "%s failed with status %d: %s%s", name, status, words,
                   full ? "; hint: set TMPDIR (RUNNER_TEMP in a workflow) to a folder with more "
                          "space"
                        : "");
}

/* Run one of the programs; its standard output is added to out unless that is NULL. */
static enum bp_code run_program(const struct bp_child_job *job, const char *name,
                                struct bp_buf *out, bool may_talk, struct bp_err *err)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    enum bp_code rc = bp_child_run(job, &result, err);

    if (rc != BP_OK)
        return rc;
    if (out != NULL)
        bp_buf_add(out, bp_buf_str(&result.out), result.out.len);
    drop_collation_warning(&result.errs);
    if (result.exit_status == 0 && (result.errs.len == 0 || may_talk))
        return BP_OK;
    bp_put_foreign(&words, bp_buf_str(&result.errs), WORDS_SHOWN);
    while (words.len > 0 && words.data[words.len - 1] == ' ')
        bp_buf_cut(&words, words.len - 1);
    return fail_program(name, result.exit_status, bp_buf_str(&words), err);
}

/* Run pg_dump into file, with these arguments and those of the job. */
static enum bp_code dump(const struct bp_pg_dump_job *job, const char *const *more,
                         const char *file, struct bp_err *err)
{
    BP_AUTO(bp_pg_child_env_free) struct bp_list env = {0};
    BP_AUTO(bp_list_free) struct bp_list argv = {0};
    struct bp_child_job child = {.clock = job->pg->clock};

    if (job->pg->conn == NULL)
        return bp_fail(err, BP_EUNAVAILABLE, "the connection to the database is closed");
    bp_list_addf(&argv, "%s/pg_dump", job->programs->dir);
    bp_list_add(&argv, "--format=custom");
    bp_list_add(&argv, "--no-password");
    bp_list_add(&argv, "--no-sync");
    bp_list_addf(&argv, "--file=%s", file);
    bp_list_addf(&argv, "--snapshot=%s", job->snapshot);
    bp_list_addf(&argv, "--lock-wait-timeout=%d", LOCK_WAIT_MS);
    bp_list_addf(&argv, "--encoding=%s", PQparameterStatus(job->pg->conn, "client_encoding"));
    for (; *more != NULL; more++)
        bp_list_add(&argv, *more);
    for (size_t i = 0; i < job->args->count; i++)
        bp_list_add(&argv, job->args->at[i]);
    bp_list_take(&argv, NULL);
    bp_pg_child_env(job->pg->conn, job->options->env, &env);
    bp_list_take(&env, NULL);
    child.argv = (const char *const *)argv.at;
    child.env = (const char *const *)env.at;
    return run_program(&child, "pg_dump", NULL, false, err);
}

static enum bp_code restore(const struct bp_pg_dump_job *job, const char *what, const char *file,
                            struct bp_buf *out, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *program = bp_format("%s/pg_restore", job->programs->dir);
    const char *argv[] = {program, what, "--file=-", file, NULL};
    const char *env[] = {"LC_ALL=C", NULL};
    const struct bp_child_job child = {
        .argv = argv, .env = env, .output_limit = TEXT_LIMIT, .clock = job->pg->clock};
    /* With --verbose it tells every entry; what matters was seen in the runs without. */
    bool may_talk = strcmp(what, "--verbose") == 0;

    if (run_program(&child, "pg_restore", out, may_talk, err) != BP_OK)
        return err->code;
    if (out->len == 0)
        return bp_fail(err, BP_EFAILED, "pg_restore %s succeeded and wrote nothing", what);
    return BP_OK;
}

enum bp_code bp_pg_dump_run(const struct bp_pg_dump_job *job, struct bp_pg_dump_texts *out,
                            struct bp_err *err)
{
    static const char *const more[] = {"--schema-only", NULL};
    BP_AUTO(bp_tempdir_removep) char *dir = NULL;
    BP_AUTO(bp_freep) char *file = NULL;

    if (bp_tempdir_new(job->options->temp_parent, &dir, err) != BP_OK)
        return err->code;
    file = bp_format("%s/schema.dump", dir);
    if (dump(job, more, file, err) != BP_OK ||
        restore(job, "--section=pre-data", file, &out->pre_data, err) != BP_OK ||
        restore(job, "--section=post-data", file, &out->post_data, err) != BP_OK ||
        restore(job, "--verbose", file, &out->verbose, err) != BP_OK ||
        restore(job, "--list", file, &out->list, err) != BP_OK)
        return err->code;
    bp_pg_fix_restrict_key(&out->pre_data);
    bp_pg_fix_restrict_key(&out->post_data);
    return BP_OK;
}

/*
 * The head of the file: "PGDMP", three bytes of version, the sizes of a number and of an offset,
 * the format, the compression (one byte since version 1.15, before that a number), and then the
 * time as seven numbers like those of struct tm, each with a byte for its sign.
 * https://git.postgresql.org/gitweb/?p=postgresql.git;f=src/bin/pg_dump/pg_backup_archiver.c
 */
static void fix_time(char *head, size_t len)
{
    static const unsigned char epoch[] = {0, 0, 0, 1, 0, 70, 0};
    enum { MAJOR_AT = 5, MINOR_AT = 6, INT_SIZE_AT = 8, FIXED = 11, NEWEST_MINOR = 16 };
    size_t number = 0;
    size_t at = 0;

    if (len < FIXED || memcmp(head, "PGDMP", 5) != 0 || head[MAJOR_AT] != 1 ||
        head[MINOR_AT] > NEWEST_MINOR)
        return;
    number = 1 + (size_t)head[INT_SIZE_AT];
    at = FIXED + (head[MINOR_AT] >= 15 ? 1 : number);
    if (at + sizeof(epoch) * number > len)
        return;
    memset(head + at, 0, sizeof(epoch) * number);
    for (size_t i = 0; i < sizeof(epoch); i++)
        head[at + i * number + 1] = (char)epoch[i];
}

static enum bp_code send_file(const char *path, bp_row_sink *sink, void *ctx, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *piece = bp_alloc(PIECE, 1);
    FILE *file = fopen(path, "rbe");
    enum bp_code rc = BP_OK;
    size_t got = 1;
    bool first = true;

    if (file == NULL)
        return bp_fail(err, BP_EFAILED, "cannot read '%s': %m", path);
    while (rc == BP_OK && got > 0) {
        got = fread(piece, 1, PIECE, file);
        if (first)
            fix_time(piece, got);
        first = false;
        if (got > 0)
            rc = sink(ctx, piece, got, err);
    }
    if (rc == BP_OK && ferror(file) != 0)
        rc = bp_fail(err, BP_EFAILED, "cannot read '%s': %m", path);
    (void)fclose(file);
    return rc;
}

/*
 * What takes one schema: pg_dump adds up what several options take, and with tables it does not
 * look at schemas. So of what is selected, what lies elsewhere has to go.
 */
static void schema_args(const struct bp_list *selection, const char *schema, struct bp_list *out)
{
    static const char table_word[] = "--table=";
    BP_AUTO(bp_buf_free) struct bp_buf name = {0};
    BP_AUTO(bp_freep) char *of_schema = NULL;
    bool tables = false;

    bp_pg_pattern_put_exact(&name, schema);
    of_schema = bp_format("%s%s.", table_word, name.data);
    for (size_t i = 0; i < selection->count; i++) {
        const char *arg = selection->at[i];
        bool is_table = bp_text_starts_with(arg, table_word);

        tables = tables || is_table;
        if (is_table ? bp_text_starts_with(arg, of_schema) : !bp_text_starts_with(arg, "--schema="))
            bp_list_add(out, arg);
    }
    if (!tables)
        bp_list_addf(out, "--schema=%s", name.data);
}

enum bp_code bp_pg_dump_schema(const struct bp_pg_dump_job *job, const char *schema,
                               bp_row_sink *sink, void *ctx, struct bp_err *err)
{
    static const char *const more[] = {"--strict-names", NULL};
    BP_AUTO(bp_list_free) struct bp_list args = {0};
    BP_AUTO(bp_tempdir_removep) char *dir = NULL;
    BP_AUTO(bp_freep) char *file = NULL;
    struct bp_pg_dump_job narrowed = *job;

    if (bp_tempdir_new(job->options->temp_parent, &dir, err) != BP_OK)
        return err->code;
    file = bp_format("%s/schema.dump", dir);
    schema_args(job->args, schema, &args);
    narrowed.args = &args;
    if (dump(&narrowed, more, file, err) != BP_OK)
        return err->code;
    return send_file(file, sink, ctx, err);
}

/* The first or the last line that begins with word; NULL when there is none. */
static char *find_line(char *text, const char *word, bool last)
{
    char *found = NULL;

    for (char *p = strstr(text, word); p != NULL; p = strstr(p + 1, word)) {
        bool begins_line = p == text || p[-1] == '\n';

        if (begins_line && (found == NULL || last))
            found = p;
    }
    return found;
}

void bp_pg_fix_restrict_key(struct bp_buf *text)
{
    static const char open_word[] = "\\restrict ";
    static const char close_word[] = "\\unrestrict ";
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};
    BP_AUTO(bp_sha256_freep) struct bp_sha256 *hash = NULL;
    char *open = text->len > 0 ? find_line(text->data, open_word, false) : NULL;
    char *close = text->len > 0 ? find_line(text->data, close_word, true) : NULL;
    const char *after_open = NULL;
    const char *after_close = NULL;
    char key[BP_SHA256_HEX_SIZE];

    if (open == NULL || close == NULL || close < open)
        return;
    after_open = open + strcspn(open, "\n");
    after_close = close + strcspn(close, "\n");
    hash = bp_sha256_new();
    bp_sha256_add(hash, text->data, (size_t)(open - text->data));
    bp_sha256_add(hash, after_open, (size_t)(close - after_open));
    bp_sha256_add(hash, after_close, strlen(after_close));
    bp_sha256_end(hash, key);
    bp_buf_reserve(&out, text->len + sizeof(key));
    bp_buf_add(&out, text->data, (size_t)(open - text->data));
    bp_buf_printf(&out, "%s%s", open_word, key);
    bp_buf_add(&out, after_open, (size_t)(close - after_open));
    bp_buf_printf(&out, "%s%s%s", close_word, key, after_close);
    bp_buf_free(text);
    *text = out;
    out = (struct bp_buf){0};
}
