/*
 * Cuts a node's power at every erase and every write of an update's life, and looks at what is
 * left.
 *
 * A life is what a gateway does with a node, from the first command on. It is run once whole, and
 * then once for each operation of the flash and each way in which that one can be torn. After the
 * cut the boot loader runs, and is cut itself, at each of its operations. Then the power stays, and
 * the gateway tries again. What is started must at each time be a version that was there, or the
 * new one, whole; and in the end the new one, confirmed. The exit code is 0 when that was so.
 *
 *     node_cuts [--stop]    --stop: at the first mistake
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults/node_flash.h"
#include "faults/totals.h"
#include "node/core/pdu.h"
#include "node/core/update.h"

#define LENGTH_MAX 640 /* of a version: it ends in the second page */
#define LENGTH_MIN 400 /* all of it is in the first page */
#define IMAGE_SIZE (IMAGE_HEADER_SIZE + LENGTH_MAX)
#define WANTED     (1U << MARK_WANTED)
#define CONFIRMED  (WANTED | 1U << MARK_TRY | 1U << MARK_CONFIRMED | 1U << MARK_CHECKED)

enum {
    VERSION_OLD = 3,   /* runs at the beginning */
    VERSION_OLDER = 2, /* was there before */
    VERSION_NEW = 4,
};

struct life {
    const char *name;
    void (*fit)(struct node_flash *flash);
    /* Goes on with it. Stops where the power does. True: it has come to its end. */
    bool (*live)(struct node_flash *flash, unsigned started);
    unsigned allowed; /* bits: versions that may be started on the way; bit 0: the boot loader */
    unsigned end;     /* the version that runs in the end... */
    bool extra;       /* ...at the latest when a try that reads as it likes was taken once more */
};

struct tally {
    long cuts, nested, lost;
};

static bool stop_at_first;
static uint32_t length = LENGTH_MAX;
static bool disappointed; /* what was sent as a whole was not started */

/* That version for that slot, of the present length. */
static const uint8_t *image_of(unsigned slot, uint32_t version)
{
    static uint8_t images[2][VERSION_NEW + 1][IMAGE_SIZE];
    static uint32_t lengths[2][VERSION_NEW + 1];

    if (lengths[slot][version] != length)
        node_flash_image(images[slot][version], slot, version, 0, length);
    lengths[slot][version] = length;
    return images[slot][version];
}

static void fit(struct node_flash *flash, unsigned slot, uint32_t version, unsigned marks)
{
    node_flash_fit(flash, image_of(slot, version), marks);
}

static void fit_two(struct node_flash *flash)
{
    fit(flash, 0, VERSION_OLD, CONFIRMED);
    fit(flash, 1, VERSION_OLDER, CONFIRMED | 1U << MARK_LEFT);
}

static void fit_one(struct node_flash *flash)
{
    fit(flash, 0, VERSION_OLD, WANTED | 1U << MARK_CONFIRMED);
}

/* An older version that was never started: nothing may start it now. */
static void fit_forgotten(struct node_flash *flash)
{
    fit(flash, 0, VERSION_OLD, CONFIRMED);
    fit(flash, 1, VERSION_OLDER, 0);
}

/* The new version was tried before, and has failed. */
static void fit_failed(struct node_flash *flash)
{
    fit(flash, 0, VERSION_OLD, CONFIRMED);
    fit(flash, 1, VERSION_NEW, WANTED | 1U << MARK_CHECKED | ((1U << SLOTS_TRIES) - 1) << MARK_TRY);
}

static void fit_nothing(struct node_flash *flash)
{
    (void)flash;
}

static bool write_one(struct update *update, uint16_t index, uint16_t value)
{
    const uint8_t data[2] = {(uint8_t)(value >> 8), (uint8_t)value};

    return update_write(update, index, 1, data) == 0;
}

static uint32_t read_two(struct update *update, uint16_t index)
{
    return (uint32_t)update_read(update, index) << 16 | update_read(update, index + 1);
}

static bool send_blocks(struct update *update, const uint8_t *image)
{
    uint8_t data[4 + UPDATE_BLOCK_MAX];

    for (uint32_t at = read_two(update, UPDATE_AT_NEXT); at < length;) {
        uint32_t size = length - at < UPDATE_BLOCK_MAX ? length - at : UPDATE_BLOCK_MAX;

        pdu_put_u16(data, 0);
        pdu_put_u16(data + 2, (uint16_t)at);
        memcpy(data + 4, image + IMAGE_HEADER_SIZE + at, size);
        if (update_write(update, UPDATE_AT_BLOCK, (uint16_t)(2 + size / 2), data) != 0)
            return false;
        at += size;
    }
    return true;
}

