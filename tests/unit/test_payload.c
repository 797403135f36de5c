/* What goes over the wire: golden messages. */
// links: sluice_uplink
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/status.h"
#include "uplink/payload.h"
#include "uplink/snapshot.h"
#include "uplink/url.h"

/* In the place of the journal's functions: the streams and figures of the tests. */
static const struct stream streams[] = {
    {.number = 1,
     .type = VALUE_F64,
     .decimals = 2,
     .device = "incomer",
     .point = "power",
     .unit = "kW"},
    {.number = 2,
     .type = VALUE_F64,
     .decimals = DECIMALS_SHORTEST_F32,
     .device = "boiler",
     .point = "flow",
     .unit = "m3/h"},
    {.number = 3, .type = VALUE_I64, .device = "boiler", .point = "mode"},
    {.number = 4, .type = VALUE_BOOL, .device = "boiler"},
};

const struct stream *journal_stream(const struct journal *journal, uint32_t number,
                                    struct stream *stream)
{
    (void)journal;
    if (number < 1 || number > sizeof(streams) / sizeof(streams[0]))
        return NULL;
    *stream = streams[number - 1];
    return stream;
}

uint32_t journal_stream_count(const struct journal *journal)
{
    (void)journal;
    return sizeof(streams) / sizeof(streams[0]);
}

uint32_t journal_find(const struct journal *journal, const char *device, const char *point)
{
    uint32_t found = 0;

    (void)journal;
    for (uint32_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
        if (strcmp(streams[i].device, device) == 0 && strcmp(streams[i].point, point) == 0)
            found = i + 1;
    return found;
}

void journal_stats(const struct journal *journal, struct journal_stats *stats)
{
    (void)journal;
    *stats = (struct journal_stats){
        .epoch = 0x9f2c61d0, .newest = 48212, .produced = 48213, .stored = 48212};
}

void cursor_each(const struct journal *journal,
                 void (*each)(void *context, const struct cursor_ledger *ledger), void *context)
{
    const struct cursor_ledger ledgers[] = {
        {.name = "uplink/cloud",
         .acked = 47200,
         .pending = 12,
         .dropped = {[GAP_RETENTION] = 1000, [GAP_POISON] = 1}},
        {.name = "rules/a"},
        {.name = "uplink/local"},
    };

    (void)journal;
    for (size_t i = 0; i < 3; i++)
        each(context, &ledgers[i]);
}

static const char text_value[] = "wei\xc3\x9f \"x\"\n";
static struct gap retention = {
    .first = 41000, .last = 41999, .count = 1000, .reason = GAP_RETENTION};
static struct gap crash = {.extent_ms = 250, .reason = GAP_CRASH};

#define AT INT64_C(1795448359120)

static const struct {
    struct event event;
    bool uncertain;
    const char *json;
} events[] = {
    {{.n = 48206,
      .stream = 1,
      .kind = EVENT_READING,
      .value = {.type = VALUE_F64, .f = 18.420000000000002}},
     false,
     "{\"n\":48206,\"k\":\"reading\",\"d\":\"incomer\",\"p\":\"power\",\"t\":1795448359120,\"v\":"
     "18.42,"
     "\"q\":\"good\"}"},
    {{.n = 7, .stream = 2, .kind = EVENT_READING, .value = {.type = VALUE_F64, .f = (double)0.1f}},
     false,
     "{\"n\":7,\"k\":\"reading\",\"d\":\"boiler\",\"p\":\"flow\",\"t\":1795448359120,\"v\":0.1,"
     "\"q\":\"good\"}"},
    {{.n = 8,
      .stream = 1,
      .kind = EVENT_READING,
      .status = STATUS_TIMEOUT,
      .value = {.type = VALUE_F64, .f = 3}},
     false,
     "{\"n\":8,\"k\":\"reading\",\"d\":\"incomer\",\"p\":\"power\",\"t\":1795448359120,\"v\":null,"
     "\"q\":\"bad\",\"why\":\"timeout\"}"},
    {{.n = 9,
      .stream = 3,
      .kind = EVENT_READING,
      .value = {.type = VALUE_I64, .i = INT64_C(9007199254740993)}},
     false,
     "{\"n\":9,\"k\":\"reading\",\"d\":\"boiler\",\"p\":\"mode\",\"t\":1795448359120,"
     "\"v\":\"9007199254740993\",\"q\":\"good\"}"},
    {{.n = 10, .stream = 3, .kind = EVENT_READING, .value = {.type = VALUE_I64, .i = -5}},
     true,
     "{\"n\":10,\"k\":\"reading\",\"d\":\"boiler\",\"p\":\"mode\",\"t\":1795448359120,\"v\":-5,"
     "\"q\":\"uncertain\",\"why\":\"clock unset\"}"},
    {{.n = 11,
      .stream = 4,
      .kind = EVENT_STATE,
      .status = STATUS_TIMEOUT,
      .value = {.type = VALUE_BOOL, .b = false}},
     false,
     "{\"n\":11,\"k\":\"state\",\"d\":\"boiler\",\"t\":1795448359120,\"v\":false,\"q\":\"good\","
     "\"why\":\"timeout\"}"},
    {{.n = 12,
      .kind = EVENT_ALARM,
      .value = {.type = VALUE_TEXT, .data = text_value, .size = sizeof(text_value) - 1}},
     false,
     "{\"n\":12,\"k\":\"alarm\",\"t\":1795448359120,\"v\":\"wei\xc3\x9f "
     "\\\"x\\\"\\n\",\"q\":\"good\"}"},
    {{.n = 48212, .kind = EVENT_GAP, .value = {.type = VALUE_GAP, .gap = &retention}},
     false,
     "{\"n\":48212,\"k\":\"gap\",\"t\":1795448359120,\"lost\":[41000,41999],\"count\":1000,"
     "\"why\":\"retention\"}"},
    {{.n = 13, .kind = EVENT_GAP, .value = {.type = VALUE_GAP, .gap = &crash}},
     false,
     "{\"n\":13,\"k\":\"gap\",\"t\":1795448359120,\"extent_ms\":250,\"why\":\"crash\"}"},
    {{.n = 14,
      .kind = EVENT_CLOCK,
      .value = {.type = VALUE_I64, .i = INT64_C(1795448359120000000)}},
     false,
     "{\"n\":14,\"k\":\"clock\",\"t\":1795448359120,\"v\":1795448359120,\"q\":\"good\"}"},
    {{.n = 15, .stream = 99, .kind = EVENT_READING, .value = {.type = VALUE_BOOL, .b = true}},
     false,
     "{\"n\":15,\"k\":\"reading\",\"t\":1795448359120,\"v\":true,\"q\":\"good\"}"},
};

static void each_kind_of_event_is_written_as_the_contract_says(void **state)
{
    struct labels labels = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        struct event event = events[i].event;
        char out[1024];
        struct text text;

        event.wall_ns = AT * 1000000 + 999999;
        text_init(&text, out, sizeof(out));
        payload_event(&text, &event, labels_find(&labels, event.stream), events[i].uncertain);
        assert_false(text.cut);
        assert_string_equal(out, events[i].json);
    }
    labels_close(&labels);
}

