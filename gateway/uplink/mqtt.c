#include "uplink/mqtt.h"

#include <MQTTAsync.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "tls/tunnel.h"
#include "uplink/reason.h"

/*
 * Three threads meet here. Paho's and the pump's only append notes to a queue, or set the fields
 * under "outcome", with the lock held; the owner's does the rest, and never calls Paho or the
 * tunnel with the lock held.
 */

enum stage {
    STAGE_IDLE,
    STAGE_TUNNEL,  /* the tunnel is reaching for the broker */
    STAGE_CONNACK, /* CONNECT was handed to Paho */
    STAGE_ONLINE,
    STAGE_LEAVING, /* DISCONNECT was handed to Paho */
    STAGE_ENDING,  /* waiting until both Paho and the tunnel have noticed the end */
};

enum note_kind { NOTE_ACKNOWLEDGED, NOTE_SUBSCRIBED, NOTE_MESSAGE };

/* Something for the owner. Those for acknowledgements are the slots of the publications. */
struct note {
    struct note *next;
    struct mqtt *client;
    enum note_kind kind;
    uint32_t token;
    int reason;
    int qos;
    bool retained, duplicate;
    size_t topic_size, size;
    char data[]; /* topic with its zero, then the payload */
};

/* One per protocol version that is used: Paho ties a handle to one. */
struct side {
    struct mqtt *client;
    MQTTAsync handle;
    int version;
};

struct mqtt {
    struct mqtt_options options; /* strings are copies */
    struct tunnel *tunnel;
    struct side side5, side4;
    struct side *side; /* of the current attempt or connection */
    enum stage stage;
    int64_t timeout_ns;
    int closed_on_5; /* attempts in a row that MQTT 5 was answered by closing */
    int fd;

    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct note *slots[MQTT_OUTSTANDING_MAX]; /* free ones */
    int slot_count;
    struct note *first, **last;
    size_t inbound_bytes;

    /* outcome */
    bool tunnel_ready, tunnel_ended, paho_ended, connack;
    int tunnel_error, connack_code; /* code < 0: none came */
    bool session_present;
    uint16_t receive_maximum;
    uint32_t packet_size_max;
    char tunnel_sentence[TUNNEL_SENTENCE_SIZE], disconnect_sentence[TUNNEL_SENTENCE_SIZE];

    struct note *slot_memory;
};

