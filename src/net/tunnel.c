#include "net/tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/tunnel_reach.h"

enum {
    PIECE = 1 << 16,
    WAITING = 64, /* connections that were not accepted yet */
    OUT_OF_ROOM_MS = 100,
};

struct bp_tunnel {
    struct bp_tunnel_options to; /* of the texts that follow */
    char *proxy;
    char *ca_file;
    char *host;
    char *port;
    char *shown; /* the proxy without user and password */
    char local_port[8];
    int listener;
    int ending; /* readable once it has to end */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* of what follows */
    struct pipe *pipes;
    struct bp_err failure; /* code BP_OK: none */
    bool failure_may_pass;
};

/* Bytes on their way in one direction. */
struct flow {
    char *data;
    size_t start;
    size_t end;
    bool over; /* nothing more comes */
};

/* One connection, in a thread of its own: a proxy that does not answer holds up no other. */
struct pipe {
    struct bp_tunnel *tunnel;
    struct pipe *next;
    pthread_t thread;
    bool done; /* with the tunnel's lock */
    int client;
    CURL *easy;
    curl_socket_t server;
    struct flow there; /* from the client to the server */
    struct flow back;
};

/* ---- reaching the server ---- */

static bool is_ending(const void *ctx)
{
    const struct bp_tunnel *t = ctx;
    struct pollfd end = {.fd = t->ending, .events = POLLIN};

    return poll(&end, 1, 0) != 0;
}

static bool reach(struct pipe *p)
{
    struct bp_tunnel *t = p->tunnel;
    struct bp_err why = {0};
    bool may_pass = false;

    p->easy = bp_tunnel_reach(
        &(struct bp_tunnel_way){
            .to = &t->to, .shown = t->shown, .is_ending = is_ending, .is_ending_ctx = t},
        &p->server, &may_pass, &why);
    if (p->easy != NULL)
        return true;
    (void)pthread_mutex_lock(&t->lock);
    t->failure = why;
    t->failure_may_pass = may_pass;
    (void)pthread_mutex_unlock(&t->lock);
    return false;
}

/* ---- moving bytes: each returns whether anything moved ---- */

static bool take(struct flow *flow, ssize_t got, bool again)
{
    if (got > 0) {
        flow->start = 0;
        flow->end = (size_t)got;
    } else if (!again) {
        flow->over = true;
    }
    return got > 0 || !again;
}

