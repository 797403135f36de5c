#include "modbus/identify.h"

#include "core/error.h"

static int ask_level(struct link *link, uint8_t unit, enum ident_level level, int64_t timeout_ns,
                     struct ident *ident)
{
    int object = 0;

    for (int i = 0; i < IDENT_REQUESTS_MAX; i++) {
        struct ident_question question;
        struct modbus_request request =
            ident_request(&question, unit, level, (uint8_t)object, timeout_ns);
        struct link_reply reply;
        int error = link->ops->transact(link, &request, &reply);

        if (error)
            return error;
        object = ident_take(ident, (uint8_t)object, reply.data, reply.size);
        if (object <= 0)
            return object;
    }
    return 0;
}

int identify(struct link *link, uint8_t unit, int64_t timeout_ns, struct ident *ident)
{
    int error;

    *ident = (struct ident){0};
    error = ask_level(link, unit, IDENT_REGULAR, timeout_ns, ident);
    /* A device with the basic objects only should answer with those, but many refuse. */
    if ((error == ERR_EXCEPTION || error == 0) && !ident_known(ident))
        error = ask_level(link, unit, IDENT_BASIC, timeout_ns, ident);
    if (ident_known(ident) && (error == ERR_EXCEPTION || error == ERR_PROTOCOL))
        return 0;
    return error ? error : ident_known(ident) ? 0 : ERR_EXCEPTION;
}
