#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/mem.h"

static struct bp_stop stop;
static struct bp_clock the_clock;
static const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "WORD=given", NULL};

static void set_up(void)
{
    struct bp_err err = {0};

    cr_assert_eq(bp_stop_install(&stop, &err), BP_OK, "%s", err.msg);
    the_clock = bp_clock_system(&stop);
}

TestSuite(child, .init = set_up, .timeout = 60);

/* Run a shell script with the rest of the job as it is. */
static enum bp_code run_shell(const char *script, struct bp_child_job job,
                              struct bp_child_result *result, struct bp_err *err)
{
    const char *const argv[] = {"sh", "-c", script, NULL};

    job.argv = argv;
    job.env = env;
    job.clock = &the_clock;
    return bp_child_run(&job, result, err);
}

static const struct bp_child_job plain = {.timeout_ms = 30000};

/* Run a script that ends by itself; its exit status is what counts. */
static struct bp_child_result ran(const char *script)
{
    struct bp_child_result result = {0};
    struct bp_err err = {0};

    cr_assert_eq(run_shell(script, plain, &result, &err), BP_OK, "%s: %s", script, err.msg);
    return result;
}

Test(child, output_and_errors_are_kept_apart)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = ran("echo out; echo err >&2");

    cr_expect_eq(result.exit_status, 0);
    cr_expect_str_eq(bp_buf_str(&result.out), "out\n");
    cr_expect_str_eq(bp_buf_str(&result.errs), "err\n");
}

Test(child, the_exit_status_is_told)
{
    static const int statuses[] = {0, 1, 2, 42, 126, 127, 255};

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        BP_AUTO(bp_freep) char *script = bp_format("exit %d", statuses[i]);
        BP_AUTO(bp_child_result_free) struct bp_child_result result = ran(script);

        cr_expect_eq(result.exit_status, statuses[i], "%s gave %d", script, result.exit_status);
    }
}

Test(child, a_signal_is_told_as_a_shell_does)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result killed = ran("kill -KILL $$");
    BP_AUTO(bp_child_result_free) struct bp_child_result ended = ran("kill -TERM $$");

    cr_expect_eq(killed.exit_status, 128 + SIGKILL);
    cr_expect_eq(ended.exit_status, 128 + SIGTERM);
}

Test(child, a_failure_is_seen_even_when_we_inherit_ignored_children)
{
    (void)signal(SIGCHLD, SIG_IGN);
    BP_AUTO(bp_child_result_free) struct bp_child_result result = ran("exit 3");

    cr_expect_eq(result.exit_status, 3);
}

Test(child, a_program_that_is_not_there_is_not_found)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    const char *const argv[] = {"no-such-program-here", NULL};
    const struct bp_child_job job = {.argv = argv, .env = env, .clock = &the_clock};
    struct bp_err err = {0};

    cr_expect_eq(bp_child_run(&job, &result, &err), BP_ENOTFOUND);
    cr_expect_str_eq(err.msg, "cannot run 'no-such-program-here'; hint: is it installed and in "
                              "PATH?");
}

Test(child, a_folder_that_is_not_there_is_named)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    const struct bp_child_job job = {.dir = "/no/such/folder"};
    struct bp_err err = {0};

    cr_expect_eq(run_shell("true", job, &result, &err), BP_EFAILED);
    cr_expect(strstr(err.msg, "/no/such/folder") != NULL, "%s", err.msg);
}

Test(child, it_gets_exactly_the_environment_and_folder_it_is_given)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    const struct bp_child_job job = {.dir = "/"};
    struct bp_err err = {0};

    (void)setenv("LEAK", "secret", 1);
    cr_assert_eq(run_shell("echo $WORD ${LEAK-none}; pwd", job, &result, &err), BP_OK, "%s",
                 err.msg);
    cr_expect_str_eq(bp_buf_str(&result.out), "given none\n/\n");
}

