/* How a port's transceiver is switched, by the port's driver or by RTS: what is asked of the
 * kernel, and when. */
// links: driver_serial
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <linux/serial.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "serial/port.h"
#include "serial/port_rs485.h"

/* A pseudo-terminal has neither: what is asked is noted instead. */
static struct serial_rs485 mode;
static int wire_fd; /* where what was sent arrives */
static struct {
    bool high;
    int64_t mono_ns;
    int sent; /* bytes before it */
} turns[8];
static size_t turn_count;

static int note_turn(unsigned long request, const int *lines)
{
    assert_int_equal(*lines, TIOCM_RTS);
    assert_true(turn_count < sizeof turns / sizeof turns[0]);
    turns[turn_count].high = request == TIOCMBIS;
    turns[turn_count].mono_ns = clock_mono(&clock_system);
    syscall(SYS_ioctl, wire_fd, FIONREAD, &turns[turn_count].sent);
    turn_count++;
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    void *argument;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    if (request == TIOCGRS485)
        *(struct serial_rs485 *)argument = mode;
    else if (request == TIOCSRS485)
        mode = *(const struct serial_rs485 *)argument;
    else if (request == TIOCMBIS || request == TIOCMBIC)
        return note_turn(request, argument);
    else
        return (int)syscall(SYS_ioctl, fd, request, argument);
    return 0;
}

static const struct port_settings line = {
    .baud = 9600, .data_bits = 8, .parity = 'N', .stop_bits = 1};

static int open_port(void)
{
    char name[64];
    int slave, fd;

    assert_int_equal(openpty(&wire_fd, &slave, name, NULL, NULL), 0);
    assert_int_equal(port_open(name, &line, &fd), 0);
    close(slave);
    turn_count = 0;
    return fd;
}

static void close_port(int fd)
{
    port_close(fd);
    close(wire_fd);
}

/* Its delays are whole milliseconds: rather one more than a byte cut off. */
static void the_driver_is_told_level_and_delays(void **state)
{
    static const struct {
        int level;
        uint32_t flags;
    } levels[] = {{PORT_RTS_HIGH, SER_RS485_RTS_ON_SEND}, {PORT_RTS_LOW, SER_RS485_RTS_AFTER_SEND}};
    int fd = open_port();

    (void)state;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        const struct port_rs485 rs485 = {.mode = PORT_RS485_KERNEL,
                                         .level = levels[i].level,
                                         .before_ns = NS_PER_MS + 1,
                                         .after_ns = 3 * NS_PER_MS};

        /* What else the driver was told stays. */
        mode = (struct serial_rs485){.flags = SER_RS485_RX_DURING_TX | SER_RS485_RTS_ON_SEND |
                                              SER_RS485_RTS_AFTER_SEND};
        assert_int_equal(port_rs485_set(fd, &rs485), 0);
        assert_int_equal(mode.flags, SER_RS485_ENABLED | SER_RS485_RX_DURING_TX | levels[i].flags);
        assert_int_equal(mode.delay_rts_before_send, 2);
        assert_int_equal(mode.delay_rts_after_send, 3);
        assert_int_equal(port_rs485_write(fd, &rs485, &line, "x", 1), 1);
    }
    assert_int_equal(turn_count, 0); /* that is the driver's */
    close_port(fd);
}

/* The line is held from before the first bit until the last one has left, and not longer. */
static void rts_holds_the_line_while_bytes_leave(void **state)
{
    static const int levels[] = {PORT_RTS_HIGH, PORT_RTS_LOW};

    (void)state;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        const struct port_rs485 rs485 = {.mode = PORT_RS485_RTS,
                                         .level = levels[i],
                                         .before_ns = 2 * NS_PER_MS,
                                         .after_ns = 5 * NS_PER_MS};
        bool sending = levels[i] == PORT_RTS_HIGH;
        int fd = open_port();

        assert_int_equal(port_rs485_set(fd, &rs485), 0);
        assert_int_equal(turn_count, 1);
        assert_int_equal(turns[0].high, !sending);
        assert_int_equal(port_rs485_write(fd, &rs485, &line, "12345678", 8), 8);
        assert_int_equal(turn_count, 3);
        assert_int_equal(turns[1].high, sending);
        assert_int_equal(turns[1].sent, 0);
        assert_int_equal(turns[2].high, !sending);
        assert_int_equal(turns[2].sent, 8);
        assert_true(turns[2].mono_ns - turns[1].mono_ns >=
                    rs485.before_ns + 8 * port_byte_ns(&line) + rs485.after_ns);
        close_port(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_driver_is_told_level_and_delays),
        cmocka_unit_test(rts_holds_the_line_while_bytes_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
