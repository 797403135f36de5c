#include "core/text.h"

#include "core/decimal.h"
#include "core/text_number.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INTEGER_EXACT_MAX INT64_C(9007199254740992) /* 2^53: beyond, a reader's double may differ  \
                                                     */

void text_init(struct text *text, char *data, size_t room)
{
    *text = (struct text){.data = data, .room = room, .cut = room == 0};
    if (room > 0)
        data[0] = '\0';
}

/* Where `size` bytes and the terminating zero may be written; NULL, and the text is cut, where
 * there is no room. */
static inline char *reserve(struct text *text, size_t size)
{
    if (text->cut || size >= text->room - text->size) {
        text->cut = true;
        return NULL;
    }
    return text->data + text->size;
}

static inline void commit(struct text *text, size_t size)
{
    text->size += size;
    text->data[text->size] = '\0';
}

void text_raw(struct text *text, const char *bytes, size_t size)
{
    char *at = reserve(text, size);
    if (!at || size == 0)
        return;
    memcpy(at, bytes, size);
    commit(text, size);
}

void text_string(struct text *text, const char *zero_terminated)
{
    text_raw(text, zero_terminated, strlen(zero_terminated));
}

void text_printf(struct text *text, const char *format, ...)
{
    char *at = reserve(text, 0);
    if (!at)
        return;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(at, text->room - text->size, format, arguments);
    va_end(arguments);
    if (size < 0 || !reserve(text, (size_t)size)) {
        text->cut = true;
        *at = '\0';
        return;
    }
    text->size += (size_t)size;
}

void text_u64(struct text *text, uint64_t value)
{
    char digits[NUMBER_SIZE_MAX];
    text_raw(text, digits, (size_t)(number_put_u64(digits, value) - digits));
}

void text_i64(struct text *text, int64_t value)
{
    char digits[NUMBER_SIZE_MAX];
    text_raw(text, digits, (size_t)(number_put_i64(digits, value) - digits));
}

void text_f64(struct text *text, double value, int decimals)
{
    char digits[NUMBER_SIZE_MAX];
    text_raw(text, digits, (size_t)(number_put_f64(digits, value, decimals) - digits));
}

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD in UTF-8 */

static inline bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* How many bytes at the beginning of `bytes` need no escape; eight are looked at in one go. */
static size_t plain_span(const char *bytes, size_t size)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    size_t span = 0;
    for (; size - span >= 8; span += 8) {
        uint64_t word;
        memcpy(&word, bytes + span, 8);
        uint64_t quotes = word ^ ones * '"', backslashes = word ^ ones * '\\';
        /* With no top bit set, a byte below x borrows from its own top bit when x is subtracted
         * from it. */
        uint64_t odd = word | (word - ones * 0x20) | (quotes - ones) | (backslashes - ones);
        if (odd & tops)
            break;
    }
    while (span < size && is_plain((uint8_t)bytes[span]))
        span++;
    return span;
}

/* The size of the UTF-8 sequence (Unicode 3.9, table 3-7) at `bytes`, negated: of the ill-formed
 * part there. */
static int utf8_size(const uint8_t *bytes, size_t size)
{
    uint8_t lead = bytes[0];
    int length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4)
        return -1;
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    for (int i = 1; i < length; i++) {
        if ((size_t)i >= size || bytes[i] < low || bytes[i] > high)
            return -i;
        low = 0x80;
        high = 0xBF;
    }
    return length;
}

/* Writes what stands for an ASCII byte that cannot stand for itself; returns the size, at most 6.
 */
static size_t put_escape(char out[7], uint8_t byte)
{
    static const char letters[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                   ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    if (byte < sizeof(letters) && letters[byte]) {
        out[0] = '\\';
        out[1] = letters[byte];
        return 2;
    }
    return (size_t)snprintf(out, 7, "\\u%04x", byte);
}

/* Writes the character that begins at `bytes`; returns how many bytes it took of them. */
static size_t put_character(struct text *text, const char *bytes, size_t size)
{
    char escape[7];
    int length = utf8_size((const uint8_t *)bytes, size);
    if (length > 1)
        text_raw(text, bytes, (size_t)length);
    else if (length == 1)
        text_raw(text, escape, put_escape(escape, (uint8_t)bytes[0]));
    else
        text_string(text, REPLACEMENT);
    return (size_t)(length > 0 ? length : -length);
}

void text_json_string(struct text *text, const char *bytes, size_t size)
{
    size_t start = text->size;
    text_raw(text, "\"", 1);
    for (size_t done = 0; done < size && !text->cut;) {
        size_t span = plain_span(bytes + done, size - done);
        text_raw(text, bytes + done, span);
        done += span;
        if (done < size)
            done += put_character(text, bytes + done, size - done);
    }
    text_raw(text, "\"", 1);
    if (text->cut && text->room > 0) {
        text->size = start;
        text->data[start] = '\0';
    }
}

static void put_integer(struct text *text, const struct value *value)
{
    char digits[NUMBER_SIZE_MAX + 2];
    bool is_signed = value->type == VALUE_I64;
    bool exact = is_signed ? value->i <= INTEGER_EXACT_MAX && value->i >= -INTEGER_EXACT_MAX
                           : value->u <= (uint64_t)INTEGER_EXACT_MAX;
    char *at = digits;
    *at = '"';
    at += !exact;
    at = is_signed ? number_put_i64(at, value->i) : number_put_u64(at, value->u);
    *at = '"';
    at += !exact;
    text_raw(text, digits, (size_t)(at - digits));
}

static void put_hexadecimal(struct text *text, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *at = reserve(text, 2 * size + 2);
    if (!at)
        return;
    *at++ = '"';
    for (size_t i = 0; i < size; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    *at = '"';
    commit(text, 2 * size + 2);
}

void text_json_value(struct text *text, const struct value *value)
{
    switch ((enum value_type)value->type) {
    case VALUE_F64:
        text_f64(text, value->f, value->decimals);
        return;
    case VALUE_I64:
    case VALUE_U64:
        put_integer(text, value);
        return;
    case VALUE_BOOL:
        text_string(text, value->b ? "true" : "false");
        return;
    case VALUE_TEXT:
        text_json_string(text, value->data, value->size);
        return;
    case VALUE_BYTES:
        put_hexadecimal(text, value->data, value->size);
        return;
    case VALUE_GAP:
        text_printf(text, "{\"first\":%" PRIu64 ",\"last\":%" PRIu64 ",\"count\":%" PRIu64 "}",
                    value->gap->first, value->gap->last, value->gap->count);
        return;
    case VALUE_NONE:
        break;
    }
    text_string(text, "null");
}
