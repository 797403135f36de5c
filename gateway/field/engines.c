#include "field/engines.h"

#include <stdlib.h>

#include "core/error.h"

struct engine_entry {
    struct engine_entry *next;
    const struct driver *driver;
    struct driver_engine *engine;
};

struct engines {
    const struct clock *clock;
    struct engine_entry *first;
};

struct engines *engines_open(const struct clock *clock)
{
    struct engines *made = calloc(1, sizeof *made);

    if (made)
        made->clock = clock;
    return made;
}

void engines_close(struct engines *engines)
{
    while (engines && engines->first) {
        struct engine_entry *entry = engines->first;

        engines->first = entry->next;
        entry->driver->engine->close(entry->engine);
        free(entry);
    }
    free(engines);
}

int64_t engines_silent_ns(struct engines *engines)
{
    int64_t longest_ns = 0;

    for (struct engine_entry *entry = engines ? engines->first : NULL; entry; entry = entry->next) {
        int64_t silent_ns = entry->driver->engine->silent_ns(entry->engine);
        if (silent_ns > longest_ns)
            longest_ns = silent_ns;
    }
    return longest_ns;
}

int engines_get(struct engines *engines, const struct driver *driver, struct driver_engine **engine)
{
    struct engine_entry *entry = engines->first;
    int error;

    while (entry && entry->driver != driver)
        entry = entry->next;
    if (!entry) {
        entry = calloc(1, sizeof *entry);
        if (!entry)
            return ERR_NOMEM;
        entry->driver = driver;
        error = driver->engine->open(&entry->engine, engines->clock);
        if (error) {
            free(entry);
            return error;
        }
        entry->next = engines->first;
        engines->first = entry;
    }
    *engine = entry->engine;
    return 0;
}
