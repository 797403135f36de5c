#include "modbus/modbus.h"

#include "modbus/bus.h"
#include "modbus/check.h"
#include "modbus/load.h"
#include "modbus/options.h"
#include "modbus/tcp_engine.h"
#include "modbus/write.h"

const struct driver driver_modbus_rtu = {
    .name = "modbus-rtu",
    .help = "Modbus RTU, on a serial port or by a device server",
    .bus = {modbus_rtu_bus_rows, sizeof(struct modbus_bus_options)},
    .device = {modbus_device_rows, sizeof(struct modbus_device_options)},
    .point = {modbus_point_rows, sizeof(struct modbus_point_options)},
    .check = modbus_rtu_check,
    .load = modbus_rtu_load,
    .can_write = modbus_can_write,
    .learns = true,
    .port = true,
    .run = modbus_line_run,
};

const struct driver driver_modbus_ascii = {
    .name = "modbus-ascii",
    .help = "Modbus ASCII, on a serial port or by a device server",
    .bus = {modbus_ascii_bus_rows, sizeof(struct modbus_bus_options)},
    .device = {modbus_device_rows, sizeof(struct modbus_device_options)},
    .point = {modbus_point_rows, sizeof(struct modbus_point_options)},
    .check = modbus_ascii_check,
    .load = modbus_rtu_load,
    .can_write = modbus_can_write,
    .learns = true,
    .port = true,
    .run = modbus_line_run,
};

const struct driver driver_modbus_tcp = {
    .name = "modbus-tcp",
    .help = "Modbus TCP",
    .bus = {modbus_tcp_bus_rows, sizeof(struct modbus_bus_options)},
    .device = {modbus_device_rows, sizeof(struct modbus_device_options)},
    .point = {modbus_point_rows, sizeof(struct modbus_point_options)},
    .check = modbus_tcp_check,
    .load = modbus_tcp_load,
    .can_write = modbus_can_write,
    .learns = true,
    .engine = &tcp_engine_ops,
};
