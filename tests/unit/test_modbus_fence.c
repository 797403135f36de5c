/* The fence against late replies: what it remembers, and the detours that links take for it. */
// links: driver_modbus
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "modbus/fence.h"
#include "unit/link_rig.h"

/* A write, or an identification: each is told from the others by its last two bytes, which the
 * device keeps. What is said to be done must have been. */
static int ask(struct fixture *fixture, uint8_t function, unsigned mark)
{
    uint8_t data[4] = {0x0E, 4, (uint8_t)(mark >> 8), (uint8_t)mark};
    struct modbus_request request = {
        .unit = UNIT,
        .function = function,
        .address = 100,
        .count = 1,
        .data = data,
        .data_size = 4,
        .timeout_ns = fixture->timeout_ns,
    };
    int result;

    if (function == PDU_IDENTIFY)
        request.data_size = 3;
    if (function == PDU_WRITE_COIL || function == PDU_WRITE_REGISTER ||
        function == PDU_WRITE_COILS) {
        request.data = data + 2;
        request.data_size = 2;
    }
    if (function == PDU_WRITE_COILS)
        request.count = 16;
    if (function == PDU_WRITE_REGISTERS)
        request.count = 2;
    if (!fixture->link->open)
        assert_int_equal(fixture->link->ops->open(fixture->link), 0);
    result = fixture->link->ops->transact(fixture->link, &request, &fixture->reply);
    if (result == 0 && function == PDU_IDENTIFY) {
        assert_int_equal(fixture->reply.size, 21);
        assert_memory_equal(fixture->reply.data + 8, "Acme", 4);
    }
    if (result == 0 && function != PDU_IDENTIFY)
        assert_int_equal(atomic_load(&fixture->slave->written), mark);
    return result;
}

static const uint8_t other_functions[] = {
    PDU_WRITE_COIL,      PDU_WRITE_REGISTER, PDU_WRITE_COILS,
    PDU_WRITE_REGISTERS, PDU_MASK_REGISTER,  PDU_IDENTIFY,
};

static void writes_and_identifies(void **state)
{
    (void)state;
    for (int tcp = 0; tcp < 2; tcp++) {
        struct fixture fixture;

        set_up(&fixture, tcp);
        for (size_t i = 0; i < sizeof other_functions; i++) {
            assert_int_equal(ask(&fixture, other_functions[i], 0xFF00), 0);
            hostile_next(fixture.slave, HOSTILE_REFUSES, 1);
            assert_int_equal(ask(&fixture, other_functions[i], 0xFF00), ERR_EXCEPTION);
            assert_int_equal(fixture.reply.exception, 2);
        }
        tear_down(&fixture);
    }
}

/* A write that was done late answers none that came after it, be they as equal as two eggs. */
static void does_not_take_an_older_write_for_a_newer_one(void **state)
{
    static const enum hostility kinds[] = {HOSTILE_LATE,    HOSTILE_LATE_EXCEPTION, HOSTILE_SILENT,
                                           HOSTILE_HELD_1,  HOSTILE_TWICE,          HOSTILE_FOREIGN,
                                           HOSTILE_CORRUPT, HOSTILE_TRUNCATED};
    struct fixture fixture;
    unsigned mark = 0x1000;

    (void)state;
    set_up(&fixture, false);
    fixture.timeout_ns = TIMEOUT_MS * NS_PER_MS;
    for (size_t i = 0; i < sizeof other_functions; i++) {
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            unsigned good = 0;

            hostile_next(fixture.slave, kinds[k], 1);
            assert_int_not_equal(ask(&fixture, other_functions[i], mark++), 0);
            for (unsigned tries = 0; good < 2; tries++) {
                assert_true(tries < 20);
                good = ask(&fixture, other_functions[i], mark++) == 0 ? good + 1 : 0;
            }
            assert_int_equal(read_registers(&fixture, UNIT, 10, COUNT), 0);
        }
    }
    tear_down(&fixture);
}

static void doubts_an_exception_that_an_older_request_may_have_caused(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false);
    hostile_next(fixture.slave, HOSTILE_SILENT, 1);
    assert_int_equal(read_registers(&fixture, UNIT, 10, COUNT), ERR_TIMEOUT);
    hostile_next(fixture.slave, HOSTILE_REFUSES, 1);
    assert_int_equal(read_registers(&fixture, UNIT, 20, COUNT + 1), ERR_PROTOCOL);
    hostile_next(fixture.slave, HOSTILE_SILENT, 1);
    assert_int_equal(ask(&fixture, PDU_WRITE_REGISTER, 1), ERR_TIMEOUT);
    hostile_next(fixture.slave, HOSTILE_REFUSES, 1);
    assert_int_equal(ask(&fixture, PDU_WRITE_REGISTERS, 2), ERR_EXCEPTION);
    tear_down(&fixture);
}

