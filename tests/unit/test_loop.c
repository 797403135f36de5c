/* The event loop: descriptors, timers and posts, and all of them going away while they are being
 * called. */
// links: sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/pulse.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS 4

/* What the callbacks of a test share: the loop, a record of who was called, and what they act upon.
 */
struct fixture {
    struct loop *loop;
    char record[256];
    int sockets[PAIRS][2];
    struct loop_watch *watches[PAIRS];
    struct loop_timer *timers[PAIRS];
    int64_t start_ns;
    int calls;
};

/* A callback's context: the fixture and which of several this is. */
struct which {
    struct fixture *fixture;
    int number;
};

static void note(struct fixture *fixture, const char *what, int number)
{
    size_t size = strlen(fixture->record);
    snprintf(fixture->record + size, sizeof(fixture->record) - size, "%s%d ", what, number);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    if (!fixture || loop_open(&fixture->loop) != 0)
        return -1;
    for (int i = 0; i < PAIRS; i++)
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, fixture->sockets[i]) < 0)
            return -1;
    fixture->start_ns = clock_mono(&clock_system);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    loop_close(fixture->loop);
    for (int i = 0; i < PAIRS; i++) {
        close(fixture->sockets[i][0]);
        close(fixture->sockets[i][1]);
    }
    free(fixture);
    return 0;
}

static void stop(void *context)
{
    loop_stop(((struct fixture *)context)->loop);
}

/* Runs until everything that can happen by itself has: a post that posts again comes behind a look
 * at the descriptors. */
static void stop_after_another_round(void *context)
{
    loop_post(((struct fixture *)context)->loop, stop, context);
}

static void run_what_is_ready(struct fixture *fixture)
{
    assert_int_equal(loop_post(fixture->loop, stop_after_another_round, fixture), 0);
    assert_int_equal(loop_run(fixture->loop), 0);
}

static void make_readable(struct fixture *fixture, int number)
{
    assert_int_equal(write(fixture->sockets[number][1], "x", 1), 1);
}

static void read_one(void *context, uint32_t events)
{
    struct which *which = context;
    char byte;
    assert_true(events & EPOLLIN);
    assert_int_equal(read(which->fixture->sockets[which->number][0], &byte, 1), 1);
    note(which->fixture, "read", which->number);
}

static void calls_for_a_readable_descriptor(void **state)
{
    struct fixture *fixture = *state;
    struct which which = {fixture, 0};
    struct loop_watch *watch =
        loop_watch(fixture->loop, fixture->sockets[0][0], EPOLLIN, read_one, &which);
    assert_non_null(watch);
    run_what_is_ready(fixture);
    assert_string_equal(fixture->record, "");
    make_readable(fixture, 0);
    run_what_is_ready(fixture);
    assert_string_equal(fixture->record, "read0 ");
    make_readable(fixture, 0);
    assert_int_equal(loop_watch_change(fixture->loop, watch, 0), 0);
    run_what_is_ready(fixture);
    assert_string_equal(fixture->record, "read0 ");
    assert_int_equal(loop_watch_change(fixture->loop, watch, EPOLLIN), 0);
    run_what_is_ready(fixture);
    assert_string_equal(fixture->record, "read0 read0 ");
    make_readable(fixture, 0);
    loop_unwatch(fixture->loop, watch);
    run_what_is_ready(fixture);
    assert_string_equal(fixture->record, "read0 read0 ");
}

static void refuses_a_descriptor_that_is_none(void **state)
{
    struct fixture *fixture = *state;
    assert_null(loop_watch(fixture->loop, -1, EPOLLIN, read_one, NULL));
}

/* Whoever of the watches is called first takes all of them back, itself too, though the others are
 * ready. */
static void unwatch_all(void *context, uint32_t events)
{
    struct which *which = context;
    struct fixture *fixture = which->fixture;
    (void)events;
    fixture->calls++;
    for (int i = 0; i < PAIRS; i++)
        loop_unwatch(fixture->loop, fixture->watches[i]);
}

static void calls_no_watch_that_was_taken_back_in_the_same_round(void **state)
{
    struct fixture *fixture = *state;
    struct which which[PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        which[i] = (struct which){fixture, i};
        fixture->watches[i] =
            loop_watch(fixture->loop, fixture->sockets[i][0], EPOLLIN, unwatch_all, &which[i]);
        make_readable(fixture, i);
    }
    run_what_is_ready(fixture);
    assert_int_equal(fixture->calls, 1);
}

