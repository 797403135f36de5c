#include "modbus/writing.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/status.h"

void writing_free(struct writing *writing)
{
    free(writing->write);
    writing->write = NULL;
    writing->command = NULL;
}

uint32_t writing_device(const struct writing *writing)
{
    if (writing->asks)
        return writing->asked;
    return (uint32_t)(writing->write->device - writing->polling->site->devices);
}

/* The value that was read back is also a reading: it need not wait for the next poll. */
static void answer(struct writing *writing)
{
    struct modbus_write *write = writing->write;
    struct driver_host *host = writing->polling->host;

    if (write->have_value)
        sink_reading(host->sink, write->device, write->point, write->mono_ns, &write->value,
                     STATUS_GOOD);
    host_answer(host, writing->command, write->status, write->have_value ? &write->value : NULL);
    writing_free(writing);
}

static bool begin(struct writing *writing)
{
    struct driver_host *host = writing->polling->host;
    struct driver_command *command = host_take_command(host);

    if (!command)
        return false;
    writing->write = malloc(sizeof *writing->write);
    if (!writing->write) {
        host_answer(host, command, STATUS_TOO_MANY, NULL);
        return false;
    }
    writing->command = command;
    modbus_write_begin(writing->write, command->device, command->point, &command->value);
    return true;
}

bool writing_next(struct writing *writing, struct modbus_request *request)
{
    const struct modbus_bus_options *bus = writing->polling->site->options;
    const struct modbus_device_options *device;

    writing->asks = false;
    while (writing->command || begin(writing)) {
        if (!modbus_write_next(writing->write, request)) {
            answer(writing);
            continue;
        }
        device = writing->write->device->options;
        request->unit = (uint8_t)device->unit;
        request->timeout_ns = device->timeout_ns ? device->timeout_ns : bus->timeout_ns;
        return true;
    }
    writing->asks = passports_next(&writing->polling->passports,
                                   clock_mono(writing->polling->host->clock), request,
                                   &writing->asked);
    return writing->asks;
}

void writing_take(struct writing *writing, int result, const struct link_reply *reply,
                  int64_t took_ns, bool lost)
{
    if (writing->asks) {
        writing->asks = false;
        polling_asked(writing->polling, writing->asked, result, reply, took_ns, lost);
        return;
    }
    polling_heard(writing->polling, writing_device(writing), result, reply, took_ns, lost);
    modbus_write_take(writing->write, result, reply);
    if (writing->write->stage == WRITE_DONE)
        answer(writing);
}

void writing_link_closed(struct writing *writing, uint16_t status)
{
    struct driver_host *host = writing->polling->host;
    struct link_reply none = {0};
    struct driver_command *command;

    while (writing->command) {
        modbus_write_take(writing->write, ERR_IO, &none);
        if (writing->write->stage == WRITE_DONE)
            answer(writing);
    }
    while ((command = host_take_command(host)) != NULL)
        host_answer(host, command, status, NULL);
}
