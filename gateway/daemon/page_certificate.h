/*
 * The certificate that the page is shown with: the one that is configured, else one that the
 * gateway makes for itself and keeps in STATE/web/tls.crt, with its key in tls.key.
 */
#ifndef SLUICE_DAEMON_PAGE_CERTIFICATE_H
#define SLUICE_DAEMON_PAGE_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/clock.h"
#include "tls/server.h"

#define PAGE_SENTENCE_SIZE 512

struct page_certificate {
    const char *folder; /* the state's */
    const struct clock *clock;
    const char *gateway_id;
    const char *const *names; /* configured */
    size_t name_count;
};

/* Reads the gateway's own certificate, and makes it when there is none, or none that can be used,
 * or when it is about to end. Returns 0, or an error with a sentence. */
int page_certificate_own(const struct page_certificate *wanted, struct tls_identity **identity,
                         char sentence[PAGE_SENTENCE_SIZE]);

/* Whether a certificate of the gateway's making ends soon, or begins later than now. Not told by a
 * clock that was never set. */
bool page_certificate_ends(const struct tls_identity_facts *facts, const struct clock *clock);

#endif
