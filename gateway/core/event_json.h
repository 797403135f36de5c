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
 * What an object says of its stream: "d":"boiler", and "p":"flow", each with a comma behind it;
 * "u":"cloud", for an uplink; nothing for the gateway itself (number 0).
 */
struct event_json_source {
    const char *device, *point;
    uint8_t device_size, point_size;
    int8_t decimals; /* the stream's */
};

/* The pieces are in `out`. */
struct event_json_source event_json_source(const struct stream *stream,
                                           char out[EVENT_JSON_SOURCE_SIZE]);

/*
 * Writes the members of the object and its closing brace: the caller writes what stands before
 * them. `uncertain`: its clock was never set. A value that is not good is null; but that a device
 * is down is what a state says. Cut when there is no room.
 */
void event_json(struct text *text, const struct event *event,
                const struct event_json_source *source, bool uncertain);

/* The members of a gap and the closing brace: ,"lost":[1,2],"count":2,"why":"retention"} */
void event_json_gap(struct text *text, const struct gap *gap);

#endif
