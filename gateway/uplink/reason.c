#include "uplink/reason.h"

#include <stdio.h>

#include "core/error.h"

struct reason {
    int code;
    int error;
    const char *sentence;
};

static const struct reason connack5[] = {
    {0x81, ERR_PROTOCOL, "the broker could not read the CONNECT packet"},
    {0x84, ERR_UNSUPPORTED,
     "the broker does not speak MQTT 5: set \"version\" to \"auto\" or \"3.1.1\""},
    {0x85, ERR_REFUSED,
     "the broker refuses the client id: set \"client_id\" to one that it allows"},
    {0x86, ERR_REFUSED,
     "the broker refuses the user name or password: check \"user\" and the password file"},
    {0x87, ERR_REFUSED,
     "the broker does not allow this client: check its user, certificate and access list"},
    {0x88, ERR_BUSY, "the broker is not available at present"},
    {0x89, ERR_BUSY, "the broker is busy"},
    {0x8A, ERR_REFUSED, "the broker has banned this client: ask its operator"},
    {0x8C, ERR_REFUSED, "the broker wants another way of authentication"},
    {0x90, ERR_REFUSED,
     "the broker refuses the topic of the will: check its access list for \"status\""},
    {0x95, ERR_REFUSED,
     "the broker finds the CONNECT packet too large: shorten the password in \"password_file\", or "
     "have the broker's largest packet raised"},
    {0x97, ERR_BUSY, "a quota of the broker is exceeded"},
    {0x9A, ERR_REFUSED, "the broker does not support retained messages, which the status needs"},
    {0x9B, ERR_REFUSED, "the broker does not support QoS 1"},
    {0x9C, ERR_BUSY, "the broker asks to use another server: check the url"},
    {0x9D, ERR_REFUSED, "the broker has moved to another server: change the url"},
    {0x9F, ERR_BUSY, "the broker limits the rate of connections"},
};

static const struct reason connack4[] = {
    {1, ERR_UNSUPPORTED,
     "the broker does not speak this version of MQTT: set \"version\" to \"auto\""},
    {2, ERR_REFUSED, "the broker refuses the client id: set \"client_id\" to one that it allows"},
    {3, ERR_BUSY, "the broker is not available at present"},
    {4, ERR_REFUSED,
     "the broker refuses the user name or password: check \"user\" and the password file"},
    {5, ERR_REFUSED,
     "the broker does not allow this client: check its user, certificate and access list"},
};

static const struct reason disconnect5[] = {
    {0x04, 0, "the broker ended the connection"},
    {0x81, 0, "the broker calls a packet of this gateway malformed"},
    {0x82, 0, "the broker calls a packet of this gateway a protocol error"},
    {0x87, 0, "the broker withdrew this client's permission: check its access list"},
    {0x89, 0, "the broker is busy"},
    {0x8B, 0, "the broker is shutting down"},
    {0x8D, 0, "the broker heard nothing for one and a half keep-alive times"},
    {0x8E, 0,
     "another client connected with the same client id: look for a second gateway with this id (a "
     "cloned card, a restored image), or for a second program that runs with this configuration"},
    {0x93, 0, "the broker says that more messages were in flight than it allows"},
    {0x95, 0, "the broker finds a message too large"},
    {0x96, 0, "the broker finds the rate of messages too high"},
    {0x97, 0, "a quota of the broker is exceeded"},
    {0x98, 0, "the broker's operator ended the connection"},
    {0x99, 0, "the broker refuses the format of a payload"},
    {0x9C, 0, "the broker asks to use another server: check the url"},
    {0x9D, 0, "the broker has moved to another server: change the url"},
    {0x9F, 0, "the broker limits the rate of connections"},
    {0xA0, 0, "the broker ends connections after a time"},
};

static const struct reason puback5[] = {
    {0x80, 0, "for a reason that it does not tell"},
    {0x83, 0, "for a reason of its own implementation"},
    {0x87, 0, "since this client may not publish there: allow it in the broker's access list"},
    {0x90, 0,
     "since the name of the topic is not allowed: check \"root\" with the broker's operator"},
    {0x91, 0, "since the packet's number is in use"},
    {0x95, 0, "since it is too large"},
    {0x97, 0, "since a quota is exceeded: the gateway slows down"},
    {0x99, 0, "since the format of the payload is wrong in its eyes"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct reason *find(const struct reason *table, size_t count, int code)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].code == code)
            return &table[i];
    }
    return NULL;
}

int reason_connack(int version, int code, char *sentence, size_t size)
{
    const struct reason *reason = version == 5 ? find(connack5, COUNT(connack5), code)
                                               : find(connack4, COUNT(connack4), code);

    if (!reason) {
        snprintf(sentence, size, "the broker refuses the connection (reason 0x%02x)",
                 (unsigned)code);
        return ERR_BUSY;
    }
    snprintf(sentence, size, "%s", reason->sentence);
    return reason->error;
}

void reason_disconnect(int code, char *sentence, size_t size)
{
    const struct reason *reason = find(disconnect5, COUNT(disconnect5), code);

    if (reason)
        snprintf(sentence, size, "%s", reason->sentence);
    else
        snprintf(sentence, size, "the broker ended the connection (reason 0x%02x)", (unsigned)code);
}

void reason_puback(int code, const char *topic, char *sentence, size_t size)
{
    const struct reason *reason = find(puback5, COUNT(puback5), code);

    if (reason)
        snprintf(sentence, size, "the broker refuses what is published on %s %s", topic,
                 reason->sentence);
    else
        snprintf(sentence, size, "the broker refuses what is published on %s (reason 0x%02x)",
                 topic, (unsigned)code);
}

bool reason_may_be_a_message(int code)
{
    switch (code) {
    case 0x89: /* busy */
    case 0x8B: /* shutting down */
    case 0x8D: /* keep-alive */
    case 0x8E: /* taken over */
    case 0x96: /* rate of messages */
    case 0x97: /* quota */
    case 0x98: /* by the operator */
    case 0x9C: /* another server */
    case 0x9D:
    case 0x9F: /* rate of connections */
    case 0xA0: /* longest time of a connection */
        return false;
    default:
        return true;
    }
}

int reason_is_version(int version, int code)
{
    return version == 5 ? code == 0x84 || code == 1 : code == 1;
}