/* Sends a version to the slot that does not run, and has it started. */
static bool deliver(struct update *update, uint32_t version)
{
    const uint8_t *image = image_of(update->running == 0 ? 1 : 0, version);

    if (update_write(update, UPDATE_AT_BEGIN, IMAGE_HEADER_SIZE / 2, image) != 0)
        return false;
    while (update_read(update, UPDATE_AT_PAGES) > 0) {
        if (!write_one(update, UPDATE_AT_COMMAND, UPDATE_ERASE))
            return false;
    }
    return send_blocks(update, image) && write_one(update, UPDATE_AT_COMMAND, UPDATE_FINISH) &&
           write_one(update, UPDATE_AT_COMMAND, UPDATE_START);
}

static uint32_t version_of(struct node_flash *flash, unsigned slot)
{
    struct slots_view view;

    if (slot == SLOTS_NONE)
        return 0;
    slots_look(&flash->slots, slot, &view);
    return image_version(view.header);
}

static unsigned boot(struct node_flash *flash)
{
    return slots_choose(&flash->slots, node_flash_check);
}

/* An update, until the new version is confirmed. */
static bool live_update(struct node_flash *flash, unsigned started)
{
    struct update update;

    update_open(&update, &flash->slots, started);
    if (version_of(flash, started) != VERSION_NEW) {
        if (!deliver(&update, VERSION_NEW) || !update_wants_reset(&update))
            return false;
        started = boot(flash);
        if (flash->off)
            return false;
        disappointed = version_of(flash, started) != VERSION_NEW;
        if (disappointed)
            return false;
        update_open(&update, &flash->slots, started);
    }
    return write_one(&update, UPDATE_AT_COMMAND, UPDATE_CONFIRM) && !flash->off;
}

/* A new version that nobody confirms, until the old one is back. */
static bool live_trial(struct node_flash *flash, unsigned started)
{
    struct update update;
    struct slots_view other;

    update_open(&update, &flash->slots, started);
    slots_look(&flash->slots, 1 - started, &other);
    if (version_of(flash, started) == VERSION_OLD && other.state == SLOT_FAILED)
        return true;
    if (version_of(flash, started) == VERSION_OLD && !deliver(&update, VERSION_NEW))
        return false;
    for (unsigned i = 0; i <= SLOTS_TRIES; i++)
        started = boot(flash);
    return !flash->off && version_of(flash, started) == VERSION_OLD;
}

/* An update, and back to what was there before. */
static bool live_back(struct node_flash *flash, unsigned started)
{
    struct update update;
    struct slots_view other;

    update_open(&update, &flash->slots, started);
    slots_look(&flash->slots, 1 - started, &other);
    if (version_of(flash, started) == VERSION_OLD && other.state == SLOT_DROPPED)
        return true;
    if (!live_update(flash, started))
        return false;
    started = boot(flash);
    if (flash->off || version_of(flash, started) != VERSION_NEW)
        return false;
    update_open(&update, &flash->slots, started);
    if (!write_one(&update, UPDATE_AT_COMMAND, UPDATE_BACK))
        return false;
    started = boot(flash);
    return !flash->off && version_of(flash, started) == VERSION_OLD;
}

#define OLD_OR_NEW (1U << VERSION_OLD | 1U << VERSION_NEW)

static const struct life lives[] = {
    {"update", fit_two, live_update, OLD_OR_NEW, VERSION_NEW, false},
    {"first update", fit_one, live_update, OLD_OR_NEW, VERSION_NEW, false},
    {"forgotten version", fit_forgotten, live_update, OLD_OR_NEW, VERSION_NEW, false},
    {"again what has failed", fit_failed, live_update, OLD_OR_NEW, VERSION_NEW, false},
    {"recovery", fit_nothing, live_update, 1U << 0 | 1U << VERSION_NEW, VERSION_NEW, false},
    {"failed trial", fit_two, live_trial, OLD_OR_NEW, VERSION_OLD, true},
    {"back", fit_two, live_back, OLD_OR_NEW, VERSION_OLD, false},
};

#define RESTARTS        (SLOTS_TRIES + 1)
#define RESTARTS_FICKLE 30 /* for bits that read as they like to show what they can do */
#define ATTEMPTS_MAX    4  /* a try that was cut may have been the last one */

/* What runs is one of the life's versions, byte for byte. NULL, or what is wrong. */
static const char *judge(struct node_flash *flash, const struct life *life, unsigned started)
{
    uint32_t version = version_of(flash, started);

    if (flash->mistaken)
        return "something was written that real flash refuses";
    if (disappointed)
        return "a version was not started, of which all had been sent";
    if (version > VERSION_NEW || !(life->allowed & 1U << version))
        return version ? "a version was started that must not be" : "no version was started";
    if (!version)
        return NULL;
    return memcmp(&flash->bytes[started * NODE_FLASH_SLOT + IMAGE_ROOM],
                  image_of(started, version) + IMAGE_HEADER_SIZE, length) == 0
               ? NULL
               : "what was started is not whole";
}

