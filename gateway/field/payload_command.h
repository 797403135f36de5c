/* A command as its sender writes it: one JSON object, docs/commands.md. */
#ifndef SLUICE_FIELD_PAYLOAD_COMMAND_H
#define SLUICE_FIELD_PAYLOAD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/command.h"

enum order_form { ORDER_BOOL, ORDER_NUMBER, ORDER_TEXT };

struct order {
    char id[COMMAND_ID_SIZE_MAX]; /* "" where none was found */
    char device[ID_SIZE_MAX], point[ID_SIZE_MAX];
    enum order_form form; /* of the value */
    bool truth;
    double number;
    char text[COMMAND_TEXT_SIZE_MAX + 1];
    int64_t expires_ms; /* 0: not given */
    int64_t ttl_ms;     /* negative: not given */
};

/* Returns 0, or ERR_INVALID with a sentence in `why`; order->id is set where it could be read. */
int payload_command(const char *json, size_t size, struct order *order, char *why, size_t why_size);

#endif
