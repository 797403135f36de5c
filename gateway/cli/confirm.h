/* sluice profile confirm: readings of a device are compared with its display, and the profile that
 * they were read by is no longer unverified. */
#ifndef SLUICE_CLI_CONFIRM_H
#define SLUICE_CLI_CONFIRM_H

#include "config/config.h"

#define CONFIRM_POINTS_MAX 32

struct confirm_wish {
    const char *socket_path; /* the daemon that reads the device */
    const char *device;
    const char *const *shown; /* "voltage_l1=230.1": a point, and what the display shows */
    int shown_count;
    const char *within; /* how near a number has to be, as 2%; NULL: that */
    const char *by;     /* who says so; NULL: nobody is named */
};

/*
 * Compares, and on agreement writes the profile with its confirmation into the first profile
 * folder, which is the user's own: what is used is then what was confirmed, whatever a later
 * version ships. Returns an exit code: EXIT_CODE_FAILED where a reading differs or cannot be had.
 */
int confirm_run(const struct confirm_wish *wish, const struct config_parts *parts);

#endif
