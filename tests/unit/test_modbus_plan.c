/* How points become reads, which read is next, and what that asks of a line. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "modbus/load.h"
#include "modbus/plan.h"

#define POINTS_MAX 300
#define MOMENT     (100 * NS_PER_S)

/* A bus with one or two devices whose points are said in a few words: "3@100+2/1000" is function 3,
 * address 100, two registers, each 1000 ms. A ';' begins the second device. */
struct fixture {
    struct modbus_bus_options bus_options;
    struct modbus_device_options device_options;
    struct modbus_point_options options[POINTS_MAX];
    struct site_point points[POINTS_MAX];
    struct site_device devices[2];
    struct site_bus bus;
    struct plan plan;
};

static void describe(struct fixture *fixture, const char *text)
{
    struct site_device *device = &fixture->devices[0];
    size_t index = 0;

    device->points = fixture->points;
    for (const char *word = text; *word; index++) {
        unsigned function, address, count, every;
        int length;
        struct modbus_point_options *options = &fixture->options[index];

        while (*word == ' ' || *word == ';') {
            if (*word++ == ';') {
                device = &fixture->devices[1];
                device->points = &fixture->points[index];
            }
        }
        assert_int_equal(
            sscanf(word, "%u@%u+%u/%u%n", &function, &address, &count, &every, &length), 4);
        word += length;
        options->function = (uint8_t)function;
        options->address = (uint16_t)address;
        options->count = (uint16_t)count;
        fixture->points[index].options = options;
        fixture->points[index].every_ns = every * NS_PER_MS;
        device->point_count++;
    }
}

static void make(struct fixture *fixture, const char *text, int64_t max_block, int64_t gap)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->device_options.max_block = max_block;
    fixture->device_options.gap = gap;
    fixture->bus.options = &fixture->bus_options;
    fixture->bus.devices = fixture->devices;
    fixture->bus.device_count = 2;
    for (size_t i = 0; i < 2; i++) {
        fixture->devices[i].options = &fixture->device_options;
        fixture->devices[i].id = i ? "second" : "first";
    }
    describe(fixture, text);
    assert_int_equal(plan_make(&fixture->plan, &fixture->bus), 0);
}

/* "3@100+4 4@7+1" */
static void assert_blocks(const struct fixture *fixture, const char *wanted)
{
    char found[1024] = "";
    size_t length = 0, points = 0;

    for (size_t i = 0; i < fixture->plan.block_count; i++) {
        const struct plan_block *block = &fixture->plan.blocks[i];

        length += (size_t)snprintf(found + length, sizeof found - length, "%s%u@%u+%u",
                                   i ? " " : "", block->function, block->address, block->count);
        points += block->points;
    }
    assert_string_equal(found, wanted);
    assert_int_equal(points, fixture->plan.point_count);
}

