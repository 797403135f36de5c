/* config_load: the order in which a configuration is read, and what holds for all of it. */
#include "config/load.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/file.h"
#include "config/fingerprint.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/zone.h"

/* The configuration lives in its own arena; this is its first piece. */
struct loaded {
    struct config config;
    struct arena *arena;
    char fingerprint[16];
};

static void load_version(struct loader *loader)
{
    const struct json *version = json_find(loader->root, "version");
    struct root_options options = {0};
    struct layers layers = {.objects = {loader->root}};
    int64_t number;
    if (version && json_integer(version, &number) && number != CONFIG_VERSION)
        findings_value(loader->decoder.findings, version,
                       "found version %s; this program reads version %d%s", version->text,
                       CONFIG_VERSION,
                       number > CONFIG_VERSION ? ": the file was written for a newer one" : "");
    else
        decode_options(&loader->decoder, shape_root.options, &options, &layers);
}

/* The zone must exist where there is a database to tell; small systems have none. */
static void check_timezone(struct loader *loader, const struct json *gateway)
{
    const struct json *value = json_find(gateway, "timezone");
    const char *zone = loader->config->site.timezone;
    if (value && json_sound(value) && zone_find(zone) == ERR_NOT_FOUND)
        findings_value(loader->decoder.findings, value,
                       "found \"%s\"; there is no such time zone: names are as \"Europe/Berlin\"",
                       zone);
}

static void load_gateway(struct loader *loader)
{
    struct site *site = &loader->config->site;
    struct decoder *decoder = &loader->decoder;
    const struct json *node = decode_part(decoder, loader->root, &shape_root, "gateway");
    struct layers layers = {.objects = {node}};
    const struct json *id = json_find(node, "id");
    decoder->gateway_id = decoder->gateway_name = decode_unknown;
    site->board = "";
    if (!node)
        return;
    if (id && id->type == JSON_STRING && id_valid(id->text))
        decoder->gateway_id = id->text;
    decoder->gateway_name = NULL; /* while it is read itself */
    decode_keys(decoder, node, &shape_gateway, NULL, NULL, NULL);
    decode_options(decoder, shape_gateway.options, site, &layers);
    check_timezone(loader, node);
    if (!site->name)
        site->name = site->id;
    decoder->gateway_name =
        site->name && decode_sound(&layers, "name") ? site->name : decode_unknown;
}

static void load_journal(struct loader *loader)
{
    struct config_journal *journal = &loader->config->journal;
    const struct json *node = decode_part(&loader->decoder, loader->root, &shape_root, "journal");
    struct layers layers = {.objects = {node}};
    if (node)
        decode_keys(&loader->decoder, node, &shape_journal, NULL, NULL, NULL);
    decode_options(&loader->decoder, shape_journal.options, journal, &layers);
    if (node && journal->segment_bytes > journal->keep_bytes / 4 && decode_sound(&layers, "keep"))
        findings_value(loader->decoder.findings, json_find(node, "segment"),
                       "four segments have to fit into what \"keep\" allows");
}

