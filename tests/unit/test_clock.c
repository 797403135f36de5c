/* Times as text, the system's clocks, and how far they are trusted. */
// links: sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/zone.h"
#include "unit/random.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NOW_NS INT64_C(1795450801123000000) /* 2026-11-23T16:20:01.123Z */

static void writes_times_in_utc(void **state)
{
    (void)state;
    const struct {
        int64_t wall_ns;
        const char *text;
    } cases[] = {
        {NOW_NS, "2026-11-23T16:20:01.123Z"},
        {0, "1970-01-01T00:00:00.000Z"},
        {999999, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {INT64_C(951782400) * NS_PER_S, "2000-02-29T00:00:00.000Z"},
        {INT64_C(2147483648) * NS_PER_S, "2038-01-19T03:14:08.000Z"},
        {INT64_C(4107542399) * NS_PER_S, "2100-02-28T23:59:59.000Z"},
        {INT64_C(4107542400) * NS_PER_S, "2100-03-01T00:00:00.000Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145Z"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[32];
        clock_format(cases[i].wall_ns, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void reads_times_as_people_write_them(void **state)
{
    (void)state;
    const struct {
        const char *text;
        const char *time;
    } cases[] = {
        {"now", "2026-11-23T16:20:01.123Z"},
        {"-15m", "2026-11-23T16:05:01.123Z"},
        {"-0s", "2026-11-23T16:20:01.123Z"},
        {"-250ms", "2026-11-23T16:20:00.873Z"},
        {"-2h", "2026-11-23T14:20:01.123Z"},
        {"-90d", "2026-08-25T16:20:01.123Z"},
        {"-1w", "2026-11-16T16:20:01.123Z"},
        {"2026-11-23", "2026-11-23T00:00:00.000Z"},
        {"2026-11-23T16:20", "2026-11-23T16:20:00.000Z"},
        {"2026-11-23 16:20", "2026-11-23T16:20:00.000Z"},
        {"2026-11-23T16:20:01.5", "2026-11-23T16:20:01.500Z"},
        {"2026-11-23T16:20:01.123456789Z", "2026-11-23T16:20:01.123Z"},
        {"2026-11-23T16:20:01.1234567890123Z", "2026-11-23T16:20:01.123Z"},
        {"2026-11-23T16:20Z", "2026-11-23T16:20:00.000Z"},
        {"2026-11-23T16:20:01+02:00", "2026-11-23T14:20:01.000Z"},
        {"2026-11-23T16:20-0330", "2026-11-23T19:50:00.000Z"},
        {"1795450801123", "2026-11-23T16:20:01.123Z"},
        {"0", "1970-01-01T00:00:00.000Z"},
        {"2028-02-29", "2028-02-29T00:00:00.000Z"},
        {"2261-12-31T23:59:59.999Z", "2261-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t wall_ns;
        char text[32];
        if (clock_parse(cases[i].text, NOW_NS, &wall_ns) != 0)
            fail_msg("\"%s\" is refused", cases[i].text);
        clock_format(wall_ns, text);
        assert_string_equal(text, cases[i].time);
    }
}

static void reads_a_time_of_day_as_the_last_one_that_was(void **state)
{
    (void)state;
    const struct {
        const char *text, *time;
    } cases[] = {
        {"16:20", "2026-11-23T16:20:00.000Z"},        {"07:50", "2026-11-23T07:50:00.000Z"},
        {"16:20:01", "2026-11-23T16:20:01.000Z"},     {"16:20:01.123", "2026-11-23T16:20:01.123Z"},
        {"16:20:01.124", "2026-11-22T16:20:01.124Z"}, {"16:21", "2026-11-22T16:21:00.000Z"},
        {"00:00", "2026-11-23T00:00:00.000Z"},        {"23:59", "2026-11-22T23:59:00.000Z"},
    };
    zone_set("UTC");
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t wall_ns;
        char text[32];
        assert_int_equal(clock_parse(cases[i].text, NOW_NS, &wall_ns), 0);
        clock_format(wall_ns, text);
        assert_string_equal(text, cases[i].time);
    }
}

static void refuses_what_is_no_time(void **state)
{
    (void)state;
    const char *const texts[] = {
        "",
        "-",
        "-15",
        "-m",
        "15m",
        "-15x",
        "-15m ",
        "-99999999999999d",
        "-999999999999999999999s",
        "yesterday",
        "now ",
        "2026-11",
        "2026-13-01",
        "2026-00-01",
        "2026-11-31",
        "2027-02-29",
        "2100-02-29",
        "1969-12-31",
        "2262-01-01",
        "2026-11-23T",
        "2026-11-23T16",
        "2026-11-23T24:00",
        "2026-11-23T16:60",
        "2026-11-23T16:20:60",
        "2026-11-23T16:20:01.",
        "2026-11-23T16:20+",
        "2026-11-23T16:20+2",
        "2026-11-23T16:20+15:00",
        "2026-11-23T16:20ZZ",
        "2026-11-23 Z",
        "99999999999999999999",
        "9223372036855",
        "1.5",
        "7:50",
        "07:5",
        "24:00",
        "07:60",
        "07:50Z",
        "07:50:",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        int64_t wall_ns = 42;
        if (clock_parse(texts[i], NOW_NS, &wall_ns) != ERR_INVALID)
            fail_msg("\"%s\" is taken for a time", texts[i]);
        assert_int_equal(wall_ns, 42);
    }
}

/* The calendar is our own: held against the C library's. */
static void agrees_with_gmtime_and_with_itself(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        int64_t ms = (int64_t)random_below(&seed, UINT64_C(9214646400000)); /* until 2262 */
        char text[32], expected[32];
        struct tm date;
        clock_format(ms * NS_PER_MS, text);
        time_t seconds = (time_t)(ms / 1000);
        if (seconds == ms / 1000) {
            strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &date));
            assert_memory_equal(text, expected, 19);
        }
        int64_t wall_ns;
        assert_int_equal(clock_parse(text, 0, &wall_ns), 0);
        assert_int_equal(wall_ns, ms * NS_PER_MS);
    }
}

static void monotonic_time_never_goes_back(void **state)
{
    (void)state;
    int64_t before = clock_mono(&clock_system);
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_mono(&clock_system);
        assert_true(now >= before);
        before = now;
    }
}

static void tells_the_kernels_opinion_of_the_wall_clock(void **state)
{
    (void)state;
    char text[32];
    clock_format(clock_wall(&clock_system), text);
    struct timex kernel = {.modes = 0};
    enum clock_trust expected = adjtimex(&kernel) < 0 || kernel.status & STA_UNSYNC
                                    ? CLOCK_FREE_RUNNING
                                    : CLOCK_SYNCHRONISED;
    if (text[0] == '1' || text[2] < '2' || (text[2] == '2' && text[3] < '6'))
        expected = CLOCK_UNSET; /* also what this program sees under a faked time */
    assert_int_equal(clock_trust(&clock_system), expected);
}

/* As a unit with ProtectClock=: the kernel may not even be asked. */
static int forbid_adjtimex(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_adjtimex, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_adjtime, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT(rules), rules};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void takes_the_word_of_timesyncd_where_the_kernel_may_not_be_asked(void **state)
{
    (void)state;
    bool sign = clock_sign_holds("/run/systemd/timesync/synchronized", clock_wall(&clock_system));
    bool folder = access("/run/systemd/timesync", F_OK) == 0;
    pid_t child = fork();
    if (child == 0) {
        struct timex kernel = {.modes = 0};
        if (forbid_adjtimex())
            _exit(77);
        bool right = adjtimex(&kernel) < 0 && clock_is_watched() == folder &&
                     clock_trust(&clock_system) == (sign ? CLOCK_SYNCHRONISED : CLOCK_FREE_RUNNING);
        _exit(right ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip(); /* no filters here */
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_sign_of_timesyncd_is_believed_as_long_as_it_is_renewed(void **state)
{
    const int64_t hour_ns = 3600 * NS_PER_S;
    const struct timespec times[] = {{.tv_sec = NOW_NS / NS_PER_S}, {.tv_sec = NOW_NS / NS_PER_S}};
    char path[] = "/tmp/sluice-clock-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
    bool now = clock_sign_holds(path, NOW_NS);
    bool later = clock_sign_holds(path, NOW_NS + hour_ns);
    bool old = clock_sign_holds(path, NOW_NS + 3 * hour_ns);
    bool to_come = clock_sign_holds(path, NOW_NS - hour_ns);
    unlink(path);
    assert_true(now && later);
    assert_false(old || to_come);
    assert_false(clock_sign_holds(path, NOW_NS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_word_of_timesyncd_where_the_kernel_may_not_be_asked),
        cmocka_unit_test(a_sign_of_timesyncd_is_believed_as_long_as_it_is_renewed),
        cmocka_unit_test(writes_times_in_utc),
        cmocka_unit_test(reads_times_as_people_write_them),
        cmocka_unit_test(reads_a_time_of_day_as_the_last_one_that_was),
        cmocka_unit_test(refuses_what_is_no_time),
        cmocka_unit_test(agrees_with_gmtime_and_with_itself),
        cmocka_unit_test(monotonic_time_never_goes_back),
        cmocka_unit_test(tells_the_kernels_opinion_of_the_wall_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
