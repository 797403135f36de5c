#include "uplink/internal.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/status.h"
#include "tls/tunnel.h"

/* Each reason once: attempts that fail again in the same way, for hours, are no news. */
void tell_status(struct uplink *uplink, const char *state, const char *sentence)
{
    struct uplink_stats *stats = &uplink->stats;
    bool news = strcmp(uplink->reason, sentence) != 0, moved = strcmp(stats->state, state) != 0;
    bool online = strcmp(state, "online") == 0, was_online = strcmp(stats->state, "online") == 0;

    if (sentence[0] && news) {
        log_warn("uplink", "%s: %s: %s", uplink->options->id, state, sentence);
        snprintf(uplink->reason, sizeof(uplink->reason), "%s", sentence);
    } else if (moved && sentence[0]) {
        log_debug("uplink", "%s: %s", uplink->options->id, state);
    } else if (moved) {
        log_info("uplink", "%s: %s", uplink->options->id, state);
    }
    /* An outage is one, however many attempts fail in it. */
    if (online != was_online || !stats->state[0])
        stats->since_wall_ns = clock_wall(uplink->clock);
    snprintf(stats->state, sizeof(stats->state), "%s", state);
    snprintf(stats->error, sizeof(stats->error), "%s", sentence);
    if (!sentence[0])
        stats->cause = 0;
}

static void put(struct uplink *uplink, struct event *event)
{
    event->stream = uplink->own_stream;
    event->mono_ns = clock_mono(uplink->clock);
    if (journal_put(uplink->journal, event) != 0)
        log_debug("uplink", "%s: its state could not be stored", uplink->options->id);
}

void tell_state(struct uplink *uplink, bool up, enum status status)
{
    struct event event = {.kind = EVENT_STATE, .status = (uint16_t)status};

    if (uplink->told_up == (int)up)
        return;
    uplink->told_up = (int)up;
    event.value.type = VALUE_BOOL;
    event.value.b = up;
    put(uplink, &event);
}

static void put_alarm(struct uplink *uplink, enum status status, const char *before,
                      const char *sentence)
{
    struct event event = {.kind = EVENT_ALARM, .urgent = true, .status = (uint16_t)status};
    char text[TUNNEL_SENTENCE_SIZE + ID_SIZE_MAX + 64];
    int size =
        snprintf(text, sizeof(text), "uplink %s: %s%s", uplink->options->id, before, sentence);

    event.value.type = VALUE_TEXT;
    event.value.data = text;
    event.value.size = (uint16_t)((size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1);
    put(uplink, &event);
}

void tell_alarm(struct uplink *uplink, const char *sentence)
{
    log_error("uplink", "%s: %s", uplink->options->id, sentence);
    put_alarm(uplink, STATUS_GOOD, "", sentence);
}

static void show_troubles(struct uplink *uplink)
{
    uplink->stats.alarm[0] = '\0';
    for (int i = 0; i < TROUBLE_COUNT && !uplink->stats.alarm[0]; i++)
        snprintf(uplink->stats.alarm, sizeof(uplink->stats.alarm), "%s", uplink->troubles[i]);
}

void tell_trouble(struct uplink *uplink, enum trouble trouble, const char *sentence)
{
    char *standing = uplink->troubles[trouble];

    if (standing[0])
        return;
    snprintf(standing, sizeof(uplink->troubles[0]), "%s", sentence);
    tell_alarm(uplink, sentence);
    show_troubles(uplink);
}

static void end_trouble(struct uplink *uplink, enum trouble trouble, const char *before)
{
    char *standing = uplink->troubles[trouble];

    if (!standing[0])
        return;
    log_info("uplink", "%s: %s%s", uplink->options->id, before, standing);
    put_alarm(uplink, STATUS_OVER, before, standing);
    standing[0] = '\0';
    show_troubles(uplink);
}

void tell_over(struct uplink *uplink, enum trouble trouble)
{
    end_trouble(uplink, trouble, "over: ");
}

void tell_unwatched(struct uplink *uplink, enum trouble trouble)
{
    end_trouble(uplink, trouble, "not watched any more, as the uplink stops: ");
}
