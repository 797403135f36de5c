/* CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 3720 appendix B.4 has vectors). */
#ifndef SLUICE_CORE_CRC32C_H
#define SLUICE_CORE_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Continues `crc` (0 to begin) over `size` bytes. Uses the CPU's instruction where there is one
 * (SSE 4.2, ARMv8 CRC), chosen once at run time, else a table. Thread-safe.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

/* The table version, for tests and for telling what the instruction gains. */
uint32_t crc32c_table(uint32_t crc, const void *data, size_t size);

/* Whether crc32c uses the instruction on this machine, for tests. */
bool crc32c_by_instruction(void);

#endif
