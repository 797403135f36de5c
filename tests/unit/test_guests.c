/* Who is let stay at the door, by a clock that the test turns. */
// links: sluice_web
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "web/guests.h"

#define S(seconds) ((seconds)*NS_PER_S)

struct crowd {
    struct guests *guests;
    struct guest all[GUESTS_MAX + 64];
    size_t count;
};

static int set_up(void **state)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);

    if (!crowd || guests_open(&crowd->guests))
        return -1;
    *state = crowd;
    return 0;
}

static int tear_down(void **state)
{
    struct crowd *crowd = *state;

    guests_close(crowd->guests);
    free(crowd);
    return 0;
}

/* From 10.0.HIGH.LOW. */
static struct guest *enter(struct crowd *crowd, unsigned address, int64_t now_ns,
                           struct guest **leaving)
{
    struct sockaddr_in peer = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x0a000000 + address)};
    struct guest *guest = &crowd->all[crowd->count++];

    assert_true(crowd->count <= sizeof crowd->all / sizeof *crowd->all);
    *leaving = guests_enter(crowd->guests, guest, (struct sockaddr *)&peer, now_ns);
    if (*leaving)
        guests_leave(crowd->guests, *leaving);
    return guest;
}

static struct guest *enter_free(struct crowd *crowd, unsigned address, int64_t now_ns)
{
    struct guest *leaving, *guest = enter(crowd, address, now_ns, &leaving);

    assert_null(leaving);
    return guest;
}

static void the_crowd_gives_way_to_a_newcomer_and_he_is_not_the_next_to_go(void **state)
{
    struct crowd *crowd = *state;
    struct guest *leaving, *owner;
    unsigned attacker = 1, owners = 2;

    for (unsigned i = 0; i < GUESTS_STRANGERS_MAX; i++)
        enter_free(crowd, attacker, S(1) + i);
    owner = enter(crowd, owners, S(2), &leaving);
    assert_ptr_equal(leaving, &crowd->all[0]);
    for (unsigned i = 1; i < 64; i++) {
        enter(crowd, attacker, S(3), &leaving);
        assert_ptr_equal(leaving, &crowd->all[i]);
        assert_ptr_not_equal(leaving, owner);
    }
    assert_int_equal(guests_strangers(crowd->guests), GUESTS_STRANGERS_MAX);
}

/* 1,000 newcomers a second for four seconds: a second's worth at once, then 128 a second. And
 * somebody from elsewhere comes in at any time. */
static void a_flood_from_one_address_is_turned_away_and_others_are_not(void **state)
{
    struct crowd *crowd = *state;
    struct guest *leaving, flood, elsewhere[2];
    struct guest stay[GUESTS_STRANGERS_MAX * 8];
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(1)};
    struct sockaddr_in other = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(2)};
    size_t entered = 0, turned_away = 0;

    for (unsigned i = 0; i < GUESTS_STRANGERS_MAX; i++)
        enter_free(crowd, 0xf6000001, S(1)); /* 0.0.0.1 */
    for (unsigned ms = 0; ms < 4000; ms++) {
        leaving =
            guests_enter(crowd->guests, &flood, (struct sockaddr *)&peer, S(2) + ms * NS_PER_MS);
        if (leaving == &flood) {
            turned_away++;
            continue;
        }
        /* In its place stands one that lives longer than this variable. */
        guests_leave(crowd->guests, &flood);
        guests_leave(crowd->guests, leaving);
        assert_true(entered < sizeof stay / sizeof *stay);
        assert_null(guests_enter(crowd->guests, &stay[entered++], (struct sockaddr *)&peer, S(2)));
    }
    assert_in_range(entered, 128 * 5 - 2, 128 * 5 + 2);
    assert_int_equal(entered + turned_away, 4000);
    for (unsigned i = 0; i < 2; i++) {
        leaving = guests_enter(crowd->guests, &elsewhere[i], (struct sockaddr *)&other, S(6));
        assert_non_null(leaving);
        assert_ptr_not_equal(leaving, &elsewhere[i]);
        guests_leave(crowd->guests, leaving);
    }
}

