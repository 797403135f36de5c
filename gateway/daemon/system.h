/* The machine under the gateway, as far as it concerns its owner: time, network, storage and its
 * wear. Read only. Routes: GET /api/v1/system, POST /api/v1/restart. */
#ifndef SLUICE_DAEMON_SYSTEM_H
#define SLUICE_DAEMON_SYSTEM_H

#include "core/text.h"
#include "daemon/running.h"
#include "web/route.h"

struct system_given {
    struct running *running;
    const char *journal_path; /* NULL: as configured */
    /* Has everything restart in a moment. 0, or an error with a sentence. */
    int (*restart)(void *context, char sentence[RUNNING_REFUSAL_SIZE]);
    void *context;
};

/* `given` outlives the server. */
struct routes system_routes(struct system_given *given);

/* The parts of the answer, each a JSON value; system_network.c, system_storage.c. They may wait for
 * the disk. */
void system_put_network(struct text *text);
void system_put_storage(struct text *text, const char *path, const struct journal_stats *stats,
                        int64_t running_ns);

/* Reads the first line of a file, without its end: "" when there is none. */
void system_read_line(const char *path, char *out, size_t size);

/* "key":"value" */
void system_put_pair(struct text *text, const char *key, const char *value);

#endif
