#include "cli/assign_profile.h"

#include <stdio.h>
#include <string.h>

#include "cli/profile_path.h"
#include "config/catalog.h"
#include "core/error.h"
#include "daemon/gateway.h"

static void take_text(char out[ASSIGN_TEXT_SIZE], const struct json *object, const char *key)
{
    const struct json *value = json_find(object, key);

    snprintf(out, ASSIGN_TEXT_SIZE, "%s", value && value->type == JSON_STRING ? value->text : "");
}

static bool is_true(const struct json *object, const char *key)
{
    const struct json *value = json_find(object, key);

    return value && value->type == JSON_BOOL && value->truth;
}

static int64_t number_of(const struct json *object, const char *key, int64_t fallback)
{
    const struct json *value = json_find(object, key);
    int64_t number;

    return value && json_integer(value, &number) && number >= 0 && number <= 65535 ? number
                                                                                   : fallback;
}

static void take_bauds(struct assign_profile *out, const struct json *list)
{
    for (const struct json *item = list ? list->first : NULL;
         item && out->baud_count < sizeof out->bauds / sizeof out->bauds[0]; item = item->next) {
        if (item->type == JSON_STRING &&
            config_assign_baud(item->text, &out->bauds[out->baud_count].baud,
                               &out->bauds[out->baud_count].code))
            out->baud_count++;
    }
}

static void take_formats(struct assign_profile *out, const struct json *list)
{
    for (const struct json *item = list ? list->first : NULL;
         item && out->format_count < sizeof out->formats / sizeof out->formats[0];
         item = item->next) {
        if (item->type == JSON_STRING &&
            config_assign_format(item->text, &out->formats[out->format_count]))
            out->format_count++;
    }
}

static void take(struct assign_profile *out, const struct json *assign, const struct json *factory)
{
    char text[ASSIGN_TEXT_SIZE], why[256];

    take_text(text, assign, "type");
    out->map = (struct assign_map){
        .unit_reg = (uint16_t)number_of(assign, "unit_reg", 0),
        .baud_reg = (uint16_t)number_of(assign, "baud_reg", 0),
        .format_reg = (uint16_t)number_of(assign, "format_reg", 0),
        .stop_reg = (uint16_t)number_of(assign, "stop_reg", 0),
        .f32 = strcmp(text, "f32") == 0,
        .multiple = is_true(assign, "multiple"),
        .restart = is_true(assign, "restart"),
    };
    take_text(out->setup, assign, "setup");
    take_text(out->source, assign, "source");
    take_text(text, assign, "confidence");
    out->sure = strcmp(text, "high") == 0;
    take_bauds(out, json_find(assign, "bauds"));
    take_formats(out, json_find(assign, "formats"));
    take_text(text, factory, "line");
    if (port_parse_settings(text, &out->line, why, sizeof why) != 0)
        out->line.baud = 0;
    out->unit = number_of(factory, "unit", 0);
}

int assign_profile_read(struct assign_profile *out, const char *name)
{
    const struct catalog_profile *profile;
    struct config_parts parts;
    struct profile_path path;
    struct catalog *catalog;
    const char *nearest = NULL;
    const struct json *assign;
    int code = EXIT_CODE_OK;

    *out = (struct assign_profile){0};
    gateway_config_parts(&parts);
    if (!profile_path_take(&path, &parts, &name, "sluice assign"))
        return EXIT_CODE_SYSTEM;
    if (catalog_open(&catalog, &parts, config_tell_stdio, stderr) != 0) {
        fprintf(stderr, "sluice assign: %s\n", error_text(ERR_NOMEM));
        return EXIT_CODE_SYSTEM;
    }
    profile = catalog_find(catalog, name, &nearest);
    assign = profile ? json_find(profile->root, "assign") : NULL;
    if (assign) {
        take(out, assign, json_find(profile->root, "factory"));
    } else if (profile) {
        fprintf(stderr,
                "sluice assign: profile %s does not say by which registers the unit is "
                "set: set it at the device, or add \"assign\" to a profile of your own\n",
                name);
        code = EXIT_CODE_FAILED;
    } else {
        fprintf(stderr, "sluice assign: there is no profile \"%s\"%s%s%s\n", name,
                nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
        code = EXIT_CODE_USAGE;
    }
    catalog_close(catalog);
    return code;
}

const struct assign_format *assign_profile_format(const struct assign_profile *profile,
                                                  const struct port_settings *line)
{
    for (size_t i = 0; i < profile->format_count; i++) {
        const struct assign_format *format = &profile->formats[i];

        if (format->data_bits == line->data_bits && format->parity == line->parity &&
            format->stop_bits == line->stop_bits)
            return format;
    }
    return NULL;
}

bool assign_profile_code(const struct assign_profile *profile, int32_t baud, uint16_t *code)
{
    for (size_t i = 0; i < profile->baud_count; i++) {
        if (profile->bauds[i].baud == baud) {
            *code = profile->bauds[i].code;
            return true;
        }
    }
    return false;
}
