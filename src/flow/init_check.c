/* Whether the answers for the first set-up can be meant, and are safe in YAML. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "archive/seal.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/init.h"

enum { REPO_MAX = 200, BRANCH_MAX = 250, ADDRESS_MAX = 500, SHOWN = 100 };

/* ---- the schedule ---- */

static const struct field {
    const char *name;
    int64_t min;
    int64_t max;
    const char *words; /* three letters each, for min and what follows; "" for none */
} fields[] = {
    {"minute", 0, 59, ""},
    {"hour", 0, 23, ""},
    {"day of the month", 1, 31, ""},
    {"month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"},
    {"day of the week", 0, 6, "SUNMONTUEWEDTHUFRISAT"},
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]), WORD_LEN = 3 };

static bool read_point(const struct field *field, const char *text, int64_t *out)
{
    const char *word = field->words;

    if (isdigit((unsigned char)text[0]))
        return strlen(text) <= 2 && bp_parse_int(text, field->min, field->max, out, NULL) == BP_OK;
    for (int64_t i = 0; *word != '\0'; i++, word += WORD_LEN) {
        *out = field->min + i;
        if (strncasecmp(text, word, WORD_LEN) == 0 && text[WORD_LEN] == '\0')
            return true;
    }
    return false;
}

/* One of the parts between commas: a point, a range or "*", and a step behind "/". */
static bool is_part(const struct field *field, char *text)
{
    char *step = strchr(text, '/');
    char *dash = NULL;
    int64_t from = 0;
    int64_t to = 0;

    if (step != NULL)
        *step++ = '\0';
    if (step != NULL &&
        (!isdigit((unsigned char)*step) || bp_parse_int(step, 1, field->max, &from, NULL) != BP_OK))
        return false;
    if (strcmp(text, "*") == 0)
        return true;
    dash = strchr(text, '-');
    if (dash != NULL)
        *dash++ = '\0';
    return read_point(field, text, &from) &&
           (dash == NULL || (read_point(field, dash, &to) && from <= to));
}

static bool is_field(const struct field *field, const char *text)
{
    BP_AUTO(bp_freep) char *copy = bp_strdup(text);
    char *part = copy;

    while (part != NULL) {
        char *comma = strchr(part, ',');

        if (comma != NULL)
            *comma++ = '\0';
        if (!is_part(field, part))
            return false;
        part = comma;
    }
    return true;
}

static enum bp_code no_schedule(const char *text, struct bp_err *err)
{
    char shown[SHOWN];

    bp_copy_foreign(shown, sizeof(shown), text);
    return bp_fail(err, BP_EUSAGE,
                   "'%s' is no schedule; hint: five fields, such as '16 8 * * *' for 8:16 in UTC "
                   "every day",
                   shown);
}

enum bp_code bp_init_check_schedule(const char *schedule, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *copy = bp_strdup(schedule);
    char *more = NULL;
    char *word = NULL;

    if (strpbrk(schedule, "\r\n\t") != NULL)
        return no_schedule(schedule, err);
    word = strtok_r(copy, " ", &more);
    for (size_t i = 0; i < FIELDS; i++, word = strtok_r(NULL, " ", &more)) {
        if (word == NULL)
            return no_schedule(schedule, err);
        char shown[SHOWN];

        bp_copy_foreign(shown, sizeof(shown), word);
        if (!is_field(&fields[i], word))
            return bp_fail(err, BP_EUSAGE,
                           "'%s' is no %s of a schedule; hint: five fields, such as '16 8 * * *' "
                           "for 8:16 in UTC every day",
                           shown, fields[i].name);
    }
    return word == NULL ? BP_OK : no_schedule(schedule, err);
}

/* ---- names ---- */

/* A runner evaluates it wherever it stands, also between quotes. */
static bool has_expression(const char *text)
{
    return strstr(text, "${{") != NULL;
}

static bool has_odd_bytes(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (iscntrl((unsigned char)*p) || *p == ' ')
            return true;
    }
    return !bp_text_is_utf8(text, strlen(text));
}

static enum bp_code refuse(const char *what, const char *text, const char *hint, struct bp_err *err)
{
    char shown[SHOWN];

