#include "core/codec.h"

#include "core/bytes.h"
#include "core/decimal.h"
#include "core/error.h"

/* The lower half of the head byte: how the value is written. Stored: values are fixed. */
enum form {
    FORM_NONE = 0,
    FORM_FALSE = 1,
    FORM_TRUE = 2,
    FORM_I64 = 3,
    FORM_U64 = 4,
    FORM_DECIMAL_0 = 5, /* mantissa */
    FORM_DECIMAL_1 = 6, /* mantissa / 10 */
    FORM_DECIMAL_2 = 7,
    FORM_DECIMAL_3 = 8,
    FORM_DECIMAL = 9, /* exponent in a byte of its own, mantissa */
    FORM_F32 = 10,
    FORM_F64 = 11,
    FORM_TEXT = 12,
    FORM_BYTES = 13,
    FORM_GAP = 14,
};

/* The upper half: which fields follow, because they are not what one expects. */
#define HEAD_STREAM 0x10
#define HEAD_TIME   0x20
#define HEAD_STATUS 0x40
#define HEAD_KIND   0x80
#define HEAD_FORM   0x0f

/* The exponents that FORM_DECIMAL writes; smaller ones have a form of their own. */
#define EXPONENT_MIN 4
#define EXPONENT_MAX 9

/* Above these a decimal takes as many bytes as the four or eight of the binary form. */
#define MANTISSA_LIMIT_F32  0x1p20
#define MANTISSA_LIMIT_F64  0x1p48
#define MANTISSA_LIMIT_LONG 0x1p41

/* All but the bytes of a text or bytes value: head, kind, stream, time, status, and the longest
 * value, a gap. */
#define FIXED_SIZE_MAX (1 + 1 + 5 + 10 + 2 + 36)
_Static_assert(FIXED_SIZE_MAX + EVENT_VALUE_SIZE_MAX <= CODEC_EVENT_SIZE_MAX, "an event fits");

static inline uint8_t *put_varint(uint8_t *out, uint64_t value)
{
    while (value >= 0x80) {
        *out++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}

/* Kept out of line, so that the short numbers of ordinary readings stay a load and a compare. */
static __attribute__((noinline)) const uint8_t *get_long_varint(const uint8_t *at,
                                                                const uint8_t *end, uint64_t *value)
{
    uint64_t sum = 0;
    for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
        uint8_t byte = *at++;
        if (shift == 63 && byte > 1)
            return NULL;
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = sum;
            return byte == 0 && shift > 0 ? NULL : at;
        }
    }
    return NULL;
}

/* Returns the place behind the number, NULL where there is none. */
static inline const uint8_t *get_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    if (end - at >= 2) {
        if (at[0] < 0x80) {
            *value = at[0];
            return at + 1;
        }
        if (at[1] < 0x80 && at[1] != 0) {
            *value = (uint64_t)(at[0] & 0x7f) | (uint64_t)at[1] << 7;
            return at + 2;
        }
    }
    return get_long_varint(at, end, value);
}

size_t varint_put(uint8_t *out, uint64_t value)
{
    return (size_t)(put_varint(out, value) - out);
}

int varint_get(const uint8_t *data, size_t size, uint64_t *value)
{
    const uint8_t *end = get_varint(data, data + size, value);
    return end ? (int)(end - data) : ERR_CORRUPT;
}

static uint8_t *put_decimal(uint8_t *out, int64_t mantissa)
{
    return put_varint(out, zigzag(mantissa));
}

static uint8_t *put_double(uint8_t *out, double value, uint8_t *head)
{
    *head |= FORM_F64;
    put_u64(out, double_bits(value));
    return out + 8;
}

/*
 * Four to nine digits after the point: coordinates, energies per unit. A value that is a decimal of
 * fewer digits is one of nine as well, so a single trial sends all others (results of computations)
 * on to the binary form.
 */
static __attribute__((noinline)) uint8_t *put_long_f64(uint8_t *out, double value, uint8_t *head)
{
    int64_t mantissa;
    if (!decimal_exact(value, EXPONENT_MAX, DECIMAL_MANTISSA_LIMIT, &mantissa))
        return put_double(out, value, head);
    for (unsigned exponent = EXPONENT_MIN; exponent <= EXPONENT_MAX; exponent++) {
        if (decimal_exact(value, exponent, MANTISSA_LIMIT_LONG, &mantissa)) {
            *head |= FORM_DECIMAL;
            *out++ = (uint8_t)exponent;
            return put_decimal(out, mantissa);
        }
    }
    return put_double(out, value, head);
}

static uint8_t *put_f64(uint8_t *out, double value, uint8_t *head)
{
    float single = (float)value;
    bool is_single =
        (double)single == value; /* false for a NaN, whose payload a conversion may touch */
    double limit = is_single ? MANTISSA_LIMIT_F32 : MANTISSA_LIMIT_F64;
    for (unsigned exponent = 0; exponent <= FORM_DECIMAL_3 - FORM_DECIMAL_0; exponent++) {
        int64_t mantissa;
        if (decimal_exact(value, exponent, limit, &mantissa)) {
            *head |= (uint8_t)(FORM_DECIMAL_0 + exponent);
            return put_decimal(out, mantissa);
        }
    }
    if (!is_single)
        return put_long_f64(out, value, head);
    uint32_t bits;
    memcpy(&bits, &single, sizeof(bits));
    *head |= FORM_F32;
    put_u32(out, bits);
    return out + 4;
}

