/*
 * What is sent to a device: a text with escapes (\r \n \t \\ \xHH) and with
 *   {address}             the device's address
 *   {1} ... {9}           a group of the last answer that was expected
 *   {KIND FORM FROM}      a checksum of what stands before it, as "{crc16-modbus
 * binary-low-first}"; FORM ("hex") and FROM (0) may be left out
 *   {{                    a bracket
 * Pure.
 */
#ifndef SLUICE_SERIAL_REQUEST_H
#define SLUICE_SERIAL_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#define REQUEST_SIZE_MAX   256
#define REQUEST_GROUPS_MAX 10
#define REQUEST_GROUP_SIZE 32 /* longer groups are not taken */

struct request_values {
    const char *address; /* NULL: none */
    size_t group_count;  /* with group 0 */
    char groups[REQUEST_GROUPS_MAX][REQUEST_GROUP_SIZE + 1];
};

/* Writes the bytes of `text`. Returns how many, or ERR_INVALID with the reason in `why`. */
int request_build(const char *text, const struct request_values *values,
                  uint8_t out[REQUEST_SIZE_MAX], char *why, size_t why_size);

#endif
