/* One gateway for a state folder: a second one would undo what the first has under way. */
#ifndef SLUICE_DAEMON_ALONE_H
#define SLUICE_DAEMON_ALONE_H

/*
 * Takes the folder for as long as *fd is open; no file is made in it. 0; also where it cannot be
 * taken at all (it is not there, its filesystem has no locks), *fd is then -1. ERR_BUSY: another
 * process has it.
 */
int alone_begin(const char *state_path, int *fd);

#endif
