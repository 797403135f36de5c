#include "tls/tunnel.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/accept.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"
#include "tls/carry.h"
#include "tls/drain.h"
#include "tls/peer.h"
#include "tls/prepare.h"
#include "tls/proxy.h"
#include "tls/reach.h"
#include "tls/socket.h"
#include "tls/tls.h"

#define HALF_OPEN_NS (30 * NS_PER_S)

enum stage { IDLE, PREPARING, REACHING, HANDSHAKING, READY, OPEN };

/* All but what is marked belongs to the pump's thread. */
struct tunnel {
    struct tunnel_options options; /* strings are copies */
    struct pump *own_pump;
    struct loop *loop;
    tunnel_event_fn *event;
    void *context;

    int listener;
    uint16_t port; /* never changes */
    struct accepter *accepter;
    _Atomic uint64_t strangers; /* any thread */
    atomic_int client;          /* any thread */

    enum stage stage;
    struct loop_timer *timer;
    int64_t deadline_ns; /* of the attempt, monotonic */
    int64_t timeout_ns;
    struct prepare *prepare;
    struct reach *reach;
    struct tls_context *tls_context;
    struct tls_resume *resume;
    bool any_cipher; /* the broker cannot do the one that is fastest here */
    struct carry carry;
    struct loop_watch *local_watch, *remote_watch;
    struct drain drain; /* of the client before */

    pthread_mutex_t description_lock;
    char description[96]; /* any thread, under the lock */
};

static void prepared(void *context, struct prepared *result);
static void go_on(struct tunnel *tunnel);

static void watch_drop(struct tunnel *tunnel, struct loop_watch **watch)
{
    if (*watch)
        loop_unwatch(tunnel->loop, *watch);
    *watch = NULL;
}

/* Back to IDLE from anywhere. */
static void drop_attempt(struct tunnel *tunnel)
{
    int local = tunnel->carry.local, remote = tunnel->carry.remote;

    loop_timer_clear(tunnel->loop, tunnel->timer);
    prepare_abandon(tunnel->prepare);
    tunnel->prepare = NULL;
    reach_stop(tunnel->reach);
    tunnel->reach = NULL;
    watch_drop(tunnel, &tunnel->local_watch);
    watch_drop(tunnel, &tunnel->remote_watch);
    if (tunnel->carry.tls) {
        struct tls_resume *session = tls_take_session(tunnel->carry.tls);

        if (session) {
            tls_resume_free(tunnel->resume);
            tunnel->resume = session;
        }
        tls_finish(tunnel->carry.tls);
        tls_close(tunnel->carry.tls);
    }
    tls_context_close(tunnel->tls_context);
    tunnel->tls_context = NULL;
    if (remote >= 0)
        close(remote);
    if (local >= 0)
        drain_begin(&tunnel->drain, local);
    carry_reset(&tunnel->carry);
    tunnel->stage = IDLE;
}

static void fail(struct tunnel *tunnel, int error, const char *sentence)
{
    if (error == ERR_TLS || error == ERR_UNTRUSTED) { /* perhaps the session was to blame */
        tls_resume_free(tunnel->resume);
        tunnel->resume = NULL;
    }
    drop_attempt(tunnel);
    tunnel->event(tunnel->context, error, sentence);
}

static void timed_out(void *context)
{
    struct tunnel *tunnel = context;
    const struct tunnel_options *options = &tunnel->options;
    char sentence[TUNNEL_SENTENCE_SIZE];
    int64_t seconds = tunnel->timeout_ns / NS_PER_S;

    switch (tunnel->stage) {
    case PREPARING:
        snprintf(sentence, sizeof(sentence),
                 "the name server has not told the address of \"%s\" within %" PRId64
                 " s: check the gateway's network and name server",
                 reach_place(options).host, seconds);
        break;
    case HANDSHAKING:
        snprintf(sentence, sizeof(sentence),
                 "%s port %u accepts connections but does not answer the TLS handshake within "
                 "%" PRId64 " s: check that this port speaks TLS",
                 options->host, options->port, seconds);
        break;
    default:
        snprintf(sentence, sizeof(sentence), "the MQTT client did not take up the connection");
    }
    fail(tunnel, ERR_TIMEOUT, sentence);
}

