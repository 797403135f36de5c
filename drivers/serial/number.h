/* Numbers as sensors write them, in text and in bytes. Pure; independent of the locale. */
#ifndef SLUICE_SERIAL_NUMBER_H
#define SLUICE_SERIAL_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "serial/field.h"

enum number_format {
    NUMBER_DECIMAL,
    NUMBER_DECIMAL_COMMA,
    NUMBER_HEX,
    NUMBER_NMEA_DEGREES, /* dddmm.mmmm */
    NUMBER_NMEA_TIME,    /* hhmmss.ss, with a date ddmmyy */
    /* Bytes, in the order that is given with them. */
    NUMBER_U8,
    NUMBER_I8,
    NUMBER_U16,
    NUMBER_I16,
    NUMBER_U32,
    NUMBER_I32,
    NUMBER_U64,
    NUMBER_I64,
    NUMBER_F32,
    NUMBER_F64,
};

enum number_order { NUMBER_BIG, NUMBER_LITTLE };

/* How many bytes a format of bytes takes; 0 for one of text. */
size_t number_width(int format);
static inline bool number_is_float(int format)
{
    return format == NUMBER_F32 || format == NUMBER_F64;
}

/*
 * Reads the whole field, or not at all: trailing text makes it no number. False for what is no
 * number of that format or, as an integer, beyond 64 bits with sign. Not for those of NMEA,
 * and read_integer not for floats.
 */
bool number_read(struct span field, int format, int order, double *number);
bool number_read_integer(struct span field, int format, int order, int64_t *number);

/*
 * "5130.5230" and its hemisphere N, S, E or W, in degrees: the two digits before the point are
 * minutes. Returns STATUS_GOOD, STATUS_NOT_AVAILABLE without a hemisphere, or STATUS_FORMAT.
 */
uint16_t number_read_degrees(struct span field, struct span hemisphere, double *degrees);

/*
 * "123519.25" and the date "230394", UTC, as seconds since 1970; years are those from 1980 on.
 * Returns STATUS_GOOD, STATUS_NOT_AVAILABLE where one is empty, or STATUS_FORMAT.
 */
uint16_t number_read_time(struct span field, struct span date, double *seconds);

#endif
