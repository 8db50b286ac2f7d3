#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"

enum {
    NEEDED_MAJOR = 2, /* with the minor: GIT_CONFIG_COUNT */
    NEEDED_MINOR = 31,
    SIGNALLED = 128, /* child.h: 128 + N when signal N ended it */
};

enum bp_code bp_git_run_until(struct bp_git_store *git, struct bp_clock *clock,
                              const char *const *argv, const struct bp_buf *in,
                              struct bp_child_result *result, struct bp_err *err)
{
    const struct bp_child_job job = {
        .argv = argv,
        .env = (const char *const *)git->env.at,
        .input = in != NULL ? bp_buf_str(in) : NULL,
        .input_len = in != NULL ? in->len : 0,
        .timeout_ms = git->options.timeout_ms,
        .clock = clock,
    };
    enum bp_code rc = bp_child_run(&job, result, err);

    if (rc == BP_ENOTFOUND)
        return bp_fail(err, BP_EUSAGE, "cannot run git; hint: install it");
    return rc;
}

enum bp_code bp_git_run(struct bp_git_store *git, const char *const *argv, const struct bp_buf *in,
                        struct bp_child_result *result, struct bp_err *err)
{
    return bp_git_run_until(git, git->options.clock, argv, in, result, err);
}

/* One that was killed, or that says nothing, has to be told by its status. */
enum bp_code bp_git_fail_command(const struct bp_git_store *git, const char *command,
                                 const struct bp_child_result *result, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    BP_AUTO(bp_buf_free) struct bp_buf errs = {0};
    int signal = result->exit_status - SIGNALLED;

    bp_git_words_put(&words, bp_buf_str(&result->errs));
    if (signal > 0 && signal < NSIG)
        bp_buf_printf(&errs, "git %s was ended by signal %d\n", command, signal);
    else if (words.len == 0)
        bp_buf_printf(&errs, "git %s ended with status %d\n", command, result->exit_status);
    bp_buf_puts(&errs, bp_buf_str(&result->errs));
    return bp_git_words_fail(git->options.url, strcmp(command, "push") == 0, errs.data, err);
}

enum bp_code bp_git_wire_check(struct bp_git_store *git, struct bp_err *err)
{
    static const char *const argv[] = {"git", "version", NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    enum bp_code rc = bp_git_run(git, argv, NULL, &result, err);
    const char *text = NULL;
    char *end = NULL;
    long major = 0;
    long minor = 0;

    if (rc != BP_OK)
        return rc;
    text = bp_buf_str(&result.out);
    text += strcspn(text, "0123456789");
    major = strtol(text, &end, 10);
    minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    if (major > NEEDED_MAJOR || (major == NEEDED_MAJOR && minor >= NEEDED_MINOR))
        return BP_OK;
    return bp_fail(err, BP_EUSAGE, "git is version %ld.%ld; hint: install %d.%d or newer", major,
                   minor, NEEDED_MAJOR, NEEDED_MINOR);
}
