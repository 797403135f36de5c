/*
 * Any bytes where a Modbus reply is expected: each codec reads no byte behind a frame, gives the
 * same frame however the bytes came, keeps to the sizes of the protocol, and takes back what it
 * makes itself. And any bytes on a line that is listened to: each is told once, in a frame or as
 * garbage, and can be described.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "modbus/describe.h"
#include "modbus/frames.h"
#include "modbus/ident.h"
#include "modbus/mbap.h"

static const struct frames_codec *const codecs[] = {&frames_rtu, &frames_ascii};

#define CODECS (sizeof codecs / sizeof codecs[0])

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* Its texts can be printed, whatever a device says of itself. */
static void take_identity(const uint8_t *data, size_t size)
{
    struct ident ident = {0};
    int next = ident_take(&ident, data[size - 1], data, size);

    check(next < IDENT_OBJECTS && (next <= 0 || next > data[size - 1]));
    for (int i = 0; i < IDENT_OBJECTS; i++) {
        check(memchr(ident.texts[i], '\0', IDENT_TEXT_SIZE) != NULL);
        for (const char *at = ident.texts[i]; *at; at++)
            check(*at >= ' ' && *at < 0x7F);
    }
}

/* What stands in a frame can be asked of everything that looks at it, and made into a frame again
 * that says the same. */
static void take_frame(const struct frames_codec *codec, const struct frame *frame)
{
    static const uint8_t identity[] = {0x0E, 4, 0};
    uint8_t bytes[FRAMES_BYTES_MAX], adu[FRAMES_ADU_MAX], pdu[PDU_SIZE_MAX];
    size_t size = frame->pdu_size, made, wanted;
    struct frame again;

    check(size >= 2 && size <= PDU_SIZE_MAX);
    memcpy(pdu, frame->pdu, size);
    for (unsigned function = 1; function <= PDU_IDENTIFY; function++) {
        struct modbus_request request = {.function = (uint8_t)function,
                                         .count = (uint16_t)(pdu[1] / 2),
                                         .data = identity,
                                         .data_size = sizeof identity};

        pdu_match(&request, pdu, size);
    }
    take_identity(pdu + 1, size - 1);
    made = codec->encode(frame->unit, pdu, size, bytes);
    check(made == frames_size(codec, size) && made <= FRAMES_BYTES_MAX);
    check(codec->decode(bytes, made, adu, &again, &wanted) == 1);
    check(again.unit == frame->unit && again.pdu_size == size && memcmp(again.pdu, pdu, size) == 0);
}

/* The bytes as a line reads them: never more than was wanted. Returns what the codec said in the
 * end. */
static int receive(const struct frames_codec *codec, const uint8_t *data, size_t size, size_t piece,
                   struct frame *frame, size_t *used, uint8_t adu[FRAMES_ADU_MAX])
{
    size_t have = 0;

    for (;;) {
        size_t wanted = 0;
        int result = codec->decode(data, have, adu, frame, &wanted);

        *used = have;
        if (result != 0)
            return result;
        check(wanted > 0 && have < FRAMES_BYTES_MAX);
        if (have == size)
            return 0;
        if (wanted > piece)
            wanted = piece;
        if (wanted > FRAMES_BYTES_MAX - have)
            wanted = FRAMES_BYTES_MAX - have;
        have += wanted < size - have ? wanted : size - have;
    }
}

static void feed_line(const struct frames_codec *codec, const uint8_t *data, size_t size,
                      size_t piece)
{
    uint8_t adu[2][FRAMES_ADU_MAX];
    struct frame frames[2];
    size_t used[2];
    int result = receive(codec, data, size, SIZE_MAX, &frames[0], &used[0], adu[0]);

    check(receive(codec, data, size, piece, &frames[1], &used[1], adu[1]) == result);
    if (result != 1)
        return;
    check(used[0] == used[1] && frames[0].unit == frames[1].unit &&
          frames[0].pdu_size == frames[1].pdu_size &&
          memcmp(frames[0].pdu, frames[1].pdu, frames[0].pdu_size) == 0);
    take_frame(codec, &frames[0]);
}

