/* What an uplink would publish, for whoever chooses its settings. */
#include "uplink/preview.h"

#include <stdio.h>

#include "daemon/running.h"

int running_preview(struct running *running, const char *uplink, const char *root, bool values,
                    struct text *text)
{
    char gateway[ID_SIZE_MAX];
    struct preview preview = {.gateway = gateway, .uplink = uplink, .root = root, .values = values};

    pthread_mutex_lock(&running->lock);
    snprintf(gateway, sizeof gateway, "%s", running->current->config->site.id);
    pthread_mutex_unlock(&running->lock);
    return preview_write(text, running->journal, &preview);
}
