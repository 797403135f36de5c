#include "config/synonym.h"

#include <string.h>

#include "core/nearest.h"

/* Of several keys of one word that which the object has. */
static const struct synonym {
    const char *word, *key;
    const struct shape *only; /* where the key means that; NULL: wherever it is one */
} synonyms[] = {
    {"interval", "every", NULL},
    {"period", "every", NULL},
    {"cycle", "every", NULL},
    {"poll", "every", NULL},
    {"poll_interval", "every", NULL},
    {"polling_interval", "every", NULL},
    {"scan_interval", "every", NULL},
    {"scan_rate", "every", NULL},
    {"refresh", "every", NULL},
    {"address", "reg", NULL},
    {"address", "unit", &shape_device},
    {"address", "host", NULL},
    {"address", "url", NULL},
    {"addr", "reg", NULL},
    {"addr", "unit", &shape_device},
    {"addr", "host", NULL},
    {"register", "reg", NULL},
    {"register_address", "reg", NULL},
    {"start", "reg", NULL},
    {"start_address", "reg", NULL},
    {"datatype", "type", NULL},
    {"data_type", "type", NULL},
    {"value_type", "type", NULL},
    {"format", "type", NULL},
    {"kind", "type", NULL},
    {"byte_order", "order", NULL},
    {"word_order", "order", NULL},
    {"endian", "order", NULL},
    {"endianness", "order", NULL},
    {"swap", "order", NULL},
    {"factor", "scale", NULL},
    {"multiplier", "scale", NULL},
    {"gain", "scale", NULL},
    {"coefficient", "scale", NULL},
    {"quantity", "length", NULL},
    {"size", "length", NULL},
    {"function", "table", NULL},
    {"function_code", "table", NULL},
    {"register_type", "table", NULL},
    {"area", "table", NULL},
    {"label", "name", NULL},
    {"title", "name", NULL},
    {"description", "name", NULL},
    {"tag", "id", NULL},
    {"slave", "unit", &shape_device},
    {"slave_id", "unit", &shape_device},
    {"slave_address", "unit", &shape_device},
    {"unit_id", "unit", &shape_device},
    {"station", "unit", &shape_device},
    {"connection", "bus", NULL},
    {"channel", "bus", NULL},
    {"line", "bus", &shape_device},
    {"registers", "points", NULL},
    {"tags", "points", NULL},
    {"datapoints", "points", NULL},
    {"items", "points", NULL},
    {"sensors", "points", NULL},
    {"ip", "host", NULL},
    {"ip_address", "host", NULL},
    {"hostname", "host", NULL},
    {"server", "host", NULL},
    {"server", "url", NULL},
    {"device", "port", &shape_bus},
    {"tty", "port", NULL},
    {"serial_port", "port", NULL},
    {"com_port", "port", NULL},
    {"baud", "line", NULL},
    {"baudrate", "line", NULL},
    {"baud_rate", "line", NULL},
    {"parity", "line", NULL},
    {"stop_bits", "line", NULL},
    {"data_bits", "line", NULL},
    {"protocol", "driver", NULL},
    {"type", "driver", &shape_bus},
    {"broker", "url", NULL},
    {"host", "url", NULL},
    {"uri", "url", NULL},
    {"username", "user", NULL},
    {"topic", "root", NULL},
    {"prefix", "root", NULL},
    {"brokers", "uplinks", NULL},
    {"mqtt", "uplinks", NULL},
    {"connections", "buses", NULL},
};

static bool is_key(const char *key, const struct shape *shape, const struct option *extra)
{
    return option_find(shape->options, key) || option_find(extra, key) ||
           part_find(shape->parts, key);
}

const char *synonym_of(const char *word, const struct shape *shape, const struct option *extra)
{
    for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++) {
        const struct synonym *synonym = &synonyms[i];
        if ((!synonym->only || synonym->only == shape) &&
            nearest_distance(word, synonym->word) == 0 && is_key(synonym->key, shape, extra))
            return synonym->key;
    }
    return NULL;
}

bool synonym_is(const char *word, const char *key)
{
    for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++)
        if (strcmp(synonyms[i].key, key) == 0 && nearest_distance(word, synonyms[i].word) == 0)
            return true;
    return false;
}
