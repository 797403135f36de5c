/* Uplinks: their struct and most of their keys belong to the uplink part, which gives them as
 * tables. */
#include <stddef.h>
#include <string.h>

#include "config/fingerprint.h"
#include "config/load.h"

struct complaining {
    struct loader *loader;
    const struct json *node;
};

/* A complaint of the uplink's own check: at the key where it stands, else at the uplink. */
static void complain(void *context, const char *key, const char *sentence)
{
    const struct complaining *complaining = context;
    const struct json *at = key ? json_find(complaining->node, key) : NULL;
    if (!at && key)
        at = json_find(json_find(complaining->node, "tls"),
                       strncmp(key, "tls.", 4) == 0 ? key + 4 : key);
    findings_value(complaining->loader->decoder.findings, at ? at : complaining->node, "%s",
                   sentence);
}

static bool load_tls(struct loader *loader, const struct json *node, void *options)
{
    const struct config_parts *parts = loader->parts;
    bool clean = true;
    const struct json *tls = decode_part(&loader->decoder, node, &shape_uplink, "tls", &clean);
    struct layers layers = {{tls}};
    if (tls)
        clean &= decode_keys(&loader->decoder, tls, &shape_uplink_tls, parts->uplink_tls.options,
                             NULL, NULL);
    *(bool *)((char *)options + parts->uplink_tls_present) = tls != NULL;
    fingerprint_u64(&loader->decoder.hash, tls != NULL);
    return decode_options(&loader->decoder, parts->uplink_tls.options, options, &layers) && clean;
}

static void load_uplink(struct loader *loader, const struct json *node, struct textmap *ids)
{
    const struct config_parts *parts = loader->parts;
    struct decoder *decoder = &loader->decoder;
    struct uplink_own_options own = {0};
    struct layers layers = {{node}};
    struct complaining complaining = {loader, node};
    void *options = arena_alloc(decoder->arena, parts->uplink.struct_size);
    if (!options)
        return;
    decoder->hash = FINGERPRINT_BEGIN;
    fingerprint_text(&decoder->hash, decoder->gateway_id);
    fingerprint_u64(&decoder->hash,
                    node->parent->first == node); /* the first has the plain client id */
    bool clean = decode_keys(decoder, node, &shape_uplink, parts->uplink.options, NULL, NULL);
    clean &= decode_options(decoder, shape_uplink.options, &own, &layers);
    if (own.id)
        clean &= load_id_unique(loader, ids, node, own.id);
    decoder->uplink_id = own.id ? own.id : "";
    clean &= decode_options(decoder, parts->uplink.options, options, &layers);
    clean &= load_tls(loader, node, options);
    decoder->uplink_id = NULL;
    if (!clean ||
        (parts->uplink_check && parts->uplink_check(options, own.id, complain, &complaining)))
        return;
    struct config_uplink *uplink = &loader->config->uplinks[loader->config->uplink_count++];
    *uplink = (struct config_uplink){
        .id = own.id, .options = options, .fingerprint = decoder->hash, .line = (int)node->at.line};
    if (parts->uplink_plan)
        parts->uplink_plan(options, &uplink->plan);
}

void load_uplinks(struct loader *loader)
{
    struct textmap ids = {0};
    const struct json *list =
        decode_part(&loader->decoder, loader->root, &shape_root, "uplinks", NULL);
    if (!list)
        return;
    if (list->count > UPLINKS_MAX) {
        findings_value(loader->decoder.findings, list, "found %u uplinks; allowed: at most %d",
                       list->count, UPLINKS_MAX);
        return;
    }
    loader->config->uplinks =
        arena_array(loader->decoder.arena, list->count, sizeof(*loader->config->uplinks));
    for (const struct json *node = list->first; node && loader->config->uplinks; node = node->next)
        if (load_is_object(loader, node))
            load_uplink(loader, node, &ids);
    textmap_clear(&ids);
}
