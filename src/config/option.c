#include "config/option.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct bp_option table[BP_OPT_COUNT] = {
    [BP_OPT_FORMAT] = {.name = "format",
                       .type = BP_TYPE_CHOICE,
                       .group = BP_GROUP_GENERAL,
                       .value = "FORMAT",
                       .fallback = "text",
                       .choices = {"text", "json"},
                       .help = "Print results as text for people or as one JSON object."},
    [BP_OPT_DRY_RUN] = {.name = "dry-run",
                        .type = BP_TYPE_FLAG,
                        .group = BP_GROUP_GENERAL,
                        .letter = 'n',
                        .help = "Read everything, change nothing, say what would be done."},
    [BP_OPT_VERBOSE] = {.name = "verbose",
                        .type = BP_TYPE_FLAG,
                        .group = BP_GROUP_GENERAL,
                        .letter = 'v',
                        .also = {"RUNNER_DEBUG"},
                        .help = "Print details of each step."},
    [BP_OPT_QUIET] = {.name = "quiet",
                      .type = BP_TYPE_FLAG,
                      .group = BP_GROUP_GENERAL,
                      .letter = 'q',
                      .help = "Print results, warnings and errors only."},
    [BP_OPT_COLOR] = {.name = "color",
                      .type = BP_TYPE_CHOICE,
                      .group = BP_GROUP_GENERAL,
                      .value = "WHEN",
                      .fallback = "auto",
                      .choices = {"auto", "always", "never"},
                      .help = "Use colors; auto means on a terminal, unless NO_COLOR is set."},
    [BP_OPT_CA_FILE] = {.name = "ca-file",
                        .type = BP_TYPE_TEXT,
                        .group = BP_GROUP_FORGE | BP_GROUP_STORE | BP_GROUP_INIT,
                        .value = "FILE",
                        .help = "Trust the certificates in this PEM file (a server of your own)."},
    [BP_OPT_PROXY] = {.name = "proxy",
                      .type = BP_TYPE_TEXT,
                      .group = BP_GROUP_FORGE | BP_GROUP_STORE | BP_GROUP_INIT,
                      .value = "URL",
                      .help = "Reach HTTP servers through this proxy instead of the "
                              "environment's."},
    [BP_OPT_TOKEN] = {.name = "token",
                      .type = BP_TYPE_TEXT,
                      .group = BP_GROUP_FORGE,
                      .value = "TOKEN",
                      .also = {"WORKFLOW_TRIGGER_TOKEN", "GITHUB_TOKEN"},
                      .secret = true,
                      .help = "The trigger token: it may read the repository and write Actions."},
    [BP_OPT_API_URL] = {.name = "api-url",
                        .type = BP_TYPE_TEXT,
                        .group = BP_GROUP_FORGE | BP_GROUP_INIT,
                        .value = "URL",
                        .fallback = "https://api.github.com",
                        .also = {"GITHUB_API_URL"},
                        .help = "Address of the API; https://HOST/api/v3 for GitHub Enterprise "
                                "Server."},
    [BP_OPT_REPO] = {.name = "repo",
                     .type = BP_TYPE_TEXT,
                     .group = BP_GROUP_FORGE | BP_GROUP_INIT,
                     .value = "OWNER/NAME",
                     .also = {"GITHUB_REPOSITORY"},
                     .help = "The repository whose workflow is started."},
    [BP_OPT_WORKFLOW] = {.name = "workflow",
                         .type = BP_TYPE_TEXT,
                         .group = BP_GROUP_FORGE | BP_GROUP_INIT,
                         .value = "FILE",
                         .fallback = "backup.yml",
                         .help = "The workflow's file name (or its number)."},
    [BP_OPT_BRANCH] = {.name = "branch",
                       .type = BP_TYPE_LIST,
                       .group = BP_GROUP_FORGE | BP_GROUP_INIT,
                       .value = "BRANCH",
                       .help = "A branch to start the workflow on; repeat it for each branch."},
    [BP_OPT_TARGET] = {.name = "target",
                       .type = BP_TYPE_LIST,
                       .group = BP_GROUP_FORGE,
                       .value = "TARGET",
                       .help = "A branch of another repository: owner/name@branch, or "
                               "owner/name@branch:workflow; repeat it for each."},
    [BP_OPT_INPUTS] = {.name = "inputs",
                       .type = BP_TYPE_TEXT,
                       .group = BP_GROUP_FORGE,
                       .value = "JSON",
                       .help = "The workflow's inputs, a JSON object of at most 25 values."},
    [BP_OPT_MARKER_INPUT] =
        {.name = "marker-input",
         .type = BP_TYPE_TEXT,
         .group = BP_GROUP_FORGE,
         .value = "NAME",
         .help = "Send a mark in this input, which the workflow shows in its run-name: the "
                 "run is then recognised without doubt, also where the server does not tell "
                 "its id."},
    [BP_OPT_TOKEN_WARN_DAYS] = {.name = "token-warn-days",
                                .type = BP_TYPE_INT,
                                .group = BP_GROUP_FORGE,
                                .value = "DAYS",
                                .fallback = "14",
                                .help =
                                    "Warn of a trigger token that expires within this many days."},
    [BP_OPT_REQUEST_TIMEOUT] = {.name = "request-timeout",
                                .type = BP_TYPE_DURATION,
                                .group = BP_GROUP_FORGE,
                                .value = "TIME",
                                .fallback = "30s",
                                .help = "Give up on one API request after this long."},
    [BP_OPT_RETRIES] = {.name = "retries",
                        .type = BP_TYPE_INT,
                        .group = BP_GROUP_FORGE,
                        .value = "N",
                        .fallback = "3",
                        .help =
                            "Send a request again at most this often, after errors that may pass."},
    [BP_OPT_RETRY_DELAY] =
        {.name = "retry-delay",
         .type = BP_TYPE_DURATION,
         .group = BP_GROUP_FORGE,
         .value = "TIME",
         .fallback = "5s",
         .help = "Wait this long before the first retry, twice as long before each later one, "
                 "and a little longer by chance."},
    [BP_OPT_TIMEOUT] =
        {.name = "timeout",
         .type = BP_TYPE_DURATION,
         .group = BP_GROUP_FORGE | BP_GROUP_BACKUP,
         .value = "TIME",
         .help = "Give up after this long. By default 15m for a dispatch, 1h with --until "
                 "finished, 30m for a backup."},
    [BP_OPT_REQUIRE] = {.name = "require",
                        .type = BP_TYPE_CHOICE,
                        .group = BP_GROUP_DISPATCH,
                        .value = "HOW-MANY",
                        .fallback = "any",
                        .choices = {"any", "all"},
                        .help = "Succeed when any branch was started, or only when all were."},
    [BP_OPT_WAIT_UNTIL] =
        {.name = "until",
         .type = BP_TYPE_CHOICE,
         .group = BP_GROUP_DISPATCH,
         .value = "STAGE",
         .fallback = "started",
         .choices = {"appeared", "started", "finished"},
         .help = "How far each run must come: the server shows it, it is in progress, or it "
                 "ended with success."},
    [BP_OPT_SKIP_IF_ACTIVE] =
        {.name = "skip-if-active",
         .type = BP_TYPE_FLAG,
         .group = BP_GROUP_DISPATCH,
         .help = "Leave out a branch whose run of this workflow is queued or running already; "
                 "that is a success."},
    [BP_OPT_MIN_INTERVAL] =
        {.name = "min-interval",
         .type = BP_TYPE_DURATION,
         .group = BP_GROUP_DISPATCH,
         .value = "TIME",
         .help = "Leave out a branch whose last run of this workflow is younger than this and "
                 "did not fail; that is a success."},
    [BP_OPT_ENABLE_INACTIVE] =
        {.name = "enable-inactive",
         .type = BP_TYPE_FLAG,
         .group = BP_GROUP_DISPATCH,
         .help = "Enable a workflow that the server has disabled because nothing happened in "
                 "the repository; never one that a person has disabled."},
    [BP_OPT_SETTLE] =
        {.name = "settle",
         .type = BP_TYPE_DURATION,
         .group = BP_GROUP_DISPATCH,
         .value = "TIME",
         .fallback = "30s",
         .help = "When it is unknown whether a dispatch was accepted, look for its run this "
                 "long before sending again."},
    [BP_OPT_POLL_INTERVAL] =
        {.name = "poll-interval",
         .type = BP_TYPE_DURATION,
         .group = BP_GROUP_DISPATCH,
         .value = "TIME",
         .fallback = "3s",
         .help = "Time between two looks at the runs; it grows, to 30s at most, while a run "
                 "takes long."},
    [BP_OPT_APPEAR_TIMEOUT] = {.name = "appear-timeout",
                               .type = BP_TYPE_DURATION,
                               .group = BP_GROUP_DISPATCH,
                               .value = "TIME",
                               .fallback = "2m",
                               .help = "How long after its dispatch a run may take to appear."},
    [BP_OPT_START_TIMEOUT] = {.name = "start-timeout",
                              .type = BP_TYPE_DURATION,
                              .group = BP_GROUP_DISPATCH,
                              .value = "TIME",
                              .fallback = "10m",
                              .help = "How long after it appeared a run may take to start."},
    [BP_OPT_FINISH_TIMEOUT] = {.name = "finish-timeout",
                               .type = BP_TYPE_DURATION,
                               .group = BP_GROUP_DISPATCH,
                               .value = "TIME",
                               .fallback = "45m",
                               .help = "How long after it started a run may take to finish."},
    [BP_OPT_CANCEL_ON_TIMEOUT] =
        {.name = "cancel-on-timeout",
         .type = BP_TYPE_FLAG,
         .group = BP_GROUP_DISPATCH,
         .help = "Cancel the runs of this call that did not come as far as --until in time."},
    [BP_OPT_DETACH] = {.name = "detach",
                       .type = BP_TYPE_FLAG,
                       .group = BP_GROUP_DISPATCH,
                       .help =
                           "When this call is asked to end (a cancelled job), leave its runs alone "
                           "instead of cancelling them."},
    [BP_OPT_COMMIT_STATUS] =
        {.name = "commit-status",
         .type = BP_TYPE_FLAG,
         .group = BP_GROUP_DISPATCH,
         .help = "Put the result as a commit status on the head of each branch; the token "
                 "needs Commit statuses: write."},
    [BP_OPT_DATABASE_URL] = {.name = "database-url",
                             .type = BP_TYPE_TEXT,
                             .group = BP_GROUP_SOURCE,
                             .value = "URL",
                             .also = {"DATABASE_URL"},
                             .help = "The database to back up. A password belongs into the "
                                     "environment variable, never on the command line. Without it, "
                                     "libpq's own variables (PGHOST ...) count."},
    [BP_OPT_CONNECT_TIMEOUT] = {.name = "connect-timeout",
                                .type = BP_TYPE_DURATION,
                                .group = BP_GROUP_SOURCE | BP_GROUP_RESTORE,
                                .value = "TIME",
                                .fallback = "15s",
                                .help = "Give up connecting to the database after this long."},
    [BP_OPT_CONNECT_RETRIES] =
        {.name = "connect-retries",
         .type = BP_TYPE_INT,
         .group =
             BP_GROUP_SOURCE | BP_GROUP_RESTORE,
         .value = "N",
         .fallback = "5",
         .help = "Connect again at most this often, after 1, 2, 4 ... seconds, while the server "
                 "starts, sleeps, is full or cannot be reached."},
    [BP_OPT_LOCK_TIMEOUT] = {.name = "lock-timeout",
                             .type = BP_TYPE_DURATION,
                             .group = BP_GROUP_SOURCE,
                             .value = "TIME",
                             .fallback = "30s",
                             .help = "Wait this long for a table that somebody has locked."},
    [BP_OPT_TRIGGER] = {.name = "event",
                        .type = BP_TYPE_CHOICE,
                        .group = BP_GROUP_SOURCE,
                        .value = "EVENT",
                        .choices = {"push", "pr", "schedule", "manual", "standalone"},
                        .help = "What this backup was made for, when the workflow's own event does "
                                "not tell: a dispatched run is 'manual' to GitHub."},
    [BP_OPT_JOBS] = {.name = "jobs",
                     .type = BP_TYPE_INT,
                     .group = BP_GROUP_BACKUP,
                     .value = "N",
                     .letter = 'j',
                     .help = "Read with this many connections at once, besides the one that holds "
                             "the locks. By default one for each processor core."},
    [BP_OPT_SCHEMA] = {.name = "schema",
                       .type = BP_TYPE_LIST,
                       .group = BP_GROUP_BACKUP,
                       .value = "PATTERN",
                       .help = "Only these schemas, as with pg_dump -n: without extensions, large "
                               "objects and what else belongs to no schema. A pattern as in psql; "
                               "repeat it for each."},
    [BP_OPT_EXCLUDE_SCHEMA] = {.name = "exclude-schema",
                               .type = BP_TYPE_LIST,
                               .group = BP_GROUP_BACKUP,
                               .value = "PATTERN",
                               .help = "All schemas but these; repeat it for each."},
    [BP_OPT_TABLE] = {.name = "table",
                      .type = BP_TYPE_LIST,
                      .group = BP_GROUP_BACKUP,
                      .value = "PATTERN",
                      .help = "Only these tables, views and sequences, as with pg_dump -t: without "
                              "what they need. Repeat it for each."},
    [BP_OPT_EXCLUDE_TABLE] = {.name = "exclude-table",
                              .type = BP_TYPE_LIST,
                              .group = BP_GROUP_BACKUP,
                              .value = "PATTERN",
                              .help = "All tables but these; repeat it for each."},
    [BP_OPT_EXCLUDE_TABLE_DATA] = {.name = "exclude-table-data",
                                   .type = BP_TYPE_LIST,
                                   .group = BP_GROUP_BACKUP,
                                   .value = "PATTERN",
                                   .help = "The definition of these tables, but not their rows; "
                                           "repeat it for each."},
    [BP_OPT_MASK] = {.name = "mask",
                     .type = BP_TYPE_LIST,
                     .group = BP_GROUP_BACKUP,
                     .value = "COLUMN=VALUE",
                     .help = "Replace a column's values before they leave the server: "
                             "table.column=null, =hash, ='a literal' or =an SQL expression; repeat "
                             "it for each."},
    [BP_OPT_SCHEMA_DUMPS] = {.name = "schema-dumps",
                             .type = BP_TYPE_FLAG,
                             .group = BP_GROUP_BACKUP,
                             .help = "Add a pg_dump -Fc of each schema, for pg_restore. It is "
                                     "compressed, so Git keeps every one whole."},
    [BP_OPT_ALLOW_EMPTY] = {.name = "allow-empty",
                            .type = BP_TYPE_FLAG,
                            .group = BP_GROUP_BACKUP,
                            .help = "Accept a database whose tables have no row at all; otherwise "
                                    "that is an error."},
    [BP_OPT_IF_LOCKED] = {.name = "if-locked",
                          .type = BP_TYPE_CHOICE,
                          .group = BP_GROUP_BACKUP,
                          .value = "WHAT",
                          .fallback = "wait",
                          .choices = {"wait", "skip", "fail"},
                          .help = "While another backup of this database and branch runs: wait for "
                                  "its end, skip this one with success, or fail."},
    [BP_OPT_LOCK_RETRIES] =
        {.name = "lock-retries",
         .type = BP_TYPE_INT,
         .group = BP_GROUP_BACKUP,
         .value = "N",
         .fallback = "3",
         .help = "Try to lock the tables again at most this often, after 5, 10, 20 ... seconds."},
    [BP_OPT_STATEMENT_TIMEOUT] = {.name = "statement-timeout",
                                  .type = BP_TYPE_DURATION,
                                  .group = BP_GROUP_BACKUP,
                                  .value = "TIME",
                                  .help = "Give up when the server needs longer for one statement, "
                                          "such as reading one table. By default there is no "
                                          "such limit."},
    [BP_OPT_BACKUP_REPO] = {.name = "backup-repo",
                            .type = BP_TYPE_TEXT,
                            .group = BP_GROUP_STORE | BP_GROUP_INIT,
                            .value = "URL",
                            .help = "The backup repository: https://, ssh://, file:// or a path."},
    [BP_OPT_BACKUP_BRANCH] = {.name = "backup-branch",
                              .type = BP_TYPE_TEXT,
                              .group = BP_GROUP_STORE,
                              .value = "BRANCH",
                              .fallback = "main",
                              .also = {"GITHUB_HEAD_REF", "GITHUB_REF_NAME"},
                              .help = "The branch of the backup repository; by default the "
                                      "source's."},
    [BP_OPT_BACKUP_TOKEN] = {.name = "backup-token",
                             .type = BP_TYPE_TEXT,
                             .group = BP_GROUP_STORE,
                             .value = "TOKEN",
                             .secret = true,
                             .help = "The token that may write to the backup repository. Without "
                                     "it, git's own configuration counts."},
    [BP_OPT_GIT_TIMEOUT] = {.name = "git-timeout",
                            .type = BP_TYPE_DURATION,
                            .group = BP_GROUP_STORE,
                            .value = "TIME",
                            .fallback = "15m",
                            .help = "Give up on one fetch from or push to the backup repository "
                                    "after this long."},
    [BP_OPT_SINCE] = {.name = "since",
                      .type = BP_TYPE_TIME,
                      .group = BP_GROUP_FIND,
                      .value = "TIME",
                      .no_env = true,
                      .help = "Only archives from this time on, such as 2024-01-15."},
    [BP_OPT_UNTIL] = {.name = "until",
                      .type = BP_TYPE_TIME,
                      .group = BP_GROUP_FIND,
                      .value = "TIME",
                      .no_env = true,
                      .help = "Only archives before or at this time; a date means its whole day."},
    [BP_OPT_SHA] = {.name = "sha",
                    .type = BP_TYPE_TEXT,
                    .group = BP_GROUP_FIND,
                    .value = "SHA",
                    .no_env = true,
                    .help = "Only archives made at this commit, or one that begins so."},
    [BP_OPT_FROM_REPO] = {.name = "repo",
                          .type = BP_TYPE_TEXT,
                          .group = BP_GROUP_FIND,
                          .value = "OWNER/NAME",
                          .no_env = true,
                          .help = "Only archives made by this repository."},
    [BP_OPT_EVENT] = {.name = "event",
                      .type = BP_TYPE_CHOICE,
                      .group = BP_GROUP_FIND,
                      .value = "EVENT",
                      .choices = {"push", "pr", "schedule", "manual", "standalone"},
                      .no_env = true,
                      .help = "Only archives made by this event."},
    [BP_OPT_LIMIT] = {.name = "limit",
                      .type = BP_TYPE_INT,
                      .group = BP_GROUP_FIND,
                      .value = "N",
                      .fallback = "20",
                      .no_env = true,
                      .help = "At most this many archives; 0 means all."},
    [BP_OPT_TO] = {.name = "to",
                   .type = BP_TYPE_TEXT,
                   .group = BP_GROUP_RESTORE,
                   .value = "URL",
                   .env = "BACKPROOF_TARGET_URL",
                   .help = "The database to restore into. A password belongs into the environment "
                           "variable, never on the command line. Without it, libpq's own variables "
                           "(PGHOST ...) count."},
    [BP_OPT_CLEAN] = {.name = "clean",
                      .type = BP_TYPE_FLAG,
                      .group = BP_GROUP_RESTORE,
                      .help = "Replace what the target holds; asks first."},
    [BP_OPT_YES] = {.name = "yes",
                    .type = BP_TYPE_FLAG,
                    .group = BP_GROUP_RESTORE,
                    .letter = 'y',
                    .help = "Do not ask; needed outside a terminal."},
    [BP_OPT_SCHEDULE] = {.name = "schedule",
                         .type = BP_TYPE_TEXT,
                         .group = BP_GROUP_INIT,
                         .value = "CRON",
                         .fallback = "16 8 * * *",
                         .no_env = true,
                         .help = "When the backups start, as five fields in UTC: minute, hour, day "
                                 "of the month, month, day of the week."},
    [BP_OPT_FORCE] = {.name = "force",
                      .type = BP_TYPE_FLAG,
                      .group = BP_GROUP_INIT,
                      .no_env = true,
                      .help = "Replace workflow files that are there already."},
    [BP_OPT_PRINT] = {.name = "print",
                      .type = BP_TYPE_FLAG,
                      .group = BP_GROUP_INIT,
                      .no_env = true,
                      .help = "Show the files and write nothing."},
};

