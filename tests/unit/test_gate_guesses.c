/* Guessing passwords, and what is left of it in the audit trail. */
// links: sluice_web
#include <time.h>

#include "unit/gate_rig.h"
#include "web/attempts.h"
#include "web/device.h"

#define CANARY "canary-4711-secret"

static void guesses_take_longer_and_longer(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME}, guesser = {.address = "10.0.0.66"};
    int64_t waited_s = 0;
    int guesses = 0;

    (void)state;
    rig_make_owner(&phone);
    while (waited_s < 3600) {
        int status = rig_login(&guesser, "owner", "not the password");
        if (status == 429) {
            int wait_s = atoi(strstr(rig->answer, "Retry-After: ") + 13);
            assert_in_range(wait_s, 1, ATTEMPTS_ADDRESS_MAX_S);
            rig_pass(wait_s);
            waited_s += wait_s;
            continue;
        }
        assert_int_equal(status, 401);
        guesses++;
    }
    assert_in_range(guesses, 20, 70);
    (void)rig_login(&guesser, "owner", "not the password");
    /* The right one has to wait as well, or the wait would tell which it is. */
    assert_int_equal(rig_login(&guesser, "owner", RIG_PASSWORD), 429);
}

static void a_browser_that_is_known_is_not_slowed_by_guesses_from_elsewhere(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME}, unknown = {.address = "192.168.7.99"};
    char address[32];
    struct rig_browser guesser = {.address = address};

    (void)state;
    rig_make_owner(&phone);
    for (int i = 0; i < 20; i++) {
        snprintf(address, sizeof address, "10.0.0.%d", i);
        (void)rig_login(&guesser, "owner", "not the password");
    }
    for (int i = 0; i < ATTEMPTS_ADDRESS_FREE; i++)
        assert_int_equal(rig_login(&unknown, "owner", "not the password"), 401);
    rig_pass(2);
    assert_int_equal(rig_login(&unknown, "owner", RIG_PASSWORD), 429);
    assert_int_equal(rig_login(&phone, "owner", RIG_PASSWORD), 200);
    rig_pass(ATTEMPTS_ACCOUNT_MAX_S);
    assert_int_equal(rig_login(&unknown, "owner", RIG_PASSWORD), 200);
}

static void who_guesses_all_the_time_keeps_nobody_out(void **state)
{
    static const char *const guessers[] = {"10.0.0.66", "10.0.0.67", "2001:db8::1"};
    struct attempts *attempts;
    int guesses = 0;

    (void)state;
    assert_int_equal(attempts_open(&attempts, &rig->kit->clock), 0);
    for (int s = 0; s < 3 * 3600; s++) {
        for (size_t i = 0; i < sizeof guessers / sizeof *guessers; i++) {
            struct attempt guess = {.address = guessers[i], .account = "owner"};
            guesses += attempts_begin_s(attempts, &guess) == 0;
        }
        /* Each hour somebody who mistypes it twice. */
        if (s % 3600 == 3599) {
            struct attempt attempt = {.address = RIG_HOME, .account = "owner"};
            for (int i = 0; i < ATTEMPTS_ADDRESS_FREE; i++)
                assert_true(attempts_begin_s(attempts, &attempt) == 0);
            attempts_succeed(attempts, &attempt);
        }
        rig_pass(1);
    }
    assert_in_range(guesses, 3 * 100, 3 * 130);
    attempts_close(attempts);
}

/* An address that is not counted with `home`, as one of so many is. */
static struct attempt elsewhere_of(struct attempts *attempts, const struct attempt *home,
                                   char address[32])
{
    struct attempt guess = {.address = address, .account = "other"};

    for (int i = 1; i < 10; i++) {
        snprintf(address, 32, "10.0.0.%d", i);
        for (int j = 0; j < ATTEMPTS_ADDRESS_FREE; j++)
            (void)attempts_begin_s(attempts, &guess);
        if (attempts_wait_s(attempts, home) == 0)
            break;
    }
    guess.account = home->account;
    return guess;
}

