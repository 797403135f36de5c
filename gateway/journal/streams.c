#include "journal/streams.h"

#include "core/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_SIZE_MIN 64

int streams_init(struct streams *streams)
{
    memset(streams, 0, sizeof(*streams));
    streams->hash_size = HASH_SIZE_MIN;
    streams->hash = calloc(streams->hash_size, sizeof(*streams->hash));
    if (!streams->hash)
        return ERR_NOMEM;
    pthread_mutex_init(&streams->mutex, NULL);
    return 0;
}

static bool owns_bytes(const struct stream_last *last)
{
    return last->room > 0;
}

void streams_clear(struct streams *streams)
{
    if (!streams->hash)
        return;
    for (uint32_t number = 1; number <= streams->count; number++) {
        struct stream_entry *entry = streams_get(streams, number);
        if (owns_bytes(&entry->last))
            free(entry->last.bytes);
        free((char *)entry->device);
    }
    for (size_t i = 0; i < STREAMS_CHUNKS_MAX; i++)
        free(streams->chunks[i]);
    while (streams->learnt) {
        struct stream_learnt *next = streams->learnt->next;
        free(streams->learnt);
        streams->learnt = next;
    }
    free(streams->hash);
    streams->hash = NULL;
    pthread_mutex_destroy(&streams->mutex);
}

uint32_t streams_count(const struct streams *streams)
{
    return atomic_load_explicit(&streams->count, memory_order_acquire);
}

struct stream_entry *streams_get(const struct streams *streams, uint32_t number)
{
    if (number == 0 || number > streams_count(streams))
        return NULL;
    struct stream_entry *chunk = atomic_load_explicit(
        &streams->chunks[(number - 1) / STREAMS_PER_CHUNK], memory_order_relaxed);
    return &chunk[(number - 1) % STREAMS_PER_CHUNK];
}

/* FNV-1a over device, a zero, and point. */
static uint32_t hash_of(const char *device, const char *point)
{
    uint32_t hash = 2166136261u;
    for (; *device; device++)
        hash = (hash ^ (uint8_t)*device) * 16777619u;
    hash *= 16777619u;
    for (; *point; point++)
        hash = (hash ^ (uint8_t)*point) * 16777619u;
    return hash;
}

/* The newest declaration of that device and point. */
static struct stream_entry *find(const struct streams *streams, const char *device,
                                 const char *point)
{
    uint32_t number = streams->hash[hash_of(device, point) & (streams->hash_size - 1)];
    while (number != 0) {
        struct stream_entry *entry = streams_get(streams, number);
        if (strcmp(entry->device, device) == 0 && strcmp(entry->point, point) == 0)
            return entry;
        number = entry->earlier;
    }
    return NULL;
}

/* A larger hash is worth having and nothing more: without memory the chains grow. */
static void grow_hash(struct streams *streams)
{
    uint32_t size = streams->hash_size * 2;
    uint32_t *hash = calloc(size, sizeof(*hash));
    if (!hash)
        return;
    for (uint32_t number = 1; number <= streams->count; number++) {
        struct stream_entry *entry = streams_get(streams, number);
        uint32_t *head = &hash[hash_of(entry->device, entry->point) & (size - 1)];
        entry->earlier = *head;
        *head = number;
    }
    free(streams->hash);
    streams->hash = hash;
    streams->hash_size = size;
}

/* The four texts of a declaration in one allocation. */
static int copy_texts(struct stream_entry *entry, const struct stream *stream)
{
    const char *texts[] = {stream->device, stream->point, stream->name, stream->unit};
    const char **places[] = {&entry->device, &entry->point, &entry->name, &entry->unit};
    size_t size = 0;

    for (size_t i = 0; i < 4; i++)
        size += strlen(texts[i]) + 1;
    char *at = malloc(size);
    if (!at)
        return ERR_NOMEM;
    for (size_t i = 0; i < 4; i++) {
        *places[i] = at;
        at = stpcpy(at, texts[i]) + 1;
    }
    return 0;
}

/* Adds an entry with the next number. */
static int add(struct streams *streams, const struct stream *stream)
{
    uint32_t number = streams->count + 1;
    if (number > STREAMS_MAX)
        return ERR_FULL;
    if (number > streams->hash_size)
        grow_hash(streams);
    size_t at = (number - 1) / STREAMS_PER_CHUNK;
    struct stream_entry *chunk = streams->chunks[at];
    if (!chunk) {
        chunk = calloc(STREAMS_PER_CHUNK, sizeof(*chunk));
        if (!chunk)
            return ERR_NOMEM;
        atomic_store_explicit(&streams->chunks[at], chunk, memory_order_relaxed);
    }
    struct stream_entry *entry = &chunk[(number - 1) % STREAMS_PER_CHUNK];
    int error = copy_texts(entry, stream);
    if (error < 0)
        return error;
    entry->number = number;
    entry->version = stream->version;
    entry->type = stream->type;
    entry->decimals = stream->decimals;
    uint32_t *head =
        &streams->hash[hash_of(stream->device, stream->point) & (streams->hash_size - 1)];
    entry->earlier = *head;
    *head = number;
    atomic_store_explicit(&streams->count, number, memory_order_release);
    return 0;
}

static bool same(const struct stream_entry *entry, const struct stream *stream)
{
    return entry->type == stream->type && entry->decimals == stream->decimals &&
           strcmp(entry->name, stream->name) == 0 && strcmp(entry->unit, stream->unit) == 0;
}

