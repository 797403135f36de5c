#include "journal/outage.h"

#include "core/bytes.h"
#include "core/crc32c.h"
#include "core/error.h"

#include <stdio.h>
#include <string.h>

#define MAGIC        "SLUICEON"
#define VERSION      1
#define SLOT_SIZE    (OUTAGE_FILE_SIZE / 2)
#define HEADER_SIZE  (SLOT_SIZE - OUTAGE_RECORDS_ROOM)
#define FLAG_ENDED   1
#define FLAG_CRASHED 2

enum place {
    AT_MAGIC = 0,
    AT_CRC = 8,
    AT_VERSION = 12, /* the checksum begins here */
    AT_FLAGS = 14,
    AT_NUMBER = 16,
    AT_DURABLE_N = 24,
    AT_NUMBERED_N = 32,
    AT_STORAGE = 40,
    AT_OVERLOAD = 48,
    AT_WAITING = 56,
    AT_SINCE = 64,
    AT_WRITTEN = 72,
    AT_EPOCH = 80,
    AT_RECORDS_SIZE = 84,
    AT_TRUST = 88,
    AT_WHY = 96,
    AT_GATEWAY = 160,
};
_Static_assert(AT_GATEWAY + ID_SIZE_MAX <= HEADER_SIZE && HEADER_SIZE == 256, "the format says so");

static void pack_note(const struct outage_note *note, const char *gateway_id, uint8_t *slot)
{
    memset(slot, 0, SLOT_SIZE);
    memcpy(slot + AT_MAGIC, MAGIC, 8);
    put_u16(slot + AT_VERSION, VERSION);
    put_u16(slot + AT_FLAGS,
            (uint16_t)((note->ended ? FLAG_ENDED : 0) | (note->crashed ? FLAG_CRASHED : 0)));
    put_u64(slot + AT_NUMBER, note->number);
    put_u64(slot + AT_DURABLE_N, note->durable_n);
    put_u64(slot + AT_NUMBERED_N, note->numbered_n);
    put_u64(slot + AT_STORAGE, note->storage);
    put_u64(slot + AT_OVERLOAD, note->overload);
    put_u64(slot + AT_WAITING, note->waiting);
    put_u64(slot + AT_SINCE, (uint64_t)note->since_ns);
    put_u64(slot + AT_WRITTEN, (uint64_t)note->written_ns);
    put_u32(slot + AT_EPOCH, note->epoch);
    put_u32(slot + AT_RECORDS_SIZE, (uint32_t)note->records_size);
    slot[AT_TRUST] = note->trust;
    memcpy(slot + AT_WHY, note->why, sizeof(note->why));
    memcpy(slot + AT_GATEWAY, gateway_id, strnlen(gateway_id, ID_SIZE_MAX - 1));
    memcpy(slot + HEADER_SIZE, note->records, note->records_size);
    put_u32(slot + AT_CRC, crc32c(0, slot + AT_VERSION, SLOT_SIZE - AT_VERSION));
}

/* False for what is no note of this version and gateway. */
static bool unpack_note(struct outage_note *note, const char *gateway_id, const uint8_t *slot)
{
    if (memcmp(slot + AT_MAGIC, MAGIC, 8) != 0 || get_u16(slot + AT_VERSION) != VERSION ||
        get_u32(slot + AT_CRC) != crc32c(0, slot + AT_VERSION, SLOT_SIZE - AT_VERSION) ||
        strncmp((const char *)slot + AT_GATEWAY, gateway_id, ID_SIZE_MAX) != 0 ||
        get_u32(slot + AT_RECORDS_SIZE) > OUTAGE_RECORDS_ROOM)
        return false;
    *note = (struct outage_note){
        .number = get_u64(slot + AT_NUMBER),
        .durable_n = get_u64(slot + AT_DURABLE_N),
        .numbered_n = get_u64(slot + AT_NUMBERED_N),
        .storage = get_u64(slot + AT_STORAGE),
        .overload = get_u64(slot + AT_OVERLOAD),
        .waiting = get_u64(slot + AT_WAITING),
        .since_ns = (int64_t)get_u64(slot + AT_SINCE),
        .written_ns = (int64_t)get_u64(slot + AT_WRITTEN),
        .epoch = get_u32(slot + AT_EPOCH),
        .records_size = get_u32(slot + AT_RECORDS_SIZE),
        .trust = slot[AT_TRUST],
        .ended = (get_u16(slot + AT_FLAGS) & FLAG_ENDED) != 0,
        .crashed = (get_u16(slot + AT_FLAGS) & FLAG_CRASHED) != 0,
    };
    memcpy(note->why, slot + AT_WHY, sizeof(note->why) - 1);
    memcpy(note->records, slot + HEADER_SIZE, note->records_size);
    return note->number != 0;
}

