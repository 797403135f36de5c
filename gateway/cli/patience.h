/* Waiting for something that the daemon will do: --wait of several commands. */
#ifndef SLUICE_CLI_PATIENCE_H
#define SLUICE_CLI_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

/* The row of --wait in the flags of a command. */
#define PATIENCE_FLAG(target, help_text)                                                           \
    {                                                                                              \
        "wait", 'w', "TIME", help_text, target, NULL                                               \
    }

struct patience {
    int64_t until_ns; /* monotonic; 0: none at all */
};

/* `text` as "30s" or "10m"; NULL: no patience. False after telling what is wrong with it. */
bool patience_begin(struct patience *patience, const char *text, const char *command);

/* Sleeps for a second at most. False when there is no patience left: then it returns at once. */
bool patience_go_on(const struct patience *patience);

#endif
