#include "uplink/paho.h"

#include <MQTTAsync.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

struct paho {
    MQTTAsync handle;
    int version;
    const struct tunnel *tunnel;
    struct inbox *inbox;
    atomic_int kept; /* a descriptor, see keep_number; -1 */
};

static void let_go(struct paho *paho, int next)
{
    int before = atomic_exchange(&paho->kept, next);

    if (before >= 0)
        close(before);
}

/*
 * Where an attempt fails while Paho reads the answer to CONNECT, its receiving thread closes the
 * socket, tells of the failure, and only then looks which handle had the socket, by its number: a
 * new connection that has got that number meanwhile, of this or of another uplink, is torn down in
 * its place. So the number is taken until one stands. This runs on that thread and under Paho's
 * lock, between the closing and any socket that Paho makes.
 */
static void keep_number(struct paho *paho)
{
    int number = tunnel_client(paho->tunnel);
    int kept = number < 0 ? -1 : fcntl(paho->inbox->fd, F_DUPFD_CLOEXEC, number);

    if (kept > number) { /* somebody else has it, who is not Paho */
        close(kept);
        kept = -1;
    }
    let_go(paho, kept);
}

/* The callbacks come on Paho's threads under its lock: they leave word and return. */

static void on_connect_failure5(void *context, MQTTAsync_failureData5 *data)
{
    struct paho *paho = context;
    int reason = data ? (int)data->reasonCode : 0;

    /* A CONNACK of MQTT 3.1.1 to a CONNECT of MQTT 5 comes as a positive code. */
    if (reason <= 0)
        reason = data && data->code > 0 ? data->code : -1;
    keep_number(paho);
    inbox_ended(paho->inbox, paho, reason);
}

static void on_connect_failure(void *context, MQTTAsync_failureData *data)
{
    struct paho *paho = context;

    keep_number(paho);
    inbox_ended(paho->inbox, paho, data && data->code > 0 ? data->code : -1);
}

static void on_lost(void *context, char *cause)
{
    struct paho *paho = context;

    (void)cause;
    inbox_ended(paho->inbox, paho, -1);
}

static void on_disconnected5(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    on_lost(context, NULL);
}

static void on_disconnected(void *context, MQTTAsync_successData *data)
{
    (void)data;
    on_lost(context, NULL);
}

static void on_disconnect_packet(void *context, MQTTProperties *properties,
                                 enum MQTTReasonCodes reason)
{
    struct paho *paho = context;

    /* Paho then closes its socket and does not call on_lost. */
    (void)properties;
    inbox_disconnect(paho->inbox, paho, (int)reason);
}

static void on_connected5(void *context, MQTTAsync_successData5 *data)
{
    struct paho *paho = context;

    /* Absent properties give a large negative number. */
    inbox_accepted(
        paho->inbox, paho, data->alt.connect.sessionPresent != 0,
        MQTTProperties_getNumericValue(&data->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM),
        MQTTProperties_getNumericValue(&data->properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE),
        MQTTProperties_getNumericValue(&data->properties, MQTTPROPERTY_CODE_SERVER_KEEP_ALIVE));
}

static void on_connected(void *context, MQTTAsync_successData *data)
{
    struct paho *paho = context;

    inbox_accepted(paho->inbox, paho, data && data->alt.connect.sessionPresent != 0, -1, -1, -1);
}

static void on_success5(void *context, MQTTAsync_successData5 *data)
{
    inbox_told(context, (int)data->reasonCode);
}

static void on_success(void *context, MQTTAsync_successData *data)
{
    struct note *note = context;

    inbox_told(note, data && note->kind == NOTE_SUBSCRIBED ? data->alt.qos : 0);
}

static void on_failure5(void *context, MQTTAsync_failureData5 *data)
{
    int reason = data ? (int)data->reasonCode : 0;

    inbox_told(context, reason > 0 ? reason : MQTT_REASON_NEVER_SENT);
}

static void on_failure(void *context, MQTTAsync_failureData *data)
{
    /* 0x80 is the only refusal that MQTT 3.1.1 knows, and only of subscriptions. */
    inbox_told(context, data && data->code == 0x80 ? 0x80 : MQTT_REASON_NEVER_SENT);
}

