/* What a point is, as the JSON that subscribers and the API get alike. Pure. */
#ifndef SLUICE_CORE_SITE_JSON_H
#define SLUICE_CORE_SITE_JSON_H

#include "core/site.h"
#include "core/stream.h"
#include "core/text.h"

/* "boolean", "integer", "string" or "number": the JSON type of readings of that enum value_type. */
const char *site_type_name(uint8_t type);

/* ,"key":"text", or nothing where there is no text. */
void site_json_text(struct text *text, const char *key, const char *value);

/* "type":"number","name":… and unit, ucum, class and state, where they are given; the caller writes
 * the brace before them. */
void site_json_point(struct text *text, const struct site_point *point);

/* ,"enum":{…},"write":{…}, where they are given. */
void site_json_writing(struct text *text, const struct site_point *point);

/* A value is stale when it is older than the longest silence that its point allows itself, in ms; 0
 * where that has no end while the value does not change. */
int64_t site_point_max_age_ms(const struct site_point *point);

/* A device is not to be trusted when nothing of it, not even its heartbeat, came for so long; 0: no
 * limit. */
int64_t site_device_max_age_ms(const struct site_device *device);

#endif
