/*
 * Which reads a bus consists of, and which is next: pure, no I/O.
 *
 * The points of one table of a device are a group. They have a few intervals, their classes. When
 * some classes of a group are due, their points are fetched by the reads that cost the least of the
 * wire's time (merge.h), over registers that nobody asked for where that is cheaper than another
 * request. Since the classes of a group keep in step, a point that is wanted each 5 s comes with
 * the read of its neighbours that are wanted each second, for two bytes more, and only then. The
 * reads for a set of classes are worked out once and kept: a sheet.
 *
 * What a device refuses is learnt (learn.h) and planned around. 7 bytes a point, and 56 a read.
 */
#ifndef SLUICE_MODBUS_PLAN_H
#define SLUICE_MODBUS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/site.h"
#include "modbus/merge.h"
#include "modbus/options.h"

#define PLAN_CLASSES_MAX 16 /* of a group; a table with more intervals has several groups */
#define PLAN_NONE        UINT32_MAX
/* How long a register that the device refused is left alone. */
#define PLAN_REFUSED_RETRY_NS (60 * NS_PER_S)

/* Of plan->flags, with the class in the lower bits. */
enum plan_flag {
    PLAN_CLASS = 0x0f,
    PLAN_CUT = 0x10,     /* no read may cover this point and the one before it */
    PLAN_SURE = 0x20,    /* that was tried, and refused */
    PLAN_REFUSED = 0x40, /* no read may cover this point; it is tried alone from time to time */
};

/* A read. What is not in the comments is the planner's own. */
struct plan_block {
    uint32_t device;         /* index in the bus */
    uint32_t group;          /* PLAN_NONE: not of the schedule */
    uint32_t first, points;  /* the points that it passes over: see plan_point */
    uint16_t address, count; /* registers or bits */
    uint16_t classes;        /* which it serves; 0: points that were refused are tried again */
    uint8_t function;
    uint8_t busy;     /* times in a row that the device asked for patience: the caller's */
    bool wanted;      /* it is to be read in this round */
    int64_t every_ns; /* the shortest interval that it serves */
    int64_t due_ns;   /* monotonic; not before */
    int64_t deadline_ns;
};

struct plan_sheet {
    struct plan_sheet *next;
    uint32_t count, open; /* blocks, and those of them that are wanted */
    uint16_t classes;
    bool stale; /* something was learnt since */
    struct plan_block blocks[];
};

struct plan_class {
    int64_t every_ns;
    int64_t phase_ns; /* its rounds are at that, and every_ns later and so on: phases.h */
    int64_t due_ns;
    int64_t slot_ns; /* on the wall clock, of the last round when aligned; INT64_MIN: none yet */
    uint32_t open;   /* blocks that are wanted and serve it */
    bool aligned;
};

struct plan_group {
    struct plan_sheet *sheets;
    struct plan_block *ready; /* wanted and due, with the earliest deadline */
    uint32_t device;
    uint32_t first, points;
    uint32_t first_class;
    uint32_t refused;   /* points that the device refuses... */
    int64_t refused_ns; /* ...and when they are tried again */
    int64_t retest_ns;  /* when what was learnt is put in doubt again */
    uint32_t trial;     /* the cut that is in doubt at present; PLAN_NONE */
    uint8_t function, class_count;
    bool paused; /* its device is down */
};

/* What is known about a device. */
struct plan_device {
    uint32_t first_group, groups;
    int64_t latency_ns;  /* from the end of a request to the start of the reply: planned with... */
    int64_t measured_ns; /* ...and measured, on average; 0: not yet */
    /* Sizes of reads that were answered and that were refused, of registers and of bits. 0: none */
    uint16_t good[2], bad[2];
    char *identity; /* who it says it is (passport.h), owned; NULL: not known */
    bool news;      /* something was learnt since learn_text */
    /* For refusals.c: points that it refuses now, and how many have been told of. */
    uint32_t refusing, refusals_told;
    bool held; /* a request to it is under way beside others */
};

/* When a group needs attention. */
struct plan_key {
    int64_t deadline_ns; /* of group->ready; INT64_MAX: nothing is due */
    int64_t event_ns;    /* when something becomes due */
};

