/*
 * The two slots of a node: what is in them, and which one is started. All of it is in the slots
 * themselves, as marks that only ever clear bits of the flash: docs/node-update.md has the table
 * and says why no cut can leave a node without a version.
 *
 * One thread at a time.
 */
#ifndef SLUICE_NODE_SLOTS_H
#define SLUICE_NODE_SLOTS_H

#include "node/core/flash.h"
#include "node/core/image.h"

#define SLOTS_NONE  2 /* in the place of a slot's number */
#define SLOTS_TRIES 3

enum slots_mark {
    MARK_WANTED,
    MARK_TRY, /* and the two behind it */
    MARK_CONFIRMED = MARK_TRY + SLOTS_TRIES,
    MARK_LEFT,
    MARK_DROPPED,
    MARK_REFUSED,
    MARK_CHECKED, /* its signature was found right */
    MARK_COUNT,
};

#define SLOTS_MARKS_AT  192 /* from the beginning of a slot */
#define SLOTS_MARK_SIZE 8

/* The numbers are those that the window shows. */
enum slots_state {
    SLOT_EMPTY,
    SLOT_FILLING,
    SLOT_FILLED,
    SLOT_TRIAL,
    SLOT_CONFIRMED,
    SLOT_LEFT,
    SLOT_DROPPED,
    SLOT_FAILED,
    SLOT_REFUSED,
    SLOT_DAMAGED, /* was confirmed, but cannot be started: only the window says so */
};

struct slots {
    const char *board; /* its name, as in a header */
    const struct nflash *flash[2];
    uint16_t reply_ms; /* the longest that an erase of one page, or a write of 240 bytes, takes */
};

struct slots_view {
    enum slots_state state;
    uint8_t tries;  /* left */
    uint8_t reason; /* with SLOT_REFUSED: an image_fault; 0: not known */
    bool checked;
    uint8_t header[IMAGE_HEADER_SIZE];
};

/* Looks into a slot, 0 or 1. A flash that cannot be read counts as empty. */
void slots_look(const struct slots *slots, unsigned slot, struct slots_view *view);

/* Sets a mark, also one that is half set. 0, or an error of the flash. */
int slots_mark(const struct slots *slots, unsigned slot, enum slots_mark mark);

/*
 * Whether the version behind a header is what was signed (IMAGE_ALTERED), and by whom it must be
 * (IMAGE_UNSIGNED). With `checked` the signature was found right before, and the hash is enough: on
 * a small processor that is a fraction of a second instead of some.
 */
typedef enum image_fault slots_check(const struct nflash *flash,
                                     const uint8_t header[IMAGE_HEADER_SIZE], bool checked);

/*
 * For the boot loader: the slot that is to be started now, or SLOTS_NONE. Of a version on trial a
 * try is used up, and what does not pass the check is marked refused.
 */
unsigned slots_choose(const struct slots *slots, slots_check *check);

#endif
