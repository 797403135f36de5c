#include "modbus/scan_sunspec.h"

#include <string.h>

#include "core/error.h"

#define MARKER_REGISTERS 2
#define COMMON_AT        4  /* behind the marker, the number and the length of the common model */
#define NAME_REGISTERS   16 /* manufacturer, then model (SunSpec model 1) */

static int read_registers(struct link *link, uint8_t unit, uint16_t address, uint16_t registers,
                          int64_t timeout_ns, struct link_reply *reply)
{
    const struct modbus_request request = {.unit = unit,
                                           .function = MODBUS_HOLDING_REGISTERS,
                                           .address = address,
                                           .count = registers,
                                           .timeout_ns = timeout_ns};

    if (!link->open) {
        int error = link->ops->open(link);

        if (error)
            return error;
    }
    return link->ops->transact(link, &request, reply);
}

static void take_name(char name[SCAN_NAME_SIZE], const uint8_t *bytes)
{
    size_t size = 0;

    while (size < 2 * NAME_REGISTERS && bytes[size] >= ' ' && bytes[size] < 0x7F) {
        name[size] = (char)bytes[size];
        size++;
    }
    while (size > 0 && name[size - 1] == ' ')
        size--;
    name[size] = '\0';
}

int scan_sunspec(struct link *link, int64_t timeout_ns, struct scan_found *found)
{
    static const uint16_t places[] = {40000, 0, 50000};
    struct link_reply reply;

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int result =
            read_registers(link, found->unit, places[i], MARKER_REGISTERS, timeout_ns, &reply);

        if (result == ERR_CLOSED)
            return result;
        if (result != 0 || memcmp(reply.data, "SunS", 4) != 0)
            continue;
        found->sunspec = places[i];
        result = read_registers(link, found->unit, (uint16_t)(places[i] + COMMON_AT),
                                2 * NAME_REGISTERS, timeout_ns, &reply);
        if (result == 0) {
            take_name(found->sunspec_vendor, reply.data);
            take_name(found->sunspec_model, reply.data + 2 * NAME_REGISTERS);
        }
        return result == ERR_CLOSED ? result : 0;
    }
    return 0;
}
