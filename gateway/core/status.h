/*
 * Why a value is not good: the upper half of an OPC UA status code (OPC 10000-4, 7.39; OPC 10000-6,
 * annex A). The two upper bits are the severity: 00 good, 01 uncertain, 10 bad. OVER is of this
 * table alone: an alarm that has it tells that what it names is over. Stored in the journal: values
 * are fixed.
 */
#ifndef SLUICE_CORE_STATUS_H
#define SLUICE_CORE_STATUS_H

#include <stdint.h>

/* name, code, the "why" in published messages, what it means and what to look at */
#define STATUS_TABLE(X)                                                                            \
    X(GOOD, 0x0000, "good", "")                                                                    \
    X(OVER, 0x0001, "over", "")                                                                    \
    X(CLOCK_UNSET, 0x4092, "clock unset", "the gateway's clock was never set")                     \
    X(UNSTABLE, 0x4093, "not stable", "the device says that its value has not settled")            \
    X(IMPLAUSIBLE, 0x4094, "implausible", "outside the range that the point can have")             \
    X(BAD, 0x8000, "bad", "no reason is known")                                                    \
    X(TIMEOUT, 0x800A, "timeout",                                                                  \
      "nothing came in time: check power, wiring, line settings and unit number")                  \
    X(CORRUPT, 0x8007, "corrupt reply",                                                            \
      "checksum or framing wrong: check termination and line settings")                            \
    X(COMMUNICATION, 0x8005, "communication error", "the port or connection failed")               \
    X(NO_PORT, 0x808A, "port missing",                                                             \
      "the serial port is not there (plug the adapter in), or another program has it")             \
    X(REFUSED, 0x80AC, "connection refused", "nothing listens at that address and port")           \
    X(UNREACHABLE, 0x8031, "unreachable", "no route to the device: check address and cable")       \
    X(ILLEGAL_FUNCTION, 0x803D, "exception 1", "the device does not know this function code")      \
    X(ILLEGAL_ADDRESS, 0x8034, "exception 2", "the device has no such register")                   \
    X(ILLEGAL_VALUE, 0x80AB, "exception 3", "the device refuses this quantity or value")           \
    X(DEVICE_FAILURE, 0x808B, "exception 4", "the device reports a failure of its own")            \
    X(ACKNOWLEDGE, 0x80B5, "exception 5", "the device needs longer")                               \
    X(DEVICE_BUSY, 0x80B2, "exception 6", "the device is busy")                                    \
    X(NEGATIVE_ACKNOWLEDGE, 0x80B6, "exception 7", "the device cannot do this")                    \
    X(MEMORY_PARITY, 0x8003, "exception 8", "the device's memory is faulty")                       \
    X(GATEWAY_PATH, 0x80AD, "exception 10", "the device's gateway has no path to it")              \
    X(GATEWAY_TARGET, 0x80AE, "exception 11", "the device behind the gateway does not answer")     \
    X(EXCEPTION, 0x8004, "exception", "the device answered with an unknown exception")             \
    X(UNEXPECTED, 0x8009, "unexpected reply", "a reply that does not belong to the request")       \
    X(NOT_AVAILABLE, 0x809E, "not available", "the device says that it has no value")              \
    X(NOT_A_NUMBER, 0x803C, "not a number", "the register holds NaN or infinity")                  \
    X(FORMAT, 0x8074, "wrong format", "the line did not hold the value that was expected")         \
    X(SENSOR, 0x808C, "sensor error", "the device reports that its sensor failed")                 \
    X(OVERRANGE, 0x8075, "out of range", "over or under the device's range")

enum status {
#define STATUS_ENUM(name, code, why, help) STATUS_##name = code,
    STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
};

/* The "why" of a status and what to look at; "bad" and "" for codes not in the table. */
const char *status_why(uint16_t status);
const char *status_help(uint16_t status);

#endif
