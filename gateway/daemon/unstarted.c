#include "daemon/unstarted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"

static void tell(const struct unstarted *unstarted)
{
    log_error("daemon", "%s %s cannot start: %s; it is tried again",
              unstarted->uplink ? "uplink" : "bus",
              unstarted->uplink ? unstarted->uplink->id : unstarted->bus->id,
              error_text(unstarted->error));
}

void unstarted_add(struct running *running, const struct config_uplink *uplink,
                   const struct site_bus *bus, int error)
{
    struct unstarted made = {uplink, bus, error, clock_wall(running->clock), NULL};
    struct unstarted **end = &running->unstarted;

    tell(&made);
    while (*end)
        end = &(*end)->next;
    *end = malloc(sizeof made);
    if (*end)
        **end = made;
    else
        log_error("daemon", "without memory for that it waits for the next SIGHUP");
}

void unstarted_again(struct unstarted *unstarted, int error)
{
    bool news = error != unstarted->error;

    unstarted->error = error;
    if (news)
        tell(unstarted);
}

const struct unstarted *unstarted_uplink(const struct running *running, const char *id)
{
    const struct unstarted *found = running->unstarted;

    while (found && !(found->uplink && strcmp(found->uplink->id, id) == 0))
        found = found->next;
    return found;
}

void unstarted_why(const struct unstarted *unstarted, char *why, size_t size)
{
    snprintf(why, size, "it cannot start: %s; it is tried again every few seconds",
             error_text(unstarted->error));
}

void unstarted_stats(const struct unstarted *unstarted, struct uplink_stats *stats)
{
    *stats = (struct uplink_stats){
        .state = "waiting", .cause = unstarted->error, .since_wall_ns = unstarted->since_wall_ns};
    unstarted_why(unstarted, stats->error, sizeof stats->error);
}

void unstarted_clear(struct running *running)
{
    while (running->unstarted) {
        struct unstarted *next = running->unstarted->next;

        free(running->unstarted);
        running->unstarted = next;
    }
}
