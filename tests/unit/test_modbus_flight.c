/* One request over Modbus TCP and the frames that come behind it; and how many may be under way. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "modbus/tcp_flight.h"
#include "modbus/tcp_window.h"

#define UNIT 7

static struct fence fence;
static uint16_t number;
static int64_t now_ns;

static int set_up(void **state)
{
    (void)state;
    fence = (struct fence){0};
    number = 1000;
    now_ns = 1000 * NS_PER_S;
    return 0;
}

static struct modbus_request read_of(uint16_t address, uint16_t count)
{
    return (struct modbus_request){.unit = UNIT,
                                   .function = MODBUS_HOLDING_REGISTERS,
                                   .address = address,
                                   .count = count,
                                   .timeout_ns = NS_PER_S};
}

/* Sends what is to be sent next; returns its number, and the registers that it asks for. */
static uint16_t send_next(struct tcp_flight *flight, unsigned *count)
{
    uint8_t frame[MBAP_FRAME_MAX];
    size_t size = tcp_flight_frame(flight, &number, now_ns, frame);

    assert_int_equal(size, 12);
    assert_int_equal(frame[0] << 8 | frame[1], number);
    *count = (unsigned)(frame[10] << 8 | frame[11]);
    now_ns += 10 * NS_PER_MS;
    return number;
}

static uint16_t begin(struct tcp_flight *flight, const struct modbus_request *request,
                      unsigned *count)
{
    tcp_flight_begin(flight, &fence, request, now_ns);
    return send_next(flight, count);
}

/* A reply of so many registers, each of which is `value`. */
static int hear(struct tcp_flight *flight, uint16_t transaction, uint8_t unit, unsigned count,
                uint8_t value)
{
    static uint8_t pdu[PDU_SIZE_MAX];
    struct mbap_frame frame = {
        .transaction = transaction, .unit = unit, .pdu = pdu, .size = 2 + 2 * count};

    memset(pdu, value, sizeof pdu);
    pdu[0] = MODBUS_HOLDING_REGISTERS;
    pdu[1] = (uint8_t)(2 * count);
    return tcp_flight_take(flight, &fence, &frame, now_ns);
}

/* An exception to that function. */
static struct mbap_frame refusal(uint16_t transaction, uint8_t function, uint8_t code)
{
    static uint8_t pdu[2];

    pdu[0] = function | 0x80;
    pdu[1] = code;
    return (struct mbap_frame){
        .transaction = transaction, .unit = UNIT, .pdu = pdu, .size = sizeof pdu};
}

static int hear_refusal(struct tcp_flight *flight, uint16_t transaction, uint8_t function,
                        uint8_t code)
{
    struct mbap_frame frame = refusal(transaction, function, code);

    return tcp_flight_take(flight, &fence, &frame, now_ns);
}

static void time_out(struct tcp_flight *flight)
{
    now_ns = flight->deadline_ns;
    assert_int_equal(tcp_flight_time_out(flight, false), ERR_TIMEOUT);
    tcp_flight_lost(flight, &fence);
}

static void takes_the_reply_of_its_number_unit_and_length_only(void **state)
{
    struct modbus_request request = read_of(10, 4);
    struct tcp_flight flight;
    unsigned count;
    uint16_t mine = begin(&flight, &request, &count);

    (void)state;
    assert_int_equal(count, 4);
    assert_int_equal(hear(&flight, mine ^ 1, UNIT, 4, 1), TCP_FLIGHT_WAITS);
    assert_int_equal(hear(&flight, mine, UNIT + 1, 4, 2), TCP_FLIGHT_WAITS);
    assert_int_equal(flight.reply.strays, 2);
    assert_int_equal(hear(&flight, mine, UNIT, 4, 3), 0);
    assert_int_equal(flight.reply.size, 8);
    assert_int_equal(flight.reply.data[0], 3);
    mine = begin(&flight, &request, &count);
    assert_int_equal(hear(&flight, mine, UNIT, 3, 4), ERR_PROTOCOL);
}

