#include "modbus/describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/status.h"
#include "modbus/ident.h"
#include "modbus/link.h"

#define WORDS_VALUES_MAX 16 /* of a line for people: the JSON has all */
#define BITS_MAX         (8 * PDU_SIZE_MAX)

static const struct {
    uint8_t function;
    const char *name;
} functions[] = {
    {MODBUS_COILS, "read coils"},
    {MODBUS_DISCRETE_INPUTS, "read discrete inputs"},
    {MODBUS_HOLDING_REGISTERS, "read holding registers"},
    {MODBUS_INPUT_REGISTERS, "read input registers"},
    {PDU_WRITE_COIL, "write coil"},
    {PDU_WRITE_REGISTER, "write register"},
    {7, "read exception status"},
    {8, "diagnostics"},
    {11, "read event counter"},
    {12, "read event log"},
    {PDU_WRITE_COILS, "write coils"},
    {PDU_WRITE_REGISTERS, "write registers"},
    {17, "read server id"},
    {20, "read file"},
    {21, "write file"},
    {PDU_MASK_REGISTER, "mask register"},
    {23, "write and read registers"},
    {24, "read queue"},
    {PDU_IDENTIFY, "read identification"},
};

const char *describe_function(uint8_t function, char room[DESCRIBE_NAME_SIZE])
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (functions[i].function == function)
            return functions[i].name;
    }
    snprintf(room, DESCRIBE_NAME_SIZE, "function %u", function);
    return room;
}

/* What of a PDU is known by its shape. */
struct content {
    uint8_t function;
    int exception; /* -1: none */
    bool addressed, counted;
    uint16_t address, count;
    const uint8_t *values; /* NULL: none */
    unsigned value_count;
    bool bits;
};

