#include "core/crc32c.h"

#include "core/bytes.h"

#include <pthread.h>
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
 * the whole table, which is made where it is needed: most processors need none.
 */
// clang-format off
static const uint32_t bits[8][8] = {
    {0xF26B8303, 0xE13B70F7, 0xC79A971F, 0x8AD958CF,
     0x105EC76F, 0x20BD8EDE, 0x417B1DBC, 0x82F63B78},
    {0x13A29877, 0x274530EE, 0x4E8A61DC, 0x9D14C3B8,
     0x3FC5F181, 0x7F8BE302, 0xFF17C604, 0xFBC3FAF9},
    {0xA541927E, 0x4F6F520D, 0x9EDEA41A, 0x38513EC5,
     0x70A27D8A, 0xE144FB14, 0xC76580D9, 0x8B277743},
    {0xDD45AAB8, 0xBF672381, 0x7B2231F3, 0xF64463E6,
     0xE964B13D, 0xD725148B, 0xABA65FE7, 0x52A0C93F},
    {0x38116FAC, 0x7022DF58, 0xE045BEB0, 0xC5670B91,
     0x8F2261D3, 0x1BA8B557, 0x37516AAE, 0x6EA2D55C},
    {0xEF306B19, 0xDB8CA0C3, 0xB2F53777, 0x6006181F,
     0xC00C303E, 0x85F4168D, 0x0E045BEB, 0x1C08B7D6},
    {0x68032CC8, 0xD0065990, 0xA5E0C5D1, 0x4E2DFD53,
     0x9C5BFAA6, 0x3D5B83BD, 0x7AB7077A, 0xF56E0EF4},
    {0x493C7D27, 0x9278FA4E, 0x211D826D, 0x423B04DA,
     0x847609B4, 0x0D006599, 0x1A00CB32, 0x34019664},
};
// clang-format on

static uint32_t table[8][256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void make_table(void)
{
    for (int row = 0; row < 8; row++)
        for (int byte = 0; byte < 256; byte++)
            for (int bit = 0; bit < 8; bit++)
                if (byte & 1 << bit)
                    table[row][byte] ^= bits[row][bit];
}

static uint32_t table_byte(uint32_t crc, uint8_t byte)
{
    return crc >> 8 ^ table[0][(crc ^ byte) & 0xff];
}

uint32_t crc32c_table(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *at = data;

    pthread_once(&table_once, make_table);
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
    /* With the table the one mutable static outside the logger: a cache that every thread would
     * fill with the same answer. */
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
