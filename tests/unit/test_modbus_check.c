/* What the check makes of registers as manuals number them, of hosts, and of options that do not go
 * together. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "modbus/check.h"

static void finds_registers_as_manuals_number_them(void **state)
{
    static const struct {
        int64_t reg;
        int error;
        uint8_t function;
        uint16_t address;
    } cases[] = {
        {40001, 0, 3, 0},
        {40101, 0, 3, 100},
        {49999, 0, 3, 9998},
        {400001, 0, 3, 0},
        {465536, 0, 3, 65535},
        {30011, 0, 4, 10},
        {365536, 0, 4, 65535},
        {10001, 0, 2, 0},
        {165536, 0, 2, 65535},
        {1, 0, 1, 0},
        {9999, 0, 1, 9998},
        {0, ERR_INVALID, 0, 0},
        {10000, ERR_INVALID, 0, 0},
        {20001, ERR_INVALID, 0, 0},
        {40000, ERR_INVALID, 0, 0},
        {50000, ERR_INVALID, 0, 0},
        {400000, ERR_INVALID, 0, 0},
        {465537, ERR_INVALID, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t function = 0;
        uint16_t address = 0;

        assert_int_equal(modbus_resolve_40001(cases[i].reg, &function, &address), cases[i].error);
        assert_int_equal(function, cases[i].function);
        assert_int_equal(address, cases[i].address);
    }
}

static void reads_hosts_with_and_without_port(void **state)
{
    static const struct {
        const char *text, *name;
        int port;
    } cases[] = {
        {"10.0.7.20:1502", "10.0.7.20", 1502},
        {"10.0.7.20", "10.0.7.20", 502},
        {"plc.local", "plc.local", 502},
        {"[fd00::7]:1502", "fd00::7", 1502},
        {"[fd00::7]", "fd00::7", 502},
        {"fd00::7", NULL, 0},
        {"", NULL, 0},
        {":502", NULL, 0},
        {"plc:", NULL, 0},
        {"plc:0", NULL, 0},
        {"plc:65536", NULL, 0},
        {"plc:5o2", NULL, 0},
        {"plc:-1", NULL, 0},
        {"[fd00::7", NULL, 0},
        {"[fd00::7]x", NULL, 0},
        {"a b", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct modbus_host host = {.name = ""};
        char why[200] = "";
        int error = modbus_parse_host(cases[i].text, &host, why, sizeof why);

        assert_int_equal(error, cases[i].name ? 0 : ERR_INVALID);
        if (cases[i].name) {
            assert_string_equal(host.name, cases[i].name);
            assert_int_equal(host.port, cases[i].port);
        } else {
            assert_true(strlen(why) > 0);
        }
    }
}

struct told {
    struct driver_complaints base;
    char key[32];
    unsigned count;
};

static void tell(struct driver_complaints *base, const struct site_device *device,
                 const struct site_point *point, const char *key, const char *sentence)
{
    struct told *told = (struct told *)base;

    (void)device;
    (void)point;
    assert_true(strlen(sentence) > 10);
    snprintf(told->key, sizeof told->key, "%s", key);
    told->count++;
}

/* A device on a serial line with one point, as its options are before the check. */
struct setting {
    struct modbus_bus_options bus;
    struct modbus_device_options device;
    struct modbus_point_options point;
};

static const char *complaint_about(struct setting *setting, struct told *told)
{
    struct site_point point = {.id = "p", .options = &setting->point};
    struct site_device device = {
        .id = "d", .options = &setting->device, .points = &point, .point_count = 1};
    struct site_bus bus = {
        .id = "b", .options = &setting->bus, .devices = &device, .device_count = 1};

    *told = (struct told){.base = {.tell = tell}};
    int error = modbus_rtu_check(&bus, &told->base);
    assert_int_equal(error, told->count ? ERR_CONFIG : 0);
    return told->key;
}

/* What a case leaves out, as a configuration would have it. */
static void fill_in(struct setting *setting)
{
    if (!setting->bus.port)
        setting->bus.port = "/dev/null";
    if (!setting->bus.line.data_bits)
        setting->bus.line.data_bits = 8;
    setting->device.unit = setting->device.unit ? setting->device.unit : 7;
    setting->device.max_block = setting->device.max_block ? setting->device.max_block : 125;
    setting->device.order = MODBUS_ABCD;
    if (setting->device.numbering == 0)
        setting->device.numbering = MODBUS_NUMBERING_40001;
    if (setting->device.numbering < 0)
        setting->device.numbering = MODBUS_NUMBERING_UNSAID;
    if (setting->point.bit == 0)
        setting->point.bit = -1;
    if (setting->point.scale_reg == 0)
        setting->point.scale_reg = -1;
    setting->point.scale = setting->point.scale == 0  ? 1
                           : setting->point.scale < 0 ? 0
                                                      : setting->point.scale;
}

