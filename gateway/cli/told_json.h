/* Mistakes in a configuration or profile, for programs: as the API tells them. */
#ifndef SLUICE_CLI_TOLD_JSON_H
#define SLUICE_CLI_TOLD_JSON_H

#include "config/config.h"
#include "config/json_write.h"

struct told_json {
    struct json_writer writer;
};

/* Begins {"errors":[...]} on standard output; told_json_tell is a config_tell_fn, whose context is
 * what was begun. */
void told_json_begin(struct told_json *told);
void told_json_tell(void *context, const struct config_error *error);
void told_json_end(struct told_json *told);

#endif
