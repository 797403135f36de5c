/*
 * Device identification: function 43, type 14 (Modbus application protocol 1.1b3, 6.21). A device
 * that knows it says who made it and what it is, in words, over one request or several. Pure: the
 * request is a struct modbus_request for any link, the reply what a link gives as reply->data.
 */
#ifndef SLUICE_MODBUS_IDENT_H
#define SLUICE_MODBUS_IDENT_H

#include "modbus/pdu.h"

/* The objects that have a meaning; those from 0x80 on are the maker's own. */
enum ident_object {
    IDENT_VENDOR, /* this and the next two are "basic" */
    IDENT_PRODUCT_CODE,
    IDENT_REVISION,
    IDENT_URL, /* with it and the next ones "regular" */
    IDENT_PRODUCT_NAME,
    IDENT_MODEL,
    IDENT_APPLICATION, /* a name that its user gave it */
    IDENT_OBJECTS,
};

enum ident_level { IDENT_BASIC = 1, IDENT_REGULAR = 2 };

#define IDENT_TEXT_SIZE    64 /* longer texts are cut */
#define IDENT_REQUESTS_MAX 8  /* no device needs more for seven texts */

/* What a device says of itself. Zero it to begin. */
struct ident {
    char texts[IDENT_OBJECTS][IDENT_TEXT_SIZE]; /* printable ASCII without blanks around it; "" when
                                                   the device does not have the object */
    uint8_t conformity; /* what the device says it can: 0x01 basic, 0x02 regular, 0x03 extended,
                           0x80 on top of these: objects one by one, too; 0: it was never asked */
};

/* The key of an object in JSON ("vendor", "product_code", ...), and its name for people. */
const char *ident_key(enum ident_object object);
const char *ident_label(enum ident_object object);

/* Room for what modbus_request.data points to. */
struct ident_question {
    uint8_t data[3];
};

/* The request for all objects of a level from `object` on (first 0). `question` outlives it. */
struct modbus_request ident_request(struct ident_question *question, uint8_t unit,
                                    enum ident_level level, uint8_t object, int64_t timeout_ns);

/*
 * Takes a reply to a request from `object` on: `data` is what stands behind the function. Returns
 * the object to go on with, greater than `object`; 0 when that was all (a device that says that
 * more follows and does not say what, or the same again, has no more); ERR_PROTOCOL when it is no
 * such reply: what was taken before stays.
 */
int ident_take(struct ident *ident, uint8_t object, const uint8_t *data, size_t size);

/* Whether any text is there. */
bool ident_known(const struct ident *ident);

#endif
