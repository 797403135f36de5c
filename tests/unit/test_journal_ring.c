/* The ring behind a lane. */
// links: sluice_journal
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "journal/ring.h"

static struct event reading(int64_t value)
{
    return (struct event){.stream = 7,
                          .mono_ns = value,
                          .kind = EVENT_READING,
                          .status = 3,
                          .value = {.type = VALUE_I64, .i = value}};
}

static void gives_back_every_type_of_value(void **state)
{
    (void)state;
    struct gap gap = {.first = 3, .last = 9, .count = 7, .extent_ms = 250, .reason = GAP_DAMAGE};
    const struct value values[] = {
        {.type = VALUE_NONE},
        {.type = VALUE_BOOL, .b = true},
        {.type = VALUE_I64, .i = -5},
        {.type = VALUE_U64, .u = UINT64_MAX},
        {.type = VALUE_F64, .f = 230.1},
        {.type = VALUE_TEXT, .size = 5, .data = "hello"},
        {.type = VALUE_BYTES, .size = 0, .data = ""},
        {.type = VALUE_GAP, .gap = &gap},
    };
    struct ring ring;
    struct event event;
    assert_int_equal(ring_init(&ring, 0), 0);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        event = reading(4);
        event.urgent = true;
        event.value = values[i];
        assert_true(ring_put(&ring, &event));
    }
    ring_publish(&ring, SIZE_MAX);
    ring_limit(&ring);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        memset(&event, 0xa5, sizeof(event));
        assert_true(ring_peek(&ring, &event));
        ring_pop(&ring);
        assert_int_equal(event.stream, 7);
        assert_int_equal(event.mono_ns, 4);
        assert_int_equal(event.status, 3);
        assert_int_equal(event.kind, EVENT_READING);
        assert_true(event.urgent);
        assert_true(value_equal(&event.value, &values[i]));
    }
    assert_false(ring_peek(&ring, &event));
    ring_clear(&ring);
}

static void refuses_when_full_and_takes_again_when_emptied(void **state)
{
    (void)state;
    struct ring ring;
    struct event event;
    int64_t put = 0, taken = 0;
    static char text[1000];
    assert_int_equal(ring_init(&ring, 0), 0);
    /* Many times around, with records of unequal size, so that every end of the ring is met. */
    for (int round = 0; round < 2000; round++) {
        for (;;) {
            event = reading(put);
            if (put % 3 == 0) {
                event.value = (struct value){.type = VALUE_TEXT, .data = text};
                event.value.size = (uint16_t)((uint64_t)put % sizeof(text));
            }
            if (!ring_put(&ring, &event))
                break;
            put++;
        }
        assert_true(ring_publish(&ring, SIZE_MAX) <= RING_SIZE_MIN);
        ring_limit(&ring);
        for (int i = 0; i < 1 + round % 40 && ring_peek(&ring, &event); i++) {
            assert_int_equal(event.mono_ns, taken);
            if (taken % 3 == 0)
                assert_int_equal(event.value.size, taken % (int64_t)sizeof(text));
            ring_pop(&ring);
            taken++;
        }
        ring_release(&ring);
    }
    assert_true(put > taken && taken > 10000);
    ring_clear(&ring);
}

static void shows_nothing_that_is_not_published(void **state)
{
    (void)state;
    struct ring ring;
    struct event event = reading(1);
    assert_int_equal(ring_init(&ring, 0), 0);
    assert_true(ring_put(&ring, &event));
    ring_limit(&ring);
    assert_false(ring_peek(&ring, &event));
    assert_int_equal(ring_waiting(&ring), 0);
    ring_publish(&ring, SIZE_MAX);
    assert_false(ring_peek(&ring, &event)); /* behind the limit of this round */
    ring_limit(&ring);
    assert_true(ring_peek(&ring, &event));
    ring_clear(&ring);
}

/* Or a lane that was ever half full would wake the writer for each event. */
static void counts_as_waiting_only_what_has_not_been_taken(void **state)
{
    (void)state;
    struct ring ring;
    struct event event = reading(1);
    size_t one = 0, many = 0;
    assert_int_equal(ring_init(&ring, 0), 0);
    for (int round = 0; round < 1000; round++) {
        assert_true(ring_put(&ring, &event));
        size_t waiting = ring_publish(&ring, 4 * one);
        if (round == 0)
            one = waiting;
        many += waiting >= 4 * one;
        ring_limit(&ring);
        assert_true(ring_peek(&ring, &event));
        ring_pop(&ring);
        ring_release(&ring);
    }
    assert_int_equal(many, 0);
    ring_clear(&ring);
}

/* Whatever it held before: what never was put takes no room. */
static void has_all_its_room_when_it_was_emptied(void **state)
{
    (void)state;
    struct ring ring;
    struct event event;
    size_t room = RING_SIZE_MIN / 32;
    int64_t put = 0, taken = 0;
    assert_int_equal(ring_init(&ring, 0), 0);
    for (size_t first = 1; first <= room; first++) {
        /* Some that are taken, then as many as there is room for, before the taker looks again. */
        for (size_t i = 0; i < first; i++) {
            event = reading(put++);
            assert_true(ring_put(&ring, &event));
        }
        ring_publish(&ring, SIZE_MAX);
        assert_int_equal(ring_waiting(&ring), first * 32);
        ring_limit(&ring);
        for (; ring_peek(&ring, &event); ring_pop(&ring))
            assert_int_equal(event.mono_ns, taken++);
        ring_release(&ring);
        assert_int_equal(ring_waiting(&ring), 0);
        for (size_t i = 0; i < room; i++) {
            event = reading(put++);
            assert_true(ring_put(&ring, &event));
            if (i % 7 == 0)
                ring_publish(&ring, SIZE_MAX);
        }
        assert_false(ring_put(&ring, &event));
        assert_int_equal(ring_publish(&ring, 0), RING_SIZE_MIN);
        assert_int_equal(ring_waiting(&ring), RING_SIZE_MIN);
        ring_limit(&ring);
        for (; ring_peek(&ring, &event); ring_pop(&ring))
            assert_int_equal(event.mono_ns, taken++);
        ring_release(&ring);
        assert_int_equal(taken, put);
    }
    ring_clear(&ring);
}

