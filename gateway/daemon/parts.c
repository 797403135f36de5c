/* What this program is built with: the one place that names drivers. A new driver is one row here.
 */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "daemon/gateway.h"
#include "modbus/modbus.h"
#include "serial/serial.h"
#include "uplink/uplink.h"

#define PROFILE_FOLDER_OWN     "/etc/sluice/profiles"
#define PROFILE_FOLDER_SHIPPED "/usr/share/sluice/profiles"

static const struct driver *const drivers[] = {
    &driver_modbus_rtu,
    &driver_modbus_tcp,
    &driver_serial,
    NULL,
};

void gateway_config_parts(struct config_parts *parts)
{
    *parts = (struct config_parts){
        .drivers = drivers,
        .uplink = uplink_table,
        .uplink_tls = uplink_tls_table,
        .uplink_tls_present = offsetof(struct uplink_options, tls),
        .uplink_check = uplink_check,
        .profile_folders = {getenv("SLUICE_PROFILES"), PROFILE_FOLDER_OWN, PROFILE_FOLDER_SHIPPED},
    };
    if (!parts->profile_folders[0])
        memmove(parts->profile_folders, parts->profile_folders + 1,
                sizeof parts->profile_folders - sizeof parts->profile_folders[0]);
}