/* Returns a sum over the frames that came out before the stream ended or broke. */
static uint64_t feed_mbap(const uint8_t *data, size_t size, size_t piece)
{
    static struct mbap mbap;
    uint64_t sum = 14695981039346656037u;

    mbap_clear(&mbap);
    for (size_t at = 0;;) {
        struct mbap_frame frame;
        int taken = mbap_take(&mbap, &frame);
        size_t room;
        uint8_t *to;

        if (taken < 0 || (taken == 0 && at == size))
            return sum;
        if (taken > 0) {
            check(frame.size >= 2 && frame.size <= PDU_SIZE_MAX);
            for (size_t i = 0; i < frame.size; i++)
                sum = (sum ^ frame.pdu[i]) * 1099511628211u;
            sum = (sum ^ frame.transaction ^ (uint64_t)frame.unit << 16) * 1099511628211u;
            continue;
        }
        to = mbap_room(&mbap, &room);
        check(room > 0);
        if (room > piece)
            room = piece;
        if (room > size - at)
            room = size - at;
        memcpy(to, data + at, room);
        mbap.end += room;
        at += room;
    }
}

struct told {
    size_t bytes;
    char text[DESCRIBE_SIZE_MAX];
};

static void take_told(void *context, const struct sniff_frame *frame)
{
    struct told *told = context;
    struct text text;

    check(frame->size > 0 && frame->end_ns >= frame->begin_ns);
    told->bytes += frame->size;
    text_init(&text, told->text, sizeof told->text);
    describe_words(&text, frame);
    text_string(&text, "{");
    describe_json(&text, frame);
    describe_bytes(&text, frame->bytes, frame->size, true);
    check(!text.cut || frame->kind == SNIFF_GARBAGE);
}

static void overhear(enum sniff_protocol protocol, const uint8_t *data, size_t size, size_t piece)
{
    static struct sniff sniff;
    static struct told told;
    int64_t mono_ns = 0;

    told.bytes = 0;
    sniff_init(&sniff, protocol, 1000000, take_told, &told);
    for (size_t at = 0; at < size; at += piece) {
        size_t now = piece < size - at ? piece : size - at;
        enum sniff_way way = piece % 3 == 0 ? (enum sniff_way)(data[at] % 3) : SNIFF_HEARD;

        /* Now and then with a pause that parts lumps, or that ends all hope. */
        mono_ns += data[at] % 16 == 15 ? (data[at] / 16) * (NS_PER_S / 10) : 100 * NS_PER_US;
        sniff_feed(&sniff, way, mono_ns, data + at, now);
    }
    sniff_flush(&sniff);
    check(told.bytes == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t kind, piece;

    if (size < 2)
        return 0;
    kind = data[0] % (CODECS + 1);
    piece = 1 + data[1] % 40;
    overhear((enum sniff_protocol)kind, data + 2, size - 2, piece);
    if (kind < CODECS)
        feed_line(codecs[kind], data + 2, size - 2, piece);
    else
        check(feed_mbap(data + 2, size - 2, piece) == feed_mbap(data + 2, size - 2, SIZE_MAX));
    return 0;
}

size_t fuzz_seed(uint64_t random, uint8_t *out, size_t room)
{
    static const uint8_t pdus[][20] = {
        {3, 4, 1, 2, 3, 4}, {1, 1, 0x55},
        {16, 0, 1, 0, 2},   {22, 0, 4, 0, 0xF2, 0, 0x25},
        {0x83, 2},          {43, 14, 1, 1, 0, 0, 2, 0, 4, 'A', 'c', 'm', 'e', 1, 1, 'x'},
    };
    static const size_t sizes[] = {6, 3, 5, 7, 2, 16};
    size_t which = (random >> 8) % 6, size = 2;

    if (room < 2 + FRAMES_BYTES_MAX)
        return 0;
    out[0] = (uint8_t)random;
    out[1] = (uint8_t)(random >> 16);
    if (out[0] % (CODECS + 1) < CODECS)
        return size +
               codecs[out[0] % (CODECS + 1)]->encode(7, pdus[which], sizes[which], out + size);
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t head[] = {0, (uint8_t)i, 0, 0, 0, (uint8_t)(sizes[which] + 1), 7};

        memcpy(out + size, head, sizeof head);
        memcpy(out + size + sizeof head, pdus[which], sizes[which]);
        size += sizeof head + sizes[which];
        which = (which + 1) % 6;
    }
    return size;
}
