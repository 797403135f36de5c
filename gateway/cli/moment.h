/* Times on the command line, by the clock and the time zone of whoever types them. */
#ifndef SLUICE_CLI_MOMENT_H
#define SLUICE_CLI_MOMENT_H

#include <stdint.h>

/* What a help says of TIME. */
#define MOMENT_HELP                                                                                \
    "TIME is 2026-11-23T16:20 (UTC unless it ends in an offset such as +01:00), 07:50 (the\n"      \
    "last time that this machine's local clock showed that), -15m, now, or milliseconds\n"         \
    "since 1970.\n"

/* Reads the time of a flag; `text` NULL leaves it. Returns an exit code, EXIT_CODE_USAGE after
 * telling, in the name of `command`, which flag is wrong and what is allowed. */
int moment_parse(const char *command, const char *flag, const char *text, int64_t *wall_ns);

/* A span from inclusive to exclusive. As moment_parse; told, too, when it ends before it begins. */
int moment_parse_span(const char *command, const char *from, const char *to, int64_t *from_ns,
                      int64_t *to_ns);

/* Appends "&key=MILLISECONDS" to the path of a question (client.h), unless `text` is NULL. */
void moment_add_query(char *path, const char *key, const char *text, int64_t wall_ns);

#endif
