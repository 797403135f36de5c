#include "daemon/ended.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/status.h"
#include "daemon/was.h"
#include "uplink/uplink.h"

/* The id of an uplink whose states a stream has; NULL. */
static const char *uplink_of(const struct stream *stream)
{
    size_t size = strlen(UPLINK_STREAM_PREFIX);

    return strncmp(stream->device, UPLINK_STREAM_PREFIX, size) == 0 ? stream->device + size : NULL;
}

/* An uplink that was added just now may have no stream yet. */
static void mark_uplinks(const struct journal *journal, const struct config *config,
                         bool *configured, uint32_t count)
{
    char device[ID_SIZE_MAX];

    for (size_t i = 0; i < config->uplink_count; i++) {
        snprintf(device, sizeof device, UPLINK_STREAM_PREFIX "%s", config->uplinks[i].id);
        uint32_t number = journal_find(journal, device, "");

        if (number <= count)
            configured[number] = true;
    }
}

/* One byte a stream, by its number. */
static bool *mark_configured(const struct journal *journal, const struct config *config,
                             uint32_t count)
{
    const struct site *site = &config->site;
    bool *configured = calloc((size_t)count + 1, sizeof *configured);

    if (configured)
        mark_uplinks(journal, config, configured, count);
    for (size_t b = 0; configured && b < site->bus_count; b++) {
        for (size_t d = 0; d < site->buses[b].device_count; d++) {
            const struct site_device *device = &site->buses[b].devices[d];

            configured[device->stream] = true;
            for (size_t i = 0; i < device->point_count; i++)
                configured[device->streams[i]] = true;
        }
    }
    return configured;
}

/* Whether the configuration has it under another number, since its name or type changed, or it is
 * none of a device on a bus or an uplink. `configured` is of `count` streams: a producer may
 * declare others meanwhile. */
static bool is_of_others(const struct journal *journal, const struct stream *stream,
                         const bool *configured, uint32_t count)
{
    uint32_t newest = journal_find(journal, stream->device, stream->point);
    char producer[ID_SIZE_MAX];

    if (newest > count || configured[newest])
        return true;
    if (strchr(stream->device, ':'))
        return !uplink_of(stream);
    stream_producer(stream->device, producer);
    return journal_find(journal, producer, "") != 0;
}

static bool is_renamed(const struct config *config, const struct stream *stream)
{
    const char *id = uplink_of(stream);

    if (!id)
        return was_named(&config->site, stream->device, stream->point);
    for (size_t i = 0; i < config->uplink_count; i++) {
        const struct uplink_options *options = config->uplinks[i].options;

        if (options->was && strcmp(options->was, id) == 0)
            return true;
    }
    return false;
}

static int tell_end(struct journal *journal, const struct stream *stream, enum status status,
                    const struct clock *clock)
{
    struct event event = {.kind = EVENT_READING,
                          .stream = stream->number,
                          .status = (uint16_t)status,
                          .mono_ns = clock_mono(clock)};

    if (!*stream->point) {
        event.kind = EVENT_STATE;
        event.value.type = VALUE_BOOL;
    }
    return journal_put(journal, &event);
}

void ended_tell(struct journal *journal, const struct config *config, const struct clock *clock)
{
    uint32_t count = journal_stream_count(journal);
    bool *configured = mark_configured(journal, config, count);
    int error = configured ? 0 : ERR_NOMEM;
    struct journal_stream_ledger ledger;
    struct stream stream;
    uint32_t told = 0;

    for (uint32_t number = 1; number <= count && !error; number++) {
        if (configured[number] || journal_stream_ledger(journal, number, &ledger) != 0 ||
            ledger.last_n == 0 || status_ends(ledger.last_status) ||
            is_of_others(journal, journal_stream(journal, number, &stream), configured, count))
            continue;
        error = tell_end(journal, &stream,
                         is_renamed(config, &stream) ? STATUS_RENAMED : STATUS_REMOVED, clock);
        told += error == 0;
    }
    free(configured);
    if (told)
        log_info("daemon",
                 "%" PRIu32
                 " stream%s of devices, points and uplinks that are no longer configured ended",
                 told, told == 1 ? "" : "s");
    if (error)
        log_error("daemon",
                  "that devices, points or uplinks are no longer configured cannot be noted: %s; "
                  "the next "
                  "start or change does it",
                  error_text(error));
}
