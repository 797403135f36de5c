/* What displays show, noted beside what was read: GET /api/v1/displays; PUT and DELETE
 * /api/v1/displays/{device}/{point}. */
#ifndef SLUICE_WEB_DISPLAYS_API_H
#define SLUICE_WEB_DISPLAYS_API_H

#include <pthread.h>

#include "journal/journal.h"
#include "web/displays.h"

/* Outlives the server. */
struct displays_desk {
    const char *path; /* of the file: replaced whole, so that reading it needs no lock */
    struct journal *journal;
    pthread_mutex_t lock; /* one at a time changes the file */
};

struct routes displays_routes(struct displays_desk *desk);

/* As displays_merge and displays_write, beside the routes. */
int displays_desk_merge(struct displays_desk *desk, const struct json *list);
void displays_desk_write(const struct displays_desk *desk, struct json_writer *writer,
                         const char *key);

#endif
