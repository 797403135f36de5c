/*
 * A stream's declaration: which point of which device, and how its values are to be read. It is
 * stored in the journal, so that the journal explains itself after the configuration has changed. A
 * stream whose type or unit changes is declared anew, with the next version and a new number.
 */
#ifndef SLUICE_CORE_STREAM_H
#define SLUICE_CORE_STREAM_H

#include "core/event.h"

#define STREAM_NAME_SIZE_MAX   128
#define STREAM_UNIT_SIZE_MAX   32
#define STREAM_PACKED_SIZE_MAX (2 * ID_SIZE_MAX + STREAM_NAME_SIZE_MAX + STREAM_UNIT_SIZE_MAX + 16)

struct stream {
    uint32_t number;  /* the journal's number, from 1; 0 is the gateway itself */
    uint16_t version; /* of this (device, point), from 1 */
    uint8_t type;     /* enum value_type of its readings */
    int8_t decimals;
    char device[ID_SIZE_MAX]; /* a device's id; "uplink:ID" for an uplink's own states */
    char point[ID_SIZE_MAX];  /* "" for the device's own states */
    char name[STREAM_NAME_SIZE_MAX];
    char unit[STREAM_UNIT_SIZE_MAX];
};

/* The device whose stream tells that another program produces `device`: "producer:ID". */
void stream_producer(const char *device, char out[ID_SIZE_MAX]);

/* The device that such a stream tells of; NULL for any other stream. */
const char *stream_produced(const struct stream *stream);

/* Packs a declaration into `out`, STREAM_PACKED_SIZE_MAX bytes; returns the size. */
size_t stream_pack(const struct stream *stream, uint8_t *out);

/* The reverse. Returns 0, or ERR_CORRUPT for bytes that are no declaration. */
int stream_unpack(struct stream *stream, const uint8_t *data, size_t size);

#endif
