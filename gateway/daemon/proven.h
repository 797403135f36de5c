/*
 * Whether this version of Sluice has proven itself on this machine (health.h): a file "proven" in
 * the folder of the state names the version that has, last. Until then the way back to the version
 * before is kept open.
 */
#ifndef SLUICE_DAEMON_PROVEN_H
#define SLUICE_DAEMON_PROVEN_H

#include <stdbool.h>

/* Any thread. */
bool proven_is(const char *state_path);

/* 0, or an error as save_file. */
int proven_note(const char *state_path);

#endif
