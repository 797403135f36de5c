/*
 * What the API shows of the present and the past, and what other programs put in and take out: the
 * daemon's side of it, as the modules of web/ know nothing of buses and uplinks.
 */
#ifndef SLUICE_DAEMON_SHOW_H
#define SLUICE_DAEMON_SHOW_H

#include "daemon/running.h"
#include "web/api.h"

struct loop; /* core/loop.h */
struct show;

/* Mounts the routes; before api_listen, on the thread of `loop`, as what follows. `running` and `api` outlive what show_stop ends. ERR_NOMEM,
 * ERR_FULL. */
int show_open(struct show **show, struct loop *loop, struct api *api, struct running *running);

/* Ends its threads: before api_close. NULL is fine. */
void show_stop(struct show *show);

/* After api_close, before the journal is closed. NULL is fine. */
void show_close(struct show *show);

#endif