static void no_number_is_followed_by_one_beside_it(void **state)
{
    static bool seen[65536];
    uint16_t at = 0;

    (void)state;
    for (unsigned i = 0; i < 65536; i++) {
        uint16_t next = mbap_number_behind(at), next_but_one = mbap_number_behind(next);

        assert_false(seen[at]);
        seen[at] = true;
        assert_true(next != (at ^ 1) && next != (uint16_t)(at + 1) && next != (uint16_t)(at - 1));
        assert_true(next_but_one != (at ^ 1) && next_but_one != (uint16_t)(at + 1) &&
                    next_but_one != (uint16_t)(at - 1));
        at = next;
    }
}

/* What a gateway does that keeps one number: the answer that was given up comes with the newest. */
static void believes_no_late_reply_that_carries_the_newest_number(void **state)
{
    struct modbus_request first = read_of(10, 4), second = read_of(500, 4);
    struct tcp_flight flight;
    unsigned count;
    uint16_t mine;

    (void)state;
    begin(&flight, &first, &count);
    time_out(&flight);
    mine = begin(&flight, &second, &count);
    assert_int_not_equal(count, 4);
    assert_int_equal(hear(&flight, mine, UNIT, 4, 1), TCP_FLIGHT_WAITS);
    assert_int_equal(hear(&flight, mine, UNIT, count, 2), TCP_FLIGHT_GOES_ON);
    mine = send_next(&flight, &count);
    assert_int_equal(count, 4);
    assert_int_equal(hear(&flight, mine, UNIT, 4, 3), 0);
    assert_int_equal(flight.reply.data[0], 3);
    assert_int_equal(flight.reply.requests, 2);
}

static void needs_no_detour_once_the_late_reply_has_come(void **state)
{
    struct modbus_request request = read_of(10, 4);
    struct tcp_flight flight, other;
    uint8_t pdu[10] = {MODBUS_HOLDING_REGISTERS, 8};
    struct mbap_frame late = {.unit = UNIT, .pdu = pdu, .size = sizeof pdu};
    unsigned count;

    (void)state;
    late.transaction = begin(&flight, &request, &count);
    time_out(&flight);
    tcp_flight_late(&fence, &late, now_ns);
    begin(&other, &request, &count);
    assert_int_equal(count, 4);
}

static void needs_no_detour_for_another_length_or_a_minute_later(void **state)
{
    struct modbus_request request = read_of(10, 4), other = read_of(10, 5);
    struct tcp_flight flight;
    unsigned count;

    (void)state;
    begin(&flight, &request, &count);
    time_out(&flight);
    begin(&flight, &other, &count);
    assert_int_equal(count, 5);
    time_out(&flight);
    now_ns += FENCE_LATE_NS + NS_PER_S;
    begin(&flight, &request, &count);
    assert_int_equal(count, 4);
}

static void believes_no_exception_that_an_older_request_may_have_caused(void **state)
{
    struct modbus_request request = read_of(10, 1);
    struct tcp_flight flight;
    unsigned count;
    uint16_t mine;

    (void)state;
    begin(&flight, &request, &count);
    time_out(&flight);
    mine = begin(&flight, &request, &count);
    assert_int_equal(count, 2);
    assert_int_equal(hear_refusal(&flight, mine, MODBUS_HOLDING_REGISTERS, 2), ERR_PROTOCOL);
    tcp_flight_lost(&flight, &fence);
    /* One of the two is answered: which, the next detour shows. */
    request.count = 2;
    begin(&flight, &request, &count);
    assert_int_equal(count, 3);
    assert_int_equal(hear(&flight, number, UNIT, count, 1), TCP_FLIGHT_GOES_ON);
    mine = send_next(&flight, &count);
    assert_int_equal(count, 2);
    assert_int_equal(hear_refusal(&flight, mine, MODBUS_HOLDING_REGISTERS, 2), ERR_EXCEPTION);
    assert_int_equal(flight.reply.exception, 2);
}

