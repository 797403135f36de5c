#include "uplink/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "core/error.h"
#include "core/log.h"
#include "tls/tunnel.h"
#include "uplink/reason.h"

/* A message without events, which only says that there were none to publish, waits at least so
 * long. */
#define EMPTY_LINGER_NS NS_PER_S

/* Of a PUBLISH beside its topic and payload: the fixed header, two lengths, the packet's number. */
#define PACKET_OVERHEAD 10

/* An event, and the word that one was lost, fit into the smallest message. */
_Static_assert(UPLINK_PACKET_MIN >=
                   PAYLOAD_HEAD_SIZE + UPLINK_TOPIC_SIZE / 2 + PACKET_OVERHEAD + 400,
               "a broker's least packet holds one reading");

enum { REASON_DENIED = 0x87, REASON_TOO_LARGE = 0x95, REASON_QUOTA = 0x97, REASON_FORMAT = 0x99 };

bool publish_room(const struct uplink *uplink, size_t bytes)
{
    if (uplink->window.messages + uplink->others >= uplink->message_limit)
        return false;
    return uplink->window.bytes == 0 || uplink->window.bytes + bytes <= UPLINK_BYTES_MAX;
}

bool publish_may_begin(const struct uplink *uplink, size_t bytes)
{
    bool one_by_one =
        suspect_active(&uplink->suspect) || (uplink->proof.needed && !uplink->proof.proven);

    return one_by_one ? window_count(&uplink->window) == 0 && uplink->others == 0
                      : publish_room(uplink, bytes);
}

size_t publish_limit(const struct uplink *uplink)
{
    size_t beside = strlen(uplink->topic_data) + PACKET_OVERHEAD;

    return uplink->packet_limit < PAYLOAD_SIZE_MAX + beside ? uplink->packet_limit - beside
                                                            : PAYLOAD_SIZE_MAX;
}

bool publish_fits(const struct uplink *uplink, const char *topic, size_t bytes)
{
    return strlen(topic) + PACKET_OVERHEAD + bytes <= uplink->packet_limit;
}

static bool may_publish(const struct uplink *uplink)
{
    return uplink->phase == PHASE_ONLINE && !uplink->rewind && uplink->pause_ns == 0 &&
           uplink->announce == ANNOUNCE_DONE;
}

void publish_rewind(struct uplink *uplink, int64_t now_ns)
{
    if (uplink->rewind)
        return;
    uplink->rewind = true;
    uplink->settle_ns = now_ns + UPLINK_SETTLE_NS;
}

/* Goes back to the cursor: once every message is answered, so that old ones do not come between. */
static void finish_rewind(struct uplink *uplink, int64_t now_ns)
{
    uint64_t from = cursor_resume(uplink->cursor);

    if (!uplink->rewind || (uplink->window.messages > 0 && now_ns < uplink->settle_ns))
        return;
    for (uint32_t i = uplink->window.head; i != uplink->window.tail; i++)
        uplink->stats.replayed += uplink->window.units[i & (uplink->window.capacity - 1)].events;
    window_reset(&uplink->window);
    batch_clear(&uplink->batch);
    uplink->flush_wanted = uplink->mark_wanted = false;
    uplink->have_event = uplink->group_open = false;
    uplink->drop_reason = 0;
    uplink->next = from > 0 ? from : 1;
    uplink->repeated_n = journal_durable(uplink->journal, NULL);
    reader_seek(uplink->reader, uplink->next);
    uplink->rewind = false;
}

static void pause_for(struct uplink *uplink, const char *state, const char *sentence)
{
    uint32_t bits = UINT32_MAX / 2;

    getrandom(&bits, sizeof(bits), GRND_NONBLOCK);
    uplink->pause_ns = clock_mono(&clock_system) + backoff_fail(&uplink->hold, bits) + 1;
    uplink->stats.next_try_mono_ns = uplink->pause_ns;
    tell_status(uplink, state, sentence);
}