static struct event reading(uint64_t n, uint32_t epoch)
{
    return (struct event){.n = n,
                          .epoch = epoch,
                          .stream = 3,
                          .kind = EVENT_READING,
                          .wall_ns = AT * 1000000,
                          .value = {.type = VALUE_I64, .i = 1}};
}

static void a_batch_covers_what_it_holds_and_what_is_not_published(void **state)
{
    struct labels labels = {0};
    struct batch batch;
    struct event event = reading(103, 0x9f2c61d0);
    const char *payload;
    size_t size;

    (void)state;
    assert_int_equal(batch_open(&batch), 0);
    batch_skip(&batch, 100, 102, 0x9f2c61d0, 5);
    assert_int_equal(batch_add(&batch, 103, &event, labels_find(&labels, 3), false, 7), 0);
    batch_skip(&batch, 104, 105, 0x9f2c61d0, 9);
    event = reading(106, 0x9f2c61d0);
    assert_int_equal(batch_add(&batch, 106, &event, labels_find(&labels, 3), false, 11), 0);
    assert_int_equal(batch.oldest_ns, 5);
    assert_int_equal(batch.events, 2);
    payload = batch_finish(&batch, "plant7", "cloud", &size);
    assert_int_equal(size, strlen(payload));
    assert_string_equal(
        payload,
        "{\"schema\":1,\"gw\":\"plant7\",\"epoch\":\"9f2c61d0\",\"uplink\":\"cloud\",\"covers\":["
        "100,106],"
        "\"events\":[{\"n\":103,\"k\":\"reading\",\"d\":\"boiler\",\"p\":\"mode\",\"t\":"
        "1795448359120,"
        "\"v\":1,\"q\":\"good\"},{\"n\":106,\"k\":\"reading\",\"d\":\"boiler\",\"p\":\"mode\","
        "\"t\":1795448359120,\"v\":1,\"q\":\"good\"}]}");
    batch_close(&batch);
    labels_close(&labels);
}

