#include "faults/node_flash.h"

#include <string.h>

#define HASH_START 2166136261U

static uint64_t next(struct node_flash *flash)
{
    uint64_t x = flash->random += UINT64_C(0x9E3779B97F4A7C15);

    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    return x ^ x >> 31;
}

#define OF_WRITE SIZE_MAX /* in the place of an index in a page */

/* One bit in sixteen. */
static uint8_t few(struct node_flash *flash)
{
    uint64_t bits = next(flash);

    return (uint8_t)(bits & bits >> 8 & bits >> 16 & bits >> 24);
}

/* Whether TEAR_PARTS has erased the part of a first page in which a byte is: the header, its
 * signature, each mark, and what is behind them. */
static bool erased_part(const struct node_flash *flash, size_t index)
{
    uint64_t parts =
        ((uint64_t)flash->random + flash->slot[0].unit) * UINT64_C(0x9E3779B97F4A7C15) >> 32;
    unsigned part = index < IMAGE_SIGNED_SIZE                       ? 0
                    : index < IMAGE_HEADER_SIZE                     ? 1
                    : index < SLOTS_MARKS_AT || index >= IMAGE_ROOM ? 2
                                                                    : 3;

    if (part < 3 || (parts >> 8 & 1)) /* all the marks alike, or each on its own */
        return parts >> part & 1;
    return parts >> (9 + (index - SLOTS_MARKS_AT) / SLOTS_MARK_SIZE % MARK_COUNT) & 1;
}

/* The bits of a byte that a torn operation has got at. */
static uint8_t reached(struct node_flash *flash, size_t index)
{
    uint64_t bits;

    if (flash->tear == TEAR_PARTS && index != OF_WRITE)
        return erased_part(flash, index) ? 0xFF : 0;
    bits = next(flash);
    switch (flash->tear) {
    case TEAR_FICKLE: /* nothing that holds: see below */
    case TEAR_NOTHING:
        return 0;
    case TEAR_ALL:
        return 0xFF;
    case TEAR_FEW:
        return few(flash);
    default:
        return (uint8_t)bits;
    }
}

/* Counts an operation. True: it is the one in which the power fails, or it has failed before. */
static bool fails(struct node_flash *flash)
{
    if (flash->off)
        return true;
    flash->off = flash->done++ == flash->cut_at;
    return flash->off;
}

static uint8_t *place(struct node_flash *flash, uint32_t at, size_t size)
{
    if (at < NODE_FLASH_AT || at - NODE_FLASH_AT + size > sizeof flash->bytes)
        return NULL;
    return &flash->bytes[at - NODE_FLASH_AT];
}

static int erase(void *context, uint32_t at)
{
    struct node_flash *flash = context;
    uint8_t *page = place(flash, at, NODE_FLASH_PAGE);
    uint8_t *fickle = page ? &flash->fickle[page - flash->bytes] : NULL;
    bool first = (at - NODE_FLASH_AT) % NODE_FLASH_SLOT == 0, was_off = flash->off;

    if (!page || at % NODE_FLASH_PAGE != 0) {
        flash->mistaken = true;
        return NFLASH_RANGE;
    }
    if (!fails(flash)) {
        memset(page, 0xFF, NODE_FLASH_PAGE);
        memset(fickle, 0, NODE_FLASH_PAGE);
        flash->weak[(at - NODE_FLASH_AT) / NODE_FLASH_PAGE] = false;
        return 0;
    }
    if (was_off)
        return NFLASH_STUCK;
    flash->delicate = true;
    flash->weak[(at - NODE_FLASH_AT) / NODE_FLASH_PAGE] =
        flash->tear != TEAR_NOTHING && flash->tear != TEAR_ALL;
    for (size_t i = 0; i < NODE_FLASH_PAGE; i++) {
        if (flash->tear == TEAR_FICKLE)
            fickle[i] |= (uint8_t)(~page[i] & few(flash));
        page[i] |= reached(flash, first ? i : OF_WRITE);
    }
    return NFLASH_STUCK;
}

static int write(void *context, uint32_t at, const void *data, size_t size)
{
    struct node_flash *flash = context;
    unsigned unit = flash->slot[0].unit;
    const uint8_t *from = data;
    uint8_t *to = place(flash, at, size), *fickle = to ? &flash->fickle[to - flash->bytes] : NULL;

    if (!to || at % unit != 0 || size % unit != 0) {
        flash->mistaken = true;
        return NFLASH_RANGE;
    }
    for (size_t i = 0; i < size; i += unit) {
        bool was_off = flash->off, torn = fails(flash);

        for (size_t k = i; !was_off && k < i + unit; k++) {
            if (from[k] != 0 &&
                (to[k] != 0xFF || (size > SLOTS_MARK_SIZE &&
                                   flash->weak[(at + k - NODE_FLASH_AT) / NODE_FLASH_PAGE])))
                flash->mistaken = true;
            if (torn && flash->tear == TEAR_FICKLE)
                fickle[k] |= (uint8_t)(to[k] & ~from[k] & few(flash));
            else if (!torn)
                fickle[k] &= from[k];
            to[k] &= (uint8_t)(torn ? from[k] | ~reached(flash, OF_WRITE) : from[k]);
        }
        if (torn) {
            flash->delicate =
                !was_off ? size == SLOTS_MARK_SIZE && flash->tear != TEAR_PARTS : flash->delicate;
            return NFLASH_STUCK;
        }
    }
    return 0;
}

