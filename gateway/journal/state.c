#include "journal/state.h"

#include "core/bytes.h"
#include "core/codec.h"
#include "core/error.h"
#include "journal/events.h"

#include <string.h>

int state_init(struct state *state)
{
    memset(state, 0, sizeof(*state));
    boots_init(&state->boots);
    steps_init(&state->steps);
    cursors_init(&state->cursors);
    return streams_init(&state->streams);
}

void state_clear(struct state *state)
{
    streams_clear(&state->streams);
    cursors_clear(&state->cursors);
    boots_clear(&state->boots);
    steps_clear(&state->steps);
}

static void count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/* A counter that one thread alone changes needs no locked instruction. */
static void count_own(_Atomic uint64_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static int restore(struct state *state, const struct stream *stream)
{
    int error = streams_restore(&state->streams, stream);
    if (error == 0 && stream->number > state->declared)
        state->declared = stream->number;
    return error;
}

static int apply_declaration(struct state *state, const struct event *event)
{
    struct stream stream;
    if (event->value.type != VALUE_BYTES ||
        stream_unpack(&stream, event->value.data, event->value.size) < 0)
        return ERR_CORRUPT;
    return restore(state, &stream);
}

static void apply_gap(struct state *state, const struct event *event)
{
    if (event->value.type != VALUE_GAP)
        return;
    const struct gap *gap = event->value.gap;
    if (gap->reason < GAP_REASONS)
        count(&state->dropped[gap->reason], gap->count);
    if (gap->first == 0 && (gap->reason == GAP_OVERLOAD || gap->reason == GAP_STORAGE))
        count(&state->refused, gap->count);
}

int state_apply_event(struct state *state, const struct event *event)
{
    int error = 0;
    if (event->n <= state->applied_n)
        return 0;
    state->applied_n = event->n;
    count_own(&state->stored);
    atomic_store_explicit(&state->newest_wall_ns, event->wall_ns, memory_order_relaxed);
    if (event->kind == EVENT_DECLARE)
        error = apply_declaration(state, event);
    else if (event->kind == EVENT_GAP)
        apply_gap(state, event);
    struct stream_entry *entry = streams_get(&state->streams, event->stream);
    if (!entry)
        return error;
    count_own(&entry->stored);
    if (event->kind == EVENT_READING || event->kind == EVENT_STATE)
        stream_entry_take(entry, event);
    else if (event->kind == EVENT_CONFIG && event->value.type == VALUE_TEXT &&
             event->value.size <= STREAM_LEARNT_SIZE_MAX && error == 0)
        error = streams_learn(&state->streams, event->stream, event->value.data, event->value.size);
    return error;
}

static int apply_boot(struct state *state, struct unpacker *body)
{
    struct boot boot;
    boot.number = (uint32_t)unpack_varint(body);
    boot.trust = unpack_byte(body);
    boot.offset_ns = unpack_signed(body);
    unpack_text(body, boot.id, sizeof(boot.id));
    if (body->bad || boot.number == 0)
        return ERR_CORRUPT;
    boots_set(&state->boots, &boot);
    return 0;
}

static int apply_epoch(struct state *state, struct unpacker *body)
{
    uint32_t epoch = unpack_u32(body);
    struct journal_previous previous;
    previous.epoch = unpack_u32(body);
    previous.last = unpack_varint(body);
    unpack_text(body, previous.why, sizeof(previous.why));
    unpack_text(body, state->identity, sizeof(state->identity));
    /* The first journals do not say when. */
    previous.newest_ns = body->at == body->end ? 0 : unpack_signed(body);
    if (body->bad)
        return ERR_CORRUPT;
    state->epoch = epoch;
    state->previous = previous;
    return 0;
}

static int apply_ledger(struct state *state, struct unpacker *body)
{
    uint64_t stored = unpack_varint(body);
    uint64_t refused = unpack_varint(body);
    uint64_t reasons = unpack_varint(body);
    for (uint64_t i = 0; i < reasons && !body->bad; i++) {
        uint64_t dropped = unpack_varint(body);
        if (i < GAP_REASONS)
            state->dropped[i] = dropped;
    }
    state->stored = stored;
    state->refused = refused;
    return body->bad ? ERR_CORRUPT : 0;
}

static void set_refused(struct state *state, uint32_t number, uint64_t refused)
{
    struct stream_refused *counter = streams_refused(&state->streams, number);

    if (counter->count == refused && counter->stored == refused)
        return;
    counter->count = refused;
    counter->stored = refused;
}

static int apply_refused(struct state *state, struct unpacker *body)
{
    struct stream_entry *entry = streams_get(&state->streams, (uint32_t)unpack_varint(body));
    uint64_t refused = unpack_varint(body);
    if (body->bad || !entry)
        return ERR_CORRUPT;
    set_refused(state, entry->number, refused);
    return 0;
}

static int apply_stream(struct state *state, struct unpacker *body)
{
    struct stream stream;
    int error = stream_unpack(&stream, body->at, (size_t)(body->end - body->at));
    return error < 0 ? error : restore(state, &stream);
}

static int apply_last(struct state *state, struct unpacker *body)
{
    struct stream_entry *entry = streams_get(&state->streams, (uint32_t)unpack_varint(body));
    uint64_t stored = unpack_varint(body);
    uint64_t refused = unpack_varint(body);
    if (body->bad || !entry)
        return ERR_CORRUPT;
    entry->stored = stored;
    set_refused(state, entry->number, refused);
    if (body->at == body->end)
        return 0;
    struct event event = {.epoch = (uint32_t)unpack_varint(body)};
    event.boot = (uint32_t)unpack_varint(body);
    event.trust = unpack_byte(body);
    event.wall_ns = unpack_signed(body);
    struct codec codec = {.n = unpack_varint(body) - 1};
    struct gap gap;
    if (body->bad ||
        codec_decode(&codec, body->at, (size_t)(body->end - body->at), &event, &gap) < 0)
        return ERR_CORRUPT;
    stream_entry_take(entry, &event);
    return 0;
}

static int apply_learnt(struct state *state, struct unpacker *body)
{
    uint32_t number = (uint32_t)unpack_varint(body);
    if (body->bad || !streams_get(&state->streams, number))
        return ERR_CORRUPT;
    return streams_learn(&state->streams, number, body->at, (size_t)(body->end - body->at));
}

/* A record that is one number. */
static int apply_number(uint64_t *number, struct unpacker *body)
{
    uint64_t read = unpack_varint(body);
    if (body->bad)
        return ERR_CORRUPT;
    *number = read;
    return 0;
}

static int apply_checkpoint_begin(struct state *state, struct unpacker *body)
{
    state->applied_n = unpack_varint(body);
    state->checkpoint_records = 0;
    state->checkpoint_whole = false;
    return body->bad ? ERR_CORRUPT : 0;
}

static int apply_checkpoint_end(struct state *state, struct unpacker *body)
{
    state->checkpoint_whole = unpack_varint(body) == state->checkpoint_records - 1;
    return body->bad ? ERR_CORRUPT : 0;
}

int state_apply_record(struct state *state, uint8_t type, struct unpacker *body)
{
    state->clean = type == RECORD_CLEAN_END;
    state->checkpoint_records++;
    switch ((enum record_type)type) {
    case RECORD_CURSOR:
    case RECORD_CURSOR_REMOVED:
        return cursors_apply(&state->cursors, type, body);
    case RECORD_BOOT:
        return apply_boot(state, body);
    case RECORD_EPOCH:
        return apply_epoch(state, body);
    case RECORD_LEDGER:
        return apply_ledger(state, body);
    case RECORD_REFUSED:
        return apply_refused(state, body);
    case RECORD_STREAM:
        return apply_stream(state, body);
    case RECORD_LAST:
        return apply_last(state, body);
    case RECORD_LEARNT:
        return apply_learnt(state, body);
    case RECORD_OUTAGE_TOLD:
        return apply_number(&state->outage_told, body);
    case RECORD_STEPS:
        return steps_apply(&state->steps, body);
    case RECORD_RETIRED:
        return apply_number(&state->retired_n, body);
    case RECORD_CHECKPOINT_BEGIN:
        return apply_checkpoint_begin(state, body);
    case RECORD_CHECKPOINT_END:
        return apply_checkpoint_end(state, body);
    case RECORD_CLEAN_END:
        return 0;
    }
    return 0;
}

static int apply_events(struct state *state, const struct frame *frame, const uint8_t *payload,
                        const struct boots *dates, const struct moment *moment)
{
    struct events events;
    struct event event;
    struct gap gap;
    int got;

    events_begin(&events, frame, payload, dates);
    while ((got = events_next(&events, &event, &gap)) > 0) {
        if (event.n > moment->last_n)
            return 1;
        if (event.n >= moment->first_n && event.wall_ns > moment->wall_ns) {
            if (event.wall_ns - STATE_DISORDER_NS > moment->wall_ns)
                return 1;
            continue;
        }
        int error = state_apply_event(state, &event);
        if (error < 0)
            return error;
    }
    return got;
}

int state_apply_frame(struct state *state, const struct frame *frame, const uint8_t *payload,
                      const struct boots *dates, const struct moment *moment)
{
    state->clean = false;
    if (frame->epoch != 0)
        state->epoch = frame->epoch;
    /* A checkpoint has seen what is written again behind it. */
    if (frame->count > 0 && frame->first_n > state->applied_n && frame->trust != CLOCK_UNSET)
        steps_see(&state->steps, frame->first_n, frame->mono_ns, frame->offset_ns, frame->boot);
    int result = apply_events(state, frame, payload, dates, moment);
    struct unpacker records = {.at = payload + frame->events_size, .end = payload + frame->length};
    struct unpacker body;
    uint8_t type;
    while (result == 0) {
        int got = record_get(&records, &type, &body);
        if (got <= 0)
            return got;
        result = state_apply_record(state, type, &body);
    }
    return result;
}

void state_pack_epoch(const struct state *state, struct record_body *body)
{
    record_begin(body);
    pack_u32(&body->packer, state->epoch);
    pack_u32(&body->packer, state->previous.epoch);
    pack_varint(&body->packer, state->previous.last);
    pack_text(&body->packer, state->previous.why);
    pack_text(&body->packer, state->identity);
    pack_signed(&body->packer, state->previous.newest_ns);
}

void state_pack_boot(const struct boot *boot, struct record_body *body)
{
    record_begin(body);
    pack_varint(&body->packer, boot->number);
    pack_byte(&body->packer, boot->trust);
    pack_signed(&body->packer, boot->offset_ns);
    pack_text(&body->packer, boot->id);
}

void state_pack_told(const struct state *state, struct record_body *body)
{
    record_begin(body);
    pack_varint(&body->packer, state->outage_told);
}

void state_pack_retired(const struct state *state, struct record_body *body)
{
    record_begin(body);
    pack_varint(&body->packer, state->retired_n);
}

static void pack_ledger(const struct state *state, struct record_body *body)
{
    record_begin(body);
    pack_varint(&body->packer, state->stored);
    pack_varint(&body->packer, state->refused);
    pack_varint(&body->packer, GAP_REASONS);
    for (size_t i = 0; i < GAP_REASONS; i++)
        pack_varint(&body->packer, state->dropped[i]);
}

static void pack_stream(const struct stream_entry *entry, struct record_body *body)
{
    struct stream stream;
    stream_entry_describe(entry, &stream);
    record_begin(body);
    body->packer.at += stream_pack(&stream, body->bytes);
}

static void pack_last(const struct state *state, const struct stream_entry *entry,
                      struct record_body *body)
{
    struct packer *packer = &body->packer;
    struct event event;

    record_begin(body);
    pack_varint(packer, entry->number);
    pack_varint(packer, entry->stored);
    pack_varint(packer, streams_refused(&state->streams, entry->number)->stored);
    if (!stream_entry_event(entry, &event))
        return;
    pack_varint(packer, event.epoch);
    pack_varint(packer, event.boot);
    pack_byte(packer, event.trust);
    pack_signed(packer, event.wall_ns);
    pack_varint(packer, event.n);
    struct codec codec = {.n = event.n - 1};
    int size = codec_encode(&codec, &event, packer->at, (size_t)(packer->end - packer->at));
    if (size < 0)
        packer->full = true;
    else
        packer->at += size;
}

/* Record number `next` of what was learnt. False when there are no more. */
static bool pack_learnt(const struct state *state, uint32_t next, struct record_body *body)
{
    const struct stream_learnt *learnt = state->streams.learnt;
    while (learnt && next-- > 0)
        learnt = learnt->next;
    if (!learnt)
        return false;
    record_begin(body);
    pack_varint(&body->packer, learnt->number);
    pack_bytes(&body->packer, learnt->text, learnt->size);
    return true;
}

enum part {
    PART_BEGIN,
    PART_EPOCH,
    PART_BOOTS,
    PART_LEDGER,
    PART_OUTAGE,
    PART_RETIRED,
    PART_STEPS,
    PART_STREAMS, /* declaration and newest value in turn */
    PART_LEARNT,
    PART_CURSORS,
    PART_END,
    PART_DONE,
};

/* Fills the body with record number `next` of a part, and its type. False when the part has no
 * more. */
static bool pack_record(const struct state *state, const struct state_walk *walk,
                        struct record_body *body, enum record_type *type)
{
    struct boot boot;
    switch ((enum part)walk->part) {
    case PART_BEGIN:
        *type = RECORD_CHECKPOINT_BEGIN;
        record_begin(body);
        pack_varint(&body->packer, state->applied_n);
        return walk->next == 0;
    case PART_EPOCH:
        *type = RECORD_EPOCH;
        state_pack_epoch(state, body);
        return walk->next == 0;
    case PART_BOOTS:
        *type = RECORD_BOOT;
        if (!boots_get(&state->boots, walk->next, &boot))
            return false;
        state_pack_boot(&boot, body);
        return true;
    case PART_LEDGER:
        *type = RECORD_LEDGER;
        pack_ledger(state, body);
        return walk->next == 0;
    case PART_OUTAGE:
        *type = RECORD_OUTAGE_TOLD;
        state_pack_told(state, body);
        return walk->next == 0 && state->outage_told != 0;
    case PART_RETIRED:
        *type = RECORD_RETIRED;
        state_pack_retired(state, body);
        return walk->next == 0 && state->retired_n != 0;
    case PART_STEPS:
        *type = RECORD_STEPS;
        record_begin(body);
        steps_pack(&state->steps, &body->packer);
        return walk->next == 0;
    case PART_STREAMS: {
        const struct stream_entry *entry = streams_get(&state->streams, walk->next / 2 + 1);
        if (!entry || entry->number > state->declared)
            return false;
        *type = walk->next % 2 == 0 ? RECORD_STREAM : RECORD_LAST;
        if (*type == RECORD_STREAM)
            pack_stream(entry, body);
        else
            pack_last(state, entry, body);
        return true;
    }
    case PART_LEARNT:
        *type = RECORD_LEARNT;
        return pack_learnt(state, walk->next, body);
    case PART_END:
        *type = RECORD_CHECKPOINT_END;
        record_begin(body);
        pack_varint(&body->packer, walk->records - 1);
        return walk->next == 0;
    default:
        return false;
    }
}

bool state_pack(struct state *state, struct state_walk *walk, struct packer *out)
{
    while (walk->part != PART_DONE) {
        struct record_body body;
        enum record_type type;
        bool more = false;
        if (walk->part == PART_CURSORS) {
            walk->records += cursors_pack(&state->cursors, out, true, &walk->next);
            if (walk->next < 2 * CURSORS_MAX)
                return true;
        } else if (pack_record(state, walk, &body, &type)) {
            if (!record_put(out, type, &body))
                return true;
            walk->next++;
            walk->records++;
            more = true;
        }
        if (!more) {
            walk->part++;
            walk->next = 0;
        }
    }
    return false;
}

size_t state_size(struct state *state)
{
    size_t size = 512;
    struct boot boot;
    for (uint32_t at = 0; boots_get(&state->boots, at, &boot); at++)
        size += sizeof(boot) + 8;
    size += cursors_count(&state->cursors) * sizeof(struct cursor);
    for (const struct stream_learnt *at = state->streams.learnt; at; at = at->next)
        size += at->size + 16u;
    uint32_t streams = streams_count(&state->streams);
    for (uint32_t number = 1; number <= streams; number++) {
        const struct stream_entry *entry = streams_get(&state->streams, number);
        size += 110 + strlen(entry->device) + strlen(entry->about->point) +
                strlen(entry->about->name) + strlen(entry->about->unit) +
                stream_entry_text_size(entry);
    }
    return size;
}