static void a_batch_may_cover_events_without_holding_any(void **state)
{
    struct batch batch;
    size_t size;

    (void)state;
    assert_int_equal(batch_open(&batch), 0);
    batch_skip(&batch, 1, 4, 0xab, 0);
    assert_string_equal(batch_finish(&batch, "g", "u", &size),
                        "{\"schema\":1,\"gw\":\"g\",\"epoch\":\"000000ab\",\"uplink\":\"u\","
                        "\"covers\":[1,4],\"events\":[]}");
    batch_close(&batch);
}

static void a_gap_without_a_number_tells_its_range(void **state)
{
    struct gap gap = {.first = 5, .last = 9, .count = 5, .reason = GAP_POISON};
    struct batch batch;
    size_t size;

    (void)state;
    assert_int_equal(batch_open(&batch), 0);
    assert_int_equal(batch_add_lost(&batch, 5, &gap, 0xab, AT * 1000000, 0), 0);
    assert_string_equal(batch_finish(&batch, "g", "u", &size),
                        "{\"schema\":1,\"gw\":\"g\",\"epoch\":\"000000ab\",\"uplink\":\"u\","
                        "\"covers\":[5,9],\"events\":[{\"k\":\"gap\",\"t\":1795448359120,"
                        "\"lost\":[5,9],\"count\":5,\"why\":\"poison\"}]}");
    batch_close(&batch);
}

static void a_full_batch_stays_whole_and_below_its_limit(void **state)
{
    struct labels labels = {0};
    struct batch batch;
    struct event event;
    const char *payload;
    uint64_t n = 1;
    size_t size;

    (void)state;
    assert_int_equal(batch_open(&batch), 0);
    for (;; n++) {
        event = reading(n, 1);
        if (batch_add(&batch, n, &event, labels_find(&labels, 3), false, 0) != 0)
            break;
    }
    payload = batch_finish(&batch, "plant7", "cloud", &size);
    assert_true(size <= PAYLOAD_SIZE_MAX && size > PAYLOAD_SIZE_MAX - 1024);
    assert_int_equal(batch.last, n - 1);
    assert_int_equal(batch.events, n - 1);
    assert_string_equal(payload + size - 3, "}]}");
    batch_clear(&batch);
    assert_int_equal(batch_add(&batch, n, &event, labels_find(&labels, 3), false, 0), 0);
    assert_int_equal(batch.first, n);
    batch_close(&batch);
    labels_close(&labels);
}

static void an_event_above_the_limit_is_refused_by_an_empty_batch(void **state)
{
    static char long_text[EVENT_VALUE_SIZE_MAX];
    struct labels labels = {0};
    struct event event = {
        .n = 3,
        .kind = EVENT_ALARM,
        .value = {.type = VALUE_TEXT, .data = long_text, .size = sizeof(long_text)}};
    struct batch batch;

    (void)state;
    memset(long_text, 1, sizeof(long_text)); /* six bytes each when escaped */
    assert_int_equal(batch_open(&batch), 0);
    assert_int_equal(batch_add(&batch, 3, &event, labels_find(&labels, 0), false, 0), 0);
    batch_clear(&batch);
    batch.limit = 1000;
    assert_int_equal(batch_add(&batch, 3, &event, labels_find(&labels, 0), false, 0), ERR_FULL);
    assert_int_equal(batch.first, 0);
    batch_close(&batch);
    labels_close(&labels);
}