Test(child, without_input_it_reads_nothing)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = ran("cat; echo end");

    cr_expect_str_eq(bp_buf_str(&result.out), "end\n");
}

/* More than two pipes hold, both ways at once: whoever writes all before it reads hangs. */
Test(child, a_lot_is_fed_and_read_at_once)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_freep) char *input = bp_alloc(3000001, 1);
    const struct bp_child_job job = {
        .input = input, .input_len = 3000000, .output_limit = 3000000, .timeout_ms = 30000};
    struct bp_err err = {0};

    for (size_t i = 0; i < 3000000; i++)
        input[i] = (char)(i % 251);
    cr_assert_eq(run_shell("cat", job, &result, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(result.out.len, 3000000);
    cr_expect_eq(memcmp(result.out.data, input, 3000000), 0);
}

Test(child, it_need_not_read_its_input)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_freep) char *input = bp_alloc(1000000, 1);
    const struct bp_child_job job = {.input = input, .input_len = 1000000, .timeout_ms = 30000};
    struct bp_err err = {0};

    cr_expect_eq(run_shell("exec <&-; exit 5", job, &result, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(result.exit_status, 5);
}

Test(child, empty_input_is_an_end_of_file)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    const struct bp_child_job job = {.input = "", .input_len = 0, .timeout_ms = 30000};
    struct bp_err err = {0};

    cr_expect_eq(run_shell("cat; echo end", job, &result, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&result.out), "end\n");
}

Test(child, of_many_errors_the_last_8_kib_are_kept)
{
    BP_AUTO(bp_child_result_free)
    struct bp_child_result result =
        ran("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done >&2; echo last >&2");

    cr_expect_eq(result.errs.len, 8192);
    cr_expect_str_eq(result.errs.data + result.errs.len - 15, "line 4999\nlast\n");
}

Test(child, output_has_a_limit)
{
    struct bp_child_job job = {.output_limit = 10, .timeout_ms = 30000};
    BP_AUTO(bp_child_result_free) struct bp_child_result fits = {0};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_child_result_free) struct bp_child_result endless = {0};
    struct bp_err err = {0};

    cr_expect_eq(run_shell("printf 0123456789", job, &fits, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(run_shell("printf 0123456789a", job, &result, &err), BP_EFAILED);
    cr_expect_str_eq(err.msg, "'sh' wrote more than the limit of 10 bytes");
    job.output_limit = 0;
    cr_expect_eq(run_shell("yes", job, &endless, &err), BP_EFAILED);
    cr_expect_str_eq(err.msg, "'sh' wrote more than the limit of 1048576 bytes");
}

static bool is_gone(const char *pid_text)
{
    pid_t pid = (pid_t)strtol(pid_text, NULL, 10);

    cr_assert_gt(pid, 1, "no process in '%s'", pid_text);
    for (int i = 0; i < 200; i++) {
        BP_AUTO(bp_freep) char *path = bp_format("/proc/%d/stat", (int)pid);
        FILE *stat = fopen(path, "r");
        char state = 'Z';

        if (stat != NULL) {
            (void)!fscanf(stat, "%*d (%*[^)]) %c", &state);
            (void)fclose(stat);
        }
        if (state == 'Z') /* ended; whoever inherits it collects it */
            return true;
        (void)usleep(10000);
    }
    (void)kill(pid, SIGKILL);
    return false;
}

Test(child, a_time_out_ends_it_and_its_own_children)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    const struct bp_child_job job = {.timeout_ms = 1000};
    struct bp_err err = {0};
    int64_t start = bp_clock_mono(&the_clock);

    cr_expect_eq(run_shell("sleep 300 & echo $!; wait", job, &result, &err), BP_ETIMEOUT);
    cr_expect_str_eq(err.msg, "'sh' did not end within 1 s");
    cr_expect_lt(bp_clock_mono(&the_clock) - start, 8000);
    cr_expect(is_gone(bp_buf_str(&result.out)), "the grandchild is still there");
}

