/*
 * Any commands to the window of a node's update, and power cuts between them: the version that runs
 * stays the one that is started, and nothing is written that real flash refuses.
 */
#include <stdlib.h>
#include <string.h>

#include "faults/node_flash.h"
#include "fuzz/fuzz.h"
#include "node/core/update.h"

#define LENGTH 800
#define MARKS  (1U << MARK_WANTED | 1U << MARK_CONFIRMED)

static void must(bool truth)
{
    if (!truth)
        abort();
}

/* A version that was not signed so may be in the other slot, but not run. */
static void restart(struct node_flash *flash, struct update *update)
{
    unsigned slot = slots_choose(&flash->slots, node_flash_check);

    must(slot == 0);
    update_open(update, &flash->slots, slot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct node_flash flash;
    uint8_t image[IMAGE_HEADER_SIZE + LENGTH];
    struct update update;

    node_flash_make(&flash, 4);
    node_flash_image(image, 0, 5, 3, LENGTH);
    node_flash_fit(&flash, image, MARKS);
    update_open(&update, &flash.slots, 0);
    while (size >= 4) {
        uint16_t index = (uint16_t)(data[0] << 8 | data[1]), count = data[2];

        data += 3;
        size -= 3;
        if (count == 0) {
            restart(&flash, &update);
            continue;
        }
        index %= UPDATE_COUNT;
        if ((size_t)count * 2 > size || index + count > UPDATE_COUNT)
            break;
        update_write(&update, index, count, data);
        data += 2 * count;
        size -= 2U * count;
        for (uint16_t i = 0; i < UPDATE_READ_COUNT; i++)
            update_read(&update, i);
        must(!flash.mistaken);
        if (update_wants_reset(&update))
            restart(&flash, &update);
    }
    must(memcmp(flash.bytes, image, IMAGE_HEADER_SIZE) == 0 &&
         memcmp(flash.bytes + IMAGE_ROOM, image + IMAGE_HEADER_SIZE, LENGTH) == 0);
    return 0;
}

static size_t add(uint8_t *out, size_t at, size_t room, unsigned index, const uint8_t *data,
                  unsigned count)
{
    if (at + 3 + 2 * count > room)
        return at;
    out[at] = (uint8_t)(index >> 8);
    out[at + 1] = (uint8_t)index;
    out[at + 2] = (uint8_t)count;
    memcpy(out + at + 3, data, 2 * (size_t)count);
    return at + 3 + 2 * (size_t)count;
}

/* An update whose last byte is not what was signed. */
size_t fuzz_seed(uint64_t random, uint8_t *out, size_t room)
{
    static const uint8_t commands[] = {0, UPDATE_ERASE, 0, UPDATE_ERASE,   0, UPDATE_FINISH,
                                       0, UPDATE_START, 0, UPDATE_CONFIRM, 0, UPDATE_BACK};
    uint8_t image[IMAGE_HEADER_SIZE + LENGTH], block[4 + 200] = {0};
    size_t size = 0;

    node_flash_image(image, 1, 3 + (uint32_t)(random % 5), 0, LENGTH);
    image[sizeof image - 1] ^= 1;
    size = add(out, size, room, UPDATE_AT_BEGIN, image, IMAGE_HEADER_SIZE / 2);
    for (unsigned i = 0; i < 2; i++)
        size = add(out, size, room, UPDATE_AT_COMMAND, commands, 1);
    for (unsigned at = 0; at < LENGTH; at += 200) {
        block[2] = (uint8_t)(at >> 8);
        block[3] = (uint8_t)at;
        memcpy(block + 4, image + IMAGE_HEADER_SIZE + at, 200);
        size = add(out, size, room, UPDATE_AT_BLOCK, block, sizeof block / 2);
    }
    for (unsigned i = 2 + fuzz_next(&random) % 2; i < sizeof commands / 2; i++)
        size = add(out, size, room, UPDATE_AT_COMMAND, commands + 2 * i, 1);
    return size;
}
