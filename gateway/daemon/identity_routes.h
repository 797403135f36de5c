/* GET and POST /api/v1/identity: the question "replaced or copied?", and its answer. */
#ifndef SLUICE_DAEMON_IDENTITY_ROUTES_H
#define SLUICE_DAEMON_IDENTITY_ROUTES_H

#include "daemon/configure.h"
#include "daemon/running.h"
#include "web/route.h"

struct identity_given {
    struct running *running;     /* with its identity */
    struct configure *configure; /* gives a copy its own id */
    const char *state_path;
};

/* `given` outlives the server. */
struct routes identity_routes(struct identity_given *given);

#endif
