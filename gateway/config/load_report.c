/* "report": which readings are stored, inherited key by key. */
#include "config/load.h"
#include "config/quantity.h"

/*
 * A dead band is a kind of on_change: of the two the nearer one counts. So a point can store every
 * reading in spite of a dead band that it would inherit, and the other way round.
 */
static void settle_dead_band(struct loader *loader, const struct layers *layers,
                             struct policy *policy)
{
    for (size_t i = 0; i < 2; i++) {
        const struct json *change = json_find(layers->objects[i], "on_change");
        const struct json *band = json_find(layers->objects[i], "dead_band");
        bool off = change && change->type == JSON_BOOL && !change->truth;
        if (off && band && policy->dead_band.width > 0) {
            findings_value(loader->decoder.findings, band,
                           "a dead band stores changes only, and \"on_change\" beside it is false: "
                           "leave one of them out");
            return;
        }
        if (off)
            policy->dead_band = (struct option_band){0};
        if (change || band)
            break;
    }
    if (policy->dead_band.width > 0)
        policy->on_change = true;
}

/* Told where one of the two stands, not at each point that inherits them. */
static void check_intervals(struct loader *loader, const struct layers *layers,
                            const struct policy *policy)
{
    const struct json *most = decode_find(layers, "at_most"),
                      *least = decode_find(layers, "at_least");
    char at_least[QUANTITY_TEXT_SIZE];
    if (!policy->on_change || policy->at_least_ns == 0 ||
        policy->at_most_ns <= policy->at_least_ns || (!most && !least) ||
        !decode_sound(layers, "at_most") || !decode_sound(layers, "at_least"))
        return;
    quantity_duration_text((double)policy->at_least_ns, at_least);
    findings_value(loader->decoder.findings, most ? most : least,
                   "\"at_most\" is longer than \"at_least\" (%s): a reading cannot be stored both "
                   "that rarely and that often",
                   at_least);
}

void load_report(struct loader *loader, const struct json *object, const struct json *below,
                 const struct shape *shape, struct policy *policy)
{
    struct layers layers = {
        .objects = {decode_part(&loader->decoder, object, shape, "report"),
                    below ? decode_part(&loader->decoder, below, shape, "report") : NULL}};
    for (size_t i = 0; i < 2; i++)
        if (layers.objects[i])
            decode_keys(&loader->decoder, layers.objects[i], &shape_report, NULL, NULL, NULL);
    decode_options(&loader->decoder, shape_report.options, policy, &layers);
    settle_dead_band(loader, &layers, policy);
    check_intervals(loader, &layers, policy);
}