static void describe(struct tunnel *tunnel)
{
    pthread_mutex_lock(&tunnel->description_lock);
    tunnel->description[0] = '\0';
    if (tunnel->carry.tls)
        tls_describe(tunnel->carry.tls, tunnel->description, sizeof(tunnel->description));
    pthread_mutex_unlock(&tunnel->description_lock);
}

/* The broker is reached: from now on until the client has connected its bytes wait in the sockets.
 */
static void become_ready(struct tunnel *tunnel)
{
    describe(tunnel);
    watch_drop(tunnel, &tunnel->remote_watch);
    tunnel->stage = READY;
    tunnel->event(tunnel->context, 0, "");
}

static int prepare_attempt(struct tunnel *tunnel)
{
    bool chacha = pump_prefers_chacha(tunnel->options.pump);
    int rc = prepare_start(&tunnel->prepare, tunnel->loop, &tunnel->options, chacha,
                           chacha && !tunnel->any_cipher, prepared, tunnel);

    if (rc == 0) {
        tunnel->stage = PREPARING;
        loop_timer_set(tunnel->loop, tunnel->timer, tunnel->deadline_ns);
    }
    return rc;
}

/* Most servers choose AES by their own order even when the client puts ChaCha20 first: so the
 * faster one is offered alone, and all of them only to a broker that refuses. */
static bool offer_all_ciphers(struct tunnel *tunnel)
{
    if (tunnel->any_cipher || !pump_prefers_chacha(tunnel->options.pump) ||
        !tls_wants_other_cipher(tunnel->carry.tls))
        return false;
    tunnel->any_cipher = true;
    drop_attempt(tunnel);
    return prepare_attempt(tunnel) == 0;
}

static void handshake(void *context, uint32_t events)
{
    struct tunnel *tunnel = context;
    char sentence[TUNNEL_SENTENCE_SIZE] = "";
    int rc = tls_handshake(tunnel->carry.tls, sentence, sizeof(sentence));

    (void)events;
    if (rc == ERR_AGAIN)
        rc = loop_watch_change(tunnel->loop, tunnel->remote_watch, tls_wants(tunnel->carry.tls));
    else if (rc == 0)
        become_ready(tunnel);
    if (rc == ERR_TLS && offer_all_ciphers(tunnel))
        return;
    if (rc != 0)
        fail(tunnel, rc == ERR_CLOSED ? ERR_TLS : rc, sentence);
}

static void begin_handshake(struct tunnel *tunnel)
{
    const struct tunnel_options *options = &tunnel->options;
    const char *name = options->server_name ? options->server_name : options->host;
    int rc = tls_open(&tunnel->carry.tls, tunnel->tls_context, tunnel->carry.remote, name,
                      tunnel->resume);

    if (rc != 0) {
        fail(tunnel, rc, "out of memory");
        return;
    }
    tunnel->stage = HANDSHAKING;
    tunnel->remote_watch =
        loop_watch(tunnel->loop, tunnel->carry.remote, EPOLLOUT, handshake, tunnel);
    if (!tunnel->remote_watch)
        fail(tunnel, ERR_NOMEM, "out of memory");
}

static void reached(void *context, int error, int fd, const char *sentence)
{
    struct tunnel *tunnel = context;

    tunnel->reach = NULL;
    if (error != 0) {
        fail(tunnel, error, sentence);
        return;
    }
    tunnel->carry.remote = fd;
    loop_timer_set(tunnel->loop, tunnel->timer, tunnel->deadline_ns);
    if (tunnel->options.tls)
        begin_handshake(tunnel);
    else
        become_ready(tunnel);
}

static void prepared(void *context, struct prepared *result)
{
    struct tunnel *tunnel = context;
    const struct reach_given given = {tunnel->loop,        &tunnel->options,    result->addresses,
                                      result->proxy_login, tunnel->deadline_ns, tunnel->timeout_ns};
    int rc;

    tunnel->prepare = NULL;
    if (result->error != 0) {
        fail(tunnel, result->error, result->sentence);
        return;
    }
    tunnel->tls_context = result->tls;
    *result = (struct prepared){0};
    tunnel->stage = REACHING;
    loop_timer_clear(tunnel->loop, tunnel->timer); /* that has one of its own */
    rc = reach_start(&tunnel->reach, &given, reached, tunnel);
    if (rc != 0)
        fail(tunnel, rc, error_text(rc));
}