static void among_equals_the_oldest_goes(void **state)
{
    struct crowd *crowd = *state;
    struct guest *leaving;

    for (unsigned i = 0; i < GUESTS_STRANGERS_MAX; i++)
        enter_free(crowd, i, S(1));
    enter(crowd, 9999, S(2), &leaving);
    assert_ptr_equal(leaving, &crowd->all[0]);
}

static void one_network_of_ipv6_is_one_address(void **state)
{
    struct crowd *crowd = *state;
    struct sockaddr_in6 peer = {.sin6_family = AF_INET6};
    struct guest *leaving, *first = NULL;

    enter_free(crowd, 1, S(1));
    inet_pton(AF_INET6, "2001:db8::", &peer.sin6_addr);
    for (unsigned i = 1; i < GUESTS_STRANGERS_MAX; i++) {
        struct guest *guest = &crowd->all[crowd->count++];

        first = first ? first : guest;
        peer.sin6_addr.s6_addr[15] = (uint8_t)i;
        assert_null(guests_enter(crowd->guests, guest, (struct sockaddr *)&peer, S(2)));
    }
    enter(crowd, 2, S(3), &leaving);
    assert_ptr_equal(leaving, first);
}

static void who_has_logged_in_keeps_his_place(void **state)
{
    struct crowd *crowd = *state;
    struct guest *leaving, *known = enter_free(crowd, 1, S(1));

    assert_false(guests_know(crowd->guests, known)); /* not in the middle of a handshake */
    guests_greeted(known, S(1));
    assert_true(guests_know(crowd->guests, known));
    for (unsigned i = 0; i < GUESTS_STRANGERS_MAX; i++)
        enter_free(crowd, 1, S(2));
    for (unsigned i = 0; i < 32; i++) {
        enter(crowd, 1, S(3), &leaving);
        assert_non_null(leaving);
        assert_ptr_not_equal(leaving, known);
    }
    assert_int_equal(guests_known(crowd->guests), 1);
}

static void the_known_cannot_take_the_places_of_strangers(void **state)
{
    struct crowd *crowd = *state;
    struct guest *leaving;

    for (unsigned i = 0; i < GUESTS_KNOWN_MAX; i++) {
        struct guest *guest = enter_free(crowd, 1, S(1));

        guests_greeted(guest, S(1));
        assert_true(guests_know(crowd->guests, guest));
    }
    struct guest *one_more = enter_free(crowd, 1, S(2));
    guests_greeted(one_more, S(2));
    assert_false(guests_know(crowd->guests, one_more));
    assert_int_equal(guests_deadline(one_more), S(12));
    for (unsigned i = 1; i < GUESTS_STRANGERS_MAX; i++)
        enter_free(crowd, 2, S(2));
    enter(crowd, 3, S(3), &leaving);
    assert_non_null(leaving);
}

static void a_greeting_has_five_seconds_whatever_it_sends(void **state)
{
    struct crowd *crowd = *state;
    struct guest *guest = enter_free(crowd, 1, S(100));

    assert_int_equal(guests_deadline(guest), S(105));
}

static void a_request_has_ten_seconds_however_it_dribbles(void **state)
{
    struct crowd *crowd = *state;
    struct guest *guest = enter_free(crowd, 1, S(100));
    struct guest_traffic before = {0}, now = {0};

    guests_greeted(guest, S(101));
    assert_int_equal(guests_deadline(guest), S(111));
    for (int second = 102; second < 110; second++) {
        before = now;
        now.heard++;
        guests_moved(guest, &before, &now, S(second));
        assert_int_equal(guests_deadline(guest), S(111));
    }
    before = now;
    now.answered = now.taken = 500;
    guests_moved(guest, &before, &now, S(110));
    assert_int_equal(guests_deadline(guest), S(125)); /* idle */
    before = now;
    now.heard++;
    guests_moved(guest, &before, &now, S(120));
    assert_int_equal(guests_deadline(guest), S(130)); /* the next request */
}