/* The oldest refused message decides how to go on. */
static void deal_with_refusal(struct uplink *uplink, int64_t now_ns)
{
    const struct unit *unit = window_refused(&uplink->window);
    char sentence[TUNNEL_SENTENCE_SIZE];
    int reason = unit ? unit->refused : 0;
    enum suspect_cause cause =
        reason == REASON_TOO_LARGE || reason == REASON_FORMAT ? SUSPECT_CONTENT : SUSPECT_UNCLEAR;

    if (!unit || uplink->rewind)
        return;
    publish_rewind(uplink, now_ns);
    if (reason < 0) /* the session was lost: simply again */
        return;
    uplink->stats.refused++;
    if (uplink->proof.needed && !uplink->proof.proven)
        snprintf(
            sentence, sizeof(sentence),
            "the broker acknowledges what is published on %.150s but does not pass it on: allow it "
            "in the broker's access list",
            uplink->topic_data);
    else
        reason_puback(reason, uplink->topic_data, sentence, sizeof(sentence));
    if (reason == REASON_QUOTA) {
        pause_for(uplink, "online", sentence);
    } else if (reason == REASON_DENIED) {
        tell_trouble(uplink, TROUBLE_DENIED, sentence);
        uplink->refused = true;
        pause_for(uplink, "refused", sentence);
        uplink->stats.cause = ERR_DENIED;
    } else if (suspect_refused(&uplink->suspect, unit->first, unit->last_event, unit->events,
                               cause) == SUSPECT_LATER) {
        pause_for(uplink, "online", sentence);
    } else {
        log_warn("uplink", "%s: %s", uplink->options->id, sentence);
    }
}

static void settle_unit(struct uplink *uplink, const struct unit *unit)
{
    if (unit->drop == GAP_POISON) {
        char sentence[128];

        snprintf(sentence, sizeof(sentence),
                 "event %" PRIu64 " is refused by the broker for good and was given up",
                 unit->last);
        tell_alarm(uplink, sentence);
        suspect_buried(&uplink->suspect);
        rival_ended(&uplink->rival, RIVAL_EXPLAINED, 0); /* the broker hung up because of this */
    }
    if (unit->drop != 0)
        cursor_drop(uplink->cursor, unit->first, unit->last, (enum gap_reason)unit->drop);
    else
        cursor_ack(uplink->cursor, unit->first, unit->last);
    if (suspect_accepted(&uplink->suspect, unit->first, unit->last))
        publish_rewind(uplink, clock_mono(&clock_system));
}

/* Moves the cursor over all that is done, neighbours together. */
static void take_done(struct uplink *uplink)
{
    struct unit unit, run = {0};
    bool any = false;

    while (window_take(&uplink->window, &unit)) {
        bool joins = any && unit.drop == 0 && run.drop == 0 && unit.first == run.last + 1 &&
                     !suspect_active(&uplink->suspect);

        if (any && !joins)
            settle_unit(uplink, &run);
        if (joins)
            run.last = unit.last;
        else
            run = unit;
        any = true;
    }
    if (any) {
        settle_unit(uplink, &run);
        uplink->hold.failures = 0;
        if (!uplink->rival.told) /* each turn with a rival is no news */
            uplink->reason[0] = '\0';
        uplink->refused = false;
        tell_over(uplink, TROUBLE_DENIED);
        if (uplink->phase == PHASE_ONLINE && uplink->pause_ns == 0 && !uplink->rewind &&
            uplink->stats.error[0] && uplink->stats.delivery_proven)
            tell_status(uplink, "online", "");
    }
}

void publish_answer(struct uplink *uplink, uint32_t token, int reason)
{
    bool accepted = reason >= 0 && reason < 0x80;

    uplink->answered_ns = clock_mono(&clock_system);
    if (token & WINDOW_TOKEN_OTHER) {
        if (token != (WINDOW_TOKEN_OTHER | uplink->others_generation) || uplink->others == 0)
            return;
        uplink->others--;
        if (!accepted && reason >= 0)
            log_warn("uplink", "%s: the broker refuses a description or status (reason 0x%02x)",
                     uplink->options->id, (unsigned)reason);
        return;
    }
    if (!window_answer(&uplink->window, token, reason))
        return;
    if (accepted) {
        uplink->stats.acknowledged++;
        uplink->stats.nobody_subscribes = reason == MQTT_REASON_NOBODY;
        if (uplink->stats.version == 5)
            uplink->stats.delivery_proven = true;
    }
    take_done(uplink);
}

