#include "node/core/settings.h"

#include <string.h>

#include "node/core/pdu.h"

#define LAYOUT    1 /* of what is stored: the first byte */
#define AT_VALUES 2 /* the second byte is how many there are */

_Static_assert(AT_VALUES + 2 * SETTINGS_COUNT <= STORE_DATA_SIZE, "they have room in a record");
_Static_assert(MAP_HOLDING_SETTING_UNIT_NUMBER < SETTINGS_PLACE &&
                   MAP_HOLDING_SETTING_BAUD < SETTINGS_PLACE &&
                   MAP_HOLDING_SETTING_FORMAT < SETTINGS_PLACE,
               "the settings of the line come first");

struct limits {
    int32_t min, max;
};

struct baud {
    uint16_t code;
    uint32_t baud;
};

struct format {
    uint16_t code;
    uint8_t data_bits;
    char parity;
    uint8_t stop_bits;
};

static const struct baud bauds[] = MAP_BAUDS;
static const struct format formats[] = MAP_FORMATS;

static const struct baud *baud_of(uint16_t code)
{
    for (unsigned i = 0; i < sizeof bauds / sizeof bauds[0]; i++) {
        if (bauds[i].code == code)
            return &bauds[i];
    }
    return NULL;
}

static const struct format *format_of(uint16_t code)
{
    for (unsigned i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (formats[i].code == code)
            return &formats[i];
    }
    return NULL;
}

static bool is_possible(const struct settings *settings, unsigned index, uint16_t value)
{
    static const struct limits limits[] = MAP_LIMITS;
    int32_t number = limits[index].min < 0 ? (int16_t)value : value;

    if (number < limits[index].min || number > limits[index].max)
        return false;
    if (index == MAP_HOLDING_SETTING_BAUD)
        return baud_of(value) && baud_of(value)->baud <= settings->board->baud_max;
    if (index == MAP_HOLDING_SETTING_FORMAT)
        return format_of(value) && settings->board->formats >> value & 1;
    return true;
}

static void take_factory(const struct settings_board *board, uint16_t values[SETTINGS_COUNT])
{
    memset(values, 0, 2 * SETTINGS_COUNT);
    values[MAP_HOLDING_SETTING_UNIT_NUMBER] = MAP_FACTORY_UNIT;
    values[MAP_HOLDING_SETTING_BAUD] = MAP_FACTORY_BAUD;
    values[MAP_HOLDING_SETTING_FORMAT] = MAP_FACTORY_FORMAT;
    if (!(board->formats >> MAP_FACTORY_FORMAT & 1)) /* its UART has no parity */
        values[MAP_HOLDING_SETTING_FORMAT] = MAP_SETTING_FORMAT_IS_8N1;
    values[MAP_HOLDING_SETTING_FRAMING] = board->framing;
    values[MAP_HOLDING_SETTING_SAMPLE_INTERVAL] = 1000;
    values[MAP_HOLDING_SETTING_MEDIAN] = MAP_SETTING_MEDIAN_IS_OF_3;
}

/* What a firmware of another day stored is taken as far as this one knows it and it is possible. */
static void take_stored(struct settings *settings)
{
    const uint8_t *data = settings->store.data;

    for (unsigned i = 0; data[0] == LAYOUT && i < SETTINGS_COUNT && i < data[1]; i++) {
        uint16_t value = pdu_u16(data + AT_VALUES + 2 * i);

        if (is_possible(settings, i, value))
            settings->kept[i] = value;
    }
}

void settings_open(struct settings *settings, const struct settings_board *board, bool rescue)
{
    memset(settings, 0, sizeof *settings);
    settings->board = board;
    settings->rescue = rescue;
    take_factory(board, settings->kept);
    if (board->flash && store_open(&settings->store, board->flash) > 0)
        take_stored(settings);
    memcpy(settings->values, settings->kept, sizeof settings->values);
    if (rescue) {
        uint16_t factory[SETTINGS_COUNT];

        take_factory(board, factory);
        memcpy(settings->values, factory, 2 * SETTINGS_PLACE);
    }
}

