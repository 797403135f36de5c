/*
 * Commands from the broker, and what their senders are told. The desk answers on another thread:
 * its answers wait in a bounded queue for the uplink's. One that is lost with the connection is not
 * told again by itself; the sender asks again with the same id, and the result is an event as well.
 */
#include "uplink/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"
#include "tls/tunnel.h"

#define ANSWERS_MAX 64

struct answer {
    struct answer *next;
    size_t size;
    char json[];
};

static void on_answer(struct command_sender *sender, const char *json, size_t size, bool last)
{
    struct uplink_commands *commands = (struct uplink_commands *)sender;
    struct answer *answer = malloc(sizeof *answer + size);
    uint64_t one = 1;

    (void)last;
    pthread_mutex_lock(&commands->lock);
    if (answer && commands->count < ANSWERS_MAX) {
        answer->size = size;
        memcpy(answer->json, json, size);
        answer->next = NULL;
        *commands->last = answer;
        commands->last = &answer->next;
        commands->count++;
        answer = NULL;
    }
    pthread_mutex_unlock(&commands->lock);
    free(answer);
    if (write(commands->wake_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        log_debug("uplink", "an event descriptor cannot be written: %s", strerror(errno));
}

void commands_open(struct uplink *uplink)
{
    struct uplink_commands *commands = &uplink->commands;

    pthread_mutex_init(&commands->lock, NULL);
    commands->last = &commands->first;
    commands->wake_fd = uplink->wake_fd;
    commands->sender.remote = true;
    commands->sender.answer = on_answer;
    snprintf(commands->sender.by, sizeof commands->sender.by, "mqtt:%s", uplink->options->id);
    snprintf(commands->topic, sizeof commands->topic, "%scmd", uplink->base);
    snprintf(commands->topic_result, sizeof commands->topic_result, "%sresult", uplink->base);
    commands->desk = uplink->options->commands ? uplink->options->desk : NULL;
    if (commands->desk)
        commands->desk->ops->join(commands->desk, &commands->sender);
}

static struct answer *take(struct uplink_commands *commands)
{
    struct answer *answer;

    pthread_mutex_lock(&commands->lock);
    answer = commands->first;
    if (answer) {
        commands->first = answer->next;
        if (!commands->first)
            commands->last = &commands->first;
        commands->count--;
    }
    pthread_mutex_unlock(&commands->lock);
    return answer;
}

void commands_close(struct uplink *uplink)
{
    struct uplink_commands *commands = &uplink->commands;
    struct answer *answer;

    if (!commands->last)
        return;
    if (commands->desk)
        commands->desk->ops->leave(commands->desk, &commands->sender);
    while ((answer = take(commands)) != NULL)
        free(answer);
    pthread_mutex_destroy(&commands->lock);
}

void commands_connected(struct uplink *uplink, bool session_present)
{
    struct uplink_commands *commands = &uplink->commands;

    commands->late = session_present;
    if (commands->desk)
        mqtt_subscribe(uplink->mqtt, commands->topic, 1);
}

bool commands_subscribed(struct uplink *uplink, const char *topic, int reason)
{
    if (strcmp(topic, uplink->commands.topic) != 0)
        return false;
    if (reason >= 0x80)
        log_warn("uplink",
                 "%s: the broker does not let this client read %s: no commands will come; allow it "
                 "in the broker's access list",
                 uplink->options->id, topic);
    return true;
}

bool commands_message(struct uplink *uplink, const char *topic, const void *payload, size_t size,
                      bool retained)
{
    struct uplink_commands *commands = &uplink->commands;
    const struct command_delivery delivery = {.retained = retained, .late = commands->late};

    if (strcmp(topic, commands->topic) != 0)
        return false;
    if (commands->desk)
        commands->desk->ops->submit(commands->desk, &commands->sender, payload, size, &delivery);
    return true;
}

void commands_step(struct uplink *uplink)
{
    struct uplink_commands *commands = &uplink->commands;
    struct answer *answer;

    while (uplink->phase == PHASE_ONLINE && uplink->others < uplink->message_limit &&
           (answer = take(commands)) != NULL) {
        if (mqtt_publish(uplink->mqtt, commands->topic_result, answer->json, answer->size, 1, false,
                         WINDOW_TOKEN_OTHER | uplink->others_generation) == 0) {
            uplink->others++;
            uplink->stats.published++;
            uplink->stats.bytes += answer->size;
        }
        free(answer);
    }
}