static void guesses_from_elsewhere_keep_nobody_waiting_for_more_than_half_a_minute(void **state)
{
    struct attempt own = {.address = RIG_HOME, .account = "owner"};
    struct attempts *attempts;
    char address[32];

    (void)state;
    assert_int_equal(attempts_open(&attempts, &rig->kit->clock), 0);
    struct attempt guess = elsewhere_of(attempts, &own, address);
    for (int i = 0; i < ATTEMPTS_ADDRESS_FREE; i++)
        assert_true(attempts_begin_s(attempts, &own) == 0);
    for (int i = 0; i < 20; i++) {
        rig_pass(attempts_wait_s(attempts, &guess));
        assert_true(attempts_begin_s(attempts, &guess) == 0);
    }
    assert_true(attempts_wait_s(attempts, &own) == 30);
    rig_pass(29);
    assert_true(attempts_begin_s(attempts, &own) == 1);
    rig_pass(1);
    assert_true(attempts_begin_s(attempts, &own) == 0);
    attempts_close(attempts);
}

static void an_account_of_ones_own_gives_no_more_guesses_at_another(void **state)
{
    struct attempt own = {.address = "10.0.0.66", .account = "ben"};
    struct attempt guess = {.address = "10.0.0.66", .account = "owner"};
    struct attempts *attempts;
    int guesses = 0;

    (void)state;
    assert_int_equal(attempts_open(&attempts, &rig->kit->clock), 0);
    for (int s = 0; s < 3600; s++) {
        guesses += attempts_begin_s(attempts, &guess) == 0;
        if (attempts_begin_s(attempts, &own) == 0)
            attempts_succeed(attempts, &own);
        rig_pass(1);
    }
    assert_in_range(guesses, 100, 150);
    attempts_close(attempts);
}

static void a_mark_of_a_browser_lets_nobody_in(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME};
    char *session;

    (void)state;
    rig_make_owner(&phone);
    session = strstr(phone.cookies, "__Host-sluice=");
    memset(session, 'x', strcspn(session, ";"));
    assert_int_equal(rig_ask(&phone, "GET", "/api/v1/status", ""), 401);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rig_login(&phone, "owner", "not the password"), 401);
    assert_int_equal(rig_login(&phone, "owner", RIG_PASSWORD), 429);
}

static void a_mark_is_of_one_account_as_it_is(void **state)
{
    char mark[DEVICE_MARK_SIZE], number[DEVICE_NUMBER_SIZE];

    (void)state;
    assert_true(device_mark("hash of a password", mark));
    assert_true(device_fits("hash of a password", mark, number));
    assert_memory_equal(number, mark, strlen(number));
    assert_false(device_fits("hash of another one", mark, number));
    for (size_t i = 0; i < sizeof mark - 1; i++) {
        char forged[DEVICE_MARK_SIZE];

        memcpy(forged, mark, sizeof forged);
        forged[i] = forged[i] == '0' ? '1' : '0';
        assert_false(device_fits("hash of a password", forged, number));
    }
}

/* The time of the processor that the whole process has had. */
static int64_t worked_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void an_account_that_does_not_exist_is_answered_like_one_that_does(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME}, one = {.address = "10.0.0.1"},
                       two = {.address = "10.0.0.2"};
    int64_t begun_ns, known_ns = INT64_MAX, unknown_ns = INT64_MAX;
    char known[512];

    (void)state;
    rig_make_owner(&phone);
    for (int i = 0; i < 5; i++) {
        begun_ns = worked_ns();
        int status = rig_login(&one, "owner", "not the password");
        known_ns = status == 401 ? smaller(known_ns, worked_ns() - begun_ns) : known_ns;
        snprintf(known, sizeof known, "%.500s", strstr(rig->answer, "\r\n\r\n"));
        begun_ns = worked_ns();
        assert_int_equal(rig_login(&two, "nobody", "not the password"), status);
        unknown_ns = status == 401 ? smaller(unknown_ns, worked_ns() - begun_ns) : unknown_ns;
        assert_string_equal(strstr(rig->answer, "\r\n\r\n"), known);
    }
    assert_true(unknown_ns > known_ns / 2 && unknown_ns < known_ns * 2); /* and takes as long */
}

