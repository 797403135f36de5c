/* Which device profile fits what a device says of itself. */
#ifndef SLUICE_CLI_GUESS_H
#define SLUICE_CLI_GUESS_H

#include <stddef.h>

struct guess;

/* NULL when there are no profiles, or no memory. guess_close(NULL) is fine. */
struct guess *guess_open(void);
void guess_close(struct guess *guess);

/*
 * The name of the profile whose maker and model are both among the texts (case, blanks and signs
 * set aside), that with the longest model when several are; NULL: none. `guess` may be NULL.
 */
const char *guess_profile(struct guess *guess, const char *const *texts, size_t count);

#endif
