/* What was learnt about a device is dropped when somebody says so. */
#include <string.h>

#include "core/candidates.h"
#include "core/error.h"
#include "daemon/running.h"

static int forget_of(struct running *running, const char *device, unsigned what,
                     struct text *refusal)
{
    struct candidates devices;
    char there[256];

    candidates_init(&devices, device);
    for (struct running_bus *entry = running->buses; entry; entry = entry->next) {
        for (size_t i = 0; i < entry->bus->device_count; i++) {
            if (strcmp(entry->bus->devices[i].id, device) == 0)
                return host_forget(entry->host, i, what);
            candidates_offer(&devices, entry->bus->devices[i].id);
        }
    }
    candidates_text(&devices, there, sizeof there);
    text_printf(refusal, "there is no device \"%.64s\"%s", device, there);
    return ERR_NOT_FOUND;
}

int running_forget(struct running *running, const char *device, const char *what,
                   struct text *refusal)
{
    static const struct {
        const char *name;
        unsigned what;
    } names[] = {
        {"blocks", DRIVER_FORGET_BLOCKS},
        {"identity", DRIVER_FORGET_IDENTITY},
        {"all", DRIVER_FORGET_BLOCKS | DRIVER_FORGET_IDENTITY},
    };
    int error = ERR_INVALID;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i].name, what) != 0)
            continue;
        pthread_mutex_lock(&running->lock);
        error = forget_of(running, device, names[i].what, refusal);
        pthread_mutex_unlock(&running->lock);
    }
    return error;
}
