/* Listening to a bus: what is put, read, lost and told of the end. */
// links: sluice_field
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "field/tap.h"

static unsigned wakes;

static void wake(void *context)
{
    (void)context;
    wakes++;
}

static void hears_what_is_put_from_the_moment_it_listens(void **state)
{
    struct tap *tap = tap_open();
    struct tap_listener *listener;
    struct tap_record record;

    (void)state;
    wakes = 0;
    assert_false(tap_wanted(tap));
    tap_put(tap, TAP_SENT, 1, (const uint8_t *)"before", 6);
    assert_int_equal(tap_listen(&listener, tap, wake, NULL), 0);
    assert_true(tap_wanted(tap));
    assert_int_equal(tap_read(listener, &record), 0);
    tap_put(tap, TAP_SENT, 7, (const uint8_t *)"ask", 3);
    tap_put(tap, TAP_RECEIVED, 8, (const uint8_t *)"answer", 6);
    tap_put(tap, TAP_CLOSED, 9, NULL, 0);
    assert_int_equal(wakes, 1); /* only who has found nothing is woken */
    assert_int_equal(tap_read(listener, &record), 1);
    assert_int_equal(record.kind, TAP_SENT);
    assert_int_equal(record.mono_ns, 7);
    assert_int_equal(record.size, 3);
    assert_memory_equal(record.bytes, "ask", 3);
    assert_int_equal(tap_read(listener, &record), 1);
    assert_memory_equal(record.bytes, "answer", 6);
    assert_int_equal(tap_read(listener, &record), 1);
    assert_int_equal(record.kind, TAP_CLOSED);
    assert_int_equal(tap_read(listener, &record), 0);
    tap_leave(listener);
    assert_false(tap_wanted(tap));
    tap_close(tap);
}

static void counts_what_does_not_fit_and_keeps_the_oldest(void **state)
{
    static uint8_t bytes[1000];
    struct tap *tap = tap_open();
    struct tap_listener *listener;
    static struct tap_record record;
    unsigned kept = 0;

    (void)state;
    assert_int_equal(tap_listen(&listener, tap, wake, NULL), 0);
    for (int i = 0; i < 200; i++) {
        memset(bytes, i, sizeof bytes);
        tap_put(tap, TAP_SENT, i, bytes, sizeof bytes);
    }
    for (; tap_read(listener, &record) == 1; kept++) {
        assert_int_equal(record.mono_ns, kept);
        assert_int_equal(record.bytes[999], kept);
        assert_int_equal(record.lost, 0);
    }
    assert_in_range(kept, 50, 65);
    tap_put(tap, TAP_SENT, 200, bytes, 1);
    assert_int_equal(tap_read(listener, &record), 1);
    assert_int_equal(record.lost, 200 - kept);
    tap_leave(listener);
    tap_close(tap);
}

static void goes_round_its_ring_for_ever(void **state)
{
    static uint8_t bytes[TAP_BYTES_MAX + 500];
    static struct tap_record record;
    struct tap *tap = tap_open();
    struct tap_listener *listener;

    (void)state;
    assert_int_equal(tap_listen(&listener, tap, wake, NULL), 0);
    for (int i = 0; i < 1000; i++) {
        size_t size = 1 + (size_t)i * 37 % sizeof bytes, got = 0;

        memset(bytes, i, size);
        tap_put(tap, TAP_RECEIVED, i, bytes, size);
        while (tap_read(listener, &record) == 1) {
            got += record.size;
            assert_int_equal(record.bytes[record.size - 1], (uint8_t)i);
        }
        assert_int_equal(got, size);
    }
    tap_leave(listener);
    tap_close(tap);
}

static void tells_listeners_of_the_end_and_outlives_it(void **state)
{
    struct tap *tap = tap_open();
    struct tap_listener *listeners[TAP_LISTENERS_MAX], *more;
    struct tap_record record;

    (void)state;
    for (int i = 0; i < TAP_LISTENERS_MAX; i++)
        assert_int_equal(tap_listen(&listeners[i], tap, wake, NULL), 0);
    assert_int_equal(tap_listen(&more, tap, wake, NULL), ERR_FULL);
    tap_put(tap, TAP_SENT, 1, (const uint8_t *)"x", 1);
    wakes = 0;
    tap_close(tap);
    assert_int_equal(wakes, TAP_LISTENERS_MAX);
    for (int i = 0; i < TAP_LISTENERS_MAX; i++) {
        assert_int_equal(tap_read(listeners[i], &record), 1);
        assert_int_equal(tap_read(listeners[i], &record), ERR_CLOSED);
        tap_leave(listeners[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hears_what_is_put_from_the_moment_it_listens),
        cmocka_unit_test(counts_what_does_not_fit_and_keeps_the_oldest),
        cmocka_unit_test(goes_round_its_ring_for_ever),
        cmocka_unit_test(tells_listeners_of_the_end_and_outlives_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
