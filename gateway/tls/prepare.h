/*
 * What an attempt to connect needs and what may take long: the host's addresses, and the
 * certificates read from their files. Done in a thread of its own, which is left behind when it
 * hangs.
 */
#ifndef SLUICE_TLS_PREPARE_H
#define SLUICE_TLS_PREPARE_H

#include <netdb.h>

#include "core/loop.h"
#include "tls/tls.h"
#include "tls/tunnel.h"

struct prepare; /* one preparation under way */

struct prepared {
    int error; /* 0, or why not, with the sentence */
    char sentence[TUNNEL_SENTENCE_SIZE];
    struct addrinfo *addresses; /* the receiver's from now on: freeaddrinfo */
    struct tls_context *tls;    /* the receiver's from now on; NULL without TLS */
};

/*
 * Starts it; on the loop's thread. `done` is called there with `result` valid during the call,
 * unless prepare_abandon came first. `options` is copied. Returns 0 or ERR_NOMEM.
 */
int prepare_start(struct prepare **prepare, struct loop *loop, const struct tunnel_options *options,
                  bool prefer_chacha, bool only_chacha,
                  void (*done)(void *context, struct prepared *result), void *context);

/* Forgets it; on the loop's thread. Not after `done` was called. */
void prepare_abandon(struct prepare *prepare);

#endif
