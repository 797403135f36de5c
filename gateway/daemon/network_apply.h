/*
 * Root's part of the network's settings: the plan that the daemon keeps in its state folder becomes
 * files of the program that manages the network, and that program is told. The files lie in /run:
 * they are made anew at each start of the machine, before that program starts.
 */
#ifndef SLUICE_DAEMON_NETWORK_APPLY_H
#define SLUICE_DAEMON_NETWORK_APPLY_H

#include "daemon/network_files.h"

#define NETWORK_PLAN_FILE    "network.json"    /* in the state folder */
#define NETWORK_BEFORE_FILE  "network.before"  /* the one before, while a change is pending */
#define NETWORK_PENDING_FILE "network.pending" /* there while a change waits to be confirmed */

struct network_machine {
    const char *root; /* "" or, for tests, a folder in which /run lies */
    /* Runs a program, without a shell: its exit code, or a negative error. */
    int (*run)(void *context, const char *const arguments[]);
    void *context;
};

/* The machine that this program runs on. */
extern const struct network_machine network_this_machine;

/*
 * Writes the files and has the manager take them. `starting`: the machine starts, so that the files
 * of each manager are written and nobody is told, and a change that waits to be confirmed is not
 * taken. 0; ERR_INVALID: the plan is wrong; ERR_UNSUPPORTED: no manager; or what the system says;
 * each with a sentence.
 */
int network_apply(const struct network_machine *machine, const char *state, bool starting,
                  char why[NETWORK_WHY_SIZE]);

#endif