static void addresses_of_one_network_count_together(void **state)
{
    struct attempts *attempts;
    struct attempt one = {.address = "2001:db8::1", .account = "a"};
    struct attempt other = {.address = "2001:db8::2", .account = "b"};
    struct attempt elsewhere = {.address = "2001:db8:0:1::1", .account = "c"};

    (void)state;
    assert_int_equal(attempts_open(&attempts, &rig->kit->clock), 0);
    for (int i = 0; i < ATTEMPTS_ADDRESS_FREE; i++)
        assert_true(attempts_begin_s(attempts, &one) == 0);
    assert_true(attempts_begin_s(attempts, &one) == 1);
    assert_true(attempts_wait_s(attempts, &other) == 1);
    assert_true(attempts_wait_s(attempts, &elsewhere) == 0);
    /* What is refused counts for nothing, and an hour makes good for all. */
    for (int i = 0; i < 100; i++)
        (void)attempts_begin_s(attempts, &one);
    rig_pass(1);
    assert_true(attempts_begin_s(attempts, &one) == 0);
    assert_true(attempts_begin_s(attempts, &one) == 2);
    rig_pass(3600);
    for (int i = 0; i < ATTEMPTS_ADDRESS_FREE; i++)
        assert_true(attempts_begin_s(attempts, &one) == 0);
    attempts_close(attempts);
}

static void guesses_of_the_setup_code_are_slowed_too(void **state)
{
    struct rig_browser guesser = {.address = "10.0.0.66"};
    char body[64];
    int refused = 0;

    (void)state;
    for (int i = 0; i < 20; i++) {
        snprintf(body, sizeof body, "{\"code\":\"AAAA-AA%02d\"}", i);
        refused += rig_ask(&guesser, "POST", "/api/v1/setup", body) == 429;
    }
    assert_int_equal(refused, 20 - ATTEMPTS_ADDRESS_FREE);
}

/* What the journal has in all its texts. */
static char *read_trail(void)
{
    struct reader *reader;
    struct event event;
    char *trail = NULL;
    size_t size;
    FILE *out = open_memstream(&trail, &size);

    kit_flush(rig->kit);
    assert_int_equal(reader_open(&reader, rig->kit->journal, 1), 0);
    while (reader_next(reader, &event) > 0)
        if (event.value.type == VALUE_TEXT)
            fprintf(out, "%u %.*s\n", event.kind, event.value.size, (const char *)event.value.data);
    reader_close(reader);
    fclose(out);
    return trail;
}

