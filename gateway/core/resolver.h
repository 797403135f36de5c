/*
 * Looks up host names without making anybody wait: the system's resolver blocks for as long as it
 * likes and cannot be interrupted, so a few threads of its own call it. Numeric addresses need
 * none.
 */
#ifndef SLUICE_CORE_RESOLVER_H
#define SLUICE_CORE_RESOLVER_H

#include <netdb.h>
#include <stdint.h>

#define RESOLVER_THREADS_MAX 4 /* names looked up at the same time; others wait */
#define RESOLVER_NAME_MAX    256

struct resolver;

/*
 * Called once for each question, on one of the resolver's threads: `found` are the addresses, which
 * the callee frees with freeaddrinfo, or NULL when there is no such name.
 */
typedef void resolver_fn(void *context, struct addrinfo *found);

/* ERR_NOMEM. */
int resolver_open(struct resolver **resolver);

/*
 * Ends without waiting for questions that are open: their functions are not called any more, but
 * one that is being called when this begins has returned when this does. NULL is fine.
 */
void resolver_close(struct resolver *resolver);

/*
 * Asks for the TCP addresses of a name. Returns 0, ERR_NOMEM, or ERR_INVALID for a name that is too
 * long; the function is then not called. Any thread.
 */
int resolver_ask(struct resolver *resolver, const char *name, uint16_t port, resolver_fn *fn,
                 void *context);

/* The addresses of a numeric address ("10.0.7.20", "fd00::7"), at once; NULL for a name. To be
 * freed with freeaddrinfo. */
struct addrinfo *resolver_numeric(const char *address, uint16_t port);

#endif