/* As pymodbus 3.8 sends it: whose it is, number and unit tell. */
static void takes_an_exception_without_a_function_by_its_number(void **state)
{
    struct modbus_request request = read_of(10, 1);
    struct tcp_flight flight;
    unsigned count;
    uint16_t mine = begin(&flight, &request, &count);

    (void)state;
    assert_int_equal(hear_refusal(&flight, (uint16_t)(mine + 1), 0, 11), TCP_FLIGHT_WAITS);
    assert_int_equal(hear_refusal(&flight, mine, 0, 11), ERR_EXCEPTION);
    assert_int_equal(flight.reply.exception, 11);
}

/* By the number, exceptions too: another number, and one that was answered, say nothing. */
static void notes_how_late_an_answer_came(void **state)
{
    struct modbus_request request = read_of(10, 4);
    struct tcp_flight flight;
    struct mbap_frame late;
    unsigned count;
    uint16_t mine = begin(&flight, &request, &count);
    int64_t sent_ns = flight.reply.sent_ns;

    (void)state;
    time_out(&flight);
    late = refusal((uint16_t)(mine + 7), MODBUS_HOLDING_REGISTERS, 2);
    assert_false(tcp_flight_late(&fence, &late, now_ns));
    assert_int_equal(fence.late_ns, 0);
    now_ns += 500 * NS_PER_MS;
    late.transaction = mine;
    assert_true(tcp_flight_late(&fence, &late, now_ns));
    assert_int_equal(fence.late_ns, now_ns - sent_ns);
    /* Until one comes in time. */
    request.count = 5;
    mine = begin(&flight, &request, &count);
    assert_int_equal(hear(&flight, mine, UNIT, 5, 1), 0);
    assert_int_equal(fence.late_ns, 0);
}

/* What came was given up before: so the unit is slow, and no other one answers in its place. */
static void an_answer_that_was_given_up_misleads_nobody(void **state)
{
    struct modbus_request first = read_of(10, 4), second = read_of(30, 2);
    struct tcp_flight flight;
    unsigned count;
    uint16_t given_up = begin(&flight, &first, &count);

    (void)state;
    time_out(&flight);
    begin(&flight, &second, &count);
    assert_int_equal(hear(&flight, given_up, UNIT, 4, 1), TCP_FLIGHT_WAITS);
    assert_int_equal(flight.reply.strays, 1);
    assert_true(flight.late);
    assert_int_equal(tcp_flight_time_out(&flight, false), ERR_TIMEOUT);
    assert_int_equal(hear(&flight, (uint16_t)(given_up + 7), UNIT, 4, 1), TCP_FLIGHT_WAITS);
    assert_int_equal(tcp_flight_time_out(&flight, false), ERR_PROTOCOL);
}

/* One read after the other is given up, until the fence can hold no more: 16 shapes, the last one
 * of FENCE_MAX registers. */
static void fill_the_fence(void)
{
    struct tcp_flight flight;
    unsigned count;

    for (uint16_t size = 1; size <= FENCE_MAX; size++) {
        struct modbus_request request = read_of(0, size);

        begin(&flight, &request, &count);
        assert_int_equal(count, size);
        time_out(&flight);
        now_ns -= NS_PER_S - NS_PER_MS; /* quickly */
    }
    assert_false(fence_has_room(&fence));
}

static void asks_on_however_much_is_outstanding(void **state)
{
    struct modbus_request request = read_of(700, 3);
    struct tcp_flight flight;
    unsigned count;
    uint16_t mine = 0;

    (void)state;
    fill_the_fence();
    for (int silent = 0; silent < 3; silent++) {
        mine = begin(&flight, &request, &count);
        assert_int_equal(count, FENCE_MAX);
        assert_int_equal(flight.detour.address, 700);
        if (silent < 2)
            time_out(&flight);
    }
    /* It comes to itself: one answer, and the next one is believed. */
    assert_int_equal(hear(&flight, mine, UNIT, FENCE_MAX, 1), TCP_FLIGHT_GOES_ON);
    mine = send_next(&flight, &count);
    assert_int_equal(count, 3);
    assert_int_equal(hear(&flight, mine, UNIT, 3, 2), 0);
    assert_int_equal(flight.reply.data[0], 2);
    assert_int_equal(flight.reply.requests, 2);
    assert_true(fence_has_room(&fence));
}