Test(child, whoever_ignores_sigterm_is_killed)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    const struct bp_child_job job = {.timeout_ms = 300};
    struct bp_err err = {0};

    cr_expect_eq(run_shell("trap '' TERM; (trap '' TERM; echo $$; while :; do sleep 1; done)", job,
                           &result, &err),
                 BP_ETIMEOUT);
    cr_expect_eq(result.exit_status, 128 + SIGKILL);
    cr_expect(is_gone(bp_buf_str(&result.out)));
}

Test(child, a_time_out_also_ends_one_that_has_closed_its_streams)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    const struct bp_child_job job = {.timeout_ms = 300};
    struct bp_err err = {0};

    cr_expect_eq(run_shell("exec >&- 2>&-; exec sleep 300", job, &result, &err), BP_ETIMEOUT);
    cr_expect_eq(result.exit_status, 128 + SIGTERM);
}

Test(child, a_stop_ends_it)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_freep)
    char *script = bp_format("echo $$; sleep 0.3; kill -TERM %d; exec sleep 300", getpid());
    struct bp_err err = {0};
    int64_t start = bp_clock_mono(&the_clock);

    cr_expect_eq(run_shell(script, plain, &result, &err), BP_ESTOPPED);
    cr_expect_lt(bp_clock_mono(&the_clock) - start, 3000);
    cr_expect_eq(result.exit_status, 128 + SIGTERM);
    cr_expect(is_gone(bp_buf_str(&result.out)));
}

Test(child, it_ends_when_we_are_killed)
{
    int fds[2] = {-1, -1};
    char pid_text[32] = "";
    pid_t us = 0;

    cr_assert_eq(pipe(fds), 0);
    us = fork();
    if (us == 0) {
        struct bp_child_result result = {0};

        (void)dup2(fds[1], 9); /* sh knows one digit only */
        (void)run_shell("echo $$ >&9; exec sleep 300", plain, &result, NULL);
        _exit(0);
    }
    (void)close(fds[1]);
    cr_assert_gt(read(fds[0], pid_text, sizeof(pid_text) - 1), 0);
    (void)kill(us, SIGKILL);
    (void)waitpid(us, NULL, 0);
    cr_expect(is_gone(pid_text), "the child has outlived us");
}

Test(child, no_descriptor_is_left_open)
{
    int before = dup(0);
    int after = -1;

    for (int i = 0; i < 50; i++) {
        struct bp_child_result result = ran("echo x; echo y >&2");

        bp_child_result_free(&result);
    }
    (void)close(before);
    after = dup(0);
    cr_expect_eq(after, before);
}

/* ---- servers ---- */

/* A shell script that goes on; its log is a new file in a folder of its own. */
static struct bp_child *started(const char *script, char **dir)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct bp_child_job job = {.argv = argv, .env = env, .clock = &the_clock};
    struct bp_child *child = NULL;
    struct bp_err err = {0};

    cr_assert_eq(bp_tempdir_new("/tmp", dir, &err), BP_OK, "%s", err.msg);
    BP_AUTO(bp_freep) char *log = bp_format("%s/log", *dir);
    cr_assert_eq(bp_child_start(&job, log, SIGQUIT, &child, &err), BP_OK, "%s", err.msg);
    return child;
}

static char *read_log(const char *dir)
{
    BP_AUTO(bp_freep) char *log = bp_format("%s/log", dir);
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_err err = {0};

    cr_assert_eq(bp_file_read(log, 4096, &text, &err), BP_OK, "%s", err.msg);
    return bp_strdup(bp_buf_str(&text));
}

/* Wait for a word in the log. */
static void await_log(const char *dir, const char *word)
{
    for (;;) {
        BP_AUTO(bp_freep) char *text = read_log(dir);

        if (strstr(text, word) != NULL)
            return;
        (void)poll(NULL, 0, 5);
    }
}