static void the_trail_says_who_did_what_from_where_and_no_secret(void **state)
{
    static const char *const expected[] = {
        "8 did=setup by=owner from=192.168.7.20\n",
        "8 did=login-failed by=nobody from=10.0.0.66 name=owner\n",
        "8 did=login-failed by=nobody from=10.0.0.66 name=unknown\n",
        "8 did=account-set by=owner from=192.168.7.20 name=ben role=operator password=set\n",
        "8 did=token-made by=owner from=192.168.7.20 name=grafana role=viewer\n",
        "8 did=login by=ben from=192.168.7.21\n",
        "8 did=password-changed by=ben from=192.168.7.21\n",
        "8 did=clock-set by=owner from=192.168.7.20 t=1795448300123\n",
        "8 did=account-removed by=owner from=192.168.7.20 name=ben\n",
        "8 did=token-removed by=owner from=192.168.7.20 name=grafana\n",
        "8 did=logout by=owner from=192.168.7.20\n",
    };
    struct rig_browser phone = {.address = RIG_HOME}, ben = {.address = "192.168.7.21"},
                       guesser = {.address = "10.0.0.66"};
    char code[32], token[80];

    (void)state;
    rig_code(code);
    rig_make_owner(&phone);
    assert_int_equal(rig_login(&guesser, "owner", CANARY " wrong"), 401);
    assert_int_equal(rig_login(&guesser, CANARY, "x"), 401);
    assert_int_equal(rig_ask(&phone, "PUT", "/api/v1/accounts/ben",
                             "{\"role\":\"operator\",\"password\":\"" CANARY " one\"}"),
                     200);
    assert_int_equal(
        rig_ask(&phone, "POST", "/api/v1/tokens", "{\"name\":\"grafana\",\"role\":\"viewer\"}"),
        200);
    snprintf(token, sizeof token, "%.64s", strstr(rig->answer, "\"token\":\"") + 9);
    assert_int_equal(rig_login(&ben, "ben", CANARY " one"), 200);
    assert_int_equal(rig_ask(&ben, "POST", "/api/v1/password",
                             "{\"old\":\"" CANARY " one\",\"new\":\"" CANARY " two\"}"),
                     200);
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/clock", "{\"t\":1795448300123}"), 200);
    assert_int_equal(rig_ask(&phone, "DELETE", "/api/v1/accounts/ben", ""), 200);
    assert_int_equal(rig_ask(&phone, "DELETE", "/api/v1/tokens/grafana", ""), 200);
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/logout", ""), 200);
    char *trail = read_trail();
    const char *at = trail;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const char *found = strstr(at, expected[i]);
        if (!found)
            fail_msg("missing, or not in order: %s in\n%s", expected[i], trail);
        at = found;
    }
    assert_null(strstr(trail, CANARY));
    assert_null(strstr(trail, RIG_PASSWORD));
    assert_null(strstr(trail, token));
    assert_null(strstr(trail, code));
    assert_null(strstr(trail, phone.csrf));
    free(trail);
}

static void a_flood_of_guesses_does_not_fill_the_trail(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME};
    char address[32];
    struct rig_browser guesser = {.address = address};
    unsigned lines = 0;

    (void)state;
    rig_make_owner(&phone);
    for (int i = 0; i < 40; i++) {
        snprintf(address, sizeof address, "10.0.0.%d", i);
        (void)rig_login(&guesser, "nobody-of-that-name", "x");
        rig_pass(1);
    }
    rig_pass(60);
    (void)rig_login(&guesser, "owner", "x");
    char *trail = read_trail();
    for (const char *at = trail; (at = strstr(at, "login-failed")); at++)
        lines++;
    assert_in_range(lines, 2, 11);
    assert_non_null(strstr(trail, " more="));
    free(trail);
}

#define GATE_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATE_TEST(guesses_take_longer_and_longer),
        GATE_TEST(a_browser_that_is_known_is_not_slowed_by_guesses_from_elsewhere),
        GATE_TEST(who_guesses_all_the_time_keeps_nobody_out),
        GATE_TEST(guesses_from_elsewhere_keep_nobody_waiting_for_more_than_half_a_minute),
        GATE_TEST(an_account_of_ones_own_gives_no_more_guesses_at_another),
        GATE_TEST(a_mark_of_a_browser_lets_nobody_in),
        cmocka_unit_test(a_mark_is_of_one_account_as_it_is),
        GATE_TEST(an_account_that_does_not_exist_is_answered_like_one_that_does),
        GATE_TEST(addresses_of_one_network_count_together),
        GATE_TEST(guesses_of_the_setup_code_are_slowed_too),
        GATE_TEST(the_trail_says_who_did_what_from_where_and_no_secret),
        GATE_TEST(a_flood_of_guesses_does_not_fill_the_trail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
