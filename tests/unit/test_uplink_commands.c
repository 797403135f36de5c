/* Commands between the broker and the desk: which are handed over, as what, and that their answers
 * go out. */
// links: sluice_uplink
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/fake_broker.h"
#include "unit/fake_journal.h"
#include "uplink/internal.h"
#include "uplink/uplink.h"

#define DEADLINE_S 60
#define TOPIC      "sluice/plant7/cmd"

static const struct site site = {.id = "plant7", .fingerprint = "b61f02"};

/* A desk that only remembers, and answers when it is told to. */
static struct {
    struct command_desk base;
    pthread_mutex_t lock;
    struct command_sender *sender;
    struct command_delivery delivery;
    char json[256];
    unsigned submitted, joined, left;
} desk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_submit(struct command_desk *base, struct command_sender *sender, const char *json,
                      size_t size, const struct command_delivery *delivery)
{
    assert_ptr_equal(base, &desk.base);
    pthread_mutex_lock(&desk.lock);
    desk.sender = sender;
    desk.delivery = *delivery;
    snprintf(desk.json, sizeof desk.json, "%.*s", (int)size, json);
    desk.submitted++;
    pthread_mutex_unlock(&desk.lock);
}

static void on_join(struct command_desk *base, struct command_sender *sender)
{
    (void)base;
    desk.sender = sender;
    desk.joined++;
}

static void on_leave(struct command_desk *base, struct command_sender *sender)
{
    (void)base;
    assert_ptr_equal(sender, desk.sender);
    desk.left++;
}

static const struct command_desk_ops ops = {
    .submit = on_submit, .join = on_join, .leave = on_leave};

static struct uplink_options options;

static int begin(void **state)
{
    (void)state;
    fake_reset();
    broker_reset();
    desk.base.ops = &ops;
    desk.submitted = desk.joined = desk.left = 0;
    options = (struct uplink_options){.id = "cloud",
                                      .first = true,
                                      .url = "mqtt://127.0.0.1",
                                      .root = "sluice",
                                      .commands = true,
                                      .desk = &desk.base,
                                      .keep_alive_ns = 30 * NS_PER_S,
                                      .connect_timeout_ns = NS_PER_S,
                                      .window = 64,
                                      .tls_minimum = 12};
    return 0;
}

static void await(bool (*condition)(unsigned count), unsigned count, const char *what)
{
    int64_t until_ns = clock_mono(&clock_system) + DEADLINE_S * NS_PER_S;
    struct timespec pause = {.tv_nsec = 1000000};

    while (!condition(count) && clock_mono(&clock_system) < until_ns)
        nanosleep(&pause, NULL);
    if (!condition(count))
        fail_msg("%s", what);
}

static bool has_submitted(unsigned count)
{
    bool has;

    pthread_mutex_lock(&desk.lock);
    has = desk.submitted >= count;
    pthread_mutex_unlock(&desk.lock);
    return has;
}

static bool has_results(unsigned count)
{
    bool has;

    pthread_mutex_lock(&broker.lock);
    has = broker.result_count >= count;
    pthread_mutex_unlock(&broker.lock);
    return has;
}

static bool is_online(unsigned count)
{
    bool is;

    pthread_mutex_lock(&broker.lock);
    is = broker.count >= count; /* the status is the first message */
    pthread_mutex_unlock(&broker.lock);
    return is;
}

static struct uplink *start(void)
{
    struct uplink *uplink = NULL;

    assert_int_equal(uplink_start(&uplink, NULL, &site, &options, &clock_system), 0);
    await(is_online, 1, "the uplink is online");
    return uplink;
}

static void a_command_is_handed_over_with_how_it_came(void **state)
{
    struct uplink *uplink;

    (void)state;
    broker.forgets = true; /* no session: nothing can have waited in it */
    uplink = start();
    broker_deliver(TOPIC, "{\"id\":\"1\"}", false);
    await(has_submitted, 1, "the command is handed over");
    assert_string_equal(desk.json, "{\"id\":\"1\"}");
    assert_string_equal(desk.sender->by, "mqtt:cloud");
    assert_true(desk.sender->remote);
    assert_false(desk.delivery.retained);
    assert_false(desk.delivery.late);
    broker_deliver(TOPIC, "{\"id\":\"2\"}", true);
    await(has_submitted, 2, "the retained one, too");
    assert_true(desk.delivery.retained);
    broker_deliver("sluice/plant7/data", "{\"id\":\"3\"}", false);
    broker_deliver(TOPIC, "{\"id\":\"4\"}", false);
    await(has_submitted, 3, "what came on the topic only");
    assert_string_equal(desk.json, "{\"id\":\"4\"}");
    uplink_stop(uplink, NS_PER_S);
    assert_int_equal(desk.left, 1);
}

static void what_a_kept_session_delivers_may_be_late(void **state)
{
    struct uplink *uplink;

    (void)state;
    uplink = start();
    broker_deliver(TOPIC, "{\"id\":\"1\"}", false);
    await(has_submitted, 1, "the command is handed over");
    assert_true(desk.delivery.late);
    uplink_stop(uplink, NS_PER_S);
}

static void answers_go_out_in_order_on_a_topic_of_their_own(void **state)
{
    struct uplink *uplink;

    (void)state;
    uplink = start();
    desk.sender->answer(desk.sender, "{\"id\":\"1\",\"accepted\":true}", 26, false);
    desk.sender->answer(desk.sender, "{\"id\":\"1\",\"ok\":true}", 20, true);
    await(has_results, 2, "both answers");
    assert_string_equal(broker.results[0], "{\"id\":\"1\",\"accepted\":true}");
    assert_string_equal(broker.results[1], "{\"id\":\"1\",\"ok\":true}");
    for (size_t i = 0; i < broker.count; i++)
        assert_false(strcmp(broker.messages[i].topic, "sluice/plant7/result") == 0 &&
                     broker.messages[i].retained);
    uplink_stop(uplink, NS_PER_S);
}

static void an_uplink_that_may_not_takes_no_commands(void **state)
{
    struct uplink *uplink;

    (void)state;
    options.commands = false;
    uplink = start();
    broker_deliver(TOPIC, "{\"id\":\"1\"}", false);
    uplink_stop(uplink, NS_PER_S);
    assert_int_equal(desk.submitted, 0);
    assert_int_equal(desk.joined, 0);
    assert_int_equal(broker.subscriptions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_command_is_handed_over_with_how_it_came, begin),
        cmocka_unit_test_setup(what_a_kept_session_delivers_may_be_late, begin),
        cmocka_unit_test_setup(answers_go_out_in_order_on_a_topic_of_their_own, begin),
        cmocka_unit_test_setup(an_uplink_that_may_not_takes_no_commands, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
