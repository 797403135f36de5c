/* The newest events as lines: each as it was put, however long they are, and which there are. */
// links: sluice_web
#include "unit/journal_kit.h"

#include "unit/random.h"
#include "web/live_ring.h"

#define EVENTS 2000

/* Of its number, so that a line that was written over is seen to be wrong. */
static size_t text_of(uint64_t n, char *text, size_t room)
{
    uint64_t state = n;
    size_t size = 1 + random_next(&state) % (room - 1);

    memset(text, 'a' + (int)(n % 26), size);
    return size;
}

static void put(struct live_ring *ring, struct kit *kit, uint64_t n, size_t room)
{
    char text[3000];
    struct event event = {.n = n, .epoch = 1, .kind = EVENT_ALARM};

    event.value =
        (struct value){.type = VALUE_TEXT, .size = (uint16_t)text_of(n, text, room), .data = text};
    live_ring_put(ring, kit->journal, &event);
}

static void expect(const struct live_line *line, size_t room)
{
    char text[3000], whole[6000];
    size_t size = text_of(line->n, text, room), at = line->sizes[0];

    memcpy(whole, line->parts[0], at);
    memcpy(whole + at, line->parts[1], line->sizes[1]);
    at += line->sizes[1];
    whole[at] = '\0';
    assert_int_equal(whole[0], '{');
    assert_int_equal(whole[at - 1], '}');
    const char *found = strchr(strstr(whole, "\"v\":\"") + 5, text[0]);
    assert_non_null(found);
    assert_memory_equal(found, text, size);
    assert_int_equal(found[size], '"');
}

/* Long ones fill its bytes, short ones its lines. */
static void each_line_is_as_it_was_put_as_long_as_it_is_there(void **state)
{
    static const size_t rooms[] = {3000, 20};
    struct kit *kit = *state;

    kit_open(kit);
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        struct live_ring ring;

        assert_int_equal(live_ring_open(&ring, 0), 0);
        for (uint64_t n = 1; n <= EVENTS; n++) {
            struct live_line line;

            put(&ring, kit, n, rooms[i]);
            for (uint64_t from = ring.from_n; from <= n; from++) {
                assert_true(live_ring_get(&ring, from, &line));
                assert_int_equal(line.n, from);
                expect(&line, rooms[i]);
            }
            assert_false(live_ring_get(&ring, n + 1, &line));
        }
        assert_true(ring.from_n > 1);
        live_ring_close(&ring);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_line_is_as_it_was_put_as_long_as_it_is_there,
                                        kit_setup, kit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