/* Hands the batch over. Returns false when it has to wait. */
bool publish_send_batch(struct uplink *uplink)
{
    struct batch *batch = &uplink->batch;
    struct unit *unit;
    const char *payload;
    uint32_t token;
    size_t size;

    if (!publish_may_begin(uplink, batch->text.size) || !proof_ready(uplink))
        return false;
    unit = window_begin(&uplink->window, batch->first);
    if (!unit)
        return false;
    payload = batch_finish(batch, uplink->gateway, uplink->options->id, &size);
    token = window_send(&uplink->window, (uint32_t)size);
    if (mqtt_publish(uplink->mqtt, uplink->topic_data, payload, size, 1, false, token) != 0) {
        window_unsend(&uplink->window, (uint32_t)size);
        window_abort(&uplink->window);
        return false;
    }
    proof_expect(uplink, uplink->topic_data, payload, size);
    window_finish(&uplink->window, batch->last, batch->events);
    unit->last_event = batch->last_event;
    unit->drop = uplink->drop_reason;
    uplink->drop_reason = 0;
    uplink->stats.published++;
    uplink->stats.bytes += size;
    batch_clear(batch);
    return true;
}

/* An event that must be told as lost, in a message of its own whose range the cursor counts as
 * dropped. */
static void add_lost(struct uplink *uplink, const struct gap *gap, uint32_t epoch, int64_t now_ns)
{
    if (uplink->batch.first != 0) {
        uplink->flush_wanted = true;
        return;
    }
    uplink->have_event = false;
    if (gap->last < uplink->next) /* told before */
        return;
    batch_add_lost(&uplink->batch, uplink->next, gap, epoch, clock_wall(uplink->clock), now_ns);
    uplink->next = gap->last + 1;
    uplink->drop_reason = gap->reason;
    uplink->flush_wanted = true;
}

/* Whether the clock of the event may yet be corrected: then it waits. */
static bool clock_pending(struct uplink *uplink, int64_t now_ns)
{
    struct event *event = &uplink->event;
    struct journal_stats stats;

    if (event->trust != CLOCK_UNSET)
        return false;
    event->trust =
        (uint8_t)journal_wall(uplink->journal, event->boot, event->mono_ns, &event->wall_ns);
    if (event->trust != CLOCK_UNSET)
        return false;
    journal_stats(uplink->journal, &stats);
    return event->boot == stats.boot &&
           now_ns < uplink->started_ns + uplink->options->clock_wait_ns;
}

static void took(struct uplink *uplink)
{
    uplink->next = uplink->event.n + 1;
    uplink->have_event = false;
}

static void give_up(struct uplink *uplink, int64_t now_ns)
{
    const struct gap gap = {
        .first = uplink->event.n, .last = uplink->event.n, .count = 1, .reason = GAP_POISON};

    add_lost(uplink, &gap, uplink->event.epoch, now_ns);
}

static void give_up_large(struct uplink *uplink, int64_t now_ns)
{
    log_warn("uplink", "%s: event %" PRIu64 " is larger than the broker allows a message to be",
             uplink->options->id, uplink->event.n);
    give_up(uplink, now_ns);
}

static void add_to_batch(struct uplink *uplink, const struct label *label, bool uncertain,
                         int64_t now_ns)
{
    const struct event *event = &uplink->event;
    struct batch *batch = &uplink->batch;

    if (batch_add(batch, uplink->next, event, label, uncertain, now_ns) == 0) {
        took(uplink);
        uplink->flush_wanted = batch->events >= suspect_limit(&uplink->suspect, batch->first);
    } else if (batch->first != 0) {
        uplink->flush_wanted = true;
    } else {
        give_up_large(uplink, now_ns);
    }
}

/* What has a message of its own must not come into the middle of a unit of values. */
static bool ends_group(const struct uplink *uplink)
{
    uint64_t n = uplink->event.n;

    return n == 0 || n == uplink->suspect.aside || n == uplink->suspect.poison;
}