void outage_init(struct outage_file *file, const struct io *io, const struct io *refuge,
                 const char *gateway_id)
{
    memset(file, 0, sizeof(*file));
    pthread_mutex_init(&file->mutex, NULL);
    memcpy(file->gateway_id, gateway_id, strnlen(gateway_id, ID_SIZE_MAX - 1));
    file->places[0].io = io;
    strcpy(file->places[0].name, OUTAGE_NAME);
    /* Gateways may share that one. */
    file->places[1].io = refuge;
    snprintf(file->places[1].name, sizeof(file->places[1].name), OUTAGE_NAME "-%s",
             file->gateway_id);
}

static void drop(struct outage_place *place)
{
    if (place->file)
        place->io->close(place->io, place->file);
    place->file = NULL;
}

/* A file of zeros, or what is there written full to its size. */
static int make(struct outage_place *place, bool found)
{
    static uint8_t zeros[OUTAGE_FILE_SIZE]; /* never written to; const, it would be in the file */
    const struct io *io = place->io;
    int error = found ? 0 : io->open(io, place->name, 1, &place->file);

    if (error < 0)
        return error;
    error = io->write(io, place->file, zeros, sizeof(zeros), 0);
    if (error == 0)
        error = io->sync(io, place->file);
    if (error == 0)
        error = io->sync_dir(io);
    if (error < 0) {
        drop(place);
        io->remove(io, place->name);
    }
    return error;
}

/* Opens the place's file; makes it with `create`. */
static int open_place(struct outage_place *place, bool create)
{
    const struct io *io = place->io;
    int error = io->open(io, place->name, 0, &place->file);

    if (error == ERR_NOT_FOUND && create)
        return make(place, false);
    if (error < 0)
        return error;
    int64_t size = io->size(io, place->file);
    if (size >= 0 && size < OUTAGE_FILE_SIZE && create)
        return make(place, true);
    return 0;
}

static void read_place(struct outage_file *file, const struct outage_place *place,
                       struct outage_note *newest)
{
    uint8_t slot[SLOT_SIZE];
    struct outage_note note;

    for (int64_t at = 0; at < OUTAGE_FILE_SIZE; at += SLOT_SIZE)
        if (place->io->read(place->io, place->file, slot, SLOT_SIZE, at) == SLOT_SIZE &&
            unpack_note(&note, file->gateway_id, slot) && note.number > newest->number)
            *newest = note;
}

void outage_open(struct outage_file *file, struct outage_note *newest)
{
    memset(newest, 0, sizeof(*newest));
    for (size_t i = 0; i < 2; i++) {
        struct outage_place *place = &file->places[i];
        /* The other place is needed so seldom that nothing is made there before. */
        if (place->io && open_place(place, i == 0) == 0)
            read_place(file, place, newest);
    }
    file->number = newest->number;
}

static int write_place(struct outage_place *place, const uint8_t *slot, int64_t at)
{
    const struct io *io = place->io;
    int error = place->file ? 0 : open_place(place, true);

    if (error < 0)
        return error;
    error = io->write(io, place->file, slot, SLOT_SIZE, at);
    if (error == 0)
        error = io->sync(io, place->file);
    if (error < 0) {
        place->failed = true;
        drop(place);
    }
    return error;
}

int outage_write(struct outage_file *file, struct outage_note *note, bool hangs)
{
    uint8_t slot[SLOT_SIZE];
    int error = ERR_IO;

    if (!hangs)
        pthread_mutex_lock(&file->mutex);
    else if (pthread_mutex_trylock(&file->mutex) != 0)
        return ERR_BUSY;
    note->number = ++file->number;
    pack_note(note, file->gateway_id, slot);
    for (size_t i = hangs ? 1 : 0; i < 2 && error < 0; i++)
        if (file->places[i].io && !file->places[i].failed)
            error = write_place(&file->places[i], slot, (int64_t)(note->number & 1) * SLOT_SIZE);
    pthread_mutex_unlock(&file->mutex);
    return error;
}

uint64_t outage_unstored(const struct outage_note *note, uint64_t last_n)
{
    uint64_t waited = note->waiting + note->numbered_n - note->durable_n;
    uint64_t found = last_n > note->durable_n ? last_n - note->durable_n : 0;
    return waited > found ? waited - found : 0;
}

void outage_rest(struct outage_file *file)
{
    for (size_t i = 0; i < 2; i++)
        file->places[i].failed = false;
}

void outage_close(struct outage_file *file)
{
    for (size_t i = 0; i < 2; i++)
        drop(&file->places[i]);
    pthread_mutex_destroy(&file->mutex);
}
