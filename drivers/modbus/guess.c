#include "modbus/guess.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/status.h"
#include "modbus/decode.h"

#define ORDERS_32(type, name)                                                                      \
    {type, MODBUS_ABCD, 2, name, "ABCD"}, {type, MODBUS_CDAB, 2, name, "CDAB"},                    \
        {type, MODBUS_BADC, 2, name, "BADC"},                                                      \
    {                                                                                              \
        type, MODBUS_DCBA, 2, name, "DCBA"                                                         \
    }
#define ORDERS_64(type, name)                                                                      \
    {type, MODBUS_ABCDEFGH, 4, name, "ABCDEFGH"}, {type, MODBUS_GHEFCDAB, 4, name, "GHEFCDAB"},    \
        {type, MODBUS_BADCFEHG, 4, name, "BADCFEHG"},                                              \
    {                                                                                              \
        type, MODBUS_HGFEDCBA, 4, name, "HGFEDCBA"                                                 \
    }

const struct guess_kind guess_kinds[GUESS_KINDS] = {
    {MODBUS_U16, MODBUS_AB, 1, "u16", "AB"},
    {MODBUS_I16, MODBUS_AB, 1, "i16", "AB"},
    ORDERS_32(MODBUS_U32, "u32"),
    ORDERS_32(MODBUS_I32, "i32"),
    ORDERS_32(MODBUS_F32, "f32"),
    ORDERS_64(MODBUS_U64, "u64"),
    ORDERS_64(MODBUS_I64, "i64"),
    ORDERS_64(MODBUS_F64, "f64"),
};

/* The likeliest first, where several fit. */
static const double scales[] = {1, 0.1, 0.01, 0.001, 10, 100, 1000};
#define SCALES (sizeof scales / sizeof scales[0])

const char *guess_motion_name(enum guess_motion motion)
{
    static const char *const names[] = {"steady", "counts", "moves", "jumps"};

    return names[motion];
}

unsigned guess_number(unsigned at, unsigned kind)
{
    return at * GUESS_KINDS + kind + 1;
}

bool guess_named(unsigned number, unsigned count, unsigned *at, unsigned *kind)
{
    if (number == 0)
        return false;
    *at = (number - 1) / GUESS_KINDS;
    *kind = (number - 1) % GUESS_KINDS;
    return *at < count && *at + guess_kinds[*kind].registers <= count;
}

struct value guess_value(const struct guess_samples *samples, unsigned at, unsigned kind,
                         unsigned sample)
{
    struct modbus_point_options point = {.function = MODBUS_HOLDING_REGISTERS,
                                         .type = guess_kinds[kind].type,
                                         .order = guess_kinds[kind].order,
                                         .count = guess_kinds[kind].registers,
                                         .bit = -1,
                                         .scale_reg = -1,
                                         .scale = 1};
    const uint8_t *data = samples->data + (size_t)sample * 2 * samples->count;
    struct value value = {.type = VALUE_NONE};
    char text[MODBUS_TEXT_SIZE_MAX];
    enum value_type type;
    int8_t decimals;

    modbus_decode_prepare(&point, MODBUS_ABCD, &type, &decimals);
    if (modbus_decode(&point, data, at, text, &value) != STATUS_GOOD)
        value.type = VALUE_NONE;
    else if (value.type == VALUE_F64)
        value.decimals = decimals;
    return value;
}

static double number_of(const struct value *value)
{
    switch (value->type) {
    case VALUE_I64:
        return (double)value->i;
    case VALUE_U64:
        return (double)value->u;
    case VALUE_F64:
        return value->f;
    default:
        return NAN;
    }
}

static bool is_float(unsigned kind)
{
    return guess_kinds[kind].type == MODBUS_F32 || guess_kinds[kind].type == MODBUS_F64;
}

static bool is_signed(unsigned kind)
{
    return guess_kinds[kind].type == MODBUS_I16 || guess_kinds[kind].type == MODBUS_I32 ||
           guess_kinds[kind].type == MODBUS_I64;
}

static enum guess_motion motion_of(const struct guess *guess, unsigned samples)
{
    double least = guess->values[0], most = guess->values[0];
    double small = is_float(guess->kind) ? 1 : 1000; /* what a value near zero may do */
    bool rises = true;

    for (unsigned i = 1; i < samples; i++) {
        rises &= guess->values[i] >= guess->values[i - 1];
        least = fmin(least, guess->values[i]);
        most = fmax(most, guess->values[i]);
    }
    if (most == least)
        return GUESS_STEADY;
    if (most - least > small && most - least > fmax(fabs(most), fabs(least)) / 2)
        return GUESS_JUMPS;
    return rises ? GUESS_COUNTS : GUESS_MOVES;
}

/* Whether all bytes are printable, as those of a name or a serial number are. */
static bool is_text(const struct guess_samples *samples, unsigned at, unsigned registers)
{
    for (unsigned i = 0; i < 2 * registers; i++) {
        uint8_t byte = samples->data[2 * at + i];
        if (byte < ' ' || byte > '~')
            return false;
    }
    return true;
}

