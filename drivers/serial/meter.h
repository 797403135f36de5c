/*
 * Smart meters that speak SML (BSI TR-03109-1, annex IV): their binary list becomes the text that a
 * meter of IEC 62056-21 would have sent, "1-0:1.8.0*255(12345.6*Wh)" a line, so that values are
 * found in it by key. libsml parses what has been checked here to be well-formed.
 */
#ifndef SLUICE_SERIAL_METER_H
#define SLUICE_SERIAL_METER_H

#include <stddef.h>
#include <stdint.h>

#define METER_FILE_SIZE_MAX 4096

/* The marks of an SML file's transport: what it begins with, and what stands before its trailer
 * (a count of fill bytes and a CRC). */
#define METER_START        "\x1b\x1b\x1b\x1b\x01\x01\x01\x01"
#define METER_END          "\x1b\x1b\x1b\x1b\x1a"
#define METER_TRAILER_SIZE 3

/*
 * Writes the values of a file, whose CRC has been checked, as text. `file` reaches from the start
 * mark, included, to the end mark, excluded; at most METER_FILE_SIZE_MAX bytes. The text is
 * terminated by a zero. Returns its size, which is 0 for a file without a list of values;
 * ERR_CORRUPT for what is no SML or has more values than allowed, ERR_FULL when the text does not
 * fit.
 */
int meter_read(const uint8_t *file, size_t size, char *out, size_t room);

#endif
