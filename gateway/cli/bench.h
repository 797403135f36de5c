/* What the commands share that work on a line themselves: where it is, and how to wait on it. */
#ifndef SLUICE_CLI_BENCH_H
#define SLUICE_CLI_BENCH_H

#include "cli/borrow.h"
#include "field/driver.h"
#include "modbus/options.h"
#include "modbus/sniff.h"

/* A host without a gateway, which SIGINT and SIGTERM stop (ERR_CLOSED), so that what is borrowed is
 * given back; and so does a gateway that wants it back. */
struct bench {
    struct driver_host host; /* first */
    int stop_fd;
    struct borrow *borrow; /* kept while something is waited for; NULL: nothing is borrowed */
};

/* 0 or ERR_NOMEM, ERR_FULL. One in a process. */
int bench_open(struct bench *bench);
void bench_close(struct bench *bench);

/* Whether it names a serial port rather than a host. */
bool bench_is_port(const char *operand);

/*
 * Fills in where to: a serial port when the operand is a path, else a host; `frames` is NULL,
 * "rtu", "ascii" or "tcp". False after telling what is wrong, in the name of `command`. *protocol
 * is what is spoken then.
 */
bool bench_target(struct modbus_bus_options *bus, enum sniff_protocol *protocol,
                  const char *operand, const char *frames, const char *command);

/* Reads a whole number of a flag. `text` NULL leaves it. False after telling. */
bool bench_number(const char *text, const char *command, const char *flag, int64_t minimum,
                  int64_t maximum, int64_t *number);

/* The exit code of a command that an error of the line has ended: a port that cannot be had, or no
 * answer; 0 for 0. */
int bench_exit_code(int error);

/* "9600 8N1"; "" where the baud is not known. */
const char *bench_line(const struct port_settings *line, char text[24]);

#endif