const struct bp_option *bp_option(enum bp_opt id)
{
    return &table[id];
}

void bp_option_env(enum bp_opt id, char out[64])
{
    if (table[id].env != NULL)
        (void)snprintf(out, 64, "%s", table[id].env);
    else
        (void)snprintf(out, 64, "BACKPROOF_%s", table[id].name);
    for (char *p = out; *p != '\0'; p++) {
        *p = (char)toupper((unsigned char)*p);
        if (*p == '-')
            *p = '_';
    }
}

enum bp_opt bp_option_find(unsigned groups, const char *name, size_t len)
{
    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        if ((table[id].group & groups) != 0 && strlen(table[id].name) == len &&
            strncmp(table[id].name, name, len) == 0)
            return id;
    }
    return BP_OPT_COUNT;
}

const char *bp_option_group_title(unsigned group)
{
    switch (group) {
    case BP_GROUP_FORGE:
        return "Forge";
    case BP_GROUP_DISPATCH:
        return "Dispatch";
    case BP_GROUP_SOURCE:
        return "Source database";
    case BP_GROUP_STORE:
        return "Backup repository";
    case BP_GROUP_FIND:
        return "Which archives";
    case BP_GROUP_RESTORE:
        return "Restore";
    case BP_GROUP_INIT:
        return "Setup";
    case BP_GROUP_BACKUP:
        return "Backup";
    default:
        return "General";
    }
}
