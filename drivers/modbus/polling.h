/*
 * What all Modbus buses share, whatever their wire: which block is asked for next, and what the
 * answer, or the lack of one, means: values, states, patience, back-off. The wire itself is the
 * caller's. No I/O but the sink; used by one thread at a time.
 */
#ifndef SLUICE_MODBUS_POLLING_H
#define SLUICE_MODBUS_POLLING_H

#include "field/driver.h"
#include "modbus/decode.h"
#include "modbus/devices.h"
#include "modbus/link.h"
#include "modbus/passport.h"
#include "modbus/plan.h"

#define POLLING_ITEMS_MAX 64

/* Where values stand between the wire and the sink. Buses of one thread can share one. */
struct polling_scratch {
    struct sink_item items[POLLING_ITEMS_MAX];
    char text[MODBUS_TEXT_SIZE_MAX];
};

struct polling {
    const struct site_bus *site;
    struct driver_host *host;
    struct polling_scratch *scratch;
    struct plan plan;
    struct devices devices;
    struct passports passports;
    int64_t open_ns;        /* when to open the link again */
    int64_t reopen_ns;      /* how long to wait when that fails... */
    int64_t reopen_most_ns; /* ...which doubles up to this */
    bool told;              /* that the link does not work */
    unsigned lost;          /* times in a row that it was lost without a reply */
    bool probing;           /* a probe is under way beside other requests */
};

/*
 * Begins now; `site`, `host` and `scratch` outlive it. ERR_NOMEM: polling_free is still needed,
 * which leaves the struct empty.
 */
int polling_make(struct polling *polling, const struct site_bus *site, struct driver_host *host,
                 struct polling_scratch *scratch, int64_t reopen_most_ns);
void polling_free(struct polling *polling);

/* The link was opened. It works only once somebody has answered: some accept connections to close
 * them. */
void polling_opened(struct polling *polling);

/* It could not be: all devices are down for the reason given until it can. `why` is a sentence for
 * the operator. It is to be tried again at polling->open_ns. */
void polling_not_opened(struct polling *polling, uint16_t status, const char *why);

/* The bus was lent, and is the caller's again: all that is known goes on, the link is to be opened
 * now, and what was told to be unread meanwhile is read at once. */
void polling_back(struct polling *polling);

/* It was closed by the other side before anything was asked, though something is due: it is to be
 * opened again at polling->open_ns. */
void polling_closed_unused(struct polling *polling);

/* What is asked for next. */
struct polling_turn {
    struct plan_block *block;
    bool probe; /* of a device that is down */
};

/*
 * The turn at this moment, which is to be asked for at once; or false, and when to ask again in
 * *wake_ns (INT64_MAX: never). Asking what the turn would be takes none: it stays the same.
 */
bool polling_next(struct polling *polling, int64_t now_ns, struct polling_turn *turn,
                  int64_t *wake_ns);

/* For who asks several devices at once: this one has a request under way, of the turn or (NULL)
 * another, and gets no turn until it is let go. */
void polling_hold(struct polling *polling, uint32_t device, const struct polling_turn *turn);
void polling_let_go(struct polling *polling, uint32_t device);

/* The request that asks for a block. */
struct modbus_request polling_request(const struct polling *polling,
                                      const struct plan_block *block);

/*
 * What came of it after `took_ns`: `result` and `reply` as a link's transact gives them (link.h),
 * but ERR_CLOSED. `lost` says that the link is no longer open because of it: it is to be opened at
 * polling->open_ns.
 */
void polling_take(struct polling *polling, const struct polling_turn *turn, int result,
                  const struct link_reply *reply, int64_t took_ns, bool lost);

/* Nothing came of it, for which another request is to blame: it is to be asked again. The device is
 * not thought the worse of. */
void polling_put_back(struct polling *polling, const struct polling_turn *turn, int result,
                      const struct link_reply *reply, int64_t took_ns);

/* The same of a request that was not for a block: what it says of the device and of the link. */
void polling_heard(struct polling *polling, uint32_t device, int result,
                   const struct link_reply *reply, int64_t took_ns, bool lost);

/* The same of one that asked who the device is: no answer to that is not held against it. */
void polling_asked(struct polling *polling, uint32_t device, int result,
                   const struct link_reply *reply, int64_t took_ns, bool lost);

/* Forgets what the host asks it to; to be called before anything else is done. */
void polling_heed(struct polling *polling);

#endif
