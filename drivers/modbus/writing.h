/*
 * The requests of one bus that are no polls: commands, and behind them who devices are
 * (passport.h). Takes a command from the host, has it written request by request, and answers.
 * The wire is the caller's, as in polling.h.
 */
#ifndef SLUICE_MODBUS_WRITING_H
#define SLUICE_MODBUS_WRITING_H

#include "modbus/polling.h"
#include "modbus/write.h"

struct writing {
    struct polling *polling;
    struct driver_command *command; /* NULL: none is under way */
    struct modbus_write *write;     /* of it */
    bool asks;                      /* the request is one of polling->passports... */
    uint32_t asked;                 /* ...for that device */
};

/* Lets go of a command that is under way: the host answers for it. */
void writing_free(struct writing *writing);

/* The next request of the command that is under way, or of the next one. False when there is none:
 * polls may go on. */
bool writing_next(struct writing *writing, struct modbus_request *request);

/* The device that the request which writing_next gave is for: its index in the bus. */
uint32_t writing_device(const struct writing *writing);

/* What came of it; see polling_take. */
void writing_take(struct writing *writing, int result, const struct link_reply *reply,
                  int64_t took_ns, bool lost);

/*
 * The link is closed: what is under way is answered with its outcome so far, what waits with
 * `status`. Commands are not kept for a line that comes back later.
 */
void writing_link_closed(struct writing *writing, uint16_t status);

#endif
