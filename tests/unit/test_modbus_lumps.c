/* Frames out of bytes that adapters and device servers hand over in lumps. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "modbus/listen.h"
#include "unit/sniff_rig.h"

/* An adapter that hands each frame over in two lumps, wherever it cuts, and one that joins frames:
 * the pause is in the frame, and told. */
static void joins_the_lumps_of_a_frame(void **state)
{
    static const int64_t pauses_ns[] = {52 * NS_PER_MS, 900 * NS_PER_MS};
    uint8_t bytes[64];
    size_t asked = rtu(bytes, 7, ask, sizeof ask);
    size_t size = asked + rtu(bytes + asked, 7, answer, sizeof answer);

    (void)state;
    for (size_t cut = 1; cut < 2 * size; cut++) {
        int64_t pause_ns = pauses_ns[cut / size];
        size_t first = cut % size;
        enum sniff_way way = first < asked ? SNIFF_HEARD : SNIFF_RECEIVED;
        struct heard heard;
        struct sniff sniff;
        char expected[200], told[40];

        if (first == 0 || first == asked)
            continue;
        begin(&heard, &sniff, SNIFF_RTU);
        sniff.byte_ns = 0;
        if (way == SNIFF_RECEIVED)
            sniff_feed(&sniff, SNIFF_SENT, NS_PER_S, bytes, asked);
        size_t from = way == SNIFF_RECEIVED ? asked : 0;
        sniff_feed(&sniff, way, NS_PER_S, bytes + from, first - from);
        sniff_feed(&sniff, way, NS_PER_S + pause_ns, bytes + first, size - first);
        snprintf(told, sizeof told, "  in lumps, %d.0 ms apart", (int)(pause_ns / NS_PER_MS));
        snprintf(expected, sizeof expected,
                 "-> unit 7  read holding registers at 100, 2 of them%s\n"
                 "<- unit 7  read holding registers at 100: 1 65535  after 0.0 ms%s\n",
                 first < asked ? told : "", first < asked ? "" : told);
        assert_string_equal(heard.lines, expected);
    }
}

static void joins_a_function_that_nobody_knows(void **state)
{
    struct heard heard;
    struct sniff sniff;
    uint8_t bytes[64];
    size_t size = rtu_unknown(bytes);

    (void)state;
    begin(&heard, &sniff, SNIFF_RTU);
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, bytes, 3);
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S + 100 * NS_PER_MS, bytes + 3, size - 3);
    sniff_flush(&sniff);
    assert_string_equal(heard.lines, "-> unit 7  function 100  in lumps, 93.1 ms apart\n");
    /* Behind noise, and a pause. */
    begin(&heard, &sniff, SNIFF_RTU);
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, (const uint8_t *)"\xFF\0\xFF", 3);
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S + 100 * NS_PER_MS, bytes, size);
    sniff_flush(&sniff);
    assert_string_equal(heard.lines, "?? 3 bytes that are no frame\n-> unit 7  function 100\n");
    /* Without a silence between them: the second one shows where the first one ends. */
    size += rtu(bytes + size, 7, ask, sizeof ask);
    size += rtu(bytes + size, 7, answer, sizeof answer);
    begin(&heard, &sniff, SNIFF_RTU);
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, bytes, size);
    sniff_flush(&sniff);
    assert_string_equal(heard.lines,
                        "-> unit 7  function 100\n"
                        "-> unit 7  read holding registers at 100, 2 of them\n"
                        "<- unit 7  read holding registers at 100: 1 65535  after 1.1 ms\n");
}

/* Half a frame, whose rest never came, is not joined with what stands behind it: with a frame, or
 * with anything later than a second. */
