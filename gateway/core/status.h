/*
 * Why a value is not good: the upper half of an OPC UA status code (OPC 10000-4, 7.39; OPC 10000-6,
 * annex A). The two upper bits are the severity: 00 good, 01 uncertain, 10 bad. OVER is of this
 * table alone: an alarm that has it tells that what it names is over. Stored in the journal: values
 * are fixed.
 */
#ifndef SLUICE_CORE_STATUS_H
#define SLUICE_CORE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

/* name, code, the "why" in published messages, what it means and what to look at */
#define STATUS_TABLE(X)                                                                            \
    X(GOOD, 0x0000, "good", "")                                                                    \
    X(OVER, 0x0001, "over", "")                                                                    \
    X(LAST_OF_OLD, 0x0002, "last of the old device",                                               \
      "the device was replaced: this is what its predecessor's counter ended at")                  \
    X(FIRST_OF_NEW, 0x0003, "first of the new device",                                             \
      "the device was replaced: this is what its counter begins at")                               \
    X(CLOCK_UNSET, 0x4092, "clock unset", "the gateway's clock was never set")                     \
    X(UNCERTAIN, 0x4000, "uncertain", "whoever measured it does not vouch for it")                 \
    X(UNSTABLE, 0x4093, "not stable", "the device says that its value has not settled")            \
    X(IMPLAUSIBLE, 0x4094, "implausible",                                                          \
      "outside the range, or none of the numbers, that the point can have")                        \
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
    X(UNEXPECTED, 0x8009, "unexpected reply",                                                      \
      "a reply that does not belong to the request: noise, another master, or two devices with "   \
      "one unit; over TCP another protocol")                                                       \
    X(NOT_AVAILABLE, 0x809E, "not available", "the device says that it has no value")              \
    X(NOT_A_NUMBER, 0x803C, "not a number", "the register holds NaN or infinity")                  \
    X(FORMAT, 0x8074, "wrong format", "the line did not hold the value that was expected")         \
    X(SENSOR, 0x808C, "sensor error", "the device reports that its sensor failed")                 \
    X(OVERRANGE, 0x8075, "out of range", "over or under the device's range")                       \
    X(NOT_VERIFIED, 0x408F, "not verified",                                                        \
      "the device acknowledged the write, but the value could not be read back")                   \
    X(NO_POINT, 0x8033, "no such point", "the configuration has no point of that name")            \
    X(NOT_WRITABLE, 0x803B, "not writable",                                                        \
      "the point is not marked with \"write\" in the configuration, or cannot be written")         \
    X(VALUE_REFUSED, 0x8112, "value refused", "the value does not fit the point")                  \
    X(EXPIRED, 0x8085, "expired", "the time of the command was over: it was not executed")         \
    X(INTERRUPTED, 0x8084, "interrupted",                                                          \
      "the gateway ended meanwhile: nobody knows whether the command was executed; read the "      \
      "point before you repeat it")                                                                \
    X(REMOVED, 0x8089, "removed", "the configuration no longer has this device, point or uplink")  \
    X(RENAMED, 0x803F, "renamed", "the device, point or uplink goes on under another id")          \
    X(STOPPED, 0x800C, "stopped", "stopped before: a command that waited was not executed")        \
    X(LENT, 0x808D, "lent",                                                                        \
      "the bus is lent to a program such as sluice scan; it comes back by itself")                 \
    X(DIFFERS, 0x80AF, "read back differs", "the device took the write and holds another value")   \
    X(TOO_MANY, 0x8010, "too many commands", "later: commands come faster than they may")          \
    X(NOT_STORED, 0x809C, "not stored",                                                            \
      "the journal cannot store the command, so it was not executed: see to the disk")             \
    X(MALFORMED, 0x8060, "malformed", "the command is not understood")

enum status {
#define STATUS_ENUM(name, code, why, help) STATUS_##name = code,
    STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
};

/* The "why" of a status and what to look at; "bad" and "" for codes not in the table. */
const char *status_why(uint16_t status);
const char *status_help(uint16_t status);

/* Whether nothing more comes of a stream whose last event has it, until it is configured again. */
bool status_ends(uint16_t status);

#endif
