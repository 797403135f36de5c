#include "cli/node_polls.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/client.h"
#include "daemon/gateway.h"

static const cJSON *find_device(const cJSON *status, const char *id)
{
    const cJSON *bus, *device;

    cJSON_ArrayForEach(bus, cJSON_GetObjectItemCaseSensitive(status, "buses"))
    {
        cJSON_ArrayForEach(device, cJSON_GetObjectItemCaseSensitive(bus, "devices"))
        {
            const cJSON *its = cJSON_GetObjectItemCaseSensitive(device, "id");

            if (cJSON_IsString(its) && strcmp(its->valuestring, id) == 0)
                return device;
        }
    }
    return NULL;
}

/* False: the gateway does not answer, or has no such device. */
static bool look(const struct node_polls *polls, double *replies, double *bad)
{
    char *body = NULL;
    cJSON *status = NULL;
    const cJSON *device = NULL;

    if (client_finds_daemon(polls->socket) &&
        client_get_body(polls->socket, "/api/v1/status", &body) == EXIT_CODE_OK)
        status = cJSON_Parse(body);
    if (status)
        device = find_device(status, polls->device);
    if (device) {
        *replies = answer_number(device, "replies");
        *bad = answer_number(device, "timeouts") + answer_number(device, "corrupt") +
               answer_number(device, "unexpected");
    }
    bool found = device != NULL;
    cJSON_Delete(status);
    free(body);
    return found;
}

bool node_polls_open(struct node_polls *polls, const struct node_link *link)
{
    *polls = (struct node_polls){.socket = link->borrow.socket, .device = link->device};
    return polls->device && look(polls, &polls->replies, &polls->bad);
}

int node_polls_look(struct node_polls *polls)
{
    double replies, bad;

    if (!look(polls, &replies, &bad))
        return 0;
    int more = bad != polls->bad || replies < polls->replies ? -1 : (int)(replies - polls->replies);
    polls->bad = bad;
    polls->replies = replies;
    return more;
}
