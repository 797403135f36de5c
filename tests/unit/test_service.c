/* What is told to a service manager and what it hands over, with a socket of our own in its place.
 */
// links: sluice_daemon
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "daemon/service.h"

static char told[512];

/* Binds a manager's socket; `name` begins with @ where it is no file. */
static int manager(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    size_t size = strlen(name);

    assert_true(fd >= 0);
    memcpy(address.sun_path, name, size);
    if (*name == '@')
        address.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
                     0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static const char *heard(int fd)
{
    ssize_t size = recv(fd, told, sizeof told - 1, 0);

    told[size > 0 ? size : 0] = '\0';
    return told;
}

static void tells_a_manager_that_is_a_file(void **state)
{
    char path[64];
    (void)state;
    snprintf(path, sizeof path, "/tmp/sluice-manager-%d", getpid());
    int fd = manager(path);

    assert_int_equal(service_tell("READY=1"), 0);
    assert_string_equal(heard(fd), "READY=1");
    close(fd);
    unlink(path);
    assert_true(service_tell("READY=1") < 0); /* nobody is there any more */
}

static void tells_a_manager_that_is_no_file(void **state)
{
    char name[64];
    (void)state;
    snprintf(name, sizeof name, "@sluice-manager-%d", getpid());
    int fd = manager(name);

    assert_int_equal(service_tell("STATUS=well\nWATCHDOG=1"), 0);
    assert_string_equal(heard(fd), "STATUS=well\nWATCHDOG=1");
    close(fd);
}

static void tells_nobody_where_there_is_no_manager(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(service_tell("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "", 1);
    assert_int_equal(service_tell("READY=1"), 0);
}

static void refuses_a_name_that_is_too_long(void **state)
{
    char name[200];
    (void)state;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    setenv("NOTIFY_SOCKET", name, 1);
    assert_int_equal(service_tell("READY=1"), ERR_TOO_LARGE);
}

static void knows_the_watchdog(void **state)
{
    static const struct {
        const char *us;
        bool pid, other;
        int64_t ns;
    } cases[] = {
        {NULL, false, false, 0},
        {"30000000", false, false, 30 * NS_PER_S},
        {"30000000", true, false, 30 * NS_PER_S},
        {"30000000", true, true, 0}, /* another process is meant: a parent that was watched over */
        {"0", false, false, 0},
        {"", false, false, 0},
        {"-5", false, false, 0},
        {"soon", false, false, 0},
        {"99999999999999999999", false, false, 0},
    };
    char pid[16];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (cases[i].us)
            setenv("WATCHDOG_USEC", cases[i].us, 1);
        snprintf(pid, sizeof pid, "%d", getpid() + cases[i].other);
        if (cases[i].pid)
            setenv("WATCHDOG_PID", pid, 1);
        assert_int_equal(service_watchdog_ns(), cases[i].ns);
    }
}

/* A listening socket as number `fd`, as a manager puts it there; returns its port. */
static uint16_t hand_over(int fd, int family, bool loopback)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr *address =
        family == AF_INET ? (struct sockaddr *)(void *)&four : (struct sockaddr *)(void *)&six;
    socklen_t size = family == AF_INET ? sizeof four : sizeof six;
    int made = socket(family, SOCK_STREAM, 0);

    if (loopback)
        four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(made >= 0);
    assert_int_equal(bind(made, address, size), 0);
    assert_int_equal(listen(made, 4), 0);
    assert_int_equal(getsockname(made, address, &size), 0);
    if (made != fd) {
        assert_int_equal(dup2(made, fd), fd);
        close(made);
    }
    return ntohs(family == AF_INET ? four.sin_port : six.sin6_port);
}

static void takes_the_manager_s_sockets(void **state)
{
    char pid[16];

    (void)state;
    for (int fd = 3; fd < 6; fd++) /* what the runner may have left there */
        close(fd);
    uint16_t first = hand_over(3, AF_INET, false), second = hand_over(4, AF_INET, true);

    snprintf(pid, sizeof pid, "%d", getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "2", 1);
    int fd = service_listener(first), again = service_listener(first);
    assert_true(fd > 4 && again > 4 && fd != again);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(3, F_GETFD) & FD_CLOEXEC);
    close(fd);
    close(again);
    assert_int_equal(service_listener(second), -1); /* it does not listen at all addresses */
    assert_int_equal(service_listener((uint16_t)(first + 1)), -1);
    setenv("LISTEN_FDS", "0", 1);
    assert_int_equal(service_listener(first), -1);
    setenv("LISTEN_FDS", "100000", 1);
    assert_int_equal(service_listener(first), -1);
    setenv("LISTEN_FDS", "2", 1);
    snprintf(pid, sizeof pid, "%d", getpid() + 1);
    setenv("LISTEN_PID", pid, 1);
    assert_int_equal(service_listener(first), -1); /* they are another process's */
    close(3);
    close(4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_a_manager_that_is_a_file),
        cmocka_unit_test(tells_a_manager_that_is_no_file),
        cmocka_unit_test(tells_nobody_where_there_is_no_manager),
        cmocka_unit_test(refuses_a_name_that_is_too_long),
        cmocka_unit_test(knows_the_watchdog),
        cmocka_unit_test(takes_the_manager_s_sockets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
