/*
 * The one table of options. Help, man page, completions and the option reference are rendered
 * from it; docs/options.md shows the result.
 *
 * A value is looked for in this order: the command line, BACKPROOF_<NAME>, the names that the
 * surroundings use (GITHUB_REPOSITORY, DATABASE_URL ...), the default. An empty environment value
 * counts as unset.
 */
#ifndef BP_CONFIG_OPTION_H
#define BP_CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>

enum bp_opt {
    /* general */
    BP_OPT_FORMAT,
    BP_OPT_DRY_RUN,
    BP_OPT_VERBOSE,
    BP_OPT_QUIET,
    BP_OPT_COLOR,
    BP_OPT_CA_FILE,
    BP_OPT_PROXY,
    /* forge */
    BP_OPT_TOKEN,
    BP_OPT_API_URL,
    BP_OPT_REPO,
    BP_OPT_WORKFLOW,
    BP_OPT_BRANCH,
    BP_OPT_TARGET,
    BP_OPT_INPUTS,
    BP_OPT_MARKER_INPUT,
    BP_OPT_TOKEN_WARN_DAYS,
    BP_OPT_REQUEST_TIMEOUT,
    BP_OPT_RETRIES,
    BP_OPT_RETRY_DELAY,
    BP_OPT_TIMEOUT,
    /* dispatch */
    BP_OPT_REQUIRE,
    BP_OPT_WAIT_UNTIL,
    BP_OPT_SKIP_IF_ACTIVE,
    BP_OPT_MIN_INTERVAL,
    BP_OPT_ENABLE_INACTIVE,
    BP_OPT_SETTLE,
    BP_OPT_POLL_INTERVAL,
    BP_OPT_APPEAR_TIMEOUT,
    BP_OPT_START_TIMEOUT,
    BP_OPT_FINISH_TIMEOUT,
    BP_OPT_CANCEL_ON_TIMEOUT,
    BP_OPT_DETACH,
    BP_OPT_COMMIT_STATUS,
    /* source */
    BP_OPT_DATABASE_URL,
    BP_OPT_CONNECT_TIMEOUT,
    BP_OPT_CONNECT_RETRIES,
    BP_OPT_LOCK_TIMEOUT,
    BP_OPT_TRIGGER,
    /* backup */
    BP_OPT_JOBS,
    BP_OPT_SCHEMA,
    BP_OPT_EXCLUDE_SCHEMA,
    BP_OPT_TABLE,
    BP_OPT_EXCLUDE_TABLE,
    BP_OPT_EXCLUDE_TABLE_DATA,
    BP_OPT_MASK,
    BP_OPT_SCHEMA_DUMPS,
    BP_OPT_ALLOW_EMPTY,
    BP_OPT_IF_LOCKED,
    BP_OPT_LOCK_RETRIES,
    BP_OPT_STATEMENT_TIMEOUT,
    BP_OPT_ALLOW_PUBLIC,
    BP_OPT_PRUNE,
    BP_OPT_VERIFY,
    BP_OPT_RECIPIENT,
    BP_OPT_CHUNK_KEY,
    BP_OPT_SIGN_KEY,
    BP_OPT_ROLE_PASSWORDS,
    /* retention */
    BP_OPT_KEEP_LAST,
    BP_OPT_KEEP_WITHIN,
    BP_OPT_KEEP_HOURLY,
    BP_OPT_KEEP_DAILY,
    BP_OPT_KEEP_WEEKLY,
    BP_OPT_KEEP_MONTHLY,
    BP_OPT_KEEP_YEARLY,
    BP_OPT_SQUASH,
    BP_OPT_EXPLAIN,
    /* keep */
    BP_OPT_REASON,
    BP_OPT_UNDO,
    /* backup repository */
    BP_OPT_BACKUP_REPO,
    BP_OPT_BACKUP_BRANCH,
    BP_OPT_BACKUP_TOKEN,
    BP_OPT_GIT_TIMEOUT,
    BP_OPT_PUSH_LIMIT,
    /* find */
    BP_OPT_SINCE,
    BP_OPT_UNTIL,
    BP_OPT_SHA,
    BP_OPT_FROM_REPO,
    BP_OPT_EVENT,
    BP_OPT_VERIFIED,
    BP_OPT_LIMIT,
    /* diff */
    BP_OPT_DIFF_TABLE,
    BP_OPT_ROWS,
    /* opening archives */
    BP_OPT_IDENTITY,
    BP_OPT_TRUSTED_KEY,
    /* proof */
    BP_OPT_LEVEL,
    BP_OPT_SCRATCH_URL,
    BP_OPT_CHECK_SQL,
    BP_OPT_NO_RECORD,
    /* restore */
    BP_OPT_TO,
    BP_OPT_AT,
    BP_OPT_RESTORE_SCHEMA,
    BP_OPT_RESTORE_TABLE,
    BP_OPT_INTO_SCHEMA,
    BP_OPT_CLEAN,
    BP_OPT_RESUME,
    BP_OPT_CONTINUE_ON_ERROR,
    BP_OPT_NO_OWNER,
    BP_OPT_NO_PRIVILEGES,
    BP_OPT_ROLE_MAP,
    BP_OPT_YES,
    /* keys */
    BP_OPT_OUTPUT,
    /* init */
    BP_OPT_SCHEDULE,
    BP_OPT_FORCE,
    BP_OPT_PRINT,
    BP_OPT_COUNT
};

