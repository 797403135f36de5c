#include "uplink/mqtt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "tls/tunnel.h"
#include "uplink/inbox.h"
#include "uplink/paho.h"
#include "uplink/reason.h"

/* The owner's thread alone runs what is in this file; it never calls Paho or the tunnel with the
 * inbox's lock held. */

enum stage {
    STAGE_IDLE,
    STAGE_TUNNEL,  /* the tunnel is reaching for the broker */
    STAGE_CONNACK, /* CONNECT was handed to Paho */
    STAGE_AGAIN, /* taken, and left again for another one that keeps alive as the broker wants it */
    STAGE_ONLINE,
    STAGE_LEAVING, /* DISCONNECT was handed to Paho */
};

struct mqtt {
    struct mqtt_options options; /* strings are copies */
    struct tunnel *tunnel;
    struct inbox inbox;
    struct paho *paho5, *paho4; /* Paho ties a handle to one version of the protocol */
    struct paho *paho;          /* of the current attempt or connection */
    enum stage stage;
    int64_t timeout_ns;
    bool unwanted;   /* the owner disconnected in STAGE_AGAIN */
    int closed_on_5; /* attempts in a row that MQTT 5 was answered by closing */
};

static int start_attempt(struct mqtt *client, int version)
{
    struct paho **paho = version == 5 ? &client->paho5 : &client->paho4;
    int rc = 0;

    if (!*paho)
        rc = paho_open(paho, version, client->tunnel, client->options.client_id, &client->inbox);
    if (rc != 0)
        return rc;
    tunnel_disconnect(client->tunnel); /* nothing of an earlier attempt comes after this */
    client->paho = *paho;
    inbox_expect(&client->inbox, client->paho);
    rc = tunnel_connect(client->tunnel, client->timeout_ns);
    if (rc == 0)
        client->stage = STAGE_TUNNEL;
    return rc;
}

int mqtt_connect(struct mqtt *client, int64_t timeout_ns)
{
    if (client->stage != STAGE_IDLE)
        return ERR_BUSY;
    client->timeout_ns = timeout_ns;
    return start_attempt(client, client->options.version == 4 ? 4 : 5);
}

static void report_failure(struct mqtt *client, int error, const char *sentence)
{
    client->stage = STAGE_IDLE;
    if (client->options.failed)
        client->options.failed(client->options.context, error, sentence);
}

/* Both Paho and the tunnel have noticed the end of an attempt that got no accepting CONNACK. */
static void attempt_ended(struct mqtt *client, const struct outcome *outcome)
{
    int version = paho_version(client->paho);
    bool closed = outcome->refusal < 0 && outcome->tunnel_error == ERR_CLOSED;
    char sentence[TUNNEL_SENTENCE_SIZE];
    int error = outcome->tunnel_error;

    if (version == 5)
        client->closed_on_5 = closed ? client->closed_on_5 + 1 : 0;
    /* Some brokers of old answer MQTT 5 by closing; so does a network that fails, once. */
    if (version == 5 && client->options.version == 0 &&
        (reason_is_version(5, outcome->refusal) || client->closed_on_5 >= 2)) {
        if (start_attempt(client, 4) != 0)
            report_failure(client, ERR_NOMEM, error_text(ERR_NOMEM));
        return;
    }
    if (outcome->refusal > 0)
        error = reason_connack(version, outcome->refusal, sentence, sizeof(sentence));
    else if (closed)
        snprintf(sentence, sizeof(sentence),
                 "the broker did not answer CONNECT (%.200s): check that the port speaks MQTT %s, "
                 "and the broker's log",
                 outcome->tunnel_sentence, client->options.tls ? "over TLS" : "without TLS");
    else
        snprintf(sentence, sizeof(sentence), "%s", outcome->tunnel_sentence);
    report_failure(client, error, sentence);
}

static void connection_ended(struct mqtt *client, const struct outcome *outcome)
{
    client->stage = STAGE_IDLE;
    if (client->options.lost)
        client->options.lost(client->options.context, outcome->disconnect_reason,
                             outcome->disconnect_sentence[0] ? outcome->disconnect_sentence
                                                             : outcome->tunnel_sentence);
}

static void begin_connect(struct mqtt *client)
{
    client->stage = STAGE_CONNACK;
    if (paho_connect(client->paho, &client->options, client->timeout_ns) == 0)
        return;
    tunnel_disconnect(client->tunnel);
    report_failure(client, ERR_NOMEM, "the MQTT library could not begin to connect");
}

/* A broker may want to hear from us more often (MQTT 5, 3.2.2.3.14), and Paho cannot change its
 * interval once it is connected: so a second connection has it, as all that follow. Returns whether
 * there is to be one. */
