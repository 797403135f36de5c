/*
 * Writing and reading the journal's small structures: bounded, with one check at the end. A packer
 * that has run out of room, and an unpacker that has met anything it cannot read, stay so.
 */
#ifndef SLUICE_JOURNAL_PACK_H
#define SLUICE_JOURNAL_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packer {
    uint8_t *at, *end;
    bool full;
};

void pack_byte(struct packer *packer, uint8_t value);
void pack_u32(struct packer *packer, uint32_t value);
void pack_varint(struct packer *packer, uint64_t value);
void pack_signed(struct packer *packer, int64_t value);
void pack_bytes(struct packer *packer, const void *data, size_t size);
void pack_text(struct packer *packer, const char *text);

struct unpacker {
    const uint8_t *at, *end;
    bool bad;
};

uint8_t unpack_byte(struct unpacker *unpacker);
uint32_t unpack_u32(struct unpacker *unpacker);
uint64_t unpack_varint(struct unpacker *unpacker);
int64_t unpack_signed(struct unpacker *unpacker);

/* A text that fits into `size` bytes with its terminating zero; a longer one is bad. */
void unpack_text(struct unpacker *unpacker, char *text, size_t size);

#endif
