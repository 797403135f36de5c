/*
 * One exchange with a device while it runs: goes through the steps of its script, each when it is
 * due, and says what it waits for. It sends, breaks and switches the line of a port; what comes in
 * is given to it line by line.
 */
#ifndef SLUICE_SERIAL_EXCHANGE_H
#define SLUICE_SERIAL_EXCHANGE_H

#include "serial/request.h"
#include "serial/script.h"

enum exchange_wants {
    EXCHANGE_TIME,      /* nothing before the time */
    EXCHANGE_TEXT_LINE, /* a text line that ends with \r\n, without a checksum */
    EXCHANGE_LINE,      /* a line as the device frames them, for exchange_take */
    EXCHANGE_READING,   /* such a line for the points; more than one where all is read */
    EXCHANGE_FAILED,    /* the port is broken: `error` says why */
};

struct exchange {
    const struct script *script;
    int fd;
    const struct port_rs485 *rs485;
    const struct port_settings *home; /* the line at the begin */
    struct port_settings line;        /* the line now; the port's */
    int64_t timeout_ns, longest_wait_ns;
    struct request_values values;
    size_t at;                         /* the step at hand */
    bool begun;                        /* and whether its waiting has begun */
    int64_t until_ns;                  /* when its waiting ends */
    int64_t sent_ns;                   /* when the last request was handed over */
    int64_t sent_end_ns;               /* when the last byte sent has left */
    int64_t deadline_ns;               /* of the whole reply to what was sent last */
    bool sent;                         /* something was sent since this was last cleared */
    size_t replies;                    /* replies that went to the points, with the one at hand */
    uint8_t request[REQUEST_SIZE_MAX]; /* what was sent last */
    size_t request_size;
    int error;
};

/* Begins anew. `line` is what the port is set to, and is kept as that; the other pointers are
 * borrowed until the exchange is over. */
void exchange_begin(struct exchange *exchange, int fd, const struct script *script,
                    const struct serial_device_options *options, const struct port_settings *home,
                    const struct port_rs485 *rs485, int64_t now_ns);

/*
 * Does the steps that are due and returns what the next one wants; *until_ns is when that ends. At
 * that time call it again for EXCHANGE_TIME, and exchange_overdue for a line.
 */
enum exchange_wants exchange_run(struct exchange *exchange, int64_t now_ns, int64_t *until_ns);

/* A line came that was wanted for the exchange itself. Returns whether it fits: then the next step
 * is at hand. */
bool exchange_take(struct exchange *exchange, const char *line, size_t size, int64_t now_ns);

/* A line went to the points. Returns true when the exchange goes on with other steps. */
bool exchange_read(struct exchange *exchange);

/* The wanted line did not come in time. Returns true when the exchange goes on without it, false
 * when the reply is missed. */
bool exchange_overdue(struct exchange *exchange, int64_t now_ns);

#endif
