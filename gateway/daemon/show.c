#include "daemon/show.h"

#include <stdlib.h>

#include "core/error.h"
#include "web/live.h"
#include "web/series.h"

struct show {
    struct running *running;
    struct api *api;
    struct live *live;
    struct series_source series;
};

static void use_site(void *context, void (*use)(void *use_context, const struct site *site),
                     void *use_context)
{
    struct running *running = ((struct show *)context)->running;

    pthread_mutex_lock(&running->lock);
    if (running->current)
        use(use_context, &running->current->config->site);
    pthread_mutex_unlock(&running->lock);
}

static void brief(void *context, struct text *text)
{
    running_brief(((struct show *)context)->running, text);
}

static void wake(void *context)
{
    api_wake(context);
}

static bool was(void *context, const struct stream *stream, const char *device, const char *point)
{
    return running_was(context, stream, device, point);
}

static int mount(struct show *show)
{
    show->series = (struct series_source){show->running->journal, was, show->running};
    struct routes tables[] = {live_routes(show->live), series_routes(&show->series)};
    int error = 0;

    for (size_t i = 0; i < sizeof tables / sizeof *tables && !error; i++)
        error = api_mount(show->api, &tables[i]);
    return error;
}

int show_open(struct show **out, struct api *api, struct running *running)
{
    struct show *show = calloc(1, sizeof *show);
    int error = ERR_NOMEM;

    if (show) {
        struct live_source source = {.site = use_site, .brief = brief, .context = show};

        show->running = running;
        show->api = api;
        error = live_open(&show->live, running->journal, &source, wake, api);
    }
    if (!error)
        error = mount(show);
    if (error) {
        show_close(show);
        return error;
    }
    *out = show;
    return 0;
}

void show_stop(struct show *show)
{
    if (show)
        live_stop(show->live);
}

void show_close(struct show *show)
{
    if (!show)
        return;
    live_close(show->live);
    free(show);
}
