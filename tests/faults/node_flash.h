/*
 * The flash of a node with two slots, whose power can fail in the middle of an erase or of a write.
 * It minds what real flash minds: what is written must have been erased to the end, or be zeros.
 */
#ifndef SLUICE_TESTS_NODE_FLASH_H
#define SLUICE_TESTS_NODE_FLASH_H

#include <stdbool.h>

#include "node/core/slots.h"

#define NODE_FLASH_AT    0x6000 /* where slot A begins */
#define NODE_FLASH_PAGE  1024
#define NODE_FLASH_SLOT  (4 * NODE_FLASH_PAGE)
#define NODE_FLASH_BOARD "model"

/* What a cut leaves of the unit or page that was worked at. */
enum node_tear {
    TEAR_NOTHING, /* as it was */
    TEAR_ALL,     /* all was done, but nobody was told */
    TEAR_RANDOM,  /* each bit on its own */
    TEAR_FEW,     /* most bits were not done yet */
    TEAR_PARTS,   /* of a first page some parts were erased, as a whole; else as RANDOM */
    TEAR_FICKLE,  /* a few bits read as they like from then on */
    TEAR_COUNT,
};

struct node_flash {
    uint8_t bytes[2 * NODE_FLASH_SLOT];
    uint8_t fickle[2 * NODE_FLASH_SLOT]; /* bits that read as they like */
    bool
        weak[2 * NODE_FLASH_SLOT / NODE_FLASH_PAGE]; /* pages whose erase was torn: nothing holds */
    long done;                                       /* units written and pages erased so far */
    long cut_at;                                     /* the power fails at this one; -1: never */
    enum node_tear tear;
    uint64_t random;
    bool off;      /* since the cut: nothing is done any more */
    bool delicate; /* it was cut in an erase, or in a mark */
    bool mistaken; /* something was written that real flash refuses */
    struct nflash slot[2];
    struct slots slots;
};

/* Blank, and with power. */
void node_flash_make(struct node_flash *flash, unsigned unit);

/* The power comes back, and fails again at operation `cut_at` from now (-1: never). */
void node_flash_power(struct node_flash *flash, long cut_at);

/* Makes a version for a slot: its header, with `length` bytes behind it that follow from its
 * number. What signs it is a sum: node_flash_check knows it. */
void node_flash_image(uint8_t *out, unsigned slot, uint32_t version, uint32_t oldest,
                      uint32_t length);

/* A slots_check. */
enum image_fault node_flash_check(const struct nflash *flash,
                                  const uint8_t header[IMAGE_HEADER_SIZE], bool checked);

/* Puts a version there with these marks, as whoever made the node would. */
void node_flash_fit(struct node_flash *flash, const uint8_t *image, unsigned marks);

#endif
