/* The one thread that serves all Modbus TCP buses: driver.engine of "modbus-tcp". */
#ifndef SLUICE_MODBUS_TCP_ENGINE_H
#define SLUICE_MODBUS_TCP_ENGINE_H

#include "field/driver.h"

extern const struct driver_engine_ops tcp_engine_ops;

#endif
