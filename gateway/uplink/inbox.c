#include "uplink/inbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "uplink/reason.h"

static void wake(struct inbox *inbox)
{
    uint64_t one = 1;

    /* It can only fail when the counter is full, and then the owner is awake. */
    if (write(inbox->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
        abort();
}

int inbox_open(struct inbox *inbox, size_t bytes_max)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&inbox->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&inbox->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    inbox->last = &inbox->first;
    inbox->inbound_bytes_max = bytes_max;
    inbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (inbox->fd < 0)
        return error_from_errno(errno);
    inbox->slot_memory = calloc(MQTT_OUTSTANDING_MAX, sizeof(struct note));
    if (!inbox->slot_memory)
        return ERR_NOMEM;
    for (int i = 0; i < MQTT_OUTSTANDING_MAX; i++) {
        struct note *slot = &inbox->slot_memory[i];

        slot->inbox = inbox;
        slot->kind = NOTE_ACKNOWLEDGED;
        inbox->slots[inbox->slot_count++] = slot;
    }
    return 0;
}

void inbox_close(struct inbox *inbox)
{
    struct note *note;

    while ((note = inbox_take(inbox)) != NULL) {
        if (note->kind != NOTE_ACKNOWLEDGED)
            free(note);
    }
    if (inbox->fd >= 0)
        close(inbox->fd);
    free(inbox->slot_memory);
    pthread_cond_destroy(&inbox->ended);
    pthread_mutex_destroy(&inbox->lock);
}

void inbox_expect(struct inbox *inbox, const void *side)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->outcome = (struct outcome){.refusal = -1, .disconnect_reason = MQTT_REASON_NONE};
    inbox->side = side;
    pthread_mutex_unlock(&inbox->lock);
}

struct outcome inbox_outcome(struct inbox *inbox)
{
    struct outcome outcome;

    pthread_mutex_lock(&inbox->lock);
    outcome = inbox->outcome;
    pthread_mutex_unlock(&inbox->lock);
    return outcome;
}

void inbox_await_end(struct inbox *inbox, int64_t limit_ns)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(limit_ns / NS_PER_S);
    pthread_mutex_lock(&inbox->lock);
    while (!inbox->outcome.client_ended) {
        if (pthread_cond_timedwait(&inbox->ended, &inbox->lock, &until) != 0)
            break;
    }
    pthread_mutex_unlock(&inbox->lock);
}

void inbox_tunnel(void *context, int error, const char *sentence)
{
    struct inbox *inbox = context;
    struct outcome *outcome = &inbox->outcome;

    pthread_mutex_lock(&inbox->lock);
    if (error == 0) {
        outcome->tunnel_ready = true;
    } else {
        outcome->tunnel_ended = true;
        outcome->tunnel_error = error;
        snprintf(outcome->tunnel_sentence, sizeof(outcome->tunnel_sentence), "%s", sentence);
    }
    wake(inbox);
    pthread_mutex_unlock(&inbox->lock);
}

void inbox_accepted(struct inbox *inbox, const void *side, bool session_present,
                    int64_t receive_maximum, int64_t packet_size_max, int64_t keep_alive_s)
{
    struct outcome *outcome = &inbox->outcome;

    pthread_mutex_lock(&inbox->lock);
    if (inbox->side == side) {
        outcome->accepted = true;
        outcome->session_present = session_present;
        outcome->receive_maximum = (uint16_t)(receive_maximum >= 0 ? receive_maximum : UINT16_MAX);
        outcome->keep_alive_s = (int)(keep_alive_s > 0 ? keep_alive_s : 0);
        outcome->packet_size_max = packet_size_max > 0 ? (uint32_t)packet_size_max : UINT32_MAX;
        wake(inbox);
    }
    pthread_mutex_unlock(&inbox->lock);
}

void inbox_ended(struct inbox *inbox, const void *side, int refusal)
{
    pthread_mutex_lock(&inbox->lock);
    if (inbox->side == side) {
        inbox->outcome.client_ended = true;
        inbox->outcome.refusal = refusal;
        pthread_cond_signal(&inbox->ended);
        wake(inbox);
    }
    pthread_mutex_unlock(&inbox->lock);
}

void inbox_disconnect(struct inbox *inbox, const void *side, int reason)
{
    pthread_mutex_lock(&inbox->lock);
    if (inbox->side == side) {
        inbox->outcome.disconnect_reason = reason;
        reason_disconnect(reason, inbox->outcome.disconnect_sentence,
                          sizeof(inbox->outcome.disconnect_sentence));
    }
    pthread_mutex_unlock(&inbox->lock);
    inbox_ended(inbox, side, -1);
}

/* With the lock held. */
static void append(struct inbox *inbox, struct note *note)
{
    note->next = NULL;
    *inbox->last = note;
    inbox->last = &note->next;
    wake(inbox);
}

void inbox_told(struct note *note, int reason)
{
    struct inbox *inbox = note->inbox;

    pthread_mutex_lock(&inbox->lock);
    note->reason = reason;
    append(inbox, note);
    pthread_mutex_unlock(&inbox->lock);
}

struct note *note_new(struct inbox *inbox, enum note_kind kind, const char *topic,
                      const void *payload, size_t size)
{
    size_t topic_size = strlen(topic) + 1;
    struct note *note = calloc(1, sizeof(*note) + topic_size + size);

    if (!note)
        return NULL;
    note->inbox = inbox;
    note->kind = kind;
    note->topic_size = topic_size;
    note->size = size;
    memcpy(note->data, topic, topic_size);
    if (size > 0)
        memcpy(note->data + topic_size, payload, size);
    return note;
}

bool inbox_message(struct inbox *inbox, const char *topic, const void *payload, size_t size,
                   int qos, bool retained, bool duplicate)
{
    struct note *note = NULL;

    pthread_mutex_lock(&inbox->lock);
    if (inbox->inbound_bytes + size <= inbox->inbound_bytes_max)
        note = note_new(inbox, NOTE_MESSAGE, topic, payload, size);
    if (note) {
        note->qos = qos;
        note->retained = retained;
        note->duplicate = duplicate;
        inbox->inbound_bytes += size;
        append(inbox, note);
    }
    pthread_mutex_unlock(&inbox->lock);
    return note != NULL;
}

struct note *inbox_slot(struct inbox *inbox, uint32_t token)
{
    struct note *slot = NULL;

    pthread_mutex_lock(&inbox->lock);
    if (inbox->slot_count > 0)
        slot = inbox->slots[--inbox->slot_count];
    pthread_mutex_unlock(&inbox->lock);
    if (slot)
        slot->token = token;
    return slot;
}

void inbox_give_slot(struct inbox *inbox, struct note *slot)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->slots[inbox->slot_count++] = slot;
    pthread_mutex_unlock(&inbox->lock);
}

struct note *inbox_take(struct inbox *inbox)
{
    struct note *note;

    pthread_mutex_lock(&inbox->lock);
    note = inbox->first;
    if (note) {
        inbox->first = note->next;
        if (!inbox->first)
            inbox->last = &inbox->first;
        if (note->kind == NOTE_MESSAGE)
            inbox->inbound_bytes -= note->size;
    }
    pthread_mutex_unlock(&inbox->lock);
    return note;
}

void inbox_clear(struct inbox *inbox)
{
    uint64_t count;

    if (read(inbox->fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
        abort();
}