static void wake(struct mqtt *client)
{
    uint64_t one = 1;

    /* It can only fail when the counter is full, and then the owner is awake. */
    if (write(client->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
        abort();
}

/* With the lock held. */
static void append(struct mqtt *client, struct note *note)
{
    note->next = NULL;
    *client->last = note;
    client->last = &note->next;
    wake(client);
}

static void tunnel_told(void *context, int error, const char *sentence)
{
    struct mqtt *client = context;

    pthread_mutex_lock(&client->lock);
    if (error == 0) {
        client->tunnel_ready = true;
    } else {
        client->tunnel_ended = true;
        client->tunnel_error = error;
        snprintf(client->tunnel_sentence, sizeof(client->tunnel_sentence), "%s", sentence);
    }
    wake(client);
    pthread_mutex_unlock(&client->lock);
}

static void paho_ended(struct side *side, int code)
{
    struct mqtt *client = side->client;

    pthread_mutex_lock(&client->lock);
    if (client->side == side) {
        client->paho_ended = true;
        client->connack_code = code;
        pthread_cond_signal(&client->ended);
        wake(client);
    }
    pthread_mutex_unlock(&client->lock);
}

static void on_connect_failure5(void *context, MQTTAsync_failureData5 *data)
{
    int reason = data ? (int)data->reasonCode : 0;

    /* A CONNACK of MQTT 3.1.1 to a CONNECT of MQTT 5 comes as a positive code. */
    if (reason <= 0)
        reason = data && data->code > 0 ? data->code : -1;
    paho_ended(context, reason);
}

static void on_connect_failure(void *context, MQTTAsync_failureData *data)
{
    paho_ended(context, data && data->code > 0 ? data->code : -1);
}

static void on_lost(void *context, char *cause)
{
    (void)cause;
    paho_ended(context, -1);
}

static void on_disconnected5(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    paho_ended(context, -1);
}

static void on_disconnected(void *context, MQTTAsync_successData *data)
{
    (void)data;
    paho_ended(context, -1);
}

static void on_disconnect_packet(void *context, MQTTProperties *properties,
                                 enum MQTTReasonCodes reason)
{
    struct side *side = context;
    struct mqtt *client = side->client;

    (void)properties;
    pthread_mutex_lock(&client->lock);
    reason_disconnect((int)reason, client->disconnect_sentence,
                      sizeof(client->disconnect_sentence));
    pthread_mutex_unlock(&client->lock);
}

static void connack(struct side *side, bool session_present, int64_t receive_maximum,
                    int64_t packet_max)
{
    struct mqtt *client = side->client;

    pthread_mutex_lock(&client->lock);
    if (client->side == side) {
        client->connack = true;
        client->session_present = session_present;
        client->receive_maximum = (uint16_t)(receive_maximum > 0 ? receive_maximum : UINT16_MAX);
        client->packet_size_max = packet_max > 0 ? (uint32_t)packet_max : UINT32_MAX;
        wake(client);
    }
    pthread_mutex_unlock(&client->lock);
}

static void on_connected5(void *context, MQTTAsync_successData5 *data)
{
    /* Absent properties give a large negative number. */
    connack(
        context, data->alt.connect.sessionPresent != 0,
        MQTTProperties_getNumericValue(&data->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM),
        MQTTProperties_getNumericValue(&data->properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE));
}

static void on_connected(void *context, MQTTAsync_successData *data)
{
    connack(context, data && data->alt.connect.sessionPresent != 0, 0, 0);
}

static void told(struct note *note, int reason)
{
    struct mqtt *client = note->client;

    pthread_mutex_lock(&client->lock);
    note->reason = reason;
    append(client, note);
    pthread_mutex_unlock(&client->lock);
}

static void on_success5(void *context, MQTTAsync_successData5 *data)
{
    told(context, (int)data->reasonCode);
}

static void on_success(void *context, MQTTAsync_successData *data)
{
    struct note *note = context;

    told(note, data && note->kind == NOTE_SUBSCRIBED ? data->alt.qos : 0);
}

static void on_failure5(void *context, MQTTAsync_failureData5 *data)
{
    int reason = data ? (int)data->reasonCode : 0;

    told(context, reason > 0 ? reason : MQTT_REASON_NEVER_SENT);
}

static void on_failure(void *context, MQTTAsync_failureData *data)
{
    struct note *note = context;

    /* 0x80 is the only refusal that MQTT 3.1.1 knows, and only of subscriptions. */
    told(note, data && data->code == 0x80 ? 0x80 : MQTT_REASON_NEVER_SENT);
}

static struct note *note_new(struct mqtt *client, enum note_kind kind, const char *topic,
                             const void *payload, size_t size)
{
    size_t topic_size = strlen(topic) + 1;
    struct note *note = calloc(1, sizeof(*note) + topic_size + size);

    if (!note)
        return NULL;
    note->client = client;
    note->kind = kind;
    note->topic_size = topic_size;
    note->size = size;
    memcpy(note->data, topic, topic_size);
    if (size > 0)
        memcpy(note->data + topic_size, payload, size);
    return note;
}

/* Returning 0 leaves the message with Paho, which offers it again. */
static int on_message(void *context, char *topic, int topic_length, MQTTAsync_message *message)
{
    struct side *side = context;
    struct mqtt *client = side->client;
    size_t size = (size_t)message->payloadlen;
    struct note *note;

    (void)
        topic_length; /* not 0 only for topics that hold a zero, which no filter of ours matches */
    pthread_mutex_lock(&client->lock);
    if (client->inbound_bytes + size > MQTT_INBOUND_BYTES_MAX ||
        !(note = note_new(client, NOTE_MESSAGE, topic, message->payload, size))) {
        pthread_mutex_unlock(&client->lock);
        return 0;
    }
    note->qos = message->qos;
    note->retained = message->retained != 0;
    note->duplicate = message->dup != 0;
    client->inbound_bytes += size;
    append(client, note);
    pthread_mutex_unlock(&client->lock);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static int make_handle(struct side *side)
{
    struct mqtt *client = side->client;
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    char url[40];

    if (side->handle)
        return 0;
    snprintf(url, sizeof(url), "tcp://127.0.0.1:%u", (unsigned)tunnel_port(client->tunnel));
    options.sendWhileDisconnected = 0;
    options.maxBufferedMessages = 2 * MQTT_OUTSTANDING_MAX;
    options.MQTTVersion = side->version == 5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    if (MQTTAsync_createWithOptions(&side->handle, url, client->options.client_id,
                                    MQTTCLIENT_PERSISTENCE_NONE, NULL,
                                    &options) != MQTTASYNC_SUCCESS) {
        side->handle = NULL;
        return ERR_NOMEM;
    }
    MQTTAsync_setCallbacks(side->handle, side, on_lost, on_message, NULL);
    if (side->version == 5)
        MQTTAsync_setDisconnected(side->handle, side, on_disconnect_packet);
    return 0;
}

static int hand_connect(struct mqtt *client)
{
    const struct mqtt_options *options = &client->options;
    MQTTAsync_connectOptions connect5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_connectOptions connect4 = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions *connect = client->side->version == 5 ? &connect5 : &connect4;
    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    MQTTProperties properties = MQTTProperties_initializer;
    MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL};
    int rc;

    expiry.value.integer4 = options->session_expiry_s;
    connect->keepAliveInterval = options->keep_alive_s;
    connect->maxInflight = UINT16_MAX;
    connect->connectTimeout = (int)((client->timeout_ns + NS_PER_S - 1) / NS_PER_S);
    connect->username = options->user;
    connect->password = options->password;
    connect->context = client->side;
    if (options->will.topic) {
        will.topicName = options->will.topic;
        will.payload.len = (int)options->will.size;
        will.payload.data = options->will.payload;
        will.retained = options->will.retained;
        will.qos = options->will.qos;
        connect->will = &will;
    }
    if (client->side->version == 5) {
        if (options->session_expiry_s > 0 && MQTTProperties_add(&properties, &expiry) != 0)
            return ERR_NOMEM;
        connect->cleanstart = options->clean_start;
        connect->connectProperties = &properties;
        connect->onSuccess5 = on_connected5;
        connect->onFailure5 = on_connect_failure5;
    } else {
        connect->MQTTVersion = MQTTVERSION_3_1_1;
        connect->cleansession = options->clean_start;
        connect->onSuccess = on_connected;
        connect->onFailure = on_connect_failure;
    }
    rc = MQTTAsync_connect(client->side->handle, connect);
    MQTTProperties_free(&properties);
    return rc == MQTTASYNC_SUCCESS ? 0 : ERR_NOMEM;
}

static void clear_outcome(struct mqtt *client)
{
    pthread_mutex_lock(&client->lock);
    client->tunnel_ready = client->tunnel_ended = client->paho_ended = client->connack = false;
    client->connack_code = -1;
    client->tunnel_sentence[0] = client->disconnect_sentence[0] = '\0';
    pthread_mutex_unlock(&client->lock);
}

static int start_attempt(struct mqtt *client, struct side *side)
{
    int rc = make_handle(side);

    if (rc != 0)
        return rc;
    tunnel_disconnect(client->tunnel); /* nothing of an earlier attempt comes after this */
    clear_outcome(client);
    pthread_mutex_lock(&client->lock);
    client->side = side;
    pthread_mutex_unlock(&client->lock);
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
    return start_attempt(client, client->options.version == 4 ? &client->side4 : &client->side5);
}

static void report_failure(struct mqtt *client, int error, const char *sentence)
{
    client->stage = STAGE_IDLE;
    if (client->options.failed)
        client->options.failed(client->options.context, error, sentence);
}

/* Both Paho and the tunnel have noticed the end of an attempt that got no accepting CONNACK. */
static void attempt_ended(struct mqtt *client)
{
    int version = client->side->version, code = client->connack_code;
    bool closed = code < 0 && client->tunnel_error == ERR_CLOSED;
    char sentence[TUNNEL_SENTENCE_SIZE];
    int error = ERR_CLOSED;

    if (version == 5)
        client->closed_on_5 = closed ? client->closed_on_5 + 1 : 0;
    /* Some brokers of old answer MQTT 5 by closing; so does a network that fails, once. */
    if (version == 5 && client->options.version == 0 &&
        (reason_is_version(5, code) || client->closed_on_5 >= 2)) {
        if (start_attempt(client, &client->side4) != 0)
            report_failure(client, ERR_NOMEM, error_text(ERR_NOMEM));
        return;
    }
    if (code > 0)
        error = reason_connack(version, code, sentence, sizeof(sentence));
    else if (client->tunnel_error == ERR_CLOSED)
        snprintf(sentence, sizeof(sentence),
                 "the broker did not answer CONNECT (%.200s): check that the port speaks MQTT "
                 "%s, and the broker's log",
                 client->tunnel_sentence, client->options.tls ? "over TLS" : "without TLS");
    else
        snprintf(sentence, sizeof(sentence), "%s", client->tunnel_sentence);
    report_failure(client, error, sentence);
}

static void connection_ended(struct mqtt *client)
{
    char sentence[TUNNEL_SENTENCE_SIZE];

    snprintf(sentence, sizeof(sentence), "%s",
             client->disconnect_sentence[0] ? client->disconnect_sentence
                                            : client->tunnel_sentence);
    client->stage = STAGE_IDLE;
    if (client->options.lost)
        client->options.lost(client->options.context, sentence);
}

/* Goes on with whatever the other threads have reported; returns true when something changed. */
static bool advance(struct mqtt *client)
{
    bool ready, tunnel_gone, paho_gone, accepted;

    pthread_mutex_lock(&client->lock);
    ready = client->tunnel_ready;
    tunnel_gone = client->tunnel_ended;
    paho_gone = client->paho_ended;
    accepted = client->connack;
    pthread_mutex_unlock(&client->lock);
    switch (client->stage) {
    case STAGE_TUNNEL:
        if (tunnel_gone) {
            report_failure(client, client->tunnel_error, client->tunnel_sentence);
        } else if (ready) {
            client->stage = STAGE_CONNACK;
            if (hand_connect(client) == 0)
                return true;
            tunnel_disconnect(client->tunnel);
            report_failure(client, ERR_NOMEM, "the MQTT library could not begin to connect");
        } else {
            return false;
        }
        return true;
    case STAGE_CONNACK:
        if (accepted) {
            client->stage = STAGE_ONLINE;
            client->closed_on_5 = 0;
            if (client->options.connected)
                client->options.connected(client->options.context, client->session_present,
                                          client->side->version, client->receive_maximum,
                                          client->packet_size_max);
            return true;
        }
        if (!paho_gone || !tunnel_gone)
            return false;
        attempt_ended(client);
        return true;
    case STAGE_ONLINE:
    case STAGE_LEAVING:
        if (!paho_gone || !tunnel_gone)
            return false;
        connection_ended(client);
        return true;
    default:
        return false;
    }
}

static void deliver(struct mqtt *client, const struct note *note)
{
    const struct mqtt_options *options = &client->options;

    if (note->kind == NOTE_ACKNOWLEDGED && options->acknowledged)
        options->acknowledged(options->context, note->token, note->reason);
    if (note->kind == NOTE_SUBSCRIBED && options->subscribed)
        options->subscribed(options->context, note->data, note->reason);
    if (note->kind == NOTE_MESSAGE && options->message)
        options->message(options->context, note->data, note->data + note->topic_size, note->size,
                         note->qos, note->retained, note->duplicate);
}

static struct note *take_note(struct mqtt *client)
{
    struct note *note;

    pthread_mutex_lock(&client->lock);
    note = client->first;
    if (note) {
        client->first = note->next;
        if (!client->first)
            client->last = &client->first;
        if (note->kind == NOTE_MESSAGE)
            client->inbound_bytes -= note->size;
    }
    pthread_mutex_unlock(&client->lock);
    return note;
}

static void give_slot(struct mqtt *client, struct note *note)
{
    pthread_mutex_lock(&client->lock);
    client->slots[client->slot_count++] = note;
    pthread_mutex_unlock(&client->lock);
}

void mqtt_process(struct mqtt *client)
{
    struct note *note;
    uint64_t count;

    if (read(client->fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
        abort();
    do {
        while ((note = take_note(client)) != NULL) {
            struct note copy = *note;

            if (note->kind == NOTE_ACKNOWLEDGED) { /* free for what the callback may publish */
                give_slot(client, note);
                deliver(client, &copy);
            } else {
                deliver(client, note);
                free(note);
            }
        }
    } while (advance(client));
}

int mqtt_fd(const struct mqtt *client)
{
    return client->fd;
}

int mqtt_publish(struct mqtt *client, const char *topic, const void *payload, size_t size, int qos,
                 bool retained, uint32_t token)
{
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    struct note *slot = NULL;
    int rc;

    if (client->stage != STAGE_ONLINE)
        return ERR_CLOSED;
    pthread_mutex_lock(&client->lock);
    if (client->slot_count > 0)
        slot = client->slots[--client->slot_count];
    pthread_mutex_unlock(&client->lock);
    if (!slot)
        return ERR_FULL;
    slot->token = token;
    response.context = slot;
    if (client->side->version == 5) {
        response.onSuccess5 = on_success5;
        response.onFailure5 = on_failure5;
    } else {
        response.onSuccess = on_success;
        response.onFailure = on_failure;
    }
    rc = MQTTAsync_send(client->side->handle, topic, (int)size, payload, qos, retained, &response);
    if (rc == MQTTASYNC_SUCCESS)
        return 0;
    give_slot(client, slot);
    if (rc == MQTTASYNC_DISCONNECTED)
        return ERR_CLOSED;
    return rc == MQTTASYNC_MAX_BUFFERED_MESSAGES || rc == MQTTASYNC_NO_MORE_MSGIDS ? ERR_FULL
                                                                                   : ERR_INVALID;
}

static int change_subscription(struct mqtt *client, const char *topic, int qos, bool subscribe)
{
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    struct note *note = NULL;
    int rc;

    if (client->stage != STAGE_ONLINE)
        return ERR_CLOSED;
    if (subscribe) {
        note = note_new(client, NOTE_SUBSCRIBED, topic, NULL, 0);
        if (!note)
            return ERR_NOMEM;
        response.context = note;
        if (client->side->version == 5) {
            response.onSuccess5 = on_success5;
            response.onFailure5 = on_failure5;
        } else {
            response.onSuccess = on_success;
            response.onFailure = on_failure;
        }
        rc = MQTTAsync_subscribe(client->side->handle, topic, qos, &response);
    } else {
        rc = MQTTAsync_unsubscribe(client->side->handle, topic, &response);
    }
    if (rc == MQTTASYNC_SUCCESS)
        return 0;
    free(note);
    return rc == MQTTASYNC_DISCONNECTED ? ERR_CLOSED : ERR_INVALID;
}

int mqtt_subscribe(struct mqtt *client, const char *topic, int qos)
{
    return change_subscription(client, topic, qos, true);
}

int mqtt_unsubscribe(struct mqtt *client, const char *topic)
{
    return change_subscription(client, topic, 0, false);
}

void mqtt_disconnect(struct mqtt *client, int64_t grace_ns)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;

    if (client->stage == STAGE_ONLINE) {
        options.timeout = (int)(grace_ns / NS_PER_MS);
        options.context = client->side;
        if (client->side->version == 5) {
            options.struct_version = 1;
            options.onSuccess5 = on_disconnected5;
        } else {
            options.onSuccess = on_disconnected;
        }
        client->stage = STAGE_LEAVING;
        if (MQTTAsync_disconnect(client->side->handle, &options) == MQTTASYNC_SUCCESS)
            return;
    }
    tunnel_disconnect(client->tunnel);
    pthread_mutex_lock(&client->lock);
    client->tunnel_ended = true;
    pthread_mutex_unlock(&client->lock);
    if (client->stage == STAGE_TUNNEL)
        client->stage = STAGE_IDLE;
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

static int open_slots(struct mqtt *client)
{
    client->slot_memory = calloc(MQTT_OUTSTANDING_MAX, sizeof(struct note));
    if (!client->slot_memory)
        return ERR_NOMEM;
    for (int i = 0; i < MQTT_OUTSTANDING_MAX; i++) {
        struct note *slot = &client->slot_memory[i];

        slot->client = client;
        slot->kind = NOTE_ACKNOWLEDGED;
        client->slots[client->slot_count++] = slot;
    }
    return 0;
}

int mqtt_open(struct mqtt **out, const struct mqtt_options *options)
{
    struct tunnel_options tunnel = {
        .pump = options->pump,
        .host = options->host,
        .port = options->port,
        .tls = options->tls,
        .ca = options->tls_ca,
        .crl = options->tls_crl,
        .cert = options->tls_cert,
        .key = options->tls_key,
        .server_name = options->tls_server_name,
        .alpn = options->tls_alpn,
        .minimum = options->tls_minimum,
    };
    struct mqtt *client = calloc(1, sizeof(*client));
    pthread_condattr_t attributes;
    int rc;

    if (!client)
        return ERR_NOMEM;
    pthread_mutex_init(&client->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&client->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    client->last = &client->first;
    client->side5 = (struct side){.client = client, .version = 5};
    client->side4 = (struct side){.client = client, .version = 4};
    client->options = *options;
    client->options.will = (struct mqtt_will){0};
    client->options.client_id = client->options.user = client->options.password = NULL;
    client->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = client->fd < 0 ? ERR_IO : open_slots(client);
    if (rc == 0)
        rc = copy_text(&client->options.client_id, options->client_id);
    if (rc == 0)
        rc = mqtt_set_password(client, options->user, options->password);
    if (rc == 0)
        rc = mqtt_set_will(client, &options->will);
    if (rc == 0)
        rc = tunnel_open(&client->tunnel, &tunnel, tunnel_told, client);
    if (rc != 0) {
        mqtt_close(client);
        return rc;
    }
    *out = client;
    return 0;
}

/* Paho must have let go of its socket before its handle is destroyed. */
static void await_end(struct mqtt *client, int64_t limit_ns)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(limit_ns / NS_PER_S);
    pthread_mutex_lock(&client->lock);
    while (!client->paho_ended) {
        if (pthread_cond_timedwait(&client->ended, &client->lock, &until) != 0)
            break;
    }
    pthread_mutex_unlock(&client->lock);
}

void mqtt_close(struct mqtt *client)
{
    struct note *note;

    if (!client)
        return;
    if (client->stage == STAGE_ONLINE || client->stage == STAGE_LEAVING) {
        mqtt_disconnect(client, 0);
        await_end(client, 2 * NS_PER_S);
    } else if (client->stage == STAGE_CONNACK) {
        tunnel_disconnect(client->tunnel);
        await_end(client, 2 * NS_PER_S);
    }
    if (client->side5.handle)
        MQTTAsync_destroy(&client->side5.handle);
    if (client->side4.handle)
        MQTTAsync_destroy(&client->side4.handle);
    tunnel_close(client->tunnel);
    while ((note = take_note(client)) != NULL) {
        if (note->kind != NOTE_ACKNOWLEDGED)
            free(note);
    }
    if (client->fd >= 0)
        close(client->fd);
    free(client->slot_memory);
    free((char *)client->options.client_id);
    free((char *)client->options.user);
    free((char *)client->options.password);
    mqtt_set_will(client, NULL);
    pthread_cond_destroy(&client->ended);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

void mqtt_tls_description(const struct mqtt *client, char *out, size_t size)
{
    tunnel_description(client->tunnel, out, size);
}