static uint16_t u16_at(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static bool is_bits(uint8_t function)
{
    return function <= MODBUS_DISCRETE_INPUTS || function == PDU_WRITE_COIL ||
           function == PDU_WRITE_COILS;
}

/* The values at `at`, where as many are there. */
static void take_values(struct content *content, const uint8_t *pdu, size_t size, size_t at,
                        unsigned wanted)
{
    size_t left = size > at ? size - at : 0;

    content->bits = is_bits(content->function);
    content->values = pdu + at;
    content->value_count = (unsigned)(content->bits ? 8 * left : left / 2);
    if (content->value_count > wanted)
        content->value_count = wanted;
}

static void read_request(struct content *content, const uint8_t *pdu, size_t size)
{
    uint8_t function = content->function;

    if (size < 5)
        return;
    content->addressed = true;
    content->address = u16_at(pdu + 1);
    if (function >= 1 && function <= 4) {
        content->counted = true;
        content->count = u16_at(pdu + 3);
    } else if (function == PDU_WRITE_COIL || function == PDU_WRITE_REGISTER) {
        take_values(content, pdu, size, 3, 1);
    } else if (function == PDU_MASK_REGISTER) {
        take_values(content, pdu, size, 3, 2);
    } else if (function == PDU_WRITE_COILS || function == PDU_WRITE_REGISTERS) {
        content->counted = true;
        content->count = u16_at(pdu + 3);
        take_values(content, pdu, size, 6, content->count);
    } else if (function == 23 && size >= 10) {
        content->counted = true;
        content->count = u16_at(pdu + 3);
        take_values(content, pdu, size, 10, u16_at(pdu + 7));
    } else {
        content->addressed = false;
    }
}

static void read_reply(struct content *content, const uint8_t *pdu, size_t size,
                       const struct sniff_request *request)
{
    uint8_t function = content->function;

    if (content->exception >= 0)
        return;
    if ((function >= 1 && function <= 4) || function == 23) {
        unsigned wanted = request && function <= 4 ? request->count : BITS_MAX;

        take_values(content, pdu, size, 2, wanted);
    } else if (function == PDU_WRITE_COILS || function == PDU_WRITE_REGISTERS) {
        content->addressed = content->counted = size >= 5;
        content->address = size >= 5 ? u16_at(pdu + 1) : 0;
        content->count = size >= 5 ? u16_at(pdu + 3) : 0;
    } else {
        read_request(content, pdu, size);
    }
    if (request && !content->addressed && function != PDU_IDENTIFY) {
        content->addressed = (function >= 1 && function <= 4) || function == 23;
        content->address = request->address;
    }
}

static struct content content_of(const struct sniff_frame *frame)
{
    struct content content = {.function = frame->pdu[0] & 0x7F, .exception = -1};

    if (frame->kind == SNIFF_REPLY && frame->pdu[0] & 0x80)
        content.exception = frame->pdu_size > 1 ? frame->pdu[1] : 0;
    else if (frame->pdu[0] & 0x80)
        content.function = frame->pdu[0];
    if (frame->kind == SNIFF_REPLY)
        read_reply(&content, frame->pdu, frame->pdu_size, frame->request);
    else
        read_request(&content, frame->pdu, frame->pdu_size);
    return content;
}

static unsigned value_at(const struct content *content, unsigned index)
{
    if (content->bits && content->function == PDU_WRITE_COIL)
        return content->values[0] != 0;
    if (content->bits)
        return content->values[index / 8] >> index % 8 & 1;
    return u16_at(content->values + 2 * (size_t)index);
}

void describe_bytes(struct text *text, const uint8_t *bytes, size_t size, bool apart)
{
    for (size_t i = 0; i < size; i++)
        text_printf(text, "%s%02x", i && apart ? " " : "", bytes[i]);
}

static void put_texts(struct text *text, const struct sniff_frame *frame)
{
    struct ident ident = {0};

    if (frame->kind != SNIFF_REPLY || frame->pdu[0] != PDU_IDENTIFY ||
        ident_take(&ident, 0, frame->pdu + 1, frame->pdu_size - 1) < 0)
        return;
    for (int i = 0; i < IDENT_OBJECTS; i++) {
        if (ident.texts[i][0])
            text_printf(text, "; %s %s", ident_label(i), ident.texts[i]);
    }
}

static void put_words(struct text *text, const struct content *content)
{
    if (content->exception >= 0) {
        text_printf(text, ": exception %d, %s", content->exception,
                    status_help(link_read_status(ERR_EXCEPTION, (uint8_t)content->exception)));
        return;
    }
    if (content->addressed)
        text_printf(text, " at %u", content->address);
    if (content->counted)
        text_printf(text, ", %u of them", content->count);
    for (unsigned i = 0; i < content->value_count && i < WORDS_VALUES_MAX; i++)
        text_printf(text, "%s%u", i ? " " : ": ", value_at(content, i));
    if (content->value_count > WORDS_VALUES_MAX)
        text_printf(text, " ... (%u values)", content->value_count);
}

/* The request is dated by when it was written, its reply by when it was read, less the bytes' own
 * time: on a busy machine that can be a little too early. */
static int64_t took_ns(const struct sniff_frame *frame)
{
    int64_t took = frame->begin_ns - frame->request->end_ns;

    return took > 0 ? took : 0;
}

void describe_words(struct text *text, const struct sniff_frame *frame)
{
    char name[DESCRIBE_NAME_SIZE];

    if (frame->kind == SNIFF_GARBAGE) {
        text_printf(text, "?? %zu byte%s that %s no frame", frame->size,
                    frame->size == 1 ? "" : "s", frame->size == 1 ? "is" : "are");
        return;
    }
    if (frame->kind == SNIFF_CUT) {
        text_printf(text, ".. the first %zu byte%s of a frame: the trace ends before its end",
                    frame->size, frame->size == 1 ? "" : "s");
        return;
    }
    struct content content = content_of(frame);
    text_printf(text, "%s unit %u  %s", frame->kind == SNIFF_REQUEST ? "->" : "<-", frame->unit,
                describe_function(content.function, name));
    put_words(text, &content);
    put_texts(text, frame);
    if (frame->kind == SNIFF_REPLY && !frame->request)
        text_string(text, "  (its request was not heard)");
    if (frame->request)
        text_printf(text, "  after %" PRId64 ".%" PRId64 " ms", took_ns(frame) / NS_PER_MS,
                    took_ns(frame) / (NS_PER_MS / 10) % 10);
    if (frame->pause_ns)
        text_printf(text, "  in lumps, %" PRId64 ".%" PRId64 " ms apart",
                    frame->pause_ns / NS_PER_MS, frame->pause_ns / (NS_PER_MS / 10) % 10);
}

static void put_values(struct text *text, const struct content *content)
{
    if (!content->values)
        return;
    text_string(text, ",\"values\":[");
    for (unsigned i = 0; i < content->value_count; i++)
        text_printf(text, "%s%u", i ? "," : "", value_at(content, i));
    text_string(text, "]");
}

void describe_json(struct text *text, const struct sniff_frame *frame)
{
    static const char *const ways[] = {"request", "reply", "garbage", "cut"};
    char name[DESCRIBE_NAME_SIZE];

    text_printf(text, "\"way\":\"%s\",\"size\":%zu", ways[frame->kind], frame->size);
    if (frame->gap_ns >= 0)
        text_printf(text, ",\"gap_us\":%" PRId64, frame->gap_ns / NS_PER_US);
    if (frame->pause_ns)
        text_printf(text, ",\"pause_us\":%" PRId64, frame->pause_ns / NS_PER_US);
    if (frame->kind >= SNIFF_GARBAGE)
        return;
    struct content content = content_of(frame);
    text_printf(text, ",\"unit\":%u,\"function\":%u,\"name\":\"%s\"", frame->unit, content.function,
                describe_function(content.function, name));
    if (frame->transaction)
        text_printf(text, ",\"transaction\":%u", frame->transaction);
    if (content.addressed)
        text_printf(text, ",\"address\":%u", content.address);
    if (content.counted)
        text_printf(text, ",\"count\":%u", content.count);
    put_values(text, &content);
    if (content.exception >= 0)
        text_printf(text, ",\"exception\":%d", content.exception);
    if (frame->kind == SNIFF_REPLY)
        text_printf(text, ",\"answers\":%s", frame->request ? "true" : "false");
    if (frame->request)
        text_printf(text, ",\"took_us\":%" PRId64, took_ns(frame) / NS_PER_US);
}
