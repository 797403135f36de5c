#include "core/command.h"

#include <inttypes.h>
#include <string.h>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/codec.h"
#include "core/error.h"
#include "core/status.h"

/* Both forms begin with a byte that says their version: one above 1 is not understood. Bytes behind
 * the last field belong to later versions and are skipped. */
#define VERSION 1

bool command_id_valid(const char *id)
{
    size_t size = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:");

    return size > 0 && size < COMMAND_ID_SIZE_MAX && id[size] == '\0';
}

static size_t put_text(uint8_t *out, const void *bytes, size_t size)
{
    size_t at = varint_put(out, size);

    if (size > 0)
        memcpy(out + at, bytes, size);
    return at + size;
}

static size_t put_value(uint8_t *out, const struct value *value)
{
    uint64_t bits = 0;

    out[0] = value->type;
    switch ((enum value_type)value->type) {
    case VALUE_BOOL:
        out[1] = value->b;
        return 2;
    case VALUE_I64:
        return 1 + varint_put(out + 1, zigzag(value->i));
    case VALUE_U64:
        return 1 + varint_put(out + 1, value->u);
    case VALUE_F64:
        memcpy(&bits, &value->f, sizeof bits);
        put_u64(out + 1, bits);
        return 9;
    case VALUE_TEXT:
        return 1 +
               put_text(out + 1, value->data,
                        value->size < COMMAND_TEXT_SIZE_MAX ? value->size : COMMAND_TEXT_SIZE_MAX);
    default:
        out[0] = VALUE_NONE;
        return 1;
    }
}

size_t command_pack(const struct command *command, uint8_t *out)
{
    size_t at = 2;

    out[0] = VERSION;
    out[1] = command->op;
    at += put_text(out + at, command->id, strlen(command->id));
    at += put_text(out + at, command->by, strlen(command->by));
    at += varint_put(out + at, zigzag(command->expires_ms));
    at += varint_put(out + at, zigzag(command->ttl_ms));
    return at + put_value(out + at, &command->value);
}

size_t command_result_pack(const struct command_result *result, uint8_t *out)
{
    size_t at = 1;

    out[0] = VERSION;
    at += put_text(out + at, result->id, strlen(result->id));
    at += put_text(out + at, result->by, strlen(result->by));
    at += varint_put(out + at, result->command);
    at += put_value(out + at, &result->value);
    return at + put_text(out + at, result->words,
                         result->words_size < COMMAND_WORDS_SIZE_MAX ? result->words_size
                                                                     : COMMAND_WORDS_SIZE_MAX);
}

/* What is left to read. `left` is not touched any more once `bad` is set. */
struct input {
    const uint8_t *data;
    size_t left;
    bool bad;
};

static const uint8_t *take(struct input *input, size_t size)
{
    const uint8_t *data = input->data;

    if (input->bad || size > input->left) {
        input->bad = true;
        return NULL;
    }
    input->data += size;
    input->left -= size;
    return data;
}

static uint64_t take_varint(struct input *input)
{
    uint64_t value = 0;
    int size = input->bad ? ERR_CORRUPT : varint_get(input->data, input->left, &value);

    if (size < 0)
        input->bad = true;
    else
        take(input, (size_t)size);
    return input->bad ? 0 : value;
}

static uint8_t take_byte(struct input *input)
{
    const uint8_t *byte = take(input, 1);

    return byte ? *byte : 0;
}

/* A text of at most `most` bytes, which stays where it is. */
static const char *take_text(struct input *input, size_t most, size_t *size)
{
    uint64_t length = take_varint(input);

    *size = 0;
    if (length > most)
        input->bad = true;
    const uint8_t *text = take(input, (size_t)length);
    if (text)
        *size = (size_t)length;
    return (const char *)text;
}

static void take_id(struct input *input, char *out, size_t room)
{
    size_t size;
    const char *text = take_text(input, room - 1, &size);

    if (text && memchr(text, '\0', size))
        input->bad = true;
    if (text)
        memcpy(out, text, size);
    out[size] = '\0';
}

static void take_value(struct input *input, struct value *value)
{
    const uint8_t *bytes;
    uint64_t bits;
    size_t size;

    *value = (struct value){.type = take_byte(input), .decimals = DECIMALS_SHORTEST};
    switch (value->type) {
    case VALUE_NONE:
        break;
    case VALUE_BOOL:
        value->b = take_byte(input) != 0;
        break;
    case VALUE_I64:
        value->i = unzigzag(take_varint(input));
        break;
    case VALUE_U64:
        value->u = take_varint(input);
        break;
    case VALUE_F64:
        bytes = take(input, 8);
        bits = bytes ? get_u64(bytes) : 0;
        memcpy(&value->f, &bits, sizeof bits);
        break;
    case VALUE_TEXT:
        value->data = take_text(input, COMMAND_TEXT_SIZE_MAX, &size);
        value->size = (uint16_t)size;
        break;
    default:
        input->bad = true;
        break;
    }
}

int command_unpack(struct command *command, const uint8_t *data, size_t size)
{
    struct input input = {.data = data, .left = size};

    *command = (struct command){0};
    input.bad = take_byte(&input) != VERSION;
    command->op = take_byte(&input);
    take_id(&input, command->id, sizeof command->id);
    take_id(&input, command->by, sizeof command->by);
    command->expires_ms = unzigzag(take_varint(&input));
    command->ttl_ms = unzigzag(take_varint(&input));
    take_value(&input, &command->value);
    return input.bad ? ERR_CORRUPT : 0;
}

int command_result_unpack(struct command_result *result, const uint8_t *data, size_t size)
{
    struct input input = {.data = data, .left = size};

    *result = (struct command_result){0};
    input.bad = take_byte(&input) != VERSION;
    take_id(&input, result->id, sizeof result->id);
    take_id(&input, result->by, sizeof result->by);
    result->command = take_varint(&input);
    take_value(&input, &result->value);
    result->words = take_text(&input, COMMAND_WORDS_SIZE_MAX, &result->words_size);
    return input.bad ? ERR_CORRUPT : 0;
}

void command_answer_json(struct text *text, const struct command_answer *answer)
{
    text_string(text, "{\"id\":");
    text_json_string(text, answer->id, strlen(answer->id));
    if (answer->accepted) {
        text_string(text, ",\"accepted\":true");
    } else {
        struct value value = answer->value ? *answer->value : (struct value){0};

        value.decimals = answer->decimals;
        text_printf(text, ",\"ok\":%s,\"v\":", answer->status == STATUS_GOOD ? "true" : "false");
        text_json_value(text, &value);
    }
    if (answer->status != STATUS_GOOD) {
        const char *words = answer->words[0] ? answer->words : status_help(answer->status);

        text_printf(text, ",\"why\":\"%s\",\"help\":", status_why(answer->status));
        text_json_string(text, words, strlen(words));
    }
    if (answer->wall_ns)
        text_printf(text, ",\"t\":%" PRId64, answer->wall_ns / NS_PER_MS);
    if (answer->n)
        text_printf(text, ",\"key\":\"%08" PRIx32 "-%" PRIu64 "\"", answer->epoch, answer->n);
    text_string(text, "}");
}
