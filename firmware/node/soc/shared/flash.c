/* The part of a flash's driver that is the same for all: ranges, and reading back. */
#include "node/soc/shared/flash.h"

#include <string.h>

#include "chip.h"
#include "node/soc/soc.h"

static bool is_within(const struct nflash *flash, uint32_t at, size_t size, uint32_t step)
{
    return at >= flash->at && size <= flash->size && at - flash->at <= flash->size - size &&
           (at - flash->at) % step == 0 && size % step == 0;
}

static const volatile uint8_t *bytes_at(uint32_t at)
{
    return (const volatile uint8_t *)(uintptr_t)at;
}

int soc_flash_erase(void *context, uint32_t at)
{
    const struct nflash *flash = context;
    int error;

    if (!is_within(flash, at, flash->page, flash->page))
        return NFLASH_RANGE;
    error = chip_flash_erase(at);
    for (uint32_t i = 0; i < flash->page && !error; i++) {
        if (bytes_at(at)[i] != 0xFF)
            error = NFLASH_DIFFERS;
    }
    return error;
}

int soc_flash_write(void *context, uint32_t at, const void *data, size_t size)
{
    const struct nflash *flash = context;
    const uint8_t *bytes = data;
    int error = 0;

    if (!is_within(flash, at, size, SOC_FLASH_UNIT))
        return NFLASH_RANGE;
    for (size_t i = 0; i < size && !error; i += SOC_FLASH_UNIT)
        error = chip_flash_write(at + i, bytes + i);
    for (size_t i = 0; i < size && !error; i++) {
        if (bytes_at(at)[i] != bytes[i])
            error = NFLASH_DIFFERS;
    }
    return error;
}

int soc_flash_read(void *context, uint32_t at, void *data, size_t size)
{
    uint8_t *bytes = data;

    if (!is_within(context, at, size, 1))
        return NFLASH_RANGE;
    for (size_t i = 0; i < size; i++)
        bytes[i] = bytes_at(at)[i];
    return 0;
}
