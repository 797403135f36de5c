/*
 * An event as the JSON object that subscribers, the API and the command line show alike. Pure; this
 * is the data path of uplinks, so what is the same for every event of a stream is made once.
 */
#ifndef SLUICE_CORE_EVENT_JSON_H
#define SLUICE_CORE_EVENT_JSON_H

#include "core/event.h"
#include "core/stream.h"
#include "core/text.h"

#define EVENT_JSON_SOURCE_SIZE (2 * ID_SIZE_MAX + 32)

/*
 * What an object says of its stream: "d":"boiler","p":"flow", with a comma behind it; "u":"cloud",
 * for an uplink; nothing for the gateway itself (number 0). Returns the size without the
 * terminating zero.
 */
size_t event_json_source(const struct stream *stream, char out[EVENT_JSON_SOURCE_SIZE]);

/*
 * Writes the members of the object and its closing brace: the caller writes what stands before
 * them. `source` is from event_json_source; `decimals` are the stream's. `uncertain`: its clock was
 * never set. A value that is not good is null; but that a device is down is what a state says. Cut
 * when there is no room.
 */
void event_json(struct text *text, const struct event *event, const char *source,
                size_t source_size, int8_t decimals, bool uncertain);

/* The members of a gap and the closing brace: ,"lost":[1,2],"count":2,"why":"retention"} */
void event_json_gap(struct text *text, const struct gap *gap);

#endif
