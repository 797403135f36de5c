#include "core/event.h"

#include <string.h>

const char *event_kind_name(enum event_kind kind)
{
    switch (kind) {
    case EVENT_READING:
        return "reading";
    case EVENT_STATE:
        return "state";
    case EVENT_ALARM:
        return "alarm";
    case EVENT_COMMAND:
        return "command";
    case EVENT_RESULT:
        return "result";
    case EVENT_GAP:
        return "gap";
    case EVENT_CLOCK:
        return "clock";
    case EVENT_CONFIG:
        return "config";
    case EVENT_LIFECYCLE:
        return "lifecycle";
    case EVENT_DECLARE:
        return "declare";
    }
    return NULL;
}

const char *gap_reason_name(enum gap_reason reason)
{
    switch (reason) {
    case GAP_CRASH:
        return "crash";
    case GAP_RETENTION:
        return "retention";
    case GAP_OVERLOAD:
        return "overload";
    case GAP_DAMAGE:
        return "damage";
    case GAP_POISON:
        return "poison";
    case GAP_STORAGE:
        return "storage";
    }
    return "unknown";
}

const char *event_quality(uint16_t status)
{
    switch (status >> 14) {
    case 0:
        return "good";
    case 1:
        return "uncertain";
    default:
        return "bad";
    }
}

static bool gap_equal(const struct gap *a, const struct gap *b)
{
    return a->first == b->first && a->last == b->last && a->count == b->count &&
           a->extent_ms == b->extent_ms && a->reason == b->reason;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (a->type != b->type)
        return false;
    switch ((enum value_type)a->type) {
    case VALUE_NONE:
        return true;
    case VALUE_BOOL:
        return a->b == b->b;
    case VALUE_I64:
        return a->i == b->i;
    case VALUE_U64:
        return a->u == b->u;
    case VALUE_F64:
        return memcmp(&a->f, &b->f, sizeof(a->f)) == 0;
    case VALUE_TEXT:
    case VALUE_BYTES:
        return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
    case VALUE_GAP:
        return gap_equal(a->gap, b->gap);
    }
    return false;
}

bool id_valid(const char *id)
{
    size_t size = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    return size > 0 && size < ID_SIZE_MAX && id[size] == '\0';
}
