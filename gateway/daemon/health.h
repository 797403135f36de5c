/*
 * Whether the gateway does its work. Two questions: is each of its parts alive, for the watchdog,
 * which is fed only then; and has it proven itself since its start, for whoever has just installed
 * a version and wants to keep it.
 *
 * Route: GET /api/v1/health.
 */
#ifndef SLUICE_DAEMON_HEALTH_H
#define SLUICE_DAEMON_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "web/route.h"

struct api;     /* web/api.h */
struct loop;    /* core/loop.h */
struct page;    /* daemon/page.h */
struct running; /* daemon/running.h */
struct health;

enum health_part { HEALTH_POLLS, HEALTH_JOURNAL, HEALTH_PAGE, HEALTH_PARTS };

/* What there is to judge by. */
struct health_facts {
    int64_t silent_ns[HEALTH_PARTS]; /* how long a thread of that part has owed a sign of life */
    size_t devices, uplinks;         /* that run */
    size_t answering, online;        /* of these, at present */
    bool polled, session; /* since the start: a device answered, a broker took an uplink */
    int storage_error;    /* why the journal stores nothing at present; 0 */
};

/* "polls", "journal", "page". */
const char *health_part_name(enum health_part part);

/* Whether that part is alive. A bus may wait for a driver of the kernel for two minutes, a disk may
 * take five to come back: neither is helped by a restart before. */
bool health_alive(const struct health_facts *facts, enum health_part part);

/* NULL where this start is confirmed: all parts are alive, the journal stores, a device has
 * answered and a broker has taken an uplink, as far as there are any. Else a sentence: what is
 * missing. */
const char *health_doubt(const struct health_facts *facts);

/* One line for the service manager: "3 of 4 devices answer, 1 of 1 uplinks online". */
#define HEALTH_WORDS_SIZE 160
void health_words(const struct health_facts *facts, char words[HEALTH_WORDS_SIZE]);

struct health_options {
    struct loop *loop;
    struct running *running;
    struct api *api;
    struct page *page; /* NULL: there is none */
    const char *state_path;
};

/* Looks every few seconds from now on, tells the service manager what it sees, feeds its watchdog,
 * and notes when this version has proven itself (proven.h): the journal goes on in its own format.
 * What the options point to outlives it. ERR_NOMEM. On the loop's thread, as all that follows. */
int health_open(struct health **health, const struct health_options *options);

struct routes health_routes(struct health *health);

/* Before the API ends: looks no more. NULL is fine. */
void health_stop(struct health *health);

/* After it has ended. NULL is fine. */
void health_close(struct health *health);

#endif