static void snapshots_are_written_as_the_contract_says(void **state)
{
    const struct site_enum modes[] = {{0, "off"}, {1, "auto"}};
    struct site_point points[] = {{.id = "supply_temp",
                                   .name = "Vorlauf",
                                   .unit = "\xc2\xb0"
                                           "C",
                                   .ucum = "Cel",
                                   .class = "temperature",
                                   .state = "measurement",
                                   .type = VALUE_F64,
                                   .on_change = true,
                                   .every_ns = 1000000000,
                                   .at_least_ns = INT64_C(60000000000)},
                                  {.id = "mode",
                                   .type = VALUE_U64,
                                   .enums = modes,
                                   .enum_count = 2,
                                   .write = {.allowed = true, .minimum = 0, .maximum = 1}}};
    const struct site_device device = {.id = "boiler",
                                       .name = "Kessel",
                                       .vendor = "Acme",
                                       .model = "B7",
                                       .heartbeat_ns = INT64_C(60000000000),
                                       .points = points,
                                       .point_count = 2};
    const struct site site = {.id = "plant7",
                              .name = "Plant 7",
                              .hardware = "SN00412",
                              .board = "",
                              .fingerprint = "b61f02"};
    const struct journal_previous previous = {.epoch = 0x11aa09ce,
                                              .last = 903311,
                                              .newest_ns = INT64_C(1795448100000) * 1000000,
                                              .why = "unclean start"};
    char out[2048];
    struct text text;

    (void)state;
    text_init(&text, out, sizeof(out));
    snapshot_status(&text, 412, INT64_C(1795448300000) * 1000000, NULL);
    assert_string_equal(
        out, "{\"schema\":1,\"state\":\"online\",\"session\":412,\"since\":1795448300000}");
    text_init(&text, out, sizeof(out));
    snapshot_status(&text, 412, 0, "connection lost");
    assert_string_equal(out, "{\"schema\":1,\"state\":\"offline\",\"session\":412,"
                             "\"why\":\"connection lost\"}");
    text_init(&text, out, sizeof(out));
    snapshot_meta(&text, &site, 0x9f2c61d0, &previous, 1811000000);
    assert_string_equal(out,
                        "{\"schema\":1,\"id\":\"plant7\",\"name\":\"Plant 7\",\"hw\":\"SN00412\","
                        "\"version\":\"" SLUICE_VERSION "\",\"config\":\"b61f02\","
                        "\"epoch\":\"9f2c61d0\",\"prev\":{\"epoch\":\"11aa09ce\",\"last\":903311,"
                        "\"why\":\"unclean start\",\"t\":1795448100000},"
                        "\"cert_until\":1811000000000}");
    text_init(&text, out, sizeof(out));
    snapshot_device(&text, &device);
    assert_string_equal(
        out,
        "{\"schema\":1,\"id\":\"boiler\",\"name\":\"Kessel\",\"vendor\":\"Acme\",\"model\":\"B7\","
        "\"max_age\":65000,\"points\":{\"supply_temp\":{\"type\":\"number\",\"name\":\"Vorlauf\","
        "\"unit\":\"\xc2\xb0"
        "C\",\"ucum\":\"Cel\",\"class\":\"temperature\",\"state\":\"measurement\","
        "\"max_age\":65000},\"mode\":{\"type\":\"integer\","
        "\"enum\":{\"0\":\"off\",\"1\":\"auto\"},\"write\":{\"min\":0,\"max\":1}}}}");
}

static void ledger_values_and_marks_are_written_as_the_contract_says(void **state)
{
    struct event event = reading(48226, 0x9f2c61d0);
    char out[2048];
    struct text text;

    (void)state;
    text_init(&text, out, sizeof(out));
    snapshot_ledger(&text, NULL);
    assert_string_equal(out,
                        "{\"schema\":1,\"epoch\":\"9f2c61d0\",\"last\":48212,\"produced\":48213,"
                        "\"stored\":48212,\"uplinks\":{\"cloud\":{\"acked\":47200,\"pending\":12,"
                        "\"dropped\":{\"retention\":1000,\"poison\":1}},\"local\":{\"acked\":0,"
                        "\"pending\":0,\"dropped\":{}}}}");
    text_init(&text, out, sizeof(out));
    snapshot_value(&text, &event, &streams[0], false);
    assert_string_equal(out,
                        "{\"schema\":1,\"t\":1795448359120,\"v\":1,\"q\":\"good\",\"unit\":\"kW\","
                        "\"key\":\"9f2c61d0-48226\"}");
    text_init(&text, out, sizeof(out));
    snapshot_mark(&text, 0x9f2c61d0, "local", 48206, 48300, 81);
    assert_string_equal(out, "{\"schema\":1,\"epoch\":\"9f2c61d0\",\"uplink\":\"local\","
                             "\"covers\":[48206,48300],\"count\":81}");
}

