#include "serial/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/status.h"

#define NUMBER_TEXT_MAX 64

size_t number_width(int format)
{
    switch (format) {
    case NUMBER_U8:
    case NUMBER_I8:
        return 1;
    case NUMBER_U16:
    case NUMBER_I16:
        return 2;
    case NUMBER_U32:
    case NUMBER_I32:
    case NUMBER_F32:
        return 4;
    case NUMBER_U64:
    case NUMBER_I64:
    case NUMBER_F64:
        return 8;
    default:
        return 0;
    }
}

static uint64_t read_bytes(struct span field, int order)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < field.size; i++)
        bits = bits << 8 | (uint8_t)field.text[order == NUMBER_BIG ? i : field.size - 1 - i];
    return bits;
}

static size_t take_digits(const char *text, size_t at, size_t size)
{
    while (at < size && text[at] >= '0' && text[at] <= '9')
        at++;
    return at;
}

/*
 * Copies a decimal number ("-12.5", "+ 3", "1e-3") into `out` as strtod and strtoll read it, and
 * refuses what those would take besides: "nan", "0x10", trailing text.
 */
static bool copy_decimal(struct span field, bool comma, bool integer, char out[NUMBER_TEXT_MAX])
{
    size_t used = 0, begin, digits, end;

    if (field.size > 0 && (field.text[0] == '-' || field.text[0] == '+')) {
        out[used++] = field.text[0];
        field = field_trim((struct span){field.text + 1, field.size - 1});
    }
    if (field.size == 0 || field.size > NUMBER_TEXT_MAX - 2)
        return false;
    begin = used;
    memcpy(out + used, field.text, field.size);
    end = used + field.size;
    out[end] = 0;
    used = take_digits(out, begin, end);
    digits = used - begin;
    if (!integer && used < end && out[used] == (comma ? ',' : '.')) {
        size_t fraction = used + 1;

        out[used] = '.';
        used = take_digits(out, fraction, end);
        digits += used - fraction;
    }
    if (!integer && digits > 0 && used < end && (out[used] == 'e' || out[used] == 'E')) {
        size_t sign = used + 1 < end && (out[used + 1] == '-' || out[used + 1] == '+');
        size_t exponent = used + 1 + sign;

        used = take_digits(out, exponent, end);
        if (used == exponent)
            return false;
    }
    return digits > 0 && used == end;
}

static bool read_hex(struct span field, int64_t *number)
{
    char text[NUMBER_TEXT_MAX];

    if (field.size == 0 || field.size > 16)
        return false;
    memcpy(text, field.text, field.size);
    text[field.size] = 0;
    if (strspn(text, "0123456789abcdefABCDEF") != field.size)
        return false;
    *number = (int64_t)strtoull(text, NULL, 16);
    return *number >= 0;
}

static bool read_binary_integer(struct span field, int format, int order, int64_t *number)
{
    uint64_t bits = read_bytes(field, order);

    switch (format) {
    case NUMBER_I8:
        *number = (int8_t)bits;
        return true;
    case NUMBER_I16:
        *number = (int16_t)bits;
        return true;
    case NUMBER_I32:
        *number = (int32_t)bits;
        return true;
    default:
        *number = (int64_t)bits;
        return format != NUMBER_U64 || *number >= 0;
    }
}

bool number_read_integer(struct span field, int format, int order, int64_t *number)
{
    char text[NUMBER_TEXT_MAX];

    if (number_width(format) > 0)
        return field.size == number_width(format) &&
               read_binary_integer(field, format, order, number);
    if (format == NUMBER_HEX)
        return read_hex(field, number);
    if (!copy_decimal(field, false, true, text))
        return false;
    errno = 0;
    *number = strtoll(text, NULL, 10);
    return errno == 0;
}

static void read_float(struct span field, int format, int order, double *number)
{
    uint64_t bits = read_bytes(field, order);
    uint32_t bits32 = (uint32_t)bits;
    float single;

    if (format == NUMBER_F64) {
        memcpy(number, &bits, sizeof(bits));
        return;
    }
    memcpy(&single, &bits32, sizeof(single));
    *number = single;
}

bool number_read(struct span field, int format, int order, double *number)
{
    char text[NUMBER_TEXT_MAX];
    int64_t integer;

    if (number_is_float(format)) {
        if (field.size != number_width(format))
            return false;
        read_float(field, format, order, number);
        return true;
    }
    if (format == NUMBER_U64 && field.size == 8) {
        *number = (double)read_bytes(field, order);
        return true;
    }
    if (format == NUMBER_HEX || number_width(format) > 0) {
        if (!number_read_integer(field, format, order, &integer))
            return false;
        *number = (double)integer;
        return true;
    }
    if (!copy_decimal(field, format == NUMBER_DECIMAL_COMMA, false, text))
        return false;
    *number = strtod(text, NULL);
    return true;
}

uint16_t number_read_degrees(struct span field, struct span hemisphere, double *degrees)
{
    size_t whole = take_digits(field.text, 0, field.size);
    double minutes;
    int64_t whole_degrees = 0;
    struct span minutes_text;

    if (hemisphere.size == 0)
        return STATUS_NOT_AVAILABLE;
    if (whole < 3 || whole > 5 || hemisphere.size != 1)
        return STATUS_FORMAT;
    minutes_text = (struct span){field.text + whole - 2, field.size - whole + 2};
    if (!number_read(minutes_text, NUMBER_DECIMAL, NUMBER_BIG, &minutes) || minutes >= 60.0 ||
        !number_read_integer((struct span){field.text, whole - 2}, NUMBER_DECIMAL, NUMBER_BIG,
                             &whole_degrees))
        return STATUS_FORMAT;
    *degrees = (double)whole_degrees + minutes / 60.0;
    if (*degrees > (strchr("NS", hemisphere.text[0]) ? 90.0 : 180.0))
        return STATUS_FORMAT;
    switch (hemisphere.text[0]) {
    case 'S':
    case 'W':
        *degrees = -*degrees;
        return STATUS_GOOD;
    case 'N':
    case 'E':
        return STATUS_GOOD;
    default:
        return STATUS_FORMAT;
    }
}

uint16_t number_read_time(struct span field, struct span date, double *seconds)
{
    char text[40];
    double second;
    int64_t wall_ns;

    if (field.size == 0 || date.size == 0)
        return STATUS_NOT_AVAILABLE;
    if (date.size != 6 || take_digits(date.text, 0, 6) != 6 || field.size < 6 ||
        take_digits(field.text, 0, 6) != 6 ||
        !number_read((struct span){field.text + 4, field.size - 4}, NUMBER_DECIMAL, NUMBER_BIG,
                     &second))
        return STATUS_FORMAT;
    /* A second that is inserted counts as the one before it. */
    second = second >= 60 && second < 61 ? 59 : second;
    snprintf(text, sizeof text, "%s%.2s-%.2s-%.2sT%.2s:%.2s:00Z", date.text[4] >= '8' ? "19" : "20",
             date.text + 4, date.text + 2, date.text, field.text, field.text + 2);
    if (second >= 60 || clock_parse(text, 0, &wall_ns))
        return STATUS_FORMAT;
    *seconds = (double)(wall_ns / NS_PER_S) + second;
    return STATUS_GOOD;
}
