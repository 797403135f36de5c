#include "uplink/internal.h"

#include <stdio.h>
#include <string.h>

#include "core/crc32c.h"
#include "core/error.h"
#include "uplink/reason.h"

/* What a broker of MQTT 3.1.1 does not let this client read back. */
#define REASON_UNREADABLE 0x87

void proof_begin(struct uplink *uplink, bool needed)
{
    uplink->proof = (struct proof){.needed = needed};
    uplink->stats.delivery_proven = false;
}

static void subscribe(struct uplink *uplink, const char *topic)
{
    if (mqtt_subscribe(uplink->mqtt, topic, 1) == 0)
        uplink->proof.subscribing++;
}

/* Whether events may be published: at once where the acknowledgements prove it, else after the
 * subscription. */
bool proof_ready(struct uplink *uplink)
{
    struct proof *proof = &uplink->proof;

    if (!proof->needed || proof->proven)
        return true;
    if (!proof->subscribed) {
        proof->subscribed = true;
        if (uplink->options->layout == UPLINK_VALUES) {
            char filter[UPLINK_TOPIC_SIZE];

            snprintf(filter, sizeof(filter), "%sv/#", uplink->base);
            subscribe(uplink, filter);
            subscribe(uplink, uplink->topic_mark);
        }
        subscribe(uplink, uplink->topic_data);
    }
    return proof->subscribing == 0 && proof->deadline_ns == 0;
}

static void give_up_subscriptions(struct uplink *uplink)
{
    char filter[UPLINK_TOPIC_SIZE];

    snprintf(filter, sizeof(filter), "%sv/#", uplink->base);
    if (uplink->options->layout == UPLINK_VALUES) {
        mqtt_unsubscribe(uplink->mqtt, filter);
        mqtt_unsubscribe(uplink->mqtt, uplink->topic_mark);
    }
    mqtt_unsubscribe(uplink->mqtt, uplink->topic_data);
}

void proof_subscribed(struct uplink *uplink, const char *topic, int reason)
{
    struct proof *proof = &uplink->proof;
    char sentence[256];

    if (proof->subscribing > 0)
        proof->subscribing--;
    if (reason >= 0 && reason < 0x80)
        return;
    if (uplink->options->unproven == UPLINK_DELIVER) {
        proof->needed = false;
        tell_status(uplink, "online",
                    "delivery is not proven: the broker does not let this client "
                    "read its own topics");
        return;
    }
    if (reason < 0)
        return; /* the connection ended */
    snprintf(sentence, sizeof(sentence),
             "delivery unproven: MQTT 3.1.1 does not tell whether a message was taken, and the "
             "broker does not let this client read %s back: allow that, use MQTT 5, or set "
             "\"unproven\" to \"deliver\"",
             topic);
    mqtt_disconnect(uplink->mqtt, 0);
    connection_fail(uplink, ERR_DENIED, sentence);
}

/* The message that was just handed over must come back. At most PROOF_ENTRIES_MAX of a unit are
 * watched. */
void proof_expect(struct uplink *uplink, const char *topic, const void *payload, size_t size)
{
    struct proof *proof = &uplink->proof;

    if (!proof->needed || proof->proven)
        return;
    for (size_t i = 0; i < PROOF_ENTRIES_MAX; i++) {
        struct proof_entry *entry = &proof->entries[i];

        if (entry->waiting)
            continue;
        *entry = (struct proof_entry){.token = window_expect(&uplink->window),
                                      .crc = crc32c(0, payload, size),
                                      .size = size,
                                      .waiting = true};
        snprintf(entry->topic, sizeof(entry->topic), "%s", topic);
        proof->deadline_ns = clock_mono(&clock_system) + UPLINK_PROOF_NS;
        return;
    }
}

static bool any_waiting(const struct proof *proof)
{
    for (size_t i = 0; i < PROOF_ENTRIES_MAX; i++) {
        if (proof->entries[i].waiting)
            return true;
    }
    return false;
}

void proof_message(struct uplink *uplink, const char *topic, const void *payload, size_t size)
{
    struct proof *proof = &uplink->proof;

    for (size_t i = 0; i < PROOF_ENTRIES_MAX; i++) {
        struct proof_entry *entry = &proof->entries[i];

        if (!entry->waiting || entry->size != size || strcmp(entry->topic, topic) != 0 ||
            crc32c(0, payload, size) != entry->crc)
            continue;
        entry->waiting = false;
        publish_answer(uplink, entry->token, 0);
        if (any_waiting(proof))
            return;
        proof->deadline_ns = 0;
        proof->proven = true;
        uplink->stats.delivery_proven = true;
        give_up_subscriptions(uplink);
        return;
    }
}

void proof_end(struct uplink *uplink)
{
    struct proof *proof = &uplink->proof;

    proof->deadline_ns = 0;
    for (size_t i = 0; i < PROOF_ENTRIES_MAX; i++) {
        if (proof->entries[i].waiting)
            publish_answer(uplink, proof->entries[i].token, MQTT_REASON_NEVER_SENT);
        proof->entries[i].waiting = false;
    }
}

void proof_step(struct uplink *uplink, int64_t now_ns)
{
    struct proof *proof = &uplink->proof;

    if (proof->deadline_ns == 0 || now_ns < proof->deadline_ns)
        return;
    proof->deadline_ns = 0;
    for (size_t i = 0; i < PROOF_ENTRIES_MAX; i++) {
        if (!proof->entries[i].waiting)
            continue;
        proof->entries[i].waiting = false;
        publish_answer(uplink, proof->entries[i].token, REASON_UNREADABLE);
    }
}
