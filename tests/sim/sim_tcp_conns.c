/* The connections of sim_tcp: requests in, replies out, some of them later. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process.h"
#include "sim_tcp.h"
#include "units.h"
#include "wire.h"

#define DELAYED_MAX 65536
#define IN_BYTES    16384
#define OUT_BYTES   65536
#define MARKS_MAX   (OUT_BYTES / 13 + 1) /* 13 bytes: the shortest reply with a counter in it */

static void conn_close(struct server *server, struct conn *conn, bool reset)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    if (reset)
        setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(conn->fd);
    free(conn->in);
    free(conn->out);
    free(conn->marks);
    memset(conn, 0, sizeof *conn);
    conn->fd = -1;
    server->stats.connections--;
}

static void conn_watch(struct server *server, struct conn *conn, bool blocked)
{
    struct epoll_event event = {.events = blocked ? EPOLLOUT : EPOLLIN, .data.ptr = conn};

    if (conn->blocked == blocked)
        return;
    conn->blocked = blocked;
    epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, conn->fd, &event);
}

static void conn_open(struct server *server, struct conn *conn, int fd, unsigned port)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
    int on = 1;

    memset(conn, 0, sizeof *conn);
    conn->fd = fd;
    conn->generation = ++server->generation;
    conn->port = port;
    conn->in = malloc(IN_BYTES);
    conn->out = malloc(OUT_BYTES);
    conn->marks = server->truth ? calloc(MARKS_MAX, sizeof *conn->marks) : NULL;
    if (!conn->in || !conn->out || (server->truth && !conn->marks))
        process_die("no memory for a connection");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        process_die("epoll: %m");
    server->stats.accepted++;
    server->stats.connections++;
}

