#include "node/core/node.h"

#include <string.h>

#include "node/core/crc.h"

_Static_assert(MAP_PER_TEMPERATURE == 100 && MAP_PER_HUMIDITY == 100 &&
                   MAP_PER_AIR_PRESSURE == 10 && MAP_PER_ANALOG_INPUT_VOLTAGE_1 == 1000 &&
                   MAP_PER_TEMPERATURE_CORRECTION == 100 && MAP_PER_HUMIDITY_CORRECTION == 100,
               "the profile has other units than the sensors' formulas here");
_Static_assert(MAP_SENSOR_TYPE_IS_SHT3X == SENSOR_SHT3X &&
                   MAP_SENSOR_TYPE_IS_BME280 == SENSOR_BME280,
               "the profile has other codes");

static void put_u32(struct node *node, unsigned at, uint32_t value)
{
    node->inputs[at] = (uint16_t)(value >> 16);
    node->inputs[at + 1] = (uint16_t)value;
}

static uint16_t read_input(void *context, uint16_t index)
{
    const struct node *node = context;

    return node->inputs[index];
}

static uint16_t read_contact(void *context, uint16_t index)
{
    const struct node *node = context;

    return node->contacts[index].closed;
}

static uint16_t read_output(void *context, uint16_t index)
{
    const struct node *node = context;

    return node->outputs[index];
}

static uint8_t write_outputs(void *context, uint16_t index, uint16_t count, const uint8_t *data)
{
    struct node *node = context;

    for (unsigned i = 0; i < count; i++)
        node->outputs[index + i] = data[i / 8] >> i % 8 & 1;
    return 0;
}

static uint16_t read_setting(void *context, uint16_t index)
{
    const struct node *node = context;

    return index < SETTINGS_COUNT ? node->settings.values[index] : node->asked;
}

static uint8_t write_settings(void *context, uint16_t index, uint16_t count, const uint8_t *data)
{
    struct node *node = context;
    unsigned settings = index + count > SETTINGS_COUNT ? (unsigned)(SETTINGS_COUNT - index) : count;
    uint16_t asked = node->asked;

    if (settings < count)
        asked = pdu_u16(data + 2 * settings);
    if (asked > MAP_SYSTEM_RESET_IS_FACTORY_SETTINGS)
        return PDU_ILLEGAL_VALUE;
    if (settings > 0 && settings_write(&node->settings, index, (uint16_t)settings, data) != 0)
        return PDU_ILLEGAL_VALUE;
    node->asked = asked;
    return 0;
}

static void take_facts(struct node *node, const struct node_facts *facts)
{
    const char *version = facts->version;

    node->inputs[MAP_INPUT_RESTART_REASON] = facts->restart_reason;
    for (unsigned i = 0; i < 4; i++)
        node->inputs[MAP_INPUT_SERIAL_NUMBER + i] = (uint16_t)(facts->serial >> (48 - 16 * i));
    for (unsigned i = 0; i < MAP_LENGTH_FIRMWARE_VERSION && version[i]; i++)
        node->inputs[MAP_INPUT_FIRMWARE_VERSION + i / 2] |=
            (uint16_t)((uint8_t)version[i] << (i % 2 ? 0 : 8));
    node->slave.objects[0] = MAP_VENDOR;
    node->slave.objects[1] = MAP_MODEL;
    node->slave.objects[2] = version;
    node->slave.objects[5] = facts->model;
}

bool node_add_area(struct node *node, const struct area *area)
{
    if (node->slave.area_count == NODE_AREAS)
        return false;
    node->areas[node->slave.area_count++] = *area;
    return true;
}

void node_open(struct node *node, const struct node_facts *facts)
{
    const struct area areas[] = {
        {SLAVE_INPUT, 0, MAP_INPUTS, read_input, NULL, node},
        {SLAVE_HOLDING, 0, MAP_HOLDINGS, read_setting, write_settings, node},
        {SLAVE_DISCRETE, 0, MAP_DISCRETES, read_contact, NULL, node},
        {SLAVE_COILS, 0, MAP_COILS, read_output, write_outputs, node},
    };

    memset(node, 0, sizeof *node);
    node->facts = facts;
    node->slave.areas = node->areas;
    for (unsigned i = 0; i < sizeof areas / sizeof areas[0]; i++)
        node_add_area(node, &areas[i]);
    settings_open(&node->settings, &facts->settings, facts->rescue);
    take_facts(node, facts);
    node_take_sensor(node, &(const struct sensor){0}, SENSOR_LOST);
    for (unsigned i = 0; i < NODE_ANALOGS; i++)
        node_take_analog(node, i, -1);
}

/* What a frame for all may do: set relays. All nodes with one unit, all restarted, or all without
 * their spare version would be a long day for somebody, and nobody replies. So no register is
 * written that way, whoever looks after it. */
static bool is_for_all(uint8_t function)
{
    return function == PDU_WRITE_COIL || function == PDU_WRITE_COILS;
}

/* Counters and states of this moment. */
static void refresh(struct node *node)
{
    node->inputs[MAP_INPUT_SETTINGS_STATE] = settings_state(&node->settings);
    put_u32(node, MAP_INPUT_FRAMES_ANSWERED, node->answered);
    put_u32(node, MAP_INPUT_COUNTER_1, node->contacts[0].count);
    put_u32(node, MAP_INPUT_COUNTER_2, node->contacts[1].count);
}

