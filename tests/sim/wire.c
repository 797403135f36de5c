#include "wire.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ns(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * WIRE_S + ts.tv_nsec;
}

int64_t wire_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t wire_unix_ms(void)
{
    return clock_ns(CLOCK_REALTIME) / WIRE_MS;
}

int wire_timing_init(struct wire_timing *timing, int baud, const char *format)
{
    if (baud < 50 || baud > 4000000 || strlen(format) != 3)
        return -1;
    if (format[0] < '5' || format[0] > '8' || !strchr("NEO", format[1]) ||
        (format[2] != '1' && format[2] != '2'))
        return -1;

    timing->baud = baud;
    timing->bits_per_byte = 1 + (format[0] - '0') + (format[1] != 'N') + (format[2] - '0');
    timing->byte_ns = timing->bits_per_byte * WIRE_S / baud;
    timing->silence_ns = baud > 19200 ? 1750000 : timing->byte_ns * 7 / 2;
    timing->chunk_bytes = 1;
    if (timing->byte_ns < WIRE_MS / 2)
        timing->chunk_bytes = (size_t)(WIRE_MS / timing->byte_ns);
    return 0;
}

int wire_parse_duration(const char *text, int64_t *ns)
{
    static const struct {
        const char *suffix;
        int64_t ns;
    } units[] = {{"", WIRE_MS}, {"ms", WIRE_MS}, {"us", 1000}, {"s", WIRE_S}, {"m", 60 * WIRE_S}};
    char *end;
    double value = strtod(text, &end);

    if (end == text || !(value >= 0 && value < 1e6))
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].suffix) == 0) {
            *ns = (int64_t)(value * (double)units[i].ns);
            return 0;
        }
    }
    return -1;
}

uint16_t wire_crc16(const uint8_t *data, size_t length)
{
    unsigned crc = 0xffff;

    for (size_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1) ? (crc >> 1) ^ 0xa001 : crc >> 1;
    }
    return (uint16_t)crc;
}

static size_t next_chunk(const struct wire_tx *tx, const struct wire_timing *timing)
{
    /* Chunks are for fast lines; a reply slowed down on purpose dribbles byte by byte on any line.
     */
    size_t chunk = tx->byte_ns > timing->byte_ns ? 1 : timing->chunk_bytes;
    size_t left = tx->length - tx->sent;

    return left < chunk ? left : chunk;
}

int64_t wire_tx_deadline_ns(const struct wire_tx *tx, const struct wire_timing *timing)
{
    if (tx->sent >= tx->length)
        return WIRE_NEVER;
    return tx->start_ns + (int64_t)(tx->sent + next_chunk(tx, timing)) * tx->byte_ns;
}

bool wire_tx_step(struct wire_tx *tx, const struct wire_timing *timing, int fd, int64_t now_ns)
{
    while (wire_tx_deadline_ns(tx, timing) <= now_ns) {
        size_t n = next_chunk(tx, timing);

        tx->end_ns = wire_now_ns();
        /* A UART does not wait for its reader: what finds no room is gone. */
        if (fd < 0 || write(fd, tx->data + tx->sent, n) != (ssize_t)n)
            tx->lost = true;
        tx->sent += n;
    }
    return tx->sent >= tx->length;
}

uint32_t wire_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * 0x2545f4914f6cdd1dULL) >> 32);
}
