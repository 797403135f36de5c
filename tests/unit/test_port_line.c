/* What is done to an open port between the bytes: other settings, breaks. */
// links: driver_serial
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pty.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "serial/port.h"

/* A pseudo-terminal has no break: what is asked of the kernel is noted instead. */
static unsigned long breaks[8];
static size_t break_count;

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    void *argument;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    if (request == TIOCSBRK || request == TIOCCBRK) {
        assert_true(break_count < sizeof(breaks) / sizeof(breaks[0]));
        breaks[break_count++] = request;
        return 0;
    }
    return (int)syscall(SYS_ioctl, fd, request, argument);
}

struct pair {
    int sensor, fd;
};

static int open_pair(void **state)
{
    static const struct port_settings settings = {9600, 8, 1, 'N'};
    struct pair *pair = calloc(1, sizeof(*pair));
    char name[64];
    int slave;

    if (!pair || openpty(&pair->sensor, &slave, name, NULL, NULL) != 0)
        return -1;
    if (port_open(name, &settings, &pair->fd) != 0)
        return -1;
    close(slave);
    break_count = 0;
    *state = pair;
    return 0;
}

static int close_pair(void **state)
{
    struct pair *pair = *state;

    port_close(pair->fd);
    close(pair->sensor);
    free(pair);
    return 0;
}

static void changes_the_line_and_keeps_what_was_received(void **state)
{
    static const struct {
        struct port_settings settings;
        speed_t speed;

    } cases[] = {
        {{300, 7, 1, 'E'}, B300},
        {{19200, 7, 2, 'O'}, B19200},
        {{9600, 8, 1, 'N'}, B9600},
    };
    struct pair *pair = *state;
    char got[8];

    assert_int_equal(write(pair->sensor, "abc", 3), 3);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct termios line;

        assert_int_equal(port_set_line(pair->fd, &cases[i].settings), 0);
        assert_int_equal(tcgetattr(pair->fd, &line), 0);
        assert_int_equal(cfgetospeed(&line), cases[i].speed);
        assert_int_equal(cfgetispeed(&line), cases[i].speed);
        assert_int_equal(line.c_cflag & CSTOPB ? 2 : 1, cases[i].settings.stop_bits);
        assert_int_equal(line.c_lflag & ICANON, 0);
        assert_int_equal((line.c_iflag & INPCK) != 0, cases[i].settings.parity != 'N');
    }
    assert_int_equal(read(pair->fd, got, sizeof(got)), 3);
    assert_memory_equal(got, "abc", 3);
    assert_int_equal(port_unsent(pair->fd), 0);
}

/* The kernel keeps no parity on a pseudo terminal, and calls a change that is nothing else invalid.
 */
static void takes_the_same_settings_again(void **state)
{
    static const struct port_settings cases[] = {
        {9600, 8, 1, 'E'}, {9600, 7, 1, 'O'}, {9600, 7, 2, 'N'}, {9600, 8, 1, 'N'}};
    struct pair *pair = *state;
    const char *name = ptsname(pair->sensor);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int times = 0; times < 3; times++) {
            assert_int_equal(port_set_line(pair->fd, &cases[i]), 0);
            port_close(pair->fd);
            assert_int_equal(port_open(name, &cases[i], &pair->fd), 0);
        }
    }
}

static void holds_the_line_for_a_break_and_lets_it_go(void **state)
{
    struct pair *pair = *state;

    assert_int_equal(port_break(pair->fd, true), 0);
    assert_int_equal(port_break(pair->fd, false), 0);
    assert_int_equal(break_count, 2);
    assert_int_equal(breaks[0], TIOCSBRK);
    assert_int_equal(breaks[1], TIOCCBRK);
}

static void tells_that_the_port_is_gone(void **state)
{
    static const struct port_settings settings = {9600, 8, 1, 'N'};

    (void)state;
    assert_true(port_set_line(-1, &settings) < 0);
    assert_int_equal(port_unsent(-1), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(changes_the_line_and_keeps_what_was_received),
        TEST(takes_the_same_settings_again),
        TEST(holds_the_line_for_a_break_and_lets_it_go),
        TEST(tells_that_the_port_is_gone),
    };

    return cmocka_run_group_tests_name("port_line", tests, NULL, NULL);
}
