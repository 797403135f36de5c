/* Commands and results as they are stored and told. */
// links: sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/command.h"
#include "core/error.h"
#include "core/event_json.h"
#include "core/status.h"

static const struct value values[] = {
    {.type = VALUE_NONE},
    {.type = VALUE_BOOL, .b = true},
    {.type = VALUE_I64, .i = INT64_MIN},
    {.type = VALUE_U64, .u = UINT64_MAX},
    {.type = VALUE_F64, .f = -21.5},
    {.type = VALUE_TEXT, .data = "Kessel", .size = 6},
    {.type = VALUE_TEXT, .data = "", .size = 0},
};

static void what_is_packed_comes_back(void **state)
{
    uint8_t packed[COMMAND_PACKED_SIZE_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct command command = {.op = COMMAND_WRITE,
                                  .id = "7c1",
                                  .by = "mqtt:cloud",
                                  .expires_ms = 1795448400000,
                                  .ttl_ms = 28980,
                                  .value = values[i]},
                       read;
        struct command_result result = {.id = "7c1",
                                        .by = "unix:0",
                                        .command = 48229,
                                        .value = values[i],
                                        .words = "allowed is 5",
                                        .words_size = 12},
                              read_result;

        size_t size = command_pack(&command, packed);
        assert_int_equal(command_unpack(&read, packed, size), 0);
        assert_string_equal(read.id, "7c1");
        assert_string_equal(read.by, "mqtt:cloud");
        assert_int_equal(read.expires_ms, 1795448400000);
        assert_int_equal(read.ttl_ms, 28980);
        assert_true(value_equal(&read.value, &values[i]));
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *copy = malloc(cut ? cut : 1); /* so that a byte too far is seen */
            memcpy(copy, packed, cut);
            assert_int_equal(command_unpack(&read, copy, cut), ERR_CORRUPT);
            free(copy);
        }
        size = command_result_pack(&result, packed);
        assert_int_equal(command_result_unpack(&read_result, packed, size), 0);
        assert_int_equal(read_result.command, 48229);
        assert_int_equal(read_result.words_size, 12);
        assert_true(value_equal(&read_result.value, &values[i]));
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *copy = malloc(cut ? cut : 1);
            memcpy(copy, packed, cut);
            assert_int_equal(command_result_unpack(&read_result, copy, cut), ERR_CORRUPT);
            free(copy);
        }
    }
}

static void any_bytes_are_safe_to_read(void **state)
{
    uint64_t random = 88172645463325252u;

    (void)state;
    for (int round = 0; round < 100000; round++) {
        struct command_result result;
        struct command command;
        uint8_t bytes[48];

        for (size_t i = 0; i < sizeof bytes; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            bytes[i] = (uint8_t)(random & (i % 3 ? 0xff : 0x0f));
        }
        bytes[0] = 1;
        if (command_unpack(&command, bytes, sizeof bytes) == 0)
            assert_true(memchr(command.id, 0, sizeof command.id) != NULL);
        command_result_unpack(&result, bytes, sizeof bytes);
    }
}

static void tells_ids_that_cannot_be_one(void **state)
{
    static const char *const good[] = {
        "1", "7c1", "A-b_c.d:9",
        "0123456789012345678901234567890123456789012345678901234567890123"};
    static const char *const bad[] = {
        "", "a b", "\"", "\xc3\xa4",
        "01234567890123456789012345678901234567890123456789012345678901234"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(command_id_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(command_id_valid(bad[i]));
}

static void events_of_commands_say_who_and_what(void **state)
{
    struct command command = {
        .op = COMMAND_WRITE, .id = "7c1", .by = "mqtt:cloud", .ttl_ms = 30000, .value = values[4]};
    struct command_result result = {
        .id = "7c1", .by = "mqtt:cloud", .command = 7, .value = values[4]};
    uint8_t packed[COMMAND_PACKED_SIZE_MAX];
    struct event event = {.n = 7, .kind = EVENT_COMMAND, .wall_ns = 1795448359120000000};
    struct event_json_source source = {.device = "\"d\":\"b\",", .device_size = 8, .decimals = 1};
    char out[512];
    struct text text;

    (void)state;
    event.value = (struct value){.type = VALUE_BYTES, .data = packed};
    event.value.size = (uint16_t)command_pack(&command, packed);
    text_init(&text, out, sizeof out);
    event_json(&text, &event, &source, false);
    assert_string_equal(out, "\"n\":7,\"k\":\"command\",\"d\":\"b\",\"t\":1795448359120,\"id\":"
                             "\"7c1\",\"by\":\"mqtt:cloud\","
                             "\"op\":\"write\",\"ttl\":30000,\"v\":-21.5,\"q\":\"good\"}");
    event.kind = EVENT_RESULT;
    event.status = STATUS_DIFFERS;
    event.value.size = (uint16_t)command_result_pack(&result, packed);
    text_init(&text, out, sizeof out);
    event_json(&text, &event, &source, false);
    assert_string_equal(
        out, "\"n\":7,\"k\":\"result\",\"d\":\"b\",\"t\":1795448359120,\"id\":\"7c1\",\"by\":"
             "\"mqtt:cloud\","
             "\"command\":7,\"ok\":false,\"v\":-21.5,\"q\":\"bad\",\"why\":\"read back differs\"}");
    packed[0] = 2; /* of a later version: its bytes as they are */
    text_init(&text, out, sizeof out);
    event_json(&text, &event, &(struct event_json_source){.decimals = 1}, false);
    assert_non_null(strstr(out, "\"v\":null"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_comes_back),
        cmocka_unit_test(any_bytes_are_safe_to_read),
        cmocka_unit_test(tells_ids_that_cannot_be_one),
        cmocka_unit_test(events_of_commands_say_who_and_what),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
