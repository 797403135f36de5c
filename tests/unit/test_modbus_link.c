/* The link against a device that misbehaves: it may fail to read, but must never hand over a wrong
 * value. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "core/error.h"
#include "field/wait.h"
#include "modbus/fence.h"
#include "modbus/link.h"
#include "unit/hostile_slave.h"

#define TIMEOUT_MS 80
#define LATE_MS    120
#define UNIT       7
#define COUNT      6

struct fixture {
    struct driver_host base; /* first */
    struct modbus_bus_options options;
    struct hostile_slave *slave;
    struct link *link;
    char port[64];
    int64_t timeout_ns;
    int stop_fd;
    struct link_reply reply;
};

static int wait_or_stop(struct driver_host *base, int fd, int64_t until_mono_ns)
{
    return wait_readable(fd, ((struct fixture *)base)->stop_fd, base->clock, until_mono_ns);
}

static const struct driver_host_ops ops = {.wait = wait_or_stop};

static void set_up_as(struct fixture *fixture, enum hostile_frames frames, bool network)
{
    *fixture = (struct fixture){.base = {.ops = &ops, .clock = &clock_system}};
    fixture->slave = hostile_start_as(frames, network, LATE_MS);
    fixture->stop_fd = eventfd(0, EFD_CLOEXEC);
    fixture->timeout_ns = 600 * NS_PER_MS; /* nobody else's load makes a reply late */
    fixture->options.connect_timeout_ns = NS_PER_S;
    fixture->options.host.port = fixture->slave->tcp_port;
    strcpy(fixture->options.host.name, "127.0.0.1");
    strcpy(fixture->port, fixture->slave->port);
    fixture->options.port = network ? NULL : fixture->port;
    fixture->options.ascii = frames == HOSTILE_ASCII;
    fixture->options.line =
        (struct port_settings){.baud = 115200, .data_bits = 8, .stop_bits = 1, .parity = 'N'};
    assert_int_equal((frames == HOSTILE_TCP ? link_new_tcp : link_new_line)(
                         &fixture->link, &fixture->options, &fixture->base),
                     0);
    assert_int_equal(fixture->link->ops->open(fixture->link), 0);
}

/* As Modbus TCP, or as RTU on a port. */
static void set_up(struct fixture *fixture, bool tcp)
{
    set_up_as(fixture, tcp ? HOSTILE_TCP : HOSTILE_RTU, tcp);
}

static void tear_down(struct fixture *fixture)
{
    link_free(fixture->link);
    hostile_stop(fixture->slave);
    close(fixture->stop_fd);
}

/* To a rate at which this device cannot be so quick as it is. */
static void slow_down(struct fixture *fixture)
{
    fixture->link->ops->close(fixture->link);
    fixture->options.line.baud = 1200;
    assert_int_equal(fixture->link->ops->open(fixture->link), 0);
}

/* Reads and checks that what comes out, if anything, is what the registers hold. */
static int read_registers(struct fixture *fixture, unsigned unit, unsigned address, unsigned count)
{
    struct modbus_request request = {
        .unit = (uint8_t)unit,
        .function = MODBUS_HOLDING_REGISTERS,
        .address = (uint16_t)address,
        .count = (uint16_t)count,
        .timeout_ns = fixture->timeout_ns,
    };
    int result;

    if (!fixture->link->open)
        assert_int_equal(fixture->link->ops->open(fixture->link), 0);
    result = fixture->link->ops->transact(fixture->link, &request, &fixture->reply);
    for (unsigned i = 0; result == 0 && i < count; i++) {
        const uint8_t *data = fixture->reply.data + 2 * i;

        assert_int_equal(data[0] << 8 | data[1], hostile_register(unit, address + i));
    }
    return result;
}

struct hostile_case {
    enum hostility hostility;
    int result;      /* of the read that meets it */
    unsigned within; /* how many reads later, at most, all is well again */
};

/* Meets the hostility so many times in a row while it reads other registers with requests of the
 * same shape. Says whether the first of them had the result that it should, and all was well again
 * in time. */
static bool meets(struct fixture *fixture, const struct hostile_case *meeting, int times,
                  unsigned address)
{
    bool expected = read_registers(fixture, UNIT, address++, COUNT) == 0;
    unsigned tries = 0;

    hostile_next(fixture->slave, meeting->hostility, times);
    expected &= read_registers(fixture, UNIT, address++, COUNT) == meeting->result;
    for (int more = 1; more < times; more++)
        read_registers(fixture, UNIT, address++, COUNT);
    for (unsigned good = 0; good < 3 && tries < 100; tries++)
        good = read_registers(fixture, UNIT, address++, COUNT) == 0 ? good + 1 : 0;
    return expected && tries <= meeting->within + (unsigned)times + 2;
}

