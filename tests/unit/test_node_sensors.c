/* What a node makes of its sensors: the datasheets' formulas, the wires, the filters. */
// links: sluice_node m
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/core/bme280.h"
#include "node/core/filter.h"
#include "node/core/input.h"
#include "node/core/sensor.h"
#include "node/core/sht3x.h"

static void sht3x_checksums_are_those_of_the_datasheet(void **state)
{
    (void)state;
    assert_int_equal(sht3x_crc((const uint8_t[]){0xBE, 0xEF}), 0x92); /* 4.12 */
}

static void sht3x_words_become_degrees_and_percent(void **state)
{
    static const struct {
        uint16_t word;
        int32_t centidegrees, centipercent;
    } cases[] = {{0, -4500, 0},
                 {65535, 13000, 10000},
                 {0x6666, 2500, 4000},
                 {26214, 2500, 4000},
                 {32768, 4250, 5000}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t answer[SHT3X_ANSWER];
        int32_t centidegrees, centipercent;

        for (int j = 0; j < 2; j++) {
            answer[3 * j] = (uint8_t)(cases[i].word >> 8);
            answer[3 * j + 1] = (uint8_t)cases[i].word;
            answer[3 * j + 2] = sht3x_crc(answer + 3 * j);
        }
        assert_true(sht3x_decode(answer, &centidegrees, &centipercent));
        assert_int_equal(centidegrees, cases[i].centidegrees);
        assert_int_equal(centipercent, cases[i].centipercent);
        answer[i] ^= 1;
        assert_false(sht3x_decode(answer, &centidegrees, &centipercent));
    }
}

/* The calibration of the example in chapter 3.12 of the BMP280's datasheet, whose formulas for
 * temperature and pressure are the same; humidity as a real device had it. */
static const uint8_t calibration_low[BME280_LOW_SIZE] = {
    0x70, 0x6B, 0x43, 0x67, 0x18, 0xFC, /* 27504, 26435, -1000 */
    0x7D, 0x8E, 0x43, 0xD6, 0xD0, 0x0B, /* 36477, -10685, 3024 */
    0x27, 0x0B, 0x8C, 0x00, 0xF9, 0xFF, /* 2855, 140, -7 */
    0x8C, 0x3C, 0xF8, 0xC6, 0x70, 0x17, /* 15500, -14600, 6000 */
    0x00, 0x4B,                         /* 75 */
};
static const uint8_t calibration_high[BME280_HIGH_SIZE] = {0x6A, 0x01, 0x00, 0x13,
                                                           0x29, 0x03, 0x1E};

static void data_of(uint8_t data[BME280_DATA_SIZE], int32_t press, int32_t temp, int32_t hum)
{
    const uint8_t bytes[] = {(uint8_t)(press >> 12), (uint8_t)(press >> 4), (uint8_t)(press << 4),
                             (uint8_t)(temp >> 12),  (uint8_t)(temp >> 4),  (uint8_t)(temp << 4),
                             (uint8_t)(hum >> 8),    (uint8_t)hum};

    memcpy(data, bytes, sizeof bytes);
}

/* The formulas with floating point, 8.1. */
static double exact(const struct bme280 *c, int32_t press, int32_t temp, int32_t hum,
                    double *pascals, double *percent)
{
    double var1 = (temp / 16384.0 - c->t1 / 1024.0) * c->t2;
    double var2 = pow(temp / 131072.0 - c->t1 / 8192.0, 2) * c->t3;
    double fine = var1 + var2, p, h;

    var1 = fine / 2 - 64000;
    var2 = var1 * var1 * c->p6 / 32768 + var1 * c->p5 * 2;
    var2 = var2 / 4 + c->p4 * 65536.0;
    var1 = (c->p3 * var1 * var1 / 524288 + c->p2 * var1) / 524288;
    var1 = (1 + var1 / 32768) * c->p1;
    p = (1048576.0 - press - var2 / 4096) * 6250 / var1;
    *pascals = p + (c->p9 * p * p / 2147483648.0 + p * c->p8 / 32768 + c->p7) / 16;
    h = fine - 76800;
    h = (hum - (c->h4 * 64.0 + c->h5 / 16384.0 * h)) *
        (c->h2 / 65536.0 * (1 + c->h6 / 67108864.0 * h * (1 + c->h3 / 67108864.0 * h)));
    *percent = fmin(100, fmax(0, h * (1 - c->h1 * h / 524288)));
    return fine / 5120;
}

