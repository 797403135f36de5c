/* A Modbus TCP server with many units, quick enough to load a gateway: one thread, one epoll set.
 *
 * Requests are taken as they come, pipelined ones too (serve); replies gather in the connection's
 * buffer and leave together (conn_flush). A reply that has to wait is kept in a list by due time
 * (delay, release_due). While a client does not read its replies its requests are not read either.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "options.h"
#include "process.h"
#include "registers.h"
#include "stats.h"
#include "truth.h"
#include "units.h"
#include "wire.h"

#define CONNS_MAX       2048
#define DELAYED_MAX     65536
#define HEADER_BYTES    7
#define FRAME_MAX       260
#define IN_BYTES        16384
#define OUT_BYTES       65536
#define MARKS_MAX       (OUT_BYTES / 13 + 1) /* 13 bytes: the shortest reply with a counter in it */
#define TRUTH_BUFFER_NS (10 * WIRE_MS)
#define EVENTS_MAX      256

/* A counter value in the output buffer, true once the bytes before end have been taken. */
struct mark {
    uint32_t end;
    uint32_t counter;
    uint8_t unit;
    bool late;
};

struct conn {
    int fd; /* -1: free */
    uint64_t generation;
    bool blocked;
    size_t in_length, out_length, out_sent, mark_count;
    uint8_t *in;
    uint8_t *out;
    struct mark *marks;
};

struct frame {
    uint8_t data[FRAME_MAX];
    size_t length;
    uint8_t unit;
    bool intact;
    bool late;
    bool has_counter;
    uint32_t counter;
};

struct delayed {
    struct delayed *next;
    int64_t due_ns;
    struct conn *conn;
    uint64_t generation;
    struct frame frame;
};

struct stats {
    uint64_t requests, replies, exceptions, mbap_errors, other_unit, bad_length, silenced,
        corrupted;
    uint64_t late, dropped, accepted, connections, rx_bytes, tx_bytes, truth_lines;
};

struct server {
    struct options options;
    struct sockaddr_in address;
    int epoll_fd;
    int listen_fd; /* -1 while connections are refused */
    struct truth *truth;
    struct stats stats;
    uint64_t generation;
    struct conn conns[CONNS_MAX];
    struct delayed *delayed;
    size_t delayed_count;
};

static int listen_tag, control_tag, stop_tag; /* only their addresses are used */

/* Connections */

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

