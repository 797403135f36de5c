/*
 * Where the three threads of an MQTT client meet. The library's and the pump's leave notes and say
 * what came of an attempt; the owner's takes them. Nothing here calls anybody.
 */
#ifndef SLUICE_UPLINK_INBOX_H
#define SLUICE_UPLINK_INBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/tunnel.h"
#include "uplink/mqtt.h"

enum note_kind { NOTE_ACKNOWLEDGED, NOTE_SUBSCRIBED, NOTE_MESSAGE };

/* Something for the owner. Those for acknowledgements are the slots of the publications. */
struct note {
    struct note *next;
    struct inbox *inbox;
    enum note_kind kind;
    uint32_t token;
    int reason;
    int qos;
    bool retained, duplicate;
    size_t topic_size, size;
    char data[]; /* topic with its zero, then the payload */
};

/* What came of the present attempt or connection. */
struct outcome {
    bool tunnel_ready, tunnel_ended;
    bool accepted;     /* a CONNACK that says yes */
    bool client_ended; /* the library has let go of its socket */
    int tunnel_error;
    int refusal;           /* the code of a CONNACK that says no; below 0: none came */
    int disconnect_reason; /* of the broker's DISCONNECT; MQTT_REASON_NONE: none came */
    bool session_present;
    uint16_t receive_maximum;
    uint32_t packet_size_max;
    int keep_alive_s; /* that the broker wants; 0: it is content with ours */
    char tunnel_sentence[TUNNEL_SENTENCE_SIZE], disconnect_sentence[TUNNEL_SENTENCE_SIZE];
};

struct inbox {
    int fd; /* an eventfd: readable when something is new */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct note *slots[MQTT_OUTSTANDING_MAX]; /* free ones */
    int slot_count;
    struct note *slot_memory;
    struct note *first, **last;
    size_t inbound_bytes, inbound_bytes_max;
    struct outcome outcome;
    const void *side; /* whose outcome it is: what others report is of an attempt before */
};

/* Takes at most `bytes_max` of messages that are not yet processed. ERR_NOMEM, ERR_IO. */
int inbox_open(struct inbox *inbox, size_t bytes_max);
void inbox_close(struct inbox *inbox);

/* Forgets the outcome: that of `side` is awaited from now on. */
void inbox_expect(struct inbox *inbox, const void *side);

struct outcome inbox_outcome(struct inbox *inbox);

/* Waits until `client_ended`, or the limit. */
void inbox_await_end(struct inbox *inbox, int64_t limit_ns);

/* For the reporting threads. */
void inbox_tunnel(void *inbox, int error, const char *sentence); /* a tunnel_event_fn */
void inbox_accepted(struct inbox *inbox, const void *side, bool session_present,
                    int64_t receive_maximum, int64_t packet_size_max,
                    int64_t keep_alive_s); /* below 0: not said */
void inbox_ended(struct inbox *inbox, const void *side, int refusal);
void inbox_disconnect(struct inbox *inbox, const void *side, int reason);
void inbox_told(struct note *note, int reason);
bool inbox_message(struct inbox *inbox, const char *topic, const void *payload, size_t size,
                   int qos, bool retained, bool duplicate); /* false: no room */

/* A note that is not a slot: freed by whoever takes it. NULL when out of memory. */
struct note *note_new(struct inbox *inbox, enum note_kind kind, const char *topic,
                      const void *payload, size_t size);

/* A slot for a publication; NULL when all are in use. */
struct note *inbox_slot(struct inbox *inbox, uint32_t token);
void inbox_give_slot(struct inbox *inbox, struct note *slot);

/* The oldest note, or NULL. */
struct note *inbox_take(struct inbox *inbox);

/* Clears the descriptor. */
void inbox_clear(struct inbox *inbox);

#endif
