#include "units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

static int parse_number(const char *text, uint64_t max, uint64_t *value)
{
    char *end;

    if (*text < '0' || *text > '9')
        return -EINVAL;
    errno = 0;
    *value = strtoull(text, &end, 0);
    return *end || errno || *value > max ? -EINVAL : 0;
}

/* "VALUE/COUNT": cuts the count off; without one the fault stays until it is healed. */
static int split_count(char *text, uint64_t *count)
{
    char *slash = strchr(text, '/');

    *count = UINT64_MAX;
    if (!slash)
        return 0;
    *slash = '\0';
    return parse_number(slash + 1, UINT64_MAX, count);
}

static int set_registers(struct unit *unit, char *value)
{
    uint64_t n;

    if (parse_number(value, 65536, &n) < 0 || n == 0)
        return -EINVAL;
    unit->registers = (uint32_t)n;
    return 0;
}

static int set_start(struct unit *unit, char *value)
{
    uint64_t n;

    if (parse_number(value, UINT32_MAX, &n) < 0)
        return -EINVAL;
    unit->counter = (uint32_t)n;
    return 0;
}

static int set_turnaround(struct unit *unit, char *value)
{
    return wire_parse_duration(value, &unit->turnaround_ns) < 0 ? -EINVAL : 0;
}

static int set_silent(struct unit *unit, char *value)
{
    if (*value)
        return -EINVAL;
    unit->silent = true;
    return 0;
}

static int set_revived(struct unit *unit, char *value)
{
    if (*value)
        return -EINVAL;
    unit->silent = false;
    unit->dead_ns = 0;
    return 0;
}

static int set_dead_after(struct unit *unit, char *value)
{
    if (wire_parse_duration(value, &unit->dead_ns) < 0)
        return -EINVAL;
    unit->dead_ns += wire_now_ns();
    unit->alive_ns = 0;
    return 0;
}

static int set_alive_after(struct unit *unit, char *value)
{
    if (wire_parse_duration(value, &unit->alive_ns) < 0)
        return -EINVAL;
    unit->alive_ns += wire_now_ns();
    return 0;
}

static int set_delay(struct unit *unit, char *value)
{
    if (split_count(value, &unit->delay_left) < 0)
        return -EINVAL;
    return wire_parse_duration(value, &unit->delay_ns) < 0 ? -EINVAL : 0;
}

static int set_dribble(struct unit *unit, char *value)
{
    return wire_parse_duration(value, &unit->dribble_ns) < 0 ? -EINVAL : 0;
}

static int set_exception(struct unit *unit, char *value)
{
    uint64_t code;

    if (split_count(value, &unit->exception_left) < 0 || parse_number(value, 255, &code) < 0)
        return -EINVAL;
    unit->exception = (uint8_t)code;
    return 0;
}

static int set_lacks(struct unit *unit, char *value)
{
    uint64_t function;

    if (parse_number(value, 127, &function) < 0)
        return -EINVAL;
    unit->lacks = (uint8_t)function;
    return 0;
}

static int set_stuck(struct unit *unit, char *value)
{
    if (*value)
        return -EINVAL;
    unit->stuck = true;
    return 0;
}

static int set_corruption(struct unit *unit, char *value)
{
    static const char *const names[] = {
        [CORRUPT_BITS] = "bits",        [CORRUPT_SHORT] = "short",
        [CORRUPT_UNIT] = "unit",        [CORRUPT_FUNCTION] = "function",
        [CORRUPT_LENGTH] = "length",    [CORRUPT_TRANSACTION] = "transaction",
        [CORRUPT_PROTOCOL] = "protocol"};
    unsigned of, in;
    int used = 0;

    if (strcmp(value, "off") == 0) {
        unit->corrupt_of = 0;
        return 0;
    }
    if (sscanf(value, "%u/%u%n", &of, &in, &used) < 2 || in == 0 || of > in || in > 1000000)
        return -EINVAL;
    unit->corrupt_of = of;
    unit->corrupt_in = in;
    unit->corrupt_due = 0;
    unit->corruption = CORRUPT_BITS;
    if (!value[used])
        return 0;
    for (size_t i = CORRUPT_BITS; i < sizeof names / sizeof names[0]; i++) {
        if (value[used] == '/' && strcmp(value + used + 1, names[i]) == 0) {
            unit->corruption = (enum unit_corruption)i;
            return 0;
        }
    }
    unit->corrupt_of = 0;
    return -EINVAL;
}

static int set_healed(struct unit *unit, char *value)
{
    unit->delay_ns = 0;
    unit->dribble_ns = 0;
    unit->exception = 0;
    unit->corrupt_of = 0;
    unit->lacks = 0;
    unit->stuck = false;
    return set_revived(unit, value);
}

static const struct {
    const char *name;
    int (*set)(struct unit *unit, char *value);
} settings[] = {
    {"regs", set_registers},        {"start", set_start},
    {"turnaround", set_turnaround}, {"silent", set_silent},
    {"silence", set_silent},        {"revive", set_revived},
    {"dead_after", set_dead_after}, {"alive_after", set_alive_after},
    {"delay", set_delay},           {"dribble", set_dribble},
    {"exception", set_exception},   {"corrupt", set_corruption},
    {"lacks", set_lacks},           {"stuck", set_stuck},
    {"heal", set_healed},
};

