/*
 * Whether the headers of a request could be read in more than one way. Who stands between the asker
 * and us, or the asker himself, may read another end of the request, or another addressee, out of
 * them than we do (RFC 9112, 3.2 and 6.3).
 */
#ifndef SLUICE_WEB_HEADER_CHECK_H
#define SLUICE_WEB_HEADER_CHECK_H

#include <stdbool.h>

struct header_check {
    unsigned lengths, encodings, hosts;
    bool strange; /* an encoding other than chunked, or a length that is no number */
};

/* Looks at one header; `check` is all zero before the first. */
void header_check_see(struct header_check *check, const char *name, const char *value);

/* After the last. */
bool header_check_is_ambiguous(const struct header_check *check);

#endif