static int read(void *context, uint32_t at, void *data, size_t size)
{
    struct node_flash *flash = context;
    const uint8_t *from = place(flash, at, size);

    if (!from) {
        flash->mistaken = true;
        return NFLASH_RANGE;
    }
    memcpy(data, from, size);
    return 0;
}

void node_flash_make(struct node_flash *flash, unsigned unit)
{
    *flash = (struct node_flash){.cut_at = -1};
    memset(flash->bytes, 0xFF, sizeof flash->bytes);
    for (uint32_t i = 0; i < 2; i++)
        flash->slot[i] = (struct nflash){.erase = erase,
                                         .write = write,
                                         .read = read,
                                         .context = flash,
                                         .at = NODE_FLASH_AT + i * NODE_FLASH_SLOT,
                                         .size = NODE_FLASH_SLOT,
                                         .page = NODE_FLASH_PAGE,
                                         .unit = (uint8_t)unit};
    flash->slots = (struct slots){
        .board = NODE_FLASH_BOARD, .flash = {&flash->slot[0], &flash->slot[1]}, .reply_ms = 50};
}

#define STRETCH 256 /* divides a page */

void node_flash_power(struct node_flash *flash, long cut_at)
{
    static const uint8_t firm[STRETCH];

    flash->off = false;
    flash->done = 0;
    flash->cut_at = cut_at;
    /* Most of it holds, and is passed over: the power comes back hundreds of thousands of times. */
    for (size_t at = 0; at < sizeof flash->bytes; at += STRETCH) {
        uint8_t *bytes = &flash->bytes[at], *fickle = &flash->fickle[at];

        if (memcmp(fickle, firm, STRETCH) == 0)
            continue;
        for (size_t i = 0; i < STRETCH; i++) {
            if (fickle[i])
                bytes[i] = (uint8_t)((bytes[i] & ~fickle[i]) | (next(flash) & fickle[i]));
        }
    }
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t sum(uint32_t value, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        value = (value ^ bytes[i]) * 16777619U;
    return value;
}

static void sum_out(uint32_t value, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i += 4) {
        value = sum(value, out + (i ? i - 4 : 0), i ? 4 : 0);
        put_u32(out + i, value);
    }
}

void node_flash_image(uint8_t *out, unsigned slot, uint32_t version, uint32_t oldest,
                      uint32_t length)
{
    uint32_t fill = version * 2654435761U + slot;

    memset(out, 0, IMAGE_HEADER_SIZE);
    memcpy(out, "SLN1", 4);
    out[4] = IMAGE_HEADER_SIZE;
    out[6] = (uint8_t)slot;
    memcpy(out + IMAGE_BOARD_AT, NODE_FLASH_BOARD, sizeof NODE_FLASH_BOARD);
    put_u32(out + 32, version);
    put_u32(out + 36, oldest);
    put_u32(out + 40, length);
    out[44] = 60;
    for (uint32_t i = 0; i < length; i++) {
        fill = fill * 1664525U + 1013904223U;
        /* Long runs of FF, as versions have them, too. */
        out[IMAGE_HEADER_SIZE + i] = fill >> 31 ? 0xFF : (uint8_t)(fill >> 16);
    }
    sum_out(sum(HASH_START, out + IMAGE_HEADER_SIZE, length), out + IMAGE_HASH_AT, IMAGE_HASH_SIZE);
    sum_out(sum(HASH_START, out, IMAGE_SIGNED_SIZE), out + IMAGE_SIGNED_SIZE, IMAGE_SIGNATURE_SIZE);
}

enum image_fault node_flash_check(const struct nflash *nflash,
                                  const uint8_t header[IMAGE_HEADER_SIZE], bool checked)
{
    const uint8_t *body = place(nflash->context, nflash->at + IMAGE_ROOM, image_length(header));
    uint8_t made[IMAGE_SIGNATURE_SIZE];

    sum_out(sum(HASH_START, header, IMAGE_SIGNED_SIZE), made, IMAGE_SIGNATURE_SIZE);
    if (!checked && memcmp(made, header + IMAGE_SIGNED_SIZE, IMAGE_SIGNATURE_SIZE) != 0)
        return IMAGE_UNSIGNED;
    sum_out(sum(HASH_START, body, image_length(header)), made, IMAGE_HASH_SIZE);
    return memcmp(made, header + IMAGE_HASH_AT, IMAGE_HASH_SIZE) != 0 ? IMAGE_ALTERED : IMAGE_FINE;
}

void node_flash_fit(struct node_flash *flash, const uint8_t *image, unsigned marks)
{
    uint8_t *slot = &flash->bytes[image_slot(image) * NODE_FLASH_SLOT];

    memset(slot, 0xFF, NODE_FLASH_SLOT);
    memcpy(slot, image, IMAGE_HEADER_SIZE);
    memcpy(slot + IMAGE_ROOM, image + IMAGE_HEADER_SIZE, image_length(image));
    for (unsigned i = 0; i < MARK_COUNT; i++) {
        if (marks & 1U << i)
            memset(slot + SLOTS_MARKS_AT + i * SLOTS_MARK_SIZE, 0, SLOTS_MARK_SIZE);
    }
}