/* The power is back to stay: the life must come to its end. */
static const char *end_well(struct node_flash *flash, const struct life *life)
{
    unsigned restarts = flash->tear == TEAR_FICKLE ? RESTARTS_FICKLE : RESTARTS;

    node_flash_power(flash, -1);
    disappointed = false;
    for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
        unsigned started = boot(flash);
        const char *wrong = judge(flash, life, started);

        if (wrong)
            return wrong;
        if (!life->live(flash, started) && !disappointed)
            continue;
        for (unsigned again = 0; again < restarts; again++) {
            node_flash_power(flash, -1);
            started = boot(flash);
            wrong = judge(flash, life, started);
            if (life->extra && !wrong && version_of(flash, started) != life->end)
                continue;
            if (wrong || version_of(flash, started) != life->end)
                return wrong ? wrong : "what was confirmed is not what is started";
        }
        return version_of(flash, started) == life->end ? NULL : "it is not started in the end";
    }
    return "the gateway's repetitions come to no end";
}

static void complain(struct tally *tally, const struct life *life, const struct node_flash *flash,
                     long cut, long nested, const char *wrong)
{
    if (!wrong)
        return;
    tally->lost++;
    if (tally->lost > 10 && !stop_at_first)
        return;
    fprintf(stderr, "%s, units of %u, cut at %ld (tear %d), then at %ld: %s\n", life->name,
            (unsigned)flash->slot[0].unit, cut, (int)flash->tear, nested, wrong);
}

/* Cuts the boot loader behind a cut at each of its operations. */
static void cut_boots(struct tally *tally, const struct life *life, const struct node_flash *left,
                      long cut)
{
    for (long nested = 0;; nested++) {
        struct node_flash flash = *left;

        for (unsigned i = 0; i < 2; i++)
            flash.slot[i].context = &flash;
        flash.slots.flash[0] = &flash.slot[0];
        flash.slots.flash[1] = &flash.slot[1];
        node_flash_power(&flash, nested);
        boot(&flash);
        bool was_cut = flash.off;
        complain(tally, life, &flash, cut, nested, end_well(&flash, life));
        if (!was_cut || (tally->lost && stop_at_first))
            return;
        tally->nested++;
    }
}

/* One cut of a life, and what comes after it. False: the life has no such operation any more. */
static bool cut_once(struct tally *tally, const struct life *life, struct node_flash *flash,
                     long cut)
{
    unsigned started;

    disappointed = false;
    life->fit(flash);
    node_flash_power(flash, cut);
    started = boot(flash);
    if (!flash->off)
        life->live(flash, started);
    if (!flash->off) {
        complain(tally, life, flash, cut, -1, end_well(flash, life));
        return false;
    }
    tally->cuts++;
    cut_boots(tally, life, flash, cut);
    return true;
}

#define PARTS_SEEDS 16 /* times as many: much must come together there */

/* All cuts of a life. What is torn in an erase, or in a mark, is torn in many ways. */
static void cut_life(struct tally *tally, const struct life *life, unsigned unit,
                     enum node_tear tear, unsigned seeds)
{
    bool more = true;

    for (long cut = 0; more && !(tally->lost && stop_at_first); cut++) {
        for (unsigned seed = 0; more && seed < (tear == TEAR_PARTS ? PARTS_SEEDS : 1) * seeds;
             seed++) {
            struct node_flash flash;

            node_flash_make(&flash, unit);
            flash.tear = tear;
            flash.random = seed * UINT64_C(1000003) + (uint64_t)cut;
            more = cut_once(tally, life, &flash, cut);
            if (!flash.delicate || tear == TEAR_NOTHING || tear == TEAR_ALL)
                break;
        }
    }
}

#define VARIANTS (2 * 3 * TEAR_COUNT)

int main(int argc, char **argv)
{
    static const unsigned units[] = {2, 4, 8};
    unsigned seeds = totals_long() ? 400 : 8;
    struct tally tally = {0};
    char line[160];

    stop_at_first = argc > 1 && strcmp(argv[1], "--stop") == 0;
    for (size_t life = 0; life < sizeof lives / sizeof lives[0]; life++) {
        for (unsigned i = 0; i < VARIANTS && !(tally.lost && stop_at_first); i++) {
            length = i % 2 ? LENGTH_MIN : LENGTH_MAX;
            cut_life(&tally, &lives[life], units[i / 2 % 3], (enum node_tear)(i / 6 % TEAR_COUNT),
                     seeds);
        }
    }
    snprintf(line, sizeof line,
             "{\"what\": \"node power cuts\", \"count\": %ld, \"lost\": %ld, \"nested\": %ld}",
             tally.cuts, tally.lost, tally.nested);
    totals_tell("node_cuts", line);
    return tally.lost ? EXIT_FAILURE : EXIT_SUCCESS;
}
