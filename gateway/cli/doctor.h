/*
 * The uplink doctor: goes the way to a broker step by step, as the uplink would, and names the step
 * that fails, what is likely the cause, and what to do.
 */
#ifndef SLUICE_CLI_DOCTOR_H
#define SLUICE_CLI_DOCTOR_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "uplink/uplink.h"
#include "uplink/url.h"

#define DOCTOR_TEXT_SIZE 400
#define DOCTOR_STEP_NS   (10 * NS_PER_S) /* the longest that a step waits for others */

enum doctor_verdict {
    DOCTOR_OK,
    DOCTOR_SKIPPED, /* it does not apply, or an earlier step failed */
    DOCTOR_WARNING, /* it works, and something is to be seen to */
    DOCTOR_FAILED,
};

/* What came of a step: filled in by it. */
struct doctor_finding {
    enum doctor_verdict verdict;
    char found[DOCTOR_TEXT_SIZE]; /* what was seen */
    char next[DOCTOR_TEXT_SIZE];  /* what to do; "" when there is nothing */
};

struct doctor {
    const struct uplink_options *options;
    const char *gateway; /* its id */
    struct uplink_url url;
    bool online; /* the daemon says that its own uplink is connected, with this configuration */
    bool guest;  /* it may be: then it must not lose its session to us */
    bool held;   /* the daemon publishes nothing: on another machine than before */
    bool local;  /* the broker is on this machine */
    bool check_http;
    struct addrinfo *addresses; /* of the broker, or of the proxy to it: found by the look-up; freed
                                   by the caller */
};

/* The verdict with what was found and what to do; printf formats. */
void doctor_say(struct doctor_finding *finding, enum doctor_verdict verdict, const char *format,
                ...) __attribute__((format(printf, 3, 4)));
void doctor_next(struct doctor_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Steps, in their order: doctor_net.c. */
void doctor_interface(struct doctor *doctor, struct doctor_finding *finding);
void doctor_name(struct doctor *doctor, struct doctor_finding *finding);
void doctor_tcp(struct doctor *doctor, struct doctor_finding *finding);
void doctor_proxy(struct doctor *doctor, struct doctor_finding *finding);
void doctor_clock(struct doctor *doctor, struct doctor_finding *finding);

/* A connection to the first address that answers, *tried of them do not. Its errno, or 0 with the
 * descriptor, non-blocking, and what the address is. */
int doctor_dial(const struct doctor *doctor, int *fd, int *tried, char address[64]);

/* What is dialled: the broker, or the proxy to it. */
const char *doctor_host(const struct doctor *doctor);
uint16_t doctor_port(const struct doctor *doctor);
bool doctor_proxied(const struct doctor *doctor);

/* Whether a web server or proxy answers at the broker's address, where MQTT or TLS did not. */
bool doctor_is_http(const struct doctor *doctor);

/* doctor_broker.c. The last three are of one connection. */
void doctor_tls(struct doctor *doctor, struct doctor_finding *finding);
void doctor_certificate(struct doctor *doctor, struct doctor_finding *finding);

enum { DOCTOR_CONNECT, DOCTOR_PERMISSION, DOCTOR_ANSWER, DOCTOR_BROKER_STEPS };
void doctor_broker(struct doctor *doctor, struct doctor_finding findings[DOCTOR_BROKER_STEPS]);

#endif