static void broker_ended(struct tunnel *tunnel)
{
    char sentence[TUNNEL_SENTENCE_SIZE];
    int error =
        carry_why_ended(&tunnel->carry, tunnel->options.half_open_ns, sentence, sizeof(sentence));

    fail(tunnel, error, sentence);
}

/* Watches what carry wants; a side that wants nothing is not watched, since a hang-up would be told
 * for ever. */
static int rewatch(struct tunnel *tunnel, struct loop_watch **watch, int fd, uint32_t wants,
                   loop_fd_fn *fn)
{
    if (wants == 0) {
        watch_drop(tunnel, watch);
        return 0;
    }
    if (*watch)
        return loop_watch_change(tunnel->loop, *watch, wants);
    *watch = loop_watch(tunnel->loop, fd, wants, fn, tunnel);
    return *watch ? 0 : ERR_NOMEM;
}

static void moved(void *context, uint32_t events)
{
    (void)events;
    go_on(context);
}

static void go_on(struct tunnel *tunnel)
{
    struct carry *carry = &tunnel->carry;
    int rc = carry_step(carry);

    if (rc == CARRY_BROKER_ENDED) {
        broker_ended(tunnel);
        return;
    }
    if (rc == CARRY_CLIENT_ENDED) {
        fail(tunnel, ERR_CLOSED,
             "this gateway gave the connection up: the broker did not answer in time, or not as "
             "MQTT asks for");
        return;
    }
    if (rc == 0)
        rc = rewatch(tunnel, &tunnel->local_watch, carry->local, carry->wants_local, moved);
    if (rc == 0)
        rc = rewatch(tunnel, &tunnel->remote_watch, carry->remote, carry->wants_remote, moved);
    if (rc != 0)
        fail(tunnel, ERR_CLOSED, "the gateway ran out of memory for this connection");
}

static void take_client(void *context, int fd)
{
    struct tunnel *tunnel = context;
    int peer = peer_find(fd);

    if (peer < 0) {
        atomic_fetch_add(&tunnel->strangers, 1);
        log_warn("tls",
                 "another program of this machine connected to the private port %u: turned away",
                 tunnel->port);
        close(fd);
        return;
    }
    if (tunnel->stage != READY) { /* the client tries again */
        close(fd);
        return;
    }
    drain_end(&tunnel->drain);
    atomic_store(&tunnel->client, peer);
    /* The client library sets neither on its own end. */
    socket_tune_local(peer);
    socket_tune_local(fd);
    loop_timer_clear(tunnel->loop, tunnel->timer);
    tunnel->carry.local = fd;
    tunnel->carry.packet_size_max = tunnel->options.packet_size_max;
    tunnel->stage = OPEN;
    go_on(tunnel);
}

static int copy_text(const char **copy, const char *text)
{
    *copy = text ? strdup(text) : NULL;
    return text && !*copy ? ERR_NOMEM : 0;
}

static int copy_options(struct tunnel *tunnel, const struct tunnel_options *options)
{
    struct tunnel_options *copy = &tunnel->options;

    copy->port = options->port;
    copy->proxy_port = options->proxy_port;
    copy->tls = options->tls;
    copy->minimum = options->minimum ? options->minimum : 12;
    copy->packet_size_max = options->packet_size_max;
    copy->half_open_ns = options->half_open_ns ? options->half_open_ns : HALF_OPEN_NS;
    if (copy_text(&copy->host, options->host) || copy_text(&copy->ca, options->ca) ||
        copy_text(&copy->proxy_host, options->proxy_host) ||
        copy_text(&copy->proxy_login_file, options->proxy_login_file) ||
        copy_text(&copy->crl, options->crl) || copy_text(&copy->cert, options->cert) ||
        copy_text(&copy->key, options->key) || copy_text(&copy->alpn, options->alpn) ||
        copy_text(&copy->server_name, options->server_name))
        return ERR_NOMEM;
    return 0;
}

struct request {
    struct tunnel *tunnel;
    int64_t timeout_ns;
    int result;
};

static void attach(void *context)
{
    struct request *request = context;
    struct tunnel *tunnel = request->tunnel;

    tunnel->timer = loop_timer(tunnel->loop, timed_out, tunnel);
    request->result = tunnel->timer
                          ? accept_open(&tunnel->accepter, tunnel->loop, tunnel->listener,
                                        "a private port of the gateway", take_client, tunnel)
                          : ERR_NOMEM;
}

