#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"

enum { WORDS_KEPT = 420 }; /* bytes of foreign text in one message */

struct rule {
    const char *words;
    enum bp_code code;
    const char *hint; /* NULL: none */
};

/* What receive.denyNonFastForwards says. */
#define DENIED_REWRITE "denying non-fast-forward"

#define FULL_HINT                                                                         \
    "the repository has no room left; use another one, or give some back with backproof " \
    "prune --squash and the rules of your backups"
#define TOO_MUCH_HINT "the server takes no push of that size; set a smaller --push-limit"
#define SHA256_HINT   "a repository with SHA-256 names is not supported"
#define ARCHIVED_HINT "unarchive the repository"
#define DISABLED_HINT "the reason is on the repository's page, or on the billing page of its owner"

/* The first rule whose words occur decides. Sources of the words: git's own messages (LC_ALL=C),
 * libcurl's and OpenSSH's inside them, and what GitHub and GitLab put on "remote:" lines. */
static const struct rule rules[] = {
    {"ended by signal 9", BP_EFAILED, "out of memory?"},
    {"pack-objects died of signal 9", BP_EFAILED, "out of memory?"},
    {"dubious ownership", BP_EAUTH,
     "the repository belongs to another user; git tells the command that allows it"},
    {"does not appear to be a git repository", BP_ENOTFOUND,
     "make it with git init --bare, or correct --backup-repo"},
    {"pack exceeds maximum allowed size", BP_EFAILED, TOO_MUCH_HINT},
    {"returned error: 413", BP_EFAILED,
     "something before the server takes no request of that size; raise its limit (nginx: "
     "client_max_body_size)"},
    {"archived so it is read-only", BP_EFAILED, ARCHIVED_HINT},
    {"archived project", BP_EFAILED, ARCHIVED_HINT},
    {"repo is archived", BP_EFAILED, ARCHIVED_HINT},
    {"read-only GitLab instance", BP_EUNAVAILABLE, "its administrators have it in maintenance"},
    {"repository has been disabled", BP_EFAILED, DISABLED_HINT},
    {"repository has been locked", BP_EFAILED, DISABLED_HINT},
    {"account is suspended", BP_EAUTH, DISABLED_HINT},
    {"billing issue", BP_EFAILED, DISABLED_HINT},
    {"over the size limit", BP_EFAILED, FULL_HINT},
    {"over its size limit", BP_EFAILED, FULL_HINT},
    {"uota exceeded", BP_EFAILED, FULL_HINT},
    {"Repository not found", BP_ENOTFOUND,
     "GitHub says this too when the token or key has no right to see the repository"},
    {"' not found", BP_ENOTFOUND,
     "a server may say this too when the token or key has no right to see the repository"},
    {"Authentication failed", BP_EAUTH,
     "BACKPROOF_BACKUP_TOKEN was not accepted: is it expired, or made for another server?"},
    {"could not read Username", BP_EAUTH,
     "set BACKPROOF_BACKUP_TOKEN; a repository that does not exist is asked for a login too"},
    {"could not read Password", BP_EAUTH, "set BACKPROOF_BACKUP_TOKEN"},
    {"returned error: 401", BP_EAUTH, "set BACKPROOF_BACKUP_TOKEN to a token that is valid"},
    {"returned error: 404", BP_ENOTFOUND, "is the address of the backup repository right?"},
    {"returned error: 407", BP_EAUTH, "the proxy wants a user name and a password"},
    {"returned error: 429", BP_EUNAVAILABLE, NULL},
    {"returned error: 5", BP_EUNAVAILABLE, NULL},
    {"Permission denied (", BP_EAUTH, "does the server know the SSH key, and can ssh read it?"},
    {"marked as read only", BP_EAUTH, "give the deploy key the right to write"},
    {"Host key verification failed", BP_EAUTH, "add the server's key to known_hosts"},
    {"User permission denied", BP_EAUTH, "give the token's owner the right to the repository"},
    {"Permission to ", BP_EAUTH, "give the token or key the right to the repository's contents"},
    {"terminal prompts disabled", BP_EAUTH, "set BACKPROOF_BACKUP_TOKEN"},
    {"SSL certificate", BP_EUNAVAILABLE, "name the server's certificate authority with --ca-file"},
    {"certificate verif", BP_EUNAVAILABLE,
     "name the server's certificate authority with --ca-file"},
    {"SSL CA cert", BP_EUSAGE, "is --ca-file right?"},
    {"certificate file", BP_EUSAGE, "is --ca-file right?"},
    {"CAfile", BP_EUSAGE, "is --ca-file right?"},
    {"No space left on device", BP_EFAILED, BP_GIT_FULL_DISK_HINT},
    {"Disk quota exceeded", BP_EFAILED, BP_GIT_FULL_DISK_HINT},
    {"mismatched algorithms", BP_EFAILED, SHA256_HINT},
    {"not support this repository's hash algorithm", BP_EFAILED, SHA256_HINT},
    {"dumb http transport", BP_EFAILED, "the server must speak Git's smart HTTP protocol"},
    {"is not a git command", BP_EFAILED, "is git installed with its https helper?"},
    {"not allowed", BP_EFAILED, NULL},
    {"Could not resolve", BP_EUNAVAILABLE, NULL},
    {"Failed to connect", BP_EUNAVAILABLE, NULL},
    {"Couldn't connect", BP_EUNAVAILABLE, NULL},
    {"Connection ", BP_EUNAVAILABLE, NULL},
    {"unable to connect", BP_EUNAVAILABLE, NULL},
    {"timed out", BP_EUNAVAILABLE, NULL},
    {"timeout", BP_EUNAVAILABLE, NULL},
    {"unreachable", BP_EUNAVAILABLE, NULL},
    {"No route to host", BP_EUNAVAILABLE, NULL},
    {"hung up", BP_EUNAVAILABLE, NULL},
    {"unexpected disconnect", BP_EUNAVAILABLE, NULL},
    {"early EOF", BP_EUNAVAILABLE, NULL},
    {"RPC failed", BP_EUNAVAILABLE, NULL},
    {"TLS", BP_EUNAVAILABLE, NULL},
    {"SSL", BP_EUNAVAILABLE, NULL},
    {"unable to access", BP_EUNAVAILABLE, NULL},
};

