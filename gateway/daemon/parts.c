/* What this program is built with: the one place that names drivers. A new driver is one row here.
 */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "daemon/build_tree.h"
#include "daemon/gateway.h"
#include "modbus/modbus.h"
#include "serial/serial.h"
#include "uplink/uplink.h"

#define PROFILE_FOLDER_OWN     "/etc/sluice/profiles"
#define PROFILE_FOLDER_SHIPPED SLUICE_DATA_FOLDER "/profiles"

static const struct driver *const drivers[] = {
    &driver_modbus_rtu, &driver_modbus_ascii, &driver_modbus_tcp, &driver_serial, NULL,
};

static void plan_uplink(const void *uplink_options, struct config_uplink_plan *plan)
{
    const struct uplink_options *uplink = uplink_options;

    plan->each_alone = uplink->layout == UPLINK_VALUES;
    plan->tls = strncmp(uplink->url, "mqtts:", 6) == 0;
    plan->from_now = uplink->from == UPLINK_FROM_NOW;
    plan->linger_ns = uplink->linger_ns;
    plan->budget_bytes_month = uplink->budget_bytes_month;
    plan->commands_root = uplink->commands ? uplink->root : NULL;
}

const char *gateway_socket_path(void)
{
    const char *path = getenv("SLUICE_SOCKET");

    return path && *path ? path : GATEWAY_SOCKET_PATH;
}

void gateway_config_parts(struct config_parts *parts)
{
    *parts = (struct config_parts){
        .drivers = drivers,
        .uplink = uplink_table,
        .uplink_tls = uplink_tls_table,
        .uplink_tls_present = offsetof(struct uplink_options, tls),
        .uplink_check = uplink_check,
        .uplink_meets = uplink_meets,
        .uplink_plan = plan_uplink,
        .profile_folders = {getenv("SLUICE_PROFILES"), PROFILE_FOLDER_OWN, PROFILE_FOLDER_SHIPPED},
    };
    if (build_tree_folder("drivers/profiles", parts->own_folder) ||
        installed_folder("profiles", parts->own_folder))
        parts->profile_folders[2] = parts->own_folder;
    if (!parts->profile_folders[0])
        memmove(parts->profile_folders, parts->profile_folders + 1,
                sizeof parts->profile_folders - sizeof parts->profile_folders[0]);
}
