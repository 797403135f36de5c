/*
 * A sensor node on its line, for the commands that look into it and change it. Where the gateway
 * polls that line, it is borrowed for a moment at a time, so that polling goes on.
 */
#ifndef SLUICE_CLI_NODE_LINK_H
#define SLUICE_CLI_NODE_LINK_H

#include "cli/bench.h"
#include "cli/told.h"
#include "config/config.h"
#include "modbus/ask.h"
#include "node/core/update.h"

struct node_flags {
    const char *config, *unit, *line, *frames, *socket, *slice, *pause;
};

struct node_link {
    const char *command; /* "sluice node update" */
    char place[320];     /* port or host */
    const char *device;  /* its id in the configuration; NULL: it is named by its port */
    uint8_t unit;
    int64_t slice_ns,
        pause_ns; /* how long the line is borrowed at a time, and left alone in between */

    struct config *config;
    struct config_parts parts;
    struct modbus_bus_options own; /* where none is configured */
    const struct modbus_bus_options *options;
    const struct driver *driver;
    struct bench bench;
    struct borrow borrow;
    struct told told; /* `kind` is the caller's to set: until then nobody is told */
    struct ask *ask;  /* while the line is ours */
    int64_t slice_end_ns;
    uint8_t
        exception; /* of the last answer that was one; with ERR_TIMEOUT it is a device server's */
    char why[256]; /* of an error of the line */
};

/*
 * Finds the node: `operand` is a device of the configuration, or a port or host with --unit.
 * Nothing is borrowed yet. Returns an exit code after telling what is wrong.
 */
int node_link_open(struct node_link *link, const char *operand, const struct node_flags *flags,
                   const char *command);
void node_link_close(struct node_link *link);

/* Gives the line back, where it is borrowed. */
void node_link_release(struct node_link *link);

/* Leaves the line to the gateway for so long. ERR_CLOSED: the user wants to stop, here or on the
 * page. */
int node_link_pause(struct node_link *link, int64_t for_ns);

/*
 * Reads registers of the window, by their index in it; asked up to `tries` times. 0; ERR_EXCEPTION
 * (`exception`); ERR_TIMEOUT and others of the node; ERR_CLOSED; ERR_BUSY and others of the port
 * (`why`).
 */
int node_link_read(struct node_link *link, unsigned index, unsigned count, uint16_t *values,
                   int tries);

/* The same of other holding or input registers. */
int node_link_ask(struct node_link *link, uint8_t function, uint16_t address, unsigned count,
                  uint16_t *values, int tries);

/* Writes to the window, once. `timeout_ms` is added to what the bytes take. */
int node_link_write(struct node_link *link, unsigned index, const uint8_t *data, size_t size,
                    int64_t timeout_ms);

/* Tells an error of the above in the command's name; returns an exit code. */
int node_link_tell(const struct node_link *link, int error);

#endif