static void bme280_follows_the_datasheets_example(void **state)
{
    struct bme280_reading reading;
    uint8_t data[BME280_DATA_SIZE];
    struct bme280 bme280;

    (void)state;
    bme280_calibrate(&bme280, calibration_low, calibration_high);
    assert_int_equal(bme280.t1, 27504);
    assert_int_equal(bme280.p9, 6000);
    assert_int_equal(bme280.h1, 75);
    assert_int_equal(bme280.h2, 362);
    assert_int_equal(bme280.h4, 0x139);
    assert_int_equal(bme280.h5, 0x32);
    assert_int_equal(bme280.h6, 30);
    data_of(data, 415148, 519888, 30000);
    assert_true(bme280_decode(&bme280, data, &reading));
    assert_int_equal(reading.centidegrees, 2508);
    assert_in_range(reading.pascals, 100651,
                    100658); /* 100653.27; 32 bits are a little less exact, 8.2 */
}

/* Returns how many were compared. */
static unsigned compare_with_floating_point(const struct bme280 *bme280)
{
    unsigned compared = 0;

    for (int32_t temp = 380000; temp < 640000; temp += 9973) {
        for (int32_t press = 200000; press < 600000; press += 19997) {
            for (int32_t hum = 20000; hum < 45000; hum += 2999) {
                struct bme280_reading reading;
                uint8_t data[BME280_DATA_SIZE];
                double pascals, percent,
                    degrees = exact(bme280, press, temp, hum, &pascals, &percent);

                if (pascals < 30000 || pascals > 110000)
                    continue;
                data_of(data, press, temp, hum);
                assert_true(bme280_decode(bme280, data, &reading));
                assert_true(fabs(reading.centidegrees - 100 * degrees) <= 0.7);
                assert_true(fabs(reading.pascals - pascals) <= 10); /* a step of the register */
                assert_true(fabs(reading.centipercent - 100 * percent) <= 6);
                compared++;
            }
        }
    }
    return compared;
}

static void bme280_in_whole_numbers_agrees_with_floating_point(void **state)
{
    struct bme280 bme280;

    (void)state;
    bme280_calibrate(&bme280, calibration_low, calibration_high);
    assert_true(compare_with_floating_point(&bme280) > 1000);
    bme280.p1 = 39600; /* then high pressures take all 32 bits */
    assert_true(compare_with_floating_point(&bme280) > 1000);
}

static void bme280_numbers_of_twelve_bits_have_a_sign(void **state)
{
    static const uint8_t high[BME280_HIGH_SIZE] = {0x6A, 0x01, 0x00, 0xF3, 0x29, 0xE3, 0x9E};
    struct bme280 bme280;

    (void)state;
    bme280_calibrate(&bme280, calibration_low, high);
    assert_int_equal(bme280.h4, -0xC7);
    assert_int_equal(bme280.h5, -0x1CE);
    assert_int_equal(bme280.h6, -98);
}

static void bme280_that_did_not_measure_has_no_reading(void **state)
{
    struct bme280_reading reading;
    uint8_t data[BME280_DATA_SIZE];
    struct bme280 bme280;

    (void)state;
    bme280_calibrate(&bme280, calibration_low, calibration_high);
    for (int i = 0; i < 3; i++) {
        data_of(data, i == 0 ? 0x80000 : 415148, i == 1 ? 0x80000 : 519888,
                i == 2 ? 0x8000 : 30000);
        assert_false(bme280_decode(&bme280, data, &reading));
    }
    /* A calibration that arrived as zeros must not divide by them. */
    bme280_calibrate(&bme280, (const uint8_t[BME280_LOW_SIZE]){0},
                     (const uint8_t[BME280_HIGH_SIZE]){0});
    data_of(data, 415148, 519888, 30000);
    assert_true(bme280_decode(&bme280, data, &reading));
    assert_int_equal(reading.pascals, 0);
}

