/*
 * What is running at present: the buses and uplinks, and the configurations that they were made
 * from. Used by the files of this folder only.
 */
#ifndef SLUICE_DAEMON_RUNNING_H
#define SLUICE_DAEMON_RUNNING_H

#include <pthread.h>

#include "config/config.h"
#include "core/clock.h"
#include "core/text.h"
#include "field/desk.h"
#include "field/host.h"
#include "journal/cursor.h"
#include "journal/journal.h"
#include "uplink/uplink.h"

#define RUNNING_REFUSAL_SIZE 320

struct api_hold;   /* web/api.h */
struct feed_names; /* web/feed.h */
struct legend;     /* web/legend.h */

/* One reading of the configuration file. Lives while it is the current one or anything that was
 * made from it runs. */
struct generation {
    struct config *config;
    struct generation *older;
};

struct running_bus {
    struct host *host;
    const struct site_bus *bus; /* in its generation */
    const struct generation *generation;
    struct running_bus *next;
    struct {
        uint64_t number; /* of the lease; 0: it was never lent */
        int64_t until_mono_ns;
        char by[80];
    } lease;
};

struct running_uplink {
    struct uplink *uplink;
    const struct config_uplink *config; /* in its generation */
    const struct generation *generation;
    char place[CURSOR_NAME_SIZE_MAX]; /* of its cursor in the journal: daemon/places.h */
    bool trial;                       /* that is one on trial */
    const char *from;                 /* the earlier id whose place that began as; or NULL */
    struct {
        int64_t until_mono_ns; /* until then nobody else may hold it; 0: anybody may */
        char by[80];
    } claim;
    struct running_uplink *next;
};

struct unstarted; /* daemon/unstarted.h */

struct page;       /* daemon/page.h */
struct identity;   /* daemon/identity.h */
struct timekeeper; /* daemon/timekeeper.h */

struct running {
    struct journal *journal;
    struct pump *pump;       /* of all uplinks; NULL until the first is started */
    struct engines *engines; /* of the buses; the same */
    struct desk *desk;
    struct page *page;             /* for the status; NULL: there is none */
    struct timekeeper *timekeeper; /* who says what time it is; NULL: nothing is known of that */
    struct identity *identity;     /* whether anything may be published; NULL: it is not asked */
    const struct clock *clock;
    struct generation *current; /* and the older ones behind it */
    struct running_bus *buses;
    struct running_uplink *uplinks;
    struct unstarted *unstarted; /* what could not be started */
    bool trial;                  /* what is started now waits to be confirmed */
    struct doubts *doubts;       /* NULL without memory */
    int64_t started_mono_ns, configured_wall_ns;
    double outage_days; /* that the journal holds by the configuration; 0: nothing is read */
    struct {
        int64_t wall_ns; /* 0: the newest file is the one that runs */
        char why[RUNNING_REFUSAL_SIZE];
    } refused;
    pthread_mutex_t lock; /* the API's thread looks while a reload changes things */
};

/* ERR_NOMEM, or the error of a thread: then nothing is to be stopped. */
int running_init(struct running *running, struct journal *journal, const struct clock *clock);

/*
 * Makes what runs equal to `config`, which it takes over: what is the same goes on, what changed or
 * went is stopped, what is new is started. Declares streams first. Returns 0, or the first error
 * (ERR_NOMEM, the journal's); what could be started runs. `trial`: it waits to be confirmed, so
 * that the uplinks' places in the journal are kept as they are.
 */
int running_apply(struct running *running, struct config *config, bool trial);

/* What runs was confirmed: it is for good. Thread-safe. */
void running_keep(struct running *running);

/* Tries what could not be started once more. Thread-safe. */
void running_retry(struct running *running);

/* Notes why the newest file was refused, for the status; NULL: it was not. */
void running_refused(struct running *running, const char *why);

/* The reason for that; "" where the newest file runs. Thread-safe. */
void running_why_refused(struct running *running, char *why, size_t size);

/* Names up to `max` uplinks that are online; returns how many. Thread-safe. */
size_t running_online(struct running *running, char (*ids)[ID_SIZE_MAX], size_t max);

/* Whether an uplink is online, under another id too where that names this one as its earlier id, or
 * none is configured; else a sentence of why it is not. Thread-safe. */
bool running_is_online(struct running *running, const char *id, char *why, size_t size);

/* Stops buses, then uplinks (which get `grace_ns` to be acknowledged), and frees the
 * configurations. */
void running_stop(struct running *running, int64_t grace_ns);

/*
 * Adds the names that the device and the point (either may be NULL) had before, as `was` in the
 * configuration says. Thread-safe.
 */
void running_was(struct running *running, const char *device, const char *point,
                 struct feed_names *names);

/* As api_source.legend. Thread-safe. */
void running_legend(struct running *running, struct legend *legend);

/* As api_source.forget. Thread-safe. */
int running_forget(struct running *running, const char *device, const char *what,
                   struct text *refusal);

/* Whether all uplinks are held back, since it is asked who this gateway is, and the sentence that
 * says so. Thread-safe. */
bool running_is_held(const struct running *running);
extern const char running_held_back[];

/* The uplinks that were held back at their start connect now. Thread-safe. */
void running_release(struct running *running);

/* As api_source.hold. Thread-safe. */
int running_hold(struct running *running, const char *uplink, const struct api_hold *hold,
                 struct text *refusal);

/* As api_source.preview. Thread-safe. */
int running_preview(struct running *running, const char *uplink, const char *root, bool values,
                    struct text *text);

/* Writes the status object of the API. Thread-safe. */
void running_status(struct running *running, struct text *text);

/* The same for those who look each second: without the gateway's own fields, with sums in place of
 * a bus's devices, and the same text while nothing changes. */
void running_brief(struct running *running, struct text *text);

#endif
