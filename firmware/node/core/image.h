/*
 * The header in front of a version of the firmware, as it is in the update file and at the
 * beginning of a slot: docs/node-update.md. Pure; a header is its bytes.
 */
#ifndef SLUICE_NODE_IMAGE_H
#define SLUICE_NODE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#define IMAGE_HEADER_SIZE    144
#define IMAGE_SIGNED_SIZE    80 /* of it; the signature is behind */
#define IMAGE_SIGNATURE_SIZE 64
#define IMAGE_HASH_AT        48
#define IMAGE_HASH_SIZE      32
#define IMAGE_BOARD_AT       8
#define IMAGE_BOARD_SIZE     24
#define IMAGE_ROOM           512 /* from the beginning of a slot to that of the version */
#define IMAGE_ALIGN          8   /* of what is written: the largest unit of any flash */

/* Why a version is not taken. The numbers are those of the window's table of faults. */
enum image_fault {
    IMAGE_FINE = 0,
    IMAGE_NOT_ONE = 1, /* no header of this form */
    IMAGE_OTHER_BOARD = 2,
    IMAGE_OTHER_SLOT = 3,
    IMAGE_TOO_LONG = 4,
    IMAGE_TOO_OLD = 5,
    IMAGE_ON_TRIAL = 6,
    IMAGE_OUT_OF_TURN = 7,
    IMAGE_BAD_BLOCK = 8,
    IMAGE_FLASH = 9,
    IMAGE_ALTERED = 10, /* its bytes are not those that were signed */
    IMAGE_UNSIGNED = 11,
    IMAGE_NOTHING = 12, /* to go back to */
};

/* The fields. */
uint16_t image_slot(const uint8_t header[IMAGE_HEADER_SIZE]);
uint32_t image_version(const uint8_t header[IMAGE_HEADER_SIZE]);
uint32_t image_oldest(const uint8_t header[IMAGE_HEADER_SIZE]);
uint32_t image_length(const uint8_t header[IMAGE_HEADER_SIZE]);
uint16_t image_trial_s(const uint8_t header[IMAGE_HEADER_SIZE]);

/* Whether it has the form of a header; says nothing of its signature. */
bool image_is_header(const uint8_t header[IMAGE_HEADER_SIZE]);

/*
 * Whether it could run on that board, in a slot of that many bytes: IMAGE_FINE, IMAGE_NOT_ONE,
 * IMAGE_OTHER_BOARD or IMAGE_TOO_LONG.
 */
enum image_fault image_fits(const uint8_t header[IMAGE_HEADER_SIZE], const char *board,
                            uint32_t slot_size);

#endif
