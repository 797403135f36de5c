/*
 * What an uplink of these settings publishes, shown by readings that the journal holds: so that
 * people see topics and payloads before they choose, made by the code that makes the real ones.
 */
#ifndef SLUICE_UPLINK_PREVIEW_H
#define SLUICE_UPLINK_PREVIEW_H

#include <stdbool.h>

#include "core/text.h"
#include "journal/journal.h"

struct preview {
    const char *gateway; /* its id */
    const char *uplink;  /* its id, or what it will be */
    const char *root;    /* what its topics begin with */
    bool values;         /* the layout "values"; else "batch" */
};

/*
 * Writes {"messages":[{"topic","retained","payload"}],"subscribe"}: of the newest readings at most
 * three; none where the journal holds none. `subscribe` is the topic under which all of them are
 * received. Any thread. 0, or an error of the journal or ERR_NOMEM.
 */
int preview_write(struct text *text, struct journal *journal, const struct preview *preview);

#endif
