/* The daemon's trace as it arrives: in any pieces, and when it is not what it should be. */
// links: sluice_cli
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cli/trace_feed.h"
#include "modbus/describe.h"

static struct sniff sniff;
static struct trace_feed feed;
static char said[4096];
static unsigned notes, lost;

static void on_frame(void *context, const struct sniff_frame *frame)
{
    struct text text;

    (void)context;
    text_init(&text, said + strlen(said), sizeof said - strlen(said));
    describe_words(&text, frame);
    text_string(&text, "\n");
}

static void on_note(void *context, const struct trace_record *record)
{
    (void)context;
    notes++;
    lost += (unsigned)record->lost;
}

static void begin(void)
{
    said[0] = '\0';
    notes = lost = 0;
    trace_feed_init(&feed, &sniff, on_frame, on_note, NULL);
}

static const char trace[] =
    "{\"bus\":\"field\",\"driver\":\"modbus-rtu\",\"byte_ns\":0}\n"
    "{\"t\":1,\"mono_ns\":1000000,\"way\":\"sent\",\"hex\":\"07030064000285\"}\n"
    "{\"t\":1,\"mono_ns\":1000000,\"way\":\"sent\",\"hex\":\"b2\"}\n"
    "{\"t\":1,\"mono_ns\":3500000,\"way\":\"received\",\"hex\":\"0703040001ffff\"}\n"
    "{\"t\":1,\"mono_ns\":3500000,\"way\":\"received\",\"hex\":\"cc43\"}\n"
    "{\"t\":2,\"mono_ns\":4500000,\"way\":\"received\",\"lost\":3,\"hex\":\"07\"}\n"
    "{\"t\":2,\"mono_ns\":5500000,\"way\":\"closed\"}\n";

static void makes_frames_of_lines_in_any_pieces(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < sizeof trace; piece += 13) {
        begin();
        for (size_t at = 0; at < sizeof trace - 1; at += piece)
            assert_true(trace_feed(&feed, trace + at,
                                   piece < sizeof trace - 1 - at ? piece : sizeof trace - 1 - at));
        assert_string_equal(said,
                            "-> unit 7  read holding registers at 100, 2 of them\n"
                            "<- unit 7  read holding registers at 100: 1 65535  after 2.5 ms\n"
                            "?? 1 byte that is no frame\n");
        assert_int_equal(notes, 6);
        assert_int_equal(lost, 3);
    }
}

/* A reply in two lumps, more than a gap within a frame apart. */
static void joins_a_reply_that_comes_in_lumps(void **state)
{
    static const char text[] =
        "{\"bus\":\"field\",\"driver\":\"modbus-rtu\",\"byte_ns\":0}\n"
        "{\"t\":1,\"mono_ns\":1000000,\"way\":\"sent\",\"hex\":\"07030064000285b2\"}\n"
        "{\"t\":1,\"mono_ns\":3500000,\"way\":\"received\",\"hex\":\"0703040001\"}\n"
        "{\"t\":1,\"mono_ns\":203500000,\"way\":\"received\",\"hex\":\"ffffcc43\"}\n";

    (void)state;
    begin();
    assert_true(trace_feed(&feed, text, sizeof text - 1));
    assert_string_equal(said, "-> unit 7  read holding registers at 100, 2 of them\n"
                              "<- unit 7  read holding registers at 100: 1 65535  after 2.5 ms"
                              "  in lumps, 200.0 ms apart\n");
}

/* What is no echo stays, also where it began as one. */
static void leaves_the_echo_of_a_request_out(void **state)
{
    static const char first[] = "{\"driver\":\"modbus-rtu\",\"byte_ns\":0,\"echo\":true}\n";
    static const char asked[] = "{\"mono_ns\":1000000,\"way\":\"sent\",\"hex\":"
                                "\"07030064000285b2\"}\n";
    static const char *const answers[] = {
        "{\"mono_ns\":2000000,\"way\":\"received\",\"hex\":\"070300\"}\n"
        "{\"mono_ns\":2000000,\"way\":\"received\",\"hex\":\"64000285b20703040001ffffcc43\"}\n",
        "{\"mono_ns\":2000000,\"way\":\"received\",\"hex\":\"0703\"}\n"
        "{\"mono_ns\":2000000,\"way\":\"received\",\"hex\":\"040001ffffcc43\"}\n"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        begin();
        assert_true(trace_feed(&feed, first, sizeof first - 1));
        assert_true(trace_feed(&feed, asked, sizeof asked - 1));
        assert_true(trace_feed(&feed, answers[i], strlen(answers[i])));
        assert_string_equal(said,
                            "-> unit 7  read holding registers at 100, 2 of them\n"
                            "<- unit 7  read holding registers at 100: 1 65535  after 1.0 ms\n");
    }
}

static void refuses_what_is_no_trace(void **state)
{
    static const char *const texts[] = {
        "nonsense\n", "{}\n{}\n", "{}\n{\"way\":\"sideways\"}\n", "{}\n[]\n", "{}\n\n",
    };
    static char longest[TRACE_LINE_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        begin();
        assert_false(trace_feed(&feed, texts[i], strlen(texts[i])));
    }
    begin();
    memset(longest, ' ', sizeof longest);
    assert_false(trace_feed(&feed, longest, sizeof longest));
}

/* Numbers and digits as a broken or hostile daemon may send them. */
static void survives_odd_values(void **state)
{
    static const char *const lines[] = {
        "{\"driver\":7,\"byte_ns\":-1}\n",
        "{\"driver\":\"modbus-tcp\",\"byte_ns\":1e300}\n",
        "{\"driver\":\"modbus-ascii\",\"byte_ns\":\"x\"}\n",
    };
    static const char *const records[] = {
        "{\"way\":\"sent\",\"t\":-5,\"mono_ns\":1e308,\"hex\":\"zz\"}\n",
        "{\"way\":\"received\",\"t\":9e17,\"mono_ns\":9e17,\"hex\":\"0\"}\n",
        "{\"way\":\"received\",\"lost\":-3,\"hex\":\"00010000ffff0703\"}\n",
        "{\"way\":\"sent\",\"mono_ns\":5,\"hex\":\"3a3a0d0a\"}\n",
        "{\"way\":\"opened\",\"hex\":7}\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        begin();
        assert_true(trace_feed(&feed, lines[i], strlen(lines[i])));
        for (size_t k = 0; k < sizeof records / sizeof records[0]; k++)
            assert_true(trace_feed(&feed, records[k], strlen(records[k])));
        sniff_flush(&sniff);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_frames_of_lines_in_any_pieces),
        cmocka_unit_test(joins_a_reply_that_comes_in_lumps),
        cmocka_unit_test(leaves_the_echo_of_a_request_out),
        cmocka_unit_test(refuses_what_is_no_trace),
        cmocka_unit_test(survives_odd_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
