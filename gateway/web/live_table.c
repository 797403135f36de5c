#include "web/live_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/status.h"

#define NONE UINT32_MAX

struct live_text {
    uint16_t room;
    char bytes[];
};

struct live_point {
    uint64_t n;     /* of the reading; 0: none is known */
    uint64_t place; /* of its change in the order of changes, from 1 */
    int64_t wall_ns;
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double f;
        struct live_text *text;
    } value;
    uint32_t stream;
    uint32_t names;        /* offset of "device", a zero, "point", a zero */
    uint32_t older, newer; /* neighbours in the order of changes */
    uint16_t status, size;
    uint8_t type, trust;
    int8_t decimals;
};

struct live_table {
    struct live_point *points;
    char *names;
    uint32_t *by_stream; /* numbers of points; NONE */
    size_t count, room, names_size, names_room, streams_room;
    uint32_t oldest, newest;
    uint64_t place;
};

int live_table_open(struct live_table **out)
{
    struct live_table *table = calloc(1, sizeof *table);

    if (!table)
        return ERR_NOMEM;
    table->oldest = table->newest = NONE;
    *out = table;
    return 0;
}

static bool owns_text(const struct live_point *point)
{
    return point->n != 0 && (point->type == VALUE_TEXT || point->type == VALUE_BYTES);
}

void live_table_close(struct live_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++) {
        if (owns_text(&table->points[i]))
            free(table->points[i].value.text);
    }
    free(table->points);
    free(table->names);
    free(table->by_stream);
    free(table);
}

/* Makes room for `wanted` items in an array that grows by doubling. */
static bool grow(void *array, size_t *room, size_t wanted, size_t item)
{
    void **at = array;
    size_t more = *room ? *room : 64;

    while (more < wanted)
        more *= 2;
    if (more == *room)
        return true;
    void *grown = realloc(*at, more * item);
    if (!grown)
        return false;
    *at = grown;
    *room = more;
    return true;
}

static bool map_stream(struct live_table *table, uint32_t stream, uint32_t point)
{
    size_t before = table->streams_room;

    if (!grow(&table->by_stream, &table->streams_room, (size_t)stream + 1,
              sizeof *table->by_stream))
        return false;
    for (size_t i = before; i < table->streams_room; i++)
        table->by_stream[i] = NONE;
    table->by_stream[stream] = point;
    return true;
}

int live_table_add(struct live_table *table, uint32_t stream, const char *device, const char *point,
                   int8_t decimals)
{
    size_t device_size = strlen(device) + 1, point_size = strlen(point) + 1;

    if (live_table_find(table, stream) != SIZE_MAX)
        return 0;
    if (!grow(&table->points, &table->room, table->count + 1, sizeof *table->points) ||
        !grow(&table->names, &table->names_room, table->names_size + device_size + point_size, 1) ||
        !map_stream(table, stream, (uint32_t)table->count))
        return ERR_NOMEM;
    table->points[table->count++] = (struct live_point){.stream = stream,
                                                        .names = (uint32_t)table->names_size,
                                                        .older = NONE,
                                                        .newer = NONE,
                                                        .decimals = decimals};
    memcpy(table->names + table->names_size, device, device_size);
    memcpy(table->names + table->names_size + device_size, point, point_size);
    table->names_size += device_size + point_size;
    return 0;
}

int live_table_add_site(struct live_table *table, const struct site *site)
{
    for (size_t b = 0; b < site->bus_count; b++) {
        for (size_t d = 0; d < site->buses[b].device_count; d++) {
            const struct site_device *device = &site->buses[b].devices[d];

            for (size_t p = 0; p < device->point_count; p++) {
                const struct site_point *point = &device->points[p];
                int error = live_table_add(table, device->streams[p], device->id, point->id,
                                           point->decimals);
                if (error)
                    return error;
            }
        }
    }
    return 0;
}

size_t live_table_count(const struct live_table *table)
{
    return table->count;
}

size_t live_table_find(const struct live_table *table, uint32_t stream)
{
    if (stream >= table->streams_room || table->by_stream[stream] == NONE)
        return SIZE_MAX;
    return table->by_stream[stream];
}

