/* Walking along the models of simulated SunSpec devices. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/event.h"
#include "modbus/sunspec.h"

#define POINTS_MAX 400
#define MODELS_MAX 200

struct device {
    uint16_t registers[65536];
    uint32_t begin, end; /* the device refuses what is not between */
    uint32_t at;         /* while it is built */
    int error;           /* that reading brings; 0: none */
    unsigned reads, widest;
    struct sunspec_point points[POINTS_MAX];
    struct sunspec_model models[MODELS_MAX];
    size_t point_count, model_count;
};

static struct sunspec_models *models;

static int open_models(void **state)
{
    const char *here = strstr(__FILE__, "tests/unit/");
    char path[PATH_MAX];

    (void)state;
    snprintf(path, sizeof path, "%.*sdrivers/profiles/sunspec/models.tsv", (int)(here - __FILE__),
             __FILE__);
    return sunspec_models_open(&models, path);
}

static int close_models(void **state)
{
    (void)state;
    sunspec_models_close(models);
    return 0;
}

static int read_registers(void *context, uint16_t address, uint16_t count, uint16_t *registers)
{
    struct device *device = context;

    device->reads++;
    if (count > device->widest)
        device->widest = count;
    if (device->error)
        return device->error;
    if (address < device->begin || (uint32_t)address + count > device->end)
        return ERR_EXCEPTION;
    memcpy(registers, &device->registers[address], count * sizeof registers[0]);
    return 0;
}

static void take_model(void *context, const struct sunspec_model *model)
{
    struct device *device = context;

    assert_true(device->model_count < MODELS_MAX);
    device->models[device->model_count++] = *model;
}

static void take_point(void *context, const struct sunspec_point *point)
{
    struct device *device = context;

    assert_true(device->point_count < POINTS_MAX);
    device->points[device->point_count++] = *point;
}

static int32_t walk(struct device *device)
{
    const struct sunspec_visitor visitor = {take_model, take_point, device};

    return sunspec_walk(models, read_registers, device, &visitor);
}

/* A device whose chain begins at `base`. */
static struct device *begin(uint16_t base)
{
    static struct device made;

    memset(&made, 0, sizeof made);
    made.begin = base;
    made.registers[base] = 0x5375;
    made.registers[base + 1] = 0x6E53;
    made.at = base + 2u;
    return &made;
}

/* A model of `length` registers that the device all lacks (in the number of 16 bits without sign);
 * the place of its number. */
static uint16_t *add(struct device *device, uint16_t number, uint16_t length)
{
    uint16_t *model = &device->registers[device->at];

    model[0] = number;
    model[1] = length;
    memset(model + 2, 0xFF, 2u * length);
    device->at += 2u + length;
    device->registers[device->at] = 0xFFFF;
    device->registers[device->at + 1] = 0;
    device->end = device->at + 2;
    return model;
}

static const struct sunspec_point *point_of(const struct device *device, const char *id)
{
    for (size_t i = 0; i < device->point_count; i++)
        if (strcmp(device->points[i].id, id) == 0)
            return &device->points[i];
    fail_msg("no point %s", id);
    return NULL;
}

static void add_inverter(struct device *device)
{
    uint16_t *model = add(device, 103, 50);

    model[2] = 123;          /* A */
    model[6] = (uint16_t)-1; /* A_SF */
    model[10] = 2301;
    model[13] = (uint16_t)-1;
    model[14] = (uint16_t)-7;
    model[15] = 1;
    model[22] = 0x8000; /* PF: lacking, in the number of 16 bits with sign */
    model[23] = (uint16_t)-2;
    model[24] = 0x0001;
    model[25] = 0xE2A7;
    model[26] = 0;
    model[37] = 0x8000; /* no scale for the temperatures */
    model[38] = 4;
}

static void finds_the_chain_at_each_of_its_places(void **state)
{
    static const uint16_t bases[] = {40000, 0, 50000};

    (void)state;
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        struct device *device = begin(bases[i]);
        add(device, 1, 66);
        add_inverter(device);
        assert_int_equal(walk(device), bases[i]);
        assert_int_equal(device->model_count, 2);
        assert_int_equal(device->models[1].number, 103);
        assert_int_equal(device->models[1].address, bases[i] + 2 + 68);
        assert_int_equal(point_of(device, "current")->address, bases[i] + 2 + 68 + 2);
        assert_true(device->widest <= SUNSPEC_READ_MAX);
    }
}

static void yields_points_with_their_scale_and_unit(void **state)
{
    struct device *device = begin(40000);

    (void)state;
    add_inverter(device);
    assert_int_equal(walk(device), 40000);
    const struct sunspec_point *power = point_of(device, "active_power_total");
    assert_string_equal(power->type, "i16");
    assert_string_equal(power->na, "-32768");
    assert_string_equal(power->unit, "W");
    assert_int_equal(power->scale_address, 40002 + 15);
    assert_true(power->implemented && power->read);
    const struct sunspec_point *energy = point_of(device, "energy_produced");
    assert_string_equal(energy->type, "u32");
    assert_string_equal(energy->factor, "0.001");
    assert_string_equal(energy->unit, "kWh");
    assert_string_equal(energy->ucum, "kW.h");
    assert_string_equal(energy->state, "total_increasing");
    assert_int_equal(energy->registers, 2);
    assert_string_equal(point_of(device, "voltage_l1_n")->name, "Voltage L1-N");
    assert_non_null(strstr(point_of(device, "operating_state")->enums, "4=MPPT"));
}