static const char write_hint[] = "the token cannot write; a fine-grained one needs the repository "
                                 "permission 'Contents: read and write'";
static const char read_hint[] = "the token cannot read; a fine-grained one needs the repository "
                                "permission 'Contents: read'";

/* With the address that the server gives for it, see fail_secret(). */
#define SECRET_HINT                                                                           \
    "a table holds what looks like a secret: hide its column with --mask, turn the server's " \
    "scan for secrets off for the backup repository, or allow this one"
#define BRANCH_HINT "let the token's owner push to the protected branch"
#define REWRITE_HINT                                                                           \
    "let the token's owner rewrite the branch (force push): only the removal of old archives " \
    "needs that"
#define LARGE_FILE_HINT                                                                          \
    "a file is larger than the server allows; only a single row can make one so large: shorten " \
    "its value with --mask, or raise the limit"
#define TOO_LARGE_HINT "a file or the push is larger than the server allows"
#define RIGHT_HINT     "give the token's owner the right to write to the repository"

/* Why a server refuses a push it has received. Here the hints tell more than the codes do. The
 * words are those of GitHub (GH...), GitLab, Gitea and Forgejo, Bitbucket, Azure DevOps (TF..., VS
 * ...) and of git itself. */
static const struct rule refusals[] = {
    {"is currently checked out", BP_EFAILED,
     "the repository has this branch checked out and its files would no longer match; use a bare "
     "repository, another --backup-branch, or check out another branch there"},
    {"refusing to update checked out branch", BP_EFAILED,
     "the repository has this branch checked out; use a bare repository"},
    {"annot lock ref", BP_EFAILED, NULL}, /* with "exists; cannot create": see is_race() */
    {"Push cannot contain secrets", BP_EFAILED, SECRET_HINT},
    {"PUSH BLOCKED: Secrets detected", BP_EFAILED, SECRET_HINT},
    {"VS403654", BP_EFAILED, SECRET_HINT},
    {DENIED_REWRITE, BP_EFAILED,
     "the server lets nobody rewrite a branch: set receive.denyNonFastForwards to false there"},
    {"Cannot force-push", BP_EFAILED, REWRITE_HINT},
    {"allowed to force push", BP_EFAILED, REWRITE_HINT},
    {"allowed to force-push", BP_EFAILED, REWRITE_HINT},
    {"GH003", BP_EFAILED, REWRITE_HINT},
    {"GH001", BP_EFAILED, LARGE_FILE_HINT},
    {"larger than the allowed size", BP_EFAILED, LARGE_FILE_HINT},
    {"exceeds GitHub's file size limit", BP_EFAILED, LARGE_FILE_HINT},
    {"pack exceeds maximum allowed size", BP_EFAILED, TOO_MUCH_HINT},
    {"TF402462", BP_EFAILED, TOO_MUCH_HINT},
    {"TF402455", BP_EFAILED,
     "let the token's owner bypass the policies of the branch, or take them off"},
    {"TF401027", BP_EAUTH,
     "give the token's owner that permission: 'Contribute' for a backup, 'Force push' for the "
     "removal of old archives"},
    {"archived so it is read-only", BP_EFAILED, ARCHIVED_HINT},
    {"archived project", BP_EFAILED, ARCHIVED_HINT},
    {"is archived", BP_EFAILED, ARCHIVED_HINT},
    {"been archived", BP_EFAILED, ARCHIVED_HINT},
    {"protected branch", BP_EFAILED, BRANCH_HINT},
    {"GH006", BP_EFAILED, BRANCH_HINT},
    {"Permission denied to update branch", BP_EFAILED, BRANCH_HINT},
    {"GH013", BP_EFAILED, "let the token's owner bypass the rules of the branch"},
    {"rule violations", BP_EFAILED, "let the token's owner bypass the rules of the branch"},
    {"User permission denied", BP_EAUTH, RIGHT_HINT},
    {"not allowed to push code to this project", BP_EAUTH, RIGHT_HINT},
    {"No space left on device", BP_EFAILED, "the server has no room left"},
    {"uota exceeded", BP_EFAILED, FULL_HINT},
    {"exceeded its quota", BP_EFAILED, FULL_HINT},
    {"its size limit", BP_EFAILED, FULL_HINT},
    {"over the size limit", BP_EFAILED, FULL_HINT},
    {"repository size limit", BP_EFAILED, FULL_HINT},
    {"exceed the allocated storage", BP_EFAILED, FULL_HINT},
    {"size limit", BP_EFAILED, TOO_LARGE_HINT},
    {"exceeds the maximum", BP_EFAILED, TOO_LARGE_HINT},
    {"exceeds the limit", BP_EFAILED, TOO_LARGE_HINT},
    {"shallow update not allowed", BP_ELOCKED, NULL}, /* somebody has rewritten the branch */
    {"ermission denied", BP_EFAILED, "the server cannot write into its own repository"},
};

