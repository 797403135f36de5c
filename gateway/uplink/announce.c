#include "uplink/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32c.h"
#include "core/error.h"
#include "core/log.h"
#include "tls/tunnel.h"
#include "uplink/snapshot.h"

#define SNAPSHOT_SIZE_FIRST 4096
#define SNAPSHOT_SIZE_MAX   (4 * 1024 * 1024)

/* A snapshot is written by `write` into memory of the size that it takes: they are no part of the
 * data path. */
typedef void write_fn(struct text *text, const void *subject);

static char *write_snapshot(write_fn *write, const void *subject, size_t *size)
{
    struct text text;

    for (size_t room = SNAPSHOT_SIZE_FIRST; room <= SNAPSHOT_SIZE_MAX; room *= 4) {
        char *memory = malloc(room);

        if (!memory)
            return NULL;
        text_init(&text, memory, room);
        write(&text, subject);
        if (!text.cut) {
            *size = text.size;
            return memory;
        }
        free(memory);
    }
    return NULL;
}

static int publish(struct uplink *uplink, const char *topic, const char *payload, size_t size)
{
    int rc = publish_fits(uplink, topic, size)
                 ? mqtt_publish(uplink->mqtt, topic, payload, size, 1, true,
                                WINDOW_TOKEN_OTHER | uplink->others_generation)
                 : ERR_TOO_LARGE;

    if (rc == 0) {
        uplink->others++;
        uplink->stats.published++;
        uplink->stats.bytes += size;
    }
    return rc;
}

void announce_clear(struct uplink *uplink, const char *topic)
{
    publish(uplink, topic, NULL, 0);
}

static int publish_snapshot(struct uplink *uplink, const char *topic, write_fn *write,
                            const void *subject)
{
    size_t size = 0;
    char *payload = write_snapshot(write, subject, &size);
    int rc = payload ? publish(uplink, topic, payload, size) : ERR_NOMEM;

    free(payload);
    return rc;
}

void announce_begin(struct uplink *uplink)
{
    uplink->announce = ANNOUNCE_STATUS;
    uplink->announce_index = 0;
    uplink->ledger_due_ns = 0;
    uplink->ledger_crc = 0;
}

int announce_status(struct uplink *uplink, const char *why)
{
    struct text text;
    char payload[160];

    text_init(&text, payload, sizeof(payload));
    snapshot_status(&text, uplink->session, clock_wall(uplink->clock), why);
    return publish(uplink, uplink->topic_status, payload, text.size);
}

struct meta {
    struct uplink *uplink;
    int64_t cert_until_s;
};

static void write_meta(struct text *text, const void *subject)
{
    const struct meta *meta = subject;
    struct journal_previous previous;
    uint32_t epoch = 0;

    journal_durable(meta->uplink->journal, &epoch);
    journal_previous(meta->uplink->journal, &previous);
    snapshot_meta(text, meta->uplink->site, epoch, &previous, meta->cert_until_s);
}

static int announce_meta(struct uplink *uplink)
{
    const struct uplink_options *options = uplink->options;
    struct meta meta = {.uplink = uplink};
    char topic[UPLINK_TOPIC_SIZE], sentence[TUNNEL_SENTENCE_SIZE];

    if (uplink->url.tls && options->tls_cert)
        tls_check_files(NULL, options->tls_cert, options->tls_key, &meta.cert_until_s, sentence,
                        sizeof(sentence));
    snprintf(topic, sizeof(topic), "%smeta", uplink->base);
    return publish_snapshot(uplink, topic, write_meta, &meta);
}

static const struct site_device *device_at(const struct site *site, uint32_t index)
{
    for (size_t i = 0; i < site->bus_count; i++) {
        if (index < site->buses[i].device_count)
            return &site->buses[i].devices[index];
        index -= (uint32_t)site->buses[i].device_count;
    }
    return NULL;
}

static const struct site_device *device_named(const struct site *site, const char *id)
{
    for (size_t i = 0; i < site->bus_count; i++) {
        for (size_t j = 0; j < site->buses[i].device_count; j++) {
            if (strcmp(site->buses[i].devices[j].id, id) == 0)
                return &site->buses[i].devices[j];
        }
    }
    return NULL;
}

static bool has_point(const struct site_device *device, const char *id)
{
    for (size_t i = 0; i < device->point_count; i++) {
        if (strcmp(device->points[i].id, id) == 0)
            return true;
    }
    return false;
}

static void write_device(struct text *text, const void *subject)
{
    snapshot_device(text, subject);
}

/* The device of that index; ERR_NOT_FOUND behind the last. */
static int announce_device(struct uplink *uplink, uint32_t index)
{
    const struct site_device *device = device_at(uplink->site, index);
    char topic[UPLINK_TOPIC_SIZE];

    if (!device)
        return ERR_NOT_FOUND;
    snprintf(topic, sizeof(topic), "%smeta/%s", uplink->base, device->id);
    return publish_snapshot(uplink, topic, write_device, device);
}

/* A device of another program. */
struct produced {
    const struct journal *journal;
    const char *device;
};

static void write_produced(struct text *text, const void *subject)
{
    const struct produced *produced = subject;

    snapshot_produced(text, produced->journal, produced->device);
}

static int announce_produced(struct uplink *uplink, const char *device)
{
    struct produced produced = {.journal = uplink->journal, .device = device};
    char topic[UPLINK_TOPIC_SIZE];

    snprintf(topic, sizeof(topic), "%smeta/%s", uplink->base, device);
    return publish_snapshot(uplink, topic, write_produced, &produced);
}

