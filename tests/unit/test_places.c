/* The uplinks' places in the journal, from one configuration to the next and over a power cut. */
// links: sluice_daemon
#include "unit/journal_kit.h"

#include "core/text.h"
#include "daemon/places.h"

#define A "mqtt://a"
#define B "mqtt://b"

/* One uplink, in the configuration with a fingerprint. */
struct plan {
    const char *fingerprint, *id, *was, *url; /* id NULL: there is none */
};

struct rig {
    struct kit *kit;
    uint32_t stream;
    struct running running;
    struct generation generation;
    struct config config;
    struct config_uplink uplink;
    struct uplink_options options;
    struct running_uplink entry, before;
    struct config_uplink uplink_before;
    struct uplink_options options_before;
};

static struct rig rig;

static void begin(void **state)
{
    memset(&rig, 0, sizeof rig);
    rig.kit = *state;
    kit_open(rig.kit);
    rig.stream = kit_declare(rig.kit, "boiler", "supply_temp");
    kit_fill(rig.kit, rig.stream, 0, 20);
    rig.running.journal = rig.kit->journal;
    rig.running.clock = &rig.kit->clock;
    rig.running.current = &rig.generation;
    rig.generation.config = &rig.config;
}

/* What running_apply does with one uplink that each plan starts anew, which then acknowledges all
 * up to `last`. */
static void apply(struct plan plan, bool trial, uint64_t last)
{
    struct cursor *cursor;
    struct running_uplink *stopped = NULL;

    if (rig.entry.config) {
        rig.before = rig.entry;
        rig.uplink_before = rig.uplink;
        rig.options_before = rig.options;
        rig.uplink_before.options = &rig.options_before;
        rig.before.config = &rig.uplink_before;
        stopped = &rig.before;
    }
    rig.options = (struct uplink_options){.id = plan.id, .was = plan.was, .url = plan.url};
    rig.uplink = (struct config_uplink){.id = plan.id, .options = &rig.options};
    rig.config = (struct config){.site = {.fingerprint = plan.fingerprint},
                                 .uplinks = &rig.uplink,
                                 .uplink_count = plan.id ? 1 : 0};
    memset(&rig.entry, 0, sizeof rig.entry);
    rig.running.uplinks = NULL;
    rig.running.trial = trial;
    if (!trial)
        places_settle(&rig.running, stopped);
    if (plan.id) {
        rig.entry.config = &rig.uplink;
        assert_int_equal(places_take(&rig.running, &rig.entry), 0);
        assert_int_equal(cursor_open(&cursor, rig.kit->journal, rig.entry.place, CURSOR_AT_OLDEST),
                         0);
        if (last)
            assert_int_equal(cursor_ack(cursor, 1, last), 0);
        cursor_close(cursor);
        rig.running.uplinks = &rig.entry;
    }
    if (!trial)
        places_give_up(&rig.running);
}

static void keep(void)
{
    rig.running.trial = false;
    places_settle(&rig.running, NULL);
    places_give_up(&rig.running);
}

/* Everything begins anew, with what the journal has. */
static void restart(void)
{
    kit_fill(rig.kit, rig.stream, 20, 1); /* what the cursors did rides on that */
    kit_crash(rig.kit);
    kit_open(rig.kit);
    rig.running.journal = rig.kit->journal;
    memset(&rig.entry, 0, sizeof rig.entry);
    rig.running.uplinks = NULL;
}

static void put_place(void *context, const struct cursor_ledger *ledger)
{
    struct text *text = context;

    text_printf(text, "%s%s%s %u", text->size ? ", " : "", ledger->name, *ledger->trial ? "?" : "",
                (unsigned)ledger->low);
}

/* "uplink/cloud 5": where each is; "?": on trial. */
static void stand(const char *wanted)
{
    char found[256] = "";
    struct text text;

    text_init(&text, found, sizeof found);
    cursor_each(rig.kit->journal, put_place, &text);
    assert_string_equal(found, wanted);
}

static const struct plan cloud = {"0000000a", "cloud", NULL, A},
                         removed = {"0000000b", NULL, NULL, NULL},
                         renamed = {"0000000c", "cloud2", "cloud", A},
                         elsewhere = {"0000000d", "cloud", NULL, B},
                         slower = {"0000000e", "cloud", NULL, A},
                         both = {"0000000f", "cloud2", "cloud", B};

/* What stands while the change waits, when it went back, when it was confirmed, and when the power
 * failed before and after that. */
