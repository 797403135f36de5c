#include "daemon/health.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"
#include "daemon/page.h"
#include "daemon/ping.h"
#include "daemon/proven.h"
#include "daemon/running.h"
#include "daemon/service.h"
#include "daemon/unstarted.h"
#include "field/driver.h"
#include "web/reply.h"

#define LOOK_NS (5 * NS_PER_S)

static const struct {
    const char *name;
    int64_t silent_max_ns;
} parts[HEALTH_PARTS] = {
    [HEALTH_POLLS] = {"polls", 120 * NS_PER_S},
    [HEALTH_JOURNAL] = {"journal", 300 * NS_PER_S},
    [HEALTH_PAGE] = {"page", 60 * NS_PER_S},
};

struct health {
    struct health_options options;
    struct ping *ping;
    struct loop_timer *timer;
    int64_t every_ns;
    bool watched;                 /* a watchdog waits to be fed */
    bool proven;                  /* it is noted */
    bool told_dead[HEALTH_PARTS]; /* in the log */
    char told[HEALTH_WORDS_SIZE]; /* to the service manager */
    pthread_mutex_t lock;         /* of what follows: the API's thread looks, too */
    bool polled, session;         /* since the start */
    int64_t page_silent_ns;       /* when the loop's thread listened last */
};

const char *health_part_name(enum health_part part)
{
    return parts[part].name;
}

bool health_alive(const struct health_facts *facts, enum health_part part)
{
    return facts->silent_ns[part] <= parts[part].silent_max_ns;
}

static bool all_alive(const struct health_facts *facts)
{
    bool alive = true;

    for (int part = 0; part < HEALTH_PARTS; part++)
        alive &= health_alive(facts, part);
    return alive;
}

const char *health_doubt(const struct health_facts *facts)
{
    if (!health_alive(facts, HEALTH_POLLS))
        return "a bus hangs; the watchdog will restart the gateway";
    if (!health_alive(facts, HEALTH_JOURNAL))
        return "the journal hangs: see to its disk";
    if (!health_alive(facts, HEALTH_PAGE))
        return "the page does not answer; the watchdog will restart the gateway";
    if (facts->storage_error)
        return "the journal stores nothing: sluice status says why";
    if (facts->devices && !facts->polled)
        return "no device has answered since the start: sluice status says why";
    if (facts->uplinks && !facts->session)
        return "no broker has been reached since the start: sluice doctor finds out why";
    return NULL;
}

