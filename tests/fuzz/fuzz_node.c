/*
 * Any bytes, at any time, on a node's line: it reads and writes nothing outside of its own, answers
 * only sound requests to itself and only soundly, keeps possible settings, and still answers a
 * master that keeps to the rules, where it is by then.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "node/core/crc.h"
#include "node/core/node.h"

struct party {
    struct node_facts facts;
    struct node node;
    struct frame frame;
    uint32_t now_us;
    uint32_t now_ms;
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void open_line(struct party *party)
{
    const uint16_t *values = party->node.settings.values;
    struct settings_line line = settings_line(&party->node.settings);

    check(values[MAP_HOLDING_SETTING_UNIT_NUMBER] >= 1 &&
          values[MAP_HOLDING_SETTING_UNIT_NUMBER] <= 247);
    check(line.baud >= 1200 && line.baud <= 115200 && line.data_bits == 8);
    frame_open(&party->frame, (uint8_t)values[MAP_HOLDING_SETTING_UNIT_NUMBER], line.baud, 11,
               (enum frame_kind)values[MAP_HOLDING_SETTING_FRAMING], party->now_us);
}

static void open_node(struct party *party)
{
    node_open(&party->node, &party->facts);
    open_line(party);
}

static void do_wish(struct party *party, enum node_wish wish)
{
    if (wish == NODE_LINE)
        open_line(party);
    if (wish == NODE_RESTART)
        open_node(party);
}

/* As the program does it. Returns the size of the reply. */
static size_t serve(struct party *party, uint8_t reply[FRAME_SIZE_MAX])
{
    static const bool closed[MAP_DISCRETES];
    size_t size = frame_end(&party->frame, party->now_us);
    size_t reply_size;

    if (!size) {
        party->now_ms++;
        do_wish(party, node_tick(&party->node, party->now_ms, closed));
        return 0;
    }
    check(size >= FRAME_SIZE_MIN && size <= FRAME_SIZE_MAX && crc16(party->frame.bytes, size) == 0);
    reply_size = node_answer(&party->node, party->frame.bytes, size, reply);
    if (reply_size) {
        check(party->frame.bytes[0] == party->frame.unit && reply[0] == party->frame.unit);
        check(reply_size >= 5 && reply_size <= FRAME_SIZE_MAX && crc16(reply, reply_size) == 0);
        check((reply[1] & 0x7F) == (party->frame.bytes[1] & 0x7F));
    }
    frame_clear(&party->frame);
    do_wish(party, node_sent(&party->node));
    return reply_size;
}

static void put(struct party *party, uint32_t silence_us, uint8_t byte, bool damaged)
{
    party->now_us += party->frame.char_us + silence_us;
    frame_byte(&party->frame, party->now_us, byte, damaged);
}

/* A question that keeps to the rules, behind a long silence. */
static void ask_properly(struct party *party)
{
    uint8_t question[8] = {party->frame.unit, PDU_READ_INPUT, 0, 0, 0, 4}, reply[FRAME_SIZE_MAX];
    uint16_t crc = crc16(question, 6);
    size_t size = 0;

    question[6] = (uint8_t)crc;
    question[7] = (uint8_t)(crc >> 8);
    party->now_us += 2 * FRAME_LOOSE_US;
    while (serve(party, reply) > 0)
        ;
    question[0] = party->frame.unit; /* what was waiting may have moved it */
    crc = crc16(question, 6);
    question[6] = (uint8_t)crc;
    question[7] = (uint8_t)(crc >> 8);
    party->now_us += 2 * FRAME_LOOSE_US;
    frame_end(&party->frame, party->now_us);
    for (int i = 0; i < 8; i++)
        put(party, 0, question[i], false);
    party->now_us += party->frame.end_us;
    size = serve(party, reply);
    check(size == 3 + 8 + 2 && reply[2] == 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct party party;
    uint8_t reply[FRAME_SIZE_MAX];

    if (size < 1)
        return 0;
    memset(&party, 0, sizeof party);
    party.facts.settings = (struct settings_board){NULL, 115200, 0x0F, data[0] & 1};
    party.facts.model = "board";
    party.facts.version = "1.2.3";
    open_node(&party);
    party.now_us += 2 * FRAME_LOOSE_US;
    frame_end(&party.frame, party.now_us);
    for (size_t i = 1; i + 1 < size; i += 2) {
        uint8_t timing = data[i];

        /* Mostly without a gap, sometimes with one of each kind. */
        put(&party, timing < 240 ? 0 : (timing - 239u) * 400u, data[i + 1], timing == 239);
        if (timing >= 200)
            party.now_us += timing > 230 ? party.frame.end_us : 10;
        serve(&party, reply);
    }
    ask_properly(&party);
    return 0;
}

size_t fuzz_seed(uint64_t random, uint8_t *out, size_t room)
{
    static const uint8_t pdus[][14] = {
        {1, 0, 0, 0, 2},
        {2, 0, 0, 0, 4},
        {3, 0, 0, 0, 11},
        {4, 0, 0, 0, 32},
        {5, 0, 1, 0xFF, 0},
        {6, 0, 0, 0, 9},
        {6, 0, 1, 0, 192},
        {15, 0, 0, 0, 2, 1, 3},
        {43, 14, 1, 0},
        {6, 0, 10, 0, 1},
        {16, 0, 4, 0, 2, 4, 1, 0, 0, 2},
        {16, 0, 0, 0, 3, 6, 0, 5, 0, 96, 0, 0},
    };
    static const uint8_t sizes[] = {5, 5, 5, 5, 5, 5, 5, 7, 4, 5, 10, 12};
    size_t at = 0;

    out[at++] = (uint8_t)(random >> 60);
    while (at + 40 < room && random) {
        size_t which = random % 12;
        uint8_t frame[20] = {1};
        uint16_t crc;

        memcpy(frame + 1, pdus[which], sizes[which]);
        crc = crc16(frame, sizes[which] + 1u);
        frame[sizes[which] + 1] = (uint8_t)crc;
        frame[sizes[which] + 2] = (uint8_t)(crc >> 8);
        for (size_t i = 0; i < sizes[which] + 3u; i++) {
            out[at++] = i + 1 == sizes[which] + 3u ? 231 : 0; /* its end, in time */
            out[at++] = frame[i];
        }
        random /= 12;
    }
    return at;
}