/* Each hostility once, and three times in a row. What came out is checked at each read; how a fault
 * is told may be another when the machine stalls for longer than the time-out, so that is given
 * three chances. */
static void survive(enum hostile_frames frames, bool network, const struct hostile_case *cases,
                    size_t count)
{
    struct fixture fixture;

    set_up_as(&fixture, frames, network);
    fixture.timeout_ns = TIMEOUT_MS * NS_PER_MS;
    for (size_t i = 0; i < count; i++) {
        for (int times = 1; times <= 3; times += 2) {
            bool met = false;

            for (unsigned chance = 0; chance < 3 && !met; chance++)
                met = meets(&fixture, &cases[i], times, 100 * (unsigned)i + 30 * chance);
            if (!met)
                fail_msg("hostility %d, %d times", cases[i].hostility, times);
        }
    }
    tear_down(&fixture);
}

static void hands_over_no_wrong_value_on_a_serial_line(void **state)
{
    static const struct hostile_case cases[] = {
        {HOSTILE_NOT, 0, 1},
        {HOSTILE_SILENT, ERR_TIMEOUT, 1},
        {HOSTILE_LATE, ERR_TIMEOUT, 9},
        {HOSTILE_LATE_EXCEPTION, ERR_TIMEOUT, 9},
        {HOSTILE_HELD_1, ERR_TIMEOUT, 9},
        {HOSTILE_HELD_2, ERR_TIMEOUT, 9},
        {HOSTILE_HELD_3, ERR_TIMEOUT, 9},
        {HOSTILE_TWICE, ERR_PROTOCOL, 1},
        {HOSTILE_FOREIGN, ERR_PROTOCOL, 1},
        {HOSTILE_FOREIGN_BEFORE, 0, 1},
        {HOSTILE_OTHER_FUNCTION, ERR_PROTOCOL, 1},
        {HOSTILE_SHORTER, ERR_PROTOCOL, 1},
        {HOSTILE_LONGER, ERR_PROTOCOL, 1},
        {HOSTILE_TRUNCATED, ERR_CHECKSUM, 1},
        {HOSTILE_DRIBBLE, 0, 1},
        {HOSTILE_DRIBBLE_LONG, ERR_CHECKSUM, 9},
        {HOSTILE_ECHO, ERR_CHECKSUM, 1},
        {HOSTILE_CORRUPT, ERR_CHECKSUM, 1},
        {HOSTILE_NOISE_BEFORE, ERR_CHECKSUM, 1},
        {HOSTILE_NOISE_AFTER, 0, 1},
        {HOSTILE_GARBAGE, ERR_CHECKSUM, 1},
        {HOSTILE_BUSY, ERR_EXCEPTION, 1},
    };

    (void)state;
    survive(HOSTILE_RTU, false, cases, sizeof cases / sizeof cases[0]);
}

/* A colon begins a frame wherever it stands, so noise and echoes before one do no harm. */
static void hands_over_no_wrong_value_by_ascii(void **state)
{
    static const struct hostile_case cases[] = {
        {HOSTILE_ECHO, 0, 1}, /* first: while a reply is in doubt, an echo is one frame too many */

        {HOSTILE_LATE, ERR_TIMEOUT, 9},
        {HOSTILE_TWICE, ERR_PROTOCOL, 1},
        {HOSTILE_FOREIGN, ERR_PROTOCOL, 1},
        {HOSTILE_FOREIGN_BEFORE, 0, 1},
        {HOSTILE_OTHER_FUNCTION, ERR_PROTOCOL, 1},
        {HOSTILE_TRUNCATED, ERR_CHECKSUM, 1},
        {HOSTILE_DRIBBLE, 0, 1},

        {HOSTILE_CORRUPT, ERR_CHECKSUM, 1},
        {HOSTILE_NOISE_BEFORE, 0, 1},
        {HOSTILE_NOISE_AFTER, 0, 1},
        {HOSTILE_BUSY, ERR_EXCEPTION, 1},
    };

    (void)state;
    survive(HOSTILE_ASCII, false, cases, sizeof cases / sizeof cases[0]);
}