static void note_timer(void *context)
{
    struct which *which = context;
    assert_true(clock_mono(&clock_system) >= which->fixture->start_ns);
    note(which->fixture, "timer", which->number);
}

static void fires_timers_in_the_order_of_their_times(void **state)
{
    struct fixture *fixture = *state;
    enum { COUNT = 100 };
    struct which which[COUNT];
    struct loop_timer *timers[COUNT];
    char expected[2048] = "";
    int64_t base_ns = fixture->start_ns + 20 * NS_PER_MS;
    for (int i = 0; i < COUNT; i++) {
        which[i] = (struct which){fixture, i};
        timers[i] = loop_timer(fixture->loop, note_timer, &which[i]);
        assert_non_null(timers[i]);
    }
    /* In a scattered order at first, then a part is moved, cleared and dropped again. */
    for (int i = 0; i < COUNT; i++)
        loop_timer_set(fixture->loop, timers[i * 37 % COUNT], base_ns + i % 7);
    for (int i = 10; i < COUNT; i++)
        loop_timer_clear(fixture->loop, timers[i * 13 % 90 + 10]);
    for (int i = 50; i < COUNT; i++)
        loop_timer_drop(fixture->loop, timers[i]);
    for (int i = 0; i < 10; i++)
        loop_timer_set(fixture->loop, timers[i], base_ns + 9 - i);
    for (int i = 9; i >= 0; i--)
        sprintf(expected + strlen(expected), "timer%d ", i);
    struct loop_timer *last = loop_timer(fixture->loop, stop, fixture);
    loop_timer_set(fixture->loop, last, base_ns + 10);
    assert_int_equal(loop_run(fixture->loop), 0);
    assert_true(clock_mono(&clock_system) >= base_ns + 10);
    assert_string_equal(fixture->record, expected);
}

static void keeps_the_order_of_timers_of_the_same_time(void **state)
{
    struct fixture *fixture = *state;
    struct which which[10];
    for (int i = 0; i < 10; i++) {
        which[i] = (struct which){fixture, i};
        loop_timer_set(fixture->loop, loop_timer(fixture->loop, note_timer, &which[i]), 1);
    }
    run_what_is_ready(fixture);
    assert_string_equal(fixture->record, "timer0 timer1 timer2 timer3 timer4 timer5 timer6 timer7 "
                                         "timer8 timer9 ");
}

static void rearm_for_the_past(void *context)
{
    struct which *which = context;
    struct fixture *fixture = which->fixture;
    if (++fixture->calls == 100)
        loop_stop(fixture->loop);
    loop_timer_set(fixture->loop, fixture->timers[0], INT64_MIN);
}

static void a_timer_that_is_always_late_starves_nobody(void **state)
{
    struct fixture *fixture = *state;
    struct which busy = {fixture, 0}, other = {fixture, 1};
    fixture->timers[0] = loop_timer(fixture->loop, rearm_for_the_past, &busy);
    loop_timer_set(fixture->loop, fixture->timers[0], INT64_MIN);
    loop_timer_set(fixture->loop, loop_timer(fixture->loop, note_timer, &other), 1);
    loop_watch(fixture->loop, fixture->sockets[0][0], EPOLLIN, read_one, &busy);
    make_readable(fixture, 0);
    assert_int_equal(loop_run(fixture->loop), 0);
    assert_int_equal(fixture->calls, 100);
    assert_non_null(strstr(fixture->record, "timer1 "));
    assert_non_null(strstr(fixture->record, "read0 "));
}

/* Drops itself, clears the next and drops the one behind it, all three being due. */
static void drop_others(void *context)
{
    struct which *which = context;
    struct fixture *fixture = which->fixture;
    note(fixture, "timer", which->number);
    loop_timer_drop(fixture->loop, fixture->timers[0]);
    loop_timer_clear(fixture->loop, fixture->timers[1]);
    loop_timer_drop(fixture->loop, fixture->timers[2]);
}

static void fires_no_timer_that_was_cleared_or_dropped_in_the_same_round(void **state)
{
    struct fixture *fixture = *state;
    struct which which[PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        which[i] = (struct which){fixture, i};
        fixture->timers[i] =
            loop_timer(fixture->loop, i == 0 ? drop_others : note_timer, &which[i]);
        loop_timer_set(fixture->loop, fixture->timers[i], 1);
    }
    run_what_is_ready(fixture);
    assert_string_equal(fixture->record, "timer0 timer3 ");
}

