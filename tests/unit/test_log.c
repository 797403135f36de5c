/* What stands on standard error: levels, prefixes, and floods that are cut and told. */
// links: sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/clock.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t wall_ns = INT64_C(1795450801123000000);
static int64_t mono_ns = 1000 * NS_PER_S;

static int64_t read_wall(void *context)
{
    (void)context;
    return wall_ns;
}

static int64_t read_mono(void *context)
{
    (void)context;
    return mono_ns;
}

static const struct clock test_clock = {read_wall, read_mono, NULL, NULL};

static int real_stderr = -1;
static FILE *captured;
static char output[64 * 1024];

/* Standard error becomes a file of our own, until captured_output() gives it back with what was
 * written. */
static void capture(const char *levels)
{
    captured = tmpfile();
    real_stderr = dup(STDERR_FILENO);
    dup2(fileno(captured), STDERR_FILENO);
    if (levels)
        setenv("SLUICE_LOG", levels, 1);
    else
        unsetenv("SLUICE_LOG");
    log_use_clock(&test_clock);
    log_init();
}

static const char *captured_output(void)
{
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    rewind(captured);
    output[fread(output, 1, sizeof(output) - 1, captured)] = '\0';
    fclose(captured);
    return output;
}

static int count_lines(const char *text)
{
    int lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static void writes_time_level_and_part(void **state)
{
    (void)state;
    capture(NULL);
    log_error("journal", "cannot write %s: %s", "segment 7", "no space left");
    log_warn("uplink", "w");
    log_info("field", "i");
    log_debug("field", "unseen");
    assert_string_equal(
        captured_output(),
        "2026-11-23T16:20:01.123Z error journal: cannot write segment 7: no space left\n"
        "2026-11-23T16:20:01.123Z warn  uplink: w\n"
        "2026-11-23T16:20:01.123Z info  field: i\n");
}

static void obeys_the_levels_of_each_part(void **state)
{
    (void)state;
    capture("warn,uplink=debug,tls=error");
    assert_true(log_enabled("journal", LOG_LEVEL_WARN));
    assert_false(log_enabled("journal", LOG_LEVEL_INFO));
    assert_true(log_enabled("uplink", LOG_LEVEL_DEBUG));
    assert_false(log_enabled("tls", LOG_LEVEL_WARN));
    log_info("journal", "unseen");
    log_debug("uplink", "seen");
    assert_string_equal(captured_output(), "2026-11-23T16:20:01.123Z debug uplink: seen\n");
}

static void tells_and_ignores_a_level_that_is_none(void **state)
{
    (void)state;
    static const char *const settings[] = {"loud,uplink=debug",
                                           "uplink=debug,tls=", "uplink=debug,=info",
                                           "uplink=debug,averyverylongpart=info"};
    for (size_t i = 0; i < 4; i++) {
        capture(settings[i]);
        assert_true(log_enabled("uplink", LOG_LEVEL_DEBUG));
        assert_true(log_enabled("field", LOG_LEVEL_INFO));
        assert_false(log_enabled("field", LOG_LEVEL_DEBUG));
        const char *text = captured_output();
        assert_int_equal(count_lines(text), 1);
        assert_non_null(strstr(text, "is ignored: write error, warn, info or debug"));
    }
}

static void gives_journald_its_priorities(void **state)
{
    (void)state;
    static const struct {
        int of_another_stream;
        const char *text;
    } cases[] = {
        {0, "<3>journal: e\n<4>journal: w\n<6>journal: i\n<7>journal: d\n"},
        {1, "2026-11-23T16:20:01.123Z error journal: e\n"
            "2026-11-23T16:20:01.123Z warn  journal: w\n"
            "2026-11-23T16:20:01.123Z info  journal: i\n"
            "2026-11-23T16:20:01.123Z debug journal: d\n"},
    };
    for (size_t i = 0; i < 2; i++) {
        char name[64];
        struct stat status;
        capture("debug");
        fstat(STDERR_FILENO, &status);
        snprintf(name, sizeof(name), "%llu:%llu", (unsigned long long)status.st_dev,
                 (unsigned long long)status.st_ino + (unsigned)cases[i].of_another_stream);
        setenv("JOURNAL_STREAM", name, 1);
        log_init();
        log_error("journal", "e");
        log_warn("journal", "w");
        log_info("journal", "i");
        log_debug("journal", "d");
        unsetenv("JOURNAL_STREAM");
        assert_string_equal(captured_output(), cases[i].text);
    }
}

static void keeps_a_message_to_one_line(void **state)
{
    (void)state;
    char flood[4000];
    memset(flood, 'x', sizeof(flood) - 1);
    flood[sizeof(flood) - 1] = '\0';
    capture(NULL);
    log_info("field", "the device says \"%s\"", "a\n<0>kernel: b\x1b[2J\x7f");
    log_info("field", "%s", flood);
    const char *text = captured_output();
    assert_int_equal(count_lines(text), 2);
    assert_non_null(strstr(text, "\"a?<0>kernel: b?[2J?\"\n"));
    assert_string_equal(text + strlen(text) - 5, "x...\n");
    assert_in_range(strlen(text), 1024, 1200);
}

static void keeps_errno_even_where_nobody_reads(void **state)
{
    (void)state;
    capture(NULL);
    int unwritable = open("/dev/null", O_RDONLY);
    dup2(unwritable, STDERR_FILENO);
    close(unwritable);
    errno = ENOENT;
    log_info("field", "lost");
    int seen = errno;
    captured_output();
    assert_int_equal(seen, ENOENT);
}

static void flood(int lines)
{
    for (int i = 0; i < lines; i++)
        log_warn("field", "noise %d", i);
}

static void cuts_a_flood_and_tells_when_its_minute_is_over(void **state)
{
    (void)state;
    capture(NULL);
    flood(LOG_BURST + 7);
    log_warn("field", "another message is not held back");
    mono_ns += 61 * NS_PER_S;
    log_info("uplink", "any message"); /* brings it up */
    flood(1);
    mono_ns += 61 * NS_PER_S;
    flood(LOG_BURST + 2);
    log_flush();
    log_flush();
    const char *text = captured_output();
    assert_int_equal(count_lines(text), LOG_BURST + 1 + 2 + 1 + LOG_BURST + 1);
    const char *told =
        strstr(text, "warn  field: 7 more messages like this were left out: noise 20\n");
    assert_non_null(told);
    assert_true(told < strstr(text, "any message"));
    assert_non_null(strstr(told, "warn  field: 2 more messages like this were left out"));
}

#define THREADS 4

static void *flood_from_a_thread(void *unused)
{
    flood(1000);
    return unused;
}

static void counts_every_message_of_every_thread(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    mono_ns += 61 * NS_PER_S;
    capture(NULL);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, flood_from_a_thread, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_flush();
    const char *text = captured_output();
    assert_int_equal(count_lines(text), LOG_BURST + 1);
    assert_non_null(strstr(text, "field: 3980 more messages like this were left out"));
}

static void keeps_the_newest_lines_for_whoever_asks(void **state)
{
    struct log_line line = {0};
    uint64_t lines = 0, first = 0;

    (void)state;
    capture("info");
    log_keep();
    uint64_t before = log_newest();
    mono_ns += 61 * NS_PER_S; /* no call site has anything left to tell */
    log_warn("journal", "the %s is full\033", "disk");
    log_info("uplink", "connected");
    log_debug("uplink", "nobody wants to know");
    captured_output();
    assert_true(log_kept(before, LOG_LEVEL_DEBUG, &line));
    assert_string_equal(line.words, "the disk is full?");
    assert_string_equal(line.part, "journal");
    assert_int_equal(line.level, LOG_LEVEL_WARN);
    assert_int_equal(line.wall_ns, wall_ns);
    assert_true(log_kept(line.number, LOG_LEVEL_DEBUG, &line));
    assert_string_equal(line.words, "connected");
    assert_false(log_kept(line.number, LOG_LEVEL_DEBUG, &line));
    assert_true(log_kept(before, LOG_LEVEL_WARN, &line));
    assert_false(log_kept(line.number, LOG_LEVEL_WARN, &line));

    capture("info");
    for (int i = 0; i < LOG_KEPT_LINES + 10; i++) {
        mono_ns += 61 * NS_PER_S;
        log_info("uplink", "%d %0600d", i, 0);
    }
    captured_output();
    for (line.number = before; log_kept(line.number, LOG_LEVEL_INFO, &line); lines++)
        first = first ? first : line.number;
    assert_int_equal(lines, LOG_KEPT_LINES);
    assert_int_equal(first, log_newest() - LOG_KEPT_LINES + 1);
    assert_int_equal(strlen(line.words), sizeof line.words - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_time_level_and_part),
        cmocka_unit_test(obeys_the_levels_of_each_part),
        cmocka_unit_test(tells_and_ignores_a_level_that_is_none),
        cmocka_unit_test(gives_journald_its_priorities),
        cmocka_unit_test(keeps_a_message_to_one_line),
        cmocka_unit_test(keeps_errno_even_where_nobody_reads),
        cmocka_unit_test(cuts_a_flood_and_tells_when_its_minute_is_over),
        cmocka_unit_test(counts_every_message_of_every_thread),
        cmocka_unit_test(keeps_the_newest_lines_for_whoever_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
