/*
 * One transaction at a time with the units of a bus. What comes out of one is the answer of that
 * unit to that request, as far as the protocol lets anybody tell: the rest of the driver need not
 * think of late, foreign, doubled or damaged replies.
 *
 * Used by one thread at a time.
 */
#ifndef SLUICE_MODBUS_LINK_H
#define SLUICE_MODBUS_LINK_H

#include "field/driver.h"
#include "modbus/options.h"
#include "modbus/pdu.h"

struct link;

struct link_reply {
    /* As it came, behind the function (of a read: behind the count): registers high byte first,
     * bits packed. Valid until the next call. */
    const uint8_t *data;
    size_t size;
    int64_t mono_ns;   /* when the last byte was there */
    int64_t sent_ns;   /* when the request's last byte was on the wire */
    uint8_t exception; /* with ERR_EXCEPTION: its code */
    uint32_t requests; /* frames sent: 2 where a fence was needed first, 0 where none could be */
    uint32_t answers;  /* how many of these were answered, by whatever */
    uint32_t strays;   /* frames that came and belonged to no request of ours, or to an older one */
    int64_t late_ns;   /* the unit answers, but so long after its requests; 0: nothing says so */
};

struct link_ops {
    /*
     * Opens the port or connects. Returns 0, ERR_CLOSED when the bus is to stop, or why not, with a
     * sentence for the operator in link->why: ERR_NOT_FOUND, ERR_BUSY, ERR_DENIED, ERR_REFUSED,
     * ERR_UNREACHABLE, ERR_TIMEOUT, ERR_NAME, ERR_UNSUPPORTED, ERR_IO.
     */
    int (*open)(struct link *link);

    /*
     * Asks. `reply` is filled as far as it makes sense. Returns 0; ERR_TIMEOUT: nothing came in
     * time; ERR_CHECKSUM: what came was damaged or incomplete; ERR_PROTOCOL: what came did not
     * belong to the request, or could not be told from what did not; ERR_EXCEPTION; ERR_CLOSED: the
     * bus is to stop; any other error: the port or connection is gone. link->open says whether the
     * link is still open: it may also be closed after a time-out, since a connection that is silent
     * for long may be dead.
     */
    int (*transact)(struct link *link, const struct modbus_request *request,
                    struct link_reply *reply);

    void (*close)(struct link *link); /* nothing happens when it is closed already */
    void (*free)(struct link *link);
};

/* What all links have. */
struct link {
    const struct link_ops *ops;
    struct driver_host *host;
    const struct modbus_bus_options *options;
    bool open;
    char why[512]; /* of the last failed open */
};

/*
 * Makes a closed link; `options` and `host` outlive it. A line's frames are RTU or, with
 * options->ascii, ASCII, and go over options->port or, where that is NULL, over a connection to
 * options->host. ERR_NOMEM. link_free closes it, NULL is fine.
 */
int link_new_line(struct link **link, const struct modbus_bus_options *options,
                  struct driver_host *host);
int link_new_tcp(struct link **link, const struct modbus_bus_options *options,
                 struct driver_host *host);
void link_free(struct link *link);

/*
 * The line of the link's options has been changed: an open port is set to it and stays open, and
 * what was asked before is forgotten. One that cannot be set is closed. Of a link of link_new_line.
 */
void link_line_changed(struct link *link);

/* The status that stands for an error of open or transact. */
uint16_t link_open_status(int error);
uint16_t link_read_status(int error, uint8_t exception);

/* The silence between two frames of a line, and the time that so many bytes of an RTU frame, or the
 * characters of ASCII that stand for them, take on it; 0 where its rate is not known. */
int64_t link_silence_ns(const struct modbus_bus_options *options);
int64_t link_bytes_ns(const struct modbus_bus_options *options, unsigned bytes);

#endif