static void hands_over_no_wrong_value_over_a_device_server(void **state)
{
    static const struct hostile_case cases[] = {
        {HOSTILE_LATE, ERR_TIMEOUT, 9},       {HOSTILE_HELD_1, ERR_TIMEOUT, 9},
        {HOSTILE_TWICE, ERR_PROTOCOL, 1},     {HOSTILE_FOREIGN_BEFORE, 0, 1},
        {HOSTILE_TRUNCATED, ERR_CHECKSUM, 1}, {HOSTILE_CORRUPT, ERR_CHECKSUM, 1},
        {HOSTILE_HANGS_UP, ERR_IO, 9},        {HOSTILE_NOISE_AFTER, 0, 1},
    };

    (void)state;
    survive(HOSTILE_RTU, true, cases, sizeof cases / sizeof cases[0]);
}

static void hands_over_no_wrong_value_over_tcp(void **state)
{
    static const struct hostile_case cases[] = {
        {HOSTILE_NOT, 0, 1},
        {HOSTILE_SILENT, ERR_TIMEOUT, 1},
        {HOSTILE_LATE, ERR_TIMEOUT, 9},
        {HOSTILE_LATE_EXCEPTION, ERR_TIMEOUT, 9},
        {HOSTILE_HELD_1, ERR_TIMEOUT, 9},
        {HOSTILE_HELD_2, ERR_TIMEOUT, 9},
        {HOSTILE_HELD_3, ERR_TIMEOUT, 9},
        {HOSTILE_TWICE, 0, 1},
        {HOSTILE_FOREIGN, ERR_PROTOCOL, 1},
        {HOSTILE_FOREIGN_BEFORE, 0, 1},
        {HOSTILE_OTHER_FUNCTION, ERR_PROTOCOL, 1},
        {HOSTILE_SHORTER, ERR_PROTOCOL, 1},
        {HOSTILE_LONGER, ERR_PROTOCOL, 1},
        {HOSTILE_TRUNCATED, ERR_CHECKSUM, 1},
        {HOSTILE_DRIBBLE, 0, 1},
        {HOSTILE_DRIBBLE_LONG, ERR_CHECKSUM, 9},
        {HOSTILE_GARBAGE, ERR_IO, 1},
        {HOSTILE_BUSY, ERR_EXCEPTION, 1},
        {HOSTILE_OTHER_TRANSACTION, ERR_PROTOCOL, 1},
        {HOSTILE_OTHER_PROTOCOL, ERR_IO, 1},
        {HOSTILE_WRONG_SIZE, ERR_CHECKSUM, 1},
        {HOSTILE_HANGS_UP, ERR_IO, 1},
    };

    (void)state;
    survive(HOSTILE_TCP, true, cases, sizeof cases / sizeof cases[0]);
}

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

static void takes_a_detour_only_where_a_late_reply_could_be_mistaken(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false);
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

static void keeps_one_deadline_for_the_whole_reply(void **state)
{
    struct fixture fixture;

    (void)state;
    for (int tcp = 0; tcp < 2; tcp++) {
        set_up(&fixture, tcp);
        fixture.timeout_ns = 300 * NS_PER_MS;
        fixture.slave->late_ms = 3000;
        hostile_next(fixture.slave, HOSTILE_DRIBBLE_LONG, 1);
        int64_t start = clock_mono(&clock_system);
        assert_int_equal(read_registers(&fixture, UNIT, 10, COUNT), ERR_CHECKSUM);
        assert_in_range(clock_mono(&clock_system) - start, 300 * NS_PER_MS, 1500 * NS_PER_MS);
        tear_down(&fixture);
    }
}

static void skips_the_echo_of_an_adapter_that_hears_itself(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false);
    fixture.options.echo = true;
    hostile_next(fixture.slave, HOSTILE_ECHO, 3);
    for (unsigned address = 0; address < 3; address++)
        assert_int_equal(read_registers(&fixture, UNIT, address, COUNT), 0);
    tear_down(&fixture);
}

static void returns_at_once_when_the_bus_is_to_stop(void **state)
{
    uint64_t one = 1;

    (void)state;
    for (int tcp = 0; tcp < 2; tcp++) {
        struct fixture fixture;

        set_up(&fixture, tcp);
        hostile_next(fixture.slave, HOSTILE_SILENT, 1);
        assert_int_equal(write(fixture.stop_fd, &one, sizeof one), sizeof one);
        assert_int_equal(read_registers(&fixture, UNIT, 0, COUNT), ERR_CLOSED);
        tear_down(&fixture);
    }
}

