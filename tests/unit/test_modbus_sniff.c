/* Frames out of what is heard on a line, what they are said to mean, and what a line is said to
 * carry. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "modbus/listen.h"
#include "unit/sniff_rig.h"

static const uint8_t refusal[] = {0x83, 2};

/* A request and its reply, byte after byte, in one lump, and in lumps of every size. */
static void finds_frames_however_the_bytes_come(void **state)
{
    uint8_t bytes[64];
    size_t size = rtu(bytes, 7, ask, sizeof ask);

    (void)state;
    size += rtu(bytes + size, 7, answer, sizeof answer);
    for (size_t lump = 1; lump <= size; lump++) {
        struct heard heard;
        struct sniff sniff;
        int64_t at = 1000 * BYTE_NS;

        begin(&heard, &sniff, SNIFF_RTU);
        for (size_t done = 0; done < size; done += lump) {
            size_t now = lump < size - done ? lump : size - done;

            at += (int64_t)now * BYTE_NS;
            sniff_feed(&sniff, SNIFF_HEARD, at, bytes + done, now);
        }
        assert_string_equal(heard.lines,
                            "-> unit 7  read holding registers at 100, 2 of them\n"
                            "<- unit 7  read holding registers at 100: 1 65535  after 1.1 ms\n");
    }
}

static void tells_each_function_in_words(void **state)
{
    static const struct {
        uint8_t request[16];
        size_t request_size;
        uint8_t reply[24];
        size_t reply_size;
        const char *lines;
    } cases[] = {
        {{1, 0, 8, 0, 3}, 5, {1, 1, 5}, 3, "read coils at 8, 3 of them\nread coils at 8: 1 0 1"},
        {{4, 0, 0, 0, 1},
         5,
         {0x84, 2},
         2,
         "read input registers at 0, 1 of them\nread input registers: "
         "exception 2, the device has no such register"},
        {{5, 0, 3, 0xFF, 0}, 5, {5, 0, 3, 0xFF, 0}, 5, "write coil at 3: 1\nwrite coil at 3: 1"},
        {{6, 0, 9, 1, 0},
         5,
         {6, 0, 9, 1, 0},
         5,
         "write register at 9: 256\nwrite register at 9: 256"},
        {{15, 0, 1, 0, 2, 1, 2},
         7,
         {15, 0, 1, 0, 2},
         5,
         "write coils at 1, 2 of them: 0 1\nwrite coils at "
         "1, 2 of them"},
        {{16, 0, 20, 0, 2, 4, 0x40, 0, 0, 1},
         10,
         {16, 0, 20, 0, 2},
         5,
         "write registers at 20, 2 of them: 16384 1\nwrite registers at 20, 2 of them"},
        {{22, 0, 4, 0, 0xF2, 0, 0x25},
         7,
         {22, 0, 4, 0, 0xF2, 0, 0x25},
         7,
         "mask register at 4: 242 37\nmask register at 4: 242 37"},
        {{23, 0, 1, 0, 2, 0, 9, 0, 1, 2, 0, 7},
         12,
         {23, 4, 0, 1, 0, 2},
         6,
         "write and read registers at 1, 2 of them: 7\nwrite and read registers at 1: 1 2"},
        {{43, 14, 1, 0},
         4,
         {43, 14, 1, 1, 0, 0, 1, 0, 4, 'A', 'c', 'm', 'e'},
         13,
         "read identification\nread identification; vendor Acme"},
        {{17}, 1, {17, 2, 1, 0xFF}, 4, "read server id\nread server id"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[400], first[200];
        struct heard heard;
        struct sniff sniff;
        uint8_t bytes[64];
        size_t size = rtu(bytes, 1, cases[i].request, cases[i].request_size);
        size_t length = strcspn(cases[i].lines, "\n");

        size += rtu(bytes + size, 1, cases[i].reply, cases[i].reply_size);
        begin(&heard, &sniff, SNIFF_RTU);
        sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, bytes, size);
        sniff_flush(&sniff);
        snprintf(first, sizeof first, "%.*s", (int)length, cases[i].lines);
        snprintf(expected, sizeof expected, "-> unit 1  %s\n<- unit 1  %s  after 1.1 ms\n", first,
                 cases[i].lines + length + 1);
        assert_string_equal(heard.lines, expected);
    }
}

