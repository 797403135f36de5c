/*
 * The passphrase of a request whose body is a file, or that has none. It comes in a header, and a
 * header is ASCII whose blanks at either end do not count: so it is the UTF-8 of the passphrase,
 * with a percent sign and two hexadecimal digits for each byte that is not a letter, a digit or one
 * of -._~ (RFC 3986, clause 2.1).
 */
#ifndef SLUICE_WEB_PASSPHRASE_H
#define SLUICE_WEB_PASSPHRASE_H

#include <stddef.h>

#include "web/http.h"

#define PASSPHRASE_HEADER   "X-Sluice-Passphrase"
#define PASSPHRASE_SIZE_MAX 256 /* of its bytes, with the ending zero */

/* Decodes a value of the header. What needs no percent sign may stand as it is. ERR_INVALID for an
 * escape that is none or stands for a zero, and for a byte beyond ASCII; ERR_TOO_LARGE where it
 * does not fit. Pure. */
int passphrase_decode(const char *value, char *out, size_t size);

/*
 * Sets *passphrase to `room`, with what the request has, or to NULL where it has none. An error,
 * with `reply` filled in, where that cannot be read. The caller wipes `room`.
 */
int passphrase_take(const struct http_request *request, char room[PASSPHRASE_SIZE_MAX],
                    const char **passphrase, struct http_reply *reply);

#endif