int unit_set(struct unit *unit, const char *name, const char *value)
{
    char copy[128];

    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (strcmp(settings[i].name, name) != 0)
            continue;
        if (snprintf(copy, sizeof copy, "%s", value) >= (int)sizeof copy)
            return -EINVAL;
        return settings[i].set(unit, copy);
    }
    return -ENOENT;
}

bool unit_knows(const char *name)
{
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (strcmp(settings[i].name, name) == 0)
            return true;
    }
    return false;
}

void units_join(size_t first, size_t count, char *words[], char *value, size_t size)
{
    size_t used = 0;

    value[0] = '\0';
    for (size_t i = first; i < count && used < size; i++)
        used += (size_t)snprintf(value + used, size - used, i > first ? "/%s" : "%s", words[i]);
}

void units_stats(const struct units *units, char *text, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < units->count; i++) {
        const struct unit *unit = &units->unit[i];
        int n = snprintf(
            text + used, size - used,
            "%s\"%s\":{\"id\":%d,\"requests\":%" PRIu64 ",\"replies\":%" PRIu64 ",\"counter\":%u}",
            i ? "," : "", unit->name, unit->id, unit->requests, unit->replies, unit->counter);

        /* 160 bytes are more than one unit takes: what is cut off is cut between two. */
        if (n < 0 || used + (size_t)n + 160 > size)
            break;
        used += (size_t)n;
    }
    snprintf(text + used, size - used, "}}");
}

struct unit *units_find(struct units *units, const char *who)
{
    uint64_t id;

    if (parse_number(who, 255, &id) == 0)
        return units->by_id[id];
    for (size_t i = 0; i < units->count; i++) {
        if (strcmp(units->unit[i].name, who) == 0)
            return &units->unit[i];
    }
    return NULL;
}

int units_set(struct units *units, const char *who, const char *name, const char *value)
{
    struct unit *unit = units_find(units, who);
    int result = -ESRCH;

    if (unit)
        return unit_set(unit, name, value);
    if (strcmp(who, "*") != 0 && strcmp(who, "all") != 0)
        return -ESRCH;
    for (size_t i = 0; i < units->count; i++) {
        result = unit_set(&units->unit[i], name, value);
        if (result < 0)
            break;
    }
    return result;
}

static int apply_settings(struct unit *unit, char *list)
{
    char *rest = list;
    char *item;

    while ((item = strsep(&rest, ",")) != NULL) {
        char *value = strchr(item, '=');

        if (value)
            *value++ = '\0';
        if (*item && unit_set(unit, item, value ? value : "") < 0)
            return -1;
    }
    return 0;
}

static struct unit *add_one(struct units *units, unsigned id)
{
    struct unit *unit;

    if (id > 255 || units->by_id[id] || units->count == UNITS_MAX)
        return NULL;
    unit = &units->unit[units->count++];
    unit->id = (uint8_t)id;
    units->by_id[id] = unit;
    return unit;
}

int units_add(struct units *units, const char *spec, char *error, size_t error_size)
{
    char copy[512], list[512];
    const char *name = "unit";
    char *end, *comma;
    unsigned first, last;

    if (snprintf(copy, sizeof copy, "%s", spec) >= (int)sizeof copy)
        copy[0] = '\0';
    comma = strchr(copy, ',');
    if (comma)
        *comma++ = '\0';
    first = last = (unsigned)strtoul(copy, &end, 0);
    if (end != copy && *end == '-')
        last = (unsigned)strtoul(end + 1, &end, 0);
    if (*end == ':' && end[1])
        name = end + 1;
    else if (end == copy || *end)
        last = 256;
    if (first > last || last > 255 || strlen(name) > 40) {
        snprintf(error, error_size, "unit '%s': expected ID[-LAST][:NAME][,key=value]...", spec);
        return -1;
    }
    for (unsigned id = first; id <= last; id++) {
        struct unit *unit = add_one(units, id);
        bool numbered = first != last || *end != ':';

        snprintf(list, sizeof list, "%s", comma ? comma : "");
        if (!unit || apply_settings(unit, list) < 0) {
            snprintf(error, error_size, "unit '%s': %s", spec,
                     unit ? "a setting is unknown or out of range" : "given twice");
            return -1;
        }
        if (numbered)
            snprintf(unit->name, sizeof unit->name, "%s%u", name, id);
        else
            snprintf(unit->name, sizeof unit->name, "%s", name);
    }
    return 0;
}

struct unit_mood unit_decide(struct unit *unit, int64_t now_ns)
{
    struct unit_mood mood = {.dribble_ns = unit->dribble_ns};

    mood.silent = unit->silent || (unit->dead_ns && now_ns >= unit->dead_ns &&
                                   !(unit->alive_ns && now_ns >= unit->alive_ns));
    if (mood.silent)
        return mood;
    if (unit->delay_ns && unit->delay_left) {
        mood.delay_ns = unit->delay_ns;
        unit->delay_left--;
    }
    if (unit->exception && unit->exception_left) {
        mood.exception = unit->exception;
        unit->exception_left--;
    }
    /* Evenly spread instead of by chance: "1/10" is then exactly every tenth reply. */
    if (unit->corrupt_of) {
        unit->corrupt_due += unit->corrupt_of;
        if (unit->corrupt_due >= unit->corrupt_in) {
            unit->corrupt_due -= unit->corrupt_in;
            mood.corruption = unit->corruption;
        }
    }
    return mood;
}
