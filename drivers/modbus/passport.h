/*
 * Who each device of a bus says it is: by the register that holds its serial number, or, where none
 * is known, by its identification (function 43/14). It is asked at each coming up, remembered with
 * what was learnt, and compared. Another device in the place of the one before is told by an alarm;
 * of its counters the last value of the old one and the first one of the new are marked, so that
 * who bills by them can put the two together. A device that says nothing is not asked again.
 *
 * The wire is the caller's, as in writing.h. Used by the bus's thread only.
 */
#ifndef SLUICE_MODBUS_PASSPORT_H
#define SLUICE_MODBUS_PASSPORT_H

#include "field/driver.h"
#include "modbus/ident.h"
#include "modbus/link.h"
#include "modbus/plan.h"

#define PASSPORT_COUNTERS_MAX 32 /* of a device, that are marked */
#define PASSPORT_TRIES_MAX    2
#define PASSPORT_RETRY_NS     (10 * NS_PER_S)

struct passport;

struct passports {
    struct driver_host *host;
    struct plan *plan;
    struct passport *items;
    size_t wanted;   /* devices that are to be asked */
    uint32_t asking; /* the one that is; PLAN_NONE */
    struct ident_question question;
};

/* ERR_NOMEM. passports_free leaves the struct empty. `plan` and `host` outlive it. */
int passports_make(struct passports *passports, struct plan *plan, struct driver_host *host);
void passports_free(struct passports *passports);

/* The device came up, or is to be asked because what was known has been forgotten. */
void passports_ask(struct passports *passports, uint32_t device);

/* What is to be asked now: the same until it has been taken. False when there is nothing. */
bool passports_next(struct passports *passports, int64_t now_ns, struct modbus_request *request,
                    uint32_t *device);

/*
 * What came of it, as link_ops.transact has it. Returns true when something about the device is
 * known that was not: to be stored at once.
 */
bool passports_take(struct passports *passports, int result, const struct link_reply *reply);

/* Whether readings of the device's counters are to be looked at. */
bool passports_count(const struct passports *passports, uint32_t device);

/*
 * A reading of one of its points. Remembers it where that is a counter, and marks the first one
 * of a new device. Returns false for one that is kept back, because it is not known yet whose it
 * is: it goes out by itself.
 */
bool passports_counted(struct passports *passports, uint32_t device, int64_t mono_ns,
                       struct sink_item *item);

/*
 * The words by which an identity is remembered: "id.serial=4711 id.vendor=Acme%20Ltd". This takes
 * the value of a key ("serial") out of them, decoded; false where it is not there.
 */
bool passport_word(const char *words, const char *key, char *out, size_t size);

/* Whether they are of two devices: one of the words that do not change over a device's life
 * differs. A new revision is none. Pure. */
bool passport_differs(const char *before, const char *now);

#endif