/* What git says when somebody else moved the branch, before or while we pushed. */
static const char *const races[] = {
    "(stale info)",         "(fetch first)",  "(non-fast-forward)",       "(already exists)",
    "cannot lock ref",      "failed to lock", "reference already exists", "incorrect old value",
    "failed to update ref", "but expected",   "remote ref updated",
};

static const struct rule *find(const struct rule *table, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(text, table[i].words) != NULL)
            return &table[i];
    }
    return NULL;
}

/* In the address at which GitHub lets a secret pass. */
static const char allow_mark[] = "/unblock-secret/";

/* Words that tell nothing, or that git adds to every failure. */
static bool is_noise(const char *line)
{
    static const char *const noise[] = {"hint: ",
                                        "warning: ",
                                        "Please make sure you have",
                                        "and the repository exists",
                                        "error: failed",
                                        "To ",
                                        "Could not read from remote repository",
                                        "Warning: Permanently added",
                                        "(?) ", /* GitHub's advice, which the hints give */
                                        "https://docs.github.com/",
                                        "Resolve the following violations",
                                        "Visit the repository settings page",
                                        "locations:",
                                        "- commit: "};

    for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
        if (bp_text_starts_with(line, noise[i]))
            return true;
    }
    for (const char *p = line; *p != '\0'; p++) {
        if (isalnum((unsigned char)*p))
            return false;
    }
    return true; /* a rule of dashes */
}

