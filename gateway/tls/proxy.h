/*
 * The way through an HTTP proxy: it is asked to connect to the broker, and what comes after its
 * answer is the broker's (RFC 9110, section 9.3.6). Knows a socket and no event loop.
 */
#ifndef SLUICE_TLS_PROXY_H
#define SLUICE_TLS_PROXY_H

#include <stddef.h>
#include <stdint.h>

#include "core/secret.h"

struct proxy; /* one question and its answer */

struct proxy_way {
    const char *host; /* the broker: name or address, IPv4 or IPv6 */
    uint16_t port;
    const char *proxy_host; /* for sentences */
    uint16_t proxy_port;
    const char *login; /* USER:PASSWORD; NULL: none */
};

/* Reads USER:PASSWORD, the first line of a file; wipe what was read. 0; ERR_NOT_FOUND (it cannot be
 * read) or ERR_INVALID (it is none) with a sentence that tells nothing of it. */
int proxy_login(const char *path, char login[SECRET_SIZE], char *sentence, size_t size);

/* Texts are copied, the login no longer than until it was sent. 0; ERR_NOMEM; ERR_TOO_LARGE where
 * the login is. */
int proxy_open(struct proxy **out, const struct proxy_way *way);

/* Wipes what was sent. NULL is fine. */
void proxy_close(struct proxy *proxy);

/*
 * Goes on with the non-blocking socket that is connected to the proxy. 0: what comes and goes from
 * now on is the broker's; ERR_AGAIN: wait for proxy_wants. Otherwise a sentence, and ERR_REFUSED
 * (the login, or that there is none), ERR_UNREACHABLE (the proxy does not let it through, or does
 * not reach the broker) or ERR_CLOSED.
 */
int proxy_step(struct proxy *proxy, int fd, char *sentence, size_t size);

/* EPOLLIN or EPOLLOUT. */
uint32_t proxy_wants(const struct proxy *proxy);

#endif
