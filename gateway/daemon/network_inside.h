/* What the keeper of the network's settings and its routes share. */
#ifndef SLUICE_DAEMON_NETWORK_INSIDE_H
#define SLUICE_DAEMON_NETWORK_INSIDE_H

#include <pthread.h>

#include "daemon/network.h"
#include "daemon/network_plan.h"

#define NETWORK_SENTENCE_SIZE 384
#define NETWORK_AGAIN_NS      (10 * NS_PER_S) /* after a way back that failed */

struct network {
    const char *state, *wish;
    pthread_t thread;
    pthread_mutex_t work; /* held by who changes something, and waits for root meanwhile */
    char changed[NETWORK_NAME_SIZE]; /* the interface of the pending change, under `work` */
    uint64_t serial;                 /* of the wishes, under `work` */
    pthread_mutex_t lock;            /* of what follows; taken after `work`, never waited under */
    pthread_cond_t changed_state;
    struct network_plan plan;
    struct journal *journal;
    bool pending, owed; /* set and cleared under both; `owed`: what went back is not in force yet */
    bool closing;
    bool unreadable; /* the plan; from the beginning on */
    int64_t until_mono_ns, until_ms;
    char by[CALLER_NAME_SIZE];
    char why[NETWORK_SENTENCE_SIZE]; /* what became of the last change */
};

/*
 * Sets an interface (NULL: it is again as the system has it), until that is confirmed or, after
 * `confirm_ns`, goes back. Waits for root. 0; ERR_NOT_FOUND (nothing was set for it), or another
 * error: with a sentence; then nothing has changed.
 */
int network_change(struct network *network, const char *name,
                   const struct network_interface *interface, int64_t confirm_ns,
                   const struct caller *caller, char sentence[NETWORK_SENTENCE_SIZE]);

/* Ends a pending change: keeps it, or takes it back. ERR_NOT_FOUND: none is pending. */
int network_settle(struct network *network, bool keep, const struct caller *caller,
                   char sentence[NETWORK_SENTENCE_SIZE]);

/* An error of asking root, in words. */
void network_explain(int error, char sentence[NETWORK_SENTENCE_SIZE]);

#endif
