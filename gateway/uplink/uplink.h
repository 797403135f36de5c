/*
 * An uplink: one broker connection that publishes the journal's events. One thread each; it reads
 * with a reader, keeps a window of messages in flight, and moves its cursor when the broker has
 * acknowledged. Topics and payloads are docs/mqtt.md.
 */
#ifndef SLUICE_UPLINK_UPLINK_H
#define SLUICE_UPLINK_UPLINK_H

#include "core/command.h"
#include "core/option.h"
#include "core/site.h"
#include "journal/journal.h"

#define UPLINK_STREAM_PREFIX "uplink:" /* and the id: the device of an uplink's own events */

struct uplink;
struct pump; /* tls/pump.h */

/* What uplink_options.unproven says. */
enum uplink_unproven { UPLINK_HOLD, UPLINK_DELIVER };

enum uplink_layout { UPLINK_BATCH, UPLINK_VALUES };

/* Where an uplink begins that has no place in the journal yet. */
enum uplink_from { UPLINK_FROM_OLDEST, UPLINK_FROM_NOW };

/* By uplink_table and uplink_tls_table; owned by the configuration. */
struct uplink_options {
    const char *id;            /* set by uplink_check */
    bool first;                /* the first uplink of the configuration; the daemon sets it */
    bool held;                 /* it does not connect until uplink_hold allows it; the same */
    struct pump *pump;         /* of the process; the daemon sets it; NULL: one of its own */
    struct command_desk *desk; /* where commands go; the daemon sets it; outlives the uplink */
    const char *place;         /* the name of its cursor in the journal; the same */

    const char *url;  /* mqtt://host[:1883] or mqtts://host[:8883] */
    const char *root; /* "sluice"; at most two levels */
    const char *user, *password_file;
    const char *proxy,
        *proxy_login_file; /* http://host[:3128] that leads to the broker; NULL: none */
    const char *client_id; /* NULL: the gateway's id for the first uplink, else id-uplink */
    const char *was;       /* an earlier id, whose place in the journal is taken over; or NULL */
    int layout;            /* enum uplink_layout */
    int from;              /* enum uplink_from */
    int version;           /* 0: MQTT 5, falling back to 3.1.1; 5; 4 (3.1.1) */
    int unproven;          /* enum uplink_unproven */
    bool commands;         /* are taken from the broker */
    int64_t linger_ns, keep_alive_ns, connect_timeout_ns, retry_max_ns, clock_wait_ns;
    int64_t window;             /* messages in flight */
    int64_t budget_bytes_month; /* 0: none; for `check` */
    bool tls;                   /* "tls" was given (mqtts:// alone uses the system's CA bundle) */
    const char *tls_ca, *tls_crl, *tls_cert, *tls_key, *tls_server_name, *tls_alpn;
    int tls_minimum; /* 12 or 13 */
};

extern const struct option_table uplink_table, uplink_tls_table;

/* Checks what no single option can: the URL, that certificate files can be read and fit each other.
 * See config.h. */
void uplink_check(void *uplink_options, const char *id, struct option_complaints *complaints);

/* Whether two publish on the same topics of one broker (by the same proxy, where there is one),
 * told in a sentence: status, meta and ledger are retained, so the one overwrites the other's. See
 * config.h. */
bool uplink_meets(const void *uplink, const void *other, const char *other_id, char *sentence,
                  size_t size);

/* What an uplink is doing, for status. */
struct uplink_stats {
    char state[16];       /* "online", "connecting", "waiting", "refused", "stopped" */
    char error[320];      /* why it is not online, in words, and what to do; "" */
    int cause;            /* the error that "error" tells of; 0: none */
    char alarm[320];      /* what an alarm was told of and is not over; "" */
    int version;          /* MQTT: 5 or 4; 0 before the first connection */
    char tls[96];         /* "TLSv1.3 CHACHA20-POLY1305", "" without */
    bool delivery_proven; /* permission to publish shown (a PUBACK of MQTT 5, or the echo on 3.1.1)
                           */
    bool nobody_subscribes; /* the newest PUBACK of MQTT 5 said so */
    uint64_t connects, published, acknowledged, refused, replayed,
        bytes; /* messages; replayed: events */
    uint32_t in_flight;
    int64_t since_wall_ns;    /* it is online, or is not: attempts in between do not count */
    int64_t next_try_mono_ns; /* when waiting or refused; 0 otherwise */
    uint64_t backlog;         /* events not yet acknowledged */
};

/*
 * Starts it; `site` and `options` must outlive it. Never fails because of a broker: that is its
 * state. ERR_NOMEM, ERR_DESCRIPTORS, ERR_FULL (too many cursors), ERR_BUSY (an uplink of
 * that id runs).
 */
int uplink_start(struct uplink **uplink, struct journal *journal, const struct site *site,
                 const struct uplink_options *options, const struct clock *clock);

/* Begins what uplink_stop waits for the end of: where several stop, all are asked first. */
void uplink_ask_stop(struct uplink *uplink, int64_t grace_ns);

/*
 * Stops: publishes what is read, waits for acknowledgements at most `grace_ns` (from when it
 * was asked, where it was), says offline, disconnects, frees. The cursor stays where the
 * acknowledgements got to. NULL is fine.
 */
void uplink_stop(struct uplink *uplink, int64_t grace_ns);

/* Thread-safe. */
void uplink_stats(const struct uplink *uplink, struct uplink_stats *stats);

/*
 * Cuts the connection as a network does that fails, and keeps it cut until the monotonic time
 * `until_ns`; 0 ends that at once. For an outage drill. Thread-safe.
 */
void uplink_hold(struct uplink *uplink, int64_t until_ns);

/* The configuration of devices changed while this uplink runs on: it publishes meta anew from
 * `site`, which replaces the one before. When it returns the old one is no longer used. */
void uplink_site_changed(struct uplink *uplink, const struct site *site);

#endif