static void each_change_ends_as_it_was_decided(void **state)
{
    static const struct {
        struct plan change;
        const char *waits, *back, *kept, *cut_back, *cut_kept;
    } cases[] = {
        {removed, "uplink/cloud 5", "uplink/cloud 5", "", "uplink/cloud 5", ""},
        {renamed, "uplink/cloud 5, uplink/cloud2? 8", "uplink/cloud 8", "uplink/cloud2 8",
         "uplink/cloud 5", "uplink/cloud2 8"},
        {elsewhere, "uplink/cloud? 8", "uplink/cloud 5", "uplink/cloud 8", "uplink/cloud 5",
         "uplink/cloud 8"},
        {slower, "uplink/cloud? 8", "uplink/cloud 8", "uplink/cloud 8", "uplink/cloud 5",
         "uplink/cloud 8"},
        {both, "uplink/cloud 5, uplink/cloud2? 8", "uplink/cloud 5", "uplink/cloud2 8",
         "uplink/cloud 5", "uplink/cloud2 8"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int end = 0; end < 4; end++) {
            begin(state);
            apply(cloud, false, 4);
            apply(cases[i].change, true, 7);
            stand(cases[i].waits);
            if (end == 0)
                apply(cloud, false, 0);
            else if (end == 1)
                keep();
            else
                restart();
            if (end >= 2)
                apply(end == 2 ? cloud : cases[i].change, false, 0);
            stand(end == 0   ? cases[i].back
                  : end == 1 ? cases[i].kept
                  : end == 2 ? cases[i].cut_back
                             : cases[i].cut_kept);
            kit_close(rig.kit);
            kit_teardown(state);
            assert_int_equal(kit_setup(state), 0);
        }
    }
}

static void a_trial_goes_on_when_everything_restarts(void **state)
{
    begin(state);
    apply(cloud, false, 4);
    apply(renamed, true, 7);
    restart();
    apply(renamed, true, 9);
    stand("uplink/cloud 5, uplink/cloud2? 10");
    keep();
    stand("uplink/cloud2 10");
}

static void a_second_change_begins_at_the_place_again(void **state)
{
    begin(state);
    apply(cloud, false, 4);
    apply(elsewhere, true, 7);
    apply(slower, true, 0);
    stand("uplink/cloud? 5");
    apply(cloud, false, 0);
    stand("uplink/cloud 5");
}

static void an_earlier_id_that_another_uplink_has_is_not_taken(void **state)
{
    struct config_uplink uplinks[2];
    struct running_uplink entry = {.config = &uplinks[1]};

    begin(state);
    apply(cloud, false, 4);
    struct uplink_options options = {.id = "cloud2", .was = "cloud", .url = A};
    uplinks[0] = rig.uplink;
    uplinks[1] = (struct config_uplink){.id = "cloud2", .options = &options};
    rig.config.uplinks = uplinks;
    rig.config.uplink_count = 2;
    assert_int_equal(places_take(&rig.running, &entry), 0);
    assert_string_equal(entry.place, "uplink/cloud2");
    stand("uplink/cloud 5");
}

static void what_could_not_be_started_keeps_its_place(void **state)
{
    begin(state);
    apply(cloud, false, 4);
    rig.entry.config = NULL;
    rig.running.uplinks = NULL;
    rig.options = (struct uplink_options){.id = "cloud2", .was = "cloud", .url = A};
    rig.uplink.id = "cloud2";
    places_give_up(&rig.running);
    stand("uplink/cloud 5");
}

/* The alarms that are stored, as "sentence|sentence". */
static void alarms(char *out, size_t size)
{
    struct reader *reader;
    struct event event;
    struct text text;

    kit_flush(rig.kit);
    text_init(&text, out, size);
    assert_int_equal(reader_open(&reader, rig.kit->journal, 1), 0);
    while (reader_next(reader, &event) > 0) {
        if (event.kind == EVENT_ALARM)
            text_printf(&text, "%s%.*s", text.size ? "|" : "", (int)event.value.size,
                        (const char *)event.value.data);
    }
    reader_close(reader);
}

static void a_place_that_is_given_up_tells_what_was_to_be_delivered(void **state)
{
    char told[512] = "";

    begin(state);
    uint64_t newest = journal_durable(rig.kit->journal, NULL);
    apply(cloud, false, newest);
    apply(removed, false, 0);
    stand("");
    alarms(told, sizeof told);
    assert_string_equal(told, "");
    apply(cloud, false, newest - 2);
    apply(removed, true, 0);
    alarms(told, sizeof told);
    assert_string_equal(told, "");
    keep();
    stand("");
    alarms(told, sizeof told);
    assert_non_null(strstr(told, "uplink cloud: its place in the journal is given up"));
    assert_non_null(strstr(told, "2 events from number"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_change_ends_as_it_was_decided),
        TEST(a_trial_goes_on_when_everything_restarts),
        TEST(a_second_change_begins_at_the_place_again),
        TEST(an_earlier_id_that_another_uplink_has_is_not_taken),
        TEST(what_could_not_be_started_keeps_its_place),
        TEST(a_place_that_is_given_up_tells_what_was_to_be_delivered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
