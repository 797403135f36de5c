/* In the place of mqtt.c: a broker in the same process that does as it is told. Its owner is the
 * uplink's thread. */
#ifndef TESTS_FAKE_BROKER_H
#define TESTS_FAKE_BROKER_H

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"
#include "uplink/mqtt.h"

#define BROKER_MESSAGES_MAX 8192

struct message {
    char topic[96];
    uint64_t first, last; /* of covers */
    uint64_t n;           /* of the key of a value */
    uint32_t epoch;
    size_t size, events;
    bool retained;
    int reason;
};

static struct {
    /* how it behaves; set before the uplink starts */
    int version;
    uint16_t receive_maximum;
    uint32_t packet_size_max;
    bool echoes, forgets; /* the session, at every connection */
    bool mute;            /* no event is ever answered */
    int silent;           /* messages taken without an answer before it hangs up, once; 0: never */
    uint64_t bad[4];      /* events that it refuses... */
    int bad_reason;       /* ...with this reason; 0: by hanging up */
    int hang_ups;         /* so many connections end with their first event, or... */
    uint64_t hang_up_at;  /* ...with this one, which is then not answered; 0: with the first */
    int hang_up_reason;   /* of the DISCONNECT, or MQTT_REASON_NONE */
    int then_fails; /* the attempt behind each of these fails with this error; 0: it does not */
    int busy;       /* so many data messages are refused with busy_reason */
    int busy_reason;

    /* what it saw */
    pthread_mutex_t lock;
    struct message messages[BROKER_MESSAGES_MAX];
    size_t count;
    unsigned connects, in_flight, most_in_flight, subscriptions, granted, unsubscriptions;
    char will[256], last_status[256];
    char results[16][256]; /* on .../result */
    size_t result_count;
    struct {
        char topic[96], payload[256];
        bool retained;
    } inbound[16]; /* what others publish; under the lock */
    size_t inbound_count;

    /* between its two ends */
    struct mqtt_options options;
    int fd;
    bool connected, connecting, hang_up, leaving, fails;
    int lost_reason;
    struct {
        uint32_t token;
        int reason;
    } answers[BROKER_MESSAGES_MAX];
    size_t answer_count;
    uint32_t unanswered[256];
    size_t unanswered_count;
    char *echo_topic[64];
    char *echo_payload[64];
    size_t echo_count;
} broker = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static inline void broker_reset(void)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    memset(&broker, 0, sizeof(broker));
    broker.lock = lock;
    broker.version = 5;
    broker.receive_maximum = UINT16_MAX;
    broker.packet_size_max = UINT32_MAX;
    broker.echoes = true;
    broker.lost_reason = MQTT_REASON_NONE;
    broker.fd = -1;
}

static inline void broker_wake(void)
{
    uint64_t one = 1;

    if (write(broker.fd, &one, sizeof(one)) < 0)
        abort();
}

/* Somebody else publishes. Any thread. */
static inline void broker_deliver(const char *topic, const char *payload, bool retained)
{
    pthread_mutex_lock(&broker.lock);
    snprintf(broker.inbound[broker.inbound_count].topic, 96, "%s", topic);
    snprintf(broker.inbound[broker.inbound_count].payload, 256, "%s", payload);
    broker.inbound[broker.inbound_count++].retained = retained;
    pthread_mutex_unlock(&broker.lock);
    broker_wake();
}

int mqtt_open(struct mqtt **client, const struct mqtt_options *options)
{
    broker.options = *options;
    broker.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *client = (struct mqtt *)&broker;
    return 0;
}

void mqtt_close(struct mqtt *client)
{
    if (!client)
        return;
    close(broker.fd);
    for (size_t i = 0; i < broker.echo_count; i++) {
        free(broker.echo_topic[i]);
        free(broker.echo_payload[i]);
    }
}

int mqtt_fd(const struct mqtt *client)
{
    (void)client;
    return broker.fd;
}

int mqtt_set_will(struct mqtt *client, const struct mqtt_will *will)
{
    (void)client;
    snprintf(broker.will, sizeof(broker.will), "%.*s", (int)will->size,
             (const char *)will->payload);
    return 0;
}