/*
 * Two wires with a device on them, as they are on a board: low when anybody holds them low. The
 * device takes part bit by bit, as UM10204 has it.
 */
struct wires {
    bool clock, data;    /* what the master lets go of */
    bool holds_data;     /* the device holds it low */
    unsigned stretch;    /* looks for which it holds the clock */
    unsigned bits, byte; /* of the byte on its way */
    bool started, addressed, reading, acknowledged;
    uint8_t address; /* of the device */
    bool dead;
    uint8_t memory[256]; /* a BME280 has registers... */
    uint8_t at;
    uint8_t answer[SHT3X_ANSWER]; /* ...a SHT3x one answer */
    bool is_sht3x;
    unsigned taken, given, starts, stops;
};

static uint8_t next_byte(struct wires *wires)
{
    return wires->is_sht3x ? wires->answer[wires->given++ % SHT3X_ANSWER]
                           : wires->memory[wires->at++];
}

static void take_byte(struct wires *wires, uint8_t byte)
{
    if (wires->taken == 0) {
        wires->addressed = !wires->dead && byte >> 1 == wires->address;
        wires->reading = byte & 1;
    } else if (!wires->is_sht3x && wires->taken == 1) {
        wires->at = byte;
    } else if (!wires->is_sht3x && wires->taken == 2) {
        wires->memory[wires->at] = byte;
    }
    wires->taken++;
}

/* The clock falls behind bit `bits`; what the device does to the data line for the next one. */
static void clock_falls(struct wires *wires)
{
    bool mine = wires->addressed && wires->reading && wires->taken > 0;

    wires->holds_data = false;
    if (!wires->started)
        return;
    if (wires->bits == 8 && !mine) {
        take_byte(wires, (uint8_t)wires->byte);
        wires->holds_data = wires->addressed; /* acknowledges */
        return;
    }
    if (wires->bits == 8)
        return; /* the master acknowledges */
    if (wires->bits == 9) {
        wires->bits = 0;
        wires->byte =
            wires->addressed && wires->reading && wires->acknowledged ? next_byte(wires) : 0x100;
    }
    if (wires->byte != 0x100 && wires->addressed && wires->reading)
        wires->holds_data = !(wires->byte >> (7 - wires->bits) & 1);
}

static void clock_rises(struct wires *wires)
{
    bool high = wires->data && !wires->holds_data;
    bool mine = wires->addressed && wires->reading && wires->taken > 0;

    if (wires->bits < 8 && !mine)
        wires->byte = (wires->byte << 1 | high) & 0xFF;
    if (wires->bits == 8)
        wires->acknowledged = !high;
    wires->bits++;
}

static void set_wire(void *context, enum i2c_pin pin, bool released)
{
    struct wires *wires = context;

    if (pin == I2C_DATA) {
        if (wires->clock && wires->data && !released) {
            wires->started = true;
            wires->starts++;
            wires->bits = wires->taken = 0;
            wires->byte = 0;
            wires->addressed = wires->reading = false;
        } else if (wires->clock && !wires->data && released) {
            wires->started = wires->addressed = false;
            wires->stops++;
            wires->given = 0;
        }
        wires->data = released;
        return;
    }
    if (wires->clock == released)
        return;
    wires->clock = released;
    if (released)
        clock_rises(wires);
    else
        clock_falls(wires);
}

static bool wire_is_high(void *context, enum i2c_pin pin)
{
    struct wires *wires = context;

    if (pin == I2C_DATA)
        return wires->data && !wires->holds_data;
    if (wires->stretch > 0) {
        wires->stretch--;
        return false;
    }
    return wires->clock;
}

