/* A flash in memory, as a node's settings see it, whose power can be cut in any write and erase. */
#ifndef SLUICE_TESTS_NODE_FLASH_H
#define SLUICE_TESTS_NODE_FLASH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/core/flash.h"
#include "unit/random.h"

#define FLASH_AT   0x08004000u
#define FLASH_PAGE 256u
#define FLASH_SIZE (2 * FLASH_PAGE)

struct flash_model {
    uint8_t bytes[FLASH_SIZE];
    struct nflash flash;
    int cut_after;      /* so many units and erases are done, the next one is torn; -1: never */
    bool off;           /* the power is gone: nothing is done any more */
    size_t stuck_at;    /* a byte that takes nothing, without a word; 0: all do */
    unsigned erases[2]; /* of each page */
    uint64_t random;
};

/* Each bit that would change does so or not. */
static inline void flash_tear(struct flash_model *model, uint32_t at, const uint8_t *wanted,
                              size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t which = (uint8_t)random_next(&model->random);

        model->bytes[at + i] = (uint8_t)((model->bytes[at + i] & ~which) | (wanted[i] & which));
    }
}

/* Does one step, whole, torn or not at all. */
static inline int flash_step(struct flash_model *model, uint32_t at, const uint8_t *wanted,
                             size_t size)
{
    if (model->off)
        return NFLASH_STUCK;
    if (model->cut_after == 0) {
        model->off = true;
        flash_tear(model, at, wanted, size);
        return NFLASH_STUCK;
    }
    if (model->cut_after > 0)
        model->cut_after--;
    memcpy(model->bytes + at, wanted, size);
    if (model->stuck_at >= at && model->stuck_at < at + size && model->stuck_at > 0)
        model->bytes[model->stuck_at] = 0xFF;
    return 0;
}

static inline int flash_erase(void *context, uint32_t at)
{
    struct flash_model *model = context;
    uint8_t blank[FLASH_PAGE];

    assert_int_equal((at - FLASH_AT) % FLASH_PAGE, 0);
    assert_true(at - FLASH_AT < FLASH_SIZE);
    memset(blank, 0xFF, sizeof blank);
    model->erases[(at - FLASH_AT) / FLASH_PAGE]++;
    return flash_step(model, at - FLASH_AT, blank, sizeof blank);
}

static inline int flash_write(void *context, uint32_t at, const void *data, size_t size)
{
    struct flash_model *model = context;
    const uint8_t *bytes = data;
    int error = 0;

    at -= FLASH_AT;
    assert_true(at <= FLASH_SIZE && size <= FLASH_SIZE - at);
    assert_int_equal(at % model->flash.unit, 0);
    assert_int_equal(size % model->flash.unit, 0);
    for (size_t i = 0; i < size && !error; i += model->flash.unit) {
        for (unsigned j = 0; j < model->flash.unit && !model->off; j++)
            assert_int_equal(model->bytes[at + i + j], 0xFF); /* never over what was written */
        error = flash_step(model, (uint32_t)(at + i), bytes + i, model->flash.unit);
    }
    return error;
}

static inline int flash_read(void *context, uint32_t at, void *data, size_t size)
{
    const struct flash_model *model = context;

    assert_true(at >= FLASH_AT && at - FLASH_AT <= FLASH_SIZE - size);
    memcpy(data, model->bytes + (at - FLASH_AT), size);
    return 0;
}

static inline void flash_open(struct flash_model *model, uint8_t unit, uint64_t seed)
{
    memset(model, 0, sizeof *model);
    for (size_t i = 0; i < FLASH_SIZE; i++)
        model->bytes[i] = (uint8_t)(i * 7); /* as bought, or as another firmware left it */
    model->random = seed;
    model->cut_after = -1;
    model->flash = (struct nflash){.erase = flash_erase,
                                   .write = flash_write,
                                   .read = flash_read,
                                   .context = model,
                                   .at = FLASH_AT,
                                   .size = FLASH_SIZE,
                                   .page = FLASH_PAGE,
                                   .unit = unit};
}

/* The power is back. */
static inline void flash_power(struct flash_model *model)
{
    model->off = false;
    model->cut_after = -1;
}

#endif
