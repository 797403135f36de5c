/*
 * What is written of each stream into every event of it, made when it is first met. There may be a
 * hundred thousand streams, so it is kept in two pieces, the device's and the point's, each of them
 * once: 16 bytes a stream. One thread.
 */
#ifndef SLUICE_UPLINK_LABELS_H
#define SLUICE_UPLINK_LABELS_H

#include "core/event_json.h"
#include "core/pool.h"
#include "journal/journal.h"

struct label_piece {
    uint8_t size;
    int8_t decimals; /* of the stream; in the point's piece */
    char text[];
};

struct label {
    const struct label_piece *device, *point;
};

/* But for the journal, zero is empty. */
struct labels {
    const struct journal *journal;
    struct label **chunks; /* by stream number */
    uint32_t chunk_count;
    struct pool pieces;
};

void labels_close(struct labels *labels);

/* NULL when out of memory; a stream that the journal does not know (damage) is the gateway's. */
const struct label *labels_find(struct labels *labels, uint32_t number);

static inline struct event_json_source label_source(const struct label *label)
{
    return (struct event_json_source){
        .device = label->device->text,
        .point = label->point->text,
        .device_size = label->device->size,
        .point_size = label->point->size,
        .decimals = label->point->decimals,
    };
}

#endif