static void pause_wire(void *context)
{
    (void)context;
}

static struct i2c plug(struct wires *wires, bool sht3x, uint8_t address)
{
    memset(wires, 0, sizeof *wires);
    wires->clock = wires->data = true;
    wires->is_sht3x = sht3x;
    wires->address = address;
    if (sht3x) {
        static const uint8_t words[] = {0x66, 0x66, 0, 0x80, 0x00, 0}; /* 25 degrees, 50 % */

        memcpy(wires->answer, words, sizeof words);
        wires->answer[2] = sht3x_crc(words);
        wires->answer[5] = sht3x_crc(words + 3);
    } else {
        wires->memory[BME280_AT_ID] = BME280_ID;
        memcpy(wires->memory + BME280_AT_LOW, calibration_low, sizeof calibration_low);
        memcpy(wires->memory + BME280_AT_HIGH, calibration_high, sizeof calibration_high);
        data_of(wires->memory + BME280_AT_DATA, 415148, 519888, 30000);
    }
    return (struct i2c){set_wire, wire_is_high, pause_wire, wires};
}

/* Polls each millisecond until there is news. */
static enum sensor_news poll_for(struct sensor *sensor, const struct i2c *i2c, uint32_t *now_ms,
                                 uint32_t most_ms)
{
    for (uint32_t i = 0; i < most_ms; i++) {
        enum sensor_news news = sensor_poll(sensor, i2c, 1000, (*now_ms)++);

        if (news != SENSOR_NOTHING)
            return news;
    }
    return SENSOR_NOTHING;
}

static void each_kind_is_found_at_both_addresses_and_read(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        bool sht3x = i < 2;
        struct sensor sensor = {0};
        struct wires wires;
        struct i2c i2c =
            plug(&wires, sht3x, (uint8_t)((sht3x ? SHT3X_ADDRESS : BME280_ADDRESS) + i % 2));
        uint32_t now_ms = 0;

        assert_int_equal(poll_for(&sensor, &i2c, &now_ms, 100), SENSOR_READING);
        assert_int_equal(sensor.kind, sht3x ? SENSOR_SHT3X : SENSOR_BME280);
        assert_int_equal(sensor.centidegrees, sht3x ? 2500 : 2508);
        assert_in_range(sensor.pascals, sht3x ? 0 : 100650, sht3x ? 0 : 100660);
        if (sht3x)
            assert_int_equal(sensor.centipercent, 5000);
        else
            assert_int_equal(wires.memory[0xF4], 0x25);
        assert_int_equal(poll_for(&sensor, &i2c, &now_ms, 1001), SENSOR_READING);
        assert_int_equal(now_ms / 100, 10); /* the second one an interval behind the first */
        assert_int_equal(sensor.errors, 0);
        assert_false(wires.started);
    }
}

static void a_sensor_that_is_pulled_off_is_told_and_found_again(void **state)
{
    struct sensor sensor = {0};
    struct wires wires;
    struct i2c i2c = plug(&wires, true, SHT3X_ADDRESS);
    uint32_t now_ms = 0xFFFFFE00u; /* wraps on the way */

    (void)state;
    sensor.next_ms = now_ms;
    assert_int_equal(poll_for(&sensor, &i2c, &now_ms, 100), SENSOR_READING);
    wires.dead = true;
    assert_int_equal(poll_for(&sensor, &i2c, &now_ms, 4000), SENSOR_LOST);
    assert_int_equal(sensor.errors, SENSOR_FAILURES_MAX);
    assert_int_equal(sensor.kind, SENSOR_NONE);
    wires = (struct wires){0};
    i2c = plug(&wires, false, BME280_ADDRESS);
    while (poll_for(&sensor, &i2c, &now_ms, 2000) == SENSOR_LOST)
        ;
    assert_int_equal(sensor.kind, SENSOR_BME280);
}