/* A link sees by replies that are sooner than a wire brings them that there is none. A busy machine
 * holds most of them up. */
static void show_that_it_is_no_wire(struct fixture *fixture)
{
    for (int n = 0; n < 30; n++)
        assert_int_equal(read_registers(fixture, UNIT, 0, COUNT), 0);
}

static void takes_a_detour_only_where_a_late_reply_could_be_mistaken(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false);
    show_that_it_is_no_wire(&fixture);
    hostile_next(fixture.slave, HOSTILE_SILENT, 1);
    assert_int_equal(read_registers(&fixture, UNIT, 10, COUNT), ERR_TIMEOUT);
    /* Another unit's replies cannot be mistaken, nor those of another shape; and once a reply came
     * what is left is doubt. */
    assert_int_equal(read_registers(&fixture, UNIT + 1, 20, COUNT), 0);
    assert_int_equal(fixture.reply.requests, 1);
    assert_int_equal(read_registers(&fixture, UNIT, 30, COUNT), 0);
    assert_int_equal(fixture.reply.requests, 3);
    assert_int_equal(read_registers(&fixture, UNIT, 40, COUNT), 0);
    assert_int_equal(fixture.reply.requests, 2);
    hostile_next(fixture.slave, HOSTILE_SILENT, 1);
    assert_int_equal(read_registers(&fixture, UNIT, 50, COUNT), ERR_TIMEOUT);
    assert_int_equal(read_registers(&fixture, UNIT, 60, COUNT + 1), 0);
    assert_int_equal(fixture.reply.requests, 1);
    assert_int_equal(read_registers(&fixture, UNIT, 70, COUNT), 0);
    assert_int_equal(fixture.reply.requests, 2);
    tear_down(&fixture);
}

static void fences_single_registers_and_the_last_one(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false);
    fixture.timeout_ns = TIMEOUT_MS * NS_PER_MS;
    for (unsigned address = 65530; address < 65536; address++) {
        hostile_next(fixture.slave, HOSTILE_LATE, 1);
        assert_int_equal(read_registers(&fixture, UNIT, address, 1), ERR_TIMEOUT);
        for (int tries = 0; read_registers(&fixture, UNIT, address, 1) != 0; tries++)
            assert_true(tries < 10);
    }
    tear_down(&fixture);
}

static void comes_to_terms_with_a_unit_that_refuses_the_detour(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false);
    slow_down(&fixture);
    assert_int_equal(read_registers(&fixture, UNIT, 0, COUNT), 0);
    hostile_next(fixture.slave, HOSTILE_SILENT, 1);
    assert_int_equal(read_registers(&fixture, UNIT, 10, 1), ERR_TIMEOUT);
    hostile_next(fixture.slave, HOSTILE_REFUSES, 1);
    assert_int_equal(read_registers(&fixture, UNIT, 20, 1), 0);
    assert_int_equal(fixture.reply.requests, 3);
    tear_down(&fixture);
}

static void doubts_a_reply_that_began_before_its_request_was_out(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false);
    slow_down(&fixture);
    hostile_next(fixture.slave, HOSTILE_SILENT, 1);
    assert_int_equal(read_registers(&fixture, UNIT, 10, 1), ERR_TIMEOUT);
    hostile_next(fixture.slave, HOSTILE_REFUSES, 1);
    assert_int_equal(read_registers(&fixture, UNIT, 20, 1), ERR_PROTOCOL);
    /* A reply that cannot be mistaken shows that there is no wire, and that its speed says nothing.
     */
    assert_int_equal(read_registers(&fixture, UNIT, 30, 1), 0);
    tear_down(&fixture);
}

