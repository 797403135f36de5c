/* Reads once, without a gateway: what sluice read does. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/status.h"
#include "modbus/read.h"
#include "unit/hostile_slave.h"

struct seen {
    int64_t regs[300];
    struct value values[300];
    size_t count;
};

static void see(void *context, int64_t reg, const struct value *value, uint16_t status)
{
    struct seen *seen = context;

    assert_int_equal(status, STATUS_GOOD);
    seen->regs[seen->count] = reg;
    seen->values[seen->count++] = *value;
}

static void reads_once_without_a_gateway(void **state)
{
    struct hostile_slave *slave = hostile_start(true, 100);
    struct seen seen = {.count = 0};
    char why[200] = "", host[32];
    struct modbus_read read = {.unit = 3, .reg = 40011, .count = 200, .timeout_ns = NS_PER_S};

    (void)state;
    snprintf(host, sizeof host, "127.0.0.1:%u", slave->tcp_port);
    read.host = host;
    assert_int_equal(modbus_read_once(&read, see, &seen, why, sizeof why), 0);
    assert_int_equal(seen.count, 200);
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(seen.regs[i], 40011 + i);
        assert_int_equal(seen.values[i].u, hostile_register(3, 10 + i));
    }
    read.type = "u32";
    read.order = "CDAB";
    read.table = "input";
    read.reg = 4;
    read.count = 1;
    seen.count = 0;
    assert_int_equal(modbus_read_once(&read, see, &seen, why, sizeof why), 0);
    assert_int_equal(seen.values[0].u,
                     (uint32_t)hostile_register(3, 5) << 16 | hostile_register(3, 4));
    read.type = "u61";
    assert_int_equal(modbus_read_once(&read, see, &seen, why, sizeof why), ERR_INVALID);
    assert_non_null(strstr(why, "u61"));
    read.type = NULL;
    read.order = NULL;
    atomic_store(&slave->bad_register, 4);
    assert_int_equal(modbus_read_once(&read, see, &seen, why, sizeof why), ERR_EXCEPTION);
    assert_non_null(strstr(why, "exception 2"));
    hostile_stop(slave);
}

static void reads_once_whatever_is_spoken(void **state)
{
    static const struct {
        enum hostile_frames frames;
        bool network;
        const char *text;
    } ways[] = {{HOSTILE_RTU, false, NULL},
                {HOSTILE_RTU, true, "rtu"},
                {HOSTILE_ASCII, false, "ascii"},
                {HOSTILE_ASCII, true, "ascii"},
                {HOSTILE_TCP, true, "tcp"}};

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct hostile_slave *slave = hostile_start_as(ways[i].frames, ways[i].network, 100);
        struct seen seen = {.count = 0};
        char why[200] = "", host[32];
        struct modbus_read read = {
            .unit = 3, .reg = 40011, .count = 20, .frames = ways[i].text, .timeout_ns = NS_PER_S};

        snprintf(host, sizeof host, "127.0.0.1:%u", slave->tcp_port);
        if (ways[i].network)
            read.host = host;
        else
            read.port = slave->port;
        assert_int_equal(modbus_read_once(&read, see, &seen, why, sizeof why), 0);
        assert_int_equal(seen.count, 20);
        assert_int_equal(seen.values[19].u, hostile_register(3, 29));
        read.frames = ways[i].network ? "morse" : "tcp";
        assert_int_equal(modbus_read_once(&read, see, &seen, why, sizeof why), ERR_INVALID);
        assert_non_null(strstr(why, "frames"));
        hostile_stop(slave);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_once_without_a_gateway),
        cmocka_unit_test(reads_once_whatever_is_spoken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
