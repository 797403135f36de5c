/* Whatever decodes as an event can be encoded, and decodes from that to the same event. */
#include <stdlib.h>

#include "core/codec.h"
#include "fuzz/fuzz.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

static bool same_gap(const struct gap *a, const struct gap *b)
{
    return a->first == b->first && a->last == b->last && a->count == b->count &&
           a->extent_ms == b->extent_ms && a->reason == b->reason;
}

static void check_round_trip(const struct codec *before, const struct event *event, int taken)
{
    static uint8_t packed[CODEC_EVENT_SIZE_MAX];
    struct codec writer = *before, reader = *before;
    struct event again;
    struct gap gap;
    int written = codec_encode(&writer, event, packed, sizeof(packed));
    CHECK(written > 0 &&
          written <= taken + 8); /* a decimal may become a double's own eight bytes */
    CHECK(codec_decode(&reader, packed, (size_t)written, &again, &gap) == written);
    CHECK(reader.n == writer.n && reader.mono_ns == writer.mono_ns &&
          reader.stream == writer.stream);
    CHECK(again.n == event->n && again.stream == event->stream && again.kind == event->kind);
    CHECK(again.mono_ns == event->mono_ns && again.status == event->status);
    CHECK(again.value.type == event->value.type);
    if (event->value.type == VALUE_GAP)
        CHECK(same_gap(again.value.gap, event->value.gap));
    else
        CHECK(value_equal(&again.value, &event->value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct codec codec = {.n = 41};
    struct event event;
    struct gap gap;
    for (int i = 0; i < 64 && size > 0; i++) {
        struct codec before = codec;
        int taken = codec_decode(&codec, data, size, &event, &gap);
        if (taken <= 0) {
            CHECK(taken < 0);
            return 0;
        }
        CHECK((size_t)taken <= size && event.n == before.n + 1);
        check_round_trip(&before, &event, taken);
        data += taken;
        size -= (size_t)taken;
    }
    return 0;
}

static void fill_value(struct value *value, uint64_t random, struct gap *gap)
{
    static const char text[] = "a text that is long enough for every size that is wanted here";
    *value = (struct value){.type = (uint8_t)(random % 8)};
    switch (value->type) {
    case VALUE_BOOL:
        value->b = random >> 8 & 1;
        break;
    case VALUE_F64:
        value->f = (double)(int64_t)(random >> 8) / (random >> 4 & 1 ? 1000.0 : 3.0);
        break;
    case VALUE_TEXT:
    case VALUE_BYTES:
        value->data = text;
        value->size = (uint16_t)(random >> 8 & 31);
        break;
    case VALUE_GAP:
        *gap = (struct gap){.first = random >> 40, .last = random >> 39, .count = 3, .reason = 2};
        value->gap = gap;
        break;
    default:
        value->u = random >> (random >> 58);
        break;
    }
}

size_t fuzz_seed(uint64_t random, uint8_t *out, size_t room)
{
    struct codec codec = {.n = 41};
    size_t size = 0;
    for (uint64_t left = fuzz_next(&random) % 16; left > 0; left--) {
        struct gap gap;
        struct event event = {.n = codec.n + 1};
        uint64_t bits = fuzz_next(&random);
        event.kind = (uint8_t)(bits & 1 ? EVENT_READING : 1 + (bits >> 8) % EVENT_DECLARE);
        event.stream = bits & 2 ? codec.stream + 1 : (uint32_t)(bits >> 16);
        event.mono_ns = bits & 4 ? codec.mono_ns : (int64_t)(bits >> 20);
        event.status = bits & 8 ? 0 : 0x800A;
        fill_value(&event.value, fuzz_next(&random), &gap);
        int written = codec_encode(&codec, &event, out + size, room - size);
        if (written < 0)
            break;
        size += (size_t)written;
    }
    return size;
}