static bool has_swapped_bytes(unsigned kind)
{
    enum modbus_order order = guess_kinds[kind].order;

    return order == MODBUS_BADC || order == MODBUS_DCBA || order == MODBUS_BADCFEHG ||
           order == MODBUS_HGFEDCBA;
}

/* What people measure is between a thousandth and a thousand millions; most of it well inside, and
 * what is below zero is small. Few devices swap the bytes of a register. */
static unsigned judge_float(const struct guess *guess)
{
    double size = fabs(guess->values[0]);
    double most = guess->values[0] < 0 ? 1e4 : 1e6;

    if (size < 1e-3 || size >= 1e9)
        return 0;
    unsigned score = size >= 1e-2 && size < most ? 70 : 20;
    if (has_swapped_bytes(guess->kind))
        score = score > 20 ? score - 20 : 5;
    return score;
}

/* How many of the lower words are zero: a wrong order of a small number makes it a multiple. */
static bool is_multiple(double size)
{
    return size >= 65536 && fmod(size, 65536) == 0;
}

/* Whether it goes on by about what its lower register holds: two that have nothing to do with each
 * other look like that, and no counter that is read every second. */
static bool leaps(const struct guess *guess, unsigned samples)
{
    for (unsigned i = 1; i < samples; i++) {
        if (fabs(guess->values[i] - guess->values[i - 1]) >= 32768)
            return true;
    }
    return false;
}

static bool is_blank_word(uint16_t word)
{
    return word == 0x8000 || word == 0x7FFF || word == 0xFFFF;
}

static uint16_t word_of(const struct guess_samples *samples, unsigned at, unsigned sample)
{
    const uint8_t *data = samples->data + (size_t)sample * 2 * samples->count + 2 * (size_t)at;

    return (uint16_t)(data[0] << 8 | data[1]);
}

bool guess_may_be_blank(const struct guess_samples *samples, unsigned at)
{
    bool is_blank = is_blank_word(word_of(samples, at, 0));

    for (unsigned i = 1; i < samples->samples; i++)
        is_blank &= word_of(samples, at, i) == word_of(samples, at, 0);
    return is_blank;
}

static unsigned judge_integer(const struct guess_samples *samples, const struct guess *guess)
{
    double size = fabs(guess->values[0]),
           most = guess_kinds[guess->kind].registers > 2 ? 1e13 : 1e9;
    unsigned score = guess_kinds[guess->kind].registers == 1 ? 40 : 30;

    if (is_signed(guess->kind) && guess->values[0] >= 0)
        return 0; /* the same as without a sign */
    if (size == 0 || size >= most || is_multiple(size))
        return 0;
    if (guess_may_be_blank(samples, guess->at) || leaps(guess, samples->samples))
        return 10;
    if (guess_kinds[guess->kind].type == MODBUS_U16 && size >= 0x8000)
        score = 15; /* or below zero */
    /* A small number in many registers is more likely one in fewer, and few are very large. */
    if (guess_kinds[guess->kind].registers == 2 && (size < 65536 || size >= 1e7))
        score = 20;
    if (guess_kinds[guess->kind].registers == 4)
        score = size < 4294967296.0 ? 5 : 15;
    return has_swapped_bytes(guess->kind) && score > 15 ? score - 15 : score;
}

static unsigned judge(const struct guess_samples *samples, const struct guess *guess)
{
    unsigned score, registers = guess_kinds[guess->kind].registers;

    for (unsigned i = 0; i < samples->samples; i++) {
        if (isnan(guess->values[i]))
            return 0;
    }
    if (guess->motion == GUESS_JUMPS)
        return 0;
    score = is_float(guess->kind) ? judge_float(guess) : judge_integer(samples, guess);
    if (score && registers > 1 && is_text(samples, guess->at, registers))
        score = 1;
    if (score && guess->motion != GUESS_STEADY)
        score += 15;
    return score;
}

bool guess_make(const struct guess_samples *samples, unsigned at, unsigned kind,
                struct guess *guess)
{
    *guess = (struct guess){.at = at, .kind = kind, .scale = 1};
    if (at + guess_kinds[kind].registers > samples->count)
        return false;
    for (unsigned i = 0; i < guess_kinds[kind].registers; i++) {
        if (!samples->there[at + i])
            return false;
    }
    for (unsigned i = 0; i < samples->samples; i++) {
        struct value value = guess_value(samples, at, kind, i);
        guess->values[i] = number_of(&value);
    }
    guess->motion = motion_of(guess, samples->samples);
    guess->plausible = judge(samples, guess);
    return true;
}

static int by_likelihood(const void *left, const void *right)
{
    const struct guess *a = left, *b = right;

    if (a->plausible != b->plausible)
        return a->plausible > b->plausible ? -1 : 1;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->kind < b->kind ? -1 : a->kind > b->kind;
}