size_t node_answer(struct node *node, const uint8_t *frame, size_t size,
                   uint8_t reply[FRAME_SIZE_MAX])
{
    uint16_t unit = node->settings.values[MAP_HOLDING_SETTING_UNIT_NUMBER];
    bool broadcast = frame[0] == 0;
    size_t reply_size;
    uint16_t crc;

    if (broadcast ? !is_for_all(frame[1]) : frame[0] != unit)
        return 0;
    node->heard_ms = node->now_ms;
    if (!broadcast) {
        settings_confirm(&node->settings);
        node->answered++;
    }
    refresh(node);
    reply_size = 1 + slave_answer(&node->slave, frame + 1, size - 3, reply + 1);
    if (broadcast)
        return 0;
    reply[0] = frame[0];
    crc = crc16(reply, reply_size);
    reply[reply_size] = (uint8_t)crc;
    reply[reply_size + 1] = (uint8_t)(crc >> 8);
    return reply_size + 2;
}

enum node_wish node_sent(struct node *node)
{
    if (node->asked) {
        if (node->asked == MAP_SYSTEM_RESET_IS_FACTORY_SETTINGS)
            settings_reset(&node->settings);
        settings_save(&node->settings);
        return NODE_RESTART;
    }
    settings_save(&node->settings);
    return settings_apply(&node->settings, node->now_ms) ? NODE_LINE : NODE_NOTHING;
}

/* Outputs whose master is silent go off, where that is wanted: a pump does not run on for days
 * because a cable broke. */
static void watch_outputs(struct node *node)
{
    uint32_t hold_s = node->settings.values[MAP_HOLDING_SETTING_OUTPUT_HOLD];

    if (hold_s && node->now_ms - node->heard_ms >= hold_s * 1000)
        memset(node->outputs, 0, sizeof node->outputs);
}

static void pass_second(struct node *node)
{
    uint32_t uptime =
        (uint32_t)node->inputs[MAP_INPUT_UPTIME] << 16 | node->inputs[MAP_INPUT_UPTIME + 1];

    node->second_ms += 1000;
    put_u32(node, MAP_INPUT_UPTIME, uptime + 1);
}

enum node_wish node_tick(struct node *node, uint32_t now_ms, const bool closed[MAP_DISCRETES])
{
    node->now_ms = now_ms;
    for (unsigned i = 0; i < MAP_DISCRETES; i++)
        input_sample(&node->contacts[i], closed[i]);
    while (now_ms - node->second_ms >= 1000)
        pass_second(node);
    watch_outputs(node);
    return settings_expire(&node->settings, now_ms) ? NODE_LINE : NODE_NOTHING;
}

uint32_t node_interval_ms(const struct node *node)
{
    return node->settings.values[MAP_HOLDING_SETTING_SAMPLE_INTERVAL];
}

static int32_t calm(struct node *node, struct filter *filter, int32_t reading)
{
    const uint16_t *settings = node->settings.values;

    return filter_add(filter, settings[MAP_HOLDING_SETTING_MEDIAN],
                      settings[MAP_HOLDING_SETTING_LOW_PASS], reading);
}

static int16_t correction(const struct node *node, unsigned setting)
{
    return (int16_t)node->settings.values[setting];
}

static uint16_t within(int32_t value, int32_t least, int32_t most)
{
    return (uint16_t)(value < least ? least : value > most ? most : value);
}

void node_take_sensor(struct node *node, const struct sensor *sensor, enum sensor_news news)
{
    node->inputs[MAP_INPUT_SENSOR_TYPE] = sensor->kind;
    put_u32(node, MAP_INPUT_SENSOR_ERRORS, sensor->errors);
    if (news == SENSOR_LOST) {
        filter_clear(&node->temperature);
        filter_clear(&node->humidity);
        filter_clear(&node->pressure);
        node->inputs[MAP_INPUT_TEMPERATURE] = MAP_NA_TEMPERATURE;
        node->inputs[MAP_INPUT_HUMIDITY] = MAP_NA_HUMIDITY;
        node->inputs[MAP_INPUT_AIR_PRESSURE] = MAP_NA_AIR_PRESSURE;
    }
    if (news != SENSOR_READING)
        return;
    node->inputs[MAP_INPUT_TEMPERATURE] =
        within(calm(node, &node->temperature, sensor->centidegrees) +
                   correction(node, MAP_HOLDING_TEMPERATURE_CORRECTION),
               INT16_MIN + 1, INT16_MAX);
    node->inputs[MAP_INPUT_HUMIDITY] = within(calm(node, &node->humidity, sensor->centipercent) +
                                                  correction(node, MAP_HOLDING_HUMIDITY_CORRECTION),
                                              0, 100 * MAP_PER_HUMIDITY);
    node->inputs[MAP_INPUT_AIR_PRESSURE] =
        sensor->pascals
            ? within((calm(node, &node->pressure, sensor->pascals) + 5) / 10, 0, UINT16_MAX - 1)
            : MAP_NA_AIR_PRESSURE;
}

void node_take_analog(struct node *node, unsigned channel, int32_t millivolts)
{
    uint16_t *input = &node->inputs[MAP_INPUT_ANALOG_INPUT_VOLTAGE_1 + channel];

    if (millivolts >= 0) {
        *input = within(calm(node, &node->analog[channel], millivolts), 0, UINT16_MAX - 1);
        return;
    }
    filter_clear(&node->analog[channel]);
    *input = MAP_NA_ANALOG_INPUT_VOLTAGE_1;
}

void node_take_damaged(struct node *node, uint32_t frames)
{
    put_u32(node, MAP_INPUT_FRAMES_DAMAGED, frames);
}
