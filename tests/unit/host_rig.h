/* What the tests of the host share: one bus with one point, and a real journal behind it. */
#ifndef SLUICE_TESTS_HOST_RIG_H
#define SLUICE_TESTS_HOST_RIG_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/status.h"
#include "field/host.h"
#include "journal/reader.h"

struct fixture {
    char folder[32];
    struct io io;
    struct engines *engines;
    struct journal *journal;
    struct site_point point;
    uint32_t stream; /* of the point */
    struct site_device device;
    struct site_bus bus;
};

static inline void declare(struct fixture *fixture, const char *point, uint32_t *number)
{
    struct stream stream = {.type = VALUE_U64};

    strcpy(stream.device, "meter");
    strcpy(stream.point, point);
    assert_int_equal(journal_declare(fixture->journal, &stream), 0);
    *number = stream.number;
}

static inline int set_up(void **state)
{
    static struct fixture fixture;
    struct journal_options options = {
        .clock = &clock_system, .gateway_id = "plant7", .identity = "", .commit_ns = -1};

    memset(&fixture, 0, sizeof fixture);
    strcpy(fixture.folder, "/tmp/host-XXXXXX");
    assert_non_null(mkdtemp(fixture.folder));
    assert_int_equal(io_posix_open(&fixture.io, fixture.folder), 0);
    options.io = &fixture.io;
    options.segment_bytes = 1 << 20;
    options.keep_bytes = 8 << 20;
    fixture.engines = engines_open(&clock_system);
    assert_non_null(fixture.engines);
    assert_int_equal(journal_open(&fixture.journal, &options), 0);
    fixture.device =
        (struct site_device){.id = "meter", .points = &fixture.point, .streams = &fixture.stream};
    fixture.device.point_count = 1;
    fixture.bus = (struct site_bus){.id = "rs485-1", .devices = &fixture.device};
    fixture.bus.device_count = 1;
    declare(&fixture, "", &fixture.device.stream);
    declare(&fixture, "power", &fixture.stream);
    *state = &fixture;
    return 0;
}

static inline void remove_file(void *context, const struct io_dir_entry *entry)
{
    const struct fixture *fixture = context;

    fixture->io.remove(&fixture->io, entry->name);
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;

    engines_close(fixture->engines);
    journal_close(fixture->journal);
    fixture->io.list(&fixture->io, remove_file, fixture);
    io_posix_close(&fixture->io);
    return rmdir(fixture->folder);
}

static inline void await(_Atomic uint64_t *counter)
{
    int64_t until = clock_mono(&clock_system) + 20 * NS_PER_S;

    while (atomic_load(counter) == 0) {
        assert_true(clock_mono(&clock_system) < until);
        usleep(1000);
    }
}

static inline void await_count(_Atomic uint64_t *counter, uint64_t count)
{
    int64_t until = clock_mono(&clock_system) + 20 * NS_PER_S;

    while (atomic_load(counter) < count) {
        assert_true(clock_mono(&clock_system) < until);
        usleep(1000);
    }
}

#define HOST_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
