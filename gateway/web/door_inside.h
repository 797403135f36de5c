/* What the two files of the door share: door.c is the owner's side, visit.c one connection. */
#ifndef SLUICE_WEB_DOOR_INSIDE_H
#define SLUICE_WEB_DOOR_INSIDE_H

#include <stdatomic.h>

#include "core/loop.h"
#include "core/pulse.h"
#include "tls/carry.h"
#include "tls/drain.h"
#include "tls/pump.h"
#include "web/door.h"
#include "web/guests.h"
#include "web/redirect.h"

struct accepter; /* core/accept.h */

struct shown { /* an identity, for as long as a connection or the door uses it */
    struct tls_identity *identity;
    unsigned holders;
};

/* One connection. */
struct visit {
    struct guest guest;
    struct door *door;
    struct sockaddr_storage peer;
    socklen_t peer_size;
    struct shown *shown;
    struct carry carry; /* its remote socket is the visitor's, the local one leads to the server */
    struct drain drain; /* when it is over and the visitor still sends */
    struct loop_watch *remote_watch, *local_watch;
    struct loop_timer *timer;
    int64_t timer_ns;
    bool ready; /* for the next step of its handshake */
    size_t place;
};

struct listener {
    struct door *door;
    struct accepter *accepter;
    int fd; /* -1: the place is free */
};

struct door {
    struct pump *pump;
    struct loop *loop;
    struct door_options options;
    struct shown *shown;
    struct guests *guests;
    struct visit *visits[GUESTS_MAX + 1];
    bool stepping;     /* a step of handshakes is posted */
    bool oldest_first; /* of those who wait for their first one; else the newest */
    struct listener listeners[DOOR_LISTENERS_MAX];
    struct redirect *redirect;
    struct redirect_target target;
    char *names[DOOR_NAMES_MAX];
    atomic_uint strangers, known;
    struct pulse pulse;
};

/* Takes the connection over. */
void visit_begin(struct door *door, int fd);
void visit_end(struct visit *visit);

/* The next step of its handshake. */
void visit_greet(struct visit *visit);

/* The visit is ready for that: it is called when its turn has come. */
void door_step_wanted(struct door *door);

/* Whose turn it is, or NULL; `ready` is how many wait for theirs. */
struct visit *door_next(struct door *door, unsigned *ready);

/* Guests came, went or became known. */
void door_count(struct door *door);

void shown_release(struct shown *shown);

#endif
