#include "daemon/ended.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/status.h"

/* One byte a stream, by its number. */
static bool *mark_configured(const struct site *site, uint32_t count)
{
    bool *configured = calloc((size_t)count + 1, sizeof *configured);

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
 * none of a device on a bus. `configured` is of `count` streams: a producer may declare others
 * meanwhile. */
static bool is_of_others(const struct journal *journal, const struct stream *stream,
                         const bool *configured, uint32_t count)
{
    uint32_t newest = journal_find(journal, stream->device, stream->point);
    char producer[ID_SIZE_MAX];

    if (strchr(stream->device, ':') || newest > count || configured[newest])
        return true;
    stream_producer(stream->device, producer);
    return journal_find(journal, producer, "") != 0;
}

static int tell_end(struct journal *journal, const struct stream *stream, const struct clock *clock)
{
    struct event event = {.kind = EVENT_READING,
                          .stream = stream->number,
                          .status = STATUS_REMOVED,
                          .mono_ns = clock_mono(clock)};

    if (!*stream->point) {
        event.kind = EVENT_STATE;
        event.value.type = VALUE_BOOL;
    }
    return journal_put(journal, &event);
}

void ended_tell(struct journal *journal, const struct site *site, const struct clock *clock)
{
    uint32_t count = journal_stream_count(journal);
    bool *configured = mark_configured(site, count);
    int error = configured ? 0 : ERR_NOMEM;
    struct journal_stream_ledger ledger;
    struct stream stream;
    uint32_t told = 0;

    for (uint32_t number = 1; number <= count && !error; number++) {
        if (configured[number] || journal_stream_ledger(journal, number, &ledger) != 0 ||
            ledger.last_n == 0 || ledger.last_status == STATUS_REMOVED ||
            is_of_others(journal, journal_stream(journal, number, &stream), configured, count))
            continue;
        error = tell_end(journal, &stream, clock);
        told += error == 0;
    }
    free(configured);
    if (told)
        log_info("daemon",
                 "%" PRIu32 " stream%s of devices and points that are no longer configured ended",
                 told, told == 1 ? "" : "s");
    if (error)
        log_error("daemon",
                  "that devices or points are no longer configured cannot be noted: %s; the next "
                  "start or change does it",
                  error_text(error));
}
