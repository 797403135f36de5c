/* /api/v1/network: what is set, what can be set, and changing it. */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "daemon/network_files.h"
#include "daemon/network_inside.h"
#include "web/answer.h"
#include "web/body.h"
#include "web/later.h"
#include "web/query.h"
#include "web/reply.h"

static bool kind_of(const char *name, enum network_kind *kind)
{
    const char *word = network_interface_kind(name);

    for (unsigned i = NETWORK_ETHERNET; i <= NETWORK_MOBILE; i++)
        if (strcmp(word, network_kind_word((enum network_kind)i)) == 0) {
            *kind = (enum network_kind)i;
            return true;
        }
    return false;
}

static void write_abilities(struct json_writer *writer, const struct network *network)
{
    enum network_manager manager = network_manager("");
    bool asked = access(network->wish, W_OK) == 0;

    json_write_text(writer, "by", network_manager_name(manager));
    json_write_open(writer, "can", '{');
    for (unsigned i = NETWORK_ETHERNET; i <= NETWORK_MOBILE; i++)
        json_write_bool(writer, network_kind_word((enum network_kind)i),
                        asked && network_manages(manager, (enum network_kind)i));
    json_write_close(writer, '}');
    json_write_text(writer, "why_not",
                    manager == NETWORK_BY_NOBODY
                        ? "neither systemd-networkd nor NetworkManager manages the network here; "
                          "it is set in the system"
                    : !asked ? "the unit sluice-wish.path, by which root carries changes out, does "
                               "not run here"
                    : manager == NETWORK_BY_NETWORKD
                        ? "Wi-Fi and mobile networks are set up by NetworkManager, which does not "
                          "run here"
                        : "");
}

static void write_state(struct json_writer *writer, struct network *network)
{
    pthread_mutex_lock(&network->lock);
    json_write_open(writer, "interfaces", '[');
    for (size_t i = 0; i < network->plan.count; i++) {
        json_write_open(writer, NULL, '{');
        network_write_interface(writer, &network->plan.list[i], false);
        json_write_close(writer, '}');
    }
    json_write_close(writer, ']');
    if (network->pending) {
        json_write_open(writer, "pending", '{');
        json_write_integer(writer, "until", network->until_ms);
        json_write_text(writer, "by", network->by);
        json_write_close(writer, '}');
    } else {
        json_write_raw(writer, "pending", "null");
    }
    json_write_text(writer, "why", network->why);
    pthread_mutex_unlock(&network->lock);
}

static void reply_state(struct network *network, struct http_reply *reply)
{
    struct answer answer;

    if (!answer_begin(&answer, reply))
        return;
    write_abilities(&answer.writer, network);
    write_state(&answer.writer, network);
    answer_end(&answer, reply, 200);
}

static void get_network(void *context, const struct route_request *request,
                        struct http_reply *reply)
{
    (void)request;
    reply_state(context, reply);
}

/* The kind of an interface that is there and can be set; false with the reply filled in. */
static bool find_kind(const char *name, enum network_kind *kind, struct http_reply *reply)
{
    char sentence[NETWORK_SENTENCE_SIZE];
    enum network_manager manager = network_manager("");

    if (!network_name_valid(name) || if_nametoindex(name) == 0)
        reply_refusal(reply, 404, "there is no such network interface",
                      "GET /api/v1/system lists those that there are");
    else if (!kind_of(name, kind))
        reply_error(reply, 409, "this interface is none of a cable, a Wi-Fi or a mobile network");
    else if (network_manages(manager, *kind))
        return true;
    else {
        snprintf(sentence, sizeof sentence,
                 manager == NETWORK_BY_NOBODY
                     ? "neither systemd-networkd nor NetworkManager manages the network here; set "
                       "it in the system"
                     : "%s cannot set up a %s interface; NetworkManager can",
                 network_manager_name(manager), network_kind_word(*kind));
        reply_error(reply, 409, sentence);
    }
    return false;
}

static void change(struct network *network, const struct network_interface *interface,
                   const struct route_request *request, struct http_reply *reply)
{
    char sentence[NETWORK_SENTENCE_SIZE] = "";
    uint64_t confirm_s = NETWORK_CONFIRM_S;

    if (query_u64(request->http, "confirm_s", &confirm_s) || confirm_s < NETWORK_CONFIRM_MIN_S ||
        confirm_s > NETWORK_CONFIRM_MAX_S) {
        reply_error(reply, 400, "confirm_s: expected are 5 to 3600 seconds");
        return;
    }
    int error = network_change(network, request->names[0], interface, (int64_t)confirm_s * NS_PER_S,
                               request->caller, sentence);
    if (error)
        reply_error(reply, error == ERR_NOT_FOUND ? 404 : 409, sentence);
    else
        reply_state(network, reply);
}

/* As it is set now; false where it is not. */
static bool copy_interface(struct network *network, const char *name,
                           struct network_interface *interface)
{
    pthread_mutex_lock(&network->lock);
    const struct network_interface *found = network_find(&network->plan, name);
    if (found)
        *interface = *found;
    pthread_mutex_unlock(&network->lock);
    return found != NULL;
}

static void put_interface(void *context, const struct route_request *request,
                          struct http_reply *reply)
{
    struct network *network = context;
    struct network_interface interface, before;
    char why[NETWORK_WHY_SIZE] = "";
    enum network_kind kind;
    struct body body;

    if (!find_kind(request->names[0], &kind, reply) || body_read(&body, request->http, reply))
        return;
    bool known = copy_interface(network, request->names[0], &before);
    if (network_take(&interface, request->names[0], kind, body.root, known ? &before : NULL, why))
        reply_error(reply, 400, why);
    else
        change(network, &interface, request, reply);
    explicit_bzero(&interface, sizeof interface);
    explicit_bzero(&before, sizeof before);
    body_close(&body);
}

static void delete_interface(void *context, const struct route_request *request,
                             struct http_reply *reply)
{
    change(context, NULL, request, reply);
}

static void settle(struct network *network, bool keep, const struct route_request *request,
                   struct http_reply *reply)
{
    char sentence[NETWORK_SENTENCE_SIZE] = "";
    int error = network_settle(network, keep, request->caller, sentence);

    if (error)
        reply_error(reply, error == ERR_NOT_FOUND ? 404 : 409, sentence);
    else
        reply_state(network, reply);
}

static void post_confirm(void *context, const struct route_request *request,
                         struct http_reply *reply)
{
    settle(context, true, request, reply);
}

static void post_revert(void *context, const struct route_request *request,
                        struct http_reply *reply)
{
    settle(context, false, request, reply);
}

LATER_ROUTE(get_network)
SLOW_ROUTE(put_interface)
SLOW_ROUTE(delete_interface)
SLOW_ROUTE(post_confirm)
SLOW_ROUTE(post_revert)

static const struct route rows[] = {
    {"GET", "/api/v1/network", ROLE_VIEWER, get_network_later, 0},
    {"PUT", "/api/v1/network/{name}", ROLE_OWNER, put_interface_later, 0},
    {"DELETE", "/api/v1/network/{name}", ROLE_OWNER, delete_interface_later, 0},
    {"POST", "/api/v1/network/confirm", ROLE_OWNER, post_confirm_later, 0},
    {"POST", "/api/v1/network/revert", ROLE_OWNER, post_revert_later, 0},
};

struct routes network_routes(struct network *network)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, network};
}
