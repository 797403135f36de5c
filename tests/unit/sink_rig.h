/* A sink whose bus, clock and journal are arrays of the test: what its tests share. */
#ifndef TESTS_SINK_RIG_H
#define TESTS_SINK_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/status.h"
#include "field/sink.h"

#define PUT_MAX 512

struct box {
    struct event events[PUT_MAX];
    char texts[PUT_MAX][16];
    size_t count, room, lost;
    struct site_point points[2][200];
    uint32_t streams[2][200];
    struct site_device devices[2];
    struct site_bus bus;
    struct sink *sink;
    struct clock clock;
    int64_t now_ns;
};

static inline int64_t box_now(void *context)
{
    return ((struct box *)context)->now_ns;
}

static inline size_t put(void *context, const struct event *events, size_t count, bool again)
{
    struct box *box = context;
    size_t taken = 0;

    while (taken < count && box->room > 0) {
        const struct event *event = &events[taken++];

        if (event->value.type == VALUE_TEXT && event->value.size < sizeof box->texts[0])
            memcpy(box->texts[box->count], event->value.data, event->value.size);
        box->events[box->count++] = *event;
        box->room--;
    }
    if (!again)
        box->lost += count - taken;
    return taken;
}

static inline int set_up(void **state)
{
    static struct box box;

    memset(&box, 0, sizeof box);
    box.room = PUT_MAX;
    for (uint32_t d = 0; d < 2; d++) {
        box.devices[d].points = box.points[d];
        box.devices[d].streams = box.streams[d];
        box.devices[d].point_count = 200;
        box.devices[d].stream = 1000 + d;
        for (uint32_t p = 0; p < 200; p++) {
            box.streams[d][p] = d * 200 + p + 1;
            box.points[d][p].on_change = true;
            box.points[d][p].at_least_ns = 60 * NS_PER_S;
            box.points[d][p].type = p == 199 ? VALUE_TEXT : VALUE_I64;
        }
    }
    box.bus.devices = box.devices;
    box.bus.device_count = 2;
    *state = &box;
    box.clock = (struct clock){.mono_ns = box_now, .context = &box};
    return sink_open(&box.sink, &box.bus, &box.clock, put, &box);
}

static inline int tear_down(void **state)
{
    sink_close(((struct box *)*state)->sink);
    return 0;
}

static inline const struct site_device *device_of(const struct box *box,
                                                  const struct site_point *point)
{
    return &box->devices[point >= box->points[1]];
}

static inline int read_i64(struct box *box, const struct site_point *point, int64_t at_s,
                           int64_t value)
{
    struct value read = {.type = VALUE_I64, .i = value};

    return sink_reading(box->sink, device_of(box, point), point, at_s * NS_PER_S, &read,
                        STATUS_GOOD);
}

/* The sink once more, after the test has changed the points; the box is emptied. */
static inline void reopen(struct box *box)
{
    sink_close(box->sink);
    box->count = 0;
    assert_int_equal(sink_open(&box->sink, &box->bus, &box->clock, put, box), 0);
}

/* The time comes, and the host looks whether anything is due. */
static inline void pass(struct box *box, int64_t to_ns)
{
    box->now_ns = to_ns;
    if (sink_due_ns(box->sink) <= to_ns)
        sink_release(box->sink);
}

static inline int read_bad(struct box *box, const struct site_point *point, int64_t at_ns,
                           uint16_t status)
{
    return sink_reading(box->sink, device_of(box, point), point, at_ns, NULL, status);
}

#define SINK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
