/* One connection at the door: its handshake, its bytes, its end. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "tls/socket.h"
#include "web/door_inside.h"

#define BUFFER_SIZE    (16 * 1024) /* a TLS record */
#define PAIR_SIZE      (64 * 1024) /* what the kernel keeps of an answer that nobody takes */
#define LINGER_NS      NS_PER_S
#define HALF_OPEN_NS   (60 * NS_PER_S)
#define TLS_FIRST_BYTE 0x16 /* of a handshake record */
#define SENTENCE_SIZE  320

static void close_tls(struct visit *visit)
{
    if (!visit->carry.tls)
        return;
    tls_finish(visit->carry.tls);
    tls_close(visit->carry.tls);
    visit->carry.tls = NULL;
}

/* Everything but the guest's place. */
static void visit_disconnect(struct visit *visit)
{
    struct loop *loop = visit->door->loop;

    loop_unwatch(loop, visit->remote_watch);
    loop_unwatch(loop, visit->local_watch);
    visit->remote_watch = visit->local_watch = NULL;
    close_tls(visit);
    if (visit->carry.local >= 0)
        close(visit->carry.local);
    if (visit->carry.remote >= 0)
        close(visit->carry.remote);
    carry_reset(&visit->carry);
    visit->ready = false;
}

void visit_end(struct visit *visit)
{
    struct door *door = visit->door;

    visit_disconnect(visit);
    drain_end(&visit->drain);
    loop_timer_drop(door->loop, visit->timer);
    shown_release(visit->shown);
    guests_leave(door->guests, &visit->guest);
    door->visits[visit->place] = NULL;
    free(visit);
    door_count(door);
}

static void set_timer(struct visit *visit, int64_t at_ns)
{
    visit->timer_ns = at_ns;
    loop_timer_set(visit->door->loop, visit->timer, at_ns);
}

static void on_timer(void *context)
{
    struct visit *visit = context;
    int64_t deadline_ns = guests_deadline(&visit->guest);

    if (visit->drain.fd < 0 && visit->carry.remote >= 0 && deadline_ns > clock_mono(&clock_system))
        set_timer(visit, deadline_ns);
    else
        visit_end(visit);
}

/* The server has nothing more to say. What the visitor still sends is read for a moment: closing on
 * it would take the answer away from him as well. */
static void visit_linger(struct visit *visit)
{
    int fd = visit->carry.remote;

    close_tls(visit);
    visit->carry.remote = -1;
    visit_disconnect(visit);
    drain_begin(&visit->drain, fd);
    set_timer(visit, clock_mono(&clock_system) + LINGER_NS);
}

static void on_bytes(void *context, uint32_t events);

/* A side that wants nothing is not watched, since a hang-up would be told for ever. */
static bool rewatch(struct visit *visit, struct loop_watch **watch, int fd, uint32_t wants)
{
    struct loop *loop = visit->door->loop;

    if (wants == 0) {
        loop_unwatch(loop, *watch);
        *watch = NULL;
        return true;
    }
    if (*watch)
        return loop_watch_change(loop, *watch, wants) == 0;
    *watch = loop_watch(loop, fd, wants, on_bytes, visit);
    return *watch != NULL;
}

static struct guest_traffic traffic(const struct carry *carry)
{
    return (struct guest_traffic){.heard = carry->from_remote,
                                  .answered = carry->from_local,
                                  .taken = carry->to_remote,
                                  .waits = carry->up.end > carry->up.start};
}

static void on_bytes(void *context, uint32_t events)
{
    struct visit *visit = context;
    struct carry *carry = &visit->carry;
    const struct guest_traffic before = traffic(carry);
    int result = carry_step(carry);
    const struct guest_traffic after = traffic(carry);

    (void)events;
    if (result == CARRY_CLIENT_ENDED) {
        visit_linger(visit);
        return;
    }
    carry_rest(carry);
    guests_moved(&visit->guest, &before, &after, clock_mono(&clock_system));
    if (result != CARRY_ON ||
        !rewatch(visit, &visit->local_watch, carry->local, carry->wants_local) ||
        !rewatch(visit, &visit->remote_watch, carry->remote, carry->wants_remote)) {
        visit_end(visit);
        return;
    }
    if (guests_deadline(&visit->guest) < visit->timer_ns)
        set_timer(visit, guests_deadline(&visit->guest));
}

/* One end of the pair is the HTTP server's from now on. */
static bool hand_over(struct visit *visit)
{
    struct door *door = visit->door;
    int pair[2], size = PAIR_SIZE;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair))
        return false;
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    visit->carry.local = pair[0];
    return door->options.adopt(door->options.context, pair[1],
                               (const struct sockaddr *)&visit->peer, visit->peer_size) == 0;
}