static void refuses_what_no_single_option_can(void **state)
{
    static const double one[] = {1};
    static const struct {
        const char *key; /* "" for what is right */
        struct setting setting;
    } cases[] = {
        {"", {.point = {.reg = 40101}}},
        {"", {.point = {.reg = 40101, .table = MODBUS_HOLDING_REGISTERS}}},
        {"", {.point = {.reg = 7, .type = MODBUS_BOOL}}},
        {"", {.point = {.reg = 7, .table = MODBUS_COILS}}},
        {"reg", {.point = {.reg = 1}}},
        {"reg", {.point = {.reg = 9999, .type = MODBUS_U16}}},
        {"", {.device = {.numbering = MODBUS_NUMBERING_0}, .point = {.reg = 1}}},
        {"", {.point = {.reg = 40101, .type = MODBUS_U16, .order = MODBUS_BA}}},
        {"", {.point = {.reg = 40101, .type = MODBUS_STRING, .length = 8, .order = MODBUS_BA}}},
        {"port", {.bus = {.port = "board:"}, .point = {.reg = 40101}}},
        {"line", {.bus = {.line = {.baud = 9600, .data_bits = 7}}, .point = {.reg = 40101}}},
        {"unit", {.device = {.unit = 248}, .point = {.reg = 40101}}},
        {"numbering", {.device = {.numbering = -1}, .point = {.reg = 40101}}},
        {"reg", {.point = {.reg = 20000}}},
        {"reg", {.device = {.numbering = MODBUS_NUMBERING_0}, .point = {.reg = 65536}}},
        {"reg",
         {.device = {.numbering = MODBUS_NUMBERING_0},
          .point = {.reg = 65535, .type = MODBUS_U32}}},
        {"table", {.point = {.reg = 40101, .table = MODBUS_INPUT_REGISTERS}}},
        {"type", {.point = {.reg = 10007, .type = MODBUS_U16}}},
        {"bit", {.point = {.reg = 10007, .bit = 3}}},
        {"bit", {.point = {.reg = 40101, .bit = 3, .type = MODBUS_U16}}},
        {"length", {.point = {.reg = 40101, .type = MODBUS_STRING}}},
        {"length", {.point = {.reg = 40101, .type = MODBUS_U16, .length = 2}}},
        {"length", {.device = {.max_block = 3}, .point = {.reg = 40101, .type = MODBUS_U64}}},
        {"order", {.point = {.reg = 40101, .type = MODBUS_U16, .order = MODBUS_CDAB}}},
        {"order", {.point = {.reg = 40101, .type = MODBUS_F32, .order = MODBUS_GHEFCDAB}}},
        {"order",
         {.point = {.reg = 40101, .type = MODBUS_STRING, .length = 1, .order = MODBUS_ABCD}}},
        {"order", {.point = {.reg = 7, .type = MODBUS_BOOL, .order = MODBUS_AB}}},
        {"scale", {.point = {.reg = 7, .type = MODBUS_BOOL, .scale = 0.1}}},
        {"scale", {.point = {.reg = 40101, .scale = -1}}}, /* stands for 0 */
        {"na", {.point = {.reg = 40101, .bit = 1, .na = {one, 1}}}},
        {"", {.point = {.reg = 40101, .bit = 4, .bits = 12}}},
        {"", {.point = {.reg = 40101, .bit = 15, .bits = 17, .type = MODBUS_U32}}},
        {"bits", {.point = {.reg = 40101, .bit = 5, .bits = 12}}},
        {"bits", {.point = {.reg = 40101, .bit = 1, .bits = 3, .type = MODBUS_F32}}},
        {"bit", {.point = {.reg = 40101, .bits = 3}}},
        {"", {.point = {.reg = 40101, .type = MODBUS_U8, .order = MODBUS_BA}}},
        {"", {.point = {.reg = 40101, .type = MODBUS_WIDE_STRING, .length = 16}}},
        {"length", {.point = {.reg = 40101, .type = MODBUS_WIDE_STRING}}},
        {"", {.point = {.reg = 40101, .scale_reg = 40225, .scale_by = MODBUS_SCALE_POWER}}},
        {"scale_reg",
         {.point = {.reg = 40101, .scale_reg = 40226, .scale_by = MODBUS_SCALE_POWER}}},
        {"scale_reg",
         {.point = {.reg = 40101, .scale_reg = 30101, .scale_by = MODBUS_SCALE_POWER}}},
        {"scale_reg", {.point = {.reg = 40101, .scale_by = MODBUS_SCALE_POWER}}},
        {"scale_by", {.point = {.reg = 40101, .scale_reg = 40102}}},
        {"scale_reg",
         {.device = {.numbering = MODBUS_NUMBERING_0},
          .point = {.reg = 101, .scale_reg = 65536, .scale_by = MODBUS_SCALE_POWER}}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct setting setting = cases[i].setting;
        struct told told;

        fill_in(&setting);
        assert_string_equal(complaint_about(&setting, &told), cases[i].key);
        assert_int_equal(told.count, cases[i].key[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_registers_as_manuals_number_them),
        cmocka_unit_test(reads_hosts_with_and_without_port),
        cmocka_unit_test(refuses_what_no_single_option_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
