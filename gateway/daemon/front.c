#include "daemon/front.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"
#include "daemon/guard.h"
#include "daemon/health.h"
#include "daemon/identity_routes.h"
#include "daemon/lend.h"
#include "daemon/network.h"
#include "daemon/overhear.h"
#include "daemon/page.h"
#include "daemon/show.h"
#include "daemon/system.h"
#include "daemon/update.h"
#include "web/api.h"
#include "web/board_api.h"
#include "web/choices.h"
#include "web/jobs.h"
#include "web/node_api.h"

struct front {
    struct loop *loop;
    struct running *running;
    const struct gateway_options *options;
    struct front_lasting lasting;
    struct api *api;
    struct loop_watch *journal_watch;
    int journal_fd;
    struct job_setting setting;
    struct jobs *jobs;
    struct node_api *node;
    struct show *show;
    struct page *page;
    struct health *health;
    struct system_given machine;
    struct configure_given given;
    struct guard_site guarded;
    struct identity_given identity;
    struct configure *configure;
};

static void wake(void *context)
{
    struct front *front = context;

    api_wake(front->api);
}

static int mount(struct front *front, struct routes routes)
{
    return api_mount(front->api, &routes);
}

static int open_gate(struct front *front)
{
    front->guarded = (struct guard_site){front->running, front->configure};
    return guard_mount(front->lasting.gate, front->api, &front->guarded);
}

static int open_show(struct front *front)
{
    return show_open(&front->show, front->loop, front->api, front->running);
}

static void stop_show(struct front *front)
{
    show_stop(front->show);
}

static void close_show(struct front *front)
{
    show_close(front->show);
}

static int open_jobs(struct front *front)
{
    int error = node_api_open(&front->node, front->options->state_path, front->running->journal);

    if (error)
        return error;
    front->setting = (struct job_setting){.socket_path = front->options->socket_path,
                                          .config_path = front->options->config_path,
                                          .node_file = node_api_path(front->node)};
    error = jobs_open(&front->jobs, &front->setting, front->running->journal, wake, front);
    error = error ? error : mount(front, jobs_routes(front->jobs));
    return error ? error : mount(front, node_api_routes(front->node));
}

static int open_choices(struct front *front)
{
    int error = mount(front, choices_routes());

    return error ? error : mount(front, board_routes(&board_places_system));
}

static int open_system(struct front *front)
{
    front->machine = (struct system_given){front->running, front->options->journal_path,
                                           front->given.restart, front->given.context};
    return mount(front, system_routes(&front->machine));
}

static int open_configure(struct front *front)
{
    return configure_open(&front->configure, front->api, front->running, &front->given);
}

static void stop_configure(struct front *front)
{
    configure_stop(front->configure);
}

static void close_configure(struct front *front)
{
    configure_close(front->configure);
}

static void stop_jobs(struct front *front)
{
    jobs_stop(front->jobs);
}

static void close_jobs(struct front *front)
{
    jobs_close(front->jobs);
    node_api_close(front->node);
}

static int open_identity(struct front *front)
{
    front->identity =
        (struct identity_given){front->running, front->configure, front->options->state_path};
    return front->running->identity ? mount(front, identity_routes(&front->identity)) : 0;
}

static int open_update(struct front *front)
{
    struct update *update = front->lasting.update;

    return update ? update_mount(update, front->api, front->running->journal) : 0;
}

static void stop_update(struct front *front)
{
    if (front->lasting.update)
        update_unmount(front->lasting.update);
}

static int open_network(struct front *front)
{
    struct network *network = front->lasting.network;

    if (!network)
        return 0;
    network_note_in(network, front->running->journal);
    return mount(front, network_routes(network));
}

static void stop_network(struct front *front)
{
    if (front->lasting.network)
        network_note_in(front->lasting.network, NULL);
}

static int open_page(struct front *front)
{
    const struct page_options options = {.api = front->api,
                                         .loop = front->loop,
                                         .clock = front->running->clock,
                                         .state_path = front->options->state_path};
    int error = page_open(&front->page, &options);

    front->running->page = front->page;
    return error;
}

static void stop_page(struct front *front)
{
    page_stop(front->page);
}

static void close_page(struct front *front)
{
    front->running->page = NULL;
    page_close(front->page);
}

static int open_health(struct front *front)
{
    const struct health_options options = {.loop = front->loop,
                                           .running = front->running,
                                           .api = front->api,
                                           .page = front->page,
                                           .state_path = front->options->state_path};
    int error = health_open(&front->health, &options);

    return error ? error : mount(front, health_routes(front->health));
}

static void stop_health(struct front *front)
{
    health_stop(front->health);
}

static void close_health(struct front *front)
{
    health_close(front->health);
}