static void conn_open(struct server *server, struct conn *conn, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
    int on = 1;

    memset(conn, 0, sizeof *conn);
    conn->fd = fd;
    conn->generation = ++server->generation;
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

static void accept_all(struct server *server)
{
    int fd;

    while ((fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        size_t i = 0;

        while (i < CONNS_MAX && server->conns[i].fd >= 0)
            i++;
        if (i == CONNS_MAX) {
            close(fd);
            process_log("more than %d connections", CONNS_MAX);
            return;
        }
        conn_open(server, &server->conns[i], fd);
    }
}

static void note_taken(struct server *server, struct conn *conn)
{
    size_t done = 0;

    while (done < conn->mark_count && conn->marks[done].end <= conn->out_sent) {
        const struct mark *mark = &conn->marks[done++];

        truth_note(server->truth, server->options.units.by_id[mark->unit]->name, mark->counter,
                   mark->late);
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

static void conn_put(struct server *server, struct conn *conn, const struct frame *frame)
{
    memcpy(conn->out + conn->out_length, frame->data, frame->length);
    conn->out_length += frame->length;
    server->stats.replies++;
    server->stats.late += frame->late;
    server->options.units.by_id[frame->unit]->replies++;
    if (server->truth && frame->has_counter && frame->intact) {
        struct mark *mark = &conn->marks[conn->mark_count++];

        mark->end = (uint32_t)conn->out_length;
        mark->counter = frame->counter;
        mark->unit = frame->unit;
        mark->late = frame->late;
    }
}

/* Delayed replies */

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

/* Requests */

static void put_length(struct frame *frame, size_t length)
{
    frame->data[4] = (uint8_t)(length >> 8);
    frame->data[5] = (uint8_t)length;
}

static void corrupt(struct server *server, struct frame *frame, enum unit_corruption how)
{
    frame->intact = false;
    server->stats.corrupted++;
    switch (how) {
    case CORRUPT_UNIT:
        frame->data[6] = (uint8_t)(frame->data[6] % 247 + 1);
        break;
    case CORRUPT_FUNCTION:
        frame->data[7] ^= 0x07;
        break;
    case CORRUPT_LENGTH:
        if (frame->length > HEADER_BYTES + 4) {
            frame->length -= 2;
            frame->data[8] = (uint8_t)(frame->data[8] - 2);
            put_length(frame, frame->length - 6);
        }
        break;
    case CORRUPT_SHORT:
        frame->length -= 2;
        break;
    case CORRUPT_PROTOCOL:
        frame->data[3] = 1;
        break;
    default:
        /* TCP has no check sum to fail at this level, so a turned bit would go unnoticed in a
         * value; the transaction identifier is where it can be seen. */
        frame->data[0] ^= 0x55;
        break;
    }
}

/* Answers the request of length bytes at data into frame. Returns when to send it: 0 at once,
 * WIRE_NEVER not at all. */
static int64_t answer(struct server *server, const uint8_t *data, size_t length,
                      struct frame *frame)
{
    struct unit *unit = server->options.units.by_id[data[6]];
    struct registers_reply content;
    struct unit_mood mood;
    int64_t took_ns;

    server->stats.requests++;
    if (!unit) {
        server->stats.other_unit++;
        return WIRE_NEVER;
    }
    unit->requests++;
    mood = unit_decide(unit, unit->dead_ns ? wire_now_ns() : 0);
    if (mood.silent) {
        server->stats.silenced++;
        return WIRE_NEVER;
    }
    if (mood.exception) {
        registers_exception(data[HEADER_BYTES] & 0x7f, mood.exception, &content);
    } else if (!registers_answer(unit, data + HEADER_BYTES, length - HEADER_BYTES, &content)) {
        server->stats.bad_length++;
        return WIRE_NEVER;
    }
    server->stats.exceptions += content.exception;
    memcpy(frame->data, data, HEADER_BYTES);
    memcpy(frame->data + HEADER_BYTES, content.pdu, content.length);
    frame->length = HEADER_BYTES + content.length;
    put_length(frame, 1 + content.length);
    frame->unit = unit->id;
    frame->intact = true;
    frame->has_counter = content.has_counter;
    frame->counter = content.counter;
    if (mood.corruption)
        corrupt(server, frame, mood.corruption);
    took_ns = unit->turnaround_ns + mood.delay_ns;
    frame->late =
        server->options.late_after_ns ? took_ns > server->options.late_after_ns : mood.delay_ns > 0;
    return took_ns ? wire_now_ns() + took_ns : 0;
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
        due_ns = answer(server, data, length, &frame);
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

static void release_due(struct server *server, int64_t now_ns)
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

static void conn_event(struct server *server, struct conn *conn, uint32_t events)
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

/* Listening */

static void watch(struct server *server, int fd, void *tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};

    if (fd >= 0 && epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        process_die("epoll: %m");
}

static int server_listen(struct server *server)
{
    socklen_t size = sizeof server->address;
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&server->address, sizeof server->address) < 0 ||
        listen(fd, 1024) < 0 || getsockname(fd, (struct sockaddr *)&server->address, &size) < 0) {
        int result = -errno;

        close(fd);
        return result;
    }
    server->listen_fd = fd;
    watch(server, fd, &listen_tag);
    return 0;
}

static void parse_address(struct server *server)
{
    const char *text = server->options.listen;
    const char *colon = strrchr(text, ':');
    char host[64] = "";
    char *end;
    unsigned long port;

    if (colon && (size_t)(colon - text) < sizeof host)
        memcpy(host, text, (size_t)(colon - text));
    port = colon ? strtoul(colon + 1, &end, 10) : 65536;
    server->address.sin_family = AF_INET;
    if (port > 65535 || end == colon + 1 || *end ||
        inet_pton(AF_INET, host, &server->address.sin_addr) != 1)
        process_die("--listen %s: expected an IPv4 address and a port", text);
    server->address.sin_port = htons((uint16_t)port);
}

/* Steering */

static void stats_text(const struct server *server, char *text, size_t size)
{
#define OFFSET(name) offsetof(struct stats, name)
    static const struct stats_row rows[] = {
        {"requests", OFFSET(requests)},
        {"replies", OFFSET(replies)},
        {"exceptions", OFFSET(exceptions)},
        {"mbap_errors", OFFSET(mbap_errors)},
        {"other_unit", OFFSET(other_unit)},
        {"bad_length", OFFSET(bad_length)},
        {"silenced", OFFSET(silenced)},
        {"corrupted", OFFSET(corrupted)},
        {"late", OFFSET(late)},
        {"dropped", OFFSET(dropped)},
        {"accepted", OFFSET(accepted)},
        {"connections", OFFSET(connections)},
        {"truth_lines", OFFSET(truth_lines)},
        {"rx_bytes", OFFSET(rx_bytes)},
        {"tx_bytes", OFFSET(tx_bytes)},
    };
#undef OFFSET
    size_t n = stats_open(text, size, "tcp", &server->stats, rows, sizeof rows / sizeof rows[0]);

    n += (size_t)snprintf(text + n, size - n, ",\"units\":{");
    units_stats(&server->options.units, text + n, size - n);
}

static void close_all(struct server *server, bool reset)
{
    for (size_t i = 0; i < CONNS_MAX; i++) {
        if (server->conns[i].fd >= 0)
            conn_close(server, &server->conns[i], reset);
    }
}

static void refuse(struct server *server, bool on, struct control_answer *answer)
{
    int result = 0;

    if (on && server->listen_fd >= 0) {
        close(server->listen_fd);
        server->listen_fd = -1;
    } else if (!on && server->listen_fd < 0) {
        result = server_listen(server);
    }
    if (result < 0)
        control_error(answer, "%s", strerror(-result));
}

static void wait_for(struct server *server, size_t count, char *words[],
                     struct control_answer *answer)
{
    struct stats *stats = &server->stats;
    struct unit *unit = count == 4 ? units_find(&server->options.units, words[1]) : NULL;
    bool line = count == 4 && strcmp(words[1], "line") == 0;

    if ((unit || line) && strcmp(words[2], "replies") == 0)
        answer->watch = line ? &stats->replies : &unit->replies;
    else if ((unit || line) && strcmp(words[2], "requests") == 0)
        answer->watch = line ? &stats->requests : &unit->requests;
    else if (line && strcmp(words[2], "accepted") == 0)
        answer->watch = &stats->accepted;
    if (answer->watch)
        answer->target = *answer->watch + strtoull(words[3], NULL, 10);
    else
        control_error(answer,
                      "expected: wait UNIT|line requests|replies N, or wait line accepted N");
}

static void steer(void *context, size_t count, char *words[], struct control_answer *answer)
{
    struct server *server = context;
    const char *value = count > 1 ? words[1] : "";
    char joined[128];
    int result;

    if (strcmp(words[0], "stats") == 0) {
        stats_text(server, answer->text, sizeof answer->text);
    } else if (strcmp(words[0], "wait") == 0) {
        wait_for(server, count, words, answer);
    } else if (strcmp(words[0], "close") == 0 || strcmp(words[0], "reset") == 0) {
        close_all(server, words[0][0] == 'r');
    } else if (strcmp(words[0], "refuse") == 0 &&
               (strcmp(value, "on") == 0 || strcmp(value, "off") == 0)) {
        refuse(server, value[1] == 'n', answer);
    } else {
        units_join(2, count, words, joined, sizeof joined);
        result = units_set(&server->options.units, value, words[0], joined);
        if (result == -EINVAL)
            control_error(answer, "the argument cannot be used");
        else if (result == -ESRCH && unit_knows(words[0]))
            control_error(answer, "no such unit");
        else if (result < 0)
            control_error(answer, "unknown command");
    }
}

/* The loop */

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int wait_events(struct server *server, struct epoll_event *events)
{
    int64_t due_ns = truth_due_ns(server->truth);
    struct timespec left;
    int64_t left_ns;

    if (server->delayed)
        due_ns = sooner(due_ns, server->delayed->due_ns);
    if (due_ns == WIRE_NEVER)
        return epoll_wait(server->epoll_fd, events, EVENTS_MAX, -1);
    left_ns = due_ns - wire_now_ns();
    if (left_ns < 0)
        left_ns = 0;
    left.tv_sec = left_ns / WIRE_S;
    left.tv_nsec = left_ns % WIRE_S;
    /* In nanoseconds, since turnarounds are a few milliseconds; the set is polled through its fd as
     * epoll_pwait2 is newer than the oldest C library in use. */
    ppoll(&(struct pollfd){.fd = server->epoll_fd, .events = POLLIN}, 1, &left, NULL);
    return epoll_wait(server->epoll_fd, events, EVENTS_MAX, 0);
}

static void run(struct server *server, struct control *control)
{
    struct epoll_event events[EVENTS_MAX];

    for (;;) {
        int n = wait_events(server, events);
        bool steered = false;

        for (int i = 0; i < n; i++) {
            void *tag = events[i].data.ptr;

            if (tag == &stop_tag)
                return;
            if (tag == &control_tag)
                steered = true;
            else if (tag != &listen_tag)
                conn_event(server, tag, events[i].events);
        }
        /* After the connections: a slot that was freed above must not meet an event of its past. */
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &listen_tag)
                accept_all(server);
        }
        if (steered)
            control_run(control);
        control_check(control);
        if (server->delayed)
            release_due(server, wire_now_ns());
        if (truth_due_ns(server->truth) <= wire_now_ns())
            truth_flush(server->truth);
    }
}

int main(int argc, char *argv[])
{
    static struct server server;
    static char text[CONTROL_ANSWER_MAX];
    struct control *control = NULL;
    const struct options *options = &server.options;
    int stop_fd, result;

    options_parse(&server.options, OPTIONS_TCP, argc, argv);
    stop_fd = process_start("sim_tcp", options->stay);
    if (options->realtime)
        process_realtime();
    for (size_t i = 0; i < CONNS_MAX; i++)
        server.conns[i].fd = -1;
    server.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (options->truth &&
        !(server.truth = truth_open(options->truth, options->point ? options->point : "counter",
                                    false, TRUTH_BUFFER_NS)))
        process_die("%s: %m", options->truth);
    if (options->control && !(control = control_open(options->control, steer, &server)))
        process_die("%s: %m", options->control);
    watch(&server, stop_fd, &stop_tag);
    watch(&server, control_fd(control), &control_tag);
    parse_address(&server);
    result = server_listen(&server);
    if (result < 0)
        process_die("--listen %s: %s", options->listen, strerror(-result));
    snprintf(text, sizeof text, "%d", ntohs(server.address.sin_port));
    puts(text);
    fflush(stdout);
    process_ready(options->ready_file, text);

    run(&server, control);

    close_all(&server, false);
    stats_text(&server, text, sizeof text);
    puts(text);
    while (server.delayed) {
        struct delayed *next = server.delayed->next;

        free(server.delayed);
        server.delayed = next;
    }
    control_close(control);
    truth_close(server.truth);
    if (options->ready_file)
        unlink(options->ready_file);
    return 0;
}