/* Keeps the likeliest `room`; the list is in order when it is full. */
static void keep(struct guess *found, size_t *count, size_t room, const struct guess *guess)
{
    if (*count < room) {
        found[(*count)++] = *guess;
        if (*count == room)
            qsort(found, room, sizeof *found, by_likelihood);
        return;
    }
    if (room == 0 || by_likelihood(guess, &found[room - 1]) >= 0)
        return;
    size_t at = room - 1;
    for (; at > 0 && by_likelihood(guess, &found[at - 1]) < 0; at--)
        found[at] = found[at - 1];
    found[at] = *guess;
}

size_t guess_plausible(const struct guess_samples *samples, struct guess *found, size_t room)
{
    size_t count = 0;
    struct guess guess;

    for (unsigned at = 0; at < samples->count; at++) {
        for (unsigned kind = 0; kind < GUESS_KINDS; kind++) {
            if (guess_make(samples, at, kind, &guess) && guess.plausible)
                keep(found, &count, room, &guess);
        }
    }
    qsort(found, count, sizeof *found, by_likelihood);
    return count;
}

/* How far the nearest of the reads is from what is expected. */
static double distance(const struct guess *guess, unsigned samples, double scale, double expect)
{
    double nearest = INFINITY;

    for (unsigned i = 0; i < samples; i++)
        nearest = fmin(nearest, fabs(guess->values[i] * scale - expect) / fabs(expect));
    return nearest;
}

/* What is on a display says more than what numbers are usual: only that it moves as it should, and
 * how near it is, count besides the kind. */
static unsigned weigh(const struct guess *guess, size_t scale, double within)
{
    unsigned score = guess_kinds[guess->kind].registers == 1   ? 70
                     : guess_kinds[guess->kind].registers == 2 ? 60
                                                               : 40;

    if (is_float(guess->kind))
        score = scale == 0 ? 90 : 30;
    score -= (unsigned)(scale > 3 ? 10 : 2 * scale);
    score += (unsigned)(20 * (1 - guess->off / within));
    if (guess->motion == GUESS_MOVES || guess->motion == GUESS_COUNTS)
        score += 10;
    return guess->motion == GUESS_JUMPS ? score / 4 : score;
}

static bool fits(const struct guess_samples *samples, struct guess *guess, double expect,
                 double within)
{
    for (size_t i = 0; i < SCALES; i++) {
        double off = distance(guess, samples->samples, scales[i], expect);

        if (!(off <= within) || !isfinite(off)) /* an infinite value is near nothing */
            continue;
        guess->scale = scales[i];
        guess->off = off;
        guess->plausible = weigh(guess, i, within) + 1;
        for (unsigned j = 0; j < samples->samples; j++)
            guess->values[j] *= scales[i];
        return true;
    }
    return false;
}

size_t guess_search(const struct guess_samples *samples, double expect, double within,
                    struct guess *found, size_t room)
{
    size_t count = 0;
    struct guess guess;

    for (unsigned at = 0; at < samples->count; at++) {
        for (unsigned kind = 0; kind < GUESS_KINDS; kind++) {
            if (!guess_make(samples, at, kind, &guess) || (is_signed(kind) && guess.values[0] >= 0))
                continue;
            if (fits(samples, &guess, expect, within))
                keep(found, &count, room, &guess);
        }
    }
    qsort(found, count, sizeof *found, by_likelihood);
    return count;
}

bool guess_bcd(uint16_t word, unsigned *number)
{
    *number = 0;
    for (int shift = 12; shift >= 0; shift -= 4) {
        unsigned digit = word >> shift & 0xF;
        if (digit > 9)
            return false;
        *number = 10 * *number + digit;
    }
    return *number > 0;
}

static bool format_time(uint32_t seconds, const char *letters, char *out, size_t size)
{
    time_t moment = (time_t)seconds;
    struct tm parts;
    char text[32];

    if (seconds < 1420070400 || seconds >= 2208988800u || !gmtime_r(&moment, &parts) ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        return false;
    snprintf(out, size, "%s UTC, as seconds since 1970 in %s", text, letters);
    return true;
}

bool guess_date(const struct guess_samples *samples, unsigned at, char *out, size_t size)
{
    const uint8_t *data = samples->data + 2 * (size_t)at;
    uint16_t words[3] = {0};
    unsigned there = 0;

    for (; there < 3 && at + there < samples->count && samples->there[at + there]; there++)
        words[there] = (uint16_t)(data[2 * there] << 8 | data[2 * there + 1]);
    if (there < 2)
        return false;
    if (format_time((uint32_t)words[0] << 16 | words[1], "ABCD", out, size) ||
        format_time((uint32_t)words[1] << 16 | words[0], "CDAB", out, size))
        return true;
    if (words[0] < 2000 || words[0] > 2049 || words[1] < 1 || words[1] > 12 || words[2] < 1 ||
        words[2] > 31)
        return false;
    snprintf(out, size, "%04u-%02u-%02u, as year, month and day", words[0], words[1], words[2]);
    return true;
}