static bool keep_alive_differs(struct mqtt *client, const struct outcome *outcome)
{
    if (outcome->keep_alive_s == 0 || outcome->keep_alive_s >= client->options.keep_alive_s)
        return false;
    client->options.keep_alive_s = outcome->keep_alive_s;
    client->unwanted = false;
    client->stage = STAGE_AGAIN;
    if (paho_disconnect(client->paho, 0) != 0) {
        tunnel_disconnect(client->tunnel); /* which tells nothing: */
        inbox_tunnel(&client->inbox, ERR_CLOSED, "the connection was closed by this gateway");
    }
    return true;
}

static void go_again(struct mqtt *client, const struct outcome *outcome)
{
    if (client->unwanted)
        report_failure(client, ERR_CLOSED, outcome->tunnel_sentence);
    else if (start_attempt(client, paho_version(client->paho)) != 0)
        report_failure(client, ERR_NOMEM, error_text(ERR_NOMEM));
}

static void accepted(struct mqtt *client, const struct outcome *outcome)
{
    if (keep_alive_differs(client, outcome))
        return;
    client->stage = STAGE_ONLINE;
    client->closed_on_5 = 0;
    paho_settled(client->paho5);
    paho_settled(client->paho4);
    if (client->options.connected)
        client->options.connected(client->options.context, outcome->session_present,
                                  paho_version(client->paho), outcome->receive_maximum,
                                  outcome->packet_size_max);
}

/* Goes on with whatever the other threads have reported; returns true when something changed. */
static bool advance(struct mqtt *client)
{
    struct outcome outcome = inbox_outcome(&client->inbox);
    bool ended = outcome.client_ended && outcome.tunnel_ended;
    /* Paho forgets a CONNECT that comes while it still thinks that it is connected. */
    bool not_taken_up = outcome.tunnel_ended && outcome.tunnel_error == ERR_TIMEOUT;

    switch (client->stage) {
    case STAGE_TUNNEL:
        if (outcome.tunnel_ended)
            report_failure(client, outcome.tunnel_error, outcome.tunnel_sentence);
        else if (outcome.tunnel_ready)
            begin_connect(client);
        else
            return false;
        return true;
    case STAGE_CONNACK:
        if (outcome.accepted)
            accepted(client, &outcome);
        else if (ended || not_taken_up)
            attempt_ended(client, &outcome);
        else
            return false;
        return true;
    case STAGE_AGAIN:
        if (ended)
            go_again(client, &outcome);
        return ended;
    case STAGE_ONLINE:
    case STAGE_LEAVING:
        if (ended)
            connection_ended(client, &outcome);
        return ended;
    default:
        return false;
    }
}

static void deliver(struct mqtt *client, const struct note *note)
{
    const struct mqtt_options *options = &client->options;

    if (note->kind == NOTE_SUBSCRIBED && options->subscribed)
        options->subscribed(options->context, note->data, note->reason);
    if (note->kind == NOTE_MESSAGE && options->message)
        options->message(options->context, note->data, note->data + note->topic_size, note->size,
                         note->qos, note->retained, note->duplicate);
}

void mqtt_process(struct mqtt *client)
{
    const struct mqtt_options *options = &client->options;
    struct note *note;

    inbox_clear(&client->inbox);
    do {
        while ((note = inbox_take(&client->inbox)) != NULL) {
            if (note->kind == NOTE_ACKNOWLEDGED) {
                uint32_t token = note->token;
                int reason = note->reason;

                /* Free for what the callback may publish. */
                inbox_give_slot(&client->inbox, note);
                if (options->acknowledged)
                    options->acknowledged(options->context, token, reason);
            } else {
                deliver(client, note);
                free(note);
            }
        }
    } while (advance(client));
}

int mqtt_fd(const struct mqtt *client)
{
    return client->inbox.fd;
}

int mqtt_publish(struct mqtt *client, const char *topic, const void *payload, size_t size, int qos,
                 bool retained, uint32_t token)
{
    struct note *slot;
    int rc;

    if (client->stage != STAGE_ONLINE)
        return ERR_CLOSED;
    slot = inbox_slot(&client->inbox, token);
    if (!slot)
        return ERR_FULL;
    rc = paho_publish(client->paho, topic, payload, size, qos, retained, slot);
    if (rc != 0)
        inbox_give_slot(&client->inbox, slot);
    return rc;
}

int mqtt_subscribe(struct mqtt *client, const char *topic, int qos)
{
    struct note *note;
    int rc;

    if (client->stage != STAGE_ONLINE)
        return ERR_CLOSED;
    note = note_new(&client->inbox, NOTE_SUBSCRIBED, topic, NULL, 0);
    if (!note)
        return ERR_NOMEM;
    rc = paho_subscribe(client->paho, topic, qos, note);
    if (rc != 0)
        free(note);
    return rc;
}

int mqtt_unsubscribe(struct mqtt *client, const char *topic)
{
    return client->stage == STAGE_ONLINE ? paho_unsubscribe(client->paho, topic) : ERR_CLOSED;
}