struct plan {
    const struct site_bus *bus;
    const struct clock *clock; /* whose wall time aligned intervals keep; NULL: they do not */
    uint32_t *order;           /* points by group and address: index in the device */
    uint8_t *flags;            /* of each, and its class: learn.h */
    uint16_t *refusals;        /* the status with which each is refused; 0: it is not */
    struct plan_group *groups;
    struct plan_class *classes;
    struct plan_device *devices;
    struct plan_key *keys; /* of each group */
    size_t point_count, group_count, class_count, aligned_count;
    int64_t byte_ns;
    int64_t wall_offset_ns; /* wall minus monotonic, when the aligned classes were last set */
    bool wall_set;          /* whether it could be believed then */
};

/* Plans a checked bus. Nothing is due yet. ERR_NOMEM. plan_free leaves the struct empty. */
int plan_make(struct plan *plan, const struct site_bus *bus);
void plan_free(struct plan *plan);

/*
 * Makes every block due: at once on a serial line, where what is left of each second is then in one
 * piece; at a moment of the bus's own on a connection, so that a thousand of them do not ask at the
 * same time. Longer intervals begin spread over the groups from their second round on. Aligned
 * classes wait for their moment.
 */
void plan_start(struct plan *plan, int64_t now_ns);

/*
 * The block that is due with the earliest deadline (when its class was due, plus its interval),
 * NULL when none is due: then *wake_ns is when the next one will be (INT64_MAX: never). It stays
 * the next one until the caller tells what became of it by one of the functions below, each of
 * which may leave pointers to blocks of its group invalid. Takes a time that grows with the
 * groups, not with the points.
 */
struct plan_block *plan_next(struct plan *plan, int64_t now_ns, int64_t *wake_ns);

/* Point `i` (below block->points) of a block; NULL for one that is passed over but not due. */
const struct site_point *plan_point(const struct plan *plan, const struct plan_block *block,
                                    uint32_t i);

/* It was read. */
void plan_done(struct plan *plan, struct plan_block *block, int64_t now_ns);

/* It got no data, and is left out until the next round, which does not begin before `until_ns`. */
void plan_give_up(struct plan *plan, struct plan_block *block, int64_t now_ns, int64_t until_ns);

/* It is to be read again, not before `due_ns`, and behind what is waiting now. */
void plan_retry(struct plan *plan, struct plan_block *block, int64_t now_ns, int64_t due_ns);

/*
 * The device refused it with exception 2 or 3. Returns true when parts of it are due instead, false
 * when there are none: its points (plan_point tells them until the next call) are left out, and
 * tried again a minute later.
 */
bool plan_split(struct plan *plan, struct plan_block *block, uint8_t exception, int64_t now_ns);

/* Pauses the blocks of a device, or makes them due now. */
void plan_pause(struct plan *plan, uint32_t device);
void plan_resume(struct plan *plan, uint32_t device, int64_t now_ns);

/* Makes all that was not refused due at once, as at the start: nobody has a value of it. */
void plan_again(struct plan *plan, uint32_t device, int64_t now_ns);

/* Leaves a device out, whatever is due, until it is let go again: for who asks several at once. */
void plan_hold(struct plan *plan, uint32_t device);
void plan_let_go(struct plan *plan, uint32_t device, int64_t now_ns);

/* What the merged reads of a device cost; `function` tells bits from registers. */
struct merge_terms plan_terms(const struct plan *plan, uint32_t device, uint8_t function);

/* The device takes `latency_ns` to answer: reads are planned anew where that changes what is
 * cheaper. */
void plan_latency(struct plan *plan, uint32_t device, int64_t latency_ns);

/* Time on the wire and reads of a device, each second, when all is well: the mean over all rounds.
 * The share is that of one wire, and means little on a connection. */
void plan_demand(const struct plan *plan, uint32_t device, double *share, double *reads_per_s);

/* For learn.c: throws away the reads of a device's groups as soon as they are not under way. */
void plan_renew(struct plan *plan, uint32_t device);

#endif
