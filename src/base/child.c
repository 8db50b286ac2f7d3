#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    ERRS_KEPT = 8192,
    DEFAULT_OUTPUT_LIMIT = 1 << 20,
    EXIT_NO_PROGRAM = 127,
    EXIT_UNKNOWN = 255,
    GRACE_MS = 3000, /* between SIGTERM and SIGKILL */
    TICK_MS = 20,    /* while waiting for a child that has closed its streams */
    SERVER_GRACE_MS = 10000,
    USER_BYTES = 16384, /* more than any line of /etc/passwd needs */
};

struct running {
    pid_t pid;
    int in;
    int out;
    int errs;
    size_t input_sent;
};

struct pipes {
    int in[2];
    int out[2];
    int errs[2];
    int fault[2]; /* closed by a successful exec */
};

/* What the child tells when it could not become the program. */
struct fault {
    enum { BY_PROGRAM, BY_USER, BY_FOLDER } blame;
    int error;
};

struct bp_child {
    pid_t pid;
    int end_signal;
    bool ended;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void close_pipes(struct pipes *p)
{
    for (int i = 0; i < 2; i++) {
        close_fd(&p->in[i]);
        close_fd(&p->out[i]);
        close_fd(&p->errs[i]);
        close_fd(&p->fault[i]);
    }
}

/* In the child, like all that become() calls. */
static bool change_user(const struct bp_child_user *user)
{
    return user == NULL ||
           (setgroups(1, &user->gid) == 0 && setgid(user->gid) == 0 && setuid(user->uid) == 0);
}

/* In the child: nothing but calls that are safe after fork(). Does not return. */
static void become(const struct bp_child_job *job, const struct pipes *p, int end_signal,
                   pid_t parent)
{
    int in = job->input != NULL ? p->in[0] : open("/dev/null", O_RDONLY);
    struct fault fault = {0};

    (void)setpgid(0, 0);
    if (!change_user(job->user))
        fault.blame = BY_USER;
    else if (job->dir != NULL && chdir(job->dir) != 0)
        fault.blame = BY_FOLDER;
    fault.error = errno;
    /* A change of the user takes this back, so it comes behind it. */
    (void)prctl(PR_SET_PDEATHSIG, end_signal);
    if (getppid() != parent)
        _exit(EXIT_NO_PROGRAM);
    (void)signal(SIGPIPE, SIG_DFL);
    if (fault.blame == BY_PROGRAM) {
        if (dup2(in, 0) >= 0 && dup2(p->out[1], 1) >= 0 && dup2(p->errs[1], 2) >= 0)
            (void)execvpe(job->argv[0], (char *const *)(const void *)job->argv,
                          (char *const *)(const void *)job->env);
        fault.error = errno;
    }
    if (write(p->fault[1], &fault, sizeof(fault)) < 0) {
        /* Then the exit status alone has to tell. */
    }
    _exit(EXIT_NO_PROGRAM);
}

/* Wait until the child has become the program, or learn why it could not. */
static enum bp_code check_started(const struct bp_child_job *job, pid_t pid, int fault_fd,
                                  struct bp_err *err)
{
    struct fault fault = {0};
    ssize_t got = 0;

    do
        got = read(fault_fd, &fault, sizeof(fault));
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof(fault))
        return BP_OK;
    (void)waitpid(pid, NULL, 0);
    errno = fault.error;
    if (fault.blame == BY_USER)
        return bp_fail(err, BP_EFAILED, "cannot run '%s' as user %ld: %m", job->argv[0],
                       (long)job->user->uid);
    if (fault.blame == BY_FOLDER)
        return bp_fail(err, BP_EFAILED, "cannot run '%s' in '%s': %m", job->argv[0], job->dir);
    if (fault.error == ENOENT)
        return bp_fail(err, BP_ENOTFOUND, "cannot run '%s'; hint: is it installed and in PATH?",
                       job->argv[0]);
    return bp_fail(err, BP_EFAILED, "cannot run '%s': %m", job->argv[0]);
}

