/*
 * The MQTT client of Sluice: Eclipse Paho's asynchronous client over the tunnel (tls/tunnel.h), as
 * a small interface. The only user of Paho's headers is paho.c. Used by uplinks, and by `sluice
 * audit` as a subscriber.
 *
 * A client belongs to one thread. Whatever Paho's and the tunnel's threads report is queued; the
 * owner waits for mqtt_fd to become readable and calls mqtt_process, and only from within it do the
 * callbacks come, so that they may call anything here but mqtt_close.
 */
#ifndef SLUICE_UPLINK_MQTT_H
#define SLUICE_UPLINK_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MQTT_INBOUND_BYTES_MAX (4 * 1024 * 1024) /* of messages received and not yet processed */
#define MQTT_OUTSTANDING_MAX   1024              /* publications not yet acknowledged */

struct mqtt;
struct pump; /* tls/pump.h */

struct mqtt_will {
    const char *topic;
    const void *payload;
    size_t size;
    int qos;
    bool retained;
};

/* Reasons of `acknowledged` beside those of MQTT 5 (section 2.4). */
#define MQTT_REASON_NEVER_SENT (-1) /* given up by the client: the session was lost */
#define MQTT_REASON_NOBODY     0x10 /* accepted; no subscriber matches */

/* Reasons of `lost` that are told apart. */
#define MQTT_REASON_NONE       (-1)
#define MQTT_REASON_TAKEN_OVER 0x8E /* another client connected with the same client id */

struct mqtt_options {
    const char *host;
    uint16_t port;
    const char *proxy_host; /* NULL for none */
    uint16_t proxy_port;
    const char *proxy_login_file; /* NULL for none */
    bool tls;
    const char *tls_ca, *tls_crl, *tls_cert, *tls_key; /* files; NULL for none */
    const char *tls_server_name, *tls_alpn;            /* NULL for none */
    int tls_minimum;                                   /* 12 or 13 */
    struct pump *pump;                                 /* NULL: one of its own */
    const char *client_id;
    const char *user, *password; /* NULL for none */
    int version;                 /* 0: 5, falling back to 3.1.1; 5; 4 (3.1.1) */
    bool clean_start;
    uint32_t session_expiry_s;
    int keep_alive_s;
    size_t inbound_bytes_max; /* of messages received and not yet processed, and of one packet;
                                 0: MQTT_INBOUND_BYTES_MAX */
    struct mqtt_will will;    /* topic NULL: none */

    void *context;
    /* Any of them may be NULL. Strings and payloads are valid during the call. */
    void (*connected)(
        void *context, bool session_present, int version, uint16_t receive_maximum,
        uint32_t packet_size_max); /* as the broker says; 65535 and UINT32_MAX without a limit */
    void (*failed)(void *context, int error, const char *sentence); /* connecting did not work */
    /* The connection ended; `reason` is that of the broker's DISCONNECT (MQTT 5, 3.14.2.1), or
     * MQTT_REASON_NONE where none came. */
    void (*lost)(void *context, int reason, const char *sentence);
    void (*acknowledged)(void *context, uint32_t token, int reason); /* PUBACK; reason 0 on 3.1.1 */
    void (*subscribed)(void *context, const char *topic, int reason); /* granted QoS, or >= 0x80 */
    void (*message)(void *context, const char *topic, const void *payload, size_t size, int qos,
                    bool retained, bool duplicate);
};

/*
 * Makes a client; strings are copied, the callbacks' context is not. ERR_NOMEM, ERR_IO (no loopback
 * port). One for the whole life of an uplink: it is used again for every connection.
 */
int mqtt_open(struct mqtt **client, const struct mqtt_options *options);

/* Disconnects (the will is not sent after an orderly mqtt_disconnect) and frees; no callback comes.
 * NULL is fine. */
void mqtt_close(struct mqtt *client);

/* Readable when mqtt_process has something to do. */
int mqtt_fd(const struct mqtt *client);

/* Calls the callbacks for what has come. Never waits. */
void mqtt_process(struct mqtt *client);

/* What the next connect sends. 0 or ERR_NOMEM; NULL for none. */
int mqtt_set_will(struct mqtt *client, const struct mqtt_will *will);
int mqtt_set_password(struct mqtt *client, const char *user, const char *password);
void mqtt_set_clean_start(struct mqtt *client, bool clean_start);

/*
 * Starts one attempt: name look-up, TCP, TLS, CONNECT, and once more with 3.1.1 where the broker
 * does not speak 5; the outcome comes by `connected` or `failed` within the time-out (per protocol
 * version). 0, ERR_NOMEM, or ERR_BUSY while connecting or connected. Error of `failed`: the
 * tunnel's, ERR_REFUSED (a CONNACK that says no for good: identity or rights), ERR_BUSY (a CONNACK
 * that says later), ERR_PROTOCOL, ERR_TIMEOUT, ERR_CLOSED.
 *
 * Publications that are outstanding when a connection is lost are sent again by the client when the
 * broker still has the session, and else acknowledged with MQTT_REASON_NEVER_SENT; those that it
 * had not begun to send go out after the reconnect in either case.
 */
int mqtt_connect(struct mqtt *client, int64_t timeout_ns);

/* Says goodbye (the broker then discards the will) after what is outstanding, at most `grace_ns`;
 * `lost` comes at the end. */
void mqtt_disconnect(struct mqtt *client, int64_t grace_ns);

/* Ends the connection as a network does that fails: without a word, so that the broker sends the
 * will. `lost` comes at the end; nothing happens where there is no connection. */
void mqtt_cut(struct mqtt *client);

/*
 * The payload is copied. `token` comes back with the acknowledgement: exactly once per publication
 * taken. 0, ERR_CLOSED when not connected, ERR_FULL with MQTT_OUTSTANDING_MAX outstanding,
 * ERR_NOMEM, ERR_INVALID.
 */
int mqtt_publish(struct mqtt *client, const char *topic, const void *payload, size_t size, int qos,
                 bool retained, uint32_t token);
int mqtt_subscribe(struct mqtt *client, const char *topic, int qos);
int mqtt_unsubscribe(struct mqtt *client, const char *topic);

/* "TLSv1.3 TLS1-3-CHACHA20-POLY1305-SHA256" of the connection; "" without TLS. Thread-safe. */
void mqtt_tls_description(const struct mqtt *client, char *out, size_t size);

#endif
