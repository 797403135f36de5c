#include "modbus/link.h"

#include "core/error.h"
#include "core/status.h"

void link_free(struct link *link)
{
    if (!link)
        return;
    link->ops->close(link);
    link->ops->free(link);
}

uint16_t link_open_status(int error)
{
    switch (error) {
    case ERR_NOT_FOUND:
        return STATUS_NO_PORT;
    case ERR_REFUSED:
        return STATUS_REFUSED;
    case ERR_UNREACHABLE:
    case ERR_TIMEOUT:
    case ERR_NAME:
        return STATUS_UNREACHABLE;
    default:
        return STATUS_COMMUNICATION;
    }
}

static uint16_t exception_status(uint8_t exception)
{
    static const uint16_t statuses[] = {
        [1] = STATUS_ILLEGAL_FUNCTION,     [2] = STATUS_ILLEGAL_ADDRESS, [3] = STATUS_ILLEGAL_VALUE,
        [4] = STATUS_DEVICE_FAILURE,       [5] = STATUS_ACKNOWLEDGE,     [6] = STATUS_DEVICE_BUSY,
        [7] = STATUS_NEGATIVE_ACKNOWLEDGE, [8] = STATUS_MEMORY_PARITY,   [10] = STATUS_GATEWAY_PATH,
        [11] = STATUS_GATEWAY_TARGET,
    };

    if (exception >= sizeof statuses / sizeof statuses[0] || statuses[exception] == 0)
        return STATUS_EXCEPTION;
    return statuses[exception];
}

uint16_t link_read_status(int error, uint8_t exception)
{
    switch (error) {
    case 0:
        return STATUS_GOOD;
    case ERR_TIMEOUT:
        return STATUS_TIMEOUT;
    case ERR_CHECKSUM:
        return STATUS_CORRUPT;
    case ERR_PROTOCOL:
        return STATUS_UNEXPECTED;
    case ERR_EXCEPTION:
        return exception_status(exception);
    default:
        return STATUS_COMMUNICATION;
    }
}

int64_t link_bytes_ns(const struct modbus_bus_options *options, unsigned bytes)
{
    if (options->line.baud == 0)
        return 0;
    return (options->ascii ? 2 : 1) * bytes * port_byte_ns(&options->line);
}

/* Modbus over serial line 1.02, 2.5.1.1: 3.5 characters of 11 bits, whatever the format; 1.75 ms
 * above 19200 baud. */
int64_t link_silence_ns(const struct modbus_bus_options *options)
{
    if (options->silence_ns > 0)
        return options->silence_ns;
    if (options->line.baud == 0)
        return 0;
    if (options->line.baud > 19200)
        return 1750 * NS_PER_US;
    return 7 * 11 * NS_PER_S / 2 / options->line.baud;
}