/* Returning 0 leaves the message with Paho, which offers it again. */
static int on_message(void *context, char *topic, int topic_length, MQTTAsync_message *message)
{
    struct paho *paho = context;

    (void)
        topic_length; /* not 0 only for topics that hold a zero, which no filter of ours matches */
    if (!inbox_message(paho->inbox, topic, message->payload, (size_t)message->payloadlen,
                       message->qos, message->retained != 0, message->dup != 0))
        return 0;
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

int paho_open(struct paho **out, int version, const struct tunnel *tunnel, const char *client_id,
              struct inbox *inbox)
{
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    struct paho *paho = calloc(1, sizeof(*paho));
    char url[40];

    if (!paho)
        return ERR_NOMEM;
    paho->version = version;
    paho->tunnel = tunnel;
    paho->inbox = inbox;
    atomic_init(&paho->kept, -1);
    snprintf(url, sizeof(url), "tcp://127.0.0.1:%u", (unsigned)tunnel_port(tunnel));
    options.sendWhileDisconnected = 0;
    options.maxBufferedMessages = 2 * MQTT_OUTSTANDING_MAX;
    options.MQTTVersion = version == 5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    /*
     * Paho would note each of its steps in a ring of 400 that nobody looks at. It looks whether
     * there is a ring before it takes the lock: a thread whose note comes while the last handle
     * goes makes a new ring, which the next first handle forgets. Errors look under the lock.
     */
    MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);
    if (MQTTAsync_createWithOptions(&paho->handle, url, client_id, MQTTCLIENT_PERSISTENCE_NONE,
                                    NULL, &options) != MQTTASYNC_SUCCESS) {
        free(paho);
        return ERR_NOMEM;
    }
    MQTTAsync_setCallbacks(paho->handle, paho, on_lost, on_message, NULL);
    if (version == 5)
        MQTTAsync_setDisconnected(paho->handle, paho, on_disconnect_packet);
    *out = paho;
    return 0;
}

void paho_close(struct paho *paho)
{
    if (!paho)
        return;
    MQTTAsync_destroy(&paho->handle);
    let_go(paho, -1);
    free(paho);
}

void paho_settled(struct paho *paho)
{
    if (paho)
        let_go(paho, -1);
}

int paho_version(const struct paho *paho)
{
    return paho->version;
}

int paho_connect(struct paho *paho, const struct mqtt_options *options, int64_t timeout_ns)
{
    MQTTAsync_connectOptions connect5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_connectOptions connect4 = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions *connect = paho->version == 5 ? &connect5 : &connect4;
    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    MQTTProperties properties = MQTTProperties_initializer;
    MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL};
    int rc;

    expiry.value.integer4 = options->session_expiry_s;
    connect->keepAliveInterval = options->keep_alive_s;
    connect->maxInflight = UINT16_MAX; /* the window is the caller's: Paho stalls at its own */
    connect->connectTimeout = (int)((timeout_ns + NS_PER_S - 1) / NS_PER_S);
    connect->username = options->user;
    connect->password = options->password;
    connect->context = paho;
    if (options->will.topic) {
        will.topicName = options->will.topic;
        will.payload.len = (int)options->will.size;
        will.payload.data = options->will.payload;
        will.retained = options->will.retained;
        will.qos = options->will.qos;
        connect->will = &will;
    }
    if (paho->version == 5) {
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
    rc = MQTTAsync_connect(paho->handle, connect);
    MQTTProperties_free(&properties);
    return rc == MQTTASYNC_SUCCESS ? 0 : ERR_NOMEM;
}

int paho_disconnect(struct paho *paho, int64_t grace_ns)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;

    options.timeout = (int)(grace_ns / NS_PER_MS);
    options.context = paho;
    if (paho->version == 5) {
        options.struct_version = 1;
        options.onSuccess5 = on_disconnected5;
    } else {
        options.onSuccess = on_disconnected;
    }
    return MQTTAsync_disconnect(paho->handle, &options) == MQTTASYNC_SUCCESS ? 0 : ERR_CLOSED;
}

static MQTTAsync_responseOptions answer_to(const struct paho *paho, struct note *note)
{
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;

    response.context = note;
    if (note && paho->version == 5) {
        response.onSuccess5 = on_success5;
        response.onFailure5 = on_failure5;
    } else if (note) {
        response.onSuccess = on_success;
        response.onFailure = on_failure;
    }
    return response;
}

static int error_of(int rc)
{
    switch (rc) {
    case MQTTASYNC_SUCCESS:
        return 0;
    case MQTTASYNC_DISCONNECTED:
        return ERR_CLOSED;
    case MQTTASYNC_MAX_BUFFERED_MESSAGES:
    case MQTTASYNC_NO_MORE_MSGIDS:
        return ERR_FULL;
    default:
        return ERR_INVALID;
    }
}

int paho_publish(struct paho *paho, const char *topic, const void *payload, size_t size, int qos,
                 bool retained, struct note *slot)
{
    MQTTAsync_responseOptions response = answer_to(paho, slot);

    return error_of(
        MQTTAsync_send(paho->handle, topic, (int)size, payload, qos, retained, &response));
}

int paho_subscribe(struct paho *paho, const char *topic, int qos, struct note *note)
{
    MQTTAsync_responseOptions response = answer_to(paho, note);

    return error_of(MQTTAsync_subscribe(paho->handle, topic, qos, &response));
}

int paho_unsubscribe(struct paho *paho, const char *topic)
{
    MQTTAsync_responseOptions response = answer_to(paho, NULL);

    return error_of(MQTTAsync_unsubscribe(paho->handle, topic, &response));
}