    bp_copy_foreign(shown, sizeof(shown), text);
    return bp_fail(err, BP_EUSAGE, "'%s' is no %s; hint: %s", shown, what, hint);
}

enum bp_code bp_init_check_repo(const char *repo, struct bp_err *err)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-_.";
    size_t owner = strspn(repo, plain);
    size_t name = repo[owner] == '/' ? strspn(repo + owner + 1, plain) : 0;

    if (owner > 0 && name > 0 && repo[owner + 1 + name] == '\0' && repo[0] != '-' &&
        repo[0] != '.' && owner + name < REPO_MAX && strcmp(repo + owner + 1, ".") != 0 &&
        strcmp(repo + owner + 1, "..") != 0)
        return BP_OK;
    return refuse("repository", repo, "write it owner/name", err);
}

/* https://git-scm.com/docs/git-check-ref-format, and no expression. */
enum bp_code bp_init_check_branch(const char *branch, struct bp_err *err)
{
    size_t len = strlen(branch);

    if (len == 0 || len > BRANCH_MAX || has_odd_bytes(branch) || has_expression(branch) ||
        strpbrk(branch, "~^:?*[\\") != NULL || strstr(branch, "..") != NULL ||
        strstr(branch, "//") != NULL || strstr(branch, "@{") != NULL || branch[0] == '-' ||
        branch[0] == '/' || branch[len - 1] == '/' || branch[len - 1] == '.')
        return refuse("name of a branch that can stand in a workflow", branch,
                      "a name as Git allows it, without '${{'", err);
    return BP_OK;
}

enum bp_code bp_init_check_workflow(const char *file, struct bp_err *err)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-_.";

    if (file[strspn(file, plain)] != '\0' || file[0] == '.' || file[0] == '-' ||
        strlen(file) > SHOWN || strcmp(file, BP_INIT_SCHEDULED) == 0 ||
        (!bp_text_ends_with(file, ".yml") && !bp_text_ends_with(file, ".yaml")))
        return refuse("file name for the backup workflow", file,
                      "letters and digits, such as backup.yml", err);
    return BP_OK;
}

/* ---- the backup repository ---- */

static const char address_hint[] = "write it owner/name, https://host/owner/name or "
                                   "git@host:owner/name.git";

/* What is shown of an address must hold no password, so such a one is not shown. */
static bool holds_secret(const char *address)
{
    const char *scheme = strstr(address, "://");
    const char *start = scheme != NULL ? scheme + 3 : address;
    size_t len = strcspn(start, "/?#");
    const char *at = memrchr(start, '@', len);

    if (strpbrk(address, "?#") != NULL)
        return true;
    if (at == NULL)
        return false;
    return bp_text_starts_with(address, "http") || memchr(start, ':', (size_t)(at - start)) != NULL;
}

static bool is_address(const char *address)
{
    static const char *const schemes[] = {"https://", "http://", "ssh://"};
    const char *colon = strchr(address, ':');

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        const char *host = address + strlen(schemes[i]);

        if (bp_text_starts_with(address, schemes[i]))
            return isalnum((unsigned char)*host) && strchr(host, '/') != NULL;
    }
    /* user@host:path */
    return colon != NULL && strstr(address, "://") == NULL && strchr(address, '@') != NULL &&
           strchr(address, '@') < colon && colon[1] != '\0' &&
           strcspn(address, "/") > (size_t)(colon - address) && isalnum((unsigned char)address[0]);
}

enum bp_code bp_init_check_backup_repo(const char *address, struct bp_err *err)
{
    if (bp_init_check_repo(address, NULL) == BP_OK)
        return BP_OK;
    if (holds_secret(address))
        return bp_fail(err, BP_EUSAGE,
                       "the address of the backup repository holds a user or a password, which "
                       "would be in the workflow's file; hint: leave it out, the token is the "
                       "secret BACKUP_TOKEN");
    if (strlen(address) > ADDRESS_MAX || has_odd_bytes(address) || has_expression(address) ||
        !is_address(address))
        return refuse("address of a backup repository", address, address_hint, err);
    return BP_OK;
}

static bool is_host(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("-.:", text[i]) == NULL)
            return false;
    }
    return len > 0;
}

static enum bp_code check_server(const char *server, struct bp_err *err)
{
    const char *host = strstr(server, "://");