static void note_post(void *context)
{
    struct which *which = context;
    note(which->fixture, "post", which->number);
}

static void runs_posts_in_their_order(void **state)
{
    struct fixture *fixture = *state;
    struct which which[5];
    for (int i = 0; i < 5; i++) {
        which[i] = (struct which){fixture, i};
        assert_int_equal(loop_post(fixture->loop, note_post, &which[i]), 0);
    }
    run_what_is_ready(fixture);
    assert_string_equal(fixture->record, "post0 post1 post2 post3 post4 ");
}

static void refuses_posts_without_bound(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < LOOP_POSTS_MAX; i++)
        assert_int_equal(loop_post(fixture->loop, stop, fixture), 0);
    assert_int_equal(loop_post(fixture->loop, stop, fixture), ERR_FULL);
    assert_int_equal(loop_run(fixture->loop), 0);
    assert_int_equal(loop_post(fixture->loop, stop, fixture), 0); /* left to loop_close */
}

static void stops_before_it_ran(void **state)
{
    struct fixture *fixture = *state;
    loop_stop(fixture->loop);
    assert_int_equal(loop_run(fixture->loop), 0);
    run_what_is_ready(fixture); /* and runs again */
}

#define THREADS 3
#define POSTS   1000

struct numbered_post {
    struct poster *poster;
    int number;
};

struct poster {
    struct fixture *fixture;
    pthread_t thread;
    int next; /* touched by the loop's thread alone */
    struct numbered_post posts[POSTS];
};

static void check_order(void *context)
{
    struct numbered_post *post = context;
    struct fixture *fixture = post->poster->fixture;
    assert_int_equal(post->number, post->poster->next++);
    if (++fixture->calls == THREADS * POSTS)
        loop_stop(fixture->loop);
}

static void *post_many(void *context)
{
    struct poster *poster = context;
    for (int i = 0; i < POSTS; i++) {
        poster->posts[i] = (struct numbered_post){poster, i};
        loop_post(poster->fixture->loop, check_order, &poster->posts[i]);
    }
    return NULL;
}

static void loses_no_post_of_any_thread(void **state)
{
    struct fixture *fixture = *state;
    static struct poster posters[THREADS];
    for (int i = 0; i < THREADS; i++) {
        posters[i].fixture = fixture;
        posters[i].next = 0;
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_many, &posters[i]), 0);
    }
    assert_int_equal(loop_run(fixture->loop), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(posters[i].thread, NULL);
    assert_int_equal(fixture->calls, THREADS * POSTS);
}

static void *run_loop(void *context)
{
    struct fixture *fixture = context;

    return loop_run(fixture->loop) == 0 ? NULL : fixture;
}

static void a_thread_that_takes_no_turns_is_silent(void **state)
{
    struct fixture *fixture = *state;
    struct pulse pulse = {0};
    pthread_t thread;
    int64_t until = clock_mono(&clock_system) + 20 * NS_PER_S;

    assert_int_equal(pulse_silent_ns(&pulse, fixture->loop), 0); /* asked for the first time */
    usleep(20000);
    assert_true(pulse_silent_ns(&pulse, fixture->loop) >= 20 * NS_PER_MS);
    assert_int_equal(pthread_create(&thread, NULL, run_loop, fixture), 0);
    while (pulse_silent_ns(&pulse, fixture->loop) != 0) {
        assert_true(clock_mono(&clock_system) < until);
        usleep(1000);
    }
    loop_stop(fixture->loop);
    pthread_join(thread, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls_for_a_readable_descriptor),
        TEST(refuses_a_descriptor_that_is_none),
        TEST(calls_no_watch_that_was_taken_back_in_the_same_round),
        TEST(fires_timers_in_the_order_of_their_times),
        TEST(keeps_the_order_of_timers_of_the_same_time),
        TEST(a_timer_that_is_always_late_starves_nobody),
        TEST(fires_no_timer_that_was_cleared_or_dropped_in_the_same_round),
        TEST(runs_posts_in_their_order),
        TEST(refuses_posts_without_bound),
        TEST(stops_before_it_ran),
        TEST(loses_no_post_of_any_thread),
        TEST(a_thread_that_takes_no_turns_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