static void urls_are_read_or_refused_with_what_is_allowed(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
        bool tls;
    } cases[] = {
        {"mqtt://127.0.0.1", "127.0.0.1", 1883, false},
        {"mqtts://broker.example.com", "broker.example.com", 8883, true},
        {"mqtts://broker.example.com:443/", "broker.example.com", 443, true},
        {"mqtt://[::1]:1884", "::1", 1884, false},
        {"mqtt://[::1", NULL, 0, false},
        {"tcp://host", NULL, 0, false},
        {"mqtt://", NULL, 0, false},
        {"mqtt://:1883", NULL, 0, false},
        {"mqtt://host:", NULL, 0, false},
        {"mqtt://host:0", NULL, 0, false},
        {"mqtt://host:65536", NULL, 0, false},
        {"mqtt://host:18x3", NULL, 0, false},
        {"mqtt://host:0000001883", NULL, 0, false},
        {"mqtt://user:secret@host", NULL, 0, false},
        {"mqtt://user@host", NULL, 0, false},
        {"mqtt://user:sec/secret@host", NULL, 0, false},
        {"mqtt://user:12?secret@host", NULL, 0, false},
        {"mqtt://[user:secret@host", NULL, 0, false},
        {"mqtt:/user:secret@host", NULL, 0, false},
        {"user:secret@host:1883", NULL, 0, false},
        {"mqtt://host/path", NULL, 0, false},
        {"mqtt://host?x", NULL, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct uplink_url url;
        char sentence[256] = "";
        int rc = uplink_url_parse(cases[i].text, &url, sentence, sizeof(sentence));

        assert_int_equal(rc, cases[i].host ? 0 : ERR_INVALID);
        if (rc != 0) {
            assert_non_null(strstr(sentence, "allowed: mqtt://HOST[:PORT]"));
            assert_null(strstr(sentence, "secret"));
            continue;
        }
        assert_string_equal(url.host, cases[i].host);
        assert_int_equal(url.port, cases[i].port);
        assert_int_equal(url.tls, cases[i].tls);
    }
}

static void a_mistyped_proxy_does_not_tell_its_password(void **state)
{
    static const char *const texts[] = {
        "https://user:secret@proxy",  "user:secret@proxy:3128",       "http:/user:secret@proxy",
        "HTTP://user:secret@proxy",   "http://user:1/secret@proxy",   "http://user:1#secret@proxy",
        "http://user:secret@proxy:1", "http://[user:secret@proxy]:1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct uplink_url url;
        char sentence[256] = "";

        assert_int_equal(uplink_proxy_parse(texts[i], &url, sentence, sizeof sentence),
                         ERR_INVALID);
        assert_non_null(strstr(sentence, "proxy_login_file"));
        assert_null(strstr(sentence, "secret"));
    }
}

static void a_device_of_a_program_is_told_by_its_declarations(void **state)
{
    char payload[1024];
    struct text text;

    (void)state;
    text_init(&text, payload, sizeof(payload));
    snapshot_produced(&text, NULL, "boiler");
    assert_string_equal(payload, "{\"schema\":1,\"id\":\"boiler\",\"produced\":true,\"points\":{"
                                 "\"flow\":{\"type\":\"number\",\"unit\":\"m3/h\"},"
                                 "\"mode\":{\"type\":\"integer\"}}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_event_is_written_as_the_contract_says),
        cmocka_unit_test(a_batch_covers_what_it_holds_and_what_is_not_published),
        cmocka_unit_test(a_batch_may_cover_events_without_holding_any),
        cmocka_unit_test(a_gap_without_a_number_tells_its_range),
        cmocka_unit_test(a_full_batch_stays_whole_and_below_its_limit),
        cmocka_unit_test(an_event_above_the_limit_is_refused_by_an_empty_batch),
        cmocka_unit_test(snapshots_are_written_as_the_contract_says),
        cmocka_unit_test(ledger_values_and_marks_are_written_as_the_contract_says),
        cmocka_unit_test(urls_are_read_or_refused_with_what_is_allowed),
        cmocka_unit_test(a_mistyped_proxy_does_not_tell_its_password),
        cmocka_unit_test(a_device_of_a_program_is_told_by_its_declarations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
