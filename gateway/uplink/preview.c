#include "uplink/preview.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "journal/reader.h"
#include "uplink/internal.h"
#include "uplink/labels.h"
#include "uplink/payload.h"
#include "uplink/snapshot.h"

#define SHOWN_MAX 3
#define LOOKED_AT 500 /* events back from the newest: enough to meet readings, and quickly read */

static void put_message(struct text *text, const char *topic, bool retained, const char *payload,
                        size_t size)
{
    text_string(text, "{\"topic\":");
    text_json_string(text, topic, strlen(topic));
    text_printf(text, ",\"retained\":%s,\"payload\":", retained ? "true" : "false");
    text_json_string(text, payload, size);
    text_string(text, "}");
}

static void put_value(struct text *text, struct journal *journal, const struct preview *preview,
                      const struct event *event)
{
    char topic[UPLINK_TOPIC_SIZE], payload[PAYLOAD_EVENT_SIZE];
    struct stream stream = {0};
    struct text value;

    journal_stream(journal, event->stream, &stream);
    text_init(&value, payload, sizeof payload);
    snapshot_value(&value, event, &stream, event->trust == CLOCK_UNSET);
    snprintf(topic, sizeof topic, "%s/%s/v/%s/%s", preview->root, preview->gateway, stream.device,
             stream.point);
    put_message(text, topic, true, value.data, value.size);
}

static bool is_shown(const struct event *event)
{
    return event->kind == EVENT_READING && event->n != 0;
}

/* Where the last SHOWN_MAX readings begin, as far as they are found; 0 where there are none. */
static int find_newest(struct reader *reader, uint64_t *from)
{
    uint64_t places[SHOWN_MAX];
    struct event event;
    size_t found = 0;
    int got;

    while ((got = reader_next(reader, &event)) > 0) {
        if (is_shown(&event))
            places[found++ % SHOWN_MAX] = event.n;
    }
    *from = found == 0 ? 0 : found < SHOWN_MAX ? places[0] : places[found % SHOWN_MAX];
    return got;
}

static int put_values(struct text *text, struct journal *journal, const struct preview *preview,
                      struct reader *reader)
{
    struct event event;
    int shown = 0, got;

    while (shown < SHOWN_MAX && (got = reader_next(reader, &event)) > 0) {
        if (!is_shown(&event))
            continue;
        text_string(text, shown++ ? "," : "");
        put_value(text, journal, preview, &event);
    }
    return shown < SHOWN_MAX ? got : 0;
}

static int put_batch(struct text *text, struct journal *journal, const struct preview *preview,
                     struct reader *reader)
{
    struct labels labels = {.journal = journal};
    int64_t now_ns = clock_mono(&clock_system);
    char topic[UPLINK_TOPIC_SIZE];
    const struct label *label;
    struct batch batch;
    struct event event;
    size_t size;
    int got = batch_open(&batch);

    if (got)
        return got;
    while (batch.events < SHOWN_MAX && (got = reader_next(reader, &event)) > 0) {
        if (!is_shown(&event) || !(label = labels_find(&labels, event.stream)))
            continue;
        batch_add(&batch, event.n, &event, label, event.trust == CLOCK_UNSET, now_ns);
    }
    if (batch.events > 0) {
        snprintf(topic, sizeof topic, "%s/%s/data", preview->root, preview->gateway);
        const char *payload = batch_finish(&batch, preview->gateway, preview->uplink, &size);
        put_message(text, topic, false, payload, size);
    }
    labels_close(&labels);
    batch_close(&batch);
    return got < 0 ? got : 0;
}

int preview_write(struct text *text, struct journal *journal, const struct preview *preview)
{
    struct journal_stats stats;
    struct reader *reader;
    char subscribe[UPLINK_TOPIC_SIZE];
    uint64_t from;

    journal_stats(journal, &stats);
    int error =
        reader_open(&reader, journal, stats.newest > LOOKED_AT ? stats.newest - LOOKED_AT : 0);
    if (error)
        return error;
    text_string(text, "{\"messages\":[");
    error = find_newest(reader, &from);
    if (error >= 0 && from) {
        reader_seek(reader, from);
        error = preview->values ? put_values(text, journal, preview, reader)
                                : put_batch(text, journal, preview, reader);
    }
    reader_close(reader);
    snprintf(subscribe, sizeof subscribe, "%s/%s/%s", preview->root, preview->gateway,
             preview->values ? "v/#" : "data");
    text_string(text, "],\"subscribe\":");
    text_json_string(text, subscribe, strlen(subscribe));
    text_string(text, "}\n");
    return error < 0 ? error : 0;
}
