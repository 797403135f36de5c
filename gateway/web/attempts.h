/*
 * Delays that grow with each wrong password, so that guessing takes for ever while whoever mistypes
 * hardly notices. Wrong ones are counted by the address that asks and by the account that is asked
 * for; an attempt that comes too early is refused and counts for nothing. So that nobody can hold
 * an account shut by asking all the time, what others guessed does not keep an address from its
 * first ones for that account; an address more has as few guesses more an hour. A browser from
 * which somebody has logged in before is counted by itself alone: guesses from elsewhere do not
 * slow it.
 *
 * The counters are buckets by a keyed hash: their number is fixed, nobody can push one out, and an
 * account that does not exist is counted like one that does. Thread-safe.
 */
#ifndef SLUICE_WEB_ATTEMPTS_H
#define SLUICE_WEB_ATTEMPTS_H

#include "core/clock.h"

#define ATTEMPTS_ADDRESS_FREE                                                                      \
    3 /* wrong ones before the first delay of a second; for an account: before                     \
         the guesses of others count */
#define ATTEMPTS_ACCOUNT_FREE  10
#define ATTEMPTS_ADDRESS_MAX_S 60
#define ATTEMPTS_ACCOUNT_MAX_S 30
#define ATTEMPTS_FORGOTTEN_NS  (INT64_C(3600) * NS_PER_S) /* after so long without a wrong one */

struct attempts;

/* Who tries. */
struct attempt {
    const char *address; /* IPv6 addresses count by their first 64 bits */
    const char *account;
    const char *device; /* what tells a browser that is known; NULL: it is not */
};

/* `clock` outlives it. ERR_NOMEM, ERR_IO (no random numbers). */
int attempts_open(struct attempts **attempts, const struct clock *clock);
void attempts_close(struct attempts *attempts); /* NULL is fine */

/* How many seconds there are to wait; 0: none. */
int64_t attempts_wait_s(struct attempts *attempts, const struct attempt *attempt);

/* The same, and when it is 0 the attempt counts as a wrong one already: of two at once the second
 * has to wait. attempts_succeed takes it back. */
int64_t attempts_begin_s(struct attempts *attempts, const struct attempt *attempt);
void attempts_succeed(struct attempts *attempts, const struct attempt *attempt);

#endif
