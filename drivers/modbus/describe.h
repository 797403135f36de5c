/* What a frame says, for people and for programs. Pure. */
#ifndef SLUICE_MODBUS_DESCRIBE_H
#define SLUICE_MODBUS_DESCRIBE_H

#include "core/text.h"
#include "modbus/sniff.h"

/* Room for any frame's JSON, with its bytes. */
#define DESCRIBE_SIZE_MAX 8192

/* What a function does: "read holding registers"; "function 100" is written to `room` for others.
 */
#define DESCRIBE_NAME_SIZE 32
const char *describe_function(uint8_t function, char room[DESCRIBE_NAME_SIZE]);

/* One line without its end: way, unit, and what is asked or answered; of garbage how much. */
void describe_words(struct text *text, const struct sniff_frame *frame);

/*
 * The inside of a JSON object, without its braces: "way" ("request", "reply", "garbage"), and as
 * far as the frame has them "unit", "transaction", "function", "name", "address", "count",
 * "values", "exception", "answers" (whether the request was heard), "took_us" from the request's
 * end, "gap_us", "size", "pause_us" (the longest within it that parts lumps).
 */
void describe_json(struct text *text, const struct sniff_frame *frame);

/* The bytes as hexadecimal digits, with blanks between them where `apart`. */
void describe_bytes(struct text *text, const uint8_t *bytes, size_t size, bool apart);

#endif
