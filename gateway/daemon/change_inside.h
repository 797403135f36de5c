/* What change.c and change_ask.c share. */
#ifndef SLUICE_DAEMON_CHANGE_INSIDE_H
#define SLUICE_DAEMON_CHANGE_INSIDE_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/clock.h"
#include "daemon/change.h"
#include "daemon/change_note.h"

#define CHANGE_WATCH_NS (30 * NS_PER_S) /* within which uplinks are to be back */
#define CHANGE_TICK_NS  NS_PER_S
#define CHANGE_AGAIN_NS (10 * NS_PER_S) /* after what failed */

struct change {
    atomic_bool contact; /* somebody has looked since */
    struct loop *loop;
    struct loop_timer *timer;
    const char *path;
    char history[PATH_MAX];
    struct change_host host;
    pthread_mutex_t lock; /* of what follows, which other threads look at */
    pthread_cond_t answered;
    bool taking; /* requests */
    struct change_job
        *left; /* those that nobody waits for any longer, and that the loop still has */
    bool pending;
    struct change_note note;
    const char *over; /* why it goes back as soon as that can be: it could not when it should have;
                         NULL: its time is not over */
    bool confirmed;   /* by a person; uplinks are still waited for */
    char why[CONFIG_SENTENCE_SIZE];
    /* Of the loop's thread alone. */
    struct history_entry entry; /* of the pending change */
    uint64_t last;              /* the highest number that was given, as far as is known */
    int64_t until_mono_ns, watch_mono_ns;
    char uplinks[CHANGE_UPLINKS_MAX][ID_SIZE_MAX];
    size_t uplink_count;
    int held; /* change_note_hold, while something is pending */
};

/* Keeps the note of the pending change from other gateways, until it is let go. */
void change_hold_note(struct change *change);
void change_let_go_note(struct change *change);

/* The file's revision and text (NULL where there is none). */
int change_read_file(const struct change *change, char revision[HISTORY_REVISION_SIZE], char **text,
                     size_t *size);
void change_put_history(struct change *change, const struct history_entry *entry, const char *text);

/* The newest entry that was not reverted. */
bool change_newest(const struct change *change, struct history_entry *found);

/* The number of the next change. */
uint64_t change_next(const struct change *change);

/* Stores what was done to the pending change; `key` and `value` are one more word. */
void change_audit(struct change *change, const struct caller *caller, const char *what,
                  const char *key, const char *value);

/* The first uplink that was online and is not again; false where all are. */
bool change_missing_uplink(struct change *change, char why[CONFIG_SENTENCE_SIZE]);

/* Its time is over, for the reason `why` (which outlives it): it goes back as soon as that can be,
 * and no other change begins before. */
void change_stay_pending(struct change *change, const char *why);

/* Ends the pending change for good. 0, or why its note cannot be removed; then it stays pending. */
int change_keep(struct change *change, const struct caller *caller, const char *why);

/* 0, or why the old file is not in force again; then the change stays pending. */
int change_go_back(struct change *change, const struct caller *caller, const char *why,
                   char sentence[CONFIG_SENTENCE_SIZE]);

/* Frees what the loop, which has ended, was still to do. */
void change_drop_left(struct change *change);

extern const struct caller change_nobody; /* who did what the gateway does by itself */

#endif
