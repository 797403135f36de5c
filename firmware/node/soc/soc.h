/*
 * What the node's program needs of the chip that it runs on. A SoC is a folder that has all of
 * this; nothing else asks which one it is. Where things are on the board is in the generated
 * board.h.
 *
 * Every wait for hardware has an end: what does not come is told, or done without.
 */
#ifndef SLUICE_NODE_SOC_H
#define SLUICE_NODE_SOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/core/flash.h"
#include "node/core/settings.h"

#define REG(at) (*(volatile uint32_t *)(at))

#define SOC_LOOKS_MAX 200000 /* at a flag that should come soon: some 50 ms */

/* Waits until `reg & mask` is `value`, for so many looks at most. Whether it is. */
static inline bool soc_await(const volatile uint32_t *reg, uint32_t mask, uint32_t value,
                             uint32_t looks_max)
{
    for (uint32_t i = 0; i < looks_max; i++) {
        if ((*reg & mask) == value)
            return true;
    }
    return false;
}

/* Clocks, the time, the pins' power. Called first, and once. */
void soc_start(void);

/* Microseconds since then; wraps after 71 minutes. From interrupts, too. */
uint32_t soc_now_us(void);

/* Sleeps until the next interrupt, at most a millisecond. */
void soc_wait(void);

/* What the clock of the UART and the flash runs at. */
uint32_t soc_clock_hz(void);

/* Resets the chip unless it is fed again within 2 to 10 seconds; a flash's erase may take 2. Both
 * also before soc_start, and feeding before it was started does nothing. */
void soc_watchdog_start(void);
void soc_watchdog_feed(void);

/* Whether the chip says that its watchdog reset it. */
enum soc_cause { SOC_CAUSE_OTHER, SOC_CAUSE_WATCHDOG, SOC_CAUSE_UNKNOWN };
enum soc_cause soc_cause(void);

/* A number that no other chip has; 0: it has none. */
uint64_t soc_serial(void);

/* Pins as board.h has them; BOARD_NO_PIN does nothing and reads high. */
enum soc_pin_use {
    SOC_PIN_INPUT,      /* pulled up */
    SOC_PIN_OUTPUT,     /* begins low */
    SOC_PIN_OPEN_DRAIN, /* begins released; the board pulls it up */
};

void soc_pin_use(uint16_t pin, enum soc_pin_use use);
void soc_pin_set(uint16_t pin, bool high);
bool soc_pin_is_high(uint16_t pin);

/* Makes ready to read it, once. What it has, in 1/65536 of the full scale; -1: no reading. */
void soc_analog_use(uint16_t pin);
int32_t soc_analog_read(uint16_t pin);

/* The flash's driver functions, for all regions; `context` is the region's struct nflash. */
int soc_flash_erase(void *context, uint32_t at);
int soc_flash_write(void *context, uint32_t at, const void *data, size_t size);
int soc_flash_read(void *context, uint32_t at, void *data, size_t size);

/* A region of the flash, as a struct nflash: `region` is where that one is. */
#define SOC_FLASH(region_at, region_size, region_page, region)                                     \
    {                                                                                              \
        .erase = soc_flash_erase, .write = soc_flash_write, .read = soc_flash_read,                \
        .context = (region), .at = (region_at), .size = (region_size), .page = (region_page),      \
        .unit = SOC_FLASH_UNIT, .clears = SOC_FLASH_CLEARS                                         \
    }

#endif
