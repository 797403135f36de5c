/* Whose turn it is where handshakes wait for theirs. */
// links: sluice_web
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "web/door_inside.h"

static struct door *door;

static struct visit *comes(size_t place, int64_t came_ns)
{
    struct visit *visit = calloc(1, sizeof *visit);

    assert_non_null(visit);
    visit->guest.came_ns = came_ns;
    visit->ready = true;
    door->visits[place] = visit;
    return visit;
}

static void goes(size_t place)
{
    free(door->visits[place]);
    door->visits[place] = NULL;
}

static int set_up(void **state)
{
    (void)state;
    door = calloc(1, sizeof *door);
    return door ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i <= GUESTS_MAX; i++)
        goes(i);
    free(door);
    return 0;
}

static void nobody_waits_for_ever_where_more_come_than_can_be_served(void **state)
{
    (void)state;
    unsigned ready, turns = 0;
    struct visit *first = comes(0, 1);

    comes(1, 2);
    while (turns < 10 && door_next(door, &ready) != first) {
        turns++;
        goes(1); /* whoever was served makes room for one who came later */
        comes(1, 2 + turns);
    }
    assert_int_equal(ready, 2);
    assert_true(turns <= 1);
}

static void who_made_many_waits_behind_himself(void **state)
{
    (void)state;
    unsigned ready, turns = 0;

    for (size_t i = 0; i < GUESTS_STRANGERS_MAX - 1; i++)
        comes(i, (int64_t)i);
    struct visit *newcomer = comes(GUESTS_STRANGERS_MAX - 1, GUESTS_STRANGERS_MAX);
    for (struct visit *next; (next = door_next(door, &ready)) != newcomer; turns++)
        next->ready = false;
    assert_true(turns <= 1);
}

static void who_has_begun_comes_first(void **state)
{
    (void)state;
    unsigned ready;
    struct visit *begun;

    comes(0, 1);
    begun = comes(1, 2);
    comes(2, 3);
    begun->carry.tls = (struct tls *)(void *)begun; /* only that there is one counts */
    assert_ptr_equal(door_next(door, &ready), begun);
    assert_ptr_equal(door_next(door, &ready), begun);
    begun->ready = false;
    begun->carry.tls = NULL;
    assert_int_equal(ready, 3);
}

static void without_anybody_it_is_nobodys(void **state)
{
    (void)state;
    unsigned ready;

    assert_null(door_next(door, &ready));
    assert_int_equal(ready, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_waits_for_ever_where_more_come_than_can_be_served,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_made_many_waits_behind_himself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_has_begun_comes_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_anybody_it_is_nobodys, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
