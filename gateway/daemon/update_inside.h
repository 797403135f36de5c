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
};

struct update_take {
    struct intake *intake;
};

/* Writes a note into the audit trail; "" for a version or reason leaves it out. */
void update_note(struct update *update, const struct caller *caller, const char *what,
                 const char *version, const char *why);

#endif
