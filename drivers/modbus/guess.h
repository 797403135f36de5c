/*
 * What the registers of a device may mean, for a person who has no manual or does not trust it:
 * each register in every type and order, how each of these moves from read to read, and which of
 * them could be the value that the device's display shows. Pure, no I/O; decoded as the driver
 * does.
 */
#ifndef SLUICE_MODBUS_GUESS_H
#define SLUICE_MODBUS_GUESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

#define GUESS_SAMPLES_MAX 16

/* A way to read a value: u16, i16; u32, i32, f32, u64, i64, f64 in four orders each. */
struct guess_kind {
    int type, order; /* enum modbus_type, modbus_order */
    uint8_t registers;
    const char *name, *letters; /* "f32", "CDAB" */
};

#define GUESS_KINDS 26
extern const struct guess_kind guess_kinds[GUESS_KINDS];

/* Neighbouring registers, read several times. */
struct guess_samples {
    unsigned count;   /* registers */
    unsigned samples; /* reads; at most GUESS_SAMPLES_MAX */
    uint8_t *data;    /* of each read all registers, two bytes each, the high one first */
    bool *there;      /* of each register, whether the device has it */
};

/* How a value changes from read to read. */
enum guess_motion {
    GUESS_STEADY, /* not at all */
    GUESS_COUNTS, /* it only rises */
    GUESS_MOVES,  /* as a measurement does */
    GUESS_JUMPS,  /* by half of itself and more: as a wrong order or type does */
};
const char *guess_motion_name(enum guess_motion motion);

struct guess {
    unsigned at, kind;  /* first register, counted from the first of the samples; guess_kinds */
    unsigned plausible; /* 0: it is not; else the more, the likelier */
    enum guess_motion motion;
    double scale;       /* 1, or of guess_search */
    double off;         /* of guess_search: how far from what was expected, relative to it */
    double values[GUESS_SAMPLES_MAX]; /* scaled; NaN where it is no number */
};

/*
 * A number by which a person names a guess of the same registers from one run to the next, from 1
 * on; and back: false when there is none of it among so many registers.
 */
unsigned guess_number(unsigned at, unsigned kind);
bool guess_named(unsigned number, unsigned count, unsigned *at, unsigned *kind);

/* Decodes and judges one. False when not all of its registers are there. */
bool guess_make(const struct guess_samples *samples, unsigned at, unsigned kind,
                struct guess *guess);

/* The value of one read as it is decoded, without a scale; of type VALUE_NONE for NaN. */
struct value guess_value(const struct guess_samples *samples, unsigned at, unsigned kind,
                         unsigned sample);

/* The guesses that are plausible, the likeliest first; returns how many, at most `room`. */
size_t guess_plausible(const struct guess_samples *samples, struct guess *found, size_t room);

/*
 * The guesses whose value, times a power of ten from 0.001 to 1000, was `expect` in one of the
 * reads, give or take `within` (a share of it: 0.02), the likeliest first. `expect` is not 0.
 */
size_t guess_search(const struct guess_samples *samples, double expect, double within,
                    struct guess *found, size_t room);

/* Whether the register held in all reads what devices have for "not available": 0x8000, 0x7FFF or
 * 0xFFFF, as the least, the greatest and the last number. */
bool guess_may_be_blank(const struct guess_samples *samples, unsigned at);

/* Digits of a binary coded decimal register; false where a digit is beyond 9 or all are zero. */
bool guess_bcd(uint16_t word, unsigned *number);

/*
 * A date that stands at a register, as text: seconds since 1970 in two registers (of either order,
 * 2015 to 2039), or year, month and day in three. False where none does.
 */
bool guess_date(const struct guess_samples *samples, unsigned at, char *out, size_t size);

#endif
