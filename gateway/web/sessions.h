/*
 * Who is logged in at present. Sessions are kept in memory, by the hash of their key: they outlive
 * a new configuration, but not the process, so that whoever restarts the gateway logs everybody
 * out, and no flash is worn by people who look at a page. Thread-safe.
 */
#ifndef SLUICE_WEB_SESSIONS_H
#define SLUICE_WEB_SESSIONS_H

#include <stdbool.h>

#include "core/clock.h"
#include "web/accounts.h"
#include "web/key.h"

#define SESSIONS_PER_ACCOUNT_MAX 8 /* one more ends the account's longest idle one */
#define SESSIONS_MAX             (SESSIONS_PER_ACCOUNT_MAX * ACCOUNTS_MAX)
#define SESSIONS_IDLE_NS         (12 * INT64_C(3600) * NS_PER_S)
#define SESSIONS_AGE_NS          (7 * 24 * INT64_C(3600) * NS_PER_S)

struct sessions;

struct session {
    char account[ACCOUNTS_NAME_SIZE];
    char csrf[KEY_TEXT_SIZE]; /* what a writing request has to bring besides the cookie */
};

/* `clock` outlives it. ERR_NOMEM. */
int sessions_open(struct sessions **sessions, const struct clock *clock);
void sessions_close(struct sessions *sessions); /* NULL is fine */

/* Begins one. `key` is given out and kept nowhere. 0 or ERR_IO (no random numbers). */
int sessions_begin(struct sessions *sessions, const char *account, char key[KEY_TEXT_SIZE],
                   struct session *session);

/* The session of a key; `use` says whether that counts as a use of it. False for one that is over
 * or never was. */
bool sessions_find(struct sessions *sessions, const char *key, bool use, struct session *session);

/* Ends the one, or all of an account but that of `except` (NULL: really all). */
void sessions_end(struct sessions *sessions, const char *key);
void sessions_end_all(struct sessions *sessions, const char *account, const char *except);

#endif