static void forgets_requests_that_nobody_can_answer_any_more(void **state)
{
    struct fence fence = {.count = 0};
    const struct modbus_request request = {.function = MODBUS_HOLDING_REGISTERS, .count = 1};
    struct modbus_request detour;
    uint16_t shape = fence_shape(&request);

    (void)state;
    fence_lost(&fence, shape, 0);
    assert_true(fence_closed(&fence, shape, FENCE_LATE_NS));
    assert_false(fence_closed(&fence, shape, FENCE_LATE_NS + 1));
    fence_lost(&fence, shape, 0);
    fence_settled(&fence);
    assert_false(fence_closed(&fence, shape, 0));
    assert_true(fence_doubtful(&fence, shape, FENCE_DOUBT_NS));
    assert_false(fence_doubtful(&fence, shape, FENCE_DOUBT_NS + 1));
    for (int64_t i = 0; i < FENCE_MAX; i++) {
        assert_true(fence_has_room(&fence));
        assert_true(fence_detour(&fence, &request, &detour, i));
        shape = fence_shape(&detour);
        assert_false(fence_closed(&fence, shape, i));
        fence_lost(&fence, shape, i);
    }
    assert_false(fence_has_room(&fence));
    /* What is only in doubt makes room. */
    fence_settled(&fence);
    assert_true(fence_has_room(&fence));
}

/* Its answers come between two requests, when nobody collects them. */
static void asks_a_unit_on_that_is_slow_for_a_while(void **state)
{
    static const enum hostile_frames lines[] = {HOSTILE_RTU, HOSTILE_ASCII};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture;
        int result = ERR_TIMEOUT;

        set_up_as(&fixture, lines[i], false);
        fixture.timeout_ns = 20 * NS_PER_MS;
        hostile_next(fixture.slave, HOSTILE_LATE, INT_MAX);
        for (int n = 0; n < 2 * FENCE_MAX; n++) {
            read_registers(&fixture, UNIT, 10, 3);
            host_wait(&fixture.base, -1, clock_mono(&clock_system) + LATE_MS * NS_PER_MS);
        }
        hostile_next(fixture.slave, HOSTILE_NOT, 0);
        fixture.timeout_ns = 600 * NS_PER_MS;
        for (int n = 0; n < 5 && result != 0; n++)
            result = read_registers(&fixture, UNIT, 10, 3);
        assert_int_equal(result, 0);
        tear_down(&fixture);
    }
}

static void expects_as_many_late_replies_as_were_lost(void **state)
{
    struct fence fence = {.count = 0};
    uint16_t one = fence_shape(&(struct modbus_request){.function = 3, .count = 1});
    uint16_t two = fence_shape(&(struct modbus_request){.function = 3, .count = 2});

    (void)state;
    fence_lost(&fence, one, 0);
    fence_lost(&fence, two, 1);
    fence_lost(&fence, two, 2);
    fence_late(&fence, two);
    assert_true(fence_doubtful(&fence, one, 3));
    assert_true(fence_closed(&fence, two, 3));
    fence_late(&fence, two);
    assert_false(fence_closed(&fence, two, 3));
    assert_false(fence_doubtful(&fence, two, 3));
    fence_late(&fence, two);
    fence_late(&fence, one);
    assert_int_equal(fence.count, 0);
}

static void settles_only_what_was_sent_before_all_that_a_late_reply_may_answer(void **state)
{
    struct fence fence = {.count = 0};
    uint16_t one = fence_shape(&(struct modbus_request){.function = 3, .count = 1});
    uint16_t two = fence_shape(&(struct modbus_request){.function = 3, .count = 2});

    (void)state;
    fence_lost(&fence, two, 0);
    fence_lost(&fence, one, 1);
    fence_lost(&fence, two, 2);
    fence_late(&fence, two); /* which of the two? */
    assert_true(fence_closed(&fence, one, 3));
    fence_late(&fence, two);
    assert_true(fence_doubtful(&fence, one, 3));
}

/* A unit that is silent for an hour, probed as one that is down is: 1, 2, 4 ... 60 s apart, with
 * whatever may be asked at that time. */
static void a_silent_unit_that_is_probed_never_fills_it(void **state)
{
    struct fence fence = {.count = 0};
    const struct modbus_request probe = {.unit = UNIT, .function = 3, .count = 1};
    int64_t now = 0, wait = NS_PER_S;

    (void)state;
    for (unsigned times = 0; now < 3600 * NS_PER_S; times++) {
        struct modbus_request asked = probe, detour;

        if (fence_closed(&fence, fence_shape(&probe), now)) {
            assert_true(fence_detour(&fence, &probe, &detour, now));
            asked = detour;
        }
        assert_true(fence_has_room(&fence));
        fence_lost(&fence, fence_shape(&asked), now);
        if (times < 3) { /* before it counts as down */
            now += NS_PER_S / 2;
            continue;
        }
        now += wait;
        wait = 2 * wait > 60 * NS_PER_S ? 60 * NS_PER_S : 2 * wait;
    }
}

