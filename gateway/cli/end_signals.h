/* Ctrl-C and SIGTERM as a descriptor, for commands that have something to put in order first. */
#ifndef SLUICE_CLI_END_SIGNALS_H
#define SLUICE_CLI_END_SIGNALS_H

/* A signalfd of both, which are blocked from now on; the caller's to close. -1 without descriptors.
 */
int end_signals_open(void);

#endif