/* Both have eight bytes: only what was asked before tells them apart. */
static void tells_a_reply_from_a_request_of_the_same_shape(void **state)
{
    static const uint8_t coils[] = {1, 3, 0, 24, 0}, ask_coils[] = {1, 0, 0, 0, 24};
    static const uint8_t set[] = {6, 0, 9, 1, 0};
    struct heard heard;
    struct sniff sniff;
    uint8_t bytes[64];
    size_t size = rtu(bytes, 1, ask_coils, 5);

    (void)state;
    size += rtu(bytes + size, 1, coils, 5);
    size += rtu(bytes + size, 1, coils, 5);
    size += rtu(bytes + size, 1, set, 5);
    size += rtu(bytes + size, 1, set, 5);
    size += rtu(bytes + size, 1, set, 5);
    begin(&heard, &sniff, SNIFF_RTU);
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, bytes, size);
    assert_string_equal(
        heard.lines, "-> unit 1  read coils at 0, 24 of them\n"
                     "<- unit 1  read coils at 0: 0 0 0 0 0 0 0 0 0 0 0 1 1 0 0 0 ... (24 values)"
                     "  after 1.1 ms\n"
                     "-> unit 1  read coils at 768, 6144 of them\n"
                     "-> unit 1  write register at 9: 256\n"
                     "<- unit 1  write register at 9: 256  after 1.1 ms\n"
                     "-> unit 1  write register at 9: 256\n");
}

static void tells_what_is_no_frame_and_goes_on_behind_it(void **state)
{
    struct heard heard;
    struct sniff sniff;
    uint8_t bytes[64] = {0x55, 3, 0xFF};
    size_t size = 3 + rtu(bytes + 3, 7, ask, sizeof ask);

    (void)state;
    size += rtu(bytes + size, 7, answer, sizeof answer);
    bytes[size - 3] ^= 1;
    begin(&heard, &sniff, SNIFF_RTU);
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, bytes, size);
    sniff_flush(&sniff);
    assert_string_equal(heard.lines, "?? 3 bytes that are no frame\n"
                                     "-> unit 7  read holding registers at 100, 2 of them\n"
                                     "?? 9 bytes that are no frame\n");
}

static void takes_a_function_that_nobody_knows_between_silences(void **state)
{
    struct heard heard;
    struct sniff sniff;
    uint8_t bytes[64];
    size_t size = rtu_unknown(bytes);

    (void)state;
    begin(&heard, &sniff, SNIFF_RTU);
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, bytes, size);
    assert_string_equal(heard.lines, "");
    sniff_flush(&sniff);
    assert_string_equal(heard.lines, "-> unit 7  function 100\n");
}

/* However much of a reply has come when nobody listens any more: that is no fault of the line, but
 * what has waited for longer than a frame can is one. */
static void tells_a_frame_that_the_end_cuts_from_one_that_is_damaged(void **state)
{
    uint8_t bytes[64];
    size_t asked = rtu(bytes, 7, ask, sizeof ask);
    size_t size = asked + rtu(bytes + asked, 7, answer, sizeof answer);

    (void)state;
    for (size_t cut = asked + 1; cut <= size; cut++) {
        char expected[160];
        struct heard heard;
        struct sniff sniff;

        for (int late = 0; late < 2; late++) {
            begin(&heard, &sniff, SNIFF_RTU);
            sniff_feed(&sniff, SNIFF_SENT, NS_PER_S, bytes, asked);
            sniff_feed(&sniff, SNIFF_RECEIVED, 2 * NS_PER_S, bytes + asked, cut - asked);
            sniff_end(&sniff, 2 * NS_PER_S + (late ? 2 * NS_PER_S : 100 * NS_PER_MS));
            if (cut == size)
                continue;
            snprintf(expected, sizeof expected, "%s %zu byte%s %s\n", late ? "??" : ".. the first",
                     cut - asked, cut - asked == 1 ? "" : "s",
                     !late              ? "of a frame: the trace ends before its end"
                     : cut - asked == 1 ? "that is no frame"
                                        : "that are no frame");
            assert_non_null(strstr(heard.lines, expected));
        }
        assert_int_equal(cut == size, strstr(heard.lines, "<- unit 7") != NULL);
    }
}

static void tells_what_the_end_cuts_over_tcp_and_as_text(void **state)
{
    static const uint8_t frame[] = {0, 1, 0, 0, 0, 7, 7, 3, 4, 0, 1}, text[] = ":0703";
    struct heard heard;
    struct sniff sniff;

    (void)state;
    begin(&heard, &sniff, SNIFF_TCP);
    sniff_feed(&sniff, SNIFF_RECEIVED, NS_PER_S, frame, sizeof frame);
    sniff_end(&sniff, NS_PER_S + NS_PER_MS);
    assert_string_equal(heard.lines,
                        ".. the first 11 bytes of a frame: the trace ends before its end\n");
    begin(&heard, &sniff, SNIFF_ASCII);
    sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, text, sizeof text - 1);
    sniff_end(&sniff, NS_PER_S + NS_PER_MS);
    assert_string_equal(heard.lines,
                        ".. the first 5 bytes of a frame: the trace ends before its end\n");
}