void visit_greet(struct visit *visit)
{
    char sentence[SENTENCE_SIZE];
    struct carry *carry = &visit->carry;
    int error = carry->tls ? 0 : tls_serve(&carry->tls, visit->shown->identity, carry->remote);

    visit->ready = false;
    if (!error)
        error = tls_handshake(carry->tls, sentence, sizeof sentence);
    if (error == ERR_AGAIN) {
        if (loop_watch_change(visit->door->loop, visit->remote_watch, tls_wants(carry->tls)))
            visit_end(visit);
        return;
    }
    if (error) {
        log_debug("web", "a visitor's TLS handshake came to nothing: %s", error_text(error));
        visit_end(visit);
        return;
    }
    guests_greeted(&visit->guest, clock_mono(&clock_system));
    loop_unwatch(visit->door->loop, visit->remote_watch);
    visit->remote_watch = NULL;
    if (!hand_over(visit)) {
        visit_end(visit);
        return;
    }
    set_timer(visit, guests_deadline(&visit->guest));
    on_bytes(visit, 0); /* a request may have come with the last of the handshake */
}

/* Who writes "http://" where "https://" belongs, with our port, is told. */
static void show_the_way(struct visit *visit)
{
    int fd = visit->carry.remote;

    visit->carry.remote = -1;
    loop_unwatch(visit->door->loop, visit->remote_watch);
    visit->remote_watch = NULL;
    redirect_take(visit->door->redirect, fd);
    visit_end(visit);
}

static void on_greeting(void *context, uint32_t events)
{
    struct visit *visit = context;
    unsigned char first;

    (void)events;
    if (!visit->carry.tls) {
        ssize_t got = recv(visit->carry.remote, &first, 1, MSG_PEEK);

        if (got == 1 && first >= 'A' && first <= 'Z') {
            show_the_way(visit);
            return;
        }
        if (got <= 0 || first != TLS_FIRST_BYTE) {
            visit_end(visit);
            return;
        }
    }
    visit->ready = true;
    /* Not told again until its turn came. */
    loop_watch_change(visit->door->loop, visit->remote_watch, 0);
    door_step_wanted(visit->door);
}

/* IPv4 peers of a listener for both kinds come as IPv6 ones. */
static void find_peer(struct visit *visit)
{
    struct sockaddr_in6 *mapped = (struct sockaddr_in6 *)(void *)&visit->peer;

    visit->peer_size = sizeof visit->peer;
    if (getpeername(visit->carry.remote, (struct sockaddr *)&visit->peer, &visit->peer_size))
        visit->peer.ss_family = AF_UNSPEC;
    if (visit->peer.ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&mapped->sin6_addr))
        return;
    struct sockaddr_in plain = {.sin_family = AF_INET, .sin_port = mapped->sin6_port};

    memcpy(&plain.sin_addr, mapped->sin6_addr.s6_addr + 12, 4);
    memset(&visit->peer, 0, sizeof visit->peer);
    memcpy(&visit->peer, &plain, sizeof plain);
    visit->peer_size = sizeof plain;
}

/* One who has not entered; his socket stays the caller's. */
static void visit_free(struct visit *visit)
{
    loop_timer_drop(visit->door->loop, visit->timer);
    loop_unwatch(visit->door->loop, visit->remote_watch);
    free(visit);
}

static struct visit *visit_new(struct door *door, int fd)
{
    struct visit *visit = calloc(1, sizeof *visit);

    if (!visit)
        return NULL;
    visit->door = door;
    visit->carry = (struct carry){.local = -1, .remote = fd, .room_max = BUFFER_SIZE};
    visit->drain = (struct drain){.loop = door->loop, .fd = -1};
    visit->timer = loop_timer(door->loop, on_timer, visit);
    visit->remote_watch = loop_watch(door->loop, fd, EPOLLIN, on_greeting, visit);
    find_peer(visit);
    if (visit->timer && visit->remote_watch && visit->peer.ss_family != AF_UNSPEC)
        return visit;
    visit_free(visit);
    return NULL;
}

void visit_begin(struct door *door, int fd)
{
    struct visit *visit = door->shown ? visit_new(door, fd) : NULL;
    int64_t now_ns = clock_mono(&clock_system);

    if (!visit) {
        close(fd);
        return;
    }
    struct guest *leaving =
        guests_enter(door->guests, &visit->guest, (const struct sockaddr *)&visit->peer, now_ns);
    if (leaving == &visit->guest) {
        visit_free(visit);
        close(fd);
        return;
    }
    if (leaving)
        visit_end((struct visit *)(void *)leaving);
    socket_tune(fd, HALF_OPEN_NS);
    while (door->visits[visit->place])
        visit->place++;
    door->visits[visit->place] = visit;
    visit->shown = door->shown;
    visit->shown->holders++;
    set_timer(visit, guests_deadline(&visit->guest));
    door_count(door);
}
