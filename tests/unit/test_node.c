/* A node as a whole: frames in, frames out, and what time does to it. */
// links: sluice_node
#include "unit/node_flash.h"

#include "node/core/crc.h"
#include "node/core/node.h"

struct kit {
    struct flash_model model;
    struct node_facts facts;
    struct node node;
    uint8_t reply[FRAME_SIZE_MAX];
    size_t size;
    uint32_t now_ms;
};

static const bool open_contacts[MAP_DISCRETES];

static void build(struct kit *kit)
{
    memset(kit, 0, sizeof *kit);
    flash_open(&kit->model, 4, 1);
    kit->facts = (struct node_facts){
        .settings = {&kit->model.flash, 115200, 0x0F, MAP_SETTING_FRAMING_IS_BY_SILENCE},
        .model = "board",
        .version = "1.2.3",
        .serial = UINT64_C(0x1122334455667788),
        .restart_reason = MAP_RESTART_REASON_IS_WATCHDOG,
    };
    node_open(&kit->node, &kit->facts);
}

/* Sends a request to a unit. What came back is in kit->reply, without the checksum, which was
 * right. */
static void ask_unit(struct kit *kit, uint8_t unit, const uint8_t *pdu, size_t size)
{
    uint8_t frame[FRAME_SIZE_MAX] = {unit};
    uint16_t crc;

    memcpy(frame + 1, pdu, size);
    crc = crc16(frame, size + 1);
    frame[size + 1] = (uint8_t)crc;
    frame[size + 2] = (uint8_t)(crc >> 8);
    kit->size = node_answer(&kit->node, frame, size + 3, kit->reply);
    if (!kit->size)
        return;
    assert_int_equal(crc16(kit->reply, kit->size), 0);
    assert_int_equal(kit->reply[0], unit);
    kit->size -= 2;
}

static uint8_t unit_of(const struct kit *kit)
{
    return (uint8_t)kit->node.settings.values[MAP_HOLDING_SETTING_UNIT_NUMBER];
}

/* A register, as the wire tells of it. */
static uint16_t read_register(struct kit *kit, uint8_t function, uint16_t at)
{
    const uint8_t pdu[] = {function, (uint8_t)(at >> 8), (uint8_t)at, 0, 1};

    ask_unit(kit, unit_of(kit), pdu, sizeof pdu);
    assert_int_equal(kit->size, 5);
    assert_int_equal(node_sent(&kit->node), NODE_NOTHING);
    return pdu_u16(kit->reply + 3);
}

static uint32_t read_long(struct kit *kit, uint16_t at)
{
    return (uint32_t)read_register(kit, PDU_READ_INPUT, at) << 16 |
           read_register(kit, PDU_READ_INPUT, at + 1);
}

/* The exception, or 0. */
static uint8_t write_register(struct kit *kit, uint8_t unit, uint16_t at, uint16_t value)
{
    const uint8_t pdu[] = {PDU_WRITE_REGISTER, 0, (uint8_t)at, (uint8_t)(value >> 8),
                           (uint8_t)value};

    ask_unit(kit, unit, pdu, sizeof pdu);
    return kit->size && kit->reply[1] & PDU_EXCEPTION ? kit->reply[2] : 0;
}

static enum node_wish pass(struct kit *kit, uint32_t ms)
{
    enum node_wish wish = NODE_NOTHING;

    for (uint32_t i = 0; i < ms && wish == NODE_NOTHING; i++)
        wish = node_tick(&kit->node, ++kit->now_ms, open_contacts);
    return wish;
}

static void it_says_who_it_is_and_how_it_began(void **state)
{
    struct kit kit;

    (void)state;
    build(&kit);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_RESTART_REASON),
                     MAP_RESTART_REASON_IS_WATCHDOG);
    assert_int_equal(read_long(&kit, MAP_INPUT_SERIAL_NUMBER), 0x11223344);
    assert_int_equal(read_long(&kit, MAP_INPUT_SERIAL_NUMBER + 2), 0x55667788);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_FIRMWARE_VERSION), '1' << 8 | '.');
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_FIRMWARE_VERSION + 3), 0);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_TEMPERATURE), MAP_NA_TEMPERATURE);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_ANALOG_INPUT_VOLTAGE_2),
                     MAP_NA_ANALOG_INPUT_VOLTAGE_2);
}