/* The same at a gateway that puts the newest number on whatever comes. The answer to the detour may
 * be one to the same read from before, and so may each that follows. */
static void believes_no_older_answer_to_a_detour_that_was_repeated(void **state)
{
    struct modbus_request request = read_of(700, FENCE_MAX);
    struct tcp_flight flight;
    unsigned count;
    uint16_t mine;

    (void)state;
    fill_the_fence();
    begin(&flight, &request, &count);
    time_out(&flight);
    mine = begin(&flight, &request, &count);
    assert_int_equal(count, FENCE_MAX);
    /* What it was asked first: two more of this length may come, so another one must be asked. */
    assert_int_equal(hear(&flight, mine, UNIT, FENCE_MAX, 1), TCP_FLIGHT_GOES_ON);
    mine = send_next(&flight, &count);
    assert_int_equal(count, FENCE_MAX + 1);
    assert_int_equal(hear(&flight, mine, UNIT, FENCE_MAX, 1), TCP_FLIGHT_WAITS);
    assert_int_equal(hear(&flight, mine, UNIT, FENCE_MAX, 1), TCP_FLIGHT_WAITS);
    assert_int_equal(hear(&flight, mine, UNIT, FENCE_MAX + 1, 1), TCP_FLIGHT_GOES_ON);
    mine = send_next(&flight, &count);
    assert_int_equal(count, FENCE_MAX);
    assert_int_equal(hear(&flight, mine, UNIT, FENCE_MAX, 2), 0);
    assert_int_equal(flight.reply.data[0], 2);
}

/* All that is outstanding was lost once more behind the detour's first time: that is not settled.
 */
static void goes_on_only_where_the_answer_makes_room(void **state)
{
    struct modbus_request request = read_of(700, 40);
    struct tcp_flight flight;
    unsigned count;
    uint16_t mine;

    (void)state;
    fill_the_fence();
    for (uint16_t size = 1; size <= FENCE_MAX; size++)
        fence_lost(&fence, fence_shape(&(struct modbus_request){.function = 3, .count = size}),
                   now_ns);
    mine = begin(&flight, &request, &count);
    assert_int_equal(count, FENCE_MAX);
    assert_int_equal(hear(&flight, mine, UNIT, FENCE_MAX, 1), ERR_PROTOCOL);
    tcp_flight_lost(&flight, &fence);
    assert_false(fence_has_room(&fence));
    now_ns += FENCE_LATE_NS + NS_PER_S;
    begin(&flight, &request, &count);
    assert_int_equal(count, 40);
}

/* A detour reads, also where the last that was lost is a write; and within the table. */
static void repeats_no_write(void **state)
{
    struct modbus_request request = read_of(65530, 3), detour;

    (void)state;
    fill_the_fence();
    fence.lost[0].shape = MODBUS_COILS << 8 | 250;
    fence.lost[FENCE_MAX - 1].shape = PDU_WRITE_REGISTER << 8;
    fence_again(&fence, &request, &detour);
    assert_int_equal(detour.function, MODBUS_HOLDING_REGISTERS);
    assert_int_equal(detour.count, FENCE_MAX - 1);
    assert_int_equal(detour.address, 65536 - (FENCE_MAX - 1));
    for (unsigned i = 1; i < FENCE_MAX; i++)
        fence.lost[i].shape = (uint16_t)((PDU_WRITE_COIL + i) << 8);
    fence_again(&fence, &request, &detour);
    assert_int_equal(detour.function, MODBUS_COILS);
    assert_int_equal(detour.count, MODBUS_BITS_MAX);
    fence.lost[0].shape = PDU_IDENTIFY << 8;
    fence.lost[1].shape = MODBUS_INPUT_REGISTERS << 8 | 8;
    fence_again(&fence, &request, &detour);
    assert_int_equal(detour.function, MODBUS_INPUT_REGISTERS);
    assert_int_equal(detour.count, 4);
}

