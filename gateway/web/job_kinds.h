/* Which jobs there are, and how what is asked for becomes a command line. */
#ifndef SLUICE_WEB_JOB_KINDS_H
#define SLUICE_WEB_JOB_KINDS_H

#include <stddef.h>

#include "web/body.h"
#include "web/program.h"

#define JOB_TEXT_SIZE 4096 /* of all arguments of a job */

struct job_kind;

struct job_command {
    const struct job_kind *kind;
    const char *subject; /* what it is about: the id of a device or uplink, a port */
    const char *arguments[PROGRAM_ARGUMENTS_MAX + 1];
    size_t count;
    char storage[JOB_TEXT_SIZE]; /* what arguments point to, but for constants */
    size_t used;
};

/* What command lines are made with; the texts outlive the commands. */
struct job_setting {
    const char *socket_path; /* of our API */
    const char *config_path;
    const char *node_file; /* what sensor nodes are updated with (node_api.h) */
};

/* Makes the command line of a request's body, whose "kind" it names. 0; ERR_INVALID with `reply`
 * filled in. */
int job_command_read(struct job_command *command, const struct job_setting *setting,
                     const struct body *body, struct http_reply *reply);

/* NULL: there is none of that name. */
const struct job_kind *job_kind_find(const char *name);

/* The kind's name ("scan"). */
const char *job_kind_name(const struct job_kind *kind);

#endif
