/*
 * Whether the API answers: it is asked over a socket pair, as the CLI would ask. All on the loop's
 * thread.
 */
#ifndef SLUICE_DAEMON_PING_H
#define SLUICE_DAEMON_PING_H

#include <stdint.h>

struct api;  /* web/api.h */
struct loop; /* core/loop.h */
struct ping;

/* Both outlive it. ERR_NOMEM. */
int ping_open(struct ping **ping, struct loop *loop, struct api *api);

/* NULL is fine. */
void ping_close(struct ping *ping);

/* How long the API has owed an answer: 0 when it has none to give, and then it is asked anew. So it
 * is called every few seconds. NULL: 0. */
int64_t ping_silent_ns(struct ping *ping);

#endif
