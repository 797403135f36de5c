/*
 * Power cuts in a recorded run of a medium: walks along its log and builds the disks that could be
 * found after a cut at that point.
 *
 * A sector is written whole or not at all, in any order among sectors, and holds one of the states
 * that the file had in that place since its last sync. In the second model a sector that was being
 * rewritten when the power went may hold garbage, also where it was durable before.
 */
#ifndef SLUICE_TESTS_CUT_H
#define SLUICE_TESTS_CUT_H

#include "faults/medium.h"

struct cut;

/* Which of the pending (not yet synced) changes reached the disk. */
enum cut_style {
    CUT_ALL,
    CUT_NONE,
    CUT_UNTIL,   /* the first `count`, and of the next one its first `sectors` sectors */
    CUT_ONLY,    /* number `count` alone */
    CUT_WITHOUT, /* all but number `count` */
    CUT_MASK,    /* those whose bit is set in `seed` */
    CUT_RANDOM,  /* each sector by chance from `seed` */
};

struct cut_choice {
    enum cut_style style;
    uint32_t count;
    uint32_t sectors;
    uint64_t seed;
    uint32_t sector_bytes;
    bool garbage; /* the second model: one sector of what was being written is damaged; which and
                     how by `seed` */
};

/* Begins before the first record of the medium's log. The log must not change any more. */
struct cut *cut_open(struct medium *medium);
void cut_close(struct cut *cut);

/* Goes behind the next record. False at the end of the log. */
bool cut_advance(struct cut *cut);
size_t cut_position(const struct cut *cut);

/* Pending changes at this point, and the sectors that the last of them touches (0 for a directory
 * change). */
uint32_t cut_pending(const struct cut *cut);
uint32_t cut_last_sectors(const struct cut *cut, uint32_t sector_bytes);

/* Whether a file was made whose name is not durable yet. */
bool cut_makes_file(const struct cut *cut);

/* Builds the disk that is found after a cut at this point. Clears *image first. */
void cut_image(const struct cut *cut, const struct cut_choice *choice, struct medium_image *image);

/*
 * The disk after the process was killed at this point: nothing is lost, but what was pending still
 * is. The medium's log begins with it. The caller closes the medium.
 */
struct medium *cut_resume(const struct cut *cut);

/* The same as cut_image for a medium as it stands now, at the end of its log. */
void cut_now(struct medium *medium, const struct cut_choice *choice, struct medium_image *image);

#endif
