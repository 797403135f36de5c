/* The bytes of docs/journal-format.md, and frames that only a later version writes. */
// links: sluice_journal
#include "unit/journal_kit.h"

#include "core/bytes.h"
#include "core/codec.h"
#include "core/crc32c.h"
#include "journal/events.h"
#include "journal/frame.h"
#include "journal/segment.h"

static void a_segment_header_is_as_specified(void **state)
{
    (void)state;
    const struct segment segment = {
        .version = 1,
        .generation = 0x1122334455667788,
        .sequence = 5,
        .first_n = 1000,
        .size = 65536,
        .mono_ns = 42,
        .offset_ns = -7,
        .epoch = 0x9f2c61d0,
        .alignment = 512,
        .boot = 3,
        .trust = 2,
    };
    uint8_t block[SEGMENT_HEADER_SIZE];
    segment_pack(&segment, "plant7", block);
    assert_memory_equal(block, "SLUICESG", 8);
    assert_int_equal(get_u32(block + 8), crc32c(0, block + 12, 244));
    assert_int_equal(get_u16(block + 12), 1);
    assert_int_equal(get_u16(block + 14), 0);
    assert_int_equal(get_u64(block + 16), 0x1122334455667788);
    assert_int_equal(get_u64(block + 24), 5);
    assert_int_equal(get_u64(block + 32), 1000);
    assert_int_equal(get_u64(block + 40), 65536);
    assert_int_equal(get_u32(block + 48), 0x9f2c61d0);
    assert_int_equal(get_u32(block + 52), 512);
    assert_int_equal(get_u32(block + 56), 3);
    assert_int_equal(block[60], 2);
    assert_int_equal(get_u64(block + 64), 42);
    assert_int_equal((int64_t)get_u64(block + 72), -7);
    assert_string_equal((const char *)block + 80, "plant7");
    assert_memory_equal(block, block + 2048, 256);
}

static void one_copy_of_a_header_is_enough(void **state)
{
    (void)state;
    struct segment segment = {.version = 1, .generation = 9, .size = 65536, .alignment = 8};
    struct segment found;
    uint8_t block[SEGMENT_HEADER_SIZE];
    for (size_t bit = 0; bit < 8 * SEGMENT_HEADER_SIZE; bit += 5) {
        segment_pack(&segment, "plant7", block);
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(segment_unpack(&found, FORMAT_NEWEST, "plant7", block, NULL),
                         SEGMENT_LIVE);
        assert_int_equal(found.generation, 9);
    }
    block[100] ^= 1;
    block[2148] ^= 1;
    assert_int_equal(segment_unpack(&found, FORMAT_NEWEST, "plant7", block, NULL), SEGMENT_DAMAGED);
}

static void a_header_tells_what_a_file_is(void **state)
{
    (void)state;
    struct segment segment = {.version = 1, .generation = 9, .size = 65536, .alignment = 8};
    struct segment found;
    char owner[ID_SIZE_MAX];
    uint8_t block[SEGMENT_HEADER_SIZE];
    segment_pack(&segment, "plant8", block);
    assert_int_equal(segment_unpack(&found, FORMAT_NEWEST, "plant7", block, owner),
                     SEGMENT_FOREIGN);
    assert_string_equal(owner, "plant8");
    assert_int_equal(segment_unpack(&found, FORMAT_NEWEST, NULL, block, NULL), SEGMENT_LIVE);
    put_u16(block + 12, 2);
    put_u32(block + 8, crc32c(0, block + 12, 244));
    assert_int_equal(segment_unpack(&found, FORMAT_NEWEST, "plant8", block, NULL), SEGMENT_VERSION);
    segment_pack(NULL, "plant7", block);
    assert_int_equal(segment_unpack(&found, FORMAT_NEWEST, "plant7", block, NULL), SEGMENT_FREE);
    memset(block, 0, sizeof(block));
    assert_int_equal(segment_unpack(&found, FORMAT_NEWEST, "plant7", block, NULL), SEGMENT_RAW);
}

