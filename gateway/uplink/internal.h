/* The uplink's own state, shared by the files of this folder that are its parts. One thread owns
 * it. */
#ifndef SLUICE_UPLINK_INTERNAL_H
#define SLUICE_UPLINK_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/clock.h"
#include "core/status.h"
#include "journal/cursor.h"
#include "journal/reader.h"
#include "tls/tunnel.h"
#include "uplink/backoff.h"
#include "uplink/mqtt.h"
#include "uplink/payload.h"
#include "uplink/rival.h"
#include "uplink/suspect.h"
#include "uplink/uplink.h"
#include "uplink/url.h"
#include "uplink/window.h"

#define UPLINK_BYTES_MAX  (768 * 1024) /* of payload on its way: the tunnel's buffer holds more */
#define UPLINK_UNITS_MAX  1024
#define UPLINK_TOPIC_SIZE 320
#define UPLINK_GROUP_MAX  32 /* values in one unit of the layout "values" */
#define UPLINK_LEDGER_NS  (10 * NS_PER_S)
#define UPLINK_SETTLE_NS  (10 * NS_PER_S)
#define UPLINK_PROOF_NS   (10 * NS_PER_S)
#define UPLINK_PACKET_MIN                                                                          \
    1024 /* what a broker must allow: one reading with the longest ids fits                        \
          */

enum phase {
    PHASE_WAITING, /* until next_try_ns */
    PHASE_CONNECTING,
    PHASE_ONLINE,
};

/* What an alarm stands for until it is told that it is over. */
enum trouble {
    TROUBLE_DENIED, /* the broker takes nothing: rights */
    TROUBLE_RIVAL,  /* another client has the same client id */
    TROUBLE_COUNT,
};

/* What is still to be published of the snapshots, in this order. */
enum announce_stage {
    ANNOUNCE_STATUS,
    ANNOUNCE_META,
    ANNOUNCE_DEVICES,
    ANNOUNCE_REMOVED,
    ANNOUNCE_DONE
};

/* Publications whose echo is awaited, where MQTT 3.1.1 tells nothing by its acknowledgements. */
struct proof_entry {
    char topic[UPLINK_TOPIC_SIZE];
    uint32_t token, crc;
    size_t size;
    bool waiting;
};

#define PROOF_ENTRIES_MAX 2

struct proof {
    bool needed, proven;
    int subscribing; /* SUBACKs not yet come */
    bool subscribed;
    int64_t deadline_ns; /* of the echoes; 0: none is awaited */
    struct proof_entry entries[PROOF_ENTRIES_MAX];
};

/* Commands that come from the broker, and what is to be told of them. */
struct uplink_commands {
    struct command_sender sender; /* first: the desk hands it back */
    struct command_desk *desk;    /* NULL: none are taken */
    char topic[UPLINK_TOPIC_SIZE], topic_result[UPLINK_TOPIC_SIZE];
    bool late; /* the broker kept the session: what comes may have waited there */
    int wake_fd;
    pthread_mutex_t lock; /* of the answers */
    struct answer *first, **last;
    unsigned count;
};

struct uplink {
    const struct uplink_options *options;
    struct journal *journal;
    const struct clock *clock;
    char gateway[ID_SIZE_MAX];
    char base[UPLINK_TOPIC_SIZE / 2]; /* "sluice/plant7/" */
    char topic_data[UPLINK_TOPIC_SIZE], topic_mark[UPLINK_TOPIC_SIZE],
        topic_status[UPLINK_TOPIC_SIZE];
    struct uplink_url url;
    uint32_t own_stream; /* of this uplink's states */

    struct mqtt *mqtt;
    struct cursor *cursor;
    struct reader *reader;
    int journal_fd, wake_fd;
    pthread_t thread;
    _Atomic int64_t stop_at_ns;    /* monotonic; 0: runs; when set, the end of the grace */
    _Atomic int64_t hold_until_ns; /* monotonic: the connection is kept cut; 0: it is not */
    bool held;                     /* it is, as far as this thread has come */
    bool stopping, farewell;       /* the offline status is on its way */

    pthread_mutex_t site_lock;
    const struct site *site; /* under the lock */
    _Atomic bool site_changed;

    enum phase phase;
    bool refused;         /* what keeps it from working is a refusal, not an absence */
    int told_up;          /* the state in the journal: -1 none yet, 0 down, 1 up */
    int64_t next_try_ns;  /* of connecting */
    bool login_refused;   /* the last attempt: by the broker, or by the proxy */
    uint64_t login_stamp; /* of the files that it was read from */
    int64_t look_ns;      /* when they are looked at */
    int64_t pause_ns;     /* nothing is published before; 0: no pause */
    struct backoff backoff, hold;
    uint64_t session;
    uint32_t message_limit;     /* in flight: of the options and of the broker */
    uint32_t packet_limit;      /* bytes of a packet: of the broker */
    uint32_t others;            /* snapshots in flight */
    uint16_t others_generation; /* of their tokens: answers of an earlier one count no more */
    int64_t answered_ns;        /* monotonic: the newest answer, or when there was none to come */
    int connected_version;
    int64_t started_ns;