static const char *without_label(const char *line)
{
    static const char *const labels[] = {"remote:", "fatal: ", "error: ", "ERROR: "};

    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        line += strspn(line, " \t");
        if (bp_text_starts_with(line, labels[i]))
            line += strlen(labels[i]);
    }
    return line + strspn(line, " \t");
}

/* GitHub draws lines beside its titles: "---- GitHub Personal Access Token ----". */
static void cut_dashes(char *line)
{
    static const char dash[] = "\xe2\x80\x94";
    size_t start = 0;
    size_t len = strlen(line);

    while (strncmp(line + start, dash, 3) == 0)
        start += 3;
    while (len >= start + 3 && strncmp(line + len - 3, dash, 3) == 0)
        len -= 3;
    line[len] = '\0';
    memmove(line, line + start, len - start + 1);
    bp_text_trim(line);
}

/* All lines that tell something, on one. */
static void put_lines(struct bp_buf *out, const char *errs)
{
    size_t len = 0;

    for (const char *p = errs; *p != '\0'; p += len + (p[len] != '\0')) {
        BP_AUTO(bp_buf_free) struct bp_buf line = {0};
        const char *text = NULL;

        len = strcspn(p, "\r\n");
        bp_buf_add(&line, p, len);
        bp_text_trim(line.data);
        text = without_label(line.data);
        cut_dashes(line.data + (text - line.data));
        if (is_noise(line.data) || is_noise(text) || strstr(text, allow_mark) != NULL)
            continue;
        if (out->len > 0)
            bp_buf_puts(out, "; ");
        bp_buf_puts(out, text);
    }
}

void bp_git_words_put(struct bp_buf *out, const char *errs)
{
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};

    put_lines(&words, errs);
    bp_put_foreign(out, bp_buf_str(&words), WORDS_KEPT);
}

/* What follows in the word or the quotes that begin here, if that is a name, a path or an address.
 */
static size_t name_length(const char *at, bool begins)
{
    size_t len = strcspn(at, " \t;");
    size_t quoted = *at == '\'' ? strcspn(at + 1, "' ") : 0;

    if (quoted > 0 && at[1 + quoted] == '\'')
        return quoted;
    return begins && *at != '\'' && memchr(at, '/', len) != NULL ? len - 1 : 0;
}

/* What the rules are looked for in: without names, which hold any word: of tables, above all. */
static void put_searchable(struct bp_buf *out, const char *errs)
{
    BP_AUTO(bp_buf_free) struct bp_buf lines = {0};
    bool begins = true;

    put_lines(&lines, errs);
    for (const char *p = bp_buf_str(&lines); *p != '\0'; p++) {
        bp_buf_putc(out, *p);
        p += name_length(p, begins);
        begins = *p == ' ';
    }
}

bool bp_git_words_full_disk(const char *words)
{
    return strstr(words, "No space left on device") != NULL ||
           strstr(words, "Disk quota exceeded") != NULL;
}

/* Each is of a time before git and the server have talked of what to send; a line of the server's
 * own begins with "remote: ". */
bool bp_git_words_unsent(const char *errs)
{
    static const char *const lines[] = {
        "fatal: unable to access '",
        "fatal: Authentication failed for '",
        "fatal: could not read Username ",
        "fatal: could not read Password ",
        "fatal: repository '",
        "fatal: Could not read from remote repository.",
        "fatal: unable to connect to ",
    };

    for (const char *p = errs; *p != '\0'; p = strchrnul(p, '\n'), p += *p == '\n') {
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            if (bp_text_starts_with(p, lines[i]))
                return true;
        }
    }
    return false;
}

static enum bp_code fail(const char *url, bool writing, const char *words, const struct rule *rule,
                         struct bp_err *err)
{
    const char *verb = writing ? "write to" : "read";

    if (rule == NULL)
        return bp_fail(err, BP_EFAILED, "cannot %s the backup repository '%s': %s", verb, url,
                       *words != '\0' ? words : "git gave no reason");
    if (rule->hint == NULL)
        return bp_fail(err, rule->code, "cannot %s the backup repository '%s': %s", verb, url,
                       words);
    return bp_fail(err, rule->code, "cannot %s the backup repository '%s': %s; hint: %s", verb, url,
                   words, rule->hint);
}

