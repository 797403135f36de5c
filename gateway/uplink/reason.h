/* MQTT's reason codes in words that tell the operator what to do. */
#ifndef SLUICE_UPLINK_REASON_H
#define SLUICE_UPLINK_REASON_H

#include <stdbool.h>
#include <stddef.h>

/* CONNACK: `version` 5 (MQTT 5, 3.2.2.2) or 4 (MQTT 3.1.1, 3.2.2.3). Returns the error that stands
 * for it. */
int reason_connack(int version, int code, char *sentence, size_t size);

/* DISCONNECT from the broker (MQTT 5, 3.14.2.1). */
void reason_disconnect(int code, char *sentence, size_t size);

/* Whether a DISCONNECT with that reason, or a connection that ended without one (below 0), may be
 * the fault of a message that was on its way. */
bool reason_may_be_a_message(int code);

/* PUBACK (MQTT 5, 3.4.2.1): what the broker says of a message on `topic`. */
void reason_puback(int code, const char *topic, char *sentence, size_t size);

/* Whether a CONNACK says that the broker does not speak the version of the protocol. */
int reason_is_version(int version, int code);

#endif