void health_words(const struct health_facts *facts, char words[HEALTH_WORDS_SIZE])
{
    struct text text;

    text_init(&text, words, HEALTH_WORDS_SIZE);
    if (facts->devices)
        text_printf(&text, "%zu of %zu devices answer", facts->answering, facts->devices);
    else
        text_string(&text, "no devices");
    if (facts->uplinks)
        text_printf(&text, ", %zu of %zu uplinks online", facts->online, facts->uplinks);
    if (facts->storage_error)
        text_printf(&text, "; nothing can be stored: %s", error_text(facts->storage_error));
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* One without points is never read: it is no device that could answer. */
static size_t read_devices(const struct site_bus *bus)
{
    size_t count = 0;

    for (size_t i = 0; i < bus->device_count; i++)
        count += bus->devices[i].point_count > 0;
    return count;
}

static void look_at_bus(const struct running_bus *entry, struct health_facts *facts)
{
    const struct driver_stats *stats = host_stats(entry->host);

    facts->silent_ns[HEALTH_POLLS] =
        larger(facts->silent_ns[HEALTH_POLLS], host_silent_ns(entry->host));
    facts->devices += read_devices(entry->bus);
    for (size_t i = 0; i < entry->bus->device_count; i++)
        facts->answering += atomic_load(&stats[i].up);
}

static void look_at_uplink(const struct running_uplink *entry, struct health_facts *facts)
{
    struct uplink_stats stats;

    uplink_stats(entry->uplink, &stats);
    facts->uplinks++;
    facts->online += strcmp(stats.state, "online") == 0;
    facts->session |= stats.connects > 0;
}

/* What can be counted from any thread at any moment. */
static void count(struct health *health, struct health_facts *facts)
{
    struct running *running = health->options.running;
    struct journal_stats stats;

    pthread_mutex_lock(&running->lock);
    for (struct running_bus *entry = running->buses; entry; entry = entry->next)
        look_at_bus(entry, facts);
    for (struct running_uplink *entry = running->uplinks; entry; entry = entry->next)
        look_at_uplink(entry, facts);
    for (const struct unstarted *at = running->unstarted; at; at = at->next) {
        facts->uplinks += at->uplink != NULL;
        facts->devices += at->bus ? read_devices(at->bus) : 0;
    }
    facts->silent_ns[HEALTH_POLLS] =
        larger(facts->silent_ns[HEALTH_POLLS], engines_silent_ns(running->engines));
    pthread_mutex_unlock(&running->lock);
    journal_stats(running->journal, &stats);
    facts->storage_error = stats.storage_error;
    facts->silent_ns[HEALTH_JOURNAL] = journal_silent_ns(running->journal);
    facts->polled = facts->answering > 0;
}

/* How it is now, from any thread; and in `facts` also what was seen before. */
static void look(struct health *health, struct health_facts *facts)
{
    *facts = (struct health_facts){.devices = 0};
    count(health, facts);
    pthread_mutex_lock(&health->lock);
    facts->polled |= health->polled;
    facts->session |= health->session;
    facts->silent_ns[HEALTH_PAGE] = health->page_silent_ns;
    health->polled = facts->polled;
    health->session = facts->session;
    pthread_mutex_unlock(&health->lock);
}

static void listen_to_page(struct health *health)
{
    int64_t silent_ns = larger(ping_silent_ns(health->ping), page_silent_ns(health->options.page));

    pthread_mutex_lock(&health->lock);
    health->page_silent_ns = silent_ns;
    pthread_mutex_unlock(&health->lock);
}

static void tell_log(struct health *health, const struct health_facts *facts)
{
    for (int part = 0; part < HEALTH_PARTS; part++) {
        bool dead = !health_alive(facts, part);

        if (dead && !health->told_dead[part])
            log_error("daemon", "the %s: no sign of life for %" PRId64 " s%s", parts[part].name,
                      facts->silent_ns[part] / NS_PER_S,
                      health->watched ? "; the watchdog is not fed any more" : "");
        else if (!dead && health->told_dead[part])
            log_info("daemon", "the %s: alive again", parts[part].name);
        health->told_dead[part] = dead;
    }
}

static void tell_manager(struct health *health, const struct health_facts *facts)
{
    char words[HEALTH_WORDS_SIZE], message[HEALTH_WORDS_SIZE + 32];

    health_words(facts, words);
    bool news = strcmp(words, health->told) != 0;
    bool feed = health->watched && all_alive(facts);
    memcpy(health->told, words, sizeof words);
    if (!news && !feed)
        return;
    snprintf(message, sizeof message, "%s%s%s", news ? "STATUS=" : "", news ? words : "",
             !feed  ? ""
             : news ? "\nWATCHDOG=1"
                    : "WATCHDOG=1");
    service_tell(message);
}

/* Where it cannot be noted the way back stays open, and the next look tries again. */
static void note_proof(struct health *health, const struct health_facts *facts)
{
    if (health->proven || health_doubt(facts) || proven_note(health->options.state_path) != 0)
        return;
    health->proven = true;
    journal_confirm(health->options.running->journal);
    log_info("daemon", "sluice " SLUICE_VERSION " has proven itself on this machine");
}

static void on_timer(void *context)
{
    struct health *health = context;
    struct health_facts facts;

    listen_to_page(health);
    look(health, &facts);
    note_proof(health, &facts);
    tell_log(health, &facts);
    tell_manager(health, &facts);
    loop_timer_set(health->options.loop, health->timer,
                   clock_mono(&clock_system) + health->every_ns);
}

int health_open(struct health **out, const struct health_options *options)
{
    struct health *health = calloc(1, sizeof *health);
    int64_t watchdog_ns = service_watchdog_ns();

    *out = health;
    if (!health)
        return ERR_NOMEM;
    health->options = *options;
    health->watched = watchdog_ns > 0;
    health->proven = proven_is(options->state_path);
    health->every_ns = watchdog_ns > 0 && watchdog_ns / 3 < LOOK_NS ? watchdog_ns / 3 : LOOK_NS;
    pthread_mutex_init(&health->lock, NULL);
    health->timer = loop_timer(options->loop, on_timer, health);
    if (!health->timer || ping_open(&health->ping, options->loop, options->api))
        return ERR_NOMEM;
    loop_timer_set(options->loop, health->timer, clock_mono(&clock_system));
    return 0;
}

static void fill(void *context, struct text *text)
{
    struct health *health = context;
    struct health_facts facts;

    /* Whoever asks right after a change is told of what came of it. */
    look(health, &facts);
    const char *doubt = health_doubt(&facts);
    text_printf(text, "{\"confirmed\":%s,\"why\":", doubt ? "false" : "true");
    text_json_string(text, doubt ? doubt : "", doubt ? strlen(doubt) : 0);
    text_string(text, ",\"alive\":{");
    for (int part = 0; part < HEALTH_PARTS; part++)
        text_printf(text, "%s\"%s\":%s", part ? "," : "", parts[part].name,
                    health_alive(&facts, part) ? "true" : "false");
    text_printf(text,
                "},\"polled\":%s,\"session\":%s,\"devices\":%zu,\"answering\":%zu,\"uplinks\":%zu,"
                "\"online\":%zu}\n",
                facts.polled ? "true" : "false", facts.session ? "true" : "false", facts.devices,
                facts.answering, facts.uplinks, facts.online);
}

static void get_health(void *context, const struct route_request *request, struct http_reply *reply)
{
    (void)request;
    reply_filled(reply, fill, context);
}

struct routes health_routes(struct health *health)
{
    static const struct route rows[] = {
        {"GET", "/api/v1/health", ROLE_VIEWER, get_health, 0},
    };

    return (struct routes){rows, sizeof rows / sizeof *rows, health};
}

void health_stop(struct health *health)
{
    if (!health)
        return;
    loop_timer_drop(health->options.loop, health->timer);
    health->timer = NULL;
    ping_close(health->ping);
    health->ping = NULL;
}

void health_close(struct health *health)
{
    if (!health)
        return;
    pthread_mutex_destroy(&health->lock);
    free(health);
}
