#include "uplink/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

/* What both forms are made of. */
struct form {
    const char *allowed;
    const char *user; /* where user and password belong */
    const char *path;
};

static const struct form broker = {
    "mqtt://HOST[:PORT] or mqtts://HOST[:PORT] (with TLS)",
    "user and password have options of their own (user, password_file)", "MQTT knows no path"};
static const struct form proxy = {"http://HOST[:PORT]",
                                  "user and password have a file of their own (proxy_login_file)",
                                  "a proxy has no path"};

static int complain(const struct form *form, const char *text, const char *what, char *sentence,
                    size_t size)
{
    /* No host has an @: what stands before it may be secret, wherever it was mistyped. */
    if (strchr(text, '@'))
        snprintf(sentence, size, "%s; allowed: %s", form->user, form->allowed);
    else
        snprintf(sentence, size, "found \"%.100s\": %s; allowed: %s", text, what, form->allowed);
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

/* HOST[:PORT], at `host` within `text`, into what is there. */
static int parse_place(const struct form *form, const char *text, const char *host, char out[256],
                       uint16_t *out_port, char *sentence, size_t size)
{
    const char *end, *rest;
    size_t length;

    if (*host == '[') {
        end = strchr(++host, ']');
        if (!end)
            return complain(form, text, "the bracket of the IPv6 address is not closed", sentence,
                            size);
        rest = end + 1;
    } else {
        end = rest = host + strcspn(host, ":/?#");
    }
    length = (size_t)(end - host);
    if (length == 0 || length >= 256)
        return complain(form, text, "the host is missing or too long", sentence, size);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)host[i] <= ' ' || host[i] == 0x7f || host[i] == '@')
            return complain(form, text, "a host has no blanks", sentence, size);
    memcpy(out, host, length);
    out[length] = '\0';
    if (*rest == ':') {
        size_t digits = strcspn(rest + 1, "/");
        char port[8];

        snprintf(port, sizeof(port), "%.*s", (int)digits, rest + 1);
        if (digits > 5 || parse_port(port, out_port) != 0)
            return complain(form, text, "the port is not a number from 1 to 65535", sentence, size);
        rest += 1 + digits;
    }
    if (strcmp(rest, "") != 0 && strcmp(rest, "/") != 0)
        return complain(form, text, form->path, sentence, size);
    return 0;
}

int uplink_url_parse(const char *text, struct uplink_url *url, char *sentence, size_t size)
{
    const char *host;

    *url = (struct uplink_url){.port = 1883};
    if (strncmp(text, "mqtt://", 7) == 0) {
        host = text + 7;
    } else if (strncmp(text, "mqtts://", 8) == 0) {
        host = text + 8;
        url->tls = true;
        url->port = 8883;
    } else {
        return complain(&broker, text, "it does not begin with mqtt:// or mqtts://", sentence,
                        size);
    }
    return parse_place(&broker, text, host, url->host, &url->port, sentence, size);
}

int uplink_proxy_parse(const char *text, struct uplink_url *url, char *sentence, size_t size)
{
    url->proxy_port = 3128;
    if (strncmp(text, "http://", 7) != 0)
        return complain(&proxy, text, "it does not begin with http://", sentence, size);
    return parse_place(&proxy, text, text + 7, url->proxy_host, &url->proxy_port, sentence, size);
}
