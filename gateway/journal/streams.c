#include "journal/streams.h"

#include "core/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HASH_SIZE_MIN 64

/* A mapping: its last page is touched only when something is refused. */
struct stream_chunk {
    struct stream_entry entries[STREAMS_PER_CHUNK];
    struct stream_refused refused[STREAMS_PER_CHUNK];
};

int streams_init(struct streams *streams)
{
    memset(streams, 0, sizeof(*streams));
    streams->hash_size = HASH_SIZE_MIN;
    streams->hash = calloc(streams->hash_size, sizeof(*streams->hash));
    if (!streams->hash)
        return ERR_NOMEM;
    if (arena_open(&streams->texts.arena) != 0) {
        free(streams->hash);
        streams->hash = NULL;
        return ERR_NOMEM;
    }
    pthread_mutex_init(&streams->mutex, NULL);
    return 0;
}

static bool owns_text(const struct stream_entry *entry)
{
    return entry->last_type == VALUE_TEXT || entry->last_type == VALUE_BYTES;
}

void streams_clear(struct streams *streams)
{
    if (!streams->hash)
        return;
    for (uint32_t number = 1; number <= streams->count; number++) {
        struct stream_entry *entry = streams_get(streams, number);
        if (owns_text(entry))
            free(entry->last.text);
    }
    for (size_t i = 0; i < STREAMS_CHUNKS_MAX && streams->chunks[i]; i++)
        munmap(streams->chunks[i], sizeof(struct stream_chunk));
    while (streams->learnt) {
        struct stream_learnt *next = streams->learnt->next;
        free(streams->learnt);
        streams->learnt = next;
    }
    pool_clear(&streams->texts);
    arena_close(streams->texts.arena);
    free(streams->hash);
    streams->hash = NULL;
    pthread_mutex_destroy(&streams->mutex);
}

uint32_t streams_count(const struct streams *streams)
{
    return atomic_load_explicit(&streams->count, memory_order_acquire);
}

static struct stream_chunk *chunk_of(const struct streams *streams, uint32_t number)
{
    if (number == 0 || number > streams_count(streams))
        return NULL;
    return atomic_load_explicit(&streams->chunks[(number - 1) / STREAMS_PER_CHUNK],
                                memory_order_relaxed);
}

struct stream_entry *streams_get(const struct streams *streams, uint32_t number)
{
    struct stream_chunk *chunk = chunk_of(streams, number);
    return chunk ? &chunk->entries[(number - 1) % STREAMS_PER_CHUNK] : NULL;
}

struct stream_refused *streams_refused(const struct streams *streams, uint32_t number)
{
    struct stream_chunk *chunk = chunk_of(streams, number);
    return chunk ? &chunk->refused[(number - 1) % STREAMS_PER_CHUNK] : NULL;
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
        if (strcmp(entry->device, device) == 0 && strcmp(entry->about->point, point) == 0)
            return entry;
        number = entry->earlier;
    }
    return NULL;
}

uint32_t streams_find(struct streams *streams, const char *device, const char *point)
{
    pthread_mutex_lock(&streams->mutex);
    const struct stream_entry *entry = find(streams, device, point);
    uint32_t number = entry ? entry->number : 0;
    pthread_mutex_unlock(&streams->mutex);
    return number;
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
        uint32_t *head = &hash[hash_of(entry->device, entry->about->point) & (size - 1)];
        entry->earlier = *head;
        *head = number;
    }
    free(streams->hash);
    streams->hash = hash;
    streams->hash_size = size;
}

static const char *keep_text(struct streams *streams, const char *text)
{
    return pool_keep(&streams->texts, text, strlen(text) + 1);
}

static int keep_about(struct streams *streams, struct stream_entry *entry,
                      const struct stream *stream)
{
    struct stream_about about;

    memset(&about, 0, sizeof(about)); /* what is between its fields, too: see pool.h */
    about.point = keep_text(streams, stream->point);
    about.name = keep_text(streams, stream->name);
    about.unit = keep_text(streams, stream->unit);
    about.type = stream->type;
    about.decimals = stream->decimals;
    if (!about.point || !about.name || !about.unit)
        return ERR_NOMEM;
    entry->device = keep_text(streams, stream->device);
    entry->about = pool_keep(&streams->texts, &about, sizeof(about));
    return entry->device && entry->about ? 0 : ERR_NOMEM;
}