void settings_reset(struct settings *settings)
{
    take_factory(settings->board, settings->kept);
    settings->unsaved = true;
}

/* Where it is reached now is where it is to be after a restart, too. */
static void keep_place(struct settings *settings)
{
    if (memcmp(settings->kept, settings->values, sizeof settings->before) == 0)
        return;
    memcpy(settings->kept, settings->values, sizeof settings->before);
    settings->unsaved = true;
}

static void take(struct settings *settings, unsigned index, uint16_t value)
{
    settings->values[index] = value;
    if (index < SETTINGS_PLACE || settings->kept[index] == value)
        return;
    settings->kept[index] = value;
    settings->unsaved = true;
}

uint8_t settings_write(struct settings *settings, uint16_t index, uint16_t count,
                       const uint8_t *data)
{
    uint16_t before[SETTINGS_PLACE];

    for (unsigned i = 0; i < count; i++) {
        if (!is_possible(settings, index + i, pdu_u16(data + 2 * i)))
            return PDU_ILLEGAL_VALUE;
    }
    memcpy(before, settings->values, sizeof before);
    for (unsigned i = 0; i < count; i++)
        take(settings, index + i, pdu_u16(data + 2 * i));
    if (memcmp(before, settings->values, sizeof before) == 0) {
        if (index < SETTINGS_PLACE && settings->trial == SETTINGS_SETTLED)
            keep_place(settings); /* in rescue: who writes what holds already wants it to stay */
        return 0;
    }
    if (settings->trial == SETTINGS_SETTLED)
        memcpy(settings->before, before, sizeof before);
    settings->trial = SETTINGS_CHANGED;
    return 0;
}

struct settings_line settings_line(const struct settings *settings)
{
    const struct format *format = format_of(settings->values[MAP_HOLDING_SETTING_FORMAT]);

    return (struct settings_line){
        .baud = baud_of(settings->values[MAP_HOLDING_SETTING_BAUD])->baud,
        .data_bits = format->data_bits,
        .parity = format->parity,
        .stop_bits = format->stop_bits,
    };
}

bool settings_apply(struct settings *settings, uint32_t now_ms)
{
    if (settings->trial != SETTINGS_CHANGED)
        return false;
    settings->trial = SETTINGS_TRIED;
    settings->trial_ms = now_ms;
    return true;
}

void settings_confirm(struct settings *settings)
{
    if (settings->trial != SETTINGS_TRIED)
        return;
    settings->trial = SETTINGS_SETTLED;
    keep_place(settings);
}

bool settings_expire(struct settings *settings, uint32_t now_ms)
{
    if (settings->trial != SETTINGS_TRIED || now_ms - settings->trial_ms < SETTINGS_TRIAL_MS)
        return false;
    settings->trial = SETTINGS_SETTLED;
    memcpy(settings->values, settings->before, sizeof settings->before);
    return true;
}

void settings_save(struct settings *settings)
{
    uint8_t data[STORE_DATA_SIZE] = {LAYOUT, SETTINGS_COUNT};

    if (!settings->unsaved)
        return;
    settings->unsaved = false;
    for (unsigned i = 0; i < SETTINGS_COUNT; i++)
        pdu_put_u16(data + AT_VALUES + 2 * i, settings->kept[i]);
    settings->failed = !settings->board->flash || store_save(&settings->store, data) != 0;
}

uint16_t settings_state(const struct settings *settings)
{
    if (settings->trial != SETTINGS_SETTLED)
        return MAP_SETTINGS_STATE_IS_ON_TRIAL;
    if (settings->failed)
        return MAP_SETTINGS_STATE_IS_NOT_STORED;
    return settings->rescue ? MAP_SETTINGS_STATE_IS_RESCUE : MAP_SETTINGS_STATE_IS_STORED;
}
