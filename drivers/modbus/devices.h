/*
 * Which devices of a bus answer. A device that gives no proper reply FAILURES_MAX times in a row is
 * down: its points are told bad once, its blocks are taken from the schedule, and it is probed from
 * time to time until it answers again.
 */
#ifndef SLUICE_MODBUS_DEVICES_H
#define SLUICE_MODBUS_DEVICES_H

#include "field/driver.h"
#include "modbus/plan.h"

#define DEVICE_FAILURES_MAX   3
#define DEVICE_PROBE_FIRST_NS (1 * NS_PER_S)
#define DEVICE_PROBE_MOST_NS  (60 * NS_PER_S)
/* Probes that get in the way of others take at most one part in so many of the bus's time. */
#define DEVICE_PROBE_SHARE 20

struct device {
    int64_t probe_ns, backoff_ns;
    uint32_t block; /* that it is probed with; UINT32_MAX where it has no points */
    uint16_t status;
    uint8_t failures;
    bool down;
    bool by_link; /* down because the port or connection is */
};

struct devices {
    struct driver_host *host;
    struct plan *plan;
    uint64_t random;
    int64_t budget_ns; /* when the next probe may get in the way of others */
    size_t count;
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

/* It is back: those that were down because of it are probed now. */
void devices_link_back(struct devices *devices);

/*
 * The block to probe a device with now, if one is due and it either fits before the next read
 * (`next_due_ns`, which is in the past when a read is due now) or has a share of the bus's time to
 * spend; else NULL, and *wake_ns is lowered to when to ask again.
 */
struct plan_block *devices_probe(struct devices *devices, int64_t now_ns, int64_t next_due_ns,
                                 int64_t *wake_ns);

/* A probe took that long. */
void devices_probed(struct devices *devices, int64_t now_ns, int64_t took_ns);

#endif