static void marks_what_is_not_implemented(void **state)
{
    struct device *device = begin(40000);

    (void)state;
    add_inverter(device);
    walk(device);
    assert_true(point_of(device, "current")->implemented);
    assert_false(point_of(device, "current_l2")->implemented);
    assert_false(point_of(device, "current_l2")->read);
    assert_false(point_of(device, "power_factor_total")->implemented);
    assert_false(point_of(device, "dc_current")->implemented);
    assert_false(point_of(device, "events_1")->implemented);
    /* There is a temperature, and no scale for it. */
    assert_false(point_of(device, "temperature_cabinet")->implemented);
}

static void passes_over_a_model_that_it_does_not_know(void **state)
{
    struct device *device = begin(0);

    (void)state;
    add(device, 1, 66);
    add(device, 64001, 7);
    add_inverter(device);
    assert_int_equal(walk(device), 0);
    assert_int_equal(device->model_count, 3);
    assert_null(device->models[1].label);
    assert_non_null(device->models[2].label);
    assert_int_equal(device->models[2].address, 2 + 68 + 9);
    assert_int_equal(point_of(device, "current")->model, 103);
}

static void repeats_a_group_as_often_as_it_is_there(void **state)
{
    struct device *device = begin(50000);
    uint16_t *model = add(device, 160, 8 + 3 * 20);

    (void)state;
    model[2] = (uint16_t)-2;
    model[3] = (uint16_t)-1;
    model[4] = 0;
    model[5] = 0;
    model[8] = 3;
    for (unsigned i = 0; i < 3; i++) {
        model[10 + 20 * i + 9] = (uint16_t)(100 + i);
        model[10 + 20 * i + 11] = (uint16_t)(1000 + i);
    }
    assert_int_equal(walk(device), 50000);
    assert_int_equal(point_of(device, "pv_current_1")->address, 50002 + 10 + 9);
    assert_int_equal(point_of(device, "pv_current_3")->address, 50002 + 10 + 40 + 9);
    assert_string_equal(point_of(device, "pv_power_2")->name, "PV power 2");
    assert_int_equal(point_of(device, "pv_power_3")->scale_address, 50002 + 4);
    assert_false(point_of(device, "pv_voltage_2")->implemented);
}

/* Behind a hundred registers a scale is not read with the value: it is taken as it is. */
static void takes_a_scale_that_is_far_away_as_a_constant(void **state)
{
    struct device *device = begin(40000);
    uint16_t *model = add(device, 160, 8 + 6 * 20);

    (void)state;
    model[2] = (uint16_t)-2;
    for (unsigned i = 0; i < 6; i++)
        model[10 + 20 * i + 9] = (uint16_t)(100 + i);
    walk(device);
    assert_int_equal(point_of(device, "pv_current_1")->scale_address, 40004);
    assert_int_equal(point_of(device, "pv_current_1")->power, 0);
    assert_int_equal(point_of(device, "pv_current_6")->scale_address, -1);
    assert_int_equal(point_of(device, "pv_current_6")->power, -2);
}

static void gives_two_meters_of_one_device_ids_of_their_own(void **state)
{
    struct device *device = begin(40000);

    (void)state;
    add_inverter(device);
    add(device, 203, 105);
    add(device, 203, 105);
    walk(device);
    assert_int_equal(point_of(device, "active_power_total")->model, 103);
    assert_int_equal(point_of(device, "m203_active_power_total")->model, 203);
    assert_true(point_of(device, "m203_2_active_power_total")->address >
                point_of(device, "m203_active_power_total")->address);
    assert_int_equal(point_of(device, "m203_reactive_energy_import_q1_l1")->model, 203);
    assert_true(id_valid(point_of(device, "m203_2_reactive_energy_import_q1_l1")->id));
}

static void ends_where_an_older_edition_of_a_model_ends(void **state)
{
    struct device *device = begin(40000);

    (void)state;
    add(device, 103, 20);
    assert_int_equal(walk(device), 40000);
    for (size_t i = 0; i < device->point_count; i++)
        assert_true(device->points[i].address + device->points[i].registers <= 40002 + 22);
}

static void says_why_there_is_nothing(void **state)
{
    struct device *device = begin(40000);

    (void)state;
    device->registers[40000] = 0;
    device->end = 40100;
    assert_int_equal(walk(device), ERR_NOT_FOUND);

    device = begin(40000);
    device->error = ERR_TIMEOUT;
    assert_int_equal(walk(device), ERR_TIMEOUT);
    assert_int_equal(device->reads, 1);

    device = begin(40000); /* models without end: zero length, for ever */
    device->end = 65536;
    assert_int_equal(walk(device), ERR_INVALID);

    device = begin(40000);
    add(device, 103, 50)[1] = 60000; /* beyond the last register */
    assert_int_equal(walk(device), ERR_INVALID);

    device = begin(40000);
    add_inverter(device);
    device->end -= 10; /* the device refuses a part of what it says it has */
    assert_int_equal(walk(device), ERR_EXCEPTION);
}

static void knows_43_models(void **state)
{
    struct sunspec_models *none;

    (void)state;
    assert_int_equal(sunspec_models_count(models), 43);
    assert_int_equal(sunspec_models_open(&none, "/nonexistent/models.tsv"), ERR_NOT_FOUND);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_chain_at_each_of_its_places),
        cmocka_unit_test(yields_points_with_their_scale_and_unit),
        cmocka_unit_test(marks_what_is_not_implemented),
        cmocka_unit_test(passes_over_a_model_that_it_does_not_know),
        cmocka_unit_test(repeats_a_group_as_often_as_it_is_there),
        cmocka_unit_test(takes_a_scale_that_is_far_away_as_a_constant),
        cmocka_unit_test(gives_two_meters_of_one_device_ids_of_their_own),
        cmocka_unit_test(ends_where_an_older_edition_of_a_model_ends),
        cmocka_unit_test(says_why_there_is_nothing),
        cmocka_unit_test(knows_43_models),
    };

    return cmocka_run_group_tests(tests, open_models, close_models);
}
