#include "daemon/show.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/loop.h"
#include "daemon/figures.h"
#include "web/consumers.h"
#include "web/live.h"
#include "web/metrics.h"
#include "web/producers.h"
#include "web/series.h"

struct show {
    struct running *running;
    struct api *api;
    struct live *live;
    struct series_source series;
    struct metrics_source metrics;
    struct producers *producers;
    struct consumers *consumers;
    struct loop *loop;
    struct loop_timer *tick;
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

static void was(void *context, const char *device, const char *point, struct feed_names *names)
{
    running_was(context, device, point, names);
}

struct search {
    const char *device;
    bool found;
};

static void search_site(void *context, const struct site *site)
{
    struct search *search = context;

    for (size_t b = 0; b < site->bus_count; b++) {
        for (size_t d = 0; d < site->buses[b].device_count; d++)
            search->found |= strcmp(site->buses[b].devices[d].id, search->device) == 0;
    }
}

static bool is_configured(void *context, const char *device)
{
    struct search search = {.device = device};

    use_site(context, search_site, &search);
    return search.found;
}

/* Passes on what the configuration has not. */
struct passing {
    struct show *show;
    live_stream_fn *each;
    void *context;
};

/* A device that was configured after a program had sent values of it is its driver's. */
static void pass_produced(void *context, const struct stream *stream)
{
    const struct passing *passing = context;

    if (!is_configured(passing->show, stream->device))
        passing->each(passing->context, stream);
}

static void each_produced(void *context, live_stream_fn *each, void *each_context)
{
    struct passing passing = {context, each, each_context};

    producers_each(passing.show->producers, pass_produced, &passing);
}

static void write_figures(void *context, struct text *text, bool points)
{
    figures_write(context, text, points);
}

/* What waits for the journal also has deadlines. */
static void on_tick(void *context)
{
    struct show *show = context;

    if (producers_waiting(show->producers) || consumers_waiting(show->consumers))
        api_wake(show->api);
    loop_timer_set(show->loop, show->tick, clock_mono(&clock_system) + NS_PER_S);
}

static int mount(struct show *show)
{
    show->series = (struct series_source){show->running->journal, was, show->running};
    show->metrics = (struct metrics_source){show->running->journal, write_figures, show->running};
    struct routes tables[] = {metrics_routes(&show->metrics), live_routes(show->live),
                              series_routes(&show->series), producers_routes(show->producers),
                              consumers_routes(show->consumers)};
    int error = 0;

    for (size_t i = 0; i < sizeof tables / sizeof *tables && !error; i++)
        error = api_mount(show->api, &tables[i]);
    return error;
}

static int open_all(struct show *show)
{
    struct journal *journal = show->running->journal;
    struct producers_source producing = {.configured = is_configured, .context = show};
    struct consumers_source consuming = {.was = was, .was_context = show->running};
    struct live_source living = {.site = use_site,
                                 .brief = brief,
                                 .produced = each_produced,
                                 .produced_context = show,
                                 .context = show};
    int error = producers_open(&show->producers, journal, &producing);

    if (!error)
        error = consumers_open(&show->consumers, journal, &consuming);
    if (!error)
        error = live_open(&show->live, journal, &living, wake, show->api);
    if (!error)
        error = mount(show);
    if (error)
        return error;
    show->tick = loop_timer(show->loop, on_tick, show);
    if (!show->tick)
        return ERR_NOMEM;
    on_tick(show);
    return 0;
}

int show_open(struct show **out, struct loop *loop, struct api *api, struct running *running)
{
    struct show *show = calloc(1, sizeof *show);

    if (!show)
        return ERR_NOMEM;
    show->running = running;
    show->api = api;
    show->loop = loop;
    *out = show;
    return open_all(show);
}

void show_stop(struct show *show)
{
    if (!show)
        return;
    loop_timer_drop(show->loop, show->tick);
    show->tick = NULL;
    live_stop(show->live);
}

void show_close(struct show *show)
{
    if (!show)
        return;
    live_close(show->live);
    consumers_close(show->consumers);
    producers_close(show->producers);
    free(show);
}