static void it_answers_its_own_unit_and_does_what_is_for_all(void **state)
{
    static const uint8_t on[] = {PDU_WRITE_COIL, 0, 1, 0xFF, 0},
                         read[] = {PDU_READ_COILS, 0, 1, 0, 1};
    struct kit kit;

    (void)state;
    build(&kit);
    ask_unit(&kit, 2, on, sizeof on);
    assert_int_equal(kit.size, 0);
    assert_false(kit.node.outputs[1]);
    ask_unit(&kit, 0, on, sizeof on);
    assert_int_equal(kit.size, 0);
    assert_true(kit.node.outputs[1]);
    ask_unit(&kit, 0, read, sizeof read);
    assert_int_equal(kit.size, 0);
    ask_unit(&kit, 1, read, sizeof read);
    assert_int_equal(kit.reply[3], 1);
    write_register(&kit, 0, MAP_HOLDING_SETTING_UNIT_NUMBER, 9);
    assert_int_equal(node_sent(&kit.node), NODE_NOTHING);
    assert_int_equal(unit_of(&kit), 1);
}

static void a_new_unit_applies_behind_the_reply_and_holds_when_it_is_asked_there(void **state)
{
    struct kit kit;

    (void)state;
    build(&kit);
    assert_int_equal(write_register(&kit, 1, MAP_HOLDING_SETTING_UNIT_NUMBER, 9), 0);
    assert_int_equal(kit.reply[0], 1);
    assert_int_equal(node_sent(&kit.node), NODE_LINE);
    assert_int_equal(read_register(&kit, 3, MAP_HOLDING_SETTING_UNIT_NUMBER), 9);
    assert_int_equal(pass(&kit, 2 * SETTINGS_TRIAL_MS), NODE_NOTHING);
    node_open(&kit.node, &kit.facts);
    assert_int_equal(unit_of(&kit), 9);
}

static void a_new_unit_that_nobody_asks_is_given_up(void **state)
{
    struct kit kit;

    (void)state;
    build(&kit);
    write_register(&kit, 1, MAP_HOLDING_SETTING_UNIT_NUMBER, 9);
    assert_int_equal(node_sent(&kit.node), NODE_LINE);
    ask_unit(&kit, 1, (const uint8_t[]){4, 0, 0, 0, 1}, 5); /* the old place is no reason to stay */
    assert_int_equal(kit.size, 0);
    ask_unit(&kit, 0, (const uint8_t[]){PDU_WRITE_COIL, 0, 1, 0xFF, 0}, 5); /* nor what all hear */
    assert_int_equal(pass(&kit, SETTINGS_TRIAL_MS - 1), NODE_NOTHING);
    assert_int_equal(pass(&kit, 1), NODE_LINE);
    assert_int_equal(unit_of(&kit), 1);
}

static void it_restarts_behind_the_reply(void **state)
{
    struct kit kit;

    (void)state;
    build(&kit);
    assert_int_equal(write_register(&kit, 1, MAP_HOLDING_SYSTEM_RESET, 3), PDU_ILLEGAL_VALUE);
    assert_int_equal(node_sent(&kit.node), NODE_NOTHING);
    write_register(&kit, 1, MAP_HOLDING_SETTING_LOW_PASS, 5);
    node_sent(&kit.node);
    assert_int_equal(write_register(&kit, 1, MAP_HOLDING_SYSTEM_RESET, MAP_SYSTEM_RESET_IS_RESTART),
                     0);
    assert_int_equal(kit.size, 6);
    assert_int_equal(node_sent(&kit.node), NODE_RESTART);
    node_open(&kit.node, &kit.facts);
    assert_int_equal(read_register(&kit, 3, MAP_HOLDING_SETTING_LOW_PASS), 5);
    write_register(&kit, 1, MAP_HOLDING_SYSTEM_RESET, MAP_SYSTEM_RESET_IS_FACTORY_SETTINGS);
    assert_int_equal(node_sent(&kit.node), NODE_RESTART);
    node_open(&kit.node, &kit.facts);
    assert_int_equal(read_register(&kit, 3, MAP_HOLDING_SETTING_LOW_PASS), 0);
}