static void merges_neighbours_into_one_read(void **state)
{
    static const struct {
        const char *points;
        int64_t max_block, gap;
        const char *blocks;
    } cases[] = {
        {"3@100+1/1000 3@101+2/1000 3@103+4/1000", 125, 0, "3@100+7"},
        {"3@103+4/1000 3@100+1/1000 3@101+2/1000", 125, 0, "3@100+7"},
        {"3@100+1/1000 3@102+1/1000", 125, 0, "3@100+1 3@102+1"},
        {"3@100+1/1000 3@102+1/1000", 125, 1, "3@100+3"},
        {"3@100+1/1000 3@103+1/1000", 125, 1, "3@100+1 3@103+1"},
        {"3@100+2/1000 3@100+1/1000 3@101+1/1000", 125, 0, "3@100+2"},
        {"3@100+4/1000 3@101+1/1000 3@104+1/1000", 125, 0, "3@100+5"},
        {"3@100+1/1000 4@101+1/1000", 125, 0, "3@100+1 4@101+1"},
        {"3@100+1/1000 3@101+1/2000", 125, 0, "3@100+1 3@101+1"},
        {"3@100+1/1000; 3@101+1/1000", 125, 0, "3@100+1 3@101+1"},
        {"3@0+100/1000 3@100+25/1000 3@125+1/1000", 125, 0, "3@0+125 3@125+1"},
        {"3@0+2/1000 3@2+2/1000 3@4+2/1000", 5, 0, "3@0+4 3@4+2"},
        {"3@65534+1/1000 3@65535+1/1000", 125, 0, "3@65534+2"},
        {"1@0+1/1000 1@15+1/1000 1@16+1/1000", 1, 1, "1@0+16 1@16+1"},
        {"1@0+1/1000 1@17+1/1000", 125, 1, "1@0+18"},
        {"1@0+1/1000 1@18+1/1000", 125, 1, "1@0+1 1@18+1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;

        make(&fixture, cases[i].points, cases[i].max_block, cases[i].gap);
        assert_blocks(&fixture, cases[i].blocks);
        plan_free(&fixture.plan);
    }
}

static void never_asks_for_more_than_the_protocol_allows(void **state)
{
    struct fixture fixture;
    char text[POINTS_MAX * 16] = "";
    size_t length = 0;

    (void)state;
    for (int i = 0; i < 250; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, " 3@%d+1/1000", i);
    make(&fixture, text, 125, 125);
    assert_blocks(&fixture, "3@0+125 3@125+125");
    plan_free(&fixture.plan);
}

static void splits_until_a_bad_register_stands_alone(void **state)
{
    struct fixture fixture;
    unsigned splits = 0;

    (void)state;
    make(&fixture, "3@0+1/1000 3@1+1/1000 3@2+2/1000 3@4+1/1000 3@5+1/1000 3@6+1/1000 3@7+1/1000",
         125, 0);
    for (size_t i = 0; i < fixture.plan.block_count;) {
        struct plan_block *block = &fixture.plan.blocks[i];
        bool bad = block->address <= 5 && block->address + block->count > 5;

        if (!bad || !plan_split(&fixture.plan, block, MOMENT))
            i++;
        else
            splits++;
    }
    assert_int_equal(splits, 3);
    for (size_t i = 0; i < fixture.plan.block_count; i++) {
        const struct plan_block *block = &fixture.plan.blocks[i];

        if (block->address <= 5 && block->address + block->count > 5)
            assert_int_equal(block->count, 1);
        assert_int_equal(block->due_ns, MOMENT);
    }
    plan_free(&fixture.plan);
}

static void splits_away_the_gap_that_was_read_over(void **state)
{
    struct fixture fixture;

    (void)state;
    make(&fixture, "3@0+1/1000 3@9+1/1000", 125, 10);
    assert_blocks(&fixture, "3@0+10");
    assert_true(plan_split(&fixture.plan, &fixture.plan.blocks[0], MOMENT));
    assert_blocks(&fixture, "3@0+1 3@9+1");
    assert_false(plan_split(&fixture.plan, &fixture.plan.blocks[0], MOMENT));
    plan_free(&fixture.plan);
}

static void reads_the_earliest_deadline_first(void **state)
{
    struct fixture fixture;
    int64_t wake;

    (void)state;
    make(&fixture, "3@0+1/60000 3@1+1/1000 3@2+1/5000", 125, 0);
    assert_null(plan_next(&fixture.plan, MOMENT, &wake));
    for (size_t i = 0; i < 3; i++)
        fixture.plan.blocks[i].due_ns = MOMENT;
    for (int64_t wanted = 1000; wanted; wanted = wanted == 1000   ? 5000
                                                 : wanted == 5000 ? 60000
                                                                  : 0) {
        struct plan_block *block = plan_next(&fixture.plan, MOMENT, &wake);

        assert_non_null(block);
        assert_int_equal(block->every_ns, wanted * NS_PER_MS);
        plan_done(block, MOMENT);
    }
    assert_null(plan_next(&fixture.plan, MOMENT, &wake));
    assert_int_equal(wake, MOMENT + NS_PER_S);
    plan_free(&fixture.plan);
}

static void does_not_starve_a_slow_block_on_a_line_that_is_too_busy(void **state)
{
    struct fixture fixture;
    int64_t wake, moment = MOMENT;
    unsigned slow = 0;

    (void)state;
    make(&fixture, "3@0+1/100 3@1+1/100 3@2+1/5000", 125, 0);
    plan_start(&fixture.plan, moment);
    for (int i = 0; i < 200; i++) {
        struct plan_block *block = plan_next(&fixture.plan, moment, &wake);

        moment += 100 * NS_PER_MS;
        if (!block)
            continue;
        slow += block->every_ns == 5 * NS_PER_S;
        plan_done(block, moment);
    }
    assert_in_range(slow, 3, 4);
    plan_free(&fixture.plan);
}

static void keeps_the_interval_without_drift(void **state)
{
    static const struct {
        int64_t done_ms, due_ms;
    } cases[] = {{0, 1000}, {999, 1000}, {1000, 1000}, {1999, 1000}, {2000, 2000}, {7300, 7000}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct plan_block block = {.every_ns = NS_PER_S, .due_ns = MOMENT};

        plan_done(&block, MOMENT + cases[i].done_ms * NS_PER_MS);
        assert_int_equal(block.due_ns, MOMENT + cases[i].due_ms * NS_PER_MS);
    }
}

static void spreads_blocks_over_the_first_second(void **state)
{
    struct fixture fixture;

    (void)state;
    make(&fixture, "3@0+1/60000 3@2+1/60000 3@4+1/60000 3@6+1/60000", 125, 0);
    plan_start(&fixture.plan, MOMENT);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(fixture.plan.blocks[i].due_ns, MOMENT + (int64_t)i * 250 * NS_PER_MS);
    plan_free(&fixture.plan);
}

static void leaves_out_the_blocks_of_a_paused_device(void **state)
{
    struct fixture fixture;
    int64_t wake;

    (void)state;
    make(&fixture, "3@0+1/1000; 3@0+1/9000", 125, 0);
    plan_start(&fixture.plan, MOMENT);
    plan_pause(&fixture.plan, 0);
    assert_ptr_equal(plan_next(&fixture.plan, MOMENT + NS_PER_S, &wake), &fixture.plan.blocks[1]);
    plan_resume(&fixture.plan, 0, MOMENT + NS_PER_S);
    assert_ptr_equal(plan_next(&fixture.plan, MOMENT + NS_PER_S, &wake), &fixture.plan.blocks[0]);
    plan_free(&fixture.plan);
}

static void counts_the_bytes_on_the_wire(void **state)
{
    struct fixture fixture;
    struct driver_load load;

    (void)state;
    /* 8 + 5 + 20 bytes of 11 bits, two silences of 38.5 bits, 5 ms: at 9600 baud 50.8 ms. */
    make(&fixture, "3@0+10/1000; 3@0+10/500", 125, 0);
    fixture.bus_options.line =
        (struct port_settings){.baud = 9600, .data_bits = 8, .stop_bits = 1, .parity = 'E'};
    fixture.bus_options.turnaround_ns = 5 * NS_PER_MS;
    modbus_rtu_load(&fixture.bus, &load);
    assert_true(load.requests_per_s > 2.999 && load.requests_per_s < 3.001);
    assert_true(load.busy_share > 3 * 0.0508 && load.busy_share < 3 * 0.0509);
    assert_string_equal(load.note, "");
    modbus_tcp_load(&fixture.bus, &load);
    assert_true(load.requests_per_s > 2.999 && load.busy_share < 0);
    plan_free(&fixture.plan);
}

static void says_what_to_do_when_a_line_cannot_keep_up(void **state)
{
    static const struct {
        const char *points, *note;
    } cases[] = {
        {"3@0+100/200; 3@0+1/1000",
         "this line needs 1.3 s each second: raise the baud to 19200, or poll first every 340 ms"},
        {"3@0+100/100; 3@0+1/1000",
         "this line needs 2.6 s each second: raise the baud to 38400, or poll first every 340 ms"},
        {"3@0+100/200; 3@0+100/200",
         "this line needs 2.6 s each second: raise the baud to 38400, or poll all its devices 3.2 "
         "times as seldom"},
        {"3@0+100/10; 3@0+1/1000", "this line needs 25.7 s each second: poll first every 340 ms"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        struct driver_load load;

        make(&fixture, cases[i].points, 125, 0);
        fixture.bus_options.line =
            (struct port_settings){.baud = 9600, .data_bits = 8, .stop_bits = 1, .parity = 'E'};
        fixture.bus_options.turnaround_ns = 5 * NS_PER_MS;
        modbus_rtu_load(&fixture.bus, &load);
        assert_string_equal(load.note, cases[i].note);
        plan_free(&fixture.plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_neighbours_into_one_read),
        cmocka_unit_test(never_asks_for_more_than_the_protocol_allows),
        cmocka_unit_test(splits_until_a_bad_register_stands_alone),
        cmocka_unit_test(splits_away_the_gap_that_was_read_over),
        cmocka_unit_test(reads_the_earliest_deadline_first),
        cmocka_unit_test(does_not_starve_a_slow_block_on_a_line_that_is_too_busy),
        cmocka_unit_test(keeps_the_interval_without_drift),
        cmocka_unit_test(spreads_blocks_over_the_first_second),
        cmocka_unit_test(leaves_out_the_blocks_of_a_paused_device),
        cmocka_unit_test(counts_the_bytes_on_the_wire),
        cmocka_unit_test(says_what_to_do_when_a_line_cannot_keep_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
