/* Little-endian integers in byte buffers, at any alignment. Compilers make single moves of these.
 */
#ifndef SLUICE_CORE_BYTES_H
#define SLUICE_CORE_BYTES_H

#include <stdint.h>

static inline void put_u16(uint8_t out[2], uint16_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
}

static inline void put_u32(uint8_t out[4], uint32_t value)
{
    put_u16(out, (uint16_t)value);
    put_u16(out + 2, (uint16_t)(value >> 16));
}

static inline void put_u64(uint8_t out[8], uint64_t value)
{
    put_u32(out, (uint32_t)value);
    put_u32(out + 4, (uint32_t)(value >> 32));
}

static inline uint16_t get_u16(const uint8_t data[2])
{
    return (uint16_t)(data[0] | data[1] << 8);
}

static inline uint32_t get_u32(const uint8_t data[4])
{
    return get_u16(data) | (uint32_t)get_u16(data + 2) << 16;
}

static inline uint64_t get_u64(const uint8_t data[8])
{
    return get_u32(data) | (uint64_t)get_u32(data + 4) << 32;
}

#endif
