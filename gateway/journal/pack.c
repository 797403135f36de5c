#include "journal/pack.h"

#include "core/bytes.h"
#include "core/codec.h"

#include <string.h>

void pack_bytes(struct packer *packer, const void *data, size_t size)
{
    if (packer->full || size > (size_t)(packer->end - packer->at)) {
        packer->full = true;
        return;
    }
    if (size > 0)
        memcpy(packer->at, data, size);
    packer->at += size;
}

void pack_byte(struct packer *packer, uint8_t value)
{
    pack_bytes(packer, &value, 1);
}

void pack_u32(struct packer *packer, uint32_t value)
{
    uint8_t bytes[4];
    put_u32(bytes, value);
    pack_bytes(packer, bytes, sizeof(bytes));
}

void pack_varint(struct packer *packer, uint64_t value)
{
    uint8_t bytes[10];
    pack_bytes(packer, bytes, varint_put(bytes, value));
}

void pack_signed(struct packer *packer, int64_t value)
{
    pack_varint(packer, zigzag(value));
}

void pack_text(struct packer *packer, const char *text)
{
    size_t size = strlen(text);
    pack_varint(packer, size);
    pack_bytes(packer, text, size);
}

/* The place of the next `size` bytes; NULL where there are fewer. */
static const uint8_t *take(struct unpacker *unpacker, size_t size)
{
    if (unpacker->bad || size > (size_t)(unpacker->end - unpacker->at)) {
        unpacker->bad = true;
        return NULL;
    }
    const uint8_t *at = unpacker->at;
    unpacker->at += size;
    return at;
}

uint8_t unpack_byte(struct unpacker *unpacker)
{
    const uint8_t *at = take(unpacker, 1);
    return at ? *at : 0;
}

uint32_t unpack_u32(struct unpacker *unpacker)
{
    const uint8_t *at = take(unpacker, 4);
    return at ? get_u32(at) : 0;
}

uint64_t unpack_varint(struct unpacker *unpacker)
{
    uint64_t value;
    if (unpacker->bad)
        return 0;
    int size = varint_get(unpacker->at, (size_t)(unpacker->end - unpacker->at), &value);
    if (size < 0) {
        unpacker->bad = true;
        return 0;
    }
    unpacker->at += size;
    return value;
}

int64_t unpack_signed(struct unpacker *unpacker)
{
    return unzigzag(unpack_varint(unpacker));
}

void unpack_text(struct unpacker *unpacker, char *text, size_t size)
{
    uint64_t length = unpack_varint(unpacker);
    const uint8_t *at = length < size ? take(unpacker, (size_t)length) : NULL;
    if (!at) {
        unpacker->bad = true;
        length = 0;
    } else if (length > 0) {
        memcpy(text, at, (size_t)length);
    }
    text[length] = 0;
}
