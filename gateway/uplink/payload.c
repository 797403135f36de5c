#include "uplink/payload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/event_json.h"

static const char tail[] = "]}";

bool payload_publishes(enum event_kind kind)
{
    switch (kind) {
    case EVENT_READING:
    case EVENT_STATE:
    case EVENT_ALARM:
    case EVENT_RESULT:
    case EVENT_GAP:
    case EVENT_CLOCK:
    case EVENT_LIFECYCLE:
        return true;
    default:
        return false;
    }
}

void payload_event(struct text *text, const struct event *event, const struct label *label,
                   bool uncertain)
{
    struct event_json_source source = label_source(label);

    text_string(text, "{");
    event_json(text, event, &source, uncertain);
}

int batch_open(struct batch *batch)
{
    size_t room = PAYLOAD_SIZE_MAX + PAYLOAD_EVENT_SIZE;

    *batch = (struct batch){.limit = PAYLOAD_SIZE_MAX};
    batch->memory = malloc(PAYLOAD_HEAD_SIZE + room);
    if (!batch->memory)
        return ERR_NOMEM;
    text_init(&batch->text, batch->memory + PAYLOAD_HEAD_SIZE, room);
    return 0;
}

void batch_close(struct batch *batch)
{
    free(batch->memory);
    *batch = (struct batch){0};
}

void batch_clear(struct batch *batch)
{
    batch->text.size = 0;
    batch->text.cut = false;
    batch->first = batch->last = batch->last_event = 0;
    batch->events = 0;
}

static void cover(struct batch *batch, uint64_t first, uint64_t last, uint32_t epoch,
                  int64_t now_ns)
{
    if (batch->first == 0) {
        batch->first = first;
        batch->epoch = epoch;
        batch->oldest_ns = now_ns;
    }
    batch->last = last;
}

/* What was written since `before` stays, if it fits. */
static int settle(struct batch *batch, size_t before)
{
    if (!batch->text.cut && batch->text.size + PAYLOAD_HEAD_SIZE + sizeof(tail) <= batch->limit) {
        batch->events++;
        return 0;
    }
    batch->text.size = before;
    batch->text.cut = false;
    return ERR_FULL;
}

int batch_add(struct batch *batch, uint64_t first, const struct event *event,
              const struct label *label, bool uncertain, int64_t now_ns)
{
    size_t before = batch->text.size;

    if (batch->events > 0)
        text_raw(&batch->text, ",", 1);
    payload_event(&batch->text, event, label, uncertain);
    if (settle(batch, before) != 0)
        return ERR_FULL;
    cover(batch, first, event->n, event->epoch, now_ns);
    batch->last_event = event->n;
    return 0;
}

int batch_add_lost(struct batch *batch, uint64_t first, const struct gap *gap, uint32_t epoch,
                   int64_t wall_ns, int64_t now_ns)
{
    size_t before = batch->text.size;

    if (batch->events > 0)
        text_raw(&batch->text, ",", 1);
    text_printf(&batch->text, "{\"k\":\"gap\",\"t\":%" PRId64, wall_ns / NS_PER_MS);
    event_json_gap(&batch->text, gap);
    if (settle(batch, before) != 0)
        return ERR_FULL;
    cover(batch, first, gap->last, epoch, now_ns);
    batch->last_event = gap->last;
    return 0;
}

void batch_skip(struct batch *batch, uint64_t first, uint64_t n, uint32_t epoch, int64_t now_ns)
{
    cover(batch, first, n, epoch, now_ns);
}

const char *batch_finish(struct batch *batch, const char *gateway, const char *uplink, size_t *size)
{
    char head[PAYLOAD_HEAD_SIZE];
    char *start = batch->memory + PAYLOAD_HEAD_SIZE;
    int head_size =
        snprintf(head, sizeof(head),
                 "{\"schema\":1,\"gw\":\"%s\",\"epoch\":\"%08" PRIx32
                 "\",\"uplink\":\"%s\",\"covers\":[%" PRIu64 ",%" PRIu64 "],\"events\":[",
                 gateway, batch->epoch, uplink, batch->first, batch->last);

    memcpy(start - head_size, head, (size_t)head_size);
    memcpy(start + batch->text.size, tail, sizeof(tail));
    *size = (size_t)head_size + batch->text.size + sizeof(tail) - 1;
    return start - head_size;
}
