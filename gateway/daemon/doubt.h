/*
 * Devices that say they are another model than the one that their profile is for, where a profile
 * is known that fits what they say: told once in the log, and in the status for as long as it is
 * so.
 */
#ifndef SLUICE_DAEMON_DOUBT_H
#define SLUICE_DAEMON_DOUBT_H

#include "core/site.h"

#define DOUBT_SIZE 384

struct doubts;
struct running; /* daemon/running.h */

/* NULL without memory. doubts_close(NULL) is fine. */
struct doubts *doubts_open(void);
void doubts_close(struct doubts *doubts);

/*
 * Looks at what has been learnt of devices since the last time. Profiles are read for a device that
 * is not what it was taken for, and only then. On one thread; not with running->lock held.
 */
void doubts_look(struct running *running);

/* What is wrong with the profile of a device; "" where nothing is. With running->lock held. */
const char *doubts_of(const struct doubts *doubts, const struct site_device *device);

/*
 * Says of a device whose learnt text is `words` what is wrong with its profile: "says it is ...;
 * profile ... is for ...; the profile ... fits". Writes "" where nothing is known to be.
 */
void doubt_text(const struct site_device *device, const char *words, char out[DOUBT_SIZE]);

#endif
