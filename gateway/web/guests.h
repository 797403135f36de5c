/*
 * Who is at the page's door, and who gives way when it is full. Connections go through three
 * stages: a greeting (the TLS handshake), a stranger whose requests are answered, somebody known
 * who has logged in. Greetings and strangers have short deadlines and few places between them; when
 * these are taken, the address that has most of them gives its oldest one up for the newcomer. So
 * nobody who holds connections open keeps others out, and those who are known keep theirs. Where
 * that is the newcomer's own address it may be done 128 times a second, and behind that newcomers
 * are turned away: each has a second at least, and handshakes do not take the whole processor.
 *
 * Knows no sockets and no clock: times are monotonic ns that the caller gives. One thread.
 */
#ifndef SLUICE_WEB_GUESTS_H
#define SLUICE_WEB_GUESTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define GUESTS_STRANGERS_MAX 128 /* greetings among them */
#define GUESTS_KNOWN_MAX     192
#define GUESTS_REPLACED_MAX  GUESTS_STRANGERS_MAX /* a second, of an address by itself */
#define GUESTS_MAX           (GUESTS_STRANGERS_MAX + GUESTS_KNOWN_MAX)

enum guest_stage { GUEST_GREETING, GUEST_STRANGER, GUEST_KNOWN };

/* One connection. All zero before it enters; all fields are those of this module. */
struct guest {
    enum guest_stage stage;
    int64_t came_ns, moved_ns; /* when it came, when a byte last went either way */
    int64_t asked_ns;          /* since when an answer is due, or a request; 0: neither */
    int64_t stuck_ns;          /* since when none of a waiting answer was taken; 0: none waits */
    struct guest_address *address;
    struct guest *older, *newer;
};

/* What went over a connection so far, and whether some of an answer waits to be taken. */
struct guest_traffic {
    uint64_t heard, answered, taken; /* bytes from the guest; from the server; on to the guest */
    bool waits;
};

struct guests;

/* ERR_NOMEM. NULL is fine for closing; no guest may be left. */
int guests_open(struct guests **guests);
void guests_close(struct guests *guests);

/*
 * Enters a newcomer from that address. Returns NULL; or the one who gives way, whom the caller ends
 * (guests_leave) before anything else; or the newcomer, who was turned away and has not entered.
 */
struct guest *guests_enter(struct guests *guests, struct guest *guest, const struct sockaddr *peer,
                           int64_t now_ns);
void guests_leave(struct guests *guests, struct guest *guest);

/* The handshake is done. */
void guests_greeted(struct guest *guest, int64_t now_ns);

/* It has logged in. False when as many as are allowed have: it stays a stranger then. */
bool guests_know(struct guests *guests, struct guest *guest);

/* Tells what has moved: `before` and `now` are the traffic before and after. */
void guests_moved(struct guest *guest, const struct guest_traffic *before,
                  const struct guest_traffic *now, int64_t now_ns);

/* When it is to be ended unless something moves before. */
int64_t guests_deadline(const struct guest *guest);

/* How many there are: greetings and strangers, and known ones. */
unsigned guests_strangers(const struct guests *guests);
unsigned guests_known(const struct guests *guests);

#endif
