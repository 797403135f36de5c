#include "journal/segment.h"

#include "core/bytes.h"
#include "core/crc32c.h"
#include "core/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAGIC       "SLUICESG"
#define COPY_SIZE   256
#define SECOND_COPY 2048

#define PIECE_SIZE 512 /* where a read fails, so much is given up at a time */
#define UNREADABLE 0xff

#define FLAG_FREE 1
#define FLAG_KEPT 2

enum place {
    AT_MAGIC = 0,
    AT_CRC = 8,
    AT_VERSION = 12, /* the checksum begins here */
    AT_FLAGS = 14,
    AT_GENERATION = 16,
    AT_SEQUENCE = 24,
    AT_FIRST_N = 32,
    AT_SIZE = 40,
    AT_EPOCH = 48,
    AT_ALIGNMENT = 52,
    AT_BOOT = 56,
    AT_TRUST = 60,
    AT_MONO = 64,
    AT_OFFSET = 72,
    AT_GATEWAY = 80,
};
_Static_assert(AT_GATEWAY + ID_SIZE_MAX <= COPY_SIZE && ID_SIZE_MAX == 64, "the format says 64");

void segment_name(uint32_t id, char name[SEGMENT_NAME_SIZE_MAX])
{
    snprintf(name, SEGMENT_NAME_SIZE_MAX, "segment-%08" PRIx32, id);
}

bool segment_name_parse(const char *name, uint32_t *id)
{
    char same[SEGMENT_NAME_SIZE_MAX];
    return sscanf(name, "segment-%8" SCNx32, id) == 1 &&
           (segment_name(*id, same), strcmp(name, same) == 0);
}

void segment_pack(const struct segment *segment, const char *gateway_id, uint8_t *block)
{
    uint8_t *copy = block;

    memset(block, 0, SEGMENT_HEADER_SIZE);
    memcpy(copy + AT_MAGIC, MAGIC, 8);
    put_u16(copy + AT_VERSION, segment ? segment->version : FORMAT_OLDEST);
    put_u16(copy + AT_FLAGS, !segment ? FLAG_FREE : segment->kept ? FLAG_KEPT : 0);
    if (segment) {
        put_u64(copy + AT_GENERATION, segment->generation);
        put_u64(copy + AT_SEQUENCE, segment->sequence);
        put_u64(copy + AT_FIRST_N, segment->first_n);
        put_u64(copy + AT_SIZE, (uint64_t)segment->size);
        put_u32(copy + AT_EPOCH, segment->epoch);
        put_u32(copy + AT_ALIGNMENT, segment->alignment);
        put_u32(copy + AT_BOOT, segment->boot);
        copy[AT_TRUST] = segment->trust;
        put_u64(copy + AT_MONO, (uint64_t)segment->mono_ns);
        put_u64(copy + AT_OFFSET, (uint64_t)segment->offset_ns);
    }
    memcpy(copy + AT_GATEWAY, gateway_id, strnlen(gateway_id, ID_SIZE_MAX - 1));
    put_u32(copy + AT_CRC, crc32c(0, copy + AT_VERSION, COPY_SIZE - AT_VERSION));
    memcpy(block + SECOND_COPY, copy, COPY_SIZE);
}

static const uint8_t *valid_copy(const uint8_t *block)
{
    for (size_t at = 0; at <= SECOND_COPY; at += SECOND_COPY) {
        const uint8_t *copy = block + at;
        if (memcmp(copy + AT_MAGIC, MAGIC, 8) == 0 &&
            get_u32(copy + AT_CRC) == crc32c(0, copy + AT_VERSION, COPY_SIZE - AT_VERSION))
            return copy;
    }
    return NULL;
}

static bool is_zero(const uint8_t *block)
{
    return block[0] == 0 && memcmp(block, block + 1, SEGMENT_HEADER_SIZE - 1) == 0;
}