enum bp_opt_type {
    BP_TYPE_TEXT,
    BP_TYPE_FLAG,
    BP_TYPE_INT,      /* a whole number, not negative */
    BP_TYPE_SIZE,     /* base/text.h */
    BP_TYPE_DURATION, /* base/text.h */
    BP_TYPE_TIME,     /* base/time.h */
    BP_TYPE_CHOICE,   /* one of choices */
    BP_TYPE_LIST      /* given several times, a line each, or a JSON array of strings */
};

/* A command takes whole groups. */
enum bp_opt_group {
    BP_GROUP_GENERAL = 1 << 0,
    BP_GROUP_FORGE = 1 << 1,
    BP_GROUP_DISPATCH = 1 << 2,
    BP_GROUP_SOURCE = 1 << 3,
    BP_GROUP_STORE = 1 << 4,
    BP_GROUP_FIND = 1 << 5,
    BP_GROUP_RESTORE = 1 << 6,
    BP_GROUP_INIT = 1 << 7,
    BP_GROUP_BACKUP = 1 << 8,
    BP_GROUP_RETENTION = 1 << 9,
    BP_GROUP_KEEP = 1 << 10,
    BP_GROUP_DIFF = 1 << 11,
    BP_GROUP_OPEN = 1 << 12,   /* what needs the content of an archive */
    BP_GROUP_PROOF = 1 << 13,  /* what proves an archive in a scratch database */
    BP_GROUP_VERIFY = 1 << 14, /* to which level, and where that is written down */
    BP_GROUP_DRILL = 1 << 15,
    BP_GROUP_SEAL = 1 << 16, /* what makes sealed files */
    BP_GROUP_KEYGEN = 1 << 17,
    BP_GROUP_LAST = BP_GROUP_KEYGEN
};

struct bp_option {
    const char *name; /* without the dashes */
    enum bp_opt_type type;
    unsigned group;         /* enum bp_opt_group: the commands that take it */
    const char *value;      /* what the value is called in the help; NULL for a flag */
    const char *fallback;   /* NULL: none */
    const char *choices[7]; /* BP_TYPE_CHOICE; NULL at the end */
    const char *env;        /* instead of BACKPROOF_<NAME> */
    const char *also[4];    /* further environment names, in order */
    char letter;            /* short form, or 0 */
    bool secret;            /* refused on the command line, never printed */
    bool no_env;            /* the command line only */
    const char *help;
};

/* option_table.c */
extern const struct bp_option bp_option_table[BP_OPT_COUNT];

const struct bp_option *bp_option(enum bp_opt id);

/* The environment variable: BACKPROOF_BACKUP_REPO for backup-repo. */
void bp_option_env(enum bp_opt id, char out[64]);

/* The option of one of these groups with this name, or BP_OPT_COUNT. len bytes of name count. */
enum bp_opt bp_option_find(unsigned groups, const char *name, size_t len);

/* "Dispatch", "Backup repository" ...: the heading of a group in the help. */
const char *bp_option_group_title(unsigned group);

#endif
