#include "uplink/labels.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"

#define CHUNK 512 /* labels that are allocated at once */

void labels_close(struct labels *labels)
{
    for (uint32_t i = 0; i < labels->chunk_count; i++)
        free(labels->chunks[i]);
    free(labels->chunks);
    labels->chunks = NULL;
    labels->chunk_count = 0;
    pool_clear(&labels->pieces);
    arena_close(labels->pieces.arena);
    labels->pieces.arena = NULL;
}

/* Where the label of a number stands; NULL without memory. */
static struct label *place_of(struct labels *labels, uint32_t number)
{
    uint32_t at = number / CHUNK;

    if (at >= labels->chunk_count) {
        struct label **chunks = realloc(labels->chunks, (at + 1) * sizeof *chunks);

        if (!chunks)
            return NULL;
        memset(chunks + labels->chunk_count, 0, (at + 1 - labels->chunk_count) * sizeof *chunks);
        labels->chunks = chunks;
        labels->chunk_count = at + 1;
    }
    if (!labels->chunks[at])
        labels->chunks[at] = calloc(CHUNK, sizeof *labels->chunks[at]);
    return labels->chunks[at] ? &labels->chunks[at][number % CHUNK] : NULL;
}

static const struct label_piece *keep_piece(struct labels *labels, const char *text, uint8_t size,
                                            int8_t decimals)
{
    union {
        struct label_piece piece;
        char bytes[sizeof(struct label_piece) + EVENT_JSON_SOURCE_SIZE];
    } room;

    room.piece.size = size;
    room.piece.decimals = decimals;
    memcpy(room.bytes + sizeof room.piece, text, size);
    return pool_keep(&labels->pieces, &room, sizeof room.piece + size);
}

static bool label_make(struct labels *labels, const struct stream *stream, struct label *label)
{
    char text[EVENT_JSON_SOURCE_SIZE];
    struct event_json_source source = event_json_source(stream, text);

    if (!labels->pieces.arena && arena_open(&labels->pieces.arena) != 0)
        return false;
    label->point = keep_piece(labels, source.point, source.point_size, source.decimals);
    label->device = label->point ? keep_piece(labels, source.device, source.device_size, 0) : NULL;
    return label->device != NULL;
}

const struct label *labels_find(struct labels *labels, uint32_t number)
{
    struct stream stream = {0};
    struct label *label;

    if (number / CHUNK < labels->chunk_count && labels->chunks[number / CHUNK]) {
        label = &labels->chunks[number / CHUNK][number % CHUNK];
        if (label->device)
            return label;
    }
    if (number != 0 && !journal_stream(labels->journal, number, &stream))
        return labels_find(labels, 0);
    label = place_of(labels, number);
    return label && label_make(labels, &stream, label) ? label : NULL;
}