static void detach(void *context)
{
    struct tunnel *tunnel = context;

    if (tunnel->timer) {
        drop_attempt(tunnel);
        loop_timer_drop(tunnel->loop, tunnel->timer);
    }
    drain_end(&tunnel->drain);
    accept_close(tunnel->accepter);
}

int tunnel_open(struct tunnel **out, const struct tunnel_options *options, tunnel_event_fn *event,
                void *context)
{
    struct tunnel *tunnel = calloc(1, sizeof(*tunnel));
    struct request request = {.tunnel = tunnel};
    int rc;

    if (!tunnel)
        return ERR_NOMEM;
    pthread_mutex_init(&tunnel->description_lock, NULL);
    tunnel->listener = tunnel->drain.fd = -1;
    atomic_init(&tunnel->client, -1);
    carry_reset(&tunnel->carry);
    tunnel->event = event;
    tunnel->context = context;
    tunnel->options.pump = options->pump;
    rc = copy_options(tunnel, options);
    if (rc == 0 && !tunnel->options.pump) {
        rc = pump_open(&tunnel->own_pump);
        tunnel->options.pump = tunnel->own_pump;
    }
    if (rc == 0) {
        tunnel->loop = tunnel->drain.loop = pump_loop(tunnel->options.pump);
        tunnel->listener = socket_listen(&tunnel->port);
        rc = tunnel->listener < 0 ? tunnel->listener : 0;
    }
    if (rc == 0)
        rc = pump_call(tunnel->options.pump, attach, &request);
    if (rc == 0)
        rc = request.result;
    if (rc != 0) {
        tunnel_close(tunnel);
        return rc;
    }
    *out = tunnel;
    return 0;
}

void tunnel_close(struct tunnel *tunnel)
{
    struct tunnel_options *options;

    if (!tunnel)
        return;
    options = &tunnel->options;
    if (tunnel->loop && pump_call(options->pump, detach, tunnel) != 0)
        return; /* without memory for a message to its thread it can only be left behind */
    pump_close(tunnel->own_pump);
    if (tunnel->listener >= 0)
        close(tunnel->listener);
    tls_resume_free(tunnel->resume);
    pthread_mutex_destroy(&tunnel->description_lock);
    free((char *)options->host);
    free((char *)options->proxy_host);
    free((char *)options->proxy_login_file);
    free((char *)options->ca);
    free((char *)options->crl);
    free((char *)options->cert);
    free((char *)options->key);
    free((char *)options->alpn);
    free((char *)options->server_name);
    free(tunnel);
}

uint16_t tunnel_port(const struct tunnel *tunnel)
{
    return tunnel->port;
}

static void begin(void *context)
{
    struct request *request = context;
    struct tunnel *tunnel = request->tunnel;

    drop_attempt(tunnel);
    tunnel->timeout_ns = request->timeout_ns;
    tunnel->deadline_ns = clock_mono(&clock_system) + request->timeout_ns;
    request->result = prepare_attempt(tunnel);
}

int tunnel_connect(struct tunnel *tunnel, int64_t timeout_ns)
{
    struct request request = {.tunnel = tunnel, .timeout_ns = timeout_ns};
    int rc = pump_call(tunnel->options.pump, begin, &request);

    return rc == 0 ? request.result : rc;
}

static void end(void *context)
{
    drop_attempt(context);
}

void tunnel_disconnect(struct tunnel *tunnel)
{
    pump_call(tunnel->options.pump, end, tunnel);
}

void tunnel_description(const struct tunnel *tunnel, char *out, size_t size)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)&tunnel->description_lock;

    pthread_mutex_lock(lock);
    snprintf(out, size, "%s", tunnel->description);
    pthread_mutex_unlock(lock);
}

int tunnel_client(const struct tunnel *tunnel)
{
    return atomic_load(&tunnel->client);
}

uint64_t tunnel_strangers(const struct tunnel *tunnel)
{
    return atomic_load(&tunnel->strangers);
}

int tunnel_check_login(const char *path, char *sentence, size_t size)
{
    char login[SECRET_SIZE];
    int rc = proxy_login(path, login, sentence, size);

    explicit_bzero(login, sizeof(login));
    return rc;
}
