#include "uplink/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

static int complain(const char *text, const char *what, char *sentence, size_t size)
{
    snprintf(sentence, size,
             "found \"%.100s\": %s; allowed: mqtt://HOST[:PORT] or mqtts://HOST[:PORT] (with TLS)",
             text, what);
    return ERR_INVALID;
}

static int parse_port(const char *text, uint16_t *port)
{
    unsigned long value = 0;

    for (const char *at = text; *at; at++) {
        if (*at < '0' || *at > '9' || at - text >= 5)
            return ERR_INVALID;
        value = value * 10 + (unsigned long)(*at - '0');
    }
    if (value < 1 || value > 65535)
        return ERR_INVALID;
    *port = (uint16_t)value;
    return 0;
}

int uplink_url_parse(const char *text, struct uplink_url *url, char *sentence, size_t size)
{
    const char *host, *end, *rest;
    size_t length;

    *url = (struct uplink_url){.port = 1883};
    if (strncmp(text, "mqtt://", 7) == 0) {
        host = text + 7;
    } else if (strncmp(text, "mqtts://", 8) == 0) {
        host = text + 8;
        url->tls = true;
        url->port = 8883;
    } else {
        return complain(text, "it does not begin with mqtt:// or mqtts://", sentence, size);
    }
    if (*host == '[') {
        end = strchr(++host, ']');
        if (!end)
            return complain(text, "the bracket of the IPv6 address is not closed", sentence, size);
        rest = end + 1;
    } else {
        end = rest = host + strcspn(host, ":/?#@");
    }
    length = (size_t)(end - host);
    if (*rest == '@')
        return complain(text, "user and password have options of their own (user, password_file)",
                        sentence, size);
    if (length == 0 || length >= sizeof(url->host))
        return complain(text, "the host is missing or too long", sentence, size);
    memcpy(url->host, host, length);
    if (*rest == ':') {
        size_t digits = strcspn(rest + 1, "/");
        char port[8];

        snprintf(port, sizeof(port), "%.*s", (int)digits, rest + 1);
        if (digits > 5 || parse_port(port, &url->port) != 0)
            return complain(text, "the port is not a number from 1 to 65535", sentence, size);
        rest += 1 + digits;
    }
    if (strcmp(rest, "") != 0 && strcmp(rest, "/") != 0)
        return complain(text, "MQTT knows no path", sentence, size);
    return 0;
}
