#include "modbus/advice.h"

#include <stdio.h>

#include "core/status.h"
#include "modbus/modbus.h"
#include "modbus/options.h"

#define STANDARD_PORT 502

const char advice_port_failed[] =
    "the port failed while it was in use: look at the adapter and its plug";

const char *advice_scan(const struct site_bus *bus, char out[ADVICE_SCAN_SIZE])
{
    const struct modbus_bus_options *options = bus->options;
    char port[16] = "";

    if (options->port) {
        snprintf(out, ADVICE_SCAN_SIZE, "sluice scan %.200s%s", options->port,
                 options->ascii ? " --frames ascii" : "");
        return out;
    }
    if (options->host.port != STANDARD_PORT)
        snprintf(port, sizeof port, ":%u", (unsigned)options->host.port);
    snprintf(out, ADVICE_SCAN_SIZE, "sluice scan %.200s%s%s", options->host.name, port,
             bus->driver == &driver_modbus_tcp ? ""
             : options->ascii                  ? " --frames ascii"
                                               : " --frames rtu");
    return out;
}

const char *advice_for(const struct site_bus *bus, uint16_t status, char out[ADVICE_SIZE])
{
    const struct modbus_bus_options *options = bus->options;
    char scan[ADVICE_SCAN_SIZE];

    if (status == STATUS_COMMUNICATION)
        return options->port
                   ? advice_port_failed
                   : "the connection was made, and ended before an answer came: is Modbus spoken "
                     "at this port, and does nobody else have the only connection?";
    if (status != STATUS_TIMEOUT && status != STATUS_GATEWAY_TARGET)
        return status_help(status);
    advice_scan(bus, scan);
    if (status == STATUS_GATEWAY_TARGET)
        snprintf(out, ADVICE_SIZE, "%s: is the unit right? %.260s finds who answers",
                 status_help(status), scan);
    else if (options->port)
        snprintf(out, ADVICE_SIZE, "%s; %.260s finds who answers at which settings",
                 status_help(status), scan);
    else if (bus->driver == &driver_modbus_tcp)
        snprintf(out, ADVICE_SIZE,
                 "the connection stands, and no answer came in time: is the unit right? %.260s "
                 "finds who answers",
                 scan);
    else
        snprintf(out, ADVICE_SIZE,
                 "no answer came in time through the device server: are the unit and its line "
                 "settings right? %.260s finds who answers",
                 scan);
    return out;
}
