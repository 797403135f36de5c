/*
 * The balance of an audit, from what a subscriber received: duplicates are dropped by key, the
 * union of `covers` must have no hole, and what simulators or other witnesses say they sent must
 * have arrived. Pure book-keeping: no network.
 */
#ifndef SLUICE_CLI_BALANCE_H
#define SLUICE_CLI_BALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct balance;

/* One gateway's messages, of one uplink where `uplink` is not NULL (else of the first that is
 * seen). NULL when out of memory. */
struct balance *balance_open(const char *uplink);
void balance_close(struct balance *balance);

/*
 * Takes one message. `suffix` is the topic behind ROOT/GATEWAY/ ("data", "mark", "v/boiler/mode",
 * "ledger"); other topics are passed over. Returns 0, ERR_PROTOCOL for a payload that breaks the
 * contract (counted, too), ERR_NOMEM.
 */
int balance_message(struct balance *balance, const char *suffix, const char *payload, size_t size,
                    bool retained);

/*
 * Reads a witness's file: a JSON object a line,
 * {"d":"incomer","p":"counter","v":17,"t":1795448359120}; "late":true marks a value that must never
 * be published. 0, ERR_NOT_FOUND, ERR_INVALID with the line's number in *line, ERR_NOMEM.
 */
int balance_truth(struct balance *balance, const char *path, int *line);

/* What was sent before `wall_ms`, and before the first of its point that arrived, need not arrive:
 * nobody listened. */
void balance_listens(struct balance *balance, int64_t wall_ms);

/*
 * Whether no message of the uplink that was named came, and the gateway has none of that name as
 * far as its ledger tells, or at the end its other messages. Writes who there is, as
 * candidates_text.
 */
bool balance_lacks_uplink(const struct balance *balance, bool at_the_end, char *words, size_t size);

struct balance_report {
    uint64_t messages, events, duplicates, broken;
    uint64_t holes, hole_events; /* ranges that no message covers, and their length */
    uint64_t marks_short;        /* marks whose count was not reached */
    uint64_t gaps, gap_events;   /* told by the gateway, and how many events they name */
    uint64_t epochs;
    uint64_t first, last;      /* n covered */
    uint64_t truth, delivered; /* values that witnesses sent, and of those the ones that arrived */
    uint64_t excused;          /* not arrived, in the time that a told crash gap names */
    uint64_t before;           /* not arrived, and sent before anybody listened: not in truth */
    int64_t before_t;          /* the newest of those */
    uint64_t missing;          /* not arrived, and nothing excuses it */
    uint64_t never_sent;       /* arrived, and no witness sent it, or marked it late */
    bool proven;               /* nothing missing, no hole, nothing foreign */
};

/* Draws the balance. May be called again after more messages. */
int balance_draw(struct balance *balance, struct balance_report *report);

/* Prints the balance, in words with the holes and the first missing values, or as one JSON object.
 */
void balance_print(struct balance *balance, const struct balance_report *report, bool json,
                   FILE *out);

#endif