/* Settings and the restart lie side by side: a block over both is taken whole or not at all. */
static void a_block_of_settings_is_taken_whole_or_not_at_all(void **state)
{
    uint8_t pdu[6 + 2 * MAP_HOLDINGS] = {PDU_WRITE_REGISTERS, 0, 0, 0, MAP_HOLDINGS,
                                         2 * MAP_HOLDINGS};
    static const uint16_t values[MAP_HOLDINGS] = {1,  96, 1, 0, 500, 2, 3, (uint16_t)-100,
                                                  50, 60, 0};
    struct kit kit;

    (void)state;
    build(&kit);
    for (unsigned i = 0; i < MAP_HOLDINGS; i++)
        pdu_put_u16(pdu + 6 + 2 * i, values[i]);
    pdu[sizeof pdu - 1] = 9;
    ask_unit(&kit, 1, pdu, sizeof pdu);
    assert_int_equal(kit.reply[2], PDU_ILLEGAL_VALUE);
    assert_int_equal(read_register(&kit, 3, MAP_HOLDING_SETTING_LOW_PASS), 0);
    pdu[sizeof pdu - 1] = 0;
    ask_unit(&kit, 1, pdu, sizeof pdu);
    assert_int_equal(kit.size, 6);
    assert_int_equal(node_sent(&kit.node), NODE_NOTHING);
    for (uint16_t i = 0; i < MAP_HOLDINGS; i++)
        assert_int_equal(read_register(&kit, 3, i), values[i]);
}

static void outputs_whose_master_is_silent_go_off_where_that_is_wanted(void **state)
{
    static const uint8_t on[] = {PDU_WRITE_COIL, 0, 0, 0xFF, 0};
    struct kit kit;

    (void)state;
    build(&kit);
    ask_unit(&kit, 1, on, sizeof on);
    pass(&kit, 100000);
    assert_true(kit.node.outputs[0]);
    write_register(&kit, 1, MAP_HOLDING_SETTING_OUTPUT_HOLD, 10);
    node_sent(&kit.node);
    pass(&kit, 9999);
    assert_true(kit.node.outputs[0]);
    read_register(&kit, 4, 0); /* somebody is there */
    pass(&kit, 9999);
    assert_true(kit.node.outputs[0]);
    pass(&kit, 1);
    assert_false(kit.node.outputs[0]);
}

static void readings_are_corrected_and_kept_within_what_a_register_holds(void **state)
{
    struct sensor sensor = {
        .kind = SENSOR_BME280, .centidegrees = 2345, .centipercent = 9950, .pascals = 101325};
    struct kit kit;

    (void)state;
    build(&kit);
    write_register(&kit, 1, MAP_HOLDING_TEMPERATURE_CORRECTION, (uint16_t)-45);
    write_register(&kit, 1, MAP_HOLDING_HUMIDITY_CORRECTION, 100);
    node_sent(&kit.node);
    node_take_sensor(&kit.node, &sensor, SENSOR_READING);
    node_take_analog(&kit.node, 1, 3300);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_TEMPERATURE), 2300);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_HUMIDITY), 10000);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_AIR_PRESSURE), 10133);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_SENSOR_TYPE), MAP_SENSOR_TYPE_IS_BME280);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_ANALOG_INPUT_VOLTAGE_2), 3300);
    for (int i = 0; i < 3; i++)
        node_take_sensor(&kit.node, &sensor, SENSOR_READING);
    node_take_sensor(&kit.node, &sensor, SENSOR_LOST);
    node_take_analog(&kit.node, 1, -1);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_TEMPERATURE), MAP_NA_TEMPERATURE);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_HUMIDITY), MAP_NA_HUMIDITY);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_AIR_PRESSURE), MAP_NA_AIR_PRESSURE);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_ANALOG_INPUT_VOLTAGE_2),
                     MAP_NA_ANALOG_INPUT_VOLTAGE_2);
    sensor = (struct sensor){.kind = SENSOR_SHT3X, .centidegrees = -2345, .centipercent = 0};
    node_take_sensor(&kit.node, &sensor, SENSOR_READING);
    assert_int_equal((int16_t)read_register(&kit, 4, MAP_INPUT_TEMPERATURE), -2390);
    sensor.centidegrees = -40000; /* shows the least, and not "no value" */
    for (int i = 0; i < 5; i++)
        node_take_sensor(&kit.node, &sensor, SENSOR_READING);
    assert_int_equal((int16_t)read_register(&kit, 4, MAP_INPUT_TEMPERATURE), INT16_MIN + 1);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_AIR_PRESSURE), MAP_NA_AIR_PRESSURE);
}