static void says_how_it_ended(void **state)
{
    struct modbus_request request = read_of(10, 4);
    struct tcp_flight flight;
    unsigned count;
    uint16_t mine = begin(&flight, &request, &count);

    (void)state;
    assert_int_equal(tcp_flight_time_out(&flight, false), ERR_TIMEOUT);
    assert_int_equal(tcp_flight_time_out(&flight, true), ERR_CHECKSUM);
    hear(&flight, (uint16_t)(mine + 5), UNIT + 1, 4, 1); /* another unit's is none of its */
    assert_int_equal(tcp_flight_time_out(&flight, false), ERR_TIMEOUT);
    assert_int_equal(flight.reply.strays, 1);
    hear(&flight, (uint16_t)(mine + 5), UNIT, 4, 1);
    assert_int_equal(tcp_flight_time_out(&flight, false), ERR_PROTOCOL);
}

static void a_window_is_no_wider_than_the_units_or_what_was_said(void **state)
{
    struct tcp_window window;

    (void)state;
    tcp_window_init(&window, 0, 10);
    assert_int_equal(tcp_window_size(&window, 0), 1);
    tcp_window_init(&window, 4, 10);
    assert_int_equal(tcp_window_size(&window, 0), 4);
    tcp_window_init(&window, 4, 3);
    assert_int_equal(tcp_window_size(&window, 0), 3);
    tcp_window_init(&window, 4, 0);
    assert_int_equal(tcp_window_size(&window, 0), 1);
}

static void a_server_that_takes_one_at_a_time_is_asked_so_for_an_hour(void **state)
{
    struct tcp_window window;

    (void)state;
    tcp_window_init(&window, 4, 10);
    assert_false(tcp_window_ignored(&window, now_ns));
    assert_false(tcp_window_ignored(&window, now_ns));
    tcp_window_answered(&window);
    assert_false(tcp_window_ignored(&window, now_ns));
    assert_false(tcp_window_ignored(&window, now_ns));
    assert_int_equal(tcp_window_size(&window, now_ns), 4);
    assert_true(tcp_window_ignored(&window, now_ns));
    assert_int_equal(tcp_window_size(&window, now_ns), 1);
    assert_int_equal(tcp_window_size(&window, now_ns + TCP_WINDOW_AGAIN_NS), 4);
    assert_false(tcp_window_hung_up(&window, now_ns));
    assert_true(tcp_window_hung_up(&window, now_ns));
    assert_int_equal(tcp_window_size(&window, now_ns), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(takes_the_reply_of_its_number_unit_and_length_only, set_up),
        cmocka_unit_test_setup(no_number_is_followed_by_one_beside_it, set_up),
        cmocka_unit_test_setup(believes_no_late_reply_that_carries_the_newest_number, set_up),
        cmocka_unit_test_setup(needs_no_detour_once_the_late_reply_has_come, set_up),
        cmocka_unit_test_setup(needs_no_detour_for_another_length_or_a_minute_later, set_up),
        cmocka_unit_test_setup(takes_an_exception_without_a_function_by_its_number, set_up),
        cmocka_unit_test_setup(notes_how_late_an_answer_came, set_up),
        cmocka_unit_test_setup(an_answer_that_was_given_up_misleads_nobody, set_up),
        cmocka_unit_test_setup(believes_no_exception_that_an_older_request_may_have_caused, set_up),
        cmocka_unit_test_setup(asks_on_however_much_is_outstanding, set_up),
        cmocka_unit_test_setup(believes_no_older_answer_to_a_detour_that_was_repeated, set_up),
        cmocka_unit_test_setup(goes_on_only_where_the_answer_makes_room, set_up),
        cmocka_unit_test_setup(repeats_no_write, set_up),
        cmocka_unit_test_setup(says_how_it_ended, set_up),
        cmocka_unit_test_setup(a_window_is_no_wider_than_the_units_or_what_was_said, set_up),
        cmocka_unit_test_setup(a_server_that_takes_one_at_a_time_is_asked_so_for_an_hour, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