bool live_table_same(const struct live_table *a, const struct live_table *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (a->points[i].stream != b->points[i].stream)
            return false;
    }
    return true;
}

uint64_t live_table_place(const struct live_table *table)
{
    return table->place;
}

/* To the end of the order of changes. */
static void touch(struct live_table *table, uint32_t number)
{
    struct live_point *point = &table->points[number];

    if (table->newest != number) {
        if (point->older != NONE)
            table->points[point->older].newer = point->newer;
        else if (point->place != 0)
            table->oldest = point->newer;
        if (point->newer != NONE)
            table->points[point->newer].older = point->older;
        point->older = table->newest;
        point->newer = NONE;
        if (table->newest != NONE)
            table->points[table->newest].newer = number;
        else
            table->oldest = number;
        table->newest = number;
    }
    point->place = ++table->place;
}

/* Texts of a point share one growing block. False without memory: the value before stays. */
static bool take_text(struct live_point *point, const struct value *value)
{
    struct live_text *text = owns_text(point) ? point->value.text : NULL;
    uint16_t size = value->size < LIVE_TEXT_SIZE_MAX ? value->size : LIVE_TEXT_SIZE_MAX;

    if (!text || size > text->room) {
        text = realloc(text, sizeof *text + size);
        if (!text)
            return false;
        text->room = size;
    }
    if (size > 0)
        memcpy(text->bytes, value->data, size);
    point->value.text = text;
    point->size = size;
    return true;
}

static bool take_value(struct live_point *point, const struct value *value)
{
    if (value->type == VALUE_TEXT || value->type == VALUE_BYTES)
        return take_text(point, value);
    if (owns_text(point))
        free(point->value.text);
    switch ((enum value_type)value->type) {
    case VALUE_BOOL:
        point->value.b = value->b;
        break;
    case VALUE_I64:
        point->value.i = value->i;
        break;
    case VALUE_F64:
        point->value.f = value->f;
        break;
    default:
        point->value.u = value->type == VALUE_U64 ? value->u : 0;
        break;
    }
    return true;
}

void live_table_take(struct live_table *table, const struct event *event)
{
    size_t number = live_table_find(table, event->stream);

    if (event->kind != EVENT_READING || event->n == 0 || number == SIZE_MAX)
        return;
    struct live_point *point = &table->points[number];
    if (event->n <= point->n || !take_value(point, &event->value))
        return;
    point->n = event->n;
    point->wall_ns = event->wall_ns;
    point->status = event->status;
    point->type = event->value.type;
    point->trust = event->trust;
    touch(table, (uint32_t)number);
}

void live_table_take_all(struct live_table *table, const struct live_table *before)
{
    struct event event;

    for (uint32_t at = before->oldest; at != NONE; at = before->points[at].newer) {
        if (live_table_value(before, at, &event))
            live_table_take(table, &event);
    }
}

bool live_table_value(const struct live_table *table, size_t number, struct event *event)
{
    const struct live_point *point = &table->points[number];

    if (point->n == 0)
        return false;
    *event = (struct event){.n = point->n,
                            .stream = point->stream,
                            .wall_ns = point->wall_ns,
                            .status = point->status,
                            .kind = EVENT_READING,
                            .trust = point->trust,
                            .value = {.type = point->type, .decimals = point->decimals}};
    if (owns_text(point)) {
        event->value.size = point->size;
        event->value.data = point->value.text->bytes;
    } else {
        event->value.u = point->value.u;
        if (point->type == VALUE_BOOL)
            event->value.b = point->value.b;
    }
    return true;
}

static bool is_wanted(const struct live_set *set, size_t number)
{
    return !set->bits || (set->bits[number / 8] >> (number % 8) & 1);
}

bool live_names_valid(const char *names)
{
    return *names && strspn(names, "abcdefghijklmnopqrstuvwxyz0123456789-_/,") == strlen(names);
}

/* A name of a list, which is the list's own text. */
struct wanted {
    const char *name;
    size_t size;
};