static uint8_t *put_gap(uint8_t *out, const struct gap *gap)
{
    out = put_varint(out, gap->first);
    out = put_varint(out, zigzag((int64_t)(gap->last - gap->first)));
    out = put_varint(out, gap->count);
    out = put_varint(out, gap->extent_ms);
    *out++ = gap->reason;
    return out;
}

/* Writes all of the value but the bytes of a text, and its form into the head. NULL for what cannot
 * be stored. */
static uint8_t *put_value(uint8_t *out, const struct value *value, uint8_t *head)
{
    switch ((enum value_type)value->type) {
    case VALUE_F64:
        return put_f64(out, value->f, head);
    case VALUE_I64:
        *head |= FORM_I64;
        return put_varint(out, zigzag(value->i));
    case VALUE_U64:
        *head |= FORM_U64;
        return put_varint(out, value->u);
    case VALUE_BOOL:
        *head |= value->b ? FORM_TRUE : FORM_FALSE;
        return out;
    case VALUE_NONE:
        *head |= FORM_NONE;
        return out;
    case VALUE_TEXT:
    case VALUE_BYTES:
        if (value->size > EVENT_VALUE_SIZE_MAX)
            return NULL;
        *head |= value->type == VALUE_TEXT ? FORM_TEXT : FORM_BYTES;
        return put_varint(out, value->size);
    case VALUE_GAP:
        *head |= FORM_GAP;
        return put_gap(out, value->gap);
    }
    return NULL;
}

/* Writes all but the bytes of a text; FIXED_SIZE_MAX bytes are enough. NULL for what cannot be
 * stored. */
static uint8_t *put_fixed(const struct codec *codec, const struct event *event, uint8_t *out)
{
    uint8_t *at = out + 1;
    uint8_t head = 0;
    if (event->kind != EVENT_READING) {
        if (event->kind < EVENT_READING || event->kind > EVENT_DECLARE)
            return NULL;
        head |= HEAD_KIND;
        *at++ = event->kind;
    }
    uint32_t skipped = event->stream - codec->stream - 1;
    if (skipped != 0) {
        head |= HEAD_STREAM;
        at = put_varint(at, zigzag((int32_t)skipped));
    }
    uint64_t elapsed_ns = (uint64_t)event->mono_ns - (uint64_t)codec->mono_ns;
    if (elapsed_ns != 0) {
        head |= HEAD_TIME;
        at = put_varint(at, zigzag((int64_t)elapsed_ns));
    }
    if (event->status != 0) {
        head |= HEAD_STATUS;
        put_u16(at, event->status);
        at += 2;
    }
    at = put_value(at, &event->value, &head);
    *out = head;
    return at;
}

static inline bool has_bytes(const struct value *value)
{
    return value->type == VALUE_TEXT || value->type == VALUE_BYTES;
}

int codec_encode(struct codec *codec, const struct event *event, uint8_t *out, size_t room)
{
    uint8_t scratch[FIXED_SIZE_MAX];
    uint8_t *fixed = room >= FIXED_SIZE_MAX ? out : scratch;

    if (event->n != codec->n + 1)
        return ERR_INVALID;
    const uint8_t *end = put_fixed(codec, event, fixed);
    if (!end)
        return ERR_INVALID;
    size_t size = (size_t)(end - fixed);
    size_t bytes = has_bytes(&event->value) ? event->value.size : 0;
    if (size + bytes > room)
        return ERR_FULL;
    if (fixed != out)
        memcpy(out, fixed, size);
    if (bytes > 0)
        memcpy(out + size, event->value.data, bytes);
    codec->n = event->n;
    codec->mono_ns = event->mono_ns;
    codec->stream = event->stream;
    return (int)(size + bytes);
}

/* The fields before the value that the head announces. One that says nothing new is damage: there
 * is one way to write an event. */
static const uint8_t *get_fields(uint8_t head, const uint8_t *at, const uint8_t *end,
                                 struct event *event)
{
    uint64_t number;
    if (head & HEAD_KIND) {
        if (at == end || *at <= EVENT_READING || *at > EVENT_DECLARE)
            return NULL;
        event->kind = *at++;
    }
    if (head & HEAD_STREAM) {
        at = get_varint(at, end, &number);
        if (!at || number == 0 || number > UINT32_MAX)
            return NULL;
        event->stream += (uint32_t)unzigzag(number);
    }
    if (head & HEAD_TIME) {
        at = get_varint(at, end, &number);
        if (!at || number == 0)
            return NULL;
        event->mono_ns = (int64_t)((uint64_t)event->mono_ns + (uint64_t)unzigzag(number));
    }
    if (head & HEAD_STATUS) {
        if (end - at < 2 || get_u16(at) == 0)
            return NULL;
        event->status = get_u16(at);
        at += 2;
    }
    return at;
}

