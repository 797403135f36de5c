/*
 * The MQTT client of Sluice: Eclipse Paho's asynchronous client over the tunnel (tls/tunnel.h), as a small interface. The
 * only user of Paho's headers is mqtt.c. Used by uplinks, and by `sluice audit` as a subscriber.
 *
 * Callbacks come on Paho's threads under its lock: they copy what they need and wake somebody; they call nothing here.
 */
#ifndef SLUICE_UPLINK_MQTT_H
#define SLUICE_UPLINK_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt;
struct tls_identity; /* tls/tunnel.h */

struct mqtt_will {
    const char *topic;
    const void *payload;
    size_t size;
    int qos;
    bool retained;
};

struct mqtt_options {
    const char *host;
    uint16_t port;
    bool tls;
    const char *tls_ca, *tls_cert, *tls_key, *tls_server_name, *tls_alpn; /* files; NULL for none */
    int tls_minimum;
    const char *client_id;
    const char *user, *password;     /* NULL for none */
    int version;                     /* 0: 5 then 3.1.1; 5; 4 */
    bool clean_start;
    uint32_t session_expiry_s;
    int keep_alive_s;
    struct mqtt_will will;           /* topic NULL: none */

    void *context;
    void (*connected)(void *context, bool session_present, int version, uint16_t receive_maximum, uint32_t packet_size_max);
    void (*failed)(void *context, int error, const char *sentence);   /* connecting did not work */
    void (*lost)(void *context, const char *sentence);                /* the connection ended */
    void (*acknowledged)(void *context, uint64_t token, int reason);  /* PUBACK; reason 0 on 3.1.1; negative: never sent */
    void (*subscribed)(void *context, const char *topic, int reason); /* SUBACK: granted QoS or >= 0x80 */
    void (*message)(void *context, const char *topic, const void *payload, size_t size, int qos, bool retained, bool duplicate);
};

/* Makes a client; strings are copied. ERR_NOMEM, ERR_IO (no loopback port). One per process lifetime of an uplink: reused over connections. */
int mqtt_open(struct mqtt **client, const struct mqtt_options *options);
void mqtt_close(struct mqtt *client);

/* Starts one attempt: name look-up, TCP, TLS, CONNECT; the outcome comes by callback within the time-out. */
int mqtt_connect(struct mqtt *client, int64_t timeout_ns);
void mqtt_disconnect(struct mqtt *client);

/* QoS 1 unless said otherwise. `token` comes back with the acknowledgement. 0, ERR_FULL, ERR_CLOSED. */
int mqtt_publish(struct mqtt *client, const char *topic, const void *payload, size_t size, int qos, bool retained, uint64_t token);
int mqtt_subscribe(struct mqtt *client, const char *topic, int qos);

/* "TLSv1.3 TLS1-3-CHACHA20-POLY1305-SHA256" of the connection; "" without TLS. */
void mqtt_tls_description(const struct mqtt *client, char *out, size_t size);

#endif
