/*
 * The engine of updates: RAUC (https://rauc.io), by its command line. Its service is root's and
 * verifies every bundle itself; nothing here has to be trusted. These calls wait for it.
 */
#ifndef SLUICE_DAEMON_UPDATE_RAUC_H
#define SLUICE_DAEMON_UPDATE_RAUC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPDATE_SLOTS_MAX    4
#define UPDATE_VERSION_SIZE 64
#define UPDATE_NAME_SIZE    64
#define UPDATE_WORDS_SIZE   512

/* One of the places that a system can be in. */
struct update_slot {
    char name[UPDATE_NAME_SIZE];       /* "rootfs.0" */
    char label[UPDATE_NAME_SIZE];      /* how the boot loader calls it: "A" */
    char version[UPDATE_VERSION_SIZE]; /* "": it came with the card, or nothing is in it */
    bool booted;                       /* it runs */
    bool next;                         /* it is tried first at the next start */
    bool good;                         /* the boot loader may start it */
    int64_t installed_ms;              /* 0: not known */
};

struct update_box {
    char board[UPDATE_NAME_SIZE]; /* what a bundle has to be made for: "sluice-qemu-arm64" */
    struct update_slot slots[UPDATE_SLOTS_MAX];
    size_t count;
};

/* What a bundle says of itself, in its signed part. */
struct update_bundle {
    char board[UPDATE_NAME_SIZE], version[UPDATE_VERSION_SIZE];
};

/* 0; ERR_NOT_FOUND: there is no RAUC on this machine; ERR_BUSY: it installs, and says nothing else
 * meanwhile; ERR_UNSUPPORTED: it does not answer, or knows no slots, with why in `words`. */
int update_rauc_look(struct update_box *box, char words[UPDATE_WORDS_SIZE]);

/* Verifies the signature and reads the rest: 0, or ERR_REFUSED with RAUC's words. */
int update_rauc_read(const char *path, struct update_bundle *bundle, char words[UPDATE_WORDS_SIZE]);

/* Told how far it is: percent, and RAUC's words for the step; and each second -1 and "". Returns
 * whether to go on watching. */
typedef bool update_progress_fn(void *context, int percent, const char *step);

/* Installs into the slot that does not run. 0; ERR_REFUSED with RAUC's words; ERR_CLOSED: it is not
 * watched any more, and RAUC's service brings it to its end. */
int update_rauc_install(const char *path, update_progress_fn *progress, void *context,
                        char words[UPDATE_WORDS_SIZE]);

/* Has the machine start next from the slot that runs, or from the other one. 0, or ERR_REFUSED with
 * RAUC's words. */
int update_rauc_switch(bool other, char words[UPDATE_WORDS_SIZE]);

#endif
