#include "serial/meter.h"

#include <sml/sml_message.h>
#include <sml/sml_value.h>

#include <stdbool.h>
#include <string.h>

#include "core/error.h"
#include "core/text.h"

#define ENTRIES_MAX  128 /* values in a list */
#define DEPTH_MAX    6   /* of lists in lists */
#define SCALER_MAX   9   /* powers of ten up and down */
#define CODE_SIZE    6
#define STRING_MAX   64 /* longer texts are keys and signatures */
#define ESCAPE_SIZE  4
#define START_SIZE   8
#define NUMBER_BYTES 8

/* What remains of a file; `broken` once something did not fit. */
struct walk {
    const uint8_t *data;
    size_t size, at;
    bool broken;
};

struct element {
    uint8_t type; /* SML_TYPE_... */
    size_t count; /* of elements in a list, of bytes in all else */
};

/* libsml trusts lengths in places: none reaches it that has not been held against the file. */
static struct element take_head(struct walk *walk)
{
    struct element element = {0};
    size_t head_size = 0;
    uint8_t byte;

    do {
        if (walk->broken || walk->at == walk->size || head_size == 4) {
            walk->broken = true;
            return element;
        }
        byte = walk->data[walk->at++];
        if (head_size++ == 0)
            element.type = byte & SML_TYPE_FIELD;
        element.count = element.count << 4 | (byte & SML_LENGTH_FIELD);
    } while (byte & SML_ANOTHER_TL);
    if (element.type == SML_TYPE_LIST)
        return element;
    if (element.count < head_size || element.count - head_size > walk->size - walk->at)
        walk->broken = true;
    else
        element.count -= head_size;
    return element;
}

/* Goes behind an element's bytes; false, and broken, unless it is of that type and size. */
static bool take_bytes(struct walk *walk, uint8_t type, size_t least, size_t most)
{
    struct element element = take_head(walk);

    if (walk->broken || element.type != type || element.count < least || element.count > most) {
        walk->broken = true;
        return false;
    }
    walk->at += element.count;
    return true;
}

static bool take_list(struct walk *walk, size_t count)
{
    struct element element = take_head(walk);

    if (element.type != SML_TYPE_LIST || element.count != count)
        walk->broken = true;
    return !walk->broken;
}

static void skip(struct walk *walk, unsigned depth)
{
    struct element element = take_head(walk);

    if (walk->broken)
        return;
    if (element.type != SML_TYPE_LIST) {
        walk->at += element.count;
        return;
    }
    if (depth == DEPTH_MAX || element.count > ENTRIES_MAX) {
        walk->broken = true;
        return;
    }
    for (size_t i = 0; i < element.count && !walk->broken; i++)
        skip(walk, depth + 1);
}

/* Whether the next element is left out, which is then behind. */
static bool take_skipped(struct walk *walk)
{
    if (walk->broken || walk->at == walk->size || walk->data[walk->at] != SML_OPTIONAL_SKIPPED)
        return false;
    walk->at++;
    return true;
}

static void take_optional(struct walk *walk, uint8_t type, size_t least, size_t most)
{
    if (!take_skipped(walk))
        take_bytes(walk, type, least, most);
}

/* [tag, seconds] or [tag, [seconds, offsets]]; left out by many meters. */
static void take_time(struct walk *walk)
{
    if (take_skipped(walk) || !take_list(walk, 2) || !take_bytes(walk, SML_TYPE_UNSIGNED, 1, 1))
        return;
    if (walk->at < walk->size && (walk->data[walk->at] & SML_TYPE_FIELD) == SML_TYPE_LIST) {
        take_list(walk, 3);
        take_bytes(walk, SML_TYPE_UNSIGNED, 1, 4);
        take_bytes(walk, SML_TYPE_INTEGER, 1, 2);
        take_bytes(walk, SML_TYPE_INTEGER, 1, 2);
        return;
    }
    take_bytes(walk, SML_TYPE_UNSIGNED, 1, 4);
}

static void take_value(struct walk *walk)
{
    struct element element;

    if (take_skipped(walk))
        return;
    element = take_head(walk);
    if (walk->broken)
        return;
    switch (element.type) {
    case SML_TYPE_OCTET_STRING:
        break;
    case SML_TYPE_BOOLEAN:
        walk->broken = element.count != 1;
        break;
    case SML_TYPE_INTEGER:
    case SML_TYPE_UNSIGNED:
        walk->broken = element.count < 1 || element.count > NUMBER_BYTES;
        break;
    default:
        walk->broken = true;
    }
    walk->at += walk->broken ? 0 : element.count;
}

