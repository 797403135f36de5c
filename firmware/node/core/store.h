/*
 * A few bytes that survive the loss of power at any moment, in two pages of flash.
 *
 * Records of STORE_RECORD_SIZE bytes lie one behind the other: a number that grows by one (4 bytes,
 * little-endian), the data, and a CRC-32 over both. The newest sound one holds. A new one goes
 * behind it; when its page is full the other page is erased and gets it, so that each page is
 * erased once in as many records as both hold. Nothing is written but behind an erase that has
 * ended (no record can be sound before that) and never into what is not blank.
 */
#ifndef SLUICE_NODE_STORE_H
#define SLUICE_NODE_STORE_H

#include "node/core/flash.h"

#define STORE_DATA_SIZE   24
#define STORE_RECORD_SIZE 32

struct store {
    const struct nflash *flash;
    uint32_t number;               /* of the newest record; 0: there is none */
    uint32_t at;                   /* where it is */
    uint8_t data[STORE_DATA_SIZE]; /* what it holds */
};

/* Finds the newest record. 1: store->data holds it; 0: there is none; or an enum nflash_error. The
 * flash needs two pages or more, of which two are used, and must outlive the store. */
int store_open(struct store *store, const struct nflash *flash);

/*
 * Makes `data` the newest record; nothing is written when it is already. 0, or an enum
 * nflash_error: then the record before it holds on, also after a restart.
 */
int store_save(struct store *store, const uint8_t data[STORE_DATA_SIZE]);

#endif
