#include "tls/carry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "core/clock.h"
#include "core/error.h"
#include "tls/tunnel.h"

#define BUFFER_FIRST_SIZE (32 * 1024)

static size_t buffer_used(const struct buffer *buffer)
{
    return buffer->end - buffer->start;
}

/* Makes room behind the end: moves, or grows while that is allowed. Returns the room, or ERR_NOMEM.
 */
static int buffer_reserve(struct buffer *buffer, size_t room_max)
{
    size_t used = buffer_used(buffer);

    if (buffer->start > 0 && (used == 0 || buffer->start >= buffer->room / 2)) {
        memmove(buffer->data, buffer->data + buffer->start, used);
        buffer->start = 0;
        buffer->end = used;
    }
    if (buffer->end == buffer->room && buffer->room < room_max) {
        size_t room = buffer->room ? buffer->room * 2 : BUFFER_FIRST_SIZE;

        room = room < room_max ? room : room_max;
        uint8_t *data = realloc(buffer->data, room);
        if (!data)
            return ERR_NOMEM;
        buffer->data = data;
        buffer->room = room;
    }
    return (int)(buffer->room - buffer->end);
}

static void buffer_take(struct buffer *buffer, size_t size)
{
    buffer->start += size;
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
}

/* The four moves. Each returns true when it moved something. */

static bool read_local(struct carry *carry, int room)
{
    struct buffer *up = &carry->up;
    ssize_t got;

    if (carry->local_ended || room == 0)
        return false;
    got = recv(carry->local, up->data + up->end, (size_t)room, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        carry->local_ended = true;
        return false;
    }
    up->end += (size_t)got;
    carry->from_local += (size_t)got;
    return true;
}

static bool write_local(struct carry *carry)
{
    struct buffer *down = &carry->down;
    ssize_t sent;

    if (buffer_used(down) == 0)
        return false;
    sent = send(carry->local, down->data + down->start, buffer_used(down), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (sent < 0) { /* nobody is there to read it */
        carry->local_ended = true;
        buffer_take(down, buffer_used(down));
        return false;
    }
    buffer_take(down, (size_t)sent);
    return true;
}

static int plain_result(struct carry *carry, ssize_t moved)
{
    if (moved >= 0)
        return (int)moved;
    if (errno == EAGAIN || errno == EINTR)
        return ERR_AGAIN;
    carry->remote_errno = errno;
    return ERR_CLOSED;
}

static bool read_remote(struct carry *carry, int room)
{
    struct buffer *down = &carry->down;
    int got;

    if (carry->remote_ended || room == 0)
        return false;
    if (carry->tls)
        got = tls_read(carry->tls, down->data + down->end, (size_t)room);
    else
        got = plain_result(carry, recv(carry->remote, down->data + down->end, (size_t)room, 0));
    if (got == ERR_AGAIN)
        return false;
    if (got <= 0) {
        carry->remote_ended = true;
        return false;
    }
    if (carry->packet_size_max > 0 && !framing_pass(&carry->framing, down->data + down->end,
                                                    (size_t)got, carry->packet_size_max)) {
        carry->remote_ended = carry->misframed = true;
        return false;
    }
    down->end += (size_t)got;
    carry->from_remote += (size_t)got;
    return true;
}

static bool write_remote(struct carry *carry)
{
    struct buffer *up = &carry->up;
    int sent;

    if (buffer_used(up) == 0 || carry->remote_ended)
        return false;
    if (carry->tls)
        sent = tls_write(carry->tls, up->data + up->start, buffer_used(up));
    else
        sent = plain_result(
            carry, send(carry->remote, up->data + up->start, buffer_used(up), MSG_NOSIGNAL));
    if (sent == ERR_AGAIN)
        return false;
    if (sent < 0) {
        /* What the broker said last (a CONNACK, an alert) may still wait to be read: where the
         * socket failed, reading finds the end. */
        carry->remote_ended = sent != ERR_CLOSED;
        return false;
    }
    buffer_take(up, (size_t)sent);
    carry->to_remote += (size_t)sent;
    return true;
}

static size_t room_max(const struct carry *carry)
{
    return carry->room_max ? carry->room_max : TUNNEL_BUFFER_SIZE_MAX;
}

static void set_wants(struct carry *carry)
{
    size_t most = room_max(carry);

    carry->wants_local = carry->wants_remote = 0;
    if (!carry->local_ended && (carry->up.end < most || carry->up.start > 0))
        carry->wants_local |= EPOLLIN;
    if (buffer_used(&carry->down) > 0)
        carry->wants_local |= EPOLLOUT;
    if (carry->remote_ended)
        return;
    if (carry->down.end < most || carry->down.start > 0)
        carry->wants_remote |= EPOLLIN;
    if (buffer_used(&carry->up) > 0)
        carry->wants_remote |= EPOLLOUT;
}

int carry_step(struct carry *carry)
{
    bool moved = true;

    /* The sockets' own buffers bound the rounds in practice; the constant does in any case, so that
     * one busy broker leaves the thread to the others. */
    for (int round = 0; moved && round < 64; round++) {
        int up_room = buffer_reserve(&carry->up, room_max(carry));
        int down_room = buffer_reserve(&carry->down, room_max(carry));

        if (up_room < 0 || down_room < 0)
            return ERR_NOMEM;
        moved = read_local(carry, up_room);
        moved |= write_remote(carry);
        moved |= read_remote(carry, down_room);
        moved |= write_local(carry);
    }
    set_wants(carry);
    if (carry->remote_ended && buffer_used(&carry->down) == 0)
        return CARRY_BROKER_ENDED;
    if (carry->local_ended && (buffer_used(&carry->up) == 0 || carry->remote_ended))
        return CARRY_CLIENT_ENDED;
    return CARRY_ON;
}

static void buffer_rest(struct buffer *buffer)
{
    if (buffer_used(buffer) > 0)
        return;
    free(buffer->data);
    *buffer = (struct buffer){0};
}

void carry_rest(struct carry *carry)
{
    buffer_rest(&carry->up);
    buffer_rest(&carry->down);
}

int carry_why_ended(const struct carry *carry, int64_t half_open_ns, char *sentence, size_t size)
{
    int error = carry->tls ? tls_socket_error(carry->tls) : carry->remote_errno;

    if (carry->misframed && carry->framing.unwanted)
        snprintf(sentence, size,
                 "the broker sends %s, which nothing asked it for: look for a newer version of the "
                 "broker",
                 carry->framing.unwanted);
    else if (carry->misframed)
        snprintf(sentence, size,
                 "what the broker sends is no MQTT, or a packet of more than %zu KiB: check that "
                 "the url and its port are the broker's",
                 carry->packet_size_max / 1024);
    else if (carry->tls && tls_reason(carry->tls)[0])
        snprintf(sentence, size, "%s", tls_reason(carry->tls));
    else if (error == ETIMEDOUT)
        snprintf(sentence, size,
                 "the broker has not answered for %" PRId64 " s: the network is lost",
                 half_open_ns / NS_PER_S);
    else if (error != 0)
        snprintf(sentence, size, "the connection to the broker was lost (%s)", strerror(error));
    else
        snprintf(sentence, size, "the broker closed the connection");
    return !carry->misframed && carry->tls && tls_reason(carry->tls)[0] ? ERR_TLS : ERR_CLOSED;
}

void carry_reset(struct carry *carry)
{
    free(carry->up.data);
    free(carry->down.data);
    *carry = (struct carry){.local = -1, .remote = -1};
}