    if (host != NULL && bp_text_starts_with(server, "http") && is_host(host + 3, strlen(host + 3)))
        return BP_OK;
    return refuse("address of a server", server, "such as https://github.com", err);
}

enum bp_code bp_init_check_recipient(const char *recipient, struct bp_err *err)
{
    BP_AUTO(bp_recipients_free) struct bp_recipients one = {0};

    if (!bp_text_starts_with(recipient, "age1"))
        return bp_fail(err, BP_EUSAGE,
                       "a recipient begins with 'age1'; hint: 'backproof keygen' or age-keygen "
                       "makes a key and shows it");
    return bp_recipients_add(&one, recipient, "the recipient", err);
}

enum bp_code bp_init_check(const struct bp_init_answers *answers, struct bp_err *err)
{
    if (check_server(answers->server, err) != BP_OK ||
        bp_init_check_repo(answers->repo, err) != BP_OK ||
        bp_init_check_schedule(answers->schedule, err) != BP_OK ||
        bp_init_check_workflow(answers->workflow, err) != BP_OK ||
        bp_init_check_backup_repo(answers->backup_repo, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < answers->branches->count; i++) {
        if (bp_init_check_branch(answers->branches->at[i], err) != BP_OK)
            return err->code;
    }
    for (size_t i = 0; answers->recipients != NULL && i < answers->recipients->count; i++) {
        if (bp_init_check_recipient(answers->recipients->at[i], err) != BP_OK)
            return err->code;
    }
    if (answers->branches->count == 0)
        return bp_fail(err, BP_EUSAGE, "no branch is given; hint: --branch main");
    return BP_OK;
}

/* ---- a remote ---- */

/*
 * github.com, also by the other names that SSH knows it by: its port 443, and what people with
 * several accounts write into ~/.ssh/config, such as "github.com-work" or "work".
 */
static bool is_github(const char *host, size_t len, bool ssh)
{
    static const char name[] = "github.com";
    static const char port_443[] = "ssh.github.com";
    size_t name_len = sizeof(name) - 1;

    if (len >= name_len && strncasecmp(host, name, name_len) == 0)
        return len == name_len || (ssh && host[name_len] == '-');
    return ssh && (memchr(host, '.', len) == NULL ||
                   (len == sizeof(port_443) - 1 && strncasecmp(host, port_443, len) == 0));
}

enum bp_code bp_init_read_remote(const char *address, char **out_server, char **out_repo,
                                 struct bp_err *err)
{
    const char *scheme = strstr(address, "://");
    const char *start = scheme != NULL ? scheme + 3 : address;
    size_t len = strcspn(start, scheme != NULL ? "/" : ":/");
    const char *at = memrchr(start, '@', len);
    const char *host = at != NULL ? at + 1 : start;
    size_t host_len = len - (size_t)(host - start);
    bool ssh = scheme == NULL || bp_text_starts_with(address, "ssh:");
    BP_AUTO(bp_freep) char *path = NULL;

    if (ssh) /* its port is not that of the web server */
        host_len = strcspn(host, ":/");
    if ((scheme == NULL && start[len] != ':') || start[len] == '\0' || !is_host(host, host_len) ||
        (scheme != NULL && !ssh && !bp_text_starts_with(address, "http")))
        return bp_fail(err, BP_EUSAGE, "the remote 'origin' is on no server; hint: give --repo");
    path = bp_strdup(start + len + 1 + (start[len + 1] == '/'));
    if (bp_text_ends_with(path, "/"))
        path[strlen(path) - 1] = '\0';
    if (bp_text_ends_with(path, ".git"))
        path[strlen(path) - 4] = '\0';
    if (bp_init_check_repo(path, NULL) != BP_OK)
        return bp_fail(err, BP_EUSAGE,
                       "the remote 'origin' names no owner/name; hint: give "
                       "--repo");
    if (is_github(host, host_len, ssh))
        *out_server = bp_strdup("https://github.com");
    else
        *out_server = bp_format("http%s://%.*s", bp_text_starts_with(address, "http:") ? "" : "s",
                                (int)host_len, host);
    *out_repo = path;
    path = NULL;
    return BP_OK;
}
