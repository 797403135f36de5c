/* Which uplinks there are, as their messages and the gateway's own ledger tell. */
#include "cli/balance_inside.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "cli/answer.h"
#include "core/candidates.h"
#include "core/error.h"

void balance_saw_uplink(struct balance *balance, const char *uplink)
{
    for (size_t i = 0; i < balance->seen_count; i++) {
        if (strcmp(balance->seen[i], uplink) == 0)
            return;
    }
    if (balance->seen_count < BALANCE_UPLINKS_MAX)
        snprintf(balance->seen[balance->seen_count++], ID_SIZE_MAX, "%s", uplink);
}

int balance_take_ledger(struct balance *balance, const char *payload, size_t size, bool retained)
{
    cJSON *message = cJSON_ParseWithLength(payload, size);
    const cJSON *uplinks = cJSON_GetObjectItemCaseSensitive(message, "uplinks"), *entry, *reason;
    struct ledger *ledger = &balance->ledger;

    if (!cJSON_IsObject(uplinks)) {
        cJSON_Delete(message);
        return ERR_PROTOCOL;
    }
    *ledger =
        (struct ledger){.known = true, .retained = retained, .last = answer_count(message, "last")};
    cJSON_ArrayForEach(entry, uplinks)
    {
        if (ledger->count == BALANCE_UPLINKS_MAX)
            break;
        struct ledger_uplink *uplink = &ledger->uplinks[ledger->count++];
        snprintf(uplink->id, sizeof uplink->id, "%s", entry->string);
        uplink->acked = answer_count(entry, "acked");
        uplink->pending = answer_count(entry, "pending");
        const cJSON *dropped = cJSON_GetObjectItemCaseSensitive(entry, "dropped");
        cJSON_ArrayForEach(reason, dropped)
        {
            uplink->dropped += answer_count(dropped, reason->string);
        }
    }
    cJSON_Delete(message);
    return 0;
}

const struct ledger_uplink *balance_ledger_of(const struct balance *balance, const char *uplink)
{
    for (size_t i = 0; i < balance->ledger.count; i++) {
        if (strcmp(balance->ledger.uplinks[i].id, uplink) == 0)
            return &balance->ledger.uplinks[i];
    }
    return NULL;
}

bool balance_lacks_uplink(const struct balance *balance, bool at_the_end, char *words, size_t size)
{
    struct candidates there;

    if (!balance->uplink_named || balance_ledger_of(balance, balance->uplink) ||
        !(balance->ledger.known || (at_the_end && balance->seen_count > 0)))
        return false;
    candidates_init(&there, balance->uplink);
    for (size_t i = 0; i < balance->seen_count; i++) {
        if (strcmp(balance->seen[i], balance->uplink) == 0)
            return false;
        candidates_offer(&there, balance->seen[i]);
    }
    for (size_t i = 0; i < balance->ledger.count; i++)
        candidates_offer(&there, balance->ledger.uplinks[i].id);
    candidates_text(&there, words, size);
    return true;
}
