/* Time on a serial line: how long bytes take, and bytes written at the moment they would arrive. */
#ifndef SIM_WIRE_H
#define SIM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_NEVER     INT64_MAX
#define WIRE_MS        1000000LL
#define WIRE_S         1000000000LL
#define WIRE_BYTES_MAX 1024

struct wire_timing {
    int baud;
    int bits_per_byte;
    int64_t byte_ns;
    int64_t silence_ns; /* 3.5 characters; above 19200 baud 1.75 ms (Modbus over serial
                           line, 2.5.1.1) */
    size_t chunk_bytes; /* bytes handed over per wake-up; 1 unless a byte is shorter than 0.5 ms */
};

/* A transmission: byte i is complete, and so becomes readable, at start_ns + (i + 1) * byte_ns. */
struct wire_tx {
    uint8_t data[WIRE_BYTES_MAX];
    size_t length;
    size_t sent;
    int64_t start_ns;
    int64_t byte_ns;
    int64_t end_ns; /* taken just before the last write: what the other end can have seen at the
                       earliest */
    bool lost;      /* the other end's buffer was full, or the adapter was pulled */
};

/* format is like "8E1". Returns 0, or -1 when the baud rate or the format is nothing known. */
int wire_timing_init(struct wire_timing *timing, int baud, const char *format);

int64_t wire_now_ns(void);  /* CLOCK_MONOTONIC */
int64_t wire_unix_ms(void); /* CLOCK_REALTIME */

/* "3ms", "250us", "10s", "2m"; a bare number is milliseconds. Returns 0, or -1 on anything else. */
int wire_parse_duration(const char *text, int64_t *ns);

uint16_t wire_crc16(const uint8_t *data, size_t length);

/* When the next chunk is due. WIRE_NEVER when all has been sent. */
int64_t wire_tx_deadline_ns(const struct wire_tx *tx, const struct wire_timing *timing);

/* Writes what is due by now_ns to fd (-1: into the void). Returns true when the last byte has gone.
 */
bool wire_tx_step(struct wire_tx *tx, const struct wire_timing *timing, int fd, int64_t now_ns);

/* xorshift64*: repeatable noise from a seed. state must not be zero. */
uint32_t wire_random(uint64_t *state);

#endif