/* A frame with two readings. Returns its size. */
static size_t make_frame(struct frame *frame, uint8_t *data, size_t room)
{
    struct codec codec = {.n = frame->first_n - 1, .mono_ns = frame->mono_ns};
    size_t used = FRAME_HEADER_SIZE;
    for (int i = 0; i < 2; i++) {
        struct event event = {.n = codec.n + 1,
                              .stream = 4,
                              .mono_ns = 100 + i,
                              .kind = EVENT_READING,
                              .value = {.type = VALUE_F64, .f = 20.5}};
        used += (size_t)codec_encode(&codec, &event, data + used, room - used);
    }
    frame->count = 2;
    frame->events_size = (uint32_t)(used - FRAME_HEADER_SIZE);
    frame->length = frame->events_size;
    frame_put(frame, data);
    return used;
}

static void a_frame_header_is_as_specified(void **state)
{
    (void)state;
    struct frame frame = {.version = 1,
                          .generation = 0x1122334455667788,
                          .first_n = 77,
                          .mono_ns = 90,
                          .offset_ns = 1000,
                          .epoch = 0x9f2c61d0,
                          .boot = 3,
                          .trust = 1};
    uint8_t data[256];
    size_t size = make_frame(&frame, data, sizeof(data));
    assert_memory_equal(data, "SLFR", 4);
    assert_int_equal(get_u32(data + 4), crc32c(0, data + 8, size - 8));
    assert_int_equal(data[8], 1);
    assert_int_equal(data[9], 0);
    assert_int_equal(data[10], 1);
    assert_int_equal(get_u32(data + 12), size - 64);
    assert_int_equal(get_u64(data + 16), 0x1122334455667788);
    assert_int_equal(get_u32(data + 24), 0x9f2c61d0);
    assert_int_equal(get_u32(data + 28), 2);
    assert_int_equal(get_u64(data + 32), 77);
    assert_int_equal(get_u32(data + 40), 3);
    assert_int_equal(get_u32(data + 44), size - 64);
    assert_int_equal(get_u64(data + 48), 90);
    assert_int_equal(get_u64(data + 56), 1000);
}

static void no_byte_of_a_frame_may_change(void **state)
{
    (void)state;
    struct frame frame = {.version = 1, .generation = 5, .first_n = 1};
    struct frame found;
    uint8_t data[256];
    size_t size = make_frame(&frame, data, sizeof(data));
    assert_int_equal(frame_get(&found, data, size, 5), size);
    assert_int_equal(frame_get(&found, data, size, 6), ERR_CORRUPT);
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(frame_get(&found, data, cut, 5), ERR_AGAIN);
    for (size_t at = 0; at < size; at++) {
        data[at] ^= 0x40;
        assert_true(frame_get(&found, data, size, 5) < 0);
        data[at] ^= 0x40;
    }
}

/* Turns the journal's only segment into kept frames: of n 1 to 20, 5, 6 and 18 were kept. */
static void write_kept(struct kit *kit, const struct segment *segment)
{
    static const uint64_t kept[] = {5, 6, 18};
    uint8_t data[512] = {0};
    struct frame frame = {.generation = segment->generation,
                          .first_n = 1,
                          .epoch = segment->epoch,
                          .boot = 1,
                          .flags = FRAME_KEPT,
                          .count = 3,
                          .trust = CLOCK_SYNCHRONISED};
    struct codec codec = {0};
    uint8_t *at = data + FRAME_HEADER_SIZE;
    put_u64(at, 20);
    at += 8;
    for (size_t i = 0; i < 3; i++) {
        at += varint_put(at, kept[i] - codec.n - 1);
        codec.n = kept[i] - 1;
        struct event event = {.n = kept[i],
                              .stream = 1,
                              .kind = EVENT_READING,
                              .value = {.type = VALUE_F64, .f = (double)kept[i]}};
        at += codec_encode(&codec, &event, at, 64);
    }
    frame.length = frame.events_size = (uint32_t)(at - data - FRAME_HEADER_SIZE);
    frame_put(&frame, data);
    kit_patch(kit, "segment-00000001", segment->end, data, (size_t)(at - data));
}

