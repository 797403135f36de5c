#include "node/core/store.h"

#include <stdbool.h>
#include <string.h>

#include "node/core/crc.h"

#define AT_DATA 4
#define AT_CRC  (AT_DATA + STORE_DATA_SIZE)

static void put_u32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get_u32(const uint8_t *data)
{
    return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

static uint32_t page_of(const struct store *store, uint32_t at)
{
    return at - (at - store->flash->at) % store->flash->page;
}

static bool is_blank(const uint8_t record[STORE_RECORD_SIZE])
{
    for (size_t i = 0; i < STORE_RECORD_SIZE; i++) {
        if (record[i] != 0xFF)
            return false;
    }
    return true;
}

static void take_if_newer(struct store *store, uint32_t at, const uint8_t record[STORE_RECORD_SIZE])
{
    uint32_t number = get_u32(record);

    if (number <= store->number || get_u32(record + AT_CRC) != crc32(0, record, AT_CRC))
        return;
    store->number = number;
    store->at = at;
    memcpy(store->data, record + AT_DATA, STORE_DATA_SIZE);
}

int store_open(struct store *store, const struct nflash *flash)
{
    uint8_t record[STORE_RECORD_SIZE];

    memset(store, 0, sizeof *store);
    store->flash = flash;
    if (flash->size < 2 * flash->page || flash->page % STORE_RECORD_SIZE)
        return NFLASH_RANGE;
    for (uint32_t at = flash->at; at < flash->at + 2 * flash->page; at += STORE_RECORD_SIZE) {
        int error = flash->read(flash->context, at, record, sizeof record);

        if (error)
            return error;
        take_if_newer(store, at, record);
    }
    return store->number > 0;
}

/* Writes the record at `at` where that is blank, and looks whether it is there. */
static int write_record(struct store *store, uint32_t at, const uint8_t record[STORE_RECORD_SIZE])
{
    const struct nflash *flash = store->flash;
    uint8_t there[STORE_RECORD_SIZE];
    int error = flash->read(flash->context, at, there, sizeof there);

    if (!error && !is_blank(there))
        return NFLASH_DIFFERS;
    if (!error)
        error = flash->write(flash->context, at, record, STORE_RECORD_SIZE);
    if (!error)
        error = flash->read(flash->context, at, there, sizeof there);
    if (!error && memcmp(there, record, STORE_RECORD_SIZE) != 0)
        error = NFLASH_DIFFERS;
    if (!error)
        take_if_newer(store, at, record);
    return error;
}

/* Writes it to the first place from `at` to the end of its page that takes it: one that a cut has
 * spoilt, or that is worn out, is passed over. */
static int write_from(struct store *store, uint32_t at, uint32_t end,
                      const uint8_t record[STORE_RECORD_SIZE])
{
    int error = NFLASH_DIFFERS;

    for (; at < end && error == NFLASH_DIFFERS; at += STORE_RECORD_SIZE)
        error = write_record(store, at, record);
    return error;
}

int store_save(struct store *store, const uint8_t data[STORE_DATA_SIZE])
{
    const struct nflash *flash = store->flash;
    uint8_t record[STORE_RECORD_SIZE];
    uint32_t page = page_of(store, store->at);
    int error = NFLASH_DIFFERS;

    if (store->number && memcmp(store->data, data, STORE_DATA_SIZE) == 0)
        return 0;
    put_u32(record, store->number + 1);
    memcpy(record + AT_DATA, data, STORE_DATA_SIZE);
    put_u32(record + AT_CRC, crc32(0, record, AT_CRC));
    if (store->number)
        error = write_from(store, store->at + STORE_RECORD_SIZE, page + flash->page, record);
    if (error != NFLASH_DIFFERS)
        return error;
    page = store->number && page == flash->at ? flash->at + flash->page : flash->at;
    error = flash->erase(flash->context, page);
    return error ? error : write_from(store, page, page + flash->page, record);
}