/* Takes the event that was read, or says by returning false that it has to wait. */
static bool take_event(struct uplink *uplink, int64_t now_ns)
{
    const struct event *event = &uplink->event;
    struct batch *batch = &uplink->batch;
    const struct label *label;
    bool uncertain;

    if (uplink->group_open && ends_group(uplink) && !values_finish(uplink))
        return false;
    if (event->n == 0) {
        add_lost(uplink, event->value.gap, event->epoch ? event->epoch : batch->epoch, now_ns);
        return true;
    }
    if ((batch->first != 0 && batch->epoch != event->epoch) || event->n == uplink->suspect.aside) {
        if (batch->first != 0) {
            uplink->flush_wanted = true;
            return true;
        }
        took(uplink); /* set aside */
        return true;
    }
    if (event->n == uplink->suspect.poison) {
        give_up(uplink, now_ns);
        return true;
    }
    if (event->kind == EVENT_DECLARE && !announce_declared(uplink, event->stream))
        return false; /* what a device of another program is goes out before its data */
    if (!payload_publishes((enum event_kind)event->kind)) {
        if (uplink->options->layout == UPLINK_VALUES) {
            if (!values_skip(uplink))
                return false;
        } else {
            batch_skip(batch, uplink->next, event->n, event->epoch, now_ns);
        }
        took(uplink);
        return true;
    }
    if (clock_pending(uplink, now_ns))
        return false;
    uncertain = event->trust == CLOCK_UNSET;
    if (uplink->options->layout == UPLINK_VALUES && event->kind == EVENT_READING) {
        bool fits = values_fits(uplink, uncertain);

        if (fits ? !values_add(uplink, uncertain) : uplink->group_open && !values_finish(uplink))
            return false;
        if (fits)
            took(uplink);
        else
            give_up_large(uplink, now_ns);
        return true;
    }
    label = labels_find(&uplink->labels, event->stream);
    if (!label)
        return false; /* out of memory: later */
    if (uplink->group_open && !values_finish(uplink))
        return false;
    add_to_batch(uplink, label, uncertain, now_ns);
    if (uplink->options->layout == UPLINK_VALUES)
        uplink->flush_wanted = true;
    return true;
}

static bool read_event(struct uplink *uplink)
{
    int rc;

    if (uplink->have_event)
        return true;
    rc = reader_next(uplink->reader, &uplink->event);
    if (rc < 0)
        log_warn("uplink", "%s: the journal cannot be read at %" PRIu64 ": %s", uplink->options->id,
                 reader_position(uplink->reader), error_text(rc));
    uplink->have_event = rc == 1;
    uplink->caught_up = rc != 1;
    return uplink->have_event;
}

static int64_t linger_until(const struct uplink *uplink)
{
    int64_t linger_ns = uplink->options->linger_ns;

    if (uplink->stopping)
        return 0;
    if (uplink->batch.events == 0 && linger_ns < EMPTY_LINGER_NS)
        linger_ns = EMPTY_LINGER_NS;
    return uplink->batch.oldest_ns + linger_ns;
}

static void fill(struct uplink *uplink, int64_t now_ns)
{
    for (;;) {
        if (uplink->flush_wanted) {
            if (!publish_send_batch(uplink))
                return;
            uplink->flush_wanted = false;
        }
        if (!read_event(uplink))
            break;
        if (!take_event(uplink, now_ns))
            break; /* it waits; what was taken before it must not wait longer for that */
    }
    if (!uplink->have_event && uplink->suspect.aside != 0 && window_count(&uplink->window) == 0 &&
        uplink->batch.first == 0) {
        suspect_no_neighbour(&uplink->suspect);
        publish_rewind(uplink, now_ns);
        pause_for(uplink, "online", uplink->stats.error);
        return;
    }
    if (uplink->group_open && now_ns >= uplink->group_began_ns + uplink->options->linger_ns)
        uplink->mark_wanted = !values_finish(uplink);
    if (uplink->batch.first != 0 && now_ns >= linger_until(uplink))
        uplink->flush_wanted = !publish_send_batch(uplink);
}

void publish_step(struct uplink *uplink, int64_t now_ns)
{
    deal_with_refusal(uplink, now_ns);
    finish_rewind(uplink, now_ns);
    if (uplink->pause_ns != 0 && now_ns >= uplink->pause_ns) {
        uplink->pause_ns = 0;
        uplink->stats.next_try_mono_ns = 0;
    }
    if (may_publish(uplink))
        fill(uplink, now_ns);
}

int64_t publish_deadline(const struct uplink *uplink, int64_t now_ns)
{
    int64_t at_ns = INT64_MAX;

    if (uplink->rewind && uplink->window.messages > 0)
        at_ns = uplink->settle_ns;
    if (uplink->pause_ns != 0 && uplink->pause_ns < at_ns)
        at_ns = uplink->pause_ns;
    /* What waits for the broker goes on with its next answer: time alone would change nothing. */
    if (!may_publish(uplink) || uplink->flush_wanted)
        return at_ns;
    if (uplink->have_event && uplink->event.trust == CLOCK_UNSET && now_ns + NS_PER_S < at_ns)
        at_ns = now_ns + NS_PER_S;
    if (uplink->batch.first != 0 && linger_until(uplink) < at_ns)
        at_ns = linger_until(uplink);
    if (uplink->group_open && !uplink->mark_wanted &&
        uplink->group_began_ns + uplink->options->linger_ns < at_ns)
        at_ns = uplink->group_began_ns + uplink->options->linger_ns;
    return at_ns;
}
