/* Which device profile fits what a device says of itself. */
#ifndef SLUICE_DAEMON_FITTING_H
#define SLUICE_DAEMON_FITTING_H

#include <stdbool.h>
#include <stddef.h>

struct fitting;

/* NULL when there are no profiles, or no memory. fitting_close(NULL) is fine. */
struct fitting *fitting_open(void);
void fitting_close(struct fitting *fitting);

/*
 * The name of the profile whose maker and model are both among the texts (case, blanks and signs
 * set aside), that with the longest model when several are; NULL: none. `fitting` may be NULL.
 */
const char *fitting_profile(struct fitting *fitting, const char *const *texts, size_t count);

/* Whether such a maker and model are both among the texts. Pure. */
bool fitting_is(const char *const *texts, size_t count, const char *vendor, const char *model);

#endif