enum bp_code bp_git_words_fail(const char *url, bool writing, const char *errs, struct bp_err *err)
{
    const struct rule forbidden = {"returned error: 403", BP_EAUTH,
                                   writing ? write_hint : read_hint};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    const struct rule *rule = NULL;

    put_searchable(&text, errs);
    rule = find(rules, sizeof(rules) / sizeof(rules[0]), bp_buf_str(&text));
    /* "unable to access" is in front of every HTTP status. */
    if (strstr(bp_buf_str(&text), forbidden.words) != NULL &&
        (rule == NULL || rule->code != BP_EFAILED))
        rule = &forbidden;
    bp_git_words_put(&words, errs);
    return fail(url, writing, bp_buf_str(&words), rule, err);
}

static bool is_race(const char *reason, const char *errs)
{
    /* a branch 'a' where 'a/b' exists: never gets better */
    if (strstr(errs, "; cannot create") != NULL)
        return false;
    if (strstr(errs, DENIED_REWRITE) != NULL)
        return false;
    for (size_t i = 0; i < sizeof(races) / sizeof(races[0]); i++) {
        if (strstr(reason, races[i]) != NULL)
            return true;
    }
    return false;
}

/* The address at which the server lets the first secret pass; NULL: it gave none. Owned. */
static char *find_allowance(const char *errs)
{
    const char *mark = strstr(errs, allow_mark);
    const char *start = mark;

    while (start != NULL && start > errs && !isspace((unsigned char)start[-1]))
        start--;
    if (start == NULL || !bp_text_starts_with(start, "https://"))
        return NULL;
    return bp_strndup(start, strcspn(start, " \t\r\n"));
}

static enum bp_code refused(const char *url, const char *reason, const char *errs,
                            struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_buf_free) struct bp_buf searchable = {0};
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    BP_AUTO(bp_freep) char *allowance = find_allowance(errs);
    BP_AUTO(bp_buf_free) struct bp_buf hint = {0};
    const struct rule *found = NULL;
    struct rule rule = {0};

    if (is_race(reason, errs))
        return bp_fail(err, BP_ELOCKED, "somebody else changed the branch in '%s' at the same time",
                       url);
    bp_buf_printf(&text, "%s\n%s", reason, errs);
    bp_git_words_put(&words, bp_buf_str(&text));
    put_searchable(&searchable, bp_buf_str(&text));
    found = find(refusals, sizeof(refusals) / sizeof(refusals[0]), bp_buf_str(&searchable));
    if (found == NULL)
        return fail(url, true, bp_buf_str(&words), NULL, err);
    rule = *found;
    if (allowance != NULL && rule.hint != NULL) {
        bp_buf_printf(&hint, "%s at ", rule.hint);
        bp_put_foreign(&hint, allowance, WORDS_KEPT);
        rule.hint = bp_buf_str(&hint);
    }
    return fail(url, true, bp_buf_str(&words), &rule, err);
}

/*
 * https://git-scm.com/docs/git-push#_output: "<flag> TAB <from>:<to> TAB <summary> (<reason>)".
 * "[remote failure]" means that the connection broke before the server told the outcome.
 */
struct bp_git_push_end bp_git_words_push(const char *url, const char *porcelain, const char *errs,
                                         struct bp_err *err)
{
    for (const char *line = porcelain; line != NULL && *line != '\0';) {
        const char *end = strchrnul(line, '\n');
        const char *from = memchr(line, '\t', (size_t)(end - line));
        const char *tab = from != NULL ? memchr(from + 1, '\t', (size_t)(end - from - 1)) : NULL;
        BP_AUTO(bp_buf_free) struct bp_buf summary = {0};

        if (tab != NULL && from == line + 1) {
            bp_buf_add(&summary, tab + 1, (size_t)(end - tab - 1));
            if (*line != '!')
                return (struct bp_git_push_end){.told = true, .code = BP_OK};
            if (strstr(bp_buf_str(&summary), "[remote failure]") != NULL)
                return (struct bp_git_push_end){.told = false};
            return (struct bp_git_push_end){.told = true,
                                            .code = refused(url, bp_buf_str(&summary), errs, err)};
        }
        line = *end != '\0' ? end + 1 : end;
    }
    return (struct bp_git_push_end){.told = false};
}
