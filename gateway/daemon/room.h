/* Whether the filesystem has room for what journal.keep allows. */
#ifndef SLUICE_DAEMON_ROOM_H
#define SLUICE_DAEMON_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_journal; /* config/config.h */

#define ROOM_WORDS_SIZE 512

/* Bytes that are free on a journal's filesystem for an ordinary user, and that the journal has
 * there already. */
struct room {
    int64_t free_bytes, held_bytes;
};

/* Looks at the journal's folder, or while there is none, at what it will be made in. False when
 * that cannot be looked at. */
bool room_look(const char *path, struct room *room);

/* True, with the numbers and what to do in `words`, when the journal may become larger than there
 * is room. */
bool room_lacks(const struct config_journal *journal, const char *path, const struct room *room,
                char words[ROOM_WORDS_SIZE]);

/* Where the journal is, unless the command line says otherwise. */
const char *room_path(const struct config_journal *journal);

#endif