/* SML_ListEntry: name, status, time, unit, scaler, value, signature. */
static void take_entry(struct walk *walk)
{
    take_list(walk, 7);
    take_bytes(walk, SML_TYPE_OCTET_STRING, 0, 255);
    take_optional(walk, SML_TYPE_UNSIGNED, 1, NUMBER_BYTES);
    take_time(walk);
    take_optional(walk, SML_TYPE_UNSIGNED, 1, 1);
    take_optional(walk, SML_TYPE_INTEGER, 1, 1);
    take_value(walk);
    take_optional(walk, SML_TYPE_OCTET_STRING, 0, METER_FILE_SIZE_MAX);
}

/* SML_GetList.Res: client, server, name, sensor's time, values, signature, gateway's time. */
static void take_values(struct walk *walk)
{
    struct element list;

    take_list(walk, 7);
    take_optional(walk, SML_TYPE_OCTET_STRING, 0, 255);
    take_bytes(walk, SML_TYPE_OCTET_STRING, 0, 255);
    take_optional(walk, SML_TYPE_OCTET_STRING, 0, 255);
    take_time(walk);
    list = take_head(walk);
    if (list.type != SML_TYPE_LIST || list.count > ENTRIES_MAX)
        walk->broken = true;
    for (size_t i = 0; i < list.count && !walk->broken; i++)
        take_entry(walk);
    take_optional(walk, SML_TYPE_OCTET_STRING, 0, METER_FILE_SIZE_MAX);
    take_time(walk);
}

static uint32_t take_tag(struct walk *walk)
{
    size_t before = walk->at;
    uint32_t tag = 0;

    if (!take_bytes(walk, SML_TYPE_UNSIGNED, 1, 4))
        return 0;
    for (size_t i = before + 1; i < walk->at; i++)
        tag = tag << 8 | walk->data[i];
    return tag;
}

/* SML_Message: transaction, group, abort, [tag, body], CRC, end. Returns whether it has values. */
static bool take_message(struct walk *walk)
{
    uint32_t tag;

    take_list(walk, 6);
    take_bytes(walk, SML_TYPE_OCTET_STRING, 0, 255);
    take_bytes(walk, SML_TYPE_UNSIGNED, 1, 1);
    take_bytes(walk, SML_TYPE_UNSIGNED, 1, 1);
    take_list(walk, 2);
    tag = take_tag(walk);
    if (tag == SML_MESSAGE_GET_LIST_RESPONSE)
        take_values(walk);
    else
        skip(walk, 0);
    take_bytes(walk, SML_TYPE_UNSIGNED, 1, 2);
    if (walk->broken || walk->at == walk->size || walk->data[walk->at] != SML_MESSAGE_END)
        walk->broken = true;
    else
        walk->at++;
    return tag == SML_MESSAGE_GET_LIST_RESPONSE;
}

/* The units that meters have, by their numbers in DLMS/COSEM. */
static const char *unit_name(const sml_unit *unit)
{
    static const struct {
        uint8_t number;
        const char *name;
    } units[] = {
        {13, "m3"}, {27, "W"}, {28, "VA"}, {29, "var"}, {30, "Wh"}, {31, "VAh"}, {32, "varh"},
        {33, "A"},  {35, "V"}, {44, "Hz"}, {8, "deg"},  {9, "Cel"}, {255, ""},
    };

    for (size_t i = 0; unit && i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].number == *unit)
            return units[i].name;
    }
    return "";
}

/* A number and its power of ten, digit by digit: 12345, -1 is 1234.5. */
static void write_scaled(struct text *text, bool negative, uint64_t number, int scaler)
{
    uint64_t divisor = 1;

    for (int i = scaler; i < 0; i++)
        divisor *= 10;
    if (negative)
        text_raw(text, "-", 1);
    text_u64(text, number / divisor);
    if (scaler < 0)
        text_printf(text, ".%0*llu", -scaler, (unsigned long long)(number % divisor));
    for (int i = 0; i < scaler && number > 0; i++)
        text_raw(text, "0", 1);
}

static int64_t signed_number(const sml_value *value)
{
    switch (value->type) {
    case SML_TYPE_INTEGER | SML_TYPE_NUMBER_8:
        return *value->data.int8;
    case SML_TYPE_INTEGER | SML_TYPE_NUMBER_16:
        return *value->data.int16;
    case SML_TYPE_INTEGER | SML_TYPE_NUMBER_32:
        return *value->data.int32;
    default:
        return *value->data.int64;
    }
}

static uint64_t unsigned_number(const sml_value *value)
{
    switch (value->type) {
    case SML_TYPE_UNSIGNED | SML_TYPE_NUMBER_8:
        return *value->data.uint8;
    case SML_TYPE_UNSIGNED | SML_TYPE_NUMBER_16:
        return *value->data.uint16;
    case SML_TYPE_UNSIGNED | SML_TYPE_NUMBER_32:
        return *value->data.uint32;
    default:
        return *value->data.uint64;
    }
}

