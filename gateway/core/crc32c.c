#include "core/crc32c.h"

#include "core/bytes.h"

#include <stdatomic.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif
#endif

/*
 * Row k tells what the eight bits of a byte, followed by k zero bytes, do to the remainder. CRC is
 * linear: the entry of any byte is the exclusive or of those of its bits, so these 64 numbers are
 * the whole table.
 */
// clang-format off
#define BITS_0 0xF26B8303, 0xE13B70F7, 0xC79A971F, 0x8AD958CF, \
    0x105EC76F, 0x20BD8EDE, 0x417B1DBC, 0x82F63B78
#define BITS_1 0x13A29877, 0x274530EE, 0x4E8A61DC, 0x9D14C3B8, \
    0x3FC5F181, 0x7F8BE302, 0xFF17C604, 0xFBC3FAF9
#define BITS_2 0xA541927E, 0x4F6F520D, 0x9EDEA41A, 0x38513EC5, \
    0x70A27D8A, 0xE144FB14, 0xC76580D9, 0x8B277743
#define BITS_3 0xDD45AAB8, 0xBF672381, 0x7B2231F3, 0xF64463E6, \
    0xE964B13D, 0xD725148B, 0xABA65FE7, 0x52A0C93F
#define BITS_4 0x38116FAC, 0x7022DF58, 0xE045BEB0, 0xC5670B91, \
    0x8F2261D3, 0x1BA8B557, 0x37516AAE, 0x6EA2D55C
#define BITS_5 0xEF306B19, 0xDB8CA0C3, 0xB2F53777, 0x6006181F, \
    0xC00C303E, 0x85F4168D, 0x0E045BEB, 0x1C08B7D6
#define BITS_6 0x68032CC8, 0xD0065990, 0xA5E0C5D1, 0x4E2DFD53, \
    0x9C5BFAA6, 0x3D5B83BD, 0x7AB7077A, 0xF56E0EF4
#define BITS_7 0x493C7D27, 0x9278FA4E, 0x211D826D, 0x423B04DA, \
    0x847609B4, 0x0D006599, 0x1A00CB32, 0x34019664

#define ENTRY(byte, b0, b1, b2, b3, b4, b5, b6, b7) \
    (((byte) & 0x01 ? b0 : 0) ^ ((byte) & 0x02 ? b1 : 0) ^ ((byte) & 0x04 ? b2 : 0) ^              \
     ((byte) & 0x08 ? b3 : 0) ^ ((byte) & 0x10 ? b4 : 0) ^ ((byte) & 0x20 ? b5 : 0) ^              \
     ((byte) & 0x40 ? b6 : 0) ^ ((byte) & 0x80 ? b7 : 0))
#define ENTRIES_4(byte, ...) \
    ENTRY(byte, __VA_ARGS__), ENTRY((byte) + 1, __VA_ARGS__), ENTRY((byte) + 2, __VA_ARGS__),      \
        ENTRY((byte) + 3, __VA_ARGS__)
#define ENTRIES_16(byte, ...) \
    ENTRIES_4(byte, __VA_ARGS__), ENTRIES_4((byte) + 4, __VA_ARGS__),                              \
        ENTRIES_4((byte) + 8, __VA_ARGS__), ENTRIES_4((byte) + 12, __VA_ARGS__)
#define ENTRIES_64(byte, ...) \
    ENTRIES_16(byte, __VA_ARGS__), ENTRIES_16((byte) + 16, __VA_ARGS__),                           \
        ENTRIES_16((byte) + 32, __VA_ARGS__), ENTRIES_16((byte) + 48, __VA_ARGS__)
#define ENTRIES_256(...) \
    {ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__), ENTRIES_64(128, __VA_ARGS__),        \
     ENTRIES_64(192, __VA_ARGS__)}
// clang-format on

static const uint32_t table[8][256] = {
    ENTRIES_256(BITS_0), ENTRIES_256(BITS_1), ENTRIES_256(BITS_2), ENTRIES_256(BITS_3),
    ENTRIES_256(BITS_4), ENTRIES_256(BITS_5), ENTRIES_256(BITS_6), ENTRIES_256(BITS_7),
};

static uint32_t table_byte(uint32_t crc, uint8_t byte)
{
    return crc >> 8 ^ table[0][(crc ^ byte) & 0xff];
}

uint32_t crc32c_table(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *at = data;
    crc = ~crc;
    for (; size >= 8; at += 8, size -= 8) {
        uint32_t low = crc ^ get_u32(at);
        crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^
              table[4][low >> 24] ^ table[3][at[4]] ^ table[2][at[5]] ^ table[1][at[6]] ^
              table[0][at[7]];
    }
    for (; size > 0; at++, size--)
        crc = table_byte(crc, *at);
    return ~crc;
}

typedef uint32_t crc32c_fn(uint32_t crc, const void *data, size_t size);

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const void *data,
                                                               size_t size)
{
    const uint8_t *at = data;
    uint64_t rest = (uint32_t)~crc;
    for (; size >= 8; at += 8, size -= 8)
        rest = __builtin_ia32_crc32di(rest, get_u64(at));
    for (; size > 0; at++, size--)
        rest = __builtin_ia32_crc32qi((uint32_t)rest, *at);
    return ~(uint32_t)rest;
}

/* Of the processor itself: the compiler's own question brings a table of all models of all makers.
 */
static crc32c_fn *choose(void)
{
    unsigned eax, ebx, ecx = 0, edx;

    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & bit_SSE4_2 ? crc32c_sse42 : crc32c_table;
}

#elif defined(__aarch64__) && defined(__AARCH64EL__)

__attribute__((target("+crc"))) static uint32_t crc32c_armv8(uint32_t crc, const void *data,
                                                             size_t size)
{
    const uint8_t *at = data;
    crc = ~crc;
    for (; size >= 8; at += 8, size -= 8)
        crc = __crc32cd(crc, get_u64(at));
    for (; size > 0; at++, size--)
        crc = __crc32cb(crc, *at);
    return ~crc;
}

static crc32c_fn *choose(void)
{
    return getauxval(AT_HWCAP) & HWCAP_CRC32 ? crc32c_armv8 : crc32c_table;
}

#else

static crc32c_fn *choose(void)
{
    return crc32c_table;
}

#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
    /* The one mutable static outside the logger: a cache that every thread would fill with the same
     * answer. */
    static _Atomic(crc32c_fn *) chosen;
    crc32c_fn *fn = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (!fn) {
        fn = choose();
        atomic_store_explicit(&chosen, fn, memory_order_relaxed);
    }
    return fn(crc, data, size);
}

bool crc32c_by_instruction(void)
{
    return choose() != crc32c_table;
}
