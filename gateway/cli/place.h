/* Where the Modbus devices are that a command is to ask: a port, a host, or a bus of the running
 * gateway by its id. */
#ifndef SLUICE_CLI_PLACE_H
#define SLUICE_CLI_PLACE_H

#include <limits.h>

#include "cli/borrow.h"

struct place {
    const char *at;          /* the port or host */
    char path[PATH_MAX];     /* of a port in the working folder, of which the daemon has another */
    bool is_port;            /* it is a port */
    struct borrow_place bus; /* that was named by its id; its `bus` is "": none was */
};

/* A path below the working folder as an absolute one, in `path`, with the file's own name, as a
 * link may be the stable one; what is none as it is. */
const char *place_absolute(const char *operand, char path[PATH_MAX]);

/*
 * What `operand` means; it outlives the place. A path below the working folder becomes an absolute
 * one. Returns an exit code: EXIT_CODE_OK, or, after telling that there is nothing of that name and
 * what there is, or how a port in the working folder is written, EXIT_CODE_USAGE; or
 * EXIT_CODE_NO_DAEMON where it can only be the id of a bus, and no daemon answers.
 */
int place_find(struct place *place, const char *operand, const char *socket, const char *command);

/* What is spoken there, as --frames has it, and the setting of its line: as given, else the bus's;
 * NULL where neither says so. */
const char *place_frames(const struct place *place, const char *given);
const char *place_line(const struct place *place, const char *given);

#endif
