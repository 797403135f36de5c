/*
 * How many events a second are packed and unpacked on one core. Prints one JSON object a line, of
 * the median of several passes, and how many bytes an event took.
 *
 * The mix: a hundred points of ten devices, ten to a read: scaled registers of none to three
 * decimals, an integer, a contact, a float, a counter; one read in a hundred fails, and each read
 * has its own time.
 */
#include "core/clock.h"
#include "core/codec.h"
#include "core/decimal.h"
#include "unit/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define EVENTS          100000 /* of a pass: read again and again, they stay in the cache as frames do */
#define POINTS_PER_READ 10
#define DEVICES         10
#define PASSES          21

struct bench {
    struct event *events;
    uint8_t *packed;
    size_t size;
    double encode[PASSES], decode[PASSES]; /* events/s */
};

static struct value value_of(uint64_t *seed, uint32_t point)
{
    uint64_t raw = random_below(seed, 65536);
    switch (point) {
    case 6:
        return (struct value){.type = VALUE_I64, .i = (int64_t)raw - 32768};
    case 7:
        return (struct value){.type = VALUE_BOOL, .b = raw & 1};
    case 8:
        return (struct value){.type = VALUE_F64, .f = (double)((float)raw / 271.0f)};
    case 9:
        return (struct value){.type = VALUE_F64, .f = (double)(100000000 + raw) / 100};
    default:
        return (struct value){.type = VALUE_F64, .f = (double)raw / decimal_power[point % 4]};
    }
}

static void make_events(struct event *events)
{
    uint64_t seed = 1;
    int64_t mono_ns = 0;
    uint16_t status = 0;
    for (uint32_t i = 0; i < EVENTS; i++) {
        uint32_t point = i % POINTS_PER_READ;
        if (point == 0) {
            mono_ns += 10 * NS_PER_MS + (int64_t)random_below(&seed, NS_PER_MS);
            status = random_below(&seed, 100) == 0 ? 0x800A : 0;
        }
        events[i] = (struct event){.n = i + 1,
                                   .stream = 1 + i % (POINTS_PER_READ * DEVICES),
                                   .mono_ns = mono_ns,
                                   .kind = EVENT_READING,
                                   .status = status};
        if (status == 0)
            events[i].value = value_of(&seed, point);
    }
}

static void encode_all(struct bench *bench)
{
    struct codec codec = {0};
    uint8_t *at = bench->packed, *end = at + EVENTS * 16;
    for (size_t i = 0; i < EVENTS; i++) {
        int size = codec_encode(&codec, &bench->events[i], at, (size_t)(end - at));
        if (size < 0)
            abort();
        at += size;
    }
    bench->size = (size_t)(at - bench->packed);
}

/* Looks at every value, so that decoding cannot be left out. */
static uint64_t decode_all(const struct bench *bench)
{
    struct codec codec = {0};
    const uint8_t *at = bench->packed, *end = at + bench->size;
    uint64_t sum = 0;
    while (at < end) {
        struct event event;
        struct gap gap;
        int size = codec_decode(&codec, at, (size_t)(end - at), &event, &gap);
        if (size < 0)
            abort();
        at += size;
        sum += event.value.u ^ event.stream;
    }
    return sum;
}

static double rate_since(int64_t start_ns)
{
    return EVENTS * 1e9 / (double)(clock_mono(&clock_system) - start_ns);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void print_figure(const char *figure, double *values, const char *unit)
{
    qsort(values, PASSES, sizeof(*values), compare);
    printf("{\"bench\":\"journal\",\"figure\":\"%s\",\"value\":%.0f,\"unit\":\"%s\"}\n", figure,
           values[PASSES / 2], unit);
}

int main(void)
{
    struct bench bench = {.events = calloc(EVENTS, sizeof(struct event)),
                          .packed = calloc(EVENTS, 16)};
    uint64_t sum = 0;
    if (!bench.events || !bench.packed)
        return 1;
    make_events(bench.events);
    for (int pass = 0; pass < PASSES; pass++) {
        int64_t start_ns = clock_mono(&clock_system);
        encode_all(&bench);
        bench.encode[pass] = rate_since(start_ns);
        start_ns = clock_mono(&clock_system);
        sum += decode_all(&bench);
        bench.decode[pass] = rate_since(start_ns);
    }
    print_figure("codec_encode", bench.encode, "events/s");
    print_figure("codec_decode", bench.decode, "events/s");
    printf("{\"bench\":\"journal\",\"figure\":\"codec_size\",\"value\":%.2f,\"unit\":\"bytes\"}\n",
           (double)bench.size / EVENTS);
    fprintf(stderr, "checksum of what was read: %016" PRIx64 "\n", sum);
    free(bench.events);
    free(bench.packed);
    return 0;
}
