/*
 * The audit trail: who did what, from where, as config events of the gateway itself in the journal.
 * They are read with `sluice replay` and GET /api/v1/events?kind=config, and are not published.
 */
#ifndef SLUICE_WEB_AUDIT_H
#define SLUICE_WEB_AUDIT_H

#include "journal/journal.h"
#include "web/route.h"

#define AUDIT_WORDS_SIZE 3072

/*
 * Stores "did=WHAT by=ACCOUNT from=ORIGIN" and behind it `words`, as core/words.h writes them (at
 * most AUDIT_WORDS_SIZE; what is longer is cut at a blank), or "" for none: no secret may be in it.
 * `what` is plain: letters and dashes. May wait for the disk; thread-safe. What cannot be stored is
 * told in the log.
 */
void audit_note(struct journal *journal, const struct caller *caller, const char *what,
                const char *words);

#endif
