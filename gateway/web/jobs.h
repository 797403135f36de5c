/*
 * Jobs: what takes a while and is watched meanwhile (a scan, the uplink doctor, giving a device its
 * unit). A job is the program sluice with --json: each line that it prints is kept and handed to
 * whoever follows. Routes: /api/v1/jobs.
 */
#ifndef SLUICE_WEB_JOBS_H
#define SLUICE_WEB_JOBS_H

#include "web/job_kinds.h"
#include "web/route.h"

#define JOBS_MAX 8 /* kept, running or ended; the oldest ended one makes room */

struct jobs;
struct journal; /* journal/journal.h */

/*
 * `setting` is copied, its texts are not; `wake` (any thread) tells that there are new lines.
 * `journal` gets a note of each job that is started; NULL: none is taken. ERR_NOMEM.
 */
int jobs_open(struct jobs **jobs, const struct job_setting *setting, struct journal *journal,
              void (*wake)(void *context), void *wake_context);

/* Ends those that run and waits for them; none is started any more, and `wake` is not called any
 * more. NULL is fine, as below. */
void jobs_stop(struct jobs *jobs);

/* When nobody follows any more: after the server has ended. */
void jobs_close(struct jobs *jobs);

struct routes jobs_routes(struct jobs *jobs);

#endif