int mqtt_set_password(struct mqtt *client, const char *user, const char *password)
{
    (void)client;
    (void)user;
    (void)password;
    return 0;
}

void mqtt_set_clean_start(struct mqtt *client, bool clean_start)
{
    (void)client;
    if (clean_start)
        broker.forgets = true;
}

int mqtt_connect(struct mqtt *client, int64_t timeout_ns)
{
    (void)client;
    (void)timeout_ns;
    broker.connecting = true;
    broker_wake();
    return 0;
}

void mqtt_disconnect(struct mqtt *client, int64_t grace_ns)
{
    (void)client;
    (void)grace_ns;
    broker.hang_up = true;
    broker_wake();
}

void mqtt_cut(struct mqtt *client)
{
    mqtt_disconnect(client, 0);
}

void mqtt_tls_description(const struct mqtt *client, char *out, size_t size)
{
    (void)client;
    snprintf(out, size, "none");
}

static inline void broker_answer(uint32_t token, int reason)
{
    broker.answers[broker.answer_count].token = token;
    broker.answers[broker.answer_count++].reason = reason;
    broker_wake();
}

/* What the broker makes of a message; 1: it hangs up. */
static inline int broker_judge(const struct message *message)
{
    if (message->last == 0 && message->n == 0)
        return 0;
    if (broker.busy > 0) {
        broker.busy--;
        return broker.busy_reason;
    }
    for (size_t i = 0; i < sizeof(broker.bad) / sizeof(broker.bad[0]); i++) {
        bool held = message->events > 0 && broker.bad[i] >= message->first &&
                    broker.bad[i] <= message->last;

        if (broker.bad[i] != 0 && (held || message->n == broker.bad[i]))
            return broker.bad_reason ? broker.bad_reason : 1;
    }
    return 0;
}

static inline void broker_read(struct message *message, const char *topic, const char *payload)
{
    const char *covers = strstr(payload, "\"covers\":["), *epoch = strstr(payload, "\"epoch\":\"");
    const char *key = strstr(payload, "\"key\":\"");

    snprintf(message->topic, sizeof(message->topic), "%s", topic);
    if (covers)
        sscanf(covers, "\"covers\":[%" SCNu64 ",%" SCNu64, &message->first, &message->last);
    if (epoch)
        sscanf(epoch, "\"epoch\":\"%" SCNx32, &message->epoch);
    if (key)
        message->n = strtoull(strchr(key, '-') + 1, NULL, 10);
    for (const char *at = payload; (at = strstr(at, "{\"n\":")) != NULL; at++)
        message->events++;
}

int mqtt_publish(struct mqtt *client, const char *topic, const void *payload, size_t size, int qos,
                 bool retained, uint32_t token)
{
    struct message message = {.size = size, .retained = retained};
    bool hangs_up;
    char *text;

    (void)client;
    (void)qos;
    if (!broker.connected || broker.hang_up)
        return ERR_CLOSED;
    text = strndup(payload ? payload : "", size);
    broker_read(&message, topic, text);
    message.reason = broker_judge(&message);
    hangs_up = broker.hang_ups > 0 && message.last != 0 && message.last >= broker.hang_up_at;
    pthread_mutex_lock(&broker.lock);
    if (broker.count < BROKER_MESSAGES_MAX)
        broker.messages[broker.count++] = message;
    if (strstr(topic, "/status"))
        snprintf(broker.last_status, sizeof(broker.last_status), "%s", text);
    if (strstr(topic, "/result") && broker.result_count < 16)
        snprintf(broker.results[broker.result_count++], 256, "%s", text);
    pthread_mutex_unlock(&broker.lock);
    if (++broker.in_flight > broker.most_in_flight)
        broker.most_in_flight = broker.in_flight;
    if (broker.mute && (message.last != 0 || message.n != 0)) {
        /* for ever */
    } else if (hangs_up && broker.hang_up_at != 0) {
        broker.unanswered[broker.unanswered_count++] = token;
        broker_wake();
    } else if (message.reason == 1 || (broker.silent > 0 && message.last != 0)) {
        broker.unanswered[broker.unanswered_count++] = token;
        if (message.reason == 1 || --broker.silent == 0)
            broker.hang_up = true;
        broker_wake();
    } else {
        broker_answer(token, message.reason);
        if (broker.subscriptions > broker.unsubscriptions && broker.echoes && message.reason == 0 &&
            broker.echo_count < 64) {
            broker.echo_topic[broker.echo_count] = strdup(topic);
            broker.echo_payload[broker.echo_count++] = strdup(text);
        }
    }
    if (hangs_up) {
        broker.hang_ups--;
        broker.hang_up = true;
        broker.lost_reason = broker.hang_up_reason;
    }
    free(text);
    return 0;
}

