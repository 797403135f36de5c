/* Who a device says it is: asked, remembered, compared; and its counters when it is another one. */
// links: driver_modbus sluice_field
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/status.h"
#include "modbus/passport.h"
#include "unit/modbus_plan_kit.h"

#define EVENTS_MAX 16

struct told {
    struct event events[EVENTS_MAX];
    char texts[EVENTS_MAX][256];
    size_t count;
};

struct rig {
    struct fixture fixture;
    struct driver_stats stats[2];
    struct driver_host host;
    struct passports passports;
    struct told told;
    uint32_t streams[2];
    struct modbus_request request;
    uint32_t device;
};

static size_t put(void *context, const struct event *events, size_t count, bool again)
{
    struct told *told = context;

    (void)again;
    for (size_t i = 0; i < count; i++) {
        assert_true(told->count < EVENTS_MAX);
        told->events[told->count] = events[i];
        if (events[i].value.type == VALUE_TEXT)
            snprintf(told->texts[told->count], sizeof told->texts[0], "%.*s",
                     (int)events[i].value.size, (const char *)events[i].value.data);
        told->count++;
    }
    return count;
}

/* A device with a counter, whose serial number stands in a register where `reg` says so. */
static struct rig *start(bool reg)
{
    struct rig *rig = calloc(1, sizeof *rig);
    struct modbus_device_options *options = &rig->fixture.device_options[0];

    assert_non_null(rig);
    make(&rig->fixture, "3@0+2/1000", 125, 0);
    options->identify = true;
    if (reg)
        options->identity =
            (struct modbus_identity){.type = MODBUS_U32, .function = 3, .address = 200, .count = 2};
    options->order = MODBUS_ABCD;
    rig->fixture.points[0].id = "energy";
    rig->fixture.points[0].unit = "kWh";
    rig->fixture.points[0].state = "total_increasing";
    rig->fixture.points[0].type = VALUE_U64;
    rig->fixture.devices[0].id = "meter";
    rig->fixture.devices[0].stream = 7;
    rig->fixture.devices[0].streams = rig->streams;
    rig->fixture.devices[1].streams = rig->streams;
    rig->streams[0] = 8;
    rig->host = (struct driver_host){.clock = &clock_system, .stats = rig->stats};
    assert_int_equal(sink_open(&rig->host.sink, &rig->fixture.bus, &clock_system, put, &rig->told),
                     0);
    assert_int_equal(passports_make(&rig->passports, &rig->fixture.plan, &rig->host), 0);
    atomic_store(&rig->stats[0].up, true);
    return rig;
}

static void stop(struct rig *rig)
{
    passports_free(&rig->passports);
    plan_free(&rig->fixture.plan);
    sink_close(rig->host.sink);
    free(rig);
}

static bool next(struct rig *rig)
{
    return passports_next(&rig->passports, clock_mono(&clock_system), &rig->request, &rig->device);
}

static const char *identity(const struct rig *rig)
{
    const char *words = rig->fixture.plan.devices[0].identity;

    return words ? words : "";
}

/* The device comes up and answers with a serial number. Returns whether that is news. */
static bool come_up(struct rig *rig, uint8_t serial)
{
    const uint8_t data[] = {0, 0, 0x12, serial};
    struct link_reply reply = {.data = data, .size = sizeof data};

    passports_ask(&rig->passports, 0);
    assert_true(next(rig));
    assert_int_equal(rig->request.function, 3);
    assert_int_equal(rig->request.address, 200);
    assert_int_equal(rig->request.unit, 1);
    bool news = passports_take(&rig->passports, 0, &reply);
    assert_false(next(rig));
    return news;
}

/* A reading of the counter at second `at_s`. Returns whether it is to be stored now. */
static bool read_counter(struct rig *rig, uint64_t value, int64_t at_s, uint16_t *status)
{
    struct sink_item item = {.point = &rig->fixture.points[0],
                             .value = {.type = VALUE_U64, .u = value}};
    bool now = passports_counted(&rig->passports, 0, at_s * NS_PER_S, &item);

    *status = item.status;
    return now;
}