static void reads_ascii(void **state)
{
    struct heard heard;
    struct sniff sniff;
    uint8_t bytes[256] = "xx";
    size_t size = 2 + frames_ascii.encode(7, ask, sizeof ask, bytes + 2);

    (void)state;
    size += frames_ascii.encode(7, refusal, sizeof refusal, bytes + size);
    for (size_t lump = 1; lump <= size; lump += 7) {
        begin(&heard, &sniff, SNIFF_ASCII);
        for (size_t done = 0; done < size; done += lump)
            sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, bytes + done,
                       lump < size - done ? lump : size - done);
        heard.lines[heard.text.size - strlen("  after 0.0 ms\n")] = '\0';
        assert_non_null(strstr(heard.lines, "?? 2 bytes that are no frame\n"
                                            "-> unit 7  read holding registers at 100, 2 of them\n"
                                            "<- unit 7  read holding registers: exception 2"));
    }
}

static void brings_replies_over_tcp_to_their_requests(void **state)
{
    static const uint8_t requests[] = {0, 1, 0, 0, 0, 6, 7, 3, 0, 100, 0, 1,
                                       0, 2, 0, 0, 0, 6, 7, 3, 0, 200, 0, 1};
    static const uint8_t replies[] = {0, 2, 0, 0, 0, 5, 7, 3, 2, 0, 22,
                                      0, 1, 0, 0, 0, 5, 7, 3, 2, 0, 11};
    struct heard heard;
    struct sniff sniff;

    (void)state;
    begin(&heard, &sniff, SNIFF_TCP);
    heard.json = true;
    sniff_feed(&sniff, SNIFF_SENT, NS_PER_S, requests, sizeof requests);
    sniff_feed(&sniff, SNIFF_RECEIVED, 2 * NS_PER_S, replies, 5);
    sniff_feed(&sniff, SNIFF_RECEIVED, 2 * NS_PER_S, replies + 5, sizeof replies - 5);
    assert_non_null(strstr(heard.lines, "\"transaction\":2,\"address\":200,\"values\":[22],"
                                        "\"answers\":true"));
    assert_non_null(strstr(heard.lines, "\"transaction\":1,\"address\":100,\"values\":[11],"
                                        "\"answers\":true"));
}

/* What a receiver makes of bytes that a transmitter sends at another rate, or with the wires
 * changed over: the line as samples, and a receiver as chips have them. */
struct wire_model {
    unsigned sent_bit, heard_bit; /* samples of a bit */
    bool swapped;
    uint8_t *samples;
    size_t count;
};

static void put_level(struct wire_model *wire, bool level, size_t samples)
{
    memset(wire->samples + wire->count, level != wire->swapped, samples);
    wire->count += samples;
}

static void put_byte(struct wire_model *wire, uint8_t byte)
{
    put_level(wire, false, wire->sent_bit);
    for (unsigned bit = 0; bit < 8; bit++)
        put_level(wire, byte >> bit & 1, wire->sent_bit);
    put_level(wire, true, wire->sent_bit);
}

/* Feeds what the receiver hears; a sample is a microsecond. */
static void hear(const struct wire_model *wire, struct listen *listen)
{
    size_t at = 1;

    while (at + 10 * wire->heard_bit < wire->count) {
        uint8_t byte = 0;

        if (wire->samples[at] || !wire->samples[at - 1]) {
            at++;
            continue;
        }
        for (unsigned bit = 0; bit < 8; bit++)
            byte |= (uint8_t)(wire->samples[at + (2 * bit + 3) * wire->heard_bit / 2] << bit);
        at += 19 * wire->heard_bit / 2; /* in the middle of the stop bit */
        listen_feed(listen, (int64_t)at * NS_PER_US, &byte, 1);
    }
}

/* A master that asks four units in turn, each of which answers. */
static enum listen_verdict hear_traffic(unsigned sent_bit, unsigned heard_bit, bool swapped,
                                        struct listen *listen)
{
    struct wire_model wire = {sent_bit, heard_bit, swapped, malloc(6 * 1000 * 1000), 0};
    enum listen_verdict verdict;

    listen_init(listen, SNIFF_RTU, 10 * heard_bit * NS_PER_US);
    put_level(&wire, true, 50000);
    for (unsigned i = 0; i < 12; i++) {
        uint8_t pdu[64] = {3, 0, (uint8_t)(17 * i), 0, 5}, bytes[64];
        size_t size = rtu(bytes, (uint8_t)(1 + i % 4), pdu, 5);

        for (size_t k = 0; k < size; k++)
            put_byte(&wire, bytes[k]);
        put_level(&wire, true, 40000);
        pdu[1] = 10;
        for (unsigned k = 0; k < 10; k++)
            pdu[2 + k] = (uint8_t)(i * 31 + k * 57);
        size = rtu(bytes, (uint8_t)(1 + i % 4), pdu, 12);
        for (size_t k = 0; k < size; k++)
            put_byte(&wire, bytes[k]);
        put_level(&wire, true, 60000);
    }
    hear(&wire, listen);
    verdict = listen_end(listen);
    free(wire.samples);
    return verdict;
}