void mqtt_disconnect(struct mqtt *client, int64_t grace_ns)
{
    client->unwanted = true;
    if (client->stage == STAGE_ONLINE) {
        client->stage = STAGE_LEAVING;
        if (paho_disconnect(client->paho, grace_ns) == 0)
            return;
    }
    tunnel_disconnect(client->tunnel); /* which tells nothing: */
    inbox_tunnel(&client->inbox, ERR_CLOSED, "the connection was closed by this gateway");
}

void mqtt_cut(struct mqtt *client)
{
    if (client->stage != STAGE_ONLINE)
        return;
    tunnel_disconnect(client->tunnel); /* which tells nothing: */
    inbox_tunnel(&client->inbox, ERR_CLOSED, "the connection was cut by this gateway");
}

static int copy_text(const char **copy, const char *text)
{
    char *fresh = text ? strdup(text) : NULL;

    if (text && !fresh)
        return ERR_NOMEM;
    free((char *)*copy);
    *copy = fresh;
    return 0;
}

int mqtt_set_will(struct mqtt *client, const struct mqtt_will *will)
{
    struct mqtt_will *own = &client->options.will;
    void *payload = NULL;

    if (will && will->topic && will->size > 0) {
        payload = malloc(will->size);
        if (!payload)
            return ERR_NOMEM;
        memcpy(payload, will->payload, will->size);
    }
    if (copy_text(&own->topic, will ? will->topic : NULL) != 0) {
        free(payload);
        return ERR_NOMEM;
    }
    free((void *)own->payload);
    own->payload = payload;
    own->size = payload ? will->size : 0;
    own->qos = will ? will->qos : 0;
    own->retained = will && will->retained;
    return 0;
}

int mqtt_set_password(struct mqtt *client, const char *user, const char *password)
{
    return copy_text(&client->options.user, user) || copy_text(&client->options.password, password)
               ? ERR_NOMEM
               : 0;
}

void mqtt_set_clean_start(struct mqtt *client, bool clean_start)
{
    client->options.clean_start = clean_start;
}

static size_t inbound_bytes_max(const struct mqtt_options *options)
{
    return options->inbound_bytes_max ? options->inbound_bytes_max : MQTT_INBOUND_BYTES_MAX;
}

static int open_tunnel(struct mqtt *client, const struct mqtt_options *options)
{
    const struct tunnel_options tunnel = {
        .pump = options->pump,
        .host = options->host,
        .port = options->port,
        .proxy_host = options->proxy_host,
        .proxy_port = options->proxy_port,
        .proxy_login_file = options->proxy_login_file,
        .tls = options->tls,
        .ca = options->tls_ca,
        .crl = options->tls_crl,
        .cert = options->tls_cert,
        .key = options->tls_key,
        .server_name = options->tls_server_name,
        .alpn = options->tls_alpn,
        .minimum = options->tls_minimum,
        .packet_size_max = inbound_bytes_max(options),
    };

    return tunnel_open(&client->tunnel, &tunnel, inbox_tunnel, &client->inbox);
}

int mqtt_open(struct mqtt **out, const struct mqtt_options *options)
{
    struct mqtt *client = calloc(1, sizeof(*client));
    int rc;

    if (!client)
        return ERR_NOMEM;
    client->options = *options;
    client->options.will = (struct mqtt_will){0};
    client->options.client_id = client->options.user = client->options.password = NULL;
    rc = inbox_open(&client->inbox, inbound_bytes_max(options));
    if (rc == 0)
        rc = copy_text(&client->options.client_id, options->client_id);
    if (rc == 0)
        rc = mqtt_set_password(client, options->user, options->password);
    if (rc == 0)
        rc = mqtt_set_will(client, &options->will);
    if (rc == 0)
        rc = open_tunnel(client, options);
    if (rc != 0) {
        mqtt_close(client);
        return rc;
    }
    *out = client;
    return 0;
}

void mqtt_close(struct mqtt *client)
{
    if (!client)
        return;
    /* Paho must have let go of its socket before its handle is destroyed. */
    if (client->stage == STAGE_CONNACK || client->stage == STAGE_AGAIN ||
        client->stage == STAGE_ONLINE || client->stage == STAGE_LEAVING) {
        mqtt_disconnect(client, 0);
        inbox_await_end(&client->inbox, 2 * NS_PER_S);
    }
    paho_close(client->paho5);
    paho_close(client->paho4);
    tunnel_close(client->tunnel);
    inbox_close(&client->inbox);
    free((char *)client->options.client_id);
    free((char *)client->options.user);
    free((char *)client->options.password);
    mqtt_set_will(client, NULL);
    free(client);
}

void mqtt_tls_description(const struct mqtt *client, char *out, size_t size)
{
    tunnel_description(client->tunnel, out, size);
}
