#include "config/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"

struct unit {
    const char *name;
    int64_t factor;
};

/* From small to large: the formatter takes the last that fits. */
static const struct unit durations[] = {
    {"us", NS_PER_US},      {"ms", NS_PER_MS},           {"s", NS_PER_S}, {"m", 60 * NS_PER_S},
    {"h", 3600 * NS_PER_S}, {"d", 24 * 3600 * NS_PER_S}, {NULL, 0},
};

static const struct unit sizes[] = {
    {"B", 1},
    {"kB", 1000},
    {"KiB", INT64_C(1) << 10},
    {"MB", 1000 * 1000},
    {"MiB", INT64_C(1) << 20},
    {"GB", 1000 * 1000 * 1000},
    {"GiB", INT64_C(1) << 30},
    {"TB", INT64_C(1000) * 1000 * 1000 * 1000},
    {"TiB", INT64_C(1) << 40},
    {NULL, 0},
};

struct notation {
    const struct unit *units;
    const char *what, *smaller, *example, *allowed;
};

static const struct notation duration_notation = {durations, "durations", "ms", "s",
                                                  "us, ms, s, m, h, d"};
static const struct notation size_notation = {sizes, "sizes", "KiB", "MiB",
                                              "B, kB, MB, GB, TB, KiB, MiB, GiB, TiB"};

/* Whole digits and fraction apart, so that what stands in the file is exact where an int64_t can
 * be. */
static int read_quantity(const struct notation *notation, const char *text, int64_t *result,
                         char *why, size_t why_size)
{
    size_t whole = strspn(text, "0123456789"), size = whole;
    if (whole == 0) {
        snprintf(why, why_size, "%s are a number and its unit (%s): \"5%s\"", notation->what,
                 notation->allowed, notation->example);
        return ERR_INVALID;
    }
    if (text[size] == '.') {
        size_t digits = strspn(text + size + 1, "0123456789");
        size += digits > 0 ? digits + 1 : 0;
    }
    const char *name = text + size + (text[size] == ' ');
    if (*name == '\0') {
        int shown = (int)(size < 20 ? size : 20);
        snprintf(why, why_size, "%s carry their unit: \"%.*s%s\" or \"%.*s%s\"", notation->what,
                 shown, text, notation->smaller, shown, text, notation->example);
        return ERR_INVALID;
    }
    const struct unit *unit = notation->units;
    while (unit->name && strcmp(unit->name, name) != 0)
        unit++;
    if (!unit->name) {
        snprintf(why, why_size, "units of %s are %s", notation->what, notation->allowed);
        return ERR_INVALID;
    }
    int64_t value = 0;
    for (size_t i = 0; i < whole; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text[i] - '0', &value))
            goto too_large;
    if (__builtin_mul_overflow(value, unit->factor, &value))
        goto too_large;
    double part = 0, digit = 0.1;
    for (size_t i = whole + 1; i < size; i++, digit /= 10)
        part += digit * (text[i] - '0');
    if (__builtin_add_overflow(value, (int64_t)llround(part * (double)unit->factor), result))
        goto too_large;
    return 0;
too_large:
    snprintf(why, why_size, "that is too large");
    return ERR_INVALID;
}

int quantity_duration(const char *text, int64_t *ns, char *why, size_t why_size)
{
    return read_quantity(&duration_notation, text, ns, why, why_size);
}

int quantity_size(const char *text, int64_t *bytes, char *why, size_t why_size)
{
    return read_quantity(&size_notation, text, bytes, why, why_size);
}

static void write_quantity(const struct unit *units, const char *base, double value,
                           char out[QUANTITY_TEXT_SIZE])
{
    const struct unit *best = NULL;
    for (const struct unit *unit = units; unit->name; unit++) {
        double thousandths = value / (double)unit->factor * 1000;
        if (value >= (double)unit->factor && thousandths == floor(thousandths))
            best = unit;
    }
    if (best)
        snprintf(out, QUANTITY_TEXT_SIZE, "%.12g%s", value / (double)best->factor, best->name);
    else
        snprintf(out, QUANTITY_TEXT_SIZE, "%.12g%s", value, base);
}

void quantity_duration_text(double ns, char out[QUANTITY_TEXT_SIZE])
{
    if (ns == 0)
        snprintf(out, QUANTITY_TEXT_SIZE, "0s");
    else
        write_quantity(durations, "ns", ns, out);
}

void quantity_size_text(double bytes, char out[QUANTITY_TEXT_SIZE])
{
    write_quantity(sizes, "B", bytes, out);
}