static bool is_address(const char *text)
{
    unsigned char address[16];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static bool is_host_name(const char *text)
{
    size_t size = strlen(text);
    return size > 0 && size < 254 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
               size;
}

static void check_texts(struct loader *loader, const struct json *list,
                        bool (*fits)(const char *text), const char *allowed)
{
    const struct json *item = list && list->type == JSON_LIST ? list->first : NULL;
    for (; item; item = item->next)
        if (item->type == JSON_STRING && json_sound(item) && !fits(item->text))
            findings_value(loader->decoder.findings, item, "found \"%.60s\"; allowed: %s",
                           item->text, allowed);
}

static void load_web(struct loader *loader)
{
    struct config_web *web = &loader->config->web;
    struct decoder *decoder = &loader->decoder;
    const struct json *node = decode_part(decoder, loader->root, &shape_root, "web");
    struct layers layers = {.objects = {node}};
    uint64_t before = decoder->hash;

    decoder->hash = FINGERPRINT_BEGIN;
    if (node)
        decode_keys(decoder, node, &shape_web, NULL, NULL, NULL);
    decode_options(decoder, shape_web.options, web, &layers);
    web->fingerprint = decoder->hash;
    decoder->hash = before;
    fingerprint_u64(&decoder->hash, web->fingerprint);
    if (!node)
        return;
    check_texts(loader, json_find(node, "listen"), is_address,
                "addresses as \"192.168.1.5\" or \"fd00::5\"");
    check_texts(loader, json_find(node, "names"), is_host_name,
                "host names as \"plant7.example.com\"");
    bool cert = json_find(node, "cert"), key = json_find(node, "key");
    if (cert != key)
        findings_missing(loader->decoder.findings, node, cert ? "key" : "cert",
                         "a certificate and its key go together");
}

static void load_defaults(struct loader *loader)
{
    const struct json *node = decode_part(&loader->decoder, loader->root, &shape_root, "defaults");
    struct layers layers = {.objects = {node}};
    loader->defaults =
        (struct policy){.every_ns = POLICY_EVERY_NS, .heartbeat_ns = POLICY_HEARTBEAT_NS};
    if (!node)
        return;
    decode_keys(&loader->decoder, node, &shape_defaults, NULL, NULL, NULL);
    decode_options(&loader->decoder, shape_defaults.options, &loader->defaults, &layers);
    load_report(loader, node, NULL, &shape_defaults, &loader->defaults);
}

/* Every driver's rows of a level in one table, each key once. */
static struct option *any_rows(struct loader *loader, bool points)
{
    size_t room = 1, count = 0;
    const struct driver *const *driver = loader->parts->drivers;
    for (size_t i = 0; driver[i]; i++) {
        const struct option *row = points ? driver[i]->point.options : driver[i]->device.options;
        for (; row && row->key; row++)
            room++;
    }
    struct option *rows = arena_array(loader->scratch, room, sizeof(*rows));
    for (size_t i = 0; rows && driver[i]; i++) {
        const struct option *row = points ? driver[i]->point.options : driver[i]->device.options;
        for (; row && row->key; row++)
            if (!option_find(rows, row->key))
                rows[count++] = *row;
    }
    return rows;
}

/* Puts the buses into the site and joins what they are configured with into the fingerprints. */
static void finish(struct loader *loader, uint64_t hash)
{
    struct loaded *loaded = (struct loaded *)loader->config;
    struct site *site = &loader->config->site;
    uint64_t sum = 0; /* of parts whose order does not matter */
    site->buses = arena_array(loader->decoder.arena, loader->bus_count, sizeof(*site->buses));
    for (size_t i = 0; site->buses && i < loader->bus_count; i++) {
        site->buses[i] = loader->buses[i].site;
        site->buses[i].fingerprint = loader->buses[i].hash;
        sum += loader->buses[i].hash;
        site->bus_count++;
    }
    for (size_t i = 0; i < loader->config->uplink_count; i++)
        sum += loader->config->uplinks[i].fingerprint;
    fingerprint_u64(&hash, sum);
    snprintf(loaded->fingerprint, sizeof(loaded->fingerprint), "%08" PRIx32,
             (uint32_t)(hash ^ hash >> 32));
    site->fingerprint = loaded->fingerprint;
}

static void load_all(struct loader *loader)
{
    if (loader->root->type != JSON_OBJECT) {
        findings_value(loader->decoder.findings, loader->root,
                       "a configuration is an object {...}");
        return;
    }
    loader->any_device = any_rows(loader, false);
    loader->any_point = any_rows(loader, true);
    decode_keys(&loader->decoder, loader->root, &shape_root, NULL, NULL, NULL);
    load_version(loader);
    loader->decoder.hash = FINGERPRINT_BEGIN;
    load_gateway(loader);
    load_journal(loader);
    load_web(loader);
    uint64_t hash = loader->decoder.hash;
    load_defaults(loader);
    load_buses(loader);
    load_devices(loader);
    load_uplinks(loader);
    load_check(loader);
    load_share(loader);
    finish(loader, hash);
}

/* The folder of the file, absolute, so that names in it can be made absolute. */
static const char *folder_of(struct arena *arena, const char *path)
{
    char *real = realpath(path, NULL);
    if (!real)
        return "";
    char *slash = strrchr(real, '/');
    const char *folder = arena_text(arena, real, (size_t)(slash - real));
    free(real);
    return folder;
}

struct telling {
    struct findings *findings;
    const char *path;
};

static void tell_place(void *context, struct json_place at, const char *sentence)
{
    const struct telling *telling = context;
    findings_place(telling->findings, telling->path, at, "%s", sentence);
}

/* A text that stands for the file `path`. */
static int read_text(struct loader *loader, const char *text, const char *path)
{
    struct telling telling = {loader->decoder.findings, path};
    struct json *root = NULL;
    int error = json_read(&root, loader->scratch, text, strlen(text), tell_place, &telling);
    if (root)
        findings_file(loader->decoder.findings, root, path);
    loader->root = root;
    return error;
}

static int load(struct loader *loader, struct config **config, const char *text, const char *path)
{
    struct loaded *loaded = arena_alloc(loader->decoder.arena, sizeof(*loaded));
    loader->decoder.findings = findings_open(loader->scratch);
    if (!loaded || !loader->decoder.findings)
        return ERR_NOMEM;
    loaded->arena = loader->decoder.arena;
    loader->config = &loaded->config;
    loaded->config.path = arena_text(loaded->arena, path, strlen(path));
    loader->decoder.folder = folder_of(loader->scratch, path);
    if (!loaded->config.path || !loader->decoder.folder)
        return ERR_NOMEM;
    int error =
        text ? read_text(loader, text, path)
             : file_read_json(&loader->root, loader->scratch, path, loader->decoder.findings);
    if (error)
        return error == ERR_INVALID ? ERR_CONFIG : error;
    load_all(loader);
    if (arena_failed(loader->decoder.arena) || arena_failed(loader->scratch) ||
        loader->out_of_memory)
        return ERR_NOMEM;
    *config = &loaded->config;
    return findings_count(loader->decoder.findings) > 0 ? ERR_CONFIG : 0;
}

int config_load(struct config **config, const char *path, const struct config_parts *parts,
                config_tell_fn *tell, void *context)
{
    return config_load_text(config, NULL, path, parts, tell, context);
}

int config_load_text(struct config **config, const char *text, const char *path,
                     const struct config_parts *parts, config_tell_fn *tell, void *context)
{
    struct loader *loader = calloc(1, sizeof(*loader));
    *config = NULL;
    int error = loader ? 0 : ERR_NOMEM;
    if (!error)
        error = arena_open(&loader->decoder.arena);
    if (!error)
        error = arena_open(&loader->scratch);
    if (!error) {
        loader->decoder.scratch = loader->scratch;
        loader->decoder.pool.arena = loader->decoder.arena;
        loader->parts = parts;
        error = load(loader, config, text, path);
        if (loader->decoder.findings)
            findings_tell(loader->decoder.findings, tell, context);
    }
    if (error == ERR_NOMEM)
        tell(context, &(struct config_error){path, 0, 0, "", error_text(error)});
    if (loader) {
        textmap_clear(&loader->decoder.texts);
        pool_clear(&loader->decoder.pool);
        arena_close(loader->scratch);
        if (error)
            arena_close(loader->decoder.arena);
        free(loader);
    }
    if (error)
        *config = NULL;
    return error;
}

void config_free(struct config *config)
{
    if (config)
        arena_close(((struct loaded *)config)->arena);
}

void config_tell_stdio(void *context, const struct config_error *error)
{
    FILE *out = context;
    fputs(error->file, out);
    if (error->line > 0)
        fprintf(out, ":%d:%d", error->line, error->column);
    fprintf(out, ": %s%s%s\n", error->key, *error->key ? ": " : "", error->sentence);
}