/* Adds an entry with the next number. */
static int add(struct streams *streams, const struct stream *stream)
{
    uint32_t number = streams->count + 1;
    if (number > STREAMS_MAX)
        return ERR_FULL;
    if (number > 2 * streams->hash_size)
        grow_hash(streams);
    size_t at = (number - 1) / STREAMS_PER_CHUNK;
    struct stream_chunk *chunk = streams->chunks[at];
    if (!chunk) {
        chunk =
            mmap(NULL, sizeof(*chunk), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (chunk == MAP_FAILED)
            return ERR_NOMEM;
        atomic_store_explicit(&streams->chunks[at], chunk, memory_order_relaxed);
    }
    struct stream_entry *entry = &chunk->entries[(number - 1) % STREAMS_PER_CHUNK];
    int error = keep_about(streams, entry, stream);
    if (error < 0)
        return error;
    entry->number = number;
    entry->version = stream->version;
    uint32_t *head =
        &streams->hash[hash_of(stream->device, stream->point) & (streams->hash_size - 1)];
    entry->earlier = *head;
    *head = number;
    atomic_store_explicit(&streams->count, number, memory_order_release);
    return 0;
}

static bool same(const struct stream_about *about, const struct stream *stream)
{
    return about->type == stream->type && about->decimals == stream->decimals &&
           strcmp(about->name, stream->name) == 0 && strcmp(about->unit, stream->unit) == 0;
}

int streams_declare(struct streams *streams, struct stream *stream)
{
    int result = 0;
    pthread_mutex_lock(&streams->mutex);
    const struct stream_entry *known = find(streams, stream->device, stream->point);
    if (known && same(known->about, stream)) {
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
    stream->type = entry->about->type;
    stream->decimals = entry->about->decimals;
    strcpy(stream->device, entry->device);
    strcpy(stream->point, entry->about->point);
    strcpy(stream->name, entry->about->name);
    strcpy(stream->unit, entry->about->unit);
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
static bool take_text(struct stream_entry *entry, const struct value *value)
{
    struct stream_text *text = owns_text(entry) ? entry->last.text : NULL;

    if (!text || value->size > text->room) {
        uint16_t room = value->size < 32 ? 32 : value->size;
        text = realloc(text, sizeof(*text) + room);
        if (!text)
            return false;
        text->room = room;
        entry->last.text = text;
    }
    if (value->size > 0)
        memcpy(text->bytes, value->data, value->size);
    text->size = value->size;
    return true;
}

static void take_number(struct stream_entry *entry, const struct value *value)
{
    if (owns_text(entry))
        free(entry->last.text);
    switch ((enum value_type)value->type) {
    case VALUE_F64:
        entry->last.f = value->f;
        break;
    case VALUE_I64:
        entry->last.i = value->i;
        break;
    case VALUE_U64:
        entry->last.u = value->u;
        break;
    case VALUE_BOOL:
        entry->last.b = value->b;
        break;
    default:
        break;
    }
}

void stream_entry_take(struct stream_entry *entry, const struct event *event)
{
    if (event->value.type == VALUE_GAP)
        return; /* what is missing is no state */
    if (event->value.type == VALUE_TEXT || event->value.type == VALUE_BYTES) {
        if (!take_text(entry, &event->value))
            return;
    } else {
        take_number(entry, &event->value);
    }
    entry->last_type = event->value.type;
    entry->last_mono_ns = event->mono_ns;
    entry->last_epoch = event->epoch;
    entry->last_boot = event->boot;
    atomic_store_explicit(&entry->last_status, event->status, memory_order_relaxed);
    entry->last_kind = event->kind;
    entry->last_trust = event->trust;
    atomic_store_explicit(&entry->last_n, event->n, memory_order_relaxed);
    atomic_store_explicit(&entry->last_wall_ns, event->wall_ns, memory_order_relaxed);
}

size_t stream_entry_text_size(const struct stream_entry *entry)
{
    return owns_text(entry) ? entry->last.text->size : 0;
}

bool stream_entry_event(const struct stream_entry *entry, struct event *event)
{
    if (entry->last_n == 0)
        return false;
    *event = (struct event){
        .n = entry->last_n,
        .epoch = entry->last_epoch,
        .stream = entry->number,
        .mono_ns = entry->last_mono_ns,
        .wall_ns = entry->last_wall_ns,
        .boot = entry->last_boot,
        .status = entry->last_status,
        .kind = entry->last_kind,
        .trust = entry->last_trust,
        .value = {.type = entry->last_type, .decimals = DECIMALS_SHORTEST},
    };
    switch ((enum value_type)entry->last_type) {
    case VALUE_F64:
        event->value.f = entry->last.f;
        break;
    case VALUE_I64:
        event->value.i = entry->last.i;
        break;
    case VALUE_U64:
        event->value.u = entry->last.u;
        break;
    case VALUE_BOOL:
        event->value.b = entry->last.b;
        break;
    case VALUE_TEXT:
    case VALUE_BYTES:
        event->value.size = entry->last.text->size;
        event->value.data = entry->last.text->bytes;
        break;
    default:
        break;
    }
    return true;
}
