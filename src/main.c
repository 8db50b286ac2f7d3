/* The real streams, clock and environment, and the exit status; nothing else. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/app.h"

/* A stream that was closed by whoever started us would be taken by the next file that is opened. */
static void open_missing_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) == -1)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
    }
}

int main(int argc, char **argv)
{
    struct bp_stop stop = {.fd = -1};
    struct bp_err err = {0};
    struct bp_clock clock = bp_clock_system(&stop);
    struct bp_env env = {.vars = (const char *const *)(const void *)environ};
    struct bp_out out = {.out = stdout,
                         .err = stderr,
                         .clock = &clock,
                         .level = BP_LEVEL_NORMAL,
                         .terminal = isatty(STDERR_FILENO) == 1};
    struct bp_app app = {.out = &out,
                         .clock = &clock,
                         .env = &env,
                         .in = stdin,
                         .in_terminal = isatty(STDIN_FILENO) == 1};
    int status = 0;

    open_missing_streams();
    if (bp_stop_install(&stop, &err) != BP_OK) {
        (void)fprintf(stderr, "backproof: error: %s\n", err.msg);
        return bp_code_exit_status(err.code);
    }
    status = bp_app_run(&app, (const char *const *)(const void *)(argc > 0 ? argv + 1 : argv));
    bp_secrets_free(&out.secrets);
    return status;
}
