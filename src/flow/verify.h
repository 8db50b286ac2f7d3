/*
 * How far an archive can be proved, and proving it:
 *
 *   L0  the checksum of every file is right, nothing is missing and nothing was added
 *   L1  every file was opened and read: manifest, definitions, rows
 *   L2  restored into a scratch database without an error
 *   L3  there every table has the rows and the content that the source's snapshot had
 *   L4  there every definition is what pg_dump wrote of the source
 *   L5  there the user's own queries return true
 */
#ifndef BP_FLOW_VERIFY_H
#define BP_FLOW_VERIFY_H

#include "base/json.h"
#include "flow/restore.h"
#include "source/scratch.h"

enum bp_proof { BP_UNPROVED = -1, BP_L0, BP_L1, BP_L2, BP_L3, BP_L4, BP_L5 };

/* "L3"; "none". Static. */
const char *bp_proof_name(enum bp_proof level);
/* BP_UNPROVED for anything else. */
enum bp_proof bp_proof_parse(const char *text);

/* All lent for the length of the call. */
struct bp_verify_job {
    struct bp_store *store;
    struct bp_scratch *scratch; /* may be NULL below L2 */
    struct bp_clock *clock;
    struct bp_out *out;
    const char *archive; /* as bp_restore_job has it */
    int64_t at_ms;
    const char *branch;
    struct bp_opener opener;
    enum bp_proof level;
    const struct bp_list *checks; /* for L5: texts of SQL queries, each ends with ';' */
    size_t jobs;
    bool record; /* write the result into the archive's manifest: one commit */
};

struct bp_verify_result {
    char id[BP_ARCHIVE_ID_SIZE];
    enum bp_proof level; /* that was reached */
    enum bp_proof wanted;
    struct bp_list except;   /* what was not proved, in words: a missing extension ... */
    struct bp_list findings; /* what is wrong, in words: why the next level was not reached */
    struct bp_list notes;    /* what else a person should know of the proof */
    int64_t time_ms;         /* of the archive; 0: it was not found */
    char where[256];         /* it was restored; "" */
    int64_t files;
    int64_t bytes;
    int64_t tables;
    int64_t rows;
    int64_t restore_ms;  /* of the restore alone; 0: none */
    int64_t recovery_ms; /* fetch, check and restore: what a recovery takes; 0: none */
    int64_t took_ms;
    char commit[BP_STORE_ID_SIZE]; /* "": nothing was written */
};

void bp_verify_result_free(struct bp_verify_result *result); /* for BP_AUTO */

/*
 * BP_OK: the level was reached, without an exception. BP_EINTEGRITY: the archive is at fault.
 * BP_EFAILED: something else kept it from being proved (an extension is missing here ...). With
 * both, result tells how far it came. BP_EUSAGE: it is sealed and nothing opens it (L0 needs
 * nothing), the scratch is the source ... What the drivers return.
 *
 * Recorded is a result that proves no less than what was recorded before; a lesser one only when
 * the archive is at fault. One at fault that reaches no level loses its record.
 */
enum bp_code bp_flow_verify(const struct bp_verify_job *job, struct bp_verify_result *result,
                            struct bp_err *err) BP_CHECK;

/*
 * The statements of a file of SQL, each with its ';', added to out (job->checks). BP_EUSAGE: there
 * is none, or something is quoted without an end; name is the file's.
 */
enum bp_code bp_verify_checks(const char *text, const char *name, struct bp_list *out,
                              struct bp_err *err) BP_CHECK;

/* report_verify.c: several lines for people, one object for programs. */
void bp_verify_text(const struct bp_verify_job *job, const struct bp_verify_result *result,
                    struct bp_buf *out);
struct bp_json *bp_verify_json(const struct bp_verify_job *job,
                               const struct bp_verify_result *result) BP_CHECK;
/* "proved to L3"; "proved to L1 except ..."; "not proved". For one line. */
void bp_verify_words(const struct bp_verify_result *result, struct bp_buf *out);

#endif
