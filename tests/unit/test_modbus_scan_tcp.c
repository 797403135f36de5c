/* A scan over Modbus TCP of what is behind a gateway. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "field/wait.h"
#include "modbus/scan.h"
#include "unit/tcp_rig.h"

static int wait_for(struct driver_host *host, int fd, int64_t until_mono_ns)
{
    return wait_readable(fd, -1, host->clock, until_mono_ns);
}

/* Unit 3 is there, unit 4 refuses; where nobody is the gateway itself says so, in two ways. */
static void answer_as_a_gateway(struct rig_server *server, int fd, const uint8_t *request)
{
    static const uint8_t exceptions[] = {[4] = 2, [5] = 10, [6] = 11};
    uint8_t reply[9];

    if (request[6] == 3) {
        rig_answer(server, fd, request);
        return;
    }
    memcpy(reply, request, 8);
    reply[5] = 3;
    reply[7] |= 0x80;
    reply[8] = exceptions[request[6]];
    rig_send(fd, reply, sizeof reply);
}

struct seen {
    struct scan_found found[4];
    size_t count;
};

static void see(void *context, const struct scan_found *found)
{
    struct seen *seen = context;

    assert_true(seen->count < 4);
    seen->found[seen->count++] = *found;
}

static int go_on(void *context, const struct scan_progress *progress)
{
    (void)context;
    (void)progress;
    return 0;
}

static void units_that_a_gateway_cannot_reach_are_absent(void **state)
{
    static const struct driver_host_ops ops = {.wait = wait_for};
    static struct rig_server server;
    struct driver_host host = {.ops = &ops, .clock = &clock_system};
    struct seen seen = {.count = 0};
    const struct scan_visitor visitor = {.progress = go_on, .found = see, .context = &seen};
    char why[200] = "";

    (void)state;
    rig_start(&server, answer_as_a_gateway);
    for (uint8_t first = 3; first < 7; first += 2) {
        struct scan_options options = {.tcp = true,
                                       .line_count = 1,
                                       .units = {first, first + 1},
                                       .unit_count = 2,
                                       .head_count = 2,
                                       .function = MODBUS_HOLDING_REGISTERS,
                                       .count = 1,
                                       .timeout_ns = RIG_PATIENCE_NS};

        strcpy(options.bus.host.name, "127.0.0.1");
        options.bus.host.port = server.port;
        options.bus.connect_timeout_ns = RIG_PATIENCE_NS;
        assert_int_equal(scan(&options, &host, &visitor, why, sizeof why), first == 3 ? 2 : 0);
    }
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.found[0].unit, 3);
    assert_int_equal(seen.found[1].unit, 4);
    assert_int_equal(seen.found[1].tally.exception, 2);
    rig_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_that_a_gateway_cannot_reach_are_absent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
