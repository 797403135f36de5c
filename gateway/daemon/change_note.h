/* The note of a change that is pending, and the text before it, beside the configuration's file. */
#ifndef SLUICE_DAEMON_CHANGE_NOTE_H
#define SLUICE_DAEMON_CHANGE_NOTE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>
#include <stdint.h>

#include "config/history.h"

struct change_note {
    uint64_t change;
    int64_t until_ms;
    char by[64], origin[64];
    char before[HISTORY_REVISION_SIZE]; /* HISTORY_NO_REVISION: there was no file */
    char after[HISTORY_REVISION_SIZE];
};

/* The rights of a copy of the file: who may read the file may read what it was. */
mode_t change_note_mode(const char *path);

/* Makes both durable, the text first. `text` NULL: there was no file. 0 or an error. */
int change_note_put(const char *path, const struct change_note *note, const char *text,
                    size_t size);

/* 0, ERR_NOT_FOUND (no change was pending), or ERR_CORRUPT, ... */
int change_note_read(const char *path, struct change_note *note);

/*
 * Keeps the note for this process as long as the descriptor that is returned is open: another
 * gateway of the same file then leaves the change alone. ERR_BUSY: another one has it. Another
 * error: there is no note, or none of its filesystem can be kept.
 */
int change_note_hold(const char *path);

/* Puts the text before the change back, or removes the file where there was none. That needs no
 * room on the disk, unless the file is a link into another filesystem. 0, or an error with both
 * files as they were. */
int change_note_undo(const char *path, const struct change_note *note);

/* The change is over. 0, or an error with the note still there, or there after a power cut. */
int change_note_drop(const char *path);

#endif
