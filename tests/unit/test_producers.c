/* Programs that send events while the disk takes its time: what is answered is one's own, and
 * durable. */
// links: sluice_web
#include "unit/journal_kit.h"

#include "unit/sync_gate.h"
#include "web/producers_inside.h"

static bool nobody_configured(void *context, const char *device)
{
    (void)context;
    (void)device;
    return false;
}

static struct producers *producers;

static void begin(struct kit *kit)
{
    gate_put(kit);
    kit_open(kit);
    assert_int_equal(producers_open(&producers, kit->journal,
                                    &(struct producers_source){.configured = nobody_configured}),
                     0);
}

/* Also of a test that failed with the gate closed. */
static int end(void **state)
{
    gate_set(true, 0);
    producers_close(producers);
    producers = NULL;
    return kit_teardown(state);
}

static void forget(struct http_reply *reply)
{
    for (size_t i = 0; i < HTTP_HEADERS_MAX; i++)
        free(reply->headers[i].value);
    free(reply->body);
    if (reply->close)
        reply->close(reply->stream);
    memset(reply, 0, sizeof *reply);
}

/* One event of meter/p of that name, as its worker takes it in. */
static void post_named(struct http_reply *reply, const char *name, const char *type,
                       const char *value)
{
    static const struct caller caller = {.role = ROLE_OPERATOR, .account = "prog"};
    struct routes routes = producers_routes(producers);
    char body[160];

    snprintf(body, sizeof body,
             "{\"device\":\"meter\",\"point\":\"p\",\"name\":\"%s\",\"type\":\"%s\","
             "\"events\":[{\"v\":%s}]}",
             name, type, value);
    struct http_request http = {
        .method = "POST", .path = routes.rows[0].path, .body = body, .size = strlen(body)};
    *reply = (struct http_reply){.status = 200};
    routes.rows[0].handle(routes.context, &(struct route_request){.http = &http, .caller = &caller},
                          reply);
    reply->work(reply->work_context, &http, reply);
}

static void post(struct http_reply *reply, const char *type, const char *value)
{
    post_named(reply, "", type, value);
}

/* The number under which the only event of a request is said to be stored. */
static uint64_t number_of(const struct http_reply *reply)
{
    static const char begin[] = "{\"stored\":[";

    assert_int_equal(reply->status, 200);
    assert_memory_equal(reply->body, begin, sizeof begin - 1);
    return strtoull(reply->body + sizeof begin - 1, NULL, 10);
}

static uint64_t stored(struct http_reply *reply)
{
    int64_t until_ns = clock_mono(&clock_system) + KIT_WAIT_NS;

    while (!reply->later(reply->stream, NULL, reply))
        assert_true(clock_mono(&clock_system) < until_ns);
    return number_of(reply);
}

static int64_t value_at(struct kit *kit, uint64_t n)
{
    struct reader *reader;
    struct event event;

    assert_int_equal(reader_open(&reader, kit->journal, n), 0);
    assert_int_equal(reader_next(reader, &event), 1);
    assert_true(event.n == n);
    reader_close(reader);
    return event.value.i;
}

static void stored_as(struct kit *kit, struct http_reply *reply, int64_t value)
{
    assert_int_equal(value_at(kit, stored(reply)), value);
    forget(reply);
}

static void refused_for_now(struct http_reply *reply)
{
    assert_int_equal(reply->status, 503);
    assert_non_null(strstr(reply->body, "not durable yet; ask again"));
    forget(reply);
}

static void an_answer_is_of_one_s_own_events(void **state)
{
    struct kit *kit = *state;
    struct http_reply first, second, third;

    begin(kit);
    post(&first, "integer", "10");
    stored_as(kit, &first, 10);

    /* One that the disk writes while the next two come. */
    gate_set(false, 0);
    post(&first, "integer", "11");
    gate_await();
    post(&second, "integer", "12");
    post(&third, "integer", "13");
    assert_false(first.later(first.stream, NULL, &first));
    gate_set(false, 1);
    assert_int_equal(value_at(kit, stored(&first)), 11);
    gate_await();
    assert_false(second.later(second.stream, NULL, &second));
    assert_false(third.later(third.stream, NULL, &third));
    gate_set(true, 0);
    assert_int_equal(value_at(kit, stored(&third)), 13);
    assert_int_equal(value_at(kit, stored(&second)), 12);
    forget(&first);
    forget(&second);
    forget(&third);

    post(&first, "integer", "14");
    stored_as(kit, &first, 14);
}

static void one_that_gave_up_leaves_its_events_to_nobody(void **state)
{
    struct kit *kit = *state;
    struct http_reply first, second;

    begin(kit);
    gate_set(false, 0);
    post(&first, "integer", "1");
    gate_await();
    forget(&first);
    post(&second, "integer", "2");
    gate_set(true, 0);
    stored_as(kit, &second, 2);
}

static void a_point_is_not_declared_anew_while_something_is_owed(void **state)
{
    struct kit *kit = *state;
    struct http_reply first, second;

    begin(kit);
    post(&first, "integer", "1");
    stored(&first);
    forget(&first);
    gate_set(false, 0);
    post(&first, "integer", "2");
    post(&second, "number", "2.5");
    refused_for_now(&second);
    gate_set(true, 0);
    stored_as(kit, &first, 2);
    post(&second, "number", "2.5");
    stored(&second);
    forget(&second);
}