static void closes_when_the_adapter_is_pulled_out(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false);
    assert_int_equal(read_registers(&fixture, UNIT, 0, COUNT), 0);
    hostile_stop(fixture.slave);
    assert_int_equal(read_registers(&fixture, UNIT, 0, COUNT), ERR_IO);
    assert_false(fixture.link->open);
    assert_int_equal(fixture.link->ops->open(fixture.link), ERR_NOT_FOUND);
    assert_non_null(strstr(fixture.link->why, fixture.port));
    fixture.slave = hostile_start(false, LATE_MS);
    tear_down(&fixture);
}

static void takes_a_connection_that_stays_silent_for_dead(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, true);
    hostile_next(fixture.slave, HOSTILE_SILENT, 3);
    for (int i = 0; i < 3; i++) {
        assert_true(fixture.link->open);
        assert_int_equal(read_registers(&fixture, UNIT, 0, COUNT), ERR_TIMEOUT);
    }
    assert_false(fixture.link->open);
    assert_int_equal(read_registers(&fixture, UNIT, 0, COUNT), 0);
    tear_down(&fixture);
}

static void says_why_nobody_can_be_reached(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, true);
    fixture.link->ops->close(fixture.link);
    hostile_stop(fixture.slave);
    assert_int_equal(fixture.link->ops->open(fixture.link), ERR_REFUSED);
    assert_non_null(strstr(fixture.link->why, "127.0.0.1"));
    strcpy(fixture.options.host.name, "999.0.0.1");
    assert_int_equal(fixture.link->ops->open(fixture.link), ERR_NAME);
    fixture.slave = hostile_start(true, LATE_MS);
    tear_down(&fixture);
}

static void serves_a_descriptor_that_select_cannot_take(void **state)
{
    struct rlimit before, limit;
    int fds[1100], count = 0;
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false);
    fixture.link->ops->close(fixture.link);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = before.rlim_max < 1100 ? before.rlim_max : 1100;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur == 1100) {
        do {
            fds[count] = dup(STDERR_FILENO);
            assert_true(fds[count] >= 0);
        } while (fds[count++] < 1023);
        assert_int_equal(read_registers(&fixture, UNIT, 10, COUNT), 0);
        hostile_next(fixture.slave, HOSTILE_CORRUPT, 1);
        assert_int_equal(read_registers(&fixture, UNIT, 20, COUNT), ERR_CHECKSUM);
        assert_int_equal(read_registers(&fixture, UNIT, 30, COUNT), 0);
    }
    while (count > 0)
        close(fds[--count]);
    setrlimit(RLIMIT_NOFILE, &before);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_over_no_wrong_value_on_a_serial_line),
        cmocka_unit_test(hands_over_no_wrong_value_by_ascii),
        cmocka_unit_test(hands_over_no_wrong_value_over_a_device_server),
        cmocka_unit_test(hands_over_no_wrong_value_over_tcp),
        cmocka_unit_test(writes_and_identifies),
        cmocka_unit_test(does_not_take_an_older_write_for_a_newer_one),
        cmocka_unit_test(doubts_an_exception_that_an_older_request_may_have_caused),
        cmocka_unit_test(takes_a_detour_only_where_a_late_reply_could_be_mistaken),
        cmocka_unit_test(fences_single_registers_and_the_last_one),
        cmocka_unit_test(comes_to_terms_with_a_unit_that_refuses_the_detour),
        cmocka_unit_test(doubts_a_reply_that_began_before_its_request_was_out),
        cmocka_unit_test(keeps_one_deadline_for_the_whole_reply),
        cmocka_unit_test(skips_the_echo_of_an_adapter_that_hears_itself),
        cmocka_unit_test(returns_at_once_when_the_bus_is_to_stop),
        cmocka_unit_test(closes_when_the_adapter_is_pulled_out),
        cmocka_unit_test(takes_a_connection_that_stays_silent_for_dead),
        cmocka_unit_test(says_why_nobody_can_be_reached),
        cmocka_unit_test(serves_a_descriptor_that_select_cannot_take),
        cmocka_unit_test(forgets_requests_that_nobody_can_answer_any_more),
        cmocka_unit_test(expects_as_many_late_replies_as_were_lost),
        cmocka_unit_test(settles_only_what_was_sent_before_all_that_a_late_reply_may_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
