/*
 * Which devices of a bus answer. A device that gives no proper reply FAILURES_MAX times in a row is
 * down: its points are told bad once, its blocks are taken from the schedule, and it is probed from
 * time to time until it answers again. What the planner learns of devices goes to the sink from
 * here, and their shares of the bus to the statistics.
 */
#ifndef SLUICE_MODBUS_DEVICES_H
#define SLUICE_MODBUS_DEVICES_H

#include "field/driver.h"
#include "modbus/plan.h"

#define DEVICE_FAILURES_MAX   3
#define DEVICE_PROBE_FIRST_NS (1 * NS_PER_S)
#define DEVICE_PROBE_MOST_NS  (60 * NS_PER_S)
/* Probes take at most one part in so many of the bus's time while any device is up. */
#define DEVICE_PROBE_SHARE 20
/* How often what was learnt of a device is stored at most. */
#define DEVICE_LEARNT_NS (600 * NS_PER_S)

struct device {
    int64_t probe_ns, backoff_ns;
    int64_t slowest_ns; /* answer, of the last few hundred; 0: none yet */
    int64_t told_ns;    /* the mean that was last stored */
    int64_t learnt_ns;  /* when what was learnt may be stored again */
    uint32_t learnt_hash, described_hash;
    uint16_t status;
    uint8_t failures;
    uint8_t probes; /* since it went down */
    bool down;
    bool by_link; /* down because the port or connection is */
};

struct devices {
    struct driver_host *host;
    struct plan *plan;
    uint64_t random;
    int64_t budget_ns; /* when the next probe may be */
    int64_t look_ns;   /* when shares and what was learnt are looked at next */
    int64_t looked_ns;
    int64_t probe_timeout_ns;
    struct plan_block probe; /* the one that is under way */
    size_t count, down;
    int64_t *busy_ns; /* of each device, when its share was last worked out */
    struct device *items;
};

/* ERR_NOMEM. devices_free leaves the struct empty. `plan` and `host` outlive it. */
int devices_make(struct devices *devices, struct plan *plan, struct driver_host *host);
void devices_free(struct devices *devices);

/* It answered, with values or an exception. */
void devices_answered(struct devices *devices, uint32_t index);

/* It did not: `status` says how. */
void devices_failed(struct devices *devices, uint32_t index, uint16_t status);

/* The port or connection is gone: all are down. */
void devices_link_lost(struct devices *devices, uint16_t status);

/* It is tried again at `open_ns`. */
void devices_link_tried(struct devices *devices, int64_t open_ns);

/* It is back: those that were down because of it are probed now. */
void devices_link_back(struct devices *devices);

/* Everybody was told that it is not read, as the bus was lent; it is again. False where it was down
 * before: then it is probed as soon as the link is back. */
bool devices_back(struct devices *devices, uint32_t index);

/*
 * The block to probe a device with now: the shortest of its points. It holds until the next call,
 * and asking again changes nothing. NULL when none is due, or while it would get in the way of the
 * next read (`next_due_ns`, which is in the past when a read is due now); *wake_ns is lowered to
 * when to ask again.
 *
 * A probe waits for as long as the device has been seen to take, and a margin (where it has not
 * been seen, as the others of the bus); each eighth waits for the whole time-out. While
 * other devices are up, probes take a twentieth of the bus's time. One whose turn it is, and that
 * finds no pause that is long enough for twenty times as long, gets in the way, and so does one
 * behind a link that was gone.
 */
struct plan_block *devices_probe(struct devices *devices, int64_t now_ns, int64_t next_due_ns,
                                 int64_t *wake_ns);

/* The probe that devices_probe gave took that long. */
void devices_probed(struct devices *devices, int64_t now_ns, int64_t took_ns);

/* Stores what was learnt of a device at once, whenever that was done last. */
void devices_store(struct devices *devices, uint32_t index);

/* Tells the status what there is to say of a device (about.h). */
void devices_describe(struct devices *devices, uint32_t index);

/* How long to wait for the reply to a block. */
int64_t devices_timeout_ns(const struct devices *devices, const struct plan_block *block);

/* After how long a request is overdue: four times what the quickest of the devices takes, and a
 * margin; while none has answered an eighth of the time-out. */
int64_t devices_overdue_ns(const struct devices *devices);

/* A block was answered, with so many bytes of data, `took_ns` after its request was out. */
void devices_heard(struct devices *devices, const struct plan_block *block, unsigned bytes,
                   int64_t took_ns);

#endif
