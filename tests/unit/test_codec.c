/* The packed form of events: the bytes that are promised, any event there and back, and hostile
 * bytes. */
// links: sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec.h"
#include "core/decimal.h"
#include "core/error.h"
#include "unit/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct codec start = {.n = 99, .mono_ns = 1000 * INT64_C(1000000000), .stream = 16};

/* A good reading of the next stream at the same time, which needs neither stream, time, status nor
 * kind. */
static struct event plain_event(void)
{
    return (struct event){.n = start.n + 1,
                          .stream = start.stream + 1,
                          .mono_ns = start.mono_ns,
                          .kind = EVENT_READING,
                          .value.decimals = DECIMALS_SHORTEST};
}

static struct event reading_of(double value)
{
    struct event event = plain_event();
    event.value.type = VALUE_F64;
    event.value.f = value;
    return event;
}

static void assert_same_event(const struct event *a, const struct event *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->stream, b->stream);
    assert_int_equal(a->mono_ns, b->mono_ns);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->status, b->status);
    assert_true(value_equal(&a->value, &b->value));
}

static void assert_same_codec(const struct codec *a, const struct codec *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->mono_ns, b->mono_ns);
    assert_int_equal(a->stream, b->stream);
}

/* Packs and unpacks, holds the result against the event, and returns the size. */
static int round_trip(const struct codec *from, const struct event *event)
{
    static uint8_t packed[CODEC_EVENT_SIZE_MAX];
    struct codec encoder = *from, decoder = *from;
    struct event decoded = {0};
    struct gap gap;
    int size = codec_encode(&encoder, event, packed, sizeof(packed));
    assert_true(size > 0);
    assert_int_equal(codec_decode(&decoder, packed, (size_t)size, &decoded, &gap), size);
    assert_same_event(event, &decoded);
    assert_int_equal(decoded.value.decimals, DECIMALS_SHORTEST);
    assert_same_codec(&encoder, &decoder);
    return size;
}

