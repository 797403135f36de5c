/* Uplinks: their struct and most of their keys belong to the uplink part, which gives them as
 * tables. */
#include <stddef.h>
#include <string.h>

#include "config/fingerprint.h"
#include "config/load.h"

struct complaining {
    struct option_complaints complaints; /* first: the uplink hands it back */
    struct loader *loader;
    const struct json *node;
};

/* The value of "url", or of "tls.ca". */
static const struct json *value_of(const struct complaining *complaining, const char *key)
{
    bool tls = strncmp(key, "tls.", 4) == 0;
    return tls ? json_find(json_find(complaining->node, "tls"), key + 4)
               : json_find(complaining->node, key);
}

/* A complaint of the uplink's own check: at the key, where it is missing at the uplink. */
static void complain(struct option_complaints *complaints, const char *key, const char *sentence)
{
    const struct complaining *complaining = (const struct complaining *)complaints;
    struct findings *findings = complaining->loader->decoder.findings;
    const struct json *at = value_of(complaining, key);
    if (!at)
        findings_missing(findings, complaining->node, key, "%s", sentence);
    else if (json_sound(at))
        findings_value(findings, at, "%s", sentence);
}

static bool sound(struct option_complaints *complaints, const char *key)
{
    const struct json *value = value_of((const struct complaining *)complaints, key);
    return !value || json_sound(value);
}

static void load_tls(struct loader *loader, const struct json *node, void *options)
{
    const struct config_parts *parts = loader->parts;
    const struct json *tls = decode_part(&loader->decoder, node, &shape_uplink, "tls");
    struct layers layers = {.objects = {tls}};
    if (tls)
        decode_keys(&loader->decoder, tls, &shape_uplink_tls, parts->uplink_tls.options, NULL,
                    NULL);
    *(bool *)((char *)options + parts->uplink_tls_present) = tls != NULL;
    fingerprint_u64(&loader->decoder.hash, tls != NULL);
    decode_options(&loader->decoder, parts->uplink_tls.options, options, &layers);
}

static void load_uplink(struct loader *loader, const struct json *node, struct textmap *ids)
{
    const struct config_parts *parts = loader->parts;
    struct decoder *decoder = &loader->decoder;
    struct uplink_own_options own = {0};
    struct layers layers = {.objects = {node}};
    struct complaining complaining = {{complain, sound}, loader, node};
    void *options = arena_alloc(decoder->arena, parts->uplink.struct_size);
    if (!options)
        return;
    decoder->hash = FINGERPRINT_BEGIN;
    fingerprint_text(&decoder->hash, decoder->gateway_id);
    fingerprint_u64(&decoder->hash,
                    node->parent->first == node); /* the first has the plain client id */
    decode_keys(decoder, node, &shape_uplink, parts->uplink.options, NULL, NULL);
    decode_options(decoder, shape_uplink.options, &own, &layers);
    if (own.id)
        load_id_unique(loader, ids, node, own.id);
    decoder->uplink_id = own.id ? own.id : decode_unknown;
    decode_options(decoder, parts->uplink.options, options, &layers);
    load_tls(loader, node, options);
    decoder->uplink_id = NULL;
    if (parts->uplink_check)
        parts->uplink_check(options, own.id, &complaining.complaints);
    struct config_uplink *uplink = &loader->config->uplinks[loader->config->uplink_count++];
    *uplink = (struct config_uplink){
        .id = own.id, .options = options, .fingerprint = decoder->hash, .line = (int)node->at.line};
    if (parts->uplink_plan && findings_count(decoder->findings) == 0)
        parts->uplink_plan(options, &uplink->plan);
}

/* Against those before it: one that wants another root is named at the later one. */
static void warn_of_others(struct loader *loader, struct config_uplink *uplink)
{
    const struct config *config = loader->config;
    char sentence[FINDINGS_TEXT_MAX];

    for (const struct config_uplink *other = config->uplinks; other < uplink; other++) {
        if (!loader->parts->uplink_meets(uplink->options, other->options, other->id, sentence,
                                         sizeof(sentence)))
            continue;
        uplink->warning = arena_text(loader->decoder.arena, sentence, strlen(sentence));
        return;
    }
}

void load_uplinks(struct loader *loader)
{
    struct config *config = loader->config;
    struct textmap ids = {0};
    const struct json *list = load_list(loader, "uplinks", UPLINKS_MAX);
    if (!list)
        return;
    config->uplinks = arena_array(loader->decoder.arena, list->count, sizeof(*config->uplinks));
    for (const struct json *node = list->first; node && config->uplinks; node = node->next)
        if (load_is_object(loader, node))
            load_uplink(loader, node, &ids);
    if (loader->parts->uplink_meets && findings_count(loader->decoder.findings) == 0)
        for (size_t i = 0; i < config->uplink_count; i++)
            warn_of_others(loader, &config->uplinks[i]);
    textmap_clear(&ids);
}
