/* Words that are none of those allowed: what people call them elsewhere, and how they mistype them.
 */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/choice.h"
#include "core/error.h"
#include "modbus/options.h"
#include "modbus/read.h"
#include "serial/options.h"

static const struct option *row_of(const struct option *rows, const char *key)
{
    while (strcmp(rows->key, key) != 0)
        rows++;
    return rows;
}

static void names_from_elsewhere_are_told_by_ours(void **state)
{
    static const struct {
        const char *key, *found, *meant;
    } cases[] = {
        {"type", "float", "f32"},
        {"type", "FLOAT32", "f32"},
        {"type", "real", "f32"},
        {"type", "double", "f64"},
        {"type", "LREAL", "f64"},
        {"type", "int16", "i16"},
        {"type", "INT", "i16"},
        {"type", "uint16", "u16"},
        {"type", "UINT_16", "u16"},
        {"type", "word", "u16"},
        {"type", "dword", "u32"},
        {"type", "long", "i32"},
        {"type", "Unsigned 32", "u32"},
        {"type", "int64", "i64"},
        {"type", "boolean", "bool"},
        {"type", "U16", "u16"},
        {"type", "4:float", "f32"},
        {"type", "u61", "u16"},
        {"type", "strin", "string"},
        {"type", "temperature", NULL},
        {"table", "coils", "coil"},
        {"table", "Input Registers", "input"},
        {"table", "HR", "holding"},
        {"order", "big-endian", "ABCD"},
        {"order", "little_endian", "DCBA"},
        {"order", "cdab", "CDAB"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *meant = choice_meant(row_of(modbus_point_rows, cases[i].key), cases[i].found);
        if (!cases[i].meant != !meant || (meant && strcmp(meant, cases[i].meant) != 0))
            fail_msg("%s: %s", cases[i].found, meant ? meant : "nothing");
    }
    assert_string_equal(choice_meant(row_of(serial_point_rows, "format"), "float32"), "f32");
    assert_string_equal(choice_meant(row_of(serial_point_rows, "type"), "float"), "number");
    assert_string_equal(choice_meant(row_of(modbus_device_rows, "order"), "little"), "DCBA");
}

/* An alias that leads nowhere would never be told. */
static void every_alias_leads_to_a_choice(void **state)
{
    static const struct option *const tables[] = {modbus_device_rows, modbus_point_rows,
                                                  serial_point_rows};

    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct option *row = tables[i]; row->key; row++) {
            bool shared = row->aliases == choice_number_types && tables[i] == serial_point_rows;
            for (const struct option_alias *alias = row->aliases; alias && alias->text; alias++) {
                if (!shared && !choice_find(row, alias->choice))
                    fail_msg("%s: %s is no choice", row->key, alias->choice);
                if (choice_find(row, alias->text))
                    fail_msg("%s: %s is a choice itself", row->key, alias->text);
            }
        }
    }
}

static void a_single_read_tells_what_it_takes(void **state)
{
    static const struct {
        struct modbus_read read;
        const char *says[3];
    } cases[] = {
        {{.type = "float"}, {"type: found \"float\"; ", "u16, i16, u32", "did you mean \"f32\"?"}},
        {{.table = "coils"}, {"table: found", "holding, input", "did you mean \"coil\"?"}},
        {{.order = "big"}, {"order: found", "CDAB", "did you mean \"ABCD\"?"}},
        {{.frames = "udp"}, {"frames: found \"udp\"", "rtu, ascii, tcp", ""}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct modbus_read read = cases[i].read;
        char why[512] = "";

        read.host = "127.0.0.1";
        read.unit = read.count = 1;
        read.reg = 40001;
        assert_int_equal(modbus_read_once(&read, NULL, NULL, why, sizeof why), ERR_INVALID);
        for (size_t j = 0; j < 3; j++)
            if (!strstr(why, cases[i].says[j]))
                fail_msg("%s: not told: %s", why, cases[i].says[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_from_elsewhere_are_told_by_ours),
        cmocka_unit_test(every_alias_leads_to_a_choice),
        cmocka_unit_test(a_single_read_tells_what_it_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
