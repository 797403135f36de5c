/* The parts of sim_tcp.c: what the server holds, its connections, its answers, its steering. */
#ifndef SIM_TCP_H
#define SIM_TCP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control.h"
#include "options.h"
#include "truth.h"

#define CONNS_MAX    2048
#define FRAME_MAX    260
#define HEADER_BYTES 7

/* A counter value in the output buffer, true once the bytes before end have been taken. */
struct mark {
    uint32_t end;
    uint32_t counter;
    uint8_t unit;
    enum truth_time time;
};

struct conn {
    int fd; /* -1: free */
    uint64_t generation;
    unsigned port; /* of the one who connected */
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
    bool delayed;      /* the reader gives it up */
    uint64_t requests; /* of the unit so far: when there are more, it has */
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

/* sim_tcp_conns.c. Takes what connects; what an event says of a connection; sends the replies whose
 * time has come; closes all. */
void conns_accept(struct server *server);
void conns_event(struct server *server, struct conn *conn, uint32_t events);
void conns_release_due(struct server *server, int64_t now_ns);
void conns_close(struct server *server, bool reset);

/* sim_tcp_answer.c. Answers the request of length bytes at data into frame. Returns when to send
 * it: 0 at once, WIRE_NEVER not at all. */
int64_t answer_request(struct server *server, const uint8_t *data, size_t length,
                       struct frame *frame);

/* sim_tcp_steer.c: a control_fn, and the statistics as JSON. */
void steer(void *context, size_t count, char *words[], struct control_answer *answer);
void steer_stats(const struct server *server, char *text, size_t size);

/* sim_tcp.c. 0, or what went wrong as a negative errno. */
int server_listen(struct server *server);

#endif
