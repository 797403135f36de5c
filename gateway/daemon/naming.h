/* The id and name that the first visitor gives the gateway: written into the configuration's file,
 * which keeps all else as it stands. */
#ifndef SLUICE_DAEMON_NAMING_H
#define SLUICE_DAEMON_NAMING_H

#include <stddef.h>

/*
 * Writes them (either may be NULL) into the file `path`, checked as at a start, and has it applied
 * a moment later, so that whoever asked is answered before a new id restarts everything. 0, or an
 * error with a sentence. Any thread; waits for the disk.
 */
int naming_write(const char *path, const char *id, const char *name, char *sentence, size_t size);

#endif