static void hears_another_master_and_whom_it_asks(void **state)
{
    struct listen listen;

    (void)state;
    assert_int_equal(hear_traffic(104, 104, false, &listen), LISTEN_MASTER);
    assert_int_equal(listen.requests, 12);
    assert_int_equal(listen.replies, 12);
    assert_int_equal(listen.pair_count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(listen.pairs[i].unit, 1 + i);
        assert_int_equal(listen.pairs[i].function, 3);
        assert_int_equal(listen.pairs[i].requests, 3);
        assert_int_equal(listen.pairs[i].replies, 3);
    }
}

static void tells_another_rate_from_swapped_wires(void **state)
{
    static const unsigned bits[] = {26, 52, 104, 208, 416}; /* 38400 to 2400 baud */
    struct listen listen;

    (void)state;
    for (size_t sent = 0; sent < 5; sent++) {
        for (size_t heard = 0; heard < 5; heard++) {
            enum listen_verdict verdict = hear_traffic(bits[sent], bits[heard], false, &listen);

            if (sent == heard)
                assert_int_equal(verdict, LISTEN_MASTER);
            else if (verdict != LISTEN_WRONG_BAUD && verdict != LISTEN_GARBAGE)
                fail_msg("%u heard at %u is called %s: %zu bytes, %u of %u bursts", bits[sent],
                         bits[heard], listen_word(verdict), listen.bytes, listen.zero_topped,
                         listen.bursts);
        }
        assert_int_equal(hear_traffic(bits[sent], bits[sent], true, &listen), LISTEN_SWAPPED);
    }
    assert_int_equal(hear_traffic(104, 52, false, &listen), LISTEN_WRONG_BAUD);
    assert_int_equal(hear_traffic(52, 104, false, &listen), LISTEN_WRONG_BAUD);
}

static void calls_a_few_bytes_silence(void **state)
{
    struct listen listen;

    (void)state;
    listen_init(&listen, SNIFF_RTU, BYTE_NS);
    assert_int_equal(listen_end(&listen), LISTEN_SILENCE);
    listen_init(&listen, SNIFF_RTU, BYTE_NS);
    listen_feed(&listen, NS_PER_S, (const uint8_t *)"\0\xFF", 2);
    assert_int_equal(listen_end(&listen), LISTEN_SILENCE);
}

static void does_not_take_a_frame_by_chance_for_a_master(void **state)
{
    struct listen listen;
    uint8_t bytes[4000], frame[16];
    uint32_t random = 1;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
    memcpy(bytes + 1000, frame, rtu(frame, 7, ask, sizeof ask));
    listen_init(&listen, SNIFF_RTU, BYTE_NS);
    for (size_t i = 0; i < sizeof bytes; i += 100)
        listen_feed(&listen, (int64_t)i * 100 * NS_PER_MS, bytes + i, 100);
    assert_int_not_equal(listen_end(&listen), LISTEN_MASTER);
}

static void tells_replies_without_requests(void **state)
{
    struct listen listen;
    uint8_t bytes[16];
    size_t size = rtu(bytes, 7, answer, sizeof answer);

    (void)state;
    listen_init(&listen, SNIFF_RTU, BYTE_NS);
    for (int i = 1; i < 4; i++)
        listen_feed(&listen, i * NS_PER_S, bytes, size);
    assert_int_equal(listen_end(&listen), LISTEN_REPLIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_frames_however_the_bytes_come),
        cmocka_unit_test(tells_each_function_in_words),
        cmocka_unit_test(tells_a_reply_from_a_request_of_the_same_shape),
        cmocka_unit_test(tells_what_is_no_frame_and_goes_on_behind_it),
        cmocka_unit_test(takes_a_function_that_nobody_knows_between_silences),
        cmocka_unit_test(tells_a_frame_that_the_end_cuts_from_one_that_is_damaged),
        cmocka_unit_test(tells_what_the_end_cuts_over_tcp_and_as_text),
        cmocka_unit_test(reads_ascii),
        cmocka_unit_test(brings_replies_over_tcp_to_their_requests),
        cmocka_unit_test(hears_another_master_and_whom_it_asks),
        cmocka_unit_test(tells_another_rate_from_swapped_wires),
        cmocka_unit_test(calls_a_few_bytes_silence),
        cmocka_unit_test(does_not_take_a_frame_by_chance_for_a_master),
        cmocka_unit_test(tells_replies_without_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