static int by_name(const void *one, const void *other)
{
    const struct wanted *a = one, *b = other;
    int order = memcmp(a->name, b->name, a->size < b->size ? a->size : b->size);

    return order ? order : a->size < b->size ? -1 : a->size > b->size;
}

/* In their order: a list may be as long as a request's line, and each point is looked up in it.
 * NULL: no memory. */
static struct wanted *split(const char *names, size_t *count)
{
    size_t room = 1;

    for (const char *at = names; *at; at++)
        room += *at == ',';
    struct wanted *list = malloc(room * sizeof *list);
    *count = 0;
    while (list && *names) {
        size_t size = strcspn(names, ",");

        if (size > 0)
            list[(*count)++] = (struct wanted){names, size};
        names += size + (names[size] == ',');
    }
    if (list)
        qsort(list, *count, sizeof *list, by_name);
    return list;
}

static bool is_listed(const struct wanted *list, size_t count, const char *name)
{
    const struct wanted key = {name, strlen(name)};

    return bsearch(&key, list, count, sizeof *list, by_name) != NULL;
}

int live_set_open(struct live_set *set, const struct live_table *table, const char *names)
{
    size_t count;

    set->bits = NULL;
    if (strcmp(names, "all") == 0)
        return 0;
    struct wanted *list = split(names, &count);
    set->bits = list ? calloc(1, table->count / 8 + 1) : NULL;
    for (size_t i = 0; set->bits && i < table->count; i++) {
        const char *device = table->names + table->points[i].names;
        char point[2 * ID_SIZE_MAX];

        snprintf(point, sizeof point, "%s/%s", device, device + strlen(device) + 1);
        if (is_listed(list, count, device) || is_listed(list, count, point))
            set->bits[i / 8] |= (uint8_t)(1 << i % 8);
    }
    free(list);
    return set->bits ? 0 : ERR_NOMEM;
}

void live_set_close(struct live_set *set)
{
    free(set->bits);
    set->bits = NULL;
}

void live_value_json(struct text *text, const struct event *event, int8_t decimals)
{
    struct value value = event->value;
    uint16_t status = event->status;

    if (status == STATUS_GOOD && event->trust == CLOCK_UNSET)
        status = STATUS_CLOCK_UNSET;
    if (value.type == VALUE_F64)
        value.decimals = decimals;
    if (event_quality(event->status)[0] == 'b')
        value.type = VALUE_NONE;
    text_string(text, "\"t\":");
    text_i64(text, event->wall_ns / NS_PER_MS);
    text_string(text, ",\"v\":");
    text_json_value(text, &value);
    text_string(text, ",\"q\":\"");
    text_string(text, event_quality(status));
    text_string(text, "\"");
    if (status == STATUS_GOOD)
        return;
    text_string(text, ",\"why\":\"");
    text_string(text, status_why(status));
    text_string(text, "\"");
}

static void write_point(const struct live_table *table, size_t number, struct text *text)
{
    const struct live_point *point = &table->points[number];
    const char *device = table->names + point->names;
    struct event event;

    if (!live_table_value(table, number, &event))
        return;
    text_string(text, "{\"d\":\"");
    text_string(text, device);
    text_string(text, "\",\"p\":\"");
    text_string(text, device + strlen(device) + 1);
    text_string(text, "\",");
    live_value_json(text, &event, point->decimals);
    text_string(text, "}");
}

bool live_table_write(const struct live_table *table, const struct live_set *set, uint64_t *place,
                      uint64_t until, struct text *text)
{
    uint32_t at = table->newest, next = NONE;
    bool more = false;

    /* The first change behind the place: few have changed since then. */
    for (; at != NONE && table->points[at].place > *place; at = table->points[at].older)
        next = at;
    for (at = next; at != NONE && table->points[at].place <= until; at = table->points[at].newer) {
        size_t before = text->size;

        if (is_wanted(set, at)) {
            text_string(text, more ? "," : "");
            write_point(table, at, text);
            if (text->cut) {
                text->cut = false;
                text->size = before;
                return true;
            }
            more = true;
        }
        *place = table->points[at].place;
    }
    *place = until > *place ? until : *place;
    return false;
}
