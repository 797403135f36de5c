#include "faults/history.h"

#include <string.h>

#include "faults/must.h"

const char *const history_cursor_names[HISTORY_CURSORS] = {"uplink/cloud", "uplink/local", "rules"};

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0xD6E8FEB86659FD93);
    return hash ^ (hash >> 32);
}

uint64_t history_fingerprint(const struct event *event)
{
    const struct value *value = &event->value;
    uint64_t hash = mix(event->stream, (uint64_t)event->kind << 32 | event->status);
    hash = mix(hash, (uint64_t)event->mono_ns);
    hash = mix(hash, (uint64_t)event->boot << 8 | value->type);
    switch (value->type) {
    case VALUE_NONE:
        return hash;
    case VALUE_BOOL:
        return mix(hash, value->b);
    case VALUE_TEXT:
    case VALUE_BYTES:
        for (size_t i = 0; i < value->size; i++)
            hash = mix(hash, ((const uint8_t *)value->data)[i]);
        return mix(hash, value->size);
    case VALUE_GAP:
        hash = mix(mix(hash, value->gap->first), value->gap->last);
        return mix(mix(hash, value->gap->count),
                   (uint64_t)value->gap->extent_ms << 8 | value->gap->reason);
    default:
        return mix(hash, value->u);
    }
}

void history_close(struct history *history)
{
    free(history->events);
    free(history->marks);
    free(history->cleans);
    *history = (struct history){0};
}

static struct known *at(struct history *history, uint64_t n)
{
    if (n >= history->room) {
        uint64_t room = n + 1024;
        history->events = must_grow(history->events, (size_t)room, sizeof(*history->events));
        for (uint64_t i = history->room; i < room; i++) {
            struct known *fresh = &history->events[i];
            *fresh = (struct known){0};
            for (int c = 0; c < HISTORY_CURSORS; c++)
                fresh->acked_at[c] = fresh->sure_at[c] = HISTORY_NEVER;
        }
        history->room = room;
    }
    return &history->events[n];
}

static const struct known *look(const struct history *history, const struct event *event)
{
    if (event->n > history->last || history->events[event->n].epoch != event->epoch)
        return NULL;
    return &history->events[event->n];
}

bool history_agrees(const struct history *history, const struct event *event)
{
    const struct known *known = look(history, event);
    return known == NULL || known->content == history_fingerprint(event);
}

bool history_see(struct history *history, const struct event *event)
{
    if (!history_agrees(history, event))
        return false;
    struct known *known = at(history, event->n);
    known->epoch = event->epoch;
    known->stream = event->stream;
    known->kind = event->kind;
    known->content = history_fingerprint(event);
    if (event->n > history->last)
        history->last = event->n;
    return true;
}

void history_mark(struct history *history, size_t position, uint64_t durable, uint64_t oldest)
{
    history->marks = must_grow(history->marks, history->mark_count + 1, sizeof(*history->marks));
    history->marks[history->mark_count++] =
        (struct history_mark){.position = position, .durable = durable, .oldest = oldest};
}

void history_clean_begin(struct history *history, size_t position)
{
    history->cleans =
        must_grow(history->cleans, history->clean_count + 1, sizeof(*history->cleans));
    history->cleans[history->clean_count++] =
        (struct history_clean){.from = position, .to = HISTORY_NEVER};
}

void history_clean_end(struct history *history, size_t position)
{
    history->cleans[history->clean_count - 1].to = position;
}

bool history_clean(const struct history *history, size_t position)
{
    for (size_t i = 0; i < history->clean_count; i++)
        if (history->cleans[i].from <= position && position <= history->cleans[i].to)
            return true;
    return false;
}

void history_branch(struct history *branch, const struct history *history, uint64_t last,
                    size_t position)
{
    *branch = (struct history){0};
    for (uint64_t n = 1; n <= last && n <= history->last; n++) {
        struct known *known = at(branch, n);
        *known = history->events[n];
        for (int c = 0; c < HISTORY_CURSORS; c++) {
            known->acked_at[c] = known->acked_at[c] <= position ? 0 : HISTORY_NEVER;
            known->sure_at[c] = known->sure_at[c] <= position ? 0 : HISTORY_NEVER;
        }
        if (known->epoch != 0)
            branch->last = n;
    }
}

void history_ack(struct history *history, int cursor, uint64_t first, uint64_t last,
                 size_t position)
{
    for (uint64_t n = first; n <= last; n++) {
        struct known *known = at(history, n);
        if (known->acked_at[cursor] == HISTORY_NEVER)
            known->acked_at[cursor] = position;
    }
}

void history_sure(struct history *history, size_t position)
{
    for (uint64_t n = 1; n <= history->last; n++)
        for (int c = 0; c < HISTORY_CURSORS; c++) {
            struct known *known = &history->events[n];
            if (known->acked_at[c] != HISTORY_NEVER && known->sure_at[c] == HISTORY_NEVER)
                known->sure_at[c] = position;
        }
}

uint64_t history_durable(const struct history *history, struct medium *medium, size_t position)
{
    uint64_t durable = 0;
    for (size_t i = 0; i < history->mark_count && history->marks[i].position <= position; i++)
        durable = history->marks[i].durable;
    /* The observation made before a record belongs to the moment before it. */
    if (position < medium_log_size(medium) && medium_log(medium, position)->observed > durable)
        durable = medium_log(medium, position)->observed;
    if (position > 0 && medium_log(medium, position - 1)->observed > durable)
        durable = medium_log(medium, position - 1)->observed;
    return durable;
}

/* The mark behind the moment may have been made while a retirement was under way: the next one
 * counts. */
uint64_t history_oldest(const struct history *history, size_t position)
{
    size_t i = 0;
    while (i < history->mark_count && history->marks[i].position < position)
        i++;
    if (i + 1 < history->mark_count)
        i++;
    if (i == history->mark_count)
        return i > 0 ? history->marks[i - 1].oldest : 0;
    return history->marks[i].oldest;
}

uint64_t history_unacked(const struct history *history, int cursor, uint64_t from, size_t position,
                         bool sure)
{
    for (uint64_t n = from; n <= history->last; n++) {
        const struct known *known = &history->events[n];
        if ((sure ? known->sure_at[cursor] : known->acked_at[cursor]) > position)
            return n;
    }
    return history->last + 1;
}

uint64_t history_unacked_below(const struct history *history, int cursor, uint64_t below,
                               size_t position)
{
    uint64_t count = 0;
    for (uint64_t n = 1; n < below; n++)
        count += n > history->last || history->events[n].acked_at[cursor] > position;
    return count;
}
