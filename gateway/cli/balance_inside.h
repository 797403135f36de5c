/* What balance.c collects and balance_print.c shows; for these two only. */
#ifndef SLUICE_CLI_BALANCE_INSIDE_H
#define SLUICE_CLI_BALANCE_INSIDE_H

#include "cli/balance.h"
#include "cli/sets.h"
#include "core/event.h"

/* Witnesses and points are compared in hundredths: the counters that they carry have two decimals
 * at the most. */
#define WITNESS_SCALE 100.0
#define NAME_SIZE_MAX (2 * ID_SIZE_MAX)

/* After a crash the oldest value that may be missing was read one commit interval and one slow sync
 * before the newest stored one. */
#define CRASH_SLACK_MS 500

struct epoch {
    char name[12];
    struct number_set keys;
};

struct mark {
    char epoch[12];
    uint64_t first, last, count;
};

struct witness {
    int64_t value; /* in hundredths */
    int64_t t;
    bool late;
};

/* One point: what arrived of it, and what witnesses say was sent. */
struct series {
    char name[NAME_SIZE_MAX]; /* "device/point" */
    struct number_set arrived;
    struct witness *witnesses;
    size_t witness_count, witness_room;
    /* The first witness that did, found by each balance; witness_count: none. */
    size_t first_arrived;
};

struct crash {
    int64_t before_t, t; /* newest value stored before it; of the gap event */
    int64_t extent_ms;
    int64_t last_lost_t; /* of the values that it excuses, the newest; 0: none. Found anew by each
                            balance */
};

/* A device's line was lent to another program: what is sent on it then is for that one. */
struct lent {
    char device[ID_SIZE_MAX];
    int64_t from, until; /* INT64_MAX: it still is */
};

#define BALANCE_UPLINKS_MAX 32

struct ledger_uplink {
    char id[ID_SIZE_MAX];
    uint64_t acked, pending, dropped;
};

/* What the gateway said last. */
struct ledger {
    bool known;
    bool retained; /* the broker had it from before */
    uint64_t last;
    struct ledger_uplink uplinks[BALANCE_UPLINKS_MAX];
    size_t count;
};

struct balance {
    char uplink[ID_SIZE_MAX];
    bool uplink_named;                           /* by who asked, not by the first message */
    char seen[BALANCE_UPLINKS_MAX][ID_SIZE_MAX]; /* uplinks of whom a message came */
    size_t seen_count;
    struct ledger ledger;
    int64_t since_ms; /* it listens; 0: since before all */
    struct epoch *epochs;
    size_t epoch_count;
    struct mark *marks;
    size_t mark_count;
    struct series **series; /* a hash table by name */
    size_t series_count, series_room;
    struct crash *crashes;
    size_t crash_count;
    struct lent *lents;
    size_t lent_count;
    struct range_set covers;
    uint64_t newest_n;
    int64_t newest_t;
    struct balance_report totals;
};

/* Remembers of whom a message came. */
void balance_saw_uplink(struct balance *balance, const char *uplink);

/* Takes the gateway's ledger in place of the one before. 0, or ERR_PROTOCOL. */
int balance_take_ledger(struct balance *balance, const char *payload, size_t size, bool retained);

/* What the ledger says of an uplink; NULL where it does not name it. */
const struct ledger_uplink *balance_ledger_of(const struct balance *balance, const char *uplink);

/*
 * Whether it was sent before the audit listened and did not arrive: nobody knows whether it was to.
 * Clocks of two machines do not tell that alone: it was sent before the first of its series that
 * arrived, too. After balance_draw.
 */
bool balance_leaves_out(const struct balance *balance, const struct series *series,
                        const struct witness *witness);

/* Whether the gateway told that a value of this moment may be missing. After balance_draw. */
bool balance_excuses(const struct balance *balance, int64_t t);

#endif