/* However much a unit was asked for: what no answer can come to any more makes room. */
static void a_unit_is_left_alone_for_a_minute_at_most(void **state)
{
    struct fence fence = {.count = 0};
    struct modbus_request asked = {.unit = UNIT, .function = 3};

    (void)state;
    for (unsigned i = 0; i < FENCE_MAX; i++) {
        asked.count = (uint16_t)(i + 1);
        assert_true(fence_has_room(&fence));
        fence_lost(&fence, fence_shape(&asked), i * NS_PER_MS);
    }
    fence_closed(&fence, fence_shape(&asked), FENCE_LATE_NS);
    assert_false(fence_has_room(&fence));
    fence_closed(&fence, fence_shape(&asked), FENCE_LATE_NS + NS_PER_MS);
    assert_true(fence_has_room(&fence));
    /* Or a single answer that is late. */
    fence_lost(&fence, fence_shape(&(struct modbus_request){.function = 4, .count = 1}),
               FENCE_LATE_NS);
    assert_false(fence_has_room(&fence));
    fence_late(&fence, fence_shape(&asked));
    assert_true(fence_has_room(&fence));
}

/* One that comes later than the last one is still waited for, once more as long. */
static void forgets_that_a_unit_was_late_when_nothing_comes_any_more(void **state)
{
    const uint16_t shape = fence_shape(&(struct modbus_request){.function = 3, .count = 1});
    struct fence fence = {0};

    (void)state;
    for (int64_t at = NS_PER_S; at < 10 * NS_PER_S; at += NS_PER_S) {
        fence_lost(&fence, shape, at);
        fence_timed_out(&fence, at);
        fence_late_at(&fence, shape, at + 700 * NS_PER_MS);
        assert_int_equal(fence.late_ns, 700 * NS_PER_MS);
    }
    fence_timed_out(&fence, 20 * NS_PER_S);
    assert_int_equal(fence.late_ns, 700 * NS_PER_MS);
    fence_timed_out(&fence, 20 * NS_PER_S + 1400 * NS_PER_MS);
    assert_int_equal(fence.late_ns, 700 * NS_PER_MS);
    fence_timed_out(&fence, 20 * NS_PER_S + 1401 * NS_PER_MS);
    assert_int_equal(fence.late_ns, 0);
}

/* On a line requests have no numbers; and there are servers that number all answers with zero. */
static void only_a_request_with_a_number_is_known_by_it(void **state)
{
    const uint16_t shape = fence_shape(&(struct modbus_request){.function = 3, .count = 1});
    struct fence fence = {0};

    (void)state;
    fence_lost(&fence, shape, NS_PER_S);
    assert_false(fence_late_number(&fence, 0, 2 * NS_PER_S));
    assert_int_equal(fence.late_ns, 0);
    fence_lost_numbered(&fence, shape, 3 * NS_PER_S, 4711);
    assert_false(fence_late_number(&fence, 0, 4 * NS_PER_S));
    assert_true(fence_late_number(&fence, 4711, 4 * NS_PER_S));
    assert_int_equal(fence.late_ns, NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_identifies),
        cmocka_unit_test(does_not_take_an_older_write_for_a_newer_one),
        cmocka_unit_test(doubts_an_exception_that_an_older_request_may_have_caused),
        cmocka_unit_test(takes_a_detour_only_where_a_late_reply_could_be_mistaken),
        cmocka_unit_test(fences_single_registers_and_the_last_one),
        cmocka_unit_test(comes_to_terms_with_a_unit_that_refuses_the_detour),
        cmocka_unit_test(doubts_a_reply_that_began_before_its_request_was_out),
        cmocka_unit_test(forgets_requests_that_nobody_can_answer_any_more),
        cmocka_unit_test(asks_a_unit_on_that_is_slow_for_a_while),
        cmocka_unit_test(expects_as_many_late_replies_as_were_lost),
        cmocka_unit_test(a_silent_unit_that_is_probed_never_fills_it),
        cmocka_unit_test(a_unit_is_left_alone_for_a_minute_at_most),
        cmocka_unit_test(forgets_that_a_unit_was_late_when_nothing_comes_any_more),
        cmocka_unit_test(settles_only_what_was_sent_before_all_that_a_late_reply_may_answer),
        cmocka_unit_test(only_a_request_with_a_number_is_known_by_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