static bool plausible(const struct segment *segment)
{
    uint32_t alignment = segment->alignment;
    return segment->generation != 0 && segment->size >= SEGMENT_HEADER_SIZE &&
           alignment >= SEGMENT_ALIGNMENT_MIN && alignment <= SEGMENT_HEADER_SIZE &&
           (alignment & (alignment - 1)) == 0;
}

enum segment_kind segment_unpack(struct segment *segment, unsigned newest, const char *gateway_id,
                                 const uint8_t *block, char *owner)
{
    const uint8_t *copy = valid_copy(block);

    if (!copy)
        return is_zero(block) ? SEGMENT_RAW : SEGMENT_DAMAGED;
    uint16_t version = get_u16(copy + AT_VERSION), flags = get_u16(copy + AT_FLAGS);
    if (flags & FLAG_FREE)
        return SEGMENT_FREE;
    if (version < FORMAT_OLDEST || version > newest)
        return SEGMENT_VERSION;
    char gateway[ID_SIZE_MAX];
    memcpy(gateway, copy + AT_GATEWAY, ID_SIZE_MAX);
    gateway[ID_SIZE_MAX - 1] = 0;
    if (owner)
        memcpy(owner, gateway, ID_SIZE_MAX);
    if (gateway_id && strcmp(gateway, gateway_id) != 0)
        return SEGMENT_FOREIGN;
    *segment = (struct segment){
        .generation = get_u64(copy + AT_GENERATION),
        .sequence = get_u64(copy + AT_SEQUENCE),
        .first_n = get_u64(copy + AT_FIRST_N),
        .size = (int64_t)get_u64(copy + AT_SIZE),
        .end = (int64_t)get_u64(copy + AT_SIZE),
        .mono_ns = (int64_t)get_u64(copy + AT_MONO),
        .offset_ns = (int64_t)get_u64(copy + AT_OFFSET),
        .epoch = get_u32(copy + AT_EPOCH),
        .alignment = get_u32(copy + AT_ALIGNMENT),
        .boot = get_u32(copy + AT_BOOT),
        .trust = copy[AT_TRUST],
        .version = (uint8_t)version,
        .kept = (flags & FLAG_KEPT) != 0,
    };
    return plausible(segment) ? SEGMENT_LIVE : SEGMENT_DAMAGED;
}

/*
 * A place that the medium cannot read costs what is in it, and not the start of the journal. What
 * is unreadable is neither zeros nor anything that counts.
 */
static int64_t read_around(const struct io *io, struct io_file *file, uint8_t *data, size_t size,
                           int64_t offset)
{
    size_t got = 0;
    while (got < size) {
        size_t piece = size - got < PIECE_SIZE ? size - got : PIECE_SIZE;
        int64_t done = io->read(io, file, data + got, piece, offset + (int64_t)got);
        if (done == ERR_IO) {
            memset(data + got, UNREADABLE, piece);
            done = (int64_t)piece;
        }
        if (done < 0)
            return done;
        got += (size_t)done;
        if (done < (int64_t)piece)
            break;
    }
    return (int64_t)got;
}

int64_t segment_read(const struct io *io, struct io_file *file, void *data, size_t size,
                     int64_t offset)
{
    int64_t got = io->read(io, file, data, size, offset);
    return got == ERR_IO ? read_around(io, file, data, size, offset) : got;
}

int segment_open(const struct io *io, uint32_t id, struct io_file **file, uint8_t *block)
{
    char name[SEGMENT_NAME_SIZE_MAX];
    segment_name(id, name);
    int error = io->open(io, name, 0, file);
    if (error < 0)
        return error;
    int64_t got = segment_read(io, *file, block, SEGMENT_HEADER_SIZE, 0);
    if (got < 0) {
        io->close(io, *file);
        return (int)got;
    }
    memset(block + got, 0, SEGMENT_HEADER_SIZE - (size_t)got);
    return 0;
}
