/* A serial line with one device that speaks in lines: what the line knows, and what its devices see
 * of it. What a device has to say is queued (line_say) and leaves at the pace of the wire; faults
 * are applied there, so that a device only says what a healthy one would. */
#ifndef SIM_LINE_H
#define SIM_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "pty.h"
#include "truth.h"
#include "units.h"
#include "wire.h"

#define RX_MAX    128
#define QUEUE_MAX 32

struct text {
    struct wire_tx tx;
    int64_t due_ns;
    int64_t request_end_ns;
    bool delayed;
    bool intact;
    bool heard; /* from its first byte on: else it need not arrive */
    bool has_counter;
    uint32_t counter;
};

struct stats {
    uint64_t requests, replies, silenced, corrupted, late, overruns, dropped, wrong_baud, noise;
    uint64_t truth_lines, rx_bytes, tx_bytes;
};

struct line;

struct device {
    const char *kind;
    int baud;
    const char *point;
    void (*tick)(struct line *line);                         /* every options.every_ns */
    void (*command)(struct line *line, const char *command); /* NULL: never listens */
};

struct line {
    struct options options;
    const struct device *device;
    struct unit unit; /* carries the faults; a line has one device */
    struct wire_timing timing;
    struct pty pty;
    struct truth *truth;
    struct stats stats;
    uint64_t random;

    char rx[RX_MAX];
    size_t rx_length;
    int64_t rx_end_ns; /* when the last byte received has passed */
    bool echo;

    struct text queue[QUEUE_MAX]; /* in order; the first is on the wire once it is due */
    size_t queued;
    int64_t line_end_ns;

    int64_t tick_due_ns;
    int64_t noise_due_ns;
    bool cut_next; /* the next line stops half way */

    char state;  /* scale: S stable, D dynamic, I busy, + overload, - underload */
    bool repeat; /* scale: SIR is in force */
};

/* Queues one line; CR LF is added. counter is what has_counter says it carries. */
void line_say(struct line *line, bool has_counter, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

extern const struct device line_nmea;  /* a talker of NMEA 0183 sentences */
extern const struct device line_scale; /* a scale of the MT-SICS kind */

#endif
