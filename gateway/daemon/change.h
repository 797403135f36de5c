/*
 * A change of the configuration that goes back by itself. The file is written and applied as a
 * SIGHUP would; the one before it is put back when nobody confirms in time, when an uplink that was
 * online before is not again within half a minute, and when the gateway ends in between: a note
 * beside the file (FILE.pending, with the old text as FILE.before) outlives a power cut, and is
 * found at the next start. Everything happens on the loop's thread.
 */
#ifndef SLUICE_DAEMON_CHANGE_H
#define SLUICE_DAEMON_CHANGE_H

#include "core/loop.h"
#include "web/config_api.h"

#define CHANGE_UPLINKS_MAX 32

struct change;

/* What a change does to the gateway; on the loop's thread. */
struct change_host {
    /* Applies the file as it now is. 0, or an error with a sentence. `trial`: it waits to be
     * confirmed, so that nothing is done that could not be taken back. */
    int (*reload)(void *context, bool trial, char sentence[CONFIG_SENTENCE_SIZE]);
    /* What was applied is for good. */
    void (*keep)(void *context);
    /* Names the uplinks that are online; returns how many. */
    size_t (*online)(void *context, char ids[CHANGE_UPLINKS_MAX][ID_SIZE_MAX]);
    /* Whether an uplink is online, renamed too, or none of that id is configured; else a sentence
     * of why not. */
    bool (*is_online)(void *context, const char *id, char *why, size_t size);
    /* Why the newest file was refused; "" when it runs. Any thread. */
    void (*refused)(void *context, char *why, size_t size);
    /* For the audit trail. */
    void (*note)(void *context, const struct caller *caller, const char *what, const char *words);
    void *context;
};

/* `path` is the configuration's file, `state` the state folder. What is given outlives it.
 * ERR_NOMEM.
 */
int change_open(struct change **change, struct loop *loop, const char *path, const char *state,
                const struct change_host *host);
void change_close(struct change *change);

/* Before the file is first read: puts the old one back where a change was pending when the gateway
 * ended, and says so. */
void change_recover(struct change *change);

/* From here on requests are taken, until change_pause: those that wait by then are refused. */
void change_resume(struct change *change);
void change_pause(struct change *change);

/* Whether what the file says waits to be confirmed. On the loop's thread. */
bool change_waits(const struct change *change);

/* The file was read anew, and runs, though no change of ours made it so: it goes into the history;
 * and it ends a change that is pending, since whoever can edit the file can mend it, too. */
void change_noticed(struct change *change);

/* Fills in the functions and the context of a keeper, its path and its history. */
void change_keeper(struct change *change, struct config_keeper *keeper);

#endif