static void a_damaged_answer_is_no_reading(void **state)
{
    struct sensor sensor = {0};
    struct wires wires;
    struct i2c i2c = plug(&wires, true, SHT3X_ADDRESS);
    uint32_t now_ms = 0;

    (void)state;
    wires.answer[0] ^= 0x10;
    assert_int_equal(poll_for(&sensor, &i2c, &now_ms, 2500), SENSOR_LOST);
    assert_int_equal(sensor.errors, 3);
}

static void single_failures_are_counted_and_forgotten(void **state)
{
    struct sensor sensor = {0};
    struct wires wires;
    struct i2c i2c = plug(&wires, true, SHT3X_ADDRESS);
    uint32_t now_ms = 0;

    (void)state;
    for (int round = 0; round < 4; round++) {
        wires.dead = false;
        assert_int_equal(poll_for(&sensor, &i2c, &now_ms, 1100), SENSOR_READING);
        wires.dead = true;
        assert_int_equal(poll_for(&sensor, &i2c, &now_ms, 1800), SENSOR_NOTHING);
    }
    assert_in_range(sensor.errors, 4, 4 * (SENSOR_FAILURES_MAX - 1));
    assert_int_equal(sensor.kind, SENSOR_SHT3X);
}

static void nothing_on_the_wires_is_no_sensor_and_no_error(void **state)
{
    struct sensor sensor = {0};
    struct wires wires;
    struct i2c i2c = plug(&wires, true, 0x10);
    uint32_t now_ms = 0;

    (void)state;
    assert_int_equal(poll_for(&sensor, &i2c, &now_ms, 10), SENSOR_LOST);
    assert_int_equal(sensor.errors, 0);
    assert_int_equal(i2c_write(&i2c, SHT3X_ADDRESS, (const uint8_t[]){0}, 1), I2C_SILENT);
}

static void a_clock_that_is_held_is_waited_for_and_given_up_in_the_end(void **state)
{
    struct wires wires;
    struct i2c i2c = plug(&wires, true, SHT3X_ADDRESS);
    uint8_t answer[SHT3X_ANSWER];

    (void)state;
    wires.stretch = I2C_STRETCH_MAX - 1;
    assert_int_equal(i2c_read(&i2c, SHT3X_ADDRESS, NULL, 0, answer, sizeof answer), 0);
    assert_memory_equal(answer, wires.answer, sizeof answer);
    wires.stretch = 1000000000;
    assert_int_equal(i2c_read(&i2c, SHT3X_ADDRESS, NULL, 0, answer, sizeof answer), I2C_STUCK);
}

/* The node restarted while a device was sending a zero: it waits for clocks. */
static void a_device_in_the_middle_of_a_byte_is_clocked_out(void **state)
{
    struct wires wires;
    struct i2c i2c = plug(&wires, true, SHT3X_ADDRESS);
    struct sensor sensor = {0};
    uint32_t now_ms = 0;

    (void)state;
    wires.answer[0] = 0;
    set_wire(&wires, I2C_DATA, false);
    set_wire(&wires, I2C_CLOCK, false);
    for (unsigned i = 0; i < 9; i++) { /* address and read, and the acknowledgement */
        set_wire(&wires, I2C_DATA, i == 8 || ((SHT3X_ADDRESS << 1 | 1) >> (7 - i) & 1));
        set_wire(&wires, I2C_CLOCK, true);
        set_wire(&wires, I2C_CLOCK, false);
    }
    set_wire(&wires, I2C_CLOCK, true);
    wires.data = true;
    assert_false(wire_is_high(&wires, I2C_DATA));
    assert_int_equal(i2c_recover(&i2c), 0);
    wires.answer[0] = 0x66;
    assert_int_equal(poll_for(&sensor, &i2c, &now_ms, 100), SENSOR_READING);
}

