#include "modbus/ident.h"

#include "core/error.h"

#define MEI_TYPE 0x0E
#define HEAD     6 /* type, code, conformity, more, next, count of objects */

static const struct {
    const char *key, *label;
} objects[IDENT_OBJECTS] = {
    [IDENT_VENDOR] = {"vendor", "vendor"},
    [IDENT_PRODUCT_CODE] = {"product_code", "product code"},
    [IDENT_REVISION] = {"revision", "revision"},
    [IDENT_URL] = {"url", "web"},
    [IDENT_PRODUCT_NAME] = {"product_name", "product name"},
    [IDENT_MODEL] = {"model", "model"},
    [IDENT_APPLICATION] = {"application", "application"},
};

const char *ident_key(enum ident_object object)
{
    return objects[object].key;
}

const char *ident_label(enum ident_object object)
{
    return objects[object].label;
}

struct modbus_request ident_request(struct ident_question *question, uint8_t unit,
                                    enum ident_level level, uint8_t object, int64_t timeout_ns)
{
    *question = (struct ident_question){{MEI_TYPE, (uint8_t)level, object}};
    return (struct modbus_request){
        .unit = unit,
        .function = PDU_IDENTIFY,
        .data = question->data,
        .data_size = sizeof question->data,
        .timeout_ns = timeout_ns,
    };
}

/* Devices fill the rest of a text with blanks, zeros or FF. */
static void take_text(char text[IDENT_TEXT_SIZE], const uint8_t *bytes, size_t size)
{
    size_t length = 0;

    while (size > 0 && (bytes[size - 1] <= ' ' || bytes[size - 1] == 0xFF))
        size--;
    while (size > 0 && *bytes <= ' ') {
        bytes++;
        size--;
    }
    for (; length < size && length < IDENT_TEXT_SIZE - 1; length++)
        text[length] = bytes[length] >= ' ' && bytes[length] < 0x7F ? (char)bytes[length] : '?';
    text[length] = '\0';
}

/* Whether the objects end where the reply does. */
static bool is_whole(const uint8_t *data, size_t size)
{
    size_t at = HEAD;

    for (unsigned i = 0; i < data[HEAD - 1]; i++) {
        if (at + 2 > size)
            return false;
        at += 2u + data[at + 1];
    }
    return at == size;
}

int ident_take(struct ident *ident, uint8_t object, const uint8_t *data, size_t size)
{
    size_t at = HEAD;

    if (size < HEAD || data[0] != MEI_TYPE || !is_whole(data, size))
        return ERR_PROTOCOL;
    ident->conformity = data[2];
    for (unsigned i = 0; i < data[HEAD - 1]; i++) {
        if (data[at] < IDENT_OBJECTS)
            take_text(ident->texts[data[at]], data + at + 2, data[at + 1]);
        at += 2u + data[at + 1];
    }
    return data[3] == 0xFF && data[4] > object && data[4] < IDENT_OBJECTS ? data[4] : 0;
}

bool ident_known(const struct ident *ident)
{
    for (int i = 0; i < IDENT_OBJECTS; i++) {
        if (ident->texts[i][0])
            return true;
    }
    return false;
}
