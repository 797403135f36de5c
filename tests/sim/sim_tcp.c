/* A Modbus TCP server with many units, quick enough to load a gateway: one thread, one epoll set.
 *
 * Requests are taken as they come, pipelined ones too; replies gather in the connection's buffer
 * and leave together. A reply that has to wait is kept in a list by due time. While a client does
 * not read its replies its requests are not read either (sim_tcp_conns.c).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process.h"
#include "sim_tcp.h"
#include "wire.h"

#define TRUTH_BUFFER_NS (10 * WIRE_MS)
#define EVENTS_MAX      256

static int listen_tag, control_tag, stop_tag; /* only their addresses are used */

static void watch(struct server *server, int fd, void *tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};

    if (fd >= 0 && epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        process_die("epoll: %m");
}

int server_listen(struct server *server)
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
                conns_event(server, tag, events[i].events);
        }
        /* After the connections: a slot that was freed above must not meet an event of its past. */
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &listen_tag)
                conns_accept(server);
        }
        if (steered)
            control_run(control);
        control_check(control);
        if (server->delayed)
            conns_release_due(server, wire_now_ns());
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

    conns_close(&server, false);
    steer_stats(&server, text, sizeof text);
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