static void a_median_takes_outliers_away(void **state)
{
    static const int32_t readings[] = {100, 101, 9999, 102, -5000, 103, 104};
    static const int32_t of_3[] = {100, 101, 101, 102, 102, 102, 103};
    static const int32_t of_5[] = {100, 101, 101, 102, 101, 102, 103};
    struct filter three = {0}, five = {0}, none = {0};

    (void)state;
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++) {
        int32_t shown = filter_add(&three, 1, 0, readings[i]);

        if (i != 1)
            assert_int_equal(shown, of_3[i]);
        shown = filter_add(&five, 2, 0, readings[i]);
        if (i >= 4)
            assert_int_equal(shown, of_5[i]);
        assert_int_equal(filter_add(&none, 0, 0, readings[i]), readings[i]);
    }
}

static void a_low_pass_begins_at_the_first_reading_and_comes_to_the_value(void **state)
{
    (void)state;
    for (unsigned low_pass = 1; low_pass <= 6; low_pass++) {
        struct filter filter = {0};
        int32_t shown = filter_add(&filter, 0, low_pass, -4000);

        assert_int_equal(shown, -4000);
        shown = filter_add(&filter, 0, low_pass, 4000);
        assert_int_equal(shown, -4000 + (8000 >> low_pass));
        for (int i = 0; i < 1500; i++)
            shown = filter_add(&filter, 0, low_pass, 4000);
        assert_int_equal(shown, 4000);
        filter_clear(&filter);
        assert_int_equal(filter_add(&filter, 0, low_pass, 7), 7);
    }
}

static void a_contact_bounces_and_is_counted_once(void **state)
{
    struct input input = {0};

    (void)state;
    for (int i = 0; i < 100; i++)
        input_sample(&input, true);
    assert_true(input.closed);
    assert_int_equal(input.count, 0); /* as it was found */
    for (int pulse = 1; pulse <= 3; pulse++) {
        for (int i = 0; i < 8; i++)
            input_sample(&input, i % 3 == 0);
        for (int i = 0; i < 30; i++)
            input_sample(&input, false);
        assert_false(input.closed);
        for (int i = 0; i < 8; i++)
            input_sample(&input, i % 3 != 0);
        for (int i = 0; i < 30; i++)
            input_sample(&input, true);
        assert_true(input.closed);
        assert_int_equal(input.count, pulse);
    }
    for (int i = 0; i <= 100; i++)
        input_sample(&input, i % INPUT_STEADY_MS == 0); /* a disturbance, as often as it comes */
    assert_true(input.closed);
    assert_int_equal(input.count, 3);
    for (int i = 0; i < INPUT_STEADY_MS - 1; i++)
        input_sample(&input, false);
    assert_true(input.closed);
    input_sample(&input, false);
    assert_false(input.closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sht3x_checksums_are_those_of_the_datasheet),
        cmocka_unit_test(sht3x_words_become_degrees_and_percent),
        cmocka_unit_test(bme280_follows_the_datasheets_example),
        cmocka_unit_test(bme280_in_whole_numbers_agrees_with_floating_point),
        cmocka_unit_test(bme280_numbers_of_twelve_bits_have_a_sign),
        cmocka_unit_test(bme280_that_did_not_measure_has_no_reading),
        cmocka_unit_test(each_kind_is_found_at_both_addresses_and_read),
        cmocka_unit_test(a_sensor_that_is_pulled_off_is_told_and_found_again),
        cmocka_unit_test(a_damaged_answer_is_no_reading),
        cmocka_unit_test(single_failures_are_counted_and_forgotten),
        cmocka_unit_test(nothing_on_the_wires_is_no_sensor_and_no_error),
        cmocka_unit_test(a_clock_that_is_held_is_waited_for_and_given_up_in_the_end),
        cmocka_unit_test(a_device_in_the_middle_of_a_byte_is_clocked_out),
        cmocka_unit_test(a_median_takes_outliers_away),
        cmocka_unit_test(a_low_pass_begins_at_the_first_reading_and_comes_to_the_value),
        cmocka_unit_test(a_contact_bounces_and_is_counted_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