Test(child, a_server_gets_its_own_signal_and_its_words_are_in_a_file)
{
    BP_AUTO(bp_tempdir_removep) char *dir = NULL;
    BP_AUTO(bp_child_stopp)
    struct bp_child *child =
        started("trap 'echo bye >&2; exit' QUIT; echo up; while :; do sleep 0.01; done", &dir);

    await_log(dir, "up\n");
    cr_expect_not(bp_child_ended(child));
    bp_child_stopp(&child);
    BP_AUTO(bp_freep) char *text = read_log(dir);
    cr_expect_str_eq(text, "up\nbye\n");
}

Test(child, a_server_that_ends_by_itself_is_noticed)
{
    BP_AUTO(bp_tempdir_removep) char *dir = NULL;
    BP_AUTO(bp_child_stopp) struct bp_child *child = started("exit 3", &dir);

    while (!bp_child_ended(child))
        (void)poll(NULL, 0, 5);
    cr_expect(bp_child_ended(child));
}

Test(child, a_server_that_is_none_is_told)
{
    BP_AUTO(bp_tempdir_removep) char *dir = NULL;
    const char *const argv[] = {"/no/such/server", NULL};
    const struct bp_child_job job = {.argv = argv, .env = env, .clock = &the_clock};
    struct bp_child *child = NULL;
    struct bp_err err = {0};

    cr_assert_eq(bp_tempdir_new("/tmp", &dir, &err), BP_OK, "%s", err.msg);
    BP_AUTO(bp_freep) char *log = bp_format("%s/log", dir);
    cr_expect_eq(bp_child_start(&job, log, SIGQUIT, &child, &err), BP_ENOTFOUND);
    cr_expect_null(child);
}

Test(child, a_server_ends_with_us_even_when_we_are_killed)
{
    BP_AUTO(bp_tempdir_removep) char *dir = NULL;
    struct bp_err err = {0};
    pid_t us = -1;

    cr_assert_eq(bp_tempdir_new("/tmp", &dir, &err), BP_OK, "%s", err.msg);
    us = fork();
    if (us == 0) {
        BP_AUTO(bp_freep) char *log = bp_format("%s/log", dir);
        const char *const argv[] = {
            "sh", "-c", "trap 'echo bye; exit' QUIT; echo up; while :; do sleep 0.01; done", NULL};
        const struct bp_child_job job = {.argv = argv, .env = env, .clock = &the_clock};
        struct bp_child *child = NULL;

        if (bp_child_start(&job, log, SIGQUIT, &child, &err) != BP_OK)
            _exit(1);
        for (;;)
            (void)pause();
    }
    for (BP_AUTO(bp_freep) char *log = bp_format("%s/log", dir); access(log, F_OK) != 0;)
        (void)poll(NULL, 0, 5);
    await_log(dir, "up\n");
    (void)kill(us, SIGKILL);
    await_log(dir, "bye\n");
    (void)waitpid(us, NULL, 0);
}

Test(child, root_runs_a_program_as_somebody_else)
{
    struct bp_child_user nobody = {0};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    struct bp_child_job job = {.timeout_ms = 30000, .user = &nobody};
    struct bp_err err = {0};

    cr_assert(bp_child_user_find("nobody", &nobody));
    if (geteuid() != 0) {
        cr_expect_eq(run_shell("id -un", job, &result, &err), BP_EFAILED);
        cr_expect(strstr(err.msg, "cannot run 'sh' as user ") != NULL, "%s", err.msg);
        return;
    }
    cr_assert_eq(run_shell("id -un; id -G | wc -w", job, &result, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&result.out), "nobody\n1\n");
}

Test(child, a_user_that_there_is_not_is_not_found)
{
    struct bp_child_user user = {0};

    cr_expect_not(bp_child_user_find("no such user", &user));
}