static void kept_frames_are_read_with_their_holes(void **state)
{
    struct kit *kit = *state;
    uint8_t header[SEGMENT_HEADER_SIZE];
    struct segment segment;
    struct frame checkpoint;
    static uint8_t frame[65536];
    kit_open(kit);
    kit_declare(kit, "boiler", "supply_temp");
    kit_flush(kit);
    kit_close(kit);

    kit_fetch(kit, "segment-00000001", 0, header, sizeof(header));
    assert_int_equal(segment_unpack(&segment, FORMAT_NEWEST, "plant7", header, NULL), SEGMENT_LIVE);
    size_t got = kit_fetch(kit, "segment-00000001", SEGMENT_HEADER_SIZE, frame, sizeof(frame));
    int size = frame_get(&checkpoint, frame, got, segment.generation);
    assert_true(size > 0);
    segment.end = segment_align(SEGMENT_HEADER_SIZE + size, segment.alignment);
    memset(frame, 0, sizeof(frame));
    kit_patch(kit, "segment-00000001", segment.end, frame, 8192);
    write_kept(kit, &segment);

    struct journal *journal;
    struct reader *reader;
    struct event event;
    assert_int_equal(journal_open_read_only(&journal, &kit->io), 0);
    assert_int_equal(journal_durable(journal, NULL), 20);
    assert_int_equal(reader_open(&reader, journal, 1), 0);
    static const uint64_t expected[][2] = {{1, 4}, {5, 0}, {6, 0}, {7, 17}, {18, 0}, {19, 20}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_int_equal(reader_next(reader, &event), 1);
        if (expected[i][1]) {
            assert_int_equal(event.n, 0);
            assert_int_equal(event.kind, EVENT_GAP);
            assert_int_equal(event.value.gap->reason, GAP_RETENTION);
            assert_int_equal(event.value.gap->first, expected[i][0]);
            assert_int_equal(event.value.gap->last, expected[i][1]);
        } else {
            assert_int_equal(event.n, expected[i][0]);
            assert_true(event.value.f == (double)expected[i][0]);
        }
    }
    assert_int_equal(reader_next(reader, &event), 0);
    reader_close(reader);
    journal_close(journal);
}

static void commits_begin_on_fresh_sectors_where_asked(void **state)
{
    struct kit *kit = *state;
    uint8_t header[SEGMENT_HEADER_SIZE];
    struct segment segment;
    static uint8_t file[65536];
    kit->options.sector_bytes = 512;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    for (int i = 0; i < 10; i++)
        kit_fill(kit, stream, i, 1);
    kit_fetch(kit, "segment-00000001", 0, header, sizeof(header));
    assert_int_equal(segment_unpack(&segment, FORMAT_NEWEST, "plant7", header, NULL), SEGMENT_LIVE);
    assert_int_equal(segment.alignment, 512);
    kit_fetch(kit, "segment-00000001", 0, file, sizeof(file));
    int frames = 0;
    for (size_t at = 0; at + FRAME_HEADER_SIZE <= sizeof(file); at += 8)
        if (frame_wants(file + at, segment.generation)) {
            assert_int_equal(at % 512, 0);
            frames++;
        }
    assert_true(frames >= 11);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_header_is_as_specified),
        cmocka_unit_test(one_copy_of_a_header_is_enough),
        cmocka_unit_test(a_header_tells_what_a_file_is),
        cmocka_unit_test(a_frame_header_is_as_specified),
        cmocka_unit_test(no_byte_of_a_frame_may_change),
        TEST(kept_frames_are_read_with_their_holes),
        TEST(commits_begin_on_fresh_sectors_where_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