static void it_counts_seconds_pulses_and_requests(void **state)
{
    struct kit kit;
    bool closed[MAP_DISCRETES] = {false};

    (void)state;
    build(&kit);
    kit.now_ms = 0;
    pass(&kit, 2999);
    assert_int_equal(read_long(&kit, MAP_INPUT_UPTIME), 2);
    pass(&kit, 1);
    assert_int_equal(read_long(&kit, MAP_INPUT_UPTIME), 3);
    for (int pulse = 0; pulse < 3; pulse++) {
        for (int i = 0; i < 60; i++) {
            closed[1] = i < 30;
            node_tick(&kit.node, ++kit.now_ms, closed);
        }
    }
    assert_int_equal(read_long(&kit, MAP_INPUT_UPTIME), 3);
    assert_int_equal(read_long(&kit, MAP_INPUT_COUNTER_1), 0);
    assert_int_equal(read_long(&kit, MAP_INPUT_COUNTER_2), 3);
    assert_int_equal(read_register(&kit, 4, MAP_INPUT_FRAMES_ANSWERED + 1), 11);
    node_take_damaged(&kit.node, 70000);
    assert_int_equal(read_long(&kit, MAP_INPUT_FRAMES_DAMAGED), 70000);
    /* Time that was lost is made up for. */
    node_tick(&kit.node, kit.now_ms + 5000, closed);
    assert_int_equal(read_long(&kit, MAP_INPUT_UPTIME), 8);
}

static uint8_t count_write(void *context, uint16_t index, uint16_t count, const uint8_t *data)
{
    (void)index;
    (void)count;
    (void)data;
    ++*(int *)context;
    return 0;
}

/* Of no register, and whoever looks after it: the window of the update is such an area. */
static void no_register_is_written_for_all(void **state)
{
    static const uint8_t one[] = {PDU_WRITE_REGISTER, 0x10, 0x90, 0, 5},
                         several[] = {PDU_WRITE_REGISTERS, 0x10, 0x90, 0, 1, 2, 0, 5};
    int writes = 0;
    struct area area = {SLAVE_HOLDING, 4096, 300, NULL, count_write, &writes};
    struct kit kit;

    (void)state;
    build(&kit);
    assert_true(node_add_area(&kit.node, &area));
    ask_unit(&kit, 0, one, sizeof one);
    assert_int_equal(kit.size, 0);
    ask_unit(&kit, 0, several, sizeof several);
    assert_int_equal(kit.size, 0);
    assert_int_equal(writes, 0);
    ask_unit(&kit, 1, several, sizeof several);
    assert_int_equal(kit.size, 6);
    assert_int_equal(writes, 1);
    write_register(&kit, 0, MAP_HOLDING_SYSTEM_RESET, MAP_SYSTEM_RESET_IS_RESTART);
    assert_int_equal(node_sent(&kit.node), NODE_NOTHING);
}

static void other_parts_add_registers_of_their_own(void **state)
{
    struct kit kit;
    struct area area;

    (void)state;
    build(&kit);
    area = kit.node.areas[0];
    area.first = 4096;
    while (node_add_area(&kit.node, &area))
        area.first = (uint16_t)(area.first + 100);
    assert_int_equal(kit.node.slave.area_count, NODE_AREAS);
    assert_int_equal(read_register(&kit, 4, 4096 + MAP_INPUT_RESTART_REASON),
                     MAP_RESTART_REASON_IS_WATCHDOG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_who_it_is_and_how_it_began),
        cmocka_unit_test(it_answers_its_own_unit_and_does_what_is_for_all),
        cmocka_unit_test(a_new_unit_applies_behind_the_reply_and_holds_when_it_is_asked_there),
        cmocka_unit_test(a_new_unit_that_nobody_asks_is_given_up),
        cmocka_unit_test(it_restarts_behind_the_reply),
        cmocka_unit_test(a_block_of_settings_is_taken_whole_or_not_at_all),
        cmocka_unit_test(outputs_whose_master_is_silent_go_off_where_that_is_wanted),
        cmocka_unit_test(readings_are_corrected_and_kept_within_what_a_register_holds),
        cmocka_unit_test(it_counts_seconds_pulses_and_requests),
        cmocka_unit_test(no_register_is_written_for_all),
        cmocka_unit_test(other_parts_add_registers_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
