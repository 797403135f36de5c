/* Ctrl-C and SIGTERM as a descriptor, for commands that have something to put in order first. */
#ifndef SLUICE_CLI_END_SIGNALS_H
#define SLUICE_CLI_END_SIGNALS_H

#include <stdbool.h>

/* A signalfd of both, which are blocked from now on; the caller's to close. -1 without descriptors.
 */
int end_signals_open(void);

/* Whether one of them has come that nobody has taken yet: for loops that wait without the
 * descriptor. */
bool end_signals_came(void);

#endif
