/*
 * What the parts of a serial bus share: bus.c has the port and the loop, asking.c the exchanges
 * with devices that are asked, receive.c the way from bytes to lines. All in the bus's one thread.
 */
#ifndef SLUICE_SERIAL_INSIDE_H
#define SLUICE_SERIAL_INSIDE_H

#include "field/driver.h"
#include "serial/device.h"
#include "serial/exchange.h"
#include "serial/port_place.h"

/* How lines are told apart and checked at the moment. */
struct framing {
    struct line_framing line;
    struct checksum checksum;
    int64_t silence_ns;
    bool is_binary;
    bool is_sml;
};

struct bus {
    const struct site_bus *site;
    const struct serial_bus_options *options;
    struct driver_host *host;
    struct line_framer framer;
    struct framing framing;
    bool is_text_line;            /* the framing is that of text lines, whatever the device's is */
    char text[LINE_SIZE_MAX + 1]; /* the line at hand */
    struct device *devices;
    bool asked;
    struct port_place place;
    int fd; /* -1: the port is not there */
    bool told_missing;
    int64_t received_ns; /* when the last bytes came */
    int64_t heard_ns;    /* when the last line came that was some device's */
    struct device *last; /* the device that was asked last */
    bool waiting;        /* for its reply */
    struct exchange exchange;
    enum exchange_wants wants;
    int64_t until_ns;       /* when what the exchange wants is over */
    int64_t attempts_left;  /* to get this reply */
    struct device *again;   /* asked once more when the line was quiet; NULL: none */
    uint16_t fault;         /* what is wrong with the reply so far */
    size_t echo_left;       /* bytes of the request that the adapter has yet to return */
    int64_t quiet_until_ns; /* what comes before is nobody's: a late reply must not answer the next
                               request */
};

/* What became of a line that was offered. */
enum outcome {
    OUTCOME_REFUSED,
    OUTCOME_TAKEN,
    OUTCOME_NEXT_STEP, /* the exchange goes on */
    OUTCOME_ANSWERED,  /* the reply is whole */
};

static inline int64_t bus_now(const struct bus *bus)
{
    return clock_mono(bus->host->clock);
}

static inline int64_t bus_sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The port failed: all devices are down until it is there again. */
void bus_lose_port(struct bus *bus, const char *why);

/* Does what is due for devices that are asked; returns when the next thing will be. */
int64_t asking_do_due(struct bus *bus);

/* Offers the line in bus->text to what the reply at hand waits for. */
enum outcome asking_offer(struct bus *bus, const struct line *line, size_t size, int64_t read_ns);

/* Goes on after a line that was taken. */
void asking_go_on(struct bus *bus);
void asking_answered(struct bus *bus, int64_t read_ns);

/* Tells lines apart as a device says, or as text lines; line_reframe is the caller's. */
void receive_frame_as(struct bus *bus, const struct device *device);
void receive_frame_as_text(struct bus *bus);

/* Whether lines are wanted at the moment, by anybody. */
bool receive_is_wanted(const struct bus *bus);

/* The wire time of a line counts for a device. */
void receive_count(struct bus *bus, struct device *device, const struct line *line);

/* Reads what the port has. */
void receive_bytes(struct bus *bus);

/* When the line will have been silent for long enough to mean something; INT64_MAX: it is not
 * waited for. */
int64_t receive_silence_ns(const struct bus *bus);
void receive_notice_silence(struct bus *bus);

#endif