/* A parent that ignores its children's ends passes that on to us: their status would be lost. */
static void want_exit_statuses(void)
{
    struct sigaction now = {0};

    if (sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
        (void)signal(SIGCHLD, SIG_DFL);
}

static enum bp_code start(const struct bp_child_job *job, struct running *child, struct bp_err *err)
{
    struct pipes p = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    pid_t parent = getpid();
    int fault_fd = -1;
    enum bp_code rc = BP_OK;

    want_exit_statuses();
    if (pipe2(p.in, O_CLOEXEC) != 0 || pipe2(p.out, O_CLOEXEC) != 0 ||
        pipe2(p.errs, O_CLOEXEC) != 0 || pipe2(p.fault, O_CLOEXEC) != 0 ||
        (child->pid = fork()) < 0) {
        (void)bp_fail(err, BP_EFAILED, "cannot start '%s': %m", job->argv[0]);
        close_pipes(&p);
        return BP_EFAILED;
    }
    if (child->pid == 0)
        become(job, &p, SIGTERM, parent);
    (void)setpgid(child->pid, child->pid);
    child->in = job->input != NULL ? p.in[1] : -1;
    child->out = p.out[0];
    child->errs = p.errs[0];
    if (child->in >= 0)
        p.in[1] = -1;
    p.out[0] = -1;
    p.errs[0] = -1;
    fault_fd = p.fault[0];
    p.fault[0] = -1;
    close_pipes(&p);
    if (child->in >= 0)
        (void)fcntl(child->in, F_SETFL, O_NONBLOCK);
    rc = check_started(job, child->pid, fault_fd, err);
    close_fd(&fault_fd);
    return rc;
}

/* Read what is there. false at the end of the stream. */
static bool drain(int fd, struct bp_buf *into)
{
    char part[16384];
    ssize_t got = read(fd, part, sizeof(part));

    if (got > 0)
        bp_buf_add(into, part, (size_t)got);
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

static void keep_tail(struct bp_buf *buf, size_t keep)
{
    if (buf->len <= keep)
        return;
    memmove(buf->data, buf->data + buf->len - keep, keep);
    bp_buf_cut(buf, keep);
}

static void feed(const struct bp_child_job *job, struct running *child)
{
    ssize_t put =
        write(child->in, job->input + child->input_sent, job->input_len - child->input_sent);

    if (put > 0)
        child->input_sent += (size_t)put;
    if (child->input_sent == job->input_len || (put < 0 && errno != EAGAIN && errno != EINTR))
        close_fd(&child->in); /* all is sent, or the child does not want the rest */
}

/* Move bytes once, waiting at most timeout_ms. */
static void pump(const struct bp_child_job *job, struct running *child,
                 struct bp_child_result *result, int timeout_ms)
{
    struct pollfd fds[4] = {
        {.fd = child->out, .events = POLLIN},
        {.fd = child->errs, .events = POLLIN},
        {.fd = child->in, .events = POLLOUT},
        {.fd = bp_stop_fd(job->clock->stop), .events = POLLIN},
    };

    if (poll(fds, 4, timeout_ms) <= 0)
        return;
    if (fds[0].revents != 0 && !drain(child->out, &result->out))
        close_fd(&child->out);
    if (fds[1].revents != 0 && !drain(child->errs, &result->errs))
        close_fd(&child->errs);
    keep_tail(&result->errs, ERRS_KEPT);
    if (fds[2].revents != 0)
        feed(job, child);
}

/* Whether the child has ended; then its status is in result. */
static bool reap(struct running *child, struct bp_child_result *result)
{
    int status = 0;
    pid_t pid = waitpid(child->pid, &status, WNOHANG);

    if (pid == 0 || (pid < 0 && errno == EINTR))
        return false;
    if (pid < 0)
        result->exit_status = EXIT_UNKNOWN;
    else
        result->exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

/* End the whole group: politely first. It is gone when this returns. */
static void end_group(const struct bp_child_job *job, struct running *child,
                      struct bp_child_result *result)
{
    int64_t kill_at = bp_clock_mono(job->clock) + GRACE_MS;
    bool killed = false;

    (void)kill(-child->pid, SIGTERM);
    while (!reap(child, result)) {
        if (!killed && bp_clock_mono(job->clock) >= kill_at)
            killed = kill(-child->pid, SIGKILL) == 0;
        (void)poll(NULL, 0, TICK_MS);
    }
    (void)kill(-child->pid, SIGKILL); /* grandchildren that did not listen */
}

static enum bp_code check_limits(const struct bp_child_job *job, int64_t deadline,
                                 const struct bp_child_result *result, struct bp_err *err)
{
    size_t limit = job->output_limit > 0 ? job->output_limit : DEFAULT_OUTPUT_LIMIT;

    if (result->out.len > limit)
        return bp_fail(err, BP_EFAILED, "'%s' wrote more than the limit of %zu bytes", job->argv[0],
                       limit);
    if (job->timeout_ms > 0 && bp_clock_mono(job->clock) >= deadline)
        return bp_fail(err, BP_ETIMEOUT, "'%s' did not end within %lld s", job->argv[0],
                       (long long)(job->timeout_ms / 1000));
    return bp_stop_check(job->clock->stop, err);
}

static enum bp_code serve(const struct bp_child_job *job, struct running *child,
                          struct bp_child_result *result, struct bp_err *err)
{
    int64_t deadline = bp_clock_mono(job->clock) + job->timeout_ms;

    for (;;) {
        bool streams_open = child->out >= 0 || child->errs >= 0;
        enum bp_code rc = check_limits(job, deadline, result, err);

        if (rc != BP_OK) {
            end_group(job, child, result);
            return rc;
        }
        if (!streams_open && reap(child, result))
            return BP_OK;
        pump(job, child, result, streams_open ? 200 : TICK_MS);
    }
}

enum bp_code bp_child_run(const struct bp_child_job *job, struct bp_child_result *result,
                          struct bp_err *err)
{
    struct running child = {.in = -1, .out = -1, .errs = -1};
    enum bp_code rc = BP_OK;

    *result = (struct bp_child_result){0};
    rc = start(job, &child, err);
    if (rc == BP_OK)
        rc = serve(job, &child, result, err);
    close_fd(&child.in);
    close_fd(&child.out);
    close_fd(&child.errs);
    return rc;
}

void bp_child_result_free(struct bp_child_result *result)
{
    bp_buf_free(&result->out);
    bp_buf_free(&result->errs);
}

/* ---- servers ---- */

bool bp_child_user_find(const char *name, struct bp_child_user *out)
{
    char room[USER_BYTES];
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwnam_r(name, &entry, room, sizeof(room), &found) != 0 || found == NULL)
        return false;
    *out = (struct bp_child_user){.uid = found->pw_uid, .gid = found->pw_gid};
    return true;
}

static enum bp_code fork_server(const struct bp_child_job *job, struct pipes *p,
                                struct bp_child *child, struct bp_err *err)
{
    pid_t parent = getpid();
    enum bp_code rc = BP_OK;

    want_exit_statuses();
    if (pipe2(p->fault, O_CLOEXEC) != 0 || (child->pid = fork()) < 0)
        return bp_fail(err, BP_EFAILED, "cannot start '%s': %m", job->argv[0]);
    if (child->pid == 0)
        become(job, p, child->end_signal, parent);
    (void)setpgid(child->pid, child->pid);
    close_fd(&p->fault[1]);
    rc = check_started(job, child->pid, p->fault[0], err);
    child->ended = rc != BP_OK;
    return rc;
}

enum bp_code bp_child_start(const struct bp_child_job *job, const char *log, int end_signal,
                            struct bp_child **out, struct bp_err *err)
{
    struct pipes p = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    struct bp_child *child = NULL;
    enum bp_code rc = BP_OK;

    p.out[1] = open(log, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (p.out[1] < 0)
        return bp_fail(err, BP_EFAILED, "cannot write '%s': %m", log);
    p.errs[1] = fcntl(p.out[1], F_DUPFD_CLOEXEC, 0);
    child = bp_alloc(1, sizeof(*child));
    *child = (struct bp_child){.end_signal = end_signal};
    rc = fork_server(job, &p, child, err);
    close_pipes(&p);
    if (rc == BP_OK)
        *out = child;
    else
        bp_free(child);
    return rc;
}

bool bp_child_ended(struct bp_child *child)
{
    pid_t got = child->ended ? 0 : waitpid(child->pid, NULL, WNOHANG);

    child->ended = child->ended || got == child->pid || (got < 0 && errno == ECHILD);
    return child->ended;
}

void bp_child_stopp(struct bp_child **child)
{
    struct bp_child *c = *child;
    int64_t kill_at = 0;
    bool killed = false;

    *child = NULL;
    if (c == NULL)
        return;
    kill_at = bp_clock_system_mono() + SERVER_GRACE_MS;
    if (!bp_child_ended(c))
        (void)kill(c->pid, c->end_signal);
    while (!bp_child_ended(c)) {
        if (!killed && bp_clock_system_mono() >= kill_at)
            killed = kill(-c->pid, SIGKILL) == 0;
        (void)poll(NULL, 0, TICK_MS);
    }
    bp_free(c);
}