int mqtt_subscribe(struct mqtt *client, const char *topic, int qos)
{
    (void)client;
    (void)topic;
    (void)qos;
    broker.subscriptions++;
    broker_wake();
    return 0;
}

int mqtt_unsubscribe(struct mqtt *client, const char *topic)
{
    (void)client;
    (void)topic;
    broker.unsubscriptions++;
    return 0;
}

static inline void broker_accept(void)
{
    const struct mqtt_options *options = &broker.options;

    broker.connecting = false;
    broker.connected = true;
    broker.connects++;
    for (size_t i = 0; i < broker.unanswered_count;
         i++) { /* sent again, or lost with the session */
        broker.in_flight--;
        options->acknowledged(options->context, broker.unanswered[i],
                              broker.forgets ? MQTT_REASON_NEVER_SENT : 0);
    }
    broker.unanswered_count = 0;
    options->connected(options->context, !broker.forgets, broker.version, broker.receive_maximum,
                       broker.packet_size_max);
}

static inline bool broker_take_inbound(char topic[96], char payload[256], bool *retained)
{
    bool any;

    pthread_mutex_lock(&broker.lock);
    any = broker.inbound_count > 0;
    if (any) {
        memcpy(topic, broker.inbound[0].topic, 96);
        memcpy(payload, broker.inbound[0].payload, 256);
        *retained = broker.inbound[0].retained;
        memmove(&broker.inbound[0], &broker.inbound[1],
                --broker.inbound_count * sizeof(broker.inbound[0]));
    }
    pthread_mutex_unlock(&broker.lock);
    return any;
}

void mqtt_process(struct mqtt *client)
{
    const struct mqtt_options *options = &broker.options;
    char topic[96], payload[256];
    uint64_t ignored;
    bool retained;

    (void)client;
    if (read(broker.fd, &ignored, sizeof(ignored)) < 0)
        return;
    while (broker_take_inbound(topic, payload, &retained))
        options->message(options->context, topic, payload, strlen(payload), 1, retained, false);
    for (size_t i = 0; i < broker.answer_count; i++) {
        broker.in_flight--;
        options->acknowledged(options->context, broker.answers[i].token, broker.answers[i].reason);
    }
    broker.answer_count = 0;
    for (; broker.granted < broker.subscriptions; broker.granted++)
        options->subscribed(options->context, "filter", 1);
    for (size_t i = 0; i < broker.echo_count; i++) {
        options->message(options->context, broker.echo_topic[i], broker.echo_payload[i],
                         strlen(broker.echo_payload[i]), 1, false, false);
        free(broker.echo_topic[i]);
        free(broker.echo_payload[i]);
    }
    broker.echo_count = 0;
    if (broker.hang_up && broker.connected) {
        broker.connected = broker.hang_up = false;
        broker.fails = broker.then_fails != 0;
        options->lost(options->context, broker.lost_reason, "the broker closed the connection");
        broker.lost_reason = MQTT_REASON_NONE;
    }
    if (broker.connecting && broker.fails) {
        broker.connecting = broker.fails = false;
        options->failed(options->context, broker.then_fails, "it did not come to a connection");
    }
    if (broker.connecting)
        broker_accept();
}

#endif
