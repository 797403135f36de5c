/* What the files of updates share. */
#ifndef SLUICE_DAEMON_UPDATE_INSIDE_H
#define SLUICE_DAEMON_UPDATE_INSIDE_H

#include <pthread.h>

#include "daemon/update.h"
#include "daemon/update_intake.h"
#include "daemon/update_store.h"

#define UPDATE_URL_SIZE 1024

struct update {
    const char *state_path, *wish_path;
    pthread_mutex_t lock; /* of what follows */
    struct update_job job;
    bool busy, cancelled, closing;
    bool started; /* the thread has to be waited for */
    pthread_t thread;
    struct intake *intake;       /* NULL: it is a download, or none comes in */
    void (*wake)(void *context); /* the API that is mounted */
    void *wake_context;
    /* Of the thread, while there is one. */
    struct update_store store;
    struct caller caller;
    char url[UPDATE_URL_SIZE];
    bool older;
    /* Held while a note is written, which may wait for the disk. */
    pthread_mutex_t noting;
    struct journal *journal;
    /* Held while RAUC is asked about its slots: one asks at a time. What it said is under `lock`.
     */
    pthread_mutex_t looking;
    struct update_box box;
    char box_words[UPDATE_WORDS_SIZE];
    int box_error;
    bool box_known; /* it has said something, which still holds; */
    int64_t box_ns; /* monotonic: at that time */
};

struct update_take {
    struct intake *intake;
};

/* Writes a note into the audit trail; "" for a version or reason leaves it out. */
void update_note(struct update *update, const struct caller *caller, const char *what,
                 const char *version, const char *why);

/* As update_rauc_look, by an answer that may be some seconds old; with ERR_BUSY `box` is what it
 * was before, if that is known. Any thread. */
int update_box_look(struct update *update, struct update_box *box, char words[UPDATE_WORDS_SIZE]);

/* The same for who only shows it: while somebody else asks RAUC, who may take long, it is what was
 * said within the last minute. */
int update_box_glance(struct update *update, struct update_box *box, char words[UPDATE_WORDS_SIZE]);

/* What was answered is so no more: the next look asks again. Any thread. */
void update_box_forget(struct update *update);

#endif