static void writes_the_bytes_of_the_specification(void **state)
{
    (void)state;
    struct gap gap = {.first = 300, .last = 302, .count = 3, .extent_ms = 250, .reason = GAP_CRASH};
    struct event number = reading_of(230.1), timeout = plain_event(), yes = plain_event(),
                 text = plain_event(), lost = plain_event(), single = reading_of(-0.0),
                 late = reading_of(51.123456), full = reading_of(1.0 / 3);
    timeout.status = 0x800A;
    yes.value = (struct value){.type = VALUE_BOOL, .b = true};
    text.kind = EVENT_ALARM;
    text.stream = 0;
    text.value = (struct value){.type = VALUE_TEXT, .size = 2, .data = "hi"};
    lost.kind = EVENT_GAP;
    lost.value = (struct value){.type = VALUE_GAP, .gap = &gap};
    late.mono_ns += 64;
    const struct {
        const struct event *event;
        const char *bytes;
    } cases[] = {
        {&number, "06fa23"},         {&timeout, "400a80"},          {&yes, "02"},
        {&text, "9c0321026869"},     {&lost, "8e06ac020403fa0101"}, {&single, "0a00000080"},
        {&late, "2980010680d4e030"}, {&full, "0b555555555555d53f"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t packed[64];
        char text_form[129] = "";
        struct codec codec = start;
        int size = codec_encode(&codec, cases[i].event, packed, sizeof(packed));
        for (int byte = 0; byte < size; byte++)
            sprintf(text_form + 2 * byte, "%02x", packed[byte]);
        assert_string_equal(text_form, cases[i].bytes);
        round_trip(&start, cases[i].event);
    }
}

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void keeps_every_bit_of_a_double(void **state)
{
    (void)state;
    const struct {
        double value;
        int size;
    } cases[] = {
        {0.0, 2},
        {-0.0, 5},
        {1.0, 2},
        {-1.0, 2},
        {0.1, 2},
        {-40.25, 3},
        {230.1, 3},
        {50.003, 4},
        {0.1 + 0.2, 9},
        {1048575.0, 4},
        {1048576.0, 5},
        {16777217.0, 5},
        {9007199254740992.0, 5},
        {9007199254740993.0, 5},
        {281474976710655.0, 8},
        {281474976710657.0, 9},
        {1234567.89, 5},
        {48.2082345, 7},
        {0.000000001, 3},
        {1234567.123456789, 9},
        {0.0000000001, 9},
        {(double)3.14159274f, 5},
        {1.7976931348623157e308, 9},
        {(double)3.4028234e38f, 5},
        {5e-324, 9},
        {INFINITY, 5},
        {-INFINITY, 5},
        {from_bits(UINT64_C(0x7ff8000000000000)), 9},
        {from_bits(UINT64_C(0xfff8000000000000)), 9},
        {from_bits(UINT64_C(0x7ff8dead0000beef)), 9},
        {from_bits(UINT64_C(0x7ff0000000000001)), 9},
        {from_bits(UINT64_C(0x7ff4000020000000)), 9},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct event event = reading_of(cases[i].value);
        int size = round_trip(&start, &event);
        if (size != cases[i].size)
            fail_msg("%.17g takes %d bytes, not %d", cases[i].value, size, cases[i].size);
    }
}

/* The decimal forms must not depend on luck: whole stretches of what instruments deliver. */
static void packs_decimals_as_sensors_deliver_them(void **state)
{
    (void)state;
    for (unsigned exponent = 0; exponent <= 3; exponent++) {
        for (int64_t mantissa = -70000; mantissa <= 70000; mantissa += 7) {
            struct event event = reading_of((double)mantissa / decimal_power[exponent]);
            assert_true(round_trip(&start, &event) <= 4);
        }
    }
}

static void *random_bytes(uint64_t *seed, size_t size)
{
    static uint8_t bytes[EVENT_VALUE_SIZE_MAX];
    random_fill(seed, bytes, size);
    return bytes;
}

static double random_double(uint64_t *seed)
{
    int64_t mantissa = (int64_t)random_magnitude(seed);
    switch (random_below(seed, 4)) {
    case 0:
        return from_bits(random_next(seed));
    case 1:
        return (double)(float)mantissa / 1024;
    default:
        return (double)mantissa / decimal_power[random_below(seed, 12)];
    }
}

static struct value random_value(uint64_t *seed)
{
    static struct gap gap;
    struct value value = {.type = (uint8_t)random_below(seed, VALUE_GAP + 1)};
    switch ((enum value_type)value.type) {
    case VALUE_NONE:
        break;
    case VALUE_BOOL:
        value.b = random_below(seed, 2);
        break;
    case VALUE_I64:
        value.i = unzigzag(random_magnitude(seed));
        break;
    case VALUE_U64:
        value.u = random_magnitude(seed);
        break;
    case VALUE_F64:
        value.f = random_double(seed);
        break;
    case VALUE_TEXT:
    case VALUE_BYTES:
        value.size =
            (uint16_t)(random_below(seed, EVENT_VALUE_SIZE_MAX + 1) >> random_below(seed, 13));
        value.data = random_bytes(seed, value.size);
        break;
    case VALUE_GAP:
        gap = (struct gap){random_magnitude(seed), random_magnitude(seed), random_magnitude(seed),
                           (uint32_t)random_next(seed), (uint8_t)random_next(seed)};
        value.gap = &gap;
        break;
    }
    return value;
}

static struct event random_event(uint64_t *seed, const struct codec *before)
{
    struct event event = {.n = before->n + 1, .kind = EVENT_READING};
    event.stream = random_below(seed, 2) ? before->stream + 1 : (uint32_t)random_magnitude(seed);
    event.mono_ns = before->mono_ns;
    if (random_below(seed, 2))
        event.mono_ns = (int64_t)((uint64_t)event.mono_ns + random_magnitude(seed));
    if (random_below(seed, 4) == 0)
        event.status = (uint16_t)random_next(seed);
    if (random_below(seed, 4) == 0)
        event.kind = (uint8_t)(1 + random_below(seed, EVENT_DECLARE));
    event.value = random_value(seed);
    return event;
}

static void brings_back_any_event(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct codec codec = {0};
    for (int i = 0; i < 100000; i++) {
        struct event event = random_event(&seed, &codec);
        round_trip(&codec, &event);
        codec = (struct codec){event.n, event.mono_ns, event.stream};
    }
}

/* Ten devices in turn, ten points each: scaled registers, floats, counters, contacts; one read in
 * fifty fails. */
static void keeps_a_numeric_reading_within_twelve_bytes(void **state)
{
    (void)state;
    uint64_t seed = 2;
    struct codec codec = {0};
    uint64_t size = 0, count = 0;
    for (int read = 0; read < 2000; read++) {
        int64_t mono_ns = codec.mono_ns + 100000000 + (int64_t)random_below(&seed, 2000000);
        uint16_t status = random_below(&seed, 50) == 0 ? 0x800A : 0;
        for (uint32_t point = 0; point < 10; point++) {
            struct event event = {.n = codec.n + 1,
                                  .stream = 1 + (uint32_t)(read % 10) * 10 + point,
                                  .mono_ns = mono_ns,
                                  .status = status,
                                  .kind = EVENT_READING,
                                  .value.type = status ? VALUE_NONE : VALUE_F64};
            if (point == 9)
                event.value.f = (double)((float)random_below(&seed, 1 << 24) / 7000.0f);
            else if (point == 8)
                event.value.f = 1234567.0 + read;
            else
                event.value.f = (double)random_below(&seed, 65536) / decimal_power[point % 4];
            size += (uint64_t)round_trip(&codec, &event);
            count++;
            codec = (struct codec){event.n, event.mono_ns, event.stream};
        }
    }
    double average = (double)size / (double)count;
    print_message("a numeric reading takes %.2f bytes on average\n", average);
    assert_true(average <= 5.0);
}

static void refuses_an_event_that_does_not_fit(void **state)
{
    (void)state;
    struct event events[3] = {reading_of(0.1 + 0.2), plain_event(), plain_event()};
    events[0].mono_ns += 123456789;
    events[1].value =
        (struct value){.type = VALUE_TEXT, .size = 60, .data = random_bytes(&(uint64_t){3}, 60)};
    events[2].value = (struct value){
        .type = VALUE_BYTES, .size = EVENT_VALUE_SIZE_MAX, .data = events[1].value.data};
    for (size_t i = 0; i < COUNT(events); i++) {
        struct codec codec = start;
        uint8_t *packed = malloc(CODEC_EVENT_SIZE_MAX);
        int size = codec_encode(&codec, &events[i], packed, CODEC_EVENT_SIZE_MAX);
        free(packed);
        assert_true(size > 0);
        for (int room = 0; room <= size; room++) {
            codec = start;
            packed =
                malloc((size_t)room); /* of just this size, so that the sanitizer sees an overrun */
            int result = codec_encode(&codec, &events[i], packed, (size_t)room);
            free(packed);
            assert_int_equal(result, room < size ? ERR_FULL : size);
            if (room < size)
                assert_same_codec(&codec, &start);
        }
    }
}

static void refuses_an_event_that_cannot_be_stored(void **state)
{
    (void)state;
    struct event events[5];
    for (size_t i = 0; i < COUNT(events); i++)
        events[i] = plain_event();
    events[0].n++;
    events[1].kind = 0;
    events[2].kind = EVENT_DECLARE + 1;
    events[3].value.type = VALUE_GAP + 1;
    events[4].value = (struct value){.type = VALUE_TEXT, .size = EVENT_VALUE_SIZE_MAX + 1};
    for (size_t i = 0; i < COUNT(events); i++) {
        static uint8_t packed[CODEC_EVENT_SIZE_MAX];
        struct codec codec = start;
        assert_int_equal(codec_encode(&codec, &events[i], packed, sizeof(packed)), ERR_INVALID);
        assert_same_codec(&codec, &start);
    }
}

/* Decodes from memory of just this size, so that the sanitizer sees a read beyond it. */
static int decode_tightly(const uint8_t *data, size_t size, struct event *event)
{
    struct codec codec = start;
    struct gap gap;
    static uint8_t kept[2 * CODEC_EVENT_SIZE_MAX];
    uint8_t *exact = malloc(size);
    if (size > 0)
        memcpy(exact, data, size);
    int result = codec_decode(&codec, exact, size, event, &gap);
    assert_true(result == ERR_CORRUPT || (result > 0 && (size_t)result <= size));
    if (result == ERR_CORRUPT)
        assert_same_codec(&codec, &start);
    if (result >
        0) { /* what was taken for an event is one: it can be stored again and is the same */
        round_trip(&start, event);
        memcpy(kept, exact, size);
        if (event->value.type == VALUE_TEXT || event->value.type == VALUE_BYTES)
            event->value.data = kept + ((const uint8_t *)event->value.data - exact);
    }
    free(exact);
    return result;
}

static void rejects_what_is_no_event(void **state)
{
    (void)state;
    const struct {
        const char *why;
        const uint8_t bytes[16];
        size_t size;
    } cases[] = {
        {"nothing", {0}, 0},
        {"the reserved form", {0x0f, 0, 0}, 3},
        {"a kind of 0", {0x80, 0}, 2},
        {"a reading's kind, which is not written", {0x80, 1}, 2},
        {"an unknown kind", {0x80, 11}, 2},
        {"no kind", {0x80}, 1},
        {"a stream difference of 0", {0x10, 0}, 2},
        {"a stream difference above 32 bits", {0x10, 0x80, 0x80, 0x80, 0x80, 0x10}, 6},
        {"a time difference of 0", {0x20, 0}, 2},
        {"a status of 0", {0x40, 0, 0}, 3},
        {"half a status", {0x40, 1}, 2},
        {"a number longer than need be", {0x04, 0x80, 0x00}, 3},
        {"a long number longer than need be", {0x04, 0x80, 0x80, 0x00}, 4},
        {"a number that does not end", {0x04, 0x80, 0x80}, 3},
        {"a number above 64 bits", {0x04, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2}, 11},
        {"a number of eleven bytes",
         {0x04, 255, 255, 255, 255, 255, 255, 255, 255, 255, 129, 1},
         12},
        {"an exponent with a form of its own", {0x09, 3, 2}, 3},
        {"an exponent that is too large", {0x09, 10, 2}, 3},
        {"a text larger than its data", {0x0c, 3, 'a', 'b'}, 4},
        {"a text larger than allowed", {0x0c, 0x81, 0x20}, 3},
        {"half a single", {0x0a, 1, 2}, 3},
        {"half a double", {0x0b, 1, 2, 3, 4, 5, 6, 7}, 8},
        {"a gap without a reason", {0x0e, 1, 0, 1, 0}, 5},
        {"a gap of an extent above 32 bits", {0x0e, 1, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x10, 1}, 10},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct event event;
        if (decode_tightly(cases[i].bytes, cases[i].size, &event) != ERR_CORRUPT)
            fail_msg("took %s for an event", cases[i].why);
    }
}

static void rejects_every_event_that_is_cut_off(void **state)
{
    (void)state;
    uint64_t seed = 4;
    for (int i = 0; i < 1000; i++) {
        static uint8_t packed[CODEC_EVENT_SIZE_MAX];
        struct codec codec = start;
        struct event event = random_event(&seed, &codec), decoded;
        int size = codec_encode(&codec, &event, packed, sizeof(packed));
        for (int cut = 0; cut < size && cut < 100; cut++)
            assert_int_equal(decode_tightly(packed, (size_t)cut, &decoded), ERR_CORRUPT);
    }
}

static void stays_within_any_bytes(void **state)
{
    (void)state;
    uint64_t seed = 5;
    unsigned taken = 0;
    for (int i = 0; i < 100000; i++) {
        static uint8_t bytes[2 * CODEC_EVENT_SIZE_MAX];
        size_t size = random_below(&seed, 40);
        struct event event;
        random_fill(&seed, bytes, size);
        if (random_below(&seed, 2)) { /* an event, damaged in some of its bytes */
            struct codec codec = start;
            event = random_event(&seed, &codec);
            size = (size_t)codec_encode(&codec, &event, bytes, sizeof(bytes));
            for (uint64_t flips = 1 + random_below(&seed, 3); flips > 0; flips--)
                bytes[random_below(&seed, size < 20 ? size : 20)] ^=
                    (uint8_t)(1 << random_below(&seed, 8));
        }
        taken += decode_tightly(bytes, size, &event) > 0;
    }
    assert_in_range(taken, 1000, 99000); /* otherwise only one side of the decoder was tried */
}

static void reads_numbers_of_any_length(void **state)
{
    (void)state;
    const uint64_t numbers[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, INT64_MAX, UINT64_MAX};
    const size_t sizes[] = {1, 1, 1, 2, 2, 3, 5, 9, 10};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        uint8_t bytes[10];
        uint64_t number;
        assert_int_equal(varint_put(bytes, numbers[i]), sizes[i]);
        assert_int_equal(varint_get(bytes, sizes[i], &number), sizes[i]);
        assert_int_equal(number, numbers[i]);
        assert_int_equal(varint_get(bytes, sizes[i] - 1, &number), ERR_CORRUPT);
        assert_int_equal(zigzag(unzigzag(numbers[i])), numbers[i]);
    }
    assert_int_equal(zigzag(-1), 1);
    assert_int_equal(zigzag(INT64_MIN), UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_bytes_of_the_specification),
        cmocka_unit_test(keeps_every_bit_of_a_double),
        cmocka_unit_test(packs_decimals_as_sensors_deliver_them),
        cmocka_unit_test(brings_back_any_event),
        cmocka_unit_test(keeps_a_numeric_reading_within_twelve_bytes),
        cmocka_unit_test(refuses_an_event_that_does_not_fit),
        cmocka_unit_test(refuses_an_event_that_cannot_be_stored),
        cmocka_unit_test(rejects_what_is_no_event),
        cmocka_unit_test(rejects_every_event_that_is_cut_off),
        cmocka_unit_test(stays_within_any_bytes),
        cmocka_unit_test(reads_numbers_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