static void a_replaced_device_is_told_and_its_counters_are_marked(void **state)
{
    struct rig *rig = start(true);
    const struct event *events = rig->told.events;
    uint16_t status;

    (void)state;
    assert_false(passports_count(&rig->passports, 0));
    assert_true(come_up(rig, 0x67)); /* 4711 */
    assert_string_equal(identity(rig), "id.serial=4711");
    assert_int_equal(rig->told.count, 0);
    assert_true(passports_count(&rig->passports, 0));
    assert_true(read_counter(rig, 48210, 1, &status));
    assert_int_equal(status, STATUS_GOOD);
    passports_ask(&rig->passports, 0);
    assert_false(read_counter(rig, 3, 10, &status)); /* whose is it? */
    assert_true(come_up(rig, 0x68));
    assert_string_equal(identity(rig), "id.serial=4712");
    assert_int_equal(rig->told.count, 3);
    assert_int_equal(events[0].kind, EVENT_READING);
    assert_int_equal(events[0].status, STATUS_LAST_OF_OLD);
    assert_int_equal(events[0].stream, 8);
    assert_int_equal(events[0].value.u, 48210);
    assert_true(events[0].mono_ns == 1 * NS_PER_S);
    assert_int_equal(events[1].kind, EVENT_ALARM);
    assert_int_equal(events[1].stream, 7);
    assert_string_equal(rig->told.texts[1],
                        "device meter was replaced: serial number 4711 before, serial number 4712 "
                        "now. Its counters ended at energy 48210 kWh");
    assert_int_equal(events[2].status, STATUS_FIRST_OF_NEW);
    assert_int_equal(events[2].value.u, 3);
    assert_true(events[2].mono_ns == 10 * NS_PER_S);
    assert_true(read_counter(rig, 4, 11, &status));
    assert_int_equal(status, STATUS_GOOD);
    stop(rig);
}

/* What the journal would know of the counter. */
static void know_last(struct driver_host *host, const struct site_device *device,
                      struct driver_last *items, size_t count)
{
    (void)host;
    assert_int_equal(device->stream, 7);
    assert_int_equal(count, 1);
    assert_string_equal(items[0].point->id, "energy");
    items[0].value = (struct value){.type = VALUE_U64, .u = 777};
    items[0].mono_ns = -5 * NS_PER_S; /* before the machine was started */
}

static void what_a_counter_ended_at_outlives_a_restart(void **state)
{
    static const struct driver_host_ops ops = {.last_good = know_last};
    struct rig *rig = start(true);
    const struct event *events = rig->told.events;
    uint16_t status;

    (void)state;
    rig->host.ops = &ops;
    come_up(rig, 0x67);
    assert_int_equal(rig->told.count, 0); /* nobody was replaced: nobody looks */
    come_up(rig, 0x68);
    assert_int_equal(rig->told.count, 2);
    assert_int_equal(events[0].status, STATUS_LAST_OF_OLD);
    assert_int_equal(events[0].value.u, 777);
    assert_true(events[0].mono_ns == -5 * NS_PER_S);
    assert_non_null(strstr(rig->told.texts[1], "Its counters ended at energy 777 kWh"));
    assert_true(read_counter(rig, 2, 10, &status));
    assert_int_equal(status, STATUS_FIRST_OF_NEW);
    /* Of one that was read since, the driver knows better. */
    come_up(rig, 0x69);
    assert_int_equal(events[2].status, STATUS_LAST_OF_OLD);
    assert_int_equal(events[2].value.u, 2);
    stop(rig);
}

static void the_same_device_again_is_no_news(void **state)
{
    struct rig *rig = start(true);
    uint16_t status;

    (void)state;
    come_up(rig, 0x67);
    passports_ask(&rig->passports, 0);
    assert_false(read_counter(rig, 3, 10, &status));
    assert_false(come_up(rig, 0x67));
    assert_int_equal(rig->told.count, 1); /* what was held back */
    assert_int_equal(rig->told.events[0].status, STATUS_GOOD);
    assert_int_equal(rig->told.events[0].value.u, 3);
    stop(rig);
}

static void its_own_order_is_kept(void **state)
{
    struct rig *rig = start(true);

    (void)state;
    rig->fixture.device_options[0].order = MODBUS_CDAB;
    rig->fixture.device_options[0].identity.order = MODBUS_ABCD;
    come_up(rig, 0x67);
    assert_string_equal(identity(rig), "id.serial=4711");
    rig->fixture.device_options[0].identity.order = MODBUS_ORDER_UNSAID;
    come_up(rig, 0x67);
    assert_string_equal(identity(rig), "id.serial=308740096"); /* 4711 * 65536 */
    stop(rig);
}

