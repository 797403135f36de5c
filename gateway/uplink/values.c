/*
 * The layout "values": each reading goes out retained on a topic of its own. The messages of up to
 * UPLINK_GROUP_MAX readings are one unit of the window; a mark at its end says which events it
 * covers, and the proof is made of marks. What is no reading is published as in the layout "batch".
 */
#include "uplink/internal.h"

#include <stdio.h>

#include "core/status.h"
#include "uplink/snapshot.h"

#define MARK_SIZE 256

static bool send(struct uplink *uplink, const char *topic, const struct text *text, bool retained)
{
    uint32_t token = window_send(&uplink->window, (uint32_t)text->size);

    if (mqtt_publish(uplink->mqtt, topic, text->data, text->size, 1, retained, token) != 0) {
        window_unsend(&uplink->window, (uint32_t)text->size);
        return false;
    }
    uplink->stats.published++;
    uplink->stats.bytes += text->size;
    proof_expect(uplink, topic, text->data, text->size);
    return true;
}

/* Makes sure that a unit is open which may take one more event. Returns false when that has to
 * wait. */
static bool open_group(struct uplink *uplink)
{
    struct window *window = &uplink->window;
    uint32_t limit = UPLINK_GROUP_MAX;

    if (uplink->proof.needed && !uplink->proof.proven)
        limit = 1;
    if (uplink->group_open) {
        if (suspect_limit(&uplink->suspect, window_newest(window)->first) < limit)
            limit = suspect_limit(&uplink->suspect, window_newest(window)->first);
        if (uplink->group_epoch == uplink->event.epoch && uplink->group_events < limit)
            return true;
        if (!values_finish(uplink))
            return false;
    }
    if (!publish_may_begin(uplink, MARK_SIZE) || !proof_ready(uplink) ||
        !window_begin(window, uplink->next))
        return false;
    uplink->group_open = true;
    uplink->group_events = 0;
    uplink->group_last = uplink->next;
    uplink->group_epoch = uplink->event.epoch;
    uplink->group_began_ns = clock_mono(&clock_system);
    return true;
}

bool values_skip(struct uplink *uplink)
{
    if (!open_group(uplink))
        return false;
    uplink->group_last = uplink->event.n;
    return true;
}

/* One reading as a message. */
struct value_message {
    char topic[UPLINK_TOPIC_SIZE], payload[PAYLOAD_EVENT_SIZE];
    struct text text;
};

static void write_value(const struct uplink *uplink, bool uncertain, struct value_message *message)
{
    struct stream stream = {0};

    journal_stream(uplink->journal, uplink->event.stream, &stream);
    text_init(&message->text, message->payload, sizeof(message->payload));
    snapshot_value(&message->text, &uplink->event, &stream, uncertain);
    snprintf(message->topic, sizeof(message->topic), "%sv/%s/%s", uplink->base, stream.device,
             stream.point);
}

bool values_fits(const struct uplink *uplink, bool uncertain)
{
    struct value_message message;

    if (uplink->packet_limit >= PAYLOAD_SIZE_MAX) /* as with nearly every broker */
        return true;
    write_value(uplink, uncertain, &message);
    return publish_fits(uplink, message.topic, message.text.size);
}

/* What the configuration no longer has is not to be kept. Of what may have been published before
 * only the newest value of each point is: the broker may have that, or one as new, and a retained
 * value never goes back to an older one. */
static bool is_to_be_kept(const struct uplink *uplink)
{
    struct journal_stream_ledger ledger = {0};

    if (status_ends(uplink->event.status))
        return false;
    if (uplink->event.n > uplink->repeated_n)
        return true;
    return journal_stream_ledger(uplink->journal, uplink->event.stream, &ledger) == 0 &&
           ledger.last_n == uplink->event.n;
}

bool values_add(struct uplink *uplink, bool uncertain)
{
    struct value_message message;

    if (!open_group(uplink))
        return false;
    write_value(uplink, uncertain, &message);
    if (!publish_room(uplink, message.text.size) ||
        !send(uplink, message.topic, &message.text, is_to_be_kept(uplink)))
        return false;
    if (status_ends(uplink->event.status))
        announce_clear(uplink, message.topic); /* of a backlog before it something may be kept */
    uplink->group_last = uplink->event.n;
    uplink->group_events++;
    /* Kept up to date, since a value may be refused before the unit is complete. */
    window_newest(&uplink->window)->last_event = uplink->event.n;
    window_newest(&uplink->window)->events = uplink->group_events;
    return true;
}

bool values_finish(struct uplink *uplink)
{
    struct unit *unit = window_newest(&uplink->window);
    char payload[MARK_SIZE];
    struct text text;

    text_init(&text, payload, sizeof(payload));
    snapshot_mark(&text, uplink->group_epoch, uplink->options->id, unit->first, uplink->group_last,
                  uplink->group_events);
    if (!publish_room(uplink, text.size) || !send(uplink, uplink->topic_mark, &text, false))
        return false;
    window_finish(&uplink->window, uplink->group_last, uplink->group_events);
    uplink->group_open = uplink->mark_wanted = false;
    return true;
}
