/* A serial port as a file descriptor: raw, exclusive, without flow control. */
#ifndef SLUICE_SERIAL_PORT_H
#define SLUICE_SERIAL_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "9600 8E1" */
struct port_settings {
    int32_t baud;
    uint8_t data_bits, stop_bits;
    char parity; /* 'N', 'E', 'O' */
};

/* An option_parse_fn (core/option.h) for struct port_settings. */
int port_parse_settings(const char *text, void *field, char *why, size_t why_size);

/*
 * Opens without waiting for a carrier; reads and writes of *fd do not block. Returns 0, ERR_BUSY
 * when another process has locked the port or has it for itself, or the error of opening it or of
 * setting the line up.
 */
int port_open(const char *path, const struct port_settings *settings, int *fd);
void port_close(int fd);

/* Asks the port to pass on what arrives at once, instead of gathering it; many take no notice. */
void port_low_latency(int fd);

/*
 * Sets the line of an open port to other settings, at once: wait until port_unsent says 0, or bytes
 * that were written leave at the new speed. What was received stays. Returns 0 or the error.
 */
int port_set_line(int fd, const struct port_settings *settings);

/* Begins a break (the line is held in its space state), or ends it. Returns 0 or the error. */
int port_break(int fd, bool on);

/* How many bytes that were written have not left yet; 0 where the port cannot say. */
size_t port_unsent(int fd);

/* Throws away what was received and not read yet; what was written and not sent yet. */
void port_flush_input(int fd);
void port_flush_output(int fd);

/* The time that one byte takes on the wire, with its start, parity and stop bits. */
int64_t port_byte_ns(const struct port_settings *settings);

#endif
