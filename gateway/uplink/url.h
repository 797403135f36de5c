/* A broker's URL: mqtt://host[:1883] or mqtts://host[:8883]; and that of the HTTP proxy to it. */
#ifndef SLUICE_UPLINK_URL_H
#define SLUICE_UPLINK_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uplink_url {
    char host[256]; /* name or address; IPv6 without its brackets */
    uint16_t port;
    bool tls;
    char proxy_host[256]; /* "": none */
    uint16_t proxy_port;
};

/* Returns 0, or ERR_INVALID with what is allowed in `sentence`. */
int uplink_url_parse(const char *text, struct uplink_url *url, char *sentence, size_t size);

/* http://host[:3128], into a URL that was parsed before. As uplink_url_parse. */
int uplink_proxy_parse(const char *text, struct uplink_url *url, char *sentence, size_t size);

#endif