static bool is_produced(const struct uplink *uplink, const char *device)
{
    char producer[ID_SIZE_MAX];

    stream_producer(device, producer);
    return journal_find(uplink->journal, producer, "") != 0;
}

bool announce_declared(struct uplink *uplink, uint32_t number)
{
    struct stream stream;
    int rc = 0;

    if (!journal_stream(uplink->journal, number, &stream) || !stream.point[0] ||
        !is_produced(uplink, stream.device))
        return true;
    pthread_mutex_lock(&uplink->site_lock);
    if (!device_named(uplink->site, stream.device))
        rc = publish_room(uplink, 0) ? announce_produced(uplink, stream.device) : ERR_FULL;
    pthread_mutex_unlock(&uplink->site_lock);
    return rc != ERR_FULL && rc != ERR_CLOSED;
}

/*
 * What the journal knows and the configuration does not: devices of other programs are told; of
 * those of earlier configurations the retained messages are cleared, once. ERR_NOT_FOUND behind the
 * last stream.
 */
static int announce_others(struct uplink *uplink, uint32_t number)
{
    const struct site_device *device;
    char topic[UPLINK_TOPIC_SIZE];
    struct stream stream;

    if (number > journal_stream_count(uplink->journal))
        return ERR_NOT_FOUND;
    if (!journal_stream(uplink->journal, number, &stream))
        return 0;
    const char *produced = stream_produced(&stream);
    if (produced && !device_named(uplink->site, produced))
        return announce_produced(uplink, produced);
    if (!id_valid(stream.device) || uplink->removed_told)
        return 0;
    device = device_named(uplink->site, stream.device);
    if (!device && is_produced(uplink, stream.device))
        return 0;
    if (stream.point[0] == '\0') {
        if (device)
            return 0;
        snprintf(topic, sizeof(topic), "%smeta/%s", uplink->base, stream.device);
    } else {
        if (uplink->options->layout != UPLINK_VALUES || (device && has_point(device, stream.point)))
            return 0;
        snprintf(topic, sizeof(topic), "%sv/%s/%s", uplink->base, stream.device, stream.point);
    }
    return publish(uplink, topic, NULL, 0);
}

static void write_ledger(struct text *text, const void *subject)
{
    snapshot_ledger(text, subject);
}

static void announce_ledger(struct uplink *uplink, int64_t now_ns)
{
    char topic[UPLINK_TOPIC_SIZE];
    size_t size = 0;
    char *payload = write_snapshot(write_ledger, uplink->journal, &size);
    uint32_t crc = payload ? crc32c(0, payload, size) : 0;

    snprintf(topic, sizeof(topic), "%sledger", uplink->base);
    uplink->ledger_due_ns = now_ns + UPLINK_LEDGER_NS;
    if (payload && crc != uplink->ledger_crc && publish(uplink, topic, payload, size) == 0)
        uplink->ledger_crc = crc;
    free(payload);
}

/* Publishes the next one. Returns false when the client takes no more at present. */
static bool announce_next(struct uplink *uplink)
{
    int rc = 0;

    switch (uplink->announce) {
    case ANNOUNCE_STATUS:
        rc = announce_status(uplink, NULL);
        break;
    case ANNOUNCE_META:
        rc = announce_meta(uplink);
        break;
    case ANNOUNCE_DEVICES:
        rc = announce_device(uplink, uplink->announce_index);
        break;
    default:
        rc = announce_others(uplink, uplink->announce_index + 1);
        break;
    }
    if (rc == ERR_FULL || rc == ERR_CLOSED)
        return false;
    if (rc == ERR_TOO_LARGE)
        log_warn("uplink",
                 "%s: a description is larger than the %" PRIu32 " bytes of a packet that the "
                 "broker allows, and is left out: raise its limit",
                 uplink->options->id, uplink->packet_limit);
    else if (rc != 0 && rc != ERR_NOT_FOUND)
        log_warn("uplink", "%s: a description could not be published: %s", uplink->options->id,
                 error_text(rc));
    if (uplink->announce < ANNOUNCE_DEVICES || rc == ERR_NOT_FOUND) {
        uplink->removed_told |= uplink->announce == ANNOUNCE_REMOVED;
        uplink->announce++;
        uplink->announce_index = 0;
    } else {
        uplink->announce_index++;
    }
    return true;
}

static bool ledger_may_go(const struct uplink *uplink)
{
    return uplink->phase == PHASE_ONLINE && !uplink->stopping &&
           uplink->announce == ANNOUNCE_DONE && publish_room(uplink, 0);
}

void announce_step(struct uplink *uplink, int64_t now_ns)
{
    if (uplink->phase != PHASE_ONLINE || uplink->stopping)
        return;
    if (atomic_exchange(&uplink->site_changed, false)) {
        uplink->announce = ANNOUNCE_META;
        uplink->announce_index = 0;
        uplink->removed_told = false;
    }
    pthread_mutex_lock(&uplink->site_lock);
    while (uplink->announce != ANNOUNCE_DONE && publish_room(uplink, 0) && announce_next(uplink))
        ;
    pthread_mutex_unlock(&uplink->site_lock);
    if (ledger_may_go(uplink) && now_ns >= uplink->ledger_due_ns)
        announce_ledger(uplink, now_ns);
}

int64_t announce_deadline(const struct uplink *uplink)
{
    return ledger_may_go(uplink) ? uplink->ledger_due_ns : INT64_MAX;
}
