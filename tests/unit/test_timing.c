/* The clock as the daemon looks after it: what the journal and a receiver know of the time, and the
 * alarm while it is not trusted. */
// links: sluice_daemon
#include "unit/journal_kit.h"

#include "config/config.h"
#include "core/status.h"
#include "daemon/timing.h"

/* A gateway with a GNSS receiver; its system's clock is the kit's. */
struct rig {
    struct kit *kit;
    struct timekeeper *keeper;
    struct timing timing;
    struct config config;
    struct generation generation;
    struct running running;
    int64_t set_ns; /* what the clock was set to */
};

static int set(void *context, int64_t wall_ns)
{
    ((struct rig *)context)->set_ns = wall_ns;
    return 0;
}

static void start(struct rig *rig, struct kit *kit)
{
    struct timekeeper_options options = {.system = &kit->clock,
                                         .state_path = kit->folder,
                                         .boot_id = "boot-1",
                                         .keeps_time = true,
                                         .set = set,
                                         .context = rig};

    *rig = (struct rig){.kit = kit};
    assert_int_equal(timekeeper_open(&rig->keeper, &options), 0);
    kit->options.clock = timekeeper_clock(rig->keeper);
    assert_int_equal(journal_open(&kit->journal, &kit->options), 0);
    rig->config.site.time_from = "gps.utc";
    rig->generation.config = &rig->config;
    rig->running = (struct running){.journal = kit->journal,
                                    .clock = timekeeper_clock(rig->keeper),
                                    .timekeeper = rig->keeper,
                                    .current = &rig->generation,
                                    .started_mono_ns = kit->mono_ns};
    timing_begin(&rig->timing, &rig->running);
}

static void end(struct rig *rig)
{
    assert_int_equal(journal_close(rig->kit->journal), 0);
    rig->kit->journal = NULL;
    timekeeper_close(rig->keeper);
}

static void look(struct rig *rig, int64_t after_ns)
{
    kit_pass(rig->kit, after_ns);
    timing_look(&rig->timing, &rig->running);
}

/* The alarms that are stored, oldest first; how many there are. */
static size_t alarms(struct rig *rig, char texts[][256], uint16_t status[], size_t max)
{
    struct reader *reader;
    struct event event;
    size_t count = 0;

    assert_int_equal(journal_flush(rig->kit->journal, KIT_WAIT_NS), 0);
    assert_int_equal(reader_open(&reader, rig->kit->journal, 0), 0);
    while (reader_next(reader, &event) == 1) {
        if (event.kind != EVENT_ALARM || count == max)
            continue;
        snprintf(texts[count], 256, "%.*s", (int)event.value.size, (const char *)event.value.data);
        status[count++] = event.status;
    }
    reader_close(reader);
    return count;
}

static void there_is_an_alarm_while_the_clock_is_not_trusted(void **state)
{
    struct kit *kit = *state;
    char texts[4][256];
    uint16_t status[4];
    struct rig rig;

    kit->wall_ns = 3600 * NS_PER_S;
    kit->trust = CLOCK_UNSET;
    start(&rig, kit);
    look(&rig, 5 * NS_PER_S);
    look(&rig, 50 * NS_PER_S);
    assert_int_equal(alarms(&rig, texts, status, 4), 0); /* a time server needs a moment */
    look(&rig, 15 * NS_PER_S);
    look(&rig, 500 * NS_PER_S);
    assert_int_equal(alarms(&rig, texts, status, 4), 1);
    assert_non_null(strstr(texts[0], "never set"));
    assert_int_equal(status[0], STATUS_GOOD);

    kit->wall_ns = CLOCK_RELEASED_NS + NS_PER_S;
    kit->trust = CLOCK_SYNCHRONISED;
    look(&rig, 5 * NS_PER_S);
    look(&rig, 5 * NS_PER_S);
    assert_int_equal(alarms(&rig, texts, status, 4), 2);
    assert_int_equal(status[1], STATUS_OVER);
    end(&rig);
}

static void a_trusted_clock_raises_none(void **state)
{
    char texts[4][256];
    uint16_t status[4];
    struct rig rig;

    start(&rig, *state);
    look(&rig, 500 * NS_PER_S);
    assert_int_equal(alarms(&rig, texts, status, 4), 0);
    end(&rig);
}

static void read_utc(struct rig *rig, uint32_t stream, double seconds, uint16_t status)
{
    struct event event = {.kind = EVENT_READING,
                          .stream = stream,
                          .mono_ns = rig->kit->mono_ns,
                          .status = status,
                          .value = {.type = VALUE_F64, .f = seconds, .decimals = 2}};

    assert_int_equal(journal_put(rig->kit->journal, &event), 0);
    assert_int_equal(journal_flush(rig->kit->journal, KIT_WAIT_NS), 0);
}

static void a_reading_of_the_receiver_sets_it(void **state)
{
    struct stream stream = {.type = VALUE_F64, .device = "gps", .point = "utc", .unit = "s"};
    struct kit *kit = *state;
    double now = (double)(kit->wall_ns / NS_PER_S);
    struct rig rig;

    kit->wall_ns = 3600 * NS_PER_S;
    kit->trust = CLOCK_UNSET;
    start(&rig, kit);
    look(&rig, 5 * NS_PER_S); /* there is no such stream yet */
    assert_int_equal(journal_declare(kit->journal, &stream), 0);
    read_utc(&rig, stream.number, now, STATUS_BAD);
    look(&rig, NS_PER_S);
    assert_int_equal(rig.set_ns, 0);
    read_utc(&rig, stream.number, now + 0.25, STATUS_GOOD);
    look(&rig, 3 * NS_PER_S);
    timekeeper_step(rig.keeper);
    end(&rig); /* waits for the thread that sets it */
    assert_int_equal(rig.set_ns / NS_PER_MS, (int64_t)(now * 1e3) + 3250);
}

static void one_that_was_read_before_the_start_does_not(void **state)
{
    struct stream stream = {.type = VALUE_F64, .device = "gps", .point = "utc", .unit = "s"};
    struct kit *kit = *state;
    double now = (double)(kit->wall_ns / NS_PER_S);
    struct rig rig;

    kit->wall_ns = 3600 * NS_PER_S;
    kit->trust = CLOCK_UNSET;
    start(&rig, kit);
    assert_int_equal(journal_declare(kit->journal, &stream), 0);
    read_utc(&rig, stream.number, now, STATUS_GOOD);
    kit_pass(kit, NS_PER_S);
    rig.running.started_mono_ns = kit->mono_ns;
    look(&rig, 5 * NS_PER_S);
    end(&rig);
    assert_int_equal(rig.set_ns, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(there_is_an_alarm_while_the_clock_is_not_trusted),
        TEST(a_trusted_clock_raises_none),
        TEST(a_reading_of_the_receiver_sets_it),
        TEST(one_that_was_read_before_the_start_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
