/* What an uplink's options mean for the client that connects: shared by the uplink and by `sluice
 * doctor`, which must find what the uplink would. */
#ifndef SLUICE_UPLINK_CLIENT_H
#define SLUICE_UPLINK_CLIENT_H

#include "core/event.h"
#include "core/secret.h"
#include "uplink/mqtt.h"
#include "uplink/uplink.h"
#include "uplink/url.h"

#define CLIENT_ID_SIZE          (2 * ID_SIZE_MAX)
#define CLIENT_SESSION_EXPIRY_S 3600

/* The client id that the broker sees: as configured, or the gateway's for the first uplink, else
 * gateway-uplink. */
void client_id(const struct uplink_options *options, const char *gateway, char id[CLIENT_ID_SIZE]);

/* Where the broker is, and the proxy to it. 0, or ERR_INVALID with what is allowed in `sentence`.
 */
int client_url(const struct uplink_options *options, struct uplink_url *url, char *sentence,
               size_t size);

/* Fills in all but callbacks, will, client id and password. Texts stay those of `options` and
 * `url`. */
void client_options(const struct uplink_options *options, const struct uplink_url *url,
                    struct mqtt_options *mqtt);

/* Reads a password file; wipe what was read. 0; ERR_NOT_FOUND, ERR_INVALID for one that is too
 * long, with a sentence. */
int client_password(const char *path, char password[SECRET_SIZE], char *sentence, size_t size);

/* Another number when one of the files with the logins, at the broker and at the proxy, was written
 * or replaced. */
uint64_t client_login_stamp(const struct uplink_options *options);

#endif