#define CROSSINGS 200000

/* Returns what was wrong: a text, or NULL. */
static void *take_all(void *context)
{
    struct ring *ring = context;
    struct event event;
    int64_t taken = 0;

    while (taken < CROSSINGS) {
        ring_limit(ring);
        for (; ring_peek(ring, &event); ring_pop(ring)) {
            if (event.mono_ns != taken || event.value.i != taken)
                return (void *)(uintptr_t) "out of order";
            taken++;
        }
        ring_release(ring);
    }
    return ring_waiting(ring) == 0 ? NULL : (void *)(uintptr_t) "more than was put";
}

/* With pauses in which the ring runs empty. */
static void loses_and_doubles_nothing_between_two_threads(void **state)
{
    (void)state;
    static struct ring ring;
    pthread_t taker;
    void *wrong;
    assert_int_equal(ring_init(&ring, 0), 0);
    assert_int_equal(pthread_create(&taker, NULL, take_all, &ring), 0);
    for (int64_t put = 0; put < CROSSINGS;) {
        int64_t burst = 1 + put % 37;
        for (; burst > 0 && put < CROSSINGS; burst--, put++) {
            struct event event = reading(put);
            while (!ring_put(&ring, &event)) {
                ring_publish(&ring, SIZE_MAX);
                sched_yield();
            }
        }
        ring_publish(&ring, SIZE_MAX);
        while (put % 3 == 0 && ring_waiting(&ring) > 0)
            sched_yield();
    }
    pthread_join(taker, &wrong);
    if (wrong)
        fail_msg("%s", (const char *)wrong);
    ring_clear(&ring);
}

static void knows_what_cannot_be_stored(void **state)
{
    (void)state;
    struct event event = reading(1);
    assert_true(ring_fits(&event));
    event.kind = EVENT_DECLARE; /* the journal's own */
    assert_false(ring_fits(&event));
    event.kind = 0;
    assert_false(ring_fits(&event));
    event = reading(1);
    event.value = (struct value){.type = VALUE_TEXT, .size = EVENT_VALUE_SIZE_MAX + 1};
    assert_false(ring_fits(&event));
    event.value = (struct value){.type = VALUE_GAP + 1};
    assert_false(ring_fits(&event));
}

static void touches_no_more_than_what_waits_at_a_time(void **state)
{
    (void)state;
    struct ring ring;
    struct event event;
    char text[100] = "";
    assert_int_equal(ring_init(&ring, 64 * 1024), 0);
    for (int i = 0; i < 10000; i++) {
        event = reading(i);
        event.value = (struct value){.type = VALUE_TEXT, .size = sizeof(text), .data = text};
        for (int burst = 0; burst <= i % 20; burst++)
            assert_true(ring_put(&ring, &event));
        ring_publish(&ring, SIZE_MAX);
        ring_limit(&ring);
        while (ring_peek(&ring, &event)) {
            assert_int_equal(event.mono_ns, i);
            assert_in_range((const uint8_t *)event.value.data - ring.data, 0, (i % 20 + 1) * 160);
            ring_pop(&ring);
        }
        ring_release(&ring);
    }
    ring_clear(&ring);
}

/* As positions of 32 bits do each 4 GiB. */
static void goes_on_when_its_positions_wrap_around(void **state)
{
    (void)state;
    struct ring ring;
    struct event event = reading(1);
    size_t start = (size_t)0 - 8 * 32, one;
    assert_int_equal(ring_init(&ring, 0), 0);
    ring.head = ring.tail = start;
    ring.next = ring.tail_seen = ring.begun = ring.taken = ring.limit = start;
    assert_true(ring_put(&ring, &event));
    one = ring_publish(&ring, 0);
    for (int i = 2; i <= 20; i++) {
        event = reading(i);
        assert_true(ring_put(&ring, &event));
        assert_int_equal(ring_publish(&ring, 0), 2 * one);
        ring_limit(&ring);
        assert_true(ring_peek(&ring, &event));
        assert_int_equal(event.mono_ns, i - 1);
        ring_pop(&ring);
        ring_release(&ring);
    }
    ring_clear(&ring);
}

static void is_no_larger_than_its_records_can_say(void **state)
{
    (void)state;
    struct ring ring;
    assert_int_equal(ring_init(&ring, 64 * 1024 * 1024), 0);
    assert_int_equal(ring.size, RING_SIZE_MAX);
    ring_clear(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touches_no_more_than_what_waits_at_a_time),
        cmocka_unit_test(gives_back_every_type_of_value),
        cmocka_unit_test(refuses_when_full_and_takes_again_when_emptied),
        cmocka_unit_test(shows_nothing_that_is_not_published),
        cmocka_unit_test(counts_as_waiting_only_what_has_not_been_taken),
        cmocka_unit_test(has_all_its_room_when_it_was_emptied),
        cmocka_unit_test(loses_and_doubles_nothing_between_two_threads),
        cmocka_unit_test(knows_what_cannot_be_stored),
        cmocka_unit_test(goes_on_when_its_positions_wrap_around),
        cmocka_unit_test(is_no_larger_than_its_records_can_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