static void an_answer_is_taken_within_ten_seconds_or_goes_on(void **state)
{
    struct crowd *crowd = *state;
    struct guest *guest = enter_free(crowd, 1, S(0));
    struct guest_traffic before = {.heard = 10}, now = {.heard = 10, .answered = 90, .waits = true};

    guests_greeted(guest, S(1));
    guests_moved(guest, &before, &now, S(2));
    assert_int_equal(guests_deadline(guest), S(12));
    before = now;
    now.answered += 10; /* more to say does not help */
    guests_moved(guest, &before, &now, S(8));
    assert_int_equal(guests_deadline(guest), S(12));
    before = now;
    now.taken = 1;
    guests_moved(guest, &before, &now, S(9));
    assert_int_equal(guests_deadline(guest), S(19));
    before = now;
    now.taken = now.answered;
    now.waits = false;
    guests_moved(guest, &before, &now, S(10));
    assert_int_equal(guests_deadline(guest), S(25));
}

static void the_known_may_be_silent_for_longer_than_a_stream_is(void **state)
{
    struct crowd *crowd = *state;
    struct guest *guest = enter_free(crowd, 1, S(0));
    struct guest_traffic before = {0}, now = {.heard = 1};

    guests_greeted(guest, S(1));
    assert_true(guests_know(crowd->guests, guest));
    guests_moved(guest, &before, &now, S(2));
    assert_int_equal(guests_deadline(guest), S(77));
}

/* Any order of comings and goings keeps the counts and never ends the newcomer. */
static void counts_hold_whatever_happens(void **state)
{
    struct crowd *crowd = *state;
    struct guest pool[512];
    bool here[512] = {false};
    unsigned seed = 7, strangers = 0, known = 0;
    struct sockaddr_in peer = {.sin_family = AF_INET};

    for (unsigned round = 0; round < 20000; round++) {
        seed = seed * 1103515245 + 12345;
        unsigned pick = (seed >> 16) % 512, what = (seed >> 8) % 8;

        if (!here[pick]) {
            peer.sin_addr.s_addr = htonl(pick % 7);
            struct guest *leaving = guests_enter(crowd->guests, &pool[pick],
                                                 (struct sockaddr *)&peer, round * NS_PER_MS);
            here[pick] = leaving != &pool[pick];
            strangers += here[pick];
            if (leaving && here[pick]) {
                assert_true(leaving->stage != GUEST_KNOWN);
                guests_leave(crowd->guests, leaving);
                here[leaving - pool] = false;
                strangers--;
            }
        } else if (what < 3) {
            known -= pool[pick].stage == GUEST_KNOWN;
            strangers -= pool[pick].stage != GUEST_KNOWN;
            guests_leave(crowd->guests, &pool[pick]);
            here[pick] = false;
        } else if (pool[pick].stage == GUEST_GREETING) {
            guests_greeted(&pool[pick], round);
        } else if (guests_know(crowd->guests, &pool[pick])) {
            known++;
            strangers--;
        }
        assert_int_equal(guests_strangers(crowd->guests), strangers);
        assert_int_equal(guests_known(crowd->guests), known);
        assert_true(strangers <= GUESTS_STRANGERS_MAX && known <= GUESTS_KNOWN_MAX);
    }
}

#define GUEST_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUEST_TEST(the_crowd_gives_way_to_a_newcomer_and_he_is_not_the_next_to_go),
        GUEST_TEST(a_flood_from_one_address_is_turned_away_and_others_are_not),
        GUEST_TEST(among_equals_the_oldest_goes),
        GUEST_TEST(one_network_of_ipv6_is_one_address),
        GUEST_TEST(who_has_logged_in_keeps_his_place),
        GUEST_TEST(the_known_cannot_take_the_places_of_strangers),
        GUEST_TEST(a_greeting_has_five_seconds_whatever_it_sends),
        GUEST_TEST(a_request_has_ten_seconds_however_it_dribbles),
        GUEST_TEST(an_answer_is_taken_within_ten_seconds_or_goes_on),
        GUEST_TEST(the_known_may_be_silent_for_longer_than_a_stream_is),
        GUEST_TEST(counts_hold_whatever_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
