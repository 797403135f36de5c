#include "cli/trace_feed.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "cli/answer.h"
#include "core/clock.h"

void trace_feed_init(struct trace_feed *feed, struct sniff *sniff, sniff_fn *frame,
                     void (*note)(void *context, const struct trace_record *record), void *context)
{
    memset(feed, 0, sizeof *feed);
    feed->sniff = sniff;
    feed->frame = frame;
    feed->note = note;
    feed->context = context;
}

static void begin(struct trace_feed *feed, const cJSON *first)
{
    const char *driver = answer_text(first, "driver");
    enum sniff_protocol protocol = SNIFF_RTU;

    if (strcmp(driver, "modbus-tcp") == 0)
        protocol = SNIFF_TCP;
    if (strcmp(driver, "modbus-ascii") == 0)
        protocol = SNIFF_ASCII;
    sniff_init(feed->sniff, protocol, answer_whole(first, "byte_ns"), feed->frame, feed->context);
    feed->echo = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(first, "echo"));
    feed->begun = true;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* How many of the bytes are the echo of what was sent last. What began as one and is none is told
 * as it came. */
static size_t skip_echo(struct trace_feed *feed, int64_t mono_ns, const uint8_t *bytes, size_t size)
{
    size_t left = feed->sent_size - feed->echoed, now = size < left ? size : left;

    if (memcmp(bytes, feed->sent + feed->echoed, now) == 0) {
        feed->echoed += now;
        return now;
    }
    if (feed->echoed)
        sniff_feed(feed->sniff, SNIFF_RECEIVED, mono_ns, feed->sent, feed->echoed);
    feed->echoed = feed->sent_size;
    return 0;
}

static void feed_bytes(struct trace_feed *feed, const struct trace_record *record,
                       const uint8_t *bytes, size_t size)
{
    size_t skipped = 0;

    if (record->way == TRACE_SENT) {
        sniff_feed(feed->sniff, SNIFF_SENT, record->mono_ns, bytes, size);
        memcpy(feed->sent, bytes, size);
        feed->sent_size = size;
        feed->echoed = 0;
        return;
    }
    if (feed->echo)
        skipped = skip_echo(feed, record->mono_ns, bytes, size);
    if (skipped < size)
        sniff_feed(feed->sniff, SNIFF_RECEIVED, record->mono_ns, bytes + skipped, size - skipped);
}

static void feed_hex(struct trace_feed *feed, const struct trace_record *record, const char *hex)
{
    uint8_t bytes[TAP_BYTES_MAX];
    size_t size = 0;

    for (; size < sizeof bytes && digit(hex[0]) >= 0 && digit(hex[1]) >= 0; hex += 2)
        bytes[size++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
    if (size)
        feed_bytes(feed, record, bytes, size);
}

static bool take_record(struct trace_feed *feed, const cJSON *object)
{
    static const char *const ways[] = {"sent", "received", "opened", "closed"};
    struct trace_record record = {.wall_ns = answer_time(object, "t"),
                                  .mono_ns = answer_whole(object, "mono_ns"),
                                  .lost = answer_count(object, "lost")};
    int way = 0;

    while (way < 4 && strcmp(answer_text(object, "way"), ways[way]) != 0)
        way++;
    if (way == 4)
        return false;
    record.way = (enum trace_way)way;
    /* What is half a frame and followed by nothing, or by another connection, stays half. */
    if (record.way >= TRACE_OPENED || record.lost ||
        (feed->last_ns && record.mono_ns - feed->last_ns > sniff_patience_ns(feed->sniff) &&
         feed->sniff->protocol != SNIFF_TCP))
        sniff_flush(feed->sniff);
    feed->last_ns = record.mono_ns;
    feed->note(feed->context, &record);
    feed_hex(feed, &record, answer_text(object, "hex"));
    return true;
}

static bool take_line(struct trace_feed *feed)
{
    cJSON *object = cJSON_Parse(feed->line);
    bool taken = cJSON_IsObject(object);

    if (taken && !feed->begun)
        begin(feed, object);
    else if (taken)
        taken = take_record(feed, object);
    cJSON_Delete(object);
    return taken;
}

bool trace_feed(struct trace_feed *feed, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != '\n') {
            if (feed->size == sizeof feed->line - 1)
                return false;
            feed->line[feed->size++] = bytes[i];
            continue;
        }
        feed->line[feed->size] = '\0';
        feed->size = 0;
        if (!take_line(feed))
            return false;
    }
    return true;
}
