#include "core/stream.h"

#include "core/codec.h"
#include "core/error.h"

#include <stdio.h>
#include <string.h>

_Static_assert(STREAM_NAME_SIZE_MAX <= 256 && ID_SIZE_MAX <= 256, "a length fits into a byte");

static uint8_t *put_string(uint8_t *out, const char *text, size_t size_max)
{
    size_t size = strnlen(text, size_max - 1);
    *out++ = (uint8_t)size;
    memcpy(out, text, size);
    return out + size;
}

/* Returns the place behind the string; NULL where none that fits stands. */
static const uint8_t *get_string(const uint8_t *at, const uint8_t *end, char *text, size_t size_max)
{
    if (!at || at == end)
        return NULL;
    size_t size = *at++;
    if (size >= size_max || size > (size_t)(end - at) || memchr(at, 0, size))
        return NULL;
    memcpy(text, at, size);
    memset(text + size, 0, size_max - size);
    return at + size;
}

static const uint8_t *get_number(const uint8_t *at, const uint8_t *end, uint64_t max,
                                 uint64_t *number)
{
    int size = at ? varint_get(at, (size_t)(end - at), number) : ERR_CORRUPT;
    return size > 0 && *number <= max ? at + size : NULL;
}

static const char producer[] = "producer:";

void stream_producer(const char *device, char out[ID_SIZE_MAX])
{
    snprintf(out, ID_SIZE_MAX, "%s%.*s", producer, (int)(ID_SIZE_MAX - sizeof producer), device);
}

const char *stream_produced(const struct stream *stream)
{
    bool tells = strncmp(stream->device, producer, sizeof producer - 1) == 0;

    return tells ? stream->device + sizeof producer - 1 : NULL;
}

size_t stream_pack(const struct stream *stream, uint8_t *out)
{
    uint8_t *at = out;
    at += varint_put(at, stream->number);
    at += varint_put(at, stream->version);
    *at++ = stream->type;
    *at++ = (uint8_t)stream->decimals;
    at = put_string(at, stream->device, sizeof(stream->device));
    at = put_string(at, stream->point, sizeof(stream->point));
    at = put_string(at, stream->name, sizeof(stream->name));
    at = put_string(at, stream->unit, sizeof(stream->unit));
    return (size_t)(at - out);
}

int stream_unpack(struct stream *stream, const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    uint64_t number, version;
    const uint8_t *at = get_number(data, end, UINT32_MAX, &number);
    at = get_number(at, end, UINT16_MAX, &version);
    if (!at || end - at < 2)
        return ERR_CORRUPT;
    uint8_t type = *at++;
    int8_t decimals = (int8_t)*at++;
    if (type > VALUE_GAP || decimals < DECIMALS_SHORTEST_F32 || decimals > DECIMALS_MAX)
        return ERR_CORRUPT;
    at = get_string(at, end, stream->device, sizeof(stream->device));
    at = get_string(at, end, stream->point, sizeof(stream->point));
    at = get_string(at, end, stream->name, sizeof(stream->name));
    at = get_string(at, end, stream->unit, sizeof(stream->unit));
    if (!at)
        return ERR_CORRUPT;
    stream->number = (uint32_t)number;
    stream->version = (uint16_t)version;
    stream->type = type;
    stream->decimals = decimals;
    return 0;
}
