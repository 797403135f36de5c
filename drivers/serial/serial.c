#include "serial/serial.h"

#include <stdio.h>
#include <string.h>

#include "serial/bus.h"
#include "serial/check.h"
#include "serial/options.h"
#include "serial/script.h"

/* For the arithmetic of a bus whose replies have no fixed length: what a short reply with its end
 * takes. */
#define TYPICAL_REPLY_SIZE 24

static bool is_asked(const struct site_bus *bus)
{
    return bus->device_count > 0 && serial_is_asked(bus->devices[0].options);
}

/* How long one exchange takes on the wire; what a device says of its own times is not known. */
static double exchange_s(const struct serial_bus_options *bus,
                         const struct serial_device_options *options)
{
    double byte_s = (double)port_byte_ns(serial_line(bus, options)) / 1e9, total_s = 0;
    struct line_framing framing;
    struct script script;
    size_t wrong;
    char why[256];

    serial_framing(bus, options, &framing);
    if (script_compile(&script, options, &wrong, why, sizeof(why)) == 0) {
        for (size_t i = 0; i < script.count; i++) {
            const struct step *step = &script.steps[i];

            if (step->verb == STEP_SEND)
                total_s += byte_s * (double)strlen(step->text);
            else if (step->verb == STEP_LINE)
                byte_s = (double)port_byte_ns(&step->line) / 1e9;
            else if (step->verb == STEP_PAUSE || step->verb == STEP_BREAK)
                total_s += (double)step->ns / 1e9;
            else if (step->verb != STEP_BAUD && step->verb != STEP_TIMEOUT)
                total_s +=
                    byte_s * (framing.length > 0 ? (double)framing.length : TYPICAL_REPLY_SIZE);
        }
    }
    script_free(&script);
    return total_s;
}

/* Of devices that speak by themselves: whether any says more than is asked for. */
static bool keeps_all(const struct site_bus *bus)
{
    for (size_t i = 0; i < bus->device_count; i++) {
        const struct serial_device_options *device = bus->devices[i].options;

        if (!device->thin && bus->devices[i].point_count > 0)
            return true;
    }
    return false;
}

static void load(const struct site_bus *bus, struct driver_load *load)
{
    const struct serial_bus_options *options = bus->options;
    bool fixed = options->frame.length > 0;

    memset(load, 0, sizeof(*load));
    if (!is_asked(bus)) {
        const struct port_settings *line =
            bus->device_count > 0 ? serial_line(options, bus->devices[0].options) : &options->line;

        load->busy_share = -1;
        load->own_pace = keeps_all(bus);
        snprintf(load->note, sizeof(load->note),
                 "the devices speak by themselves%s; the line carries at most %.0f bytes/s",
                 load->own_pace ? ": each line is stored, however seldom \"every\" is, unless "
                                  "\"thin\" is set"
                                : "",
                 1e9 / (double)port_byte_ns(line));
        return;
    }
    for (size_t i = 0; i < bus->device_count; i++) {
        const struct serial_device_options *device = bus->devices[i].options;
        int64_t every_ns = serial_interval(&bus->devices[i]);
        double rate = 1e9 / (double)every_ns;

        if (bus->devices[i].point_count == 0)
            continue;
        load->requests_per_s += rate;
        load->busy_share += rate * exchange_s(options, device);
    }
    if (load->busy_share > 1)
        snprintf(load->note, sizeof(load->note),
                 "needs %.1f s each second: raise the baud or ask less often", load->busy_share);
    else if (!fixed)
        snprintf(load->note, sizeof(load->note), "reckoned with replies of %d bytes",
                 TYPICAL_REPLY_SIZE);
}

const struct driver driver_serial = {
    .name = "serial",
    .help = "sensors that write lines or frames on a serial port, by themselves or when asked",
    .bus = {serial_bus_rows, sizeof(struct serial_bus_options)},
    .device = {serial_device_rows, sizeof(struct serial_device_options)},
    .point = {serial_point_rows, sizeof(struct extract_options)},
    .check = serial_check,
    .load = load,
    .port = true,
    .run = serial_run,
};