/* Texts that are printable stand as they are, other strings of bytes in hexadecimal. */
static void write_string(struct text *text, const octet_string *bytes)
{
    bool printable = true;

    for (int i = 0; i < bytes->len; i++)
        printable &= bytes->str[i] > ' ' && bytes->str[i] < 0x7F && !strchr("()*", bytes->str[i]);
    for (int i = 0; i < bytes->len; i++) {
        if (printable)
            text_raw(text, (const char *)&bytes->str[i], 1);
        else
            text_printf(text, "%02x", bytes->str[i]);
    }
}

static void write_value(struct text *text, const sml_list *entry)
{
    const sml_value *value = entry->value;
    int scaler = entry->scaler ? *entry->scaler : 0;
    int64_t number;

    switch (value->type & SML_TYPE_FIELD) {
    case SML_TYPE_OCTET_STRING:
        write_string(text, value->data.bytes);
        break;
    case SML_TYPE_BOOLEAN:
        text_raw(text, *value->data.boolean ? "1" : "0", 1);
        break;
    case SML_TYPE_UNSIGNED:
        write_scaled(text, false, unsigned_number(value), scaler);
        break;
    default:
        number = signed_number(value);
        write_scaled(text, number < 0, number < 0 ? 0 - (uint64_t)number : (uint64_t)number,
                     scaler);
    }
}

static bool is_writable(const sml_list *entry)
{
    const sml_value *value = entry->value;
    int scaler = entry->scaler ? *entry->scaler : 0;

    if (!value || !entry->obj_name || entry->obj_name->len != CODE_SIZE)
        return false;
    if (scaler < -SCALER_MAX || scaler > SCALER_MAX)
        return false;
    return (value->type & SML_TYPE_FIELD) != SML_TYPE_OCTET_STRING ||
           (value->data.bytes && value->data.bytes->len <= STRING_MAX);
}

static void write_entry(struct text *text, const sml_list *entry)
{
    const uint8_t *code;
    const char *unit = unit_name(entry->unit);

    if (!is_writable(entry))
        return;
    code = entry->obj_name->str;
    text_printf(text, "%u-%u:%u.%u.%u*%u(", code[0], code[1], code[2], code[3], code[4], code[5]);
    write_value(text, entry);
    text_printf(text, "%s%s)\r\n", unit[0] ? "*" : "", unit);
}

/* Lets libsml parse one message that is well-formed, and writes its values. */
static int write_message(struct text *text, const uint8_t *data, size_t size)
{
    sml_buffer *buffer = sml_buffer_init(size);
    sml_message *message;
    int result = ERR_CORRUPT;

    memcpy(buffer->buffer, data, size);
    message = sml_message_parse(buffer);
    if (message && !sml_buf_has_errors(buffer) && message->message_body &&
        *message->message_body->tag == SML_MESSAGE_GET_LIST_RESPONSE &&
        message->message_body->data) {
        const sml_get_list_response *response = message->message_body->data;

        for (const sml_list *entry = response->val_list; entry; entry = entry->next)
            write_entry(text, entry);
        result = 0;
    }
    sml_message_free(message);
    sml_buffer_free(buffer);
    return result;
}

/* Takes the doubled escapes out; false when an escape has another meaning. */
static bool unescape(const uint8_t *file, size_t size, uint8_t out[METER_FILE_SIZE_MAX],
                     size_t *out_size)
{
    static const uint8_t escape[ESCAPE_SIZE] = {0x1b, 0x1b, 0x1b, 0x1b};
    size_t used = 0;

    for (size_t at = 0; at < size; at++) {
        if (size - at >= ESCAPE_SIZE && memcmp(file + at, escape, ESCAPE_SIZE) == 0) {
            at += ESCAPE_SIZE;
            if (size - at < ESCAPE_SIZE || memcmp(file + at, escape, ESCAPE_SIZE) != 0)
                return false;
            memcpy(out + used, escape, ESCAPE_SIZE);
            used += ESCAPE_SIZE;
            at += ESCAPE_SIZE - 1;
            continue;
        }
        out[used++] = file[at];
    }
    *out_size = used;
    return true;
}

int meter_read(const uint8_t *file, size_t size, char *out, size_t room)
{
    uint8_t data[METER_FILE_SIZE_MAX];
    struct walk walk = {.data = data};
    struct text text;

    text_init(&text, out, room);
    if (size < START_SIZE || size > METER_FILE_SIZE_MAX ||
        memcmp(file, METER_START, START_SIZE) != 0 ||
        !unescape(file + START_SIZE, size - START_SIZE, data, &walk.size))
        return ERR_CORRUPT;
    while (walk.at < walk.size) {
        size_t from = walk.at;

        if (data[walk.at] == SML_MESSAGE_END) {
            walk.at++; /* a fill byte */
            continue;
        }
        bool has_values = take_message(&walk);
        if (walk.broken)
            return ERR_CORRUPT;
        if (has_values && write_message(&text, data + from, walk.at - from) < 0)
            return ERR_CORRUPT;
    }
    return text.cut ? ERR_FULL : (int)text.size;
}
