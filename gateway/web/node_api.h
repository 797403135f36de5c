/*
 * The file of an update for sensor nodes, uploaded once and sent to as many of them as there are by
 * jobs (job_kinds.h). Routes: PUT and GET /api/v1/node/file.
 */
#ifndef SLUICE_WEB_NODE_API_H
#define SLUICE_WEB_NODE_API_H

#include <limits.h>

#include "journal/journal.h"
#include "web/route.h"

#define NODE_FILE_BYTES_MAX (2 * 1024 * 1024)

struct node_api;

/* The file lies in `folder`. `journal` gets a note of each upload; NULL: none is taken. ERR_NOMEM.
 */
int node_api_open(struct node_api **api, const char *folder, struct journal *journal);
void node_api_close(struct node_api *api); /* NULL is fine */

/* Where the file is, or will be. Lives as long as `api`. */
const char *node_api_path(const struct node_api *api);

struct routes node_api_routes(struct node_api *api);

#endif