int streams_declare(struct streams *streams, struct stream *stream)
{
    int result = 0;
    pthread_mutex_lock(&streams->mutex);
    const struct stream_entry *known = find(streams, stream->device, stream->point);
    if (known && same(known, stream)) {
        stream->number = known->number;
        stream->version = known->version;
    } else {
        stream->version = known ? (uint16_t)(known->version + 1) : 1;
        result = add(streams, stream);
        if (result == 0) {
            stream->number = streams->count;
            result = 1;
        }
    }
    pthread_mutex_unlock(&streams->mutex);
    return result;
}

int streams_restore(struct streams *streams, const struct stream *stream)
{
    if (stream->number == 0 || stream->number > STREAMS_MAX)
        return ERR_CORRUPT;
    int error = 0;
    /* A declaration that was in a damaged stretch leaves its number behind. */
    while (error == 0 && streams->count + 1 < stream->number) {
        struct stream lost = {.version = 1, .device = "lost"};
        snprintf(lost.point, sizeof(lost.point), "stream-%" PRIu32, streams->count + 1);
        error = add(streams, &lost);
    }
    if (error == 0 && stream->number > streams->count)
        error = add(streams, stream);
    return error;
}

void stream_entry_describe(const struct stream_entry *entry, struct stream *stream)
{
    memset(stream, 0, sizeof(*stream));
    stream->number = entry->number;
    stream->version = entry->version;
    stream->type = entry->type;
    stream->decimals = entry->decimals;
    strcpy(stream->device, entry->device);
    strcpy(stream->point, entry->point);
    strcpy(stream->name, entry->name);
    strcpy(stream->unit, entry->unit);
}

static struct stream_learnt **find_learnt(struct streams *streams, uint32_t number)
{
    struct stream_learnt **link = &streams->learnt;
    while (*link && (*link)->number != number)
        link = &(*link)->next;
    return link;
}

int streams_learn(struct streams *streams, uint32_t number, const void *text, size_t size)
{
    struct stream_learnt *made = malloc(sizeof(*made) + size);
    if (!made)
        return ERR_NOMEM;
    made->number = number;
    made->size = (uint16_t)size;
    memcpy(made->text, text, size);
    pthread_mutex_lock(&streams->mutex);
    struct stream_learnt **link = find_learnt(streams, number);
    made->next = *link ? (*link)->next : NULL;
    free(*link);
    *link = made;
    pthread_mutex_unlock(&streams->mutex);
    return 0;
}

size_t streams_learnt(struct streams *streams, uint32_t number, char *out, size_t size)
{
    pthread_mutex_lock(&streams->mutex);
    const struct stream_learnt *learnt = *find_learnt(streams, number);
    size_t found = learnt && learnt->size <= size ? learnt->size : 0;
    if (found)
        memcpy(out, learnt->text, found);
    pthread_mutex_unlock(&streams->mutex);
    return found;
}

/* Texts share one growing block for each stream. */
static bool take_bytes(struct stream_last *last, const struct value *value)
{
    if (value->size > last->room || last->room == 0) {
        uint16_t room = value->size < 32 ? 32 : value->size;
        uint8_t *bytes = realloc(last->room ? last->bytes : NULL, room);
        if (!bytes)
            return false;
        last->bytes = bytes;
        last->room = room;
    }
    if (value->size > 0)
        memcpy(last->bytes, value->data, value->size);
    last->size = value->size;
    return true;
}

static void take_number(struct stream_last *last, const struct value *value)
{
    if (owns_bytes(last)) {
        free(last->bytes);
        last->room = 0;
    }
    last->size = 0;
    switch ((enum value_type)value->type) {
    case VALUE_F64:
        last->f = value->f;
        break;
    case VALUE_I64:
        last->i = value->i;
        break;
    case VALUE_U64:
        last->u = value->u;
        break;
    case VALUE_BOOL:
        last->b = value->b;
        break;
    default:
        break;
    }
}

void stream_entry_take(struct stream_entry *entry, const struct event *event)
{
    struct stream_last *last = &entry->last;

    if (event->value.type == VALUE_GAP)
        return; /* what is missing is no state */
    if (event->value.type == VALUE_TEXT || event->value.type == VALUE_BYTES) {
        if (!take_bytes(last, &event->value))
            return;
    } else {
        take_number(last, &event->value);
    }
    last->type = event->value.type;
    last->mono_ns = event->mono_ns;
    last->epoch = event->epoch;
    last->boot = event->boot;
    last->status = event->status;
    last->kind = event->kind;
    last->trust = event->trust;
    atomic_store_explicit(&entry->last_n, event->n, memory_order_relaxed);
    atomic_store_explicit(&entry->last_wall_ns, event->wall_ns, memory_order_relaxed);
}

bool stream_entry_event(const struct stream_entry *entry, struct event *event)
{
    const struct stream_last *last = &entry->last;

    if (entry->last_n == 0)
        return false;
    *event = (struct event){
        .n = entry->last_n,
        .epoch = last->epoch,
        .stream = entry->number,
        .mono_ns = last->mono_ns,
        .wall_ns = entry->last_wall_ns,
        .boot = last->boot,
        .status = last->status,
        .kind = last->kind,
        .trust = last->trust,
        .value = {.type = last->type, .decimals = DECIMALS_SHORTEST, .size = last->size},
    };
    switch ((enum value_type)last->type) {
    case VALUE_F64:
        event->value.f = last->f;
        break;
    case VALUE_I64:
        event->value.i = last->i;
        break;
    case VALUE_U64:
        event->value.u = last->u;
        break;
    case VALUE_BOOL:
        event->value.b = last->b;
        break;
    case VALUE_TEXT:
    case VALUE_BYTES:
        event->value.data = last->bytes;
        break;
    default:
        break;
    }
    return true;
}
