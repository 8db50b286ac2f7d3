/*
 * pg_dump and pg_restore, run as children. The connection reaches them through their environment
 * only, never through their arguments, which every user of the machine may read.
 */
#ifndef BP_SOURCE_POSTGRES_DUMP_H
#define BP_SOURCE_POSTGRES_DUMP_H

#include "source/postgres_conn.h"

struct bp_pg_programs {
    char *dir;     /* of pg_dump and pg_restore */
    char *version; /* "15.8" */
};

/*
 * Find the pg_dump of the server's major version (15 for 150008), else the oldest newer one. An
 * older pg_dump refuses a newer server: BP_EFAILED says what there is and what to install.
 */
enum bp_code bp_pg_programs_find(const struct bp_postgres_options *options, int server_version,
                                 struct bp_pg_programs *out, struct bp_err *err) BP_CHECK;

void bp_pg_programs_free(struct bp_pg_programs *programs); /* for BP_AUTO */

/* The folders where programs of PostgreSQL may be: options->program_dirs, else where packages put
 * those of each major version, and then PATH. */
void bp_pg_program_dirs(const struct bp_postgres_options *options, struct bp_list *out);

/* The version of such a program ("15.8", owned) in a folder; NULL when there is none that runs.
 * BP_ESTOPPED only. */
enum bp_code bp_pg_program_version(const struct bp_postgres_options *options, const char *dir,
                                   const char *program, char **out, struct bp_err *err) BP_CHECK;

/* What the definitions in the snapshot are, as pg_restore writes them. */
struct bp_pg_dump_texts {
    struct bp_buf pre_data;
    struct bp_buf post_data;
    struct bp_buf verbose; /* both, with the comments that tell which entry is which */
    struct bp_buf list;    /* the table of contents */
};

/* What a dump is made with; all lent. */
struct bp_pg_dump_job {
    const struct bp_postgres_options *options;
    struct bp_pg *pg; /* the connection whose server and clock are used */
    const struct bp_pg_programs *programs;
    const char *snapshot;
    const struct bp_list *args; /* further ones for pg_dump: what to leave out */
};

/*
 * The definitions. Words on standard error are a failure even when the program says it succeeded,
 * and so is an empty text. BP_ELOCKED: a table was locked after all.
 */
enum bp_code bp_pg_dump_run(const struct bp_pg_dump_job *job, struct bp_pg_dump_texts *out,
                            struct bp_err *err) BP_CHECK;

/*
 * What the arguments take of one schema, with its rows, in the custom format; the sink gets the
 * file piece by piece. Its time of creation is taken out, so that the same content gives the same
 * bytes.
 */
enum bp_code bp_pg_dump_schema(const struct bp_pg_dump_job *job, const char *schema,
                               bp_row_sink *sink, void *ctx, struct bp_err *err) BP_CHECK;

void bp_pg_dump_texts_free(struct bp_pg_dump_texts *texts); /* for BP_AUTO */

/*
 * pg_restore protects its text with a random key: \restrict KEY ... \unrestrict KEY. Make it the
 * SHA-256 of all other lines, so that the same definitions give the same bytes while nobody who
 * writes a definition can guess the key that it will get. Older programs write no such lines.
 * https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-META-COMMAND-RESTRICT
 */
void bp_pg_fix_restrict_key(struct bp_buf *text);

#endif