static bool from_client(struct pipe *p)
{
    ssize_t got = 0;

    if (p->there.end > 0 || p->there.over)
        return false;
    got = recv(p->client, p->there.data, PIECE, MSG_DONTWAIT);
    return take(&p->there, got, got < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool from_server(struct pipe *p)
{
    size_t got = 0;
    CURLcode rc = CURLE_AGAIN;

    if (p->back.end > 0 || p->back.over)
        return false;
    rc = curl_easy_recv(p->easy, p->back.data, PIECE, &got);
    return take(&p->back, rc == CURLE_OK ? (ssize_t)got : -1, rc == CURLE_AGAIN);
}

static bool give(struct flow *flow, size_t put, bool broken)
{
    flow->start += put;
    if (flow->start == flow->end)
        flow->start = flow->end = 0;
    if (broken) {
        flow->start = flow->end = 0;
        flow->over = true;
    }
    return put > 0 || broken;
}

static bool to_client(struct pipe *p)
{
    ssize_t put = 0;

    if (p->back.end == 0)
        return false;
    put = send(p->client, p->back.data + p->back.start, p->back.end - p->back.start,
               MSG_DONTWAIT | MSG_NOSIGNAL);
    return give(&p->back, put > 0 ? (size_t)put : 0, put < 0 && errno != EAGAIN && errno != EINTR);
}

static bool to_server(struct pipe *p)
{
    size_t put = 0;
    CURLcode rc = CURLE_OK;

    if (p->there.end == 0)
        return false;
    rc = curl_easy_send(p->easy, p->there.data + p->there.start, p->there.end - p->there.start,
                        &put);
    return give(&p->there, rc == CURLE_OK ? put : 0, rc != CURLE_OK && rc != CURLE_AGAIN);
}

static short wanted(const struct flow *in, const struct flow *out)
{
    return (short)((in->end == 0 && !in->over ? POLLIN : 0) | (out->end > 0 ? POLLOUT : 0));
}

/* Until something can move; false: the tunnel ends. */
static bool wait_for_more(const struct pipe *p, bool moved)
{
    struct pollfd fds[3] = {
        {.fd = p->tunnel->ending, .events = POLLIN},
        {.fd = p->client, .events = wanted(&p->there, &p->back)},
        {.fd = p->server, .events = wanted(&p->back, &p->there)},
    };

    /* A socket whose other end has gone is reported at once, even when nothing is wanted. */
    for (size_t i = 1; i < 3; i++)
        fds[i].fd = fds[i].events != 0 ? fds[i].fd : -1;
    return (poll(fds, 3, moved ? 0 : -1) >= 0 || errno == EINTR) && fds[0].revents == 0;
}

/* Until one end has closed and the other one has got all. */
static void pump(struct pipe *p)
{
    bool moved = true;

    do {
        moved = from_client(p);
        moved = to_server(p) || moved;
        moved = from_server(p) || moved;
        moved = to_client(p) || moved;
        if ((p->there.over && p->there.end == 0) || (p->back.over && p->back.end == 0))
            return;
    } while (wait_for_more(p, moved));
}

static void *run_pipe(void *ctx)
{
    struct pipe *p = ctx;

    p->there.data = bp_alloc(1, PIECE);
    p->back.data = bp_alloc(1, PIECE);
    if (reach(p))
        pump(p);
    if (p->easy != NULL)
        curl_easy_cleanup(p->easy);
    bp_free(p->there.data);
    bp_free(p->back.data);
    (void)close(p->client);
    (void)pthread_mutex_lock(&p->tunnel->lock);
    p->done = true;
    (void)pthread_mutex_unlock(&p->tunnel->lock);
    return NULL;
}

/* ---- the port ---- */

/* Forget the pipes that are done; all of them, after their end, at the end of the tunnel. */
static void reap(struct bp_tunnel *t, bool all)
{
    struct pipe **at = &t->pipes;

    while (*at != NULL) {
        struct pipe *p = *at;
        bool done = all;

        (void)pthread_mutex_lock(&t->lock);
        done = done || p->done;
        (void)pthread_mutex_unlock(&t->lock);
        if (!done) {
            at = &p->next;
            continue;
        }
        (void)pthread_join(p->thread, NULL);
        *at = p->next;
        bp_free(p);
    }
}

static void add_pipe(struct bp_tunnel *t, int client)
{
    struct pipe *p = bp_alloc(1, sizeof(*p));
    const int on = 1;

    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    p->tunnel = t;
    p->client = client;
    if (pthread_create(&p->thread, NULL, run_pipe, p) != 0) {
        (void)close(client);
        bp_free(p);
        return;
    }
    p->next = t->pipes;
    t->pipes = p;
}

static void *run_listener(void *ctx)
{
    struct bp_tunnel *t = ctx;

    for (;;) {
        struct pollfd fds[2] = {{.fd = t->ending, .events = POLLIN},
                                {.fd = t->listener, .events = POLLIN}};
        int client = -1;

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[0].revents != 0)
            return NULL;
        reap(t, false);
        client = accept4(t->listener, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0)
            add_pipe(t, client);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            (void)poll(fds, 1, OUT_OF_ROOM_MS); /* it waits on, and is reported again at once */
    }
}

/* "http://host:3128" of "http://user:password@host:3128" */
static char *without_login(const char *proxy)
{
    const char *scheme = strstr(proxy, "://");
    const char *rest = scheme != NULL ? scheme + 3 : proxy;
    const char *at = strrchr(rest, '@');

    return bp_format("%.*s%s", (int)(rest - proxy), proxy, at != NULL ? at + 1 : rest);
}

static enum bp_code start_listening(struct bp_tunnel *t, struct bp_err *err)
{
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(where);

    t->ending = eventfd(0, EFD_CLOEXEC);
    t->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (t->ending < 0 || t->listener < 0 ||
        bind(t->listener, (const struct sockaddr *)&where, sizeof(where)) != 0 ||
        listen(t->listener, WAITING) != 0 ||
        getsockname(t->listener, (struct sockaddr *)&where, &len) != 0)
        return bp_fail(err, BP_EFAILED, "cannot listen for connections to the proxy: %m");
    (void)snprintf(t->local_port, sizeof(t->local_port), "%u", ntohs(where.sin_port));
    t->started = pthread_create(&t->thread, NULL, run_listener, t) == 0;
    if (!t->started)
        return bp_fail(err, BP_EFAILED, "cannot start a thread for the proxy");
    return BP_OK;
}

enum bp_code bp_tunnel_open(const struct bp_tunnel_options *options, struct bp_tunnel **out,
                            struct bp_err *err)
{
    BP_AUTO(bp_tunnel_closep) struct bp_tunnel *t = bp_alloc(1, sizeof(*t));

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort(); /* no memory */
    t->to.proxy = t->proxy = bp_strdup(options->proxy);
    t->shown = without_login(options->proxy);
    t->to.ca_file = t->ca_file = options->ca_file != NULL ? bp_strdup(options->ca_file) : NULL;
    t->to.host = t->host = bp_strdup(options->host);
    t->to.port = t->port = bp_strdup(options->port);
    t->to.connect_timeout_ms = options->connect_timeout_ms;
    t->listener = t->ending = -1;
    (void)pthread_mutex_init(&t->lock, NULL);
    if (start_listening(t, err) != BP_OK)
        return err->code;
    *out = t;
    t = NULL;
    return BP_OK;
}

const char *bp_tunnel_local_port(const struct bp_tunnel *tunnel)
{
    return tunnel->local_port;
}

const char *bp_tunnel_host(const struct bp_tunnel *tunnel)
{
    return tunnel->host;
}

const char *bp_tunnel_port(const struct bp_tunnel *tunnel)
{
    return tunnel->port;
}

enum bp_code bp_tunnel_failure(struct bp_tunnel *tunnel, bool *may_pass, struct bp_err *err)
{
    enum bp_code code = BP_OK;

    (void)pthread_mutex_lock(&tunnel->lock);
    code = tunnel->failure.code;
    if (code != BP_OK) {
        *err = tunnel->failure;
        *may_pass = tunnel->failure_may_pass;
    }
    tunnel->failure.code = BP_OK;
    (void)pthread_mutex_unlock(&tunnel->lock);
    return code;
}

void bp_tunnel_closep(struct bp_tunnel **tunnel)
{
    struct bp_tunnel *t = *tunnel;
    const uint64_t one = 1;

    if (t == NULL)
        return;
    if (t->ending >= 0 && write(t->ending, &one, sizeof(one)) < 0)
        abort(); /* a counter that was never written takes it */
    if (t->started)
        (void)pthread_join(t->thread, NULL);
    reap(t, true);
    if (t->listener >= 0)
        (void)close(t->listener);
    if (t->ending >= 0)
        (void)close(t->ending);
    (void)pthread_mutex_destroy(&t->lock);
    bp_free_secretp(&t->proxy);
    bp_free(t->shown);
    bp_free(t->ca_file);
    bp_free(t->host);
    bp_free(t->port);
    bp_free(t);
    *tunnel = NULL;
    curl_global_cleanup();
}
