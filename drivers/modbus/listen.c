/*
 * How swapped wires look. The line rests where a driver would hold a zero bit, and every bit is
 * turned over. So behind the last byte that is made out of a burst there is no mark, but the line
 * goes back to its rest, and this byte's upper bits are zeros. At a wrong rate the line rests as it
 * should, and the last byte is filled up with ones; where the other rate is so much slower that
 * this does not hold, a start bit lasts into the lowest bit of each byte.
 */
#include "modbus/listen.h"

#include "core/clock.h"

#define NOISE_BYTES   4  /* as transceivers make them when they let go of the line */
#define BURSTS_LEAST  4  /* that tell how garbage comes */
#define SWAPPED_PARTS 4  /* of so many bursts all but one end with a zero bit... */
#define SLOWER_PARTS  10 /* of so many bytes all but one have no lowest bit */
#define BURST_LEAST   5  /* ...of those with at least so many bytes: a request has eight */

static void take_frame(void *context, const struct sniff_frame *frame)
{
    struct listen *listen = context;
    uint8_t function = frame->kind == SNIFF_GARBAGE ? 0 : frame->pdu[0] & 0x7F;
    size_t i = 0;

    if (frame->kind == SNIFF_GARBAGE) {
        listen->garbage += frame->size;
        return;
    }
    *(frame->kind == SNIFF_REQUEST ? &listen->requests : &listen->replies) += 1;
    while (i < listen->pair_count &&
           (listen->pairs[i].unit != frame->unit || listen->pairs[i].function != function))
        i++;
    if (i == LISTEN_PAIRS)
        return;
    if (i == listen->pair_count) {
        listen->pairs[i].unit = frame->unit;
        listen->pairs[i].function = function;
        listen->pair_count++;
    }
    *(frame->kind == SNIFF_REQUEST ? &listen->pairs[i].requests : &listen->pairs[i].replies) += 1;
}

void listen_init(struct listen *listen, enum sniff_protocol protocol, int64_t byte_ns)
{
    *listen = (struct listen){.last_ns = INT64_MIN};
    sniff_init(&listen->sniff, protocol, byte_ns, take_frame, listen);
}

static void end_burst(struct listen *listen)
{
    if (listen->burst >= BURST_LEAST &&
        listen->requests + listen->replies == listen->frames_before) {
        listen->bursts++;
        listen->zero_topped += !(listen->last & 0x80);
    }
    listen->frames_before = listen->requests + listen->replies;
    listen->burst = 0;
}

void listen_feed(struct listen *listen, int64_t mono_ns, const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return;
    if (listen->last_ns != INT64_MIN &&
        mono_ns - listen->last_ns > sniff_silence_ns(&listen->sniff)) {
        sniff_rest(&listen->sniff, mono_ns);
        end_burst(listen);
    }
    sniff_feed(&listen->sniff, SNIFF_HEARD, mono_ns, bytes, size);
    for (size_t i = 0; i < size; i++)
        listen->even += !(bytes[i] & 1);
    listen->bytes += size;
    listen->burst += size;
    listen->last = bytes[size - 1];
    listen->last_ns = mono_ns;
}

enum listen_verdict listen_end(struct listen *listen)
{
    unsigned frames;

    sniff_flush(&listen->sniff);
    end_burst(listen);
    frames = listen->requests + listen->replies;
    /* In much garbage a few bytes look like a frame by chance. */
    if (frames >= 1 && (listen->garbage <= 64 || listen->bytes - listen->garbage > listen->garbage))
        return listen->requests ? LISTEN_MASTER : LISTEN_REPLIES;
    if (listen->bytes <= NOISE_BYTES)
        return LISTEN_SILENCE;
    if (listen->bursts < BURSTS_LEAST)
        return LISTEN_GARBAGE;
    if (listen->even >= listen->bytes - listen->bytes / SLOWER_PARTS)
        return LISTEN_WRONG_BAUD;
    if (listen->zero_topped >= listen->bursts - listen->bursts / SWAPPED_PARTS)
        return LISTEN_SWAPPED;
    return listen->zero_topped * 2 < listen->bursts ? LISTEN_WRONG_BAUD : LISTEN_GARBAGE;
}

static const struct {
    const char *word, *sentence;
} verdicts[] = {
    [LISTEN_SILENCE] = {"silence", "nobody speaks unasked"},
    [LISTEN_MASTER] = {"master", "another master asks on this line"},
    [LISTEN_REPLIES] = {"replies", "devices answer a master that cannot be heard here: somebody "
                                   "else asks on this line"},
    [LISTEN_WRONG_BAUD] = {"wrong baud",
                           "somebody speaks, but at another baud or parity, or it is no Modbus"},
    [LISTEN_SWAPPED] = {"swapped",
                        "somebody speaks, and it looks as if A and B were swapped: change the two "
                        "wires over"},
    [LISTEN_GARBAGE] = {"garbage",
                        "bytes come that are no frames: another baud or parity, A and B swapped, "
                        "noise, or no Modbus"},
};

const char *listen_word(enum listen_verdict verdict)
{
    return verdicts[verdict].word;
}

const char *listen_sentence(enum listen_verdict verdict)
{
    return verdicts[verdict].sentence;
}