static void does_not_join_what_does_not_belong_together(void **state)
{
    uint8_t bytes[64], half[8];
    size_t size = rtu(bytes, 7, ask, sizeof ask);
    struct heard heard;
    struct sniff sniff;

    (void)state;
    begin(&heard, &sniff, SNIFF_RTU);
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, bytes, 5);
    assert_string_equal(heard.lines, "");
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S + 100 * NS_PER_MS, bytes, size);
    assert_string_equal(heard.lines, "?? 5 bytes that are no frame\n"
                                     "-> unit 7  read holding registers at 100, 2 of them\n");
    begin(&heard, &sniff, SNIFF_RTU);
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, bytes, 5);
    sniff_feed(&sniff, SNIFF_HEARD, 3 * NS_PER_S, bytes + 5, size - 5);
    sniff_flush(&sniff);
    assert_string_equal(heard.lines, "?? 5 bytes that are no frame\n"
                                     "?? 3 bytes that are no frame\n");
    /* Noise that goes on and on waits for no end of its own. */
    begin(&heard, &sniff, SNIFF_RTU);
    memcpy(half, "\x01\x03\xF0", 3);
    for (int i = 0; i < 8; i++)
        sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S + i * 300 * NS_PER_MS, half, 3);
    assert_non_null(strstr(heard.lines, "?? 3 bytes that are no frame\n?? 3 bytes"));
}

/* The rest of a reply, behind a pause, has a right checksum of its own: that one is believed, for
 * nothing then says that both belong together. */
static void believes_a_frame_behind_a_pause(void **state)
{
    static const uint8_t head[] = {7, 3, 16};
    uint8_t bytes[64];
    size_t inner;
    struct heard heard;
    struct sniff sniff;

    (void)state;
    memcpy(bytes, head, sizeof head);
    inner = rtu(bytes + sizeof head, 9, ask, sizeof ask);
    begin(&heard, &sniff, SNIFF_RTU);
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, bytes, sizeof head);
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S + 100 * NS_PER_MS, bytes + sizeof head, inner);
    assert_string_equal(heard.lines, "?? 3 bytes that are no frame\n"
                                     "-> unit 9  read holding registers at 100, 2 of them\n");
}

static void joins_lumps_of_text_and_of_tcp(void **state)
{
    static const uint8_t request[] = {0, 1, 0, 0, 0, 6, 7, 3, 0, 100, 0, 1};
    struct heard heard;
    struct sniff sniff;
    uint8_t bytes[64];
    size_t size = frames_ascii.encode(7, ask, sizeof ask, bytes);

    (void)state;
    begin(&heard, &sniff, SNIFF_ASCII);
    sniff.byte_ns = 0;
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, bytes, 6);
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S + 800 * NS_PER_MS, bytes + 6, size - 6);
    assert_string_equal(heard.lines, "-> unit 7  read holding registers at 100, 2 of them"
                                     "  in lumps, 800.0 ms apart\n");
    begin(&heard, &sniff, SNIFF_TCP);
    heard.json = true;
    sniff.byte_ns = 0;
    sniff_feed(&sniff, SNIFF_SENT, NS_PER_S, request, 5);
    sniff_feed(&sniff, SNIFF_SENT, NS_PER_S + 2500 * NS_PER_MS, request + 5, sizeof request - 5);
    assert_non_null(strstr(heard.lines, "\"pause_us\":2500000,"));
}

/* A master's traffic in lumps is no garbage. */
static void hears_a_master_whose_frames_come_in_lumps(void **state)
{
    struct listen listen;
    uint8_t bytes[16];
    size_t size = rtu(bytes, 7, ask, sizeof ask);

    (void)state;
    listen_init(&listen, SNIFF_RTU, BYTE_NS);
    for (int i = 0; i < 8; i++) {
        listen_feed(&listen, (i + 1) * NS_PER_S, bytes, 3);
        listen_feed(&listen, (i + 1) * NS_PER_S + 60 * NS_PER_MS, bytes + 3, size - 3);
    }
    assert_int_equal(listen_end(&listen), LISTEN_MASTER);
    assert_int_equal(listen.requests, 8);
    assert_int_equal(listen.garbage, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_the_lumps_of_a_frame),
        cmocka_unit_test(joins_a_function_that_nobody_knows),
        cmocka_unit_test(does_not_join_what_does_not_belong_together),
        cmocka_unit_test(believes_a_frame_behind_a_pause),
        cmocka_unit_test(joins_lumps_of_text_and_of_tcp),
        cmocka_unit_test(hears_a_master_whose_frames_come_in_lumps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