void conns_accept(struct server *server)
{
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    int fd;

    while ((fd = accept4(server->listen_fd, (struct sockaddr *)&peer, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        size_t i = 0;

        size = sizeof peer;
        while (i < CONNS_MAX && server->conns[i].fd >= 0)
            i++;
        if (i == CONNS_MAX) {
            close(fd);
            process_log("more than %d connections", CONNS_MAX);
            return;
        }
        conn_open(server, &server->conns[i], fd, ntohs(peer.sin_port));
    }
}

static void note_taken(struct server *server, struct conn *conn)
{
    size_t done = 0;

    while (done < conn->mark_count && conn->marks[done].end <= conn->out_sent) {
        const struct mark *mark = &conn->marks[done++];

        truth_note(server->truth, server->options.units.by_id[mark->unit]->name, mark->counter,
                   mark->time, conn->port);
        server->stats.truth_lines++;
    }
    conn->mark_count -= done;
    if (done && conn->mark_count)
        memmove(conn->marks, conn->marks + done, conn->mark_count * sizeof *conn->marks);
}

/* Returns false when the connection is gone. */
static bool conn_flush(struct server *server, struct conn *conn)
{
    while (conn->out_sent < conn->out_length) {
        ssize_t n = send(conn->fd, conn->out + conn->out_sent, conn->out_length - conn->out_sent,
                         MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            conn_close(server, conn, false);
            return false;
        }
        conn->out_sent += (size_t)n;
        server->stats.tx_bytes += (uint64_t)n;
    }
    if (conn->mark_count)
        note_taken(server, conn);
    if (conn->out_sent == conn->out_length)
        conn->out_sent = conn->out_length = 0;
    conn_watch(server, conn, conn->out_length > 0);
    return true;
}

static bool has_room(const struct conn *conn)
{
    return OUT_BYTES - conn->out_length >= FRAME_MAX;
}

static enum truth_time time_of(const struct server *server, const struct frame *frame)
{
    if (!frame->delayed)
        return TRUTH_IN_TIME;
    return server->options.late_after_ns &&
                   server->options.units.by_id[frame->unit]->requests == frame->requests
               ? TRUTH_EDGE
               : TRUTH_LATE;
}

static void conn_put(struct server *server, struct conn *conn, const struct frame *frame)
{
    memcpy(conn->out + conn->out_length, frame->data, frame->length);
    conn->out_length += frame->length;
    server->stats.replies++;
    server->stats.late += frame->delayed;
    server->options.units.by_id[frame->unit]->replies++;
    if (server->truth && frame->has_counter && frame->intact) {
        struct mark *mark = &conn->marks[conn->mark_count++];

        mark->end = (uint32_t)conn->out_length;
        mark->counter = frame->counter;
        mark->unit = frame->unit;
        mark->time = time_of(server, frame);
    }
}

void conns_close(struct server *server, bool reset)
{
    for (size_t i = 0; i < CONNS_MAX; i++) {
        if (server->conns[i].fd >= 0)
            conn_close(server, &server->conns[i], reset);
    }
}

static void delay(struct server *server, struct conn *conn, const struct frame *frame,
                  int64_t due_ns)
{
    struct delayed **at = &server->delayed;
    struct delayed *item;

    if (server->delayed_count == DELAYED_MAX || !(item = malloc(sizeof *item))) {
        server->stats.dropped++;
        return;
    }
    item->due_ns = due_ns;
    item->conn = conn;
    item->generation = conn->generation;
    item->frame = *frame;
    while (*at && (*at)->due_ns <= due_ns)
        at = &(*at)->next;
    item->next = *at;
    *at = item;
    server->delayed_count++;
}

/* Serves what is in the input buffer as far as there is room for replies. False: not Modbus TCP. */
static bool serve(struct server *server, struct conn *conn)
{
    size_t at = 0;

    while (conn->in_length - at >= HEADER_BYTES && has_room(conn)) {
        const uint8_t *data = conn->in + at;
        size_t length = 6 + ((size_t)data[4] << 8 | data[5]);
        struct frame frame;
        int64_t due_ns;

        if (data[2] || data[3] || length < HEADER_BYTES + 1 || length > FRAME_MAX)
            return false;
        if (conn->in_length - at < length)
            break;
        due_ns = answer_request(server, data, length, &frame);
        if (due_ns == 0)
            conn_put(server, conn, &frame);
        else if (due_ns != WIRE_NEVER)
            delay(server, conn, &frame, due_ns);
        at += length;
    }
    conn->in_length -= at;
    if (at && conn->in_length)
        memmove(conn->in, conn->in + at, conn->in_length);
    return true;
}

/* Serves and sends by turns until all requests are answered or the client has to read first. */
static void conn_work(struct server *server, struct conn *conn)
{
    size_t before;

    do {
        before = conn->in_length;
        if (!serve(server, conn)) {
            server->stats.mbap_errors++;
            conn_close(server, conn, false);
            return;
        }
        if (!conn_flush(server, conn))
            return;
    } while (conn->in_length != before && conn->out_length == 0);
}

void conns_release_due(struct server *server, int64_t now_ns)
{
    while (server->delayed && server->delayed->due_ns <= now_ns) {
        struct delayed *item = server->delayed;
        struct conn *conn = item->conn;

        server->delayed = item->next;
        server->delayed_count--;
        if (conn->fd < 0 || conn->generation != item->generation || !has_room(conn)) {
            server->stats.dropped++;
        } else {
            conn_put(server, conn, &item->frame);
            conn_work(server, conn);
        }
        free(item);
    }
}

void conns_event(struct server *server, struct conn *conn, uint32_t events)
{
    ssize_t n;

    if (events & EPOLLOUT) {
        if (conn_flush(server, conn) && !conn->blocked)
            conn_work(server, conn);
        return;
    }
    n = recv(conn->fd, conn->in + conn->in_length, IN_BYTES - conn->in_length, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        conn_close(server, conn, false);
        return;
    }
    server->stats.rx_bytes += (uint64_t)n;
    conn->in_length += (size_t)n;
    conn_work(server, conn);
}
