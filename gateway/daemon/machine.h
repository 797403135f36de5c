/* What the machine says of itself: identity, boot, medium. */
#ifndef SLUICE_DAEMON_MACHINE_H
#define SLUICE_DAEMON_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* The kernel's id of this boot (random(4)), or "" where there is none. */
void machine_boot_id(char out[40]);

/* The id of this installation (machine-id(5)); it stays inside the journal. "" where there is none.
 */
void machine_id(char out[40]);

/*
 * Whether `path` lies on a medium that may damage the rest of a sector when part of it is
 * rewritten: an SD card, eMMC, or a USB stick. False when it cannot be told.
 */
bool machine_medium_is_plain(const char *path);

/* Sets the system's clock (UTC), and the one that runs on without power where there is one. 0,
 * ERR_DENIED when the process may not, ERR_INVALID. */
int machine_set_clock(int64_t wall_ns);

/* Whether the kernel's clock follows a time server, whichever program does it: 0, ERR_REFUSED when
 * it does not, ERR_DENIED when the process may not ask. */
int machine_clock_is_followed(void);

#endif
