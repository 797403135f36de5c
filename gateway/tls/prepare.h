/*
 * What an attempt to connect needs and what may take long: the addresses of the host, or of the
 * proxy to it, and the certificates and the proxy's login read from their files. Done in a thread
 * of its own, which is left behind when it hangs.
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
    char *proxy_login;          /* the receiver's from now on: prepare_forget; NULL: none */
};

/*
 * Starts it; on the loop's thread. `done` is called there with `result` valid during the call,
 * unless prepare_abandon came first. `options` is copied. Returns 0 or ERR_NOMEM.
 */
int prepare_start(struct prepare **prepare, struct loop *loop, const struct tunnel_options *options,
                  bool prefer_chacha, bool only_chacha,
                  void (*done)(void *context, struct prepared *result), void *context);

/* Wipes a login and frees it. NULL is fine. */
void prepare_forget(char *login);

/* Forgets it; on the loop's thread. Not after `done` was called. */
void prepare_abandon(struct prepare *prepare);

#endif