    struct labels labels;
    struct batch batch;
    struct event event; /* read and not yet taken */
    bool have_event;
    bool flush_wanted, mark_wanted; /* the batch, or the open unit's mark, waits for room */
    bool caught_up;                 /* nothing more to read at present */
    bool group_open;                /* a unit of the layout "values" is under way: */
    uint64_t group_last;
    uint32_t group_events, group_epoch;
    int64_t group_began_ns;
    uint16_t drop_reason; /* of the batch that is to be flushed */
    uint64_t next;        /* the first event that no message covers yet */
    uint64_t repeated_n;  /* events up to this one may have been published before */
    struct window window;
    bool rewind;       /* go back to the cursor once all is answered */
    int64_t settle_ns; /* or at this time */
    struct suspect suspect;
    struct rival rival;
    struct proof proof;
    struct uplink_commands commands;

    enum announce_stage announce;
    uint32_t announce_index;
    bool removed_told;
    int64_t ledger_due_ns;
    uint32_t ledger_crc;

    pthread_mutex_t stats_lock;
    char reason[TUNNEL_SENTENCE_SIZE]; /* that was logged; "" since something was delivered */
    char troubles[TROUBLE_COUNT][TUNNEL_SENTENCE_SIZE]; /* told by an alarm; "" or over */
    struct uplink_stats stats,
        shared; /* the thread's own, and the copy for others under the lock */
};

/* connection.c: reaching the broker, and losing it. */
int connection_open(struct uplink *uplink);
void connection_step(struct uplink *uplink, int64_t now_ns);
/* When it wants to be called again: to connect, or to give up a broker that answers nothing;
 * INT64_MAX: not. */
int64_t connection_deadline(const struct uplink *uplink);
void connection_fail(struct uplink *uplink, int error, const char *sentence);

/* publish.c: from the journal to messages, from acknowledgements to the cursor. */
void publish_step(struct uplink *uplink, int64_t now_ns);
void publish_answer(struct uplink *uplink, uint32_t token, int reason);
void publish_rewind(struct uplink *uplink, int64_t now_ns);
/* Whether one more message may be in flight; whether one may that begins a unit. */
bool publish_room(const struct uplink *uplink, size_t bytes);
bool publish_may_begin(const struct uplink *uplink, size_t bytes);
/* What a batch may hold, and whether a message may be sent at all, under the packet_limit. */
size_t publish_limit(const struct uplink *uplink);
bool publish_fits(const struct uplink *uplink, const char *topic, size_t bytes);
bool publish_send_batch(struct uplink *uplink);
/* When it wants to be called again without anything having happened; INT64_MAX: not. */
int64_t publish_deadline(const struct uplink *uplink, int64_t now_ns);

/* values.c: the layout "values". Each returns false when it has to wait. */
bool values_add(struct uplink *uplink, bool uncertain);
bool values_skip(struct uplink *uplink);
/* Whether the broker allows the reading that was read as a message; waits for nothing. */
bool values_fits(const struct uplink *uplink, bool uncertain);
bool values_finish(struct uplink *uplink);

/* announce.c: the snapshots. */
/* What the broker keeps of a topic goes; where that fails the next connection's announcing does it.
 */
void announce_clear(struct uplink *uplink, const char *topic);
void announce_begin(struct uplink *uplink);
void announce_step(struct uplink *uplink, int64_t now_ns);
int announce_status(struct uplink *uplink, const char *why);
/* Where the declared stream is of another program, publishes what its device is. False when it has
 * to wait. */
bool announce_declared(struct uplink *uplink, uint32_t number);
/* When it wants to be called again without anything having happened; INT64_MAX: not. */
int64_t announce_deadline(const struct uplink *uplink);

/* proof.c: whether a broker of MQTT 3.1.1 takes what is published. */
void proof_begin(struct uplink *uplink, bool needed);
bool proof_ready(struct uplink *uplink);
void proof_expect(struct uplink *uplink, const char *topic, const void *payload, size_t size);
void proof_message(struct uplink *uplink, const char *topic, const void *payload, size_t size);
void proof_subscribed(struct uplink *uplink, const char *topic, int reason);
void proof_end(struct uplink *uplink); /* the connection is lost: no echo comes any more */
void proof_step(struct uplink *uplink, int64_t now_ns);

/* commands.c: what others want to have done. Each of the two that return a bool says whether it was
 * for it. */
void commands_open(struct uplink *uplink);
void commands_close(struct uplink *uplink);
void commands_connected(struct uplink *uplink, bool session_present);
bool commands_subscribed(struct uplink *uplink, const char *topic, int reason);
bool commands_message(struct uplink *uplink, const char *topic, const void *payload, size_t size,
                      bool retained);
void commands_step(struct uplink *uplink);

/* tell.c: what the uplink itself puts into the journal, and its state for others. */
/* A change to up, or to down for the reason `status`. */
void tell_state(struct uplink *uplink, bool up, enum status status);
void tell_alarm(struct uplink *uplink, const char *sentence); /* of what is done with */
/* An alarm that stands until it is over; each does nothing where that was told before. */
void tell_trouble(struct uplink *uplink, enum trouble trouble, const char *sentence);
void tell_over(struct uplink *uplink, enum trouble trouble);
/* It is over as far as anybody can say: whoever told it ends. */
void tell_unwatched(struct uplink *uplink, enum trouble trouble);
void tell_status(struct uplink *uplink, const char *state, const char *sentence);

#endif