static void one_that_says_nothing_today_is_not_another(void **state)
{
    struct link_reply none = {0};
    struct rig *rig = start(true);

    (void)state;
    come_up(rig, 0x67);
    passports_ask(&rig->passports, 0);
    assert_true(next(rig));
    assert_false(passports_take(&rig->passports, ERR_EXCEPTION, &none));
    assert_string_equal(identity(rig), "id.serial=4711");
    assert_int_equal(rig->told.count, 0);
    assert_true(come_up(rig, 0x68));
    assert_int_equal(rig->told.count, 1);
    assert_int_equal(rig->told.events[0].kind, EVENT_ALARM);
    stop(rig);
}

static void one_that_is_down_is_not_asked(void **state)
{
    struct rig *rig = start(true);

    (void)state;
    passports_ask(&rig->passports, 0);
    atomic_store(&rig->stats[0].up, false);
    assert_false(next(rig));
    atomic_store(&rig->stats[0].up, true);
    assert_true(next(rig));
    stop(rig);
}

static void one_that_says_nothing_is_not_asked_again(void **state)
{
    struct link_reply none = {0};
    struct rig *rig = start(false);

    (void)state;
    passports_ask(&rig->passports, 0);
    assert_true(next(rig));
    assert_int_equal(rig->request.function, PDU_IDENTIFY);
    assert_int_equal(rig->request.data[1], IDENT_REGULAR);
    assert_false(passports_take(&rig->passports, ERR_EXCEPTION, &none));
    assert_true(next(rig));
    assert_int_equal(rig->request.data[1], IDENT_BASIC);
    assert_true(passports_take(&rig->passports, ERR_EXCEPTION, &none));
    assert_false(next(rig));
    passports_ask(&rig->passports, 0);
    assert_false(next(rig));
    stop(rig);
}

static void one_that_is_silent_is_asked_twice(void **state)
{
    struct link_reply none = {0};
    struct rig *rig = start(false);

    (void)state;
    passports_ask(&rig->passports, 0);
    assert_true(next(rig));
    assert_false(passports_take(&rig->passports, ERR_TIMEOUT, &none));
    assert_false(next(rig)); /* later */
    assert_true(passports_next(&rig->passports,
                               clock_mono(&clock_system) + PASSPORT_RETRY_NS + NS_PER_S,
                               &rig->request, &rig->device));
    assert_true(passports_take(&rig->passports, ERR_TIMEOUT, &none));
    passports_ask(&rig->passports, 0);
    assert_false(next(rig));
    stop(rig);
}

static void function_43_tells_model_and_maker(void **state)
{
    static const uint8_t acme[] = {0x0E, 1,   1,   0,   0,   2,   0, 8, 'A', 'c',
                                   'm',  'e', ' ', 'L', 't', 'd', 1, 1, 'X'};
    struct link_reply reply = {.data = acme, .size = sizeof acme};
    struct rig *rig = start(false);
    char value[32];

    (void)state;
    passports_ask(&rig->passports, 0);
    assert_true(next(rig));
    assert_true(passports_take(&rig->passports, 0, &reply));
    assert_string_equal(identity(rig), "id.vendor=Acme%20Ltd id.product_code=X");
    assert_true(passport_word(identity(rig), "vendor", value, sizeof value));
    assert_string_equal(value, "Acme Ltd");
    assert_true(passport_word(identity(rig), "product_code", value, sizeof value));
    assert_string_equal(value, "X");
    assert_false(passport_word(identity(rig), "serial", value, sizeof value));
    stop(rig);
}

static void what_lasts_tells_devices_apart(void **state)
{
    static const struct {
        const char *before, *now;
        bool differs;
    } cases[] = {
        {"id.serial=1", "id.serial=1", false},
        {"id.serial=1", "id.serial=2", true},
        {"id.vendor=A id.revision=1.0", "id.vendor=A id.revision=1.1", false},
        {"id.vendor=A id.model=M", "id.vendor=A id.model=N", true},
        {"id.vendor=A", "id.vendor=A id.serial=5", false},
        {"id.none=1", "id.serial=5", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(passport_differs(cases[i].before, cases[i].now), cases[i].differs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replaced_device_is_told_and_its_counters_are_marked),
        cmocka_unit_test(what_a_counter_ended_at_outlives_a_restart),
        cmocka_unit_test(the_same_device_again_is_no_news),
        cmocka_unit_test(its_own_order_is_kept),
        cmocka_unit_test(one_that_says_nothing_today_is_not_another),
        cmocka_unit_test(one_that_is_down_is_not_asked),
        cmocka_unit_test(one_that_says_nothing_is_not_asked_again),
        cmocka_unit_test(one_that_is_silent_is_asked_twice),
        cmocka_unit_test(function_43_tells_model_and_maker),
        cmocka_unit_test(what_lasts_tells_devices_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
