/* Eclipse Paho's asynchronous client, one handle for one version of the protocol. paho.c alone
 * includes it. */
#ifndef SLUICE_UPLINK_PAHO_H
#define SLUICE_UPLINK_PAHO_H

#include "tls/tunnel.h"
#include "uplink/inbox.h"

struct paho;

/* Made once and kept: destroying handles while others are in use has races. ERR_NOMEM. */
int paho_open(struct paho **paho, int version, const struct tunnel *tunnel, const char *client_id,
              struct inbox *inbox);
void paho_close(struct paho *paho);

int paho_version(const struct paho *paho);

/* A connection of the broker's stands: what was kept for the sake of an attempt that had failed is
 * given back. */
void paho_settled(struct paho *paho);

/* Each is answered through the inbox. 0, ERR_NOMEM, ERR_CLOSED, ERR_FULL, ERR_INVALID. */
int paho_connect(struct paho *paho, const struct mqtt_options *options, int64_t timeout_ns);
int paho_disconnect(struct paho *paho, int64_t grace_ns);
int paho_publish(struct paho *paho, const char *topic, const void *payload, size_t size, int qos,
                 bool retained, struct note *slot);
int paho_subscribe(struct paho *paho, const char *topic, int qos, struct note *note);
int paho_unsubscribe(struct paho *paho, const char *topic);

#endif