/*
 * What is mounted on the API. Opened in this order, before anybody can connect; `stop` (which may
 * be NULL, as may `close`) is called in the reverse order while the server still runs: no thread of
 * the part's touches the API behind it. `close` when nobody can ask any more. Both are also called
 * when `open` failed or was never called.
 */
static const struct part {
    const char *name;
    int (*open)(struct front *front);
    void (*stop)(struct front *front);
    void (*close)(struct front *front);
} parts[] = {
    {"configuration", open_configure, stop_configure, close_configure},
    {"accounts", open_gate, NULL, NULL},
    {"live values", open_show, stop_show, close_show},
    {"jobs", open_jobs, stop_jobs, close_jobs},
    {"choices", open_choices, NULL, NULL},
    {"identity", open_identity, NULL, NULL},
    {"updates", open_update, stop_update, NULL},
    {"system", open_system, NULL, NULL},
    {"network", open_network, stop_network, NULL},
    {"page", open_page, stop_page, close_page},
    {"health", open_health, stop_health, close_health},
};

#define PARTS (sizeof parts / sizeof parts[0])

static void write_status(void *context, struct text *text)
{
    running_status(context, text);
}

static void was(void *context, const char *device, const char *point, struct feed_names *names)
{
    running_was(context, device, point, names);
}

static void add_legend(void *context, struct legend *legend)
{
    running_legend(context, legend);
}

static int forget(void *context, const char *device, const char *what, struct text *refusal)
{
    return running_forget(context, device, what, refusal);
}

static int hold(void *context, const char *uplink, const struct api_hold *hold,
                struct text *refusal)
{
    return running_hold(context, uplink, hold, refusal);
}

static int preview(void *context, const char *uplink, const char *root, bool values,
                   struct text *text)
{
    return running_preview(context, uplink, root, values, text);
}

static void on_commit(void *context, uint32_t events)
{
    struct front *front = context;
    uint64_t count;

    (void)events;
    if (read(front->journal_fd, &count, sizeof count) == sizeof count)
        api_wake(front->api);
}

static void watch_journal(struct front *front)
{
    front->journal_fd = journal_watch(front->running->journal);
    if (front->journal_fd >= 0)
        front->journal_watch =
            loop_watch(front->loop, front->journal_fd, EPOLLIN, on_commit, front);
}

static int open_api(struct front *front)
{
    struct api_source source = {
        .status = write_status,
        .was = was,
        .forget = forget,
        .legend = add_legend,
        .hold = hold,
        .preview = preview,
        .desk = desk_seam(front->running->desk),
        .lend = lend_bus,
        .listen = overhear_bus,
        .context = front->running,
    };

    return api_open(&front->api, front->loop, front->running->journal, &source);
}

static void listen_locally(struct front *front)
{
    const char *path = front->options->socket_path;
    int error = api_listen(front->api, path);

    if (error)
        log_error("daemon",
                  "sluice will not reach this gateway: the socket %s cannot be made: %s; see to "
                  "its folder, or name another with --socket",
                  path, error_text(error));
}

void front_open(struct front **out, struct loop *loop, struct running *running,
                const struct gateway_options *options, const struct front_lasting *lasting,
                const struct configure_given *given)
{
    struct front *front = calloc(1, sizeof *front);

    *out = front;
    if (!front) {
        log_error("daemon", "sluice will not reach this gateway: %s", error_text(ERR_NOMEM));
        return;
    }
    front->loop = loop;
    front->running = running;
    front->options = options;
    front->lasting = *lasting;
    front->given = *given;
    front->journal_fd = -1;
    int error = open_api(front);
    if (error) {
        log_error("daemon", "sluice will not reach this gateway: %s", error_text(error));
        return;
    }
    for (size_t i = 0; i < PARTS; i++) {
        error = parts[i].open(front);
        if (error)
            log_error("daemon", "the API is without its %s: %s", parts[i].name, error_text(error));
    }
    listen_locally(front);
    watch_journal(front);
}

void front_apply(struct front *front)
{
    if (!front)
        return;
    guard_apply(front->lasting.gate, &front->running->current->config->web);
    page_apply(front->page, front->running->current->config);
}

void front_close(struct front *front)
{
    if (!front)
        return;
    if (front->journal_watch)
        loop_unwatch(front->loop, front->journal_watch);
    if (front->journal_fd >= 0)
        journal_unwatch(front->running->journal, front->journal_fd);
    for (size_t i = PARTS; front->api && i-- > 0;)
        if (parts[i].stop)
            parts[i].stop(front);
    api_close(front->api);
    for (size_t i = PARTS; i-- > 0;)
        if (parts[i].close)
            parts[i].close(front);
    free(front);
}