static const uint8_t *get_decimal(const uint8_t *at, const uint8_t *end, unsigned exponent,
                                  struct value *value)
{
    uint64_t number;
    at = get_varint(at, end, &number);
    if (!at)
        return NULL;
    value->type = VALUE_F64;
    value->f = (double)unzigzag(number) / decimal_power[exponent];
    return at;
}

static const uint8_t *get_long_decimal(const uint8_t *at, const uint8_t *end, struct value *value)
{
    if (at == end || *at < EXPONENT_MIN || *at > EXPONENT_MAX)
        return NULL;
    return get_decimal(at + 1, end, *at, value);
}

static const uint8_t *get_f32(const uint8_t *at, const uint8_t *end, struct value *value)
{
    if (end - at < 4)
        return NULL;
    uint32_t bits = get_u32(at);
    float single;
    memcpy(&single, &bits, sizeof(single));
    value->type = VALUE_F64;
    value->f = (double)single;
    return at + 4;
}

static const uint8_t *get_f64(const uint8_t *at, const uint8_t *end, struct value *value)
{
    if (end - at < 8)
        return NULL;
    uint64_t bits = get_u64(at);
    value->type = VALUE_F64;
    memcpy(&value->f, &bits, sizeof(value->f));
    return at + 8;
}

static const uint8_t *get_bytes(const uint8_t *at, const uint8_t *end, struct value *value)
{
    uint64_t size;
    at = get_varint(at, end, &size);
    if (!at || size > EVENT_VALUE_SIZE_MAX || size > (size_t)(end - at))
        return NULL;
    value->size = (uint16_t)size;
    value->data = at;
    return at + size;
}

static const uint8_t *get_gap(const uint8_t *at, const uint8_t *end, struct gap *gap)
{
    uint64_t extent, extent_ms;
    at = get_varint(at, end, &gap->first);
    at = at ? get_varint(at, end, &extent) : NULL;
    at = at ? get_varint(at, end, &gap->count) : NULL;
    at = at ? get_varint(at, end, &extent_ms) : NULL;
    if (!at || at == end || extent_ms > UINT32_MAX)
        return NULL;
    gap->last = gap->first + (uint64_t)unzigzag(extent);
    gap->extent_ms = (uint32_t)extent_ms;
    gap->reason = *at++;
    return at;
}

static const uint8_t *get_integer(const uint8_t *at, const uint8_t *end, enum form form,
                                  struct value *value)
{
    uint64_t number;
    at = get_varint(at, end, &number);
    if (!at)
        return NULL;
    if (form == FORM_I64) {
        value->type = VALUE_I64;
        value->i = unzigzag(number);
    } else {
        value->type = VALUE_U64;
        value->u = number;
    }
    return at;
}

static const uint8_t *get_value(enum form form, const uint8_t *at, const uint8_t *end,
                                struct value *value, struct gap *gap)
{
    switch (form) {
    case FORM_NONE:
        value->type = VALUE_NONE;
        return at;
    case FORM_FALSE:
    case FORM_TRUE:
        value->type = VALUE_BOOL;
        value->b = form == FORM_TRUE;
        return at;
    case FORM_I64:
    case FORM_U64:
        return get_integer(at, end, form, value);
    case FORM_DECIMAL_0:
    case FORM_DECIMAL_1:
    case FORM_DECIMAL_2:
    case FORM_DECIMAL_3:
        return get_decimal(at, end, (unsigned)(form - FORM_DECIMAL_0), value);
    case FORM_DECIMAL:
        return get_long_decimal(at, end, value);
    case FORM_F32:
        return get_f32(at, end, value);
    case FORM_F64:
        return get_f64(at, end, value);
    case FORM_TEXT:
    case FORM_BYTES:
        value->type = form == FORM_TEXT ? VALUE_TEXT : VALUE_BYTES;
        return get_bytes(at, end, value);
    case FORM_GAP:
        value->type = VALUE_GAP;
        value->gap = gap;
        return get_gap(at, end, gap);
    }
    return NULL;
}

int codec_decode(struct codec *codec, const uint8_t *data, size_t size, struct event *event,
                 struct gap *gap)
{
    if (size == 0)
        return ERR_CORRUPT;
    const uint8_t *end = data + size;
    const uint8_t *at = data + 1;
    uint8_t head = data[0];

    event->n = codec->n + 1;
    event->stream = codec->stream + 1;
    event->mono_ns = codec->mono_ns;
    event->status = 0;
    event->kind = EVENT_READING;
    event->value.decimals = DECIMALS_SHORTEST;
    event->value.size = 0;
    if (head & ~HEAD_FORM)
        at = get_fields(head, at, end, event);
    if (at)
        at = get_value(head & HEAD_FORM, at, end, &event->value, gap);
    if (!at)
        return ERR_CORRUPT;
    codec->n = event->n;
    codec->mono_ns = event->mono_ns;
    codec->stream = event->stream;
    return (int)(at - data);
}
