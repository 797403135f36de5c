/* Many Modbus TCP connections in one engine, against a server of the test's own. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/resource.h>
#include <sys/select.h>

#include "unit/tcp_rig.h"

#define BUSES    (FD_SETSIZE + 100)
#define EVERY_NS (200 * NS_PER_MS)

#define SILENT   0   /* units: this one gets no answer... */
#define HANGS_UP 255 /* ...and at one for this the server hangs up */

static void answer(struct rig_server *server, int fd, const uint8_t *request)
{
    if (request[6] == HANGS_UP)
        shutdown(fd, SHUT_RDWR);
    else if (request[6] != SILENT)
        rig_answer(server, fd, request);
}

/* Both ends of each connection are in this process. */
static bool may_have_descriptors(rlim_t wanted)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur >= wanted;
}

static void serves_more_connections_than_select_could(void **state)
{
    static struct rig_server server;
    struct driver_engine *engine;
    struct rig_bus *buses;

    (void)state;
    if (!may_have_descriptors(3 * BUSES))
        skip();
    buses = calloc(BUSES, sizeof *buses);
    rig_start(&server, answer);
    engine = rig_engine();
    for (unsigned i = 0; i < BUSES; i++) {
        rig_bus(&buses[i], server.port);
        rig_device(&buses[i], 1 + i % 200, i / 200, EVERY_NS);
        rig_join(&buses[i], engine);
    }
    for (unsigned i = 0; i < BUSES; i++)
        RIG_AWAIT(buses[i].good[0] >= 2);
    /* Those that leave are not missed by the others. */
    for (unsigned i = 0; i < BUSES; i += 2)
        rig_leave(&buses[i], engine);
    for (unsigned i = 1; i < BUSES; i += 2)
        RIG_AWAIT(buses[i].good[0] >= 4);
    for (unsigned i = 1; i < BUSES; i += 2)
        rig_leave(&buses[i], engine);
    driver_modbus_tcp.engine->close(engine);
    rig_stop(&server);
    free(buses);
}

static void goes_on_with_the_others_while_one_is_silent_and_one_cannot_be_reached(void **state)
{
    static struct rig_server server;
    static struct rig_bus buses[3];
    struct driver_engine *engine = rig_engine();

    (void)state;
    rig_start(&server, answer);
    rig_bus(&buses[0], server.port);
    rig_device(&buses[0], 7, 3, EVERY_NS);
    rig_bus(&buses[1], server.port);
    buses[1].options.timeout_ns = 50 * NS_PER_MS;
    rig_device(&buses[1], SILENT, 3, EVERY_NS);
    rig_bus(&buses[2], 1); /* where nobody listens */
    rig_device(&buses[2], 7, 3, EVERY_NS);
    for (int i = 0; i < 3; i++)
        rig_join(&buses[i], engine);
    RIG_AWAIT(buses[0].good[0] >= 10 && buses[1].stats[0].status == STATUS_TIMEOUT &&
              buses[2].stats[0].status == STATUS_REFUSED);
    assert_int_equal(buses[0].stats[0].timeouts, 0);
    for (int i = 0; i < 3; i++)
        rig_leave(&buses[i], engine);
    driver_modbus_tcp.engine->close(engine);
    rig_stop(&server);
}

static void a_unit_for_which_the_server_hangs_up_takes_no_other_down(void **state)
{
    static struct rig_server server;
    static struct rig_bus bus;
    struct driver_engine *engine = rig_engine();
    unsigned good;

    (void)state;
    rig_start(&server, answer);
    rig_bus(&bus, server.port);
    rig_device(&bus, 7, 3, EVERY_NS);
    rig_device(&bus, HANGS_UP, 3, EVERY_NS);
    rig_join(&bus, engine);
    while (atomic_load(&bus.stats[1].reconnects) < 5) {
        poll(NULL, 0, 5);
        if (atomic_load(&bus.stats[0].last_reply_ns))
            assert_true(atomic_load(&bus.stats[0].up));
    }
    good = bus.good[0];
    RIG_AWAIT(bus.good[0] >= good + 5);
    assert_true(atomic_load(&bus.stats[0].up));
    assert_false(atomic_load(&bus.stats[1].up));
    rig_leave(&bus, engine);
    driver_modbus_tcp.engine->close(engine);
    rig_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_more_connections_than_select_could),
        cmocka_unit_test(goes_on_with_the_others_while_one_is_silent_and_one_cannot_be_reached),
        cmocka_unit_test(a_unit_for_which_the_server_hangs_up_takes_no_other_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