/* Of a program that sends the next before it is told of the one before. */
static void what_is_stored_is_not_read_again_for_each_that_comes(void **state)
{
    struct kit *kit = *state;
    struct http_reply first, second;
    char value[24];

    begin(kit);
    gate_set(false, 0);
    post(&first, "integer", "1");
    for (int i = 2; i < 20; i++) {
        snprintf(value, sizeof value, "%d", i);
        post(&second, "integer", value); /* the one before is not durable yet */
        gate_set(true, 0);
        uint64_t n = stored(&first);
        gate_set(false, 0);
        assert_int_equal(value_at(kit, n), i - 1);
        assert_true(producers->points[0].base_n >= n);
        forget(&first);
        first = second;
    }
    gate_set(true, 0);
    stored_as(kit, &first, 19);
}

static void after_a_refusal_nothing_is_taken_before_all_is_durable(void **state)
{
    struct kit *kit = *state;
    struct http_reply first, second;

    begin(kit);
    gate_set(false, 0);
    post(&first, "integer", "1");
    gate_await();
    producers->points[0].base_refused--; /* as if the journal had refused one since */
    post(&second, "integer", "2");
    refused_for_now(&second);
    gate_set(true, 0);
    stored_as(kit, &first, 1);
    post(&second, "integer", "3");
    stored_as(kit, &second, 3);
}

/* However long nothing was sent, no more than so many events may come at once. */
static void what_may_be_sent_at_once_has_a_bound(void **state)
{
    struct kit *kit = *state;
    struct http_reply reply;

    begin(kit);
    for (int i = 0; i < 5; i++) {
        post(&reply, "integer", "1");
        stored(&reply);
        const char *credit = strstr(reply.body, "\"credit\":");
        assert_non_null(credit);
        assert_in_range(strtoul(credit + sizeof "\"credit\":" - 1, NULL, 10), 1,
                        PRODUCERS_BURST - 1);
        forget(&reply);
        producers->credits[0].filled_ns -= 60 * NS_PER_S; /* a minute later */
    }
}

static void store_named(const char *name)
{
    struct http_reply reply;

    post_named(&reply, name, "integer", "1");
    assert_int_equal(reply.status, 200);
    stored(&reply);
    forget(&reply);
}

static void assert_refused(const char *name, int status, const char *words)
{
    struct http_reply reply;

    post_named(&reply, name, "integer", "1");
    assert_int_equal(reply.status, status);
    assert_non_null(strstr(reply.body, words));
    assert_int_equal(reply.headers[0].value != NULL, status == 429);
    if (status == 429)
        assert_in_range(strtoul(reply.headers[0].value, NULL, 10), PRODUCERS_ANEW_S - 30,
                        PRODUCERS_ANEW_S);
    forget(&reply);
}

static void let_a_minute_pass(void)
{
    producers->points[0].anew_ns -= PRODUCERS_ANEW_S * NS_PER_S;
}

static void a_point_is_described_otherwise_once_a_minute(void **state)
{
    struct kit *kit = *state;

    begin(kit);
    store_named("first");
    store_named("mended");
    uint32_t count = journal_stream_count(kit->journal);
    assert_refused("12:00:01", 429, "less than a minute ago");
    assert_refused("12:00:02", 429, "less than a minute ago");
    assert_int_equal(journal_stream_count(kit->journal), count);
    store_named("mended");
    let_a_minute_pass();
    store_named("12:01:02");
    assert_int_equal(journal_stream_count(kit->journal), count + 1);
}

static void programs_leave_half_of_the_numbers_to_the_configuration(void **state)
{
    struct kit *kit = *state;
    struct stream stream = {.type = VALUE_F64, .device = "boiler", .point = "flow"};

    begin(kit);
    store_named("a");
    store_named("b");
    producers_close(producers);
    assert_int_equal(producers_open(&producers, kit->journal,
                                    &(struct producers_source){.configured = nobody_configured}),
                     0);
    /* The device, and its point twice. */
    assert_int_equal(producers->declared, 3);

    producers->declared = PRODUCERS_STREAMS_MAX - 1;
    store_named("c");
    let_a_minute_pass();
    assert_refused("d", 409, "as often as this journal has room for");
    store_named("c");
    assert_int_equal(journal_declare(kit->journal, &stream), 0);
}

/* The device was a program's once, and the configuration has more points of it than any may send.
 */
static void a_large_device_that_was_a_programs_keeps_nobody_from_starting(void **state)
{
    struct kit *kit = *state;

    begin(kit);
    store_named("a");
    for (int i = 0; i <= PRODUCERS_POINTS_MAX; i++) {
        struct stream stream = {.device = "meter", .type = VALUE_F64};

        snprintf(stream.point, sizeof stream.point, "p%d", i);
        assert_int_equal(journal_declare(kit->journal, &stream), 0);
    }
    producers_close(producers);
    assert_int_equal(producers_open(&producers, kit->journal,
                                    &(struct producers_source){.configured = nobody_configured}),
                     0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, end)
    const struct CMUnitTest tests[] = {
        TEST(an_answer_is_of_one_s_own_events),
        TEST(one_that_gave_up_leaves_its_events_to_nobody),
        TEST(a_point_is_not_declared_anew_while_something_is_owed),
        TEST(what_is_stored_is_not_read_again_for_each_that_comes),
        TEST(after_a_refusal_nothing_is_taken_before_all_is_durable),
        TEST(what_may_be_sent_at_once_has_a_bound),
        TEST(a_point_is_described_otherwise_once_a_minute),
        TEST(programs_leave_half_of_the_numbers_to_the_configuration),
        TEST(a_large_device_that_was_a_programs_keeps_nobody_from_starting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
