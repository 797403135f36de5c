#include "journal/frame.h"

#include "core/bytes.h"
#include "core/crc32c.h"
#include "core/error.h"

#include <string.h>

#define MAGIC UINT32_C(0x52464c53) /* "SLFR" */

enum place {
    AT_MAGIC = 0,
    AT_CRC = 4,
    AT_VERSION = 8, /* the checksum begins here */
    AT_FLAGS = 9,
    AT_TRUST = 10,
    AT_LENGTH = 12,
    AT_GENERATION = 16,
    AT_EPOCH = 24,
    AT_COUNT = 28,
    AT_FIRST_N = 32,
    AT_BOOT = 40,
    AT_EVENTS_SIZE = 44,
    AT_MONO = 48,
    AT_OFFSET = 56,
};

void frame_put(const struct frame *frame, uint8_t *data)
{
    put_u32(data + AT_MAGIC, MAGIC);
    data[AT_VERSION] = frame->version;
    data[AT_FLAGS] = frame->flags;
    data[AT_TRUST] = frame->trust;
    data[AT_TRUST + 1] = 0;
    put_u32(data + AT_LENGTH, frame->length);
    put_u64(data + AT_GENERATION, frame->generation);
    put_u32(data + AT_EPOCH, frame->epoch);
    put_u32(data + AT_COUNT, frame->count);
    put_u64(data + AT_FIRST_N, frame->first_n);
    put_u32(data + AT_BOOT, frame->boot);
    put_u32(data + AT_EVENTS_SIZE, frame->events_size);
    put_u64(data + AT_MONO, (uint64_t)frame->mono_ns);
    put_u64(data + AT_OFFSET, (uint64_t)frame->offset_ns);
    put_u32(data + AT_CRC,
            crc32c(0, data + AT_VERSION, FRAME_HEADER_SIZE - AT_VERSION + frame->length));
}

size_t frame_wants(const uint8_t *data, uint64_t generation)
{
    uint32_t length = get_u32(data + AT_LENGTH); /* anything: the sum may not fit 32 bits */
    if (get_u32(data + AT_MAGIC) != MAGIC || get_u64(data + AT_GENERATION) != generation ||
        length > FRAME_SIZE_MAX - FRAME_HEADER_SIZE)
        return 0;
    return length + FRAME_HEADER_SIZE;
}

int frame_get(struct frame *frame, const uint8_t *data, size_t size, uint64_t generation)
{
    if (size < FRAME_HEADER_SIZE)
        return ERR_AGAIN;
    size_t whole = frame_wants(data, generation);
    if (whole == 0)
        return ERR_CORRUPT;
    if (whole > size)
        return ERR_AGAIN;
    if (get_u32(data + AT_CRC) != crc32c(0, data + AT_VERSION, whole - AT_VERSION))
        return ERR_CORRUPT;
    frame->generation = generation;
    frame->first_n = get_u64(data + AT_FIRST_N);
    frame->mono_ns = (int64_t)get_u64(data + AT_MONO);
    frame->offset_ns = (int64_t)get_u64(data + AT_OFFSET);
    frame->length = (uint32_t)(whole - FRAME_HEADER_SIZE);
    frame->events_size = get_u32(data + AT_EVENTS_SIZE);
    frame->count = get_u32(data + AT_COUNT);
    frame->epoch = get_u32(data + AT_EPOCH);
    frame->boot = get_u32(data + AT_BOOT);
    frame->flags = data[AT_FLAGS];
    frame->trust = data[AT_TRUST];
    frame->version = data[AT_VERSION];
    /* An n of 0 would stand for a hole. */
    if (frame->first_n == 0 || frame->first_n > UINT64_MAX - frame->count)
        return ERR_CORRUPT;
    if (frame->events_size > frame->length ||
        ((frame->flags & FRAME_KEPT) && frame->events_size < 8))
        return ERR_CORRUPT;
    return (int)whole;
}

uint64_t frame_last_n(const struct frame *frame, const uint8_t *payload)
{
    if (frame->flags & FRAME_KEPT)
        return get_u64(payload);
    return frame->first_n + frame->count - 1;
}

void record_begin(struct record_body *body)
{
    body->packer.at = body->bytes;
    body->packer.end = body->bytes + sizeof(body->bytes);
    body->packer.full = false;
}

bool record_put(struct packer *out, enum record_type type, const struct record_body *body)
{
    struct packer before = *out;
    size_t size = (size_t)(body->packer.at - body->bytes);

    pack_byte(out, (uint8_t)type);
    pack_varint(out, size);
    pack_bytes(out, body->bytes, size);
    if (!out->full && !body->packer.full)
        return true;
    *out = before;
    return false;
}

int record_get(struct unpacker *in, uint8_t *type, struct unpacker *body)
{
    if (in->at == in->end)
        return 0;
    *type = unpack_byte(in);
    uint64_t size = unpack_varint(in);
    if (in->bad || size > (size_t)(in->end - in->at))
        return ERR_CORRUPT;
    *body = (struct unpacker){.at = in->at, .end = in->at + size};
    in->at += size;
    return 1;
}
