#include "uplink/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "core/error.h"
#include "core/log.h"
#include "tls/tunnel.h"
#include "uplink/client.h"
#include "uplink/reason.h"
#include "uplink/snapshot.h"

#define HELD_WORDS           "cut off for an outage drill, which ends by itself"
#define ANSWER_KEEP_ALIVES   2 /* without an answer to anything, and the broker is given up */
#define LOGIN_LOOK_NS        NS_PER_S
#define SUSPECT_FAILURES_MAX 3 /* while a message is suspected the wait is at most 8 s */

static uint32_t in_flight(const struct uplink *uplink)
{
    return uplink->window.messages + uplink->others;
}

static uint32_t random_bits(void)
{
    uint32_t bits = 0;

    if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != (ssize_t)sizeof(bits))
        bits = (uint32_t)clock_mono(&clock_system); /* at the very start of a board */
    return bits;
}

/* What another attempt mends only after somebody has done something. */
static bool is_refusal(int error)
{
    return error == ERR_REFUSED || error == ERR_UNTRUSTED || error == ERR_CERTIFICATE ||
           error == ERR_TLS || error == ERR_UNSUPPORTED || error == ERR_NOT_FOUND ||
           error == ERR_DENIED || error == ERR_TOO_LARGE || error == ERR_INVALID;
}

/* Who this is was not accepted. The same login again is another wrong one, and a new one is tried
 * at once. */
static int64_t wait_after(struct uplink *uplink, int error)
{
    uplink->login_refused = error == ERR_REFUSED;
    return uplink->login_refused ? backoff_refuse(&uplink->backoff, random_bits())
                                 : backoff_fail(&uplink->backoff, random_bits());
}

void connection_fail(struct uplink *uplink, int error, const char *sentence)
{
    int64_t now_ns = clock_mono(&clock_system);
    bool refused = is_refusal(error);

    backoff_down(&uplink->backoff, now_ns);
    uplink->next_try_ns = now_ns + wait_after(uplink, error);
    uplink->phase = PHASE_WAITING;
    uplink->refused = refused;
    uplink->stats.next_try_mono_ns = uplink->next_try_ns;
    tell_status(uplink, refused ? "refused" : "waiting", sentence);
    uplink->stats.cause = error;
    tell_state(uplink, false, STATUS_COMMUNICATION);
}

static int refresh_password(struct uplink *uplink, char *sentence, size_t size)
{
    char password[SECRET_SIZE];
    int rc;

    if (!uplink->options->password_file)
        return 0;
    rc = client_password(uplink->options->password_file, password, sentence, size);
    if (rc == 0)
        rc = mqtt_set_password(uplink->mqtt, uplink->options->user, password);
    explicit_bzero(password, sizeof(password));
    return rc;
}

/* The will names the session, so that one which comes late can be told from the present one. */
static int refresh_will(struct uplink *uplink)
{
    uint64_t durable = journal_durable(uplink->journal, NULL);
    struct mqtt_will will = {.topic = uplink->topic_status, .qos = 1, .retained = true};
    struct text text;
    char payload[160];

    uplink->session = durable > uplink->session ? durable : uplink->session + 1;
    text_init(&text, payload, sizeof(payload));
    snapshot_status(&text, uplink->session, 0, "connection lost");
    will.payload = payload;
    will.size = text.size;
    return mqtt_set_will(uplink->mqtt, &will);
}

static void begin_attempt(struct uplink *uplink)
{
    char sentence[256] = "out of memory";

    uplink->login_stamp = client_login_stamp(uplink->options);
    int rc = refresh_password(uplink, sentence, sizeof(sentence));

    if (rc == 0)
        rc = refresh_will(uplink);
    /* While a message is suspected the broker must not be handed it again from the session. */
    mqtt_set_clean_start(uplink->mqtt, suspect_active(&uplink->suspect));
    if (rc == 0)
        rc = mqtt_connect(uplink->mqtt, uplink->options->connect_timeout_ns);
    if (rc == ERR_BUSY) { /* the end of the connection before is not yet through */
        uplink->next_try_ns = clock_mono(&clock_system) + NS_PER_S / 10;
        return;
    }
    if (rc != 0) {
        connection_fail(uplink, rc, sentence);
        return;
    }
    uplink->phase = PHASE_CONNECTING;
    uplink->stats.next_try_mono_ns = 0;
    /* The reason of the failure before stays to be seen while the next attempt runs. */
    tell_status(uplink, "connecting", uplink->stats.error);
}

/* No event would fit: that is nothing to give events up for. */
static void packets_too_small(struct uplink *uplink, uint32_t packet_size_max)
{
    char sentence[TUNNEL_SENTENCE_SIZE];

    snprintf(sentence, sizeof(sentence),
             "the broker allows packets of at most %" PRIu32
             " bytes: raise its limit to %d or more",
             packet_size_max, UPLINK_PACKET_MIN);
    mqtt_disconnect(uplink->mqtt, 0);
    connection_fail(uplink, ERR_TOO_LARGE, sentence);
}

/* Which MQTT 5 forbids (3.2.2.3.3). */
static void no_message_allowed(struct uplink *uplink)
{
    mqtt_disconnect(uplink->mqtt, 0);
    connection_fail(uplink, ERR_PROTOCOL,
                    "the broker allows no message at all (its Receive Maximum is 0): set the most "
                    "messages in flight in its configuration to 1 or more");
}

static void on_connected(void *context, bool session_present, int version, uint16_t receive_maximum,
                         uint32_t packet_size_max)
{
    struct uplink *uplink = context;
    int64_t now_ns = clock_mono(&clock_system);
    bool resumed = session_present && version == uplink->connected_version;

    if (packet_size_max < UPLINK_PACKET_MIN) {
        packets_too_small(uplink, packet_size_max);
        return;
    }
    if (receive_maximum == 0) {
        no_message_allowed(uplink);
        return;
    }
    uplink->phase = PHASE_ONLINE;
    uplink->refused = false;
    uplink->pause_ns = 0;
    uplink->message_limit = (uint32_t)uplink->options->window;
    if (receive_maximum < uplink->message_limit)
        uplink->message_limit = receive_maximum;
    uplink->packet_limit = packet_size_max;
    uplink->batch.limit = publish_limit(uplink);
    /* What the broker has forgotten is published again, from the cursor on; and an echo that was
     * awaited is not told by a resumed session. */
    if (window_count(&uplink->window) > 0 && (!resumed || version == 4))
        publish_rewind(uplink, now_ns);
    if (version != uplink->connected_version) { /* the other client's answers never come */
        uplink->settle_ns = now_ns;
        uplink->others = 0;
        uplink->others_generation++;
    }
    uplink->answered_ns = now_ns;
    uplink->connected_version = version;
    backoff_up(&uplink->backoff, now_ns);
    uplink->stats.version = version;
    uplink->stats.connects++;
    mqtt_tls_description(uplink->mqtt, uplink->stats.tls, sizeof(uplink->stats.tls));
    tell_status(uplink, "online", "");
    tell_state(uplink, true, STATUS_GOOD);
    proof_begin(uplink, version == 4);
    commands_connected(uplink, session_present);
    announce_begin(uplink);
}

static void on_failed(void *context, int error, const char *sentence)
{
    struct uplink *uplink = context;

    /* Closed before the broker's answer was read: that happens where a rival is quicker, too. */
    if (error != ERR_CLOSED)
        rival_ended(&uplink->rival, RIVAL_EXPLAINED, 0);
    connection_fail(uplink, error, sentence);
}

/* A message that the broker meets with a disconnect, again and again, is suspected. */
static void suspect_lost(struct uplink *uplink)
{
    const struct unit *head = window_head(&uplink->window);

    if (!head || head->events == 0 || uplink->rewind)
        return;
    if (suspect_refused(&uplink->suspect, head->first, head->last_event, head->events,
                        SUSPECT_UNCLEAR) == SUSPECT_AGAIN)
        publish_rewind(uplink, clock_mono(&clock_system));
}

/* Whether the end of the connection is one of those that another client with this id brings. */
static void look_for_rival(struct uplink *uplink, int reason, bool unproven)
{
    int64_t held_ns = clock_mono(&clock_system) - uplink->backoff.up_since_ns;
    bool unclear = unproven || suspect_active(&uplink->suspect);
    enum rival_end end = reason == MQTT_REASON_TAKEN_OVER ? RIVAL_TAKEN_OVER
                         : reason == MQTT_REASON_NONE     ? RIVAL_SUDDEN
                                                          : RIVAL_EXPLAINED;
    char sentence[TUNNEL_SENTENCE_SIZE];

    if (end == RIVAL_SUDDEN && unclear)
        return;
    enum rival_news news = rival_ended(&uplink->rival, end, held_ns);
    if (news == RIVAL_MAYBE)
        log_warn("uplink",
                 "%s: the broker ended %d connections in a row soon and without a reason. When the "
                 "network is well, look for a second gateway with this id (a cloned card, a "
                 "restored image): two clients of one id end each other's connections",
                 uplink->options->id, RIVAL_HINT);
    if (news != RIVAL_FOUND)
        return;
    if (end == RIVAL_TAKEN_OVER)
        reason_disconnect(reason, sentence, sizeof(sentence));
    else
        snprintf(
            sentence, sizeof(sentence),
            "the broker ended %d connections in a row, each within a minute and without a "
            "reason: probably another client has the same client id. Look for a second gateway "
            "with this id (a cloned card, a restored image), and into the broker's log",
            RIVAL_STRIKES);
    tell_trouble(uplink, TROUBLE_RIVAL, sentence);
}

static void on_lost(void *context, int reason, const char *sentence)
{
    struct uplink *uplink = context;
    bool unproven = uplink->proof.deadline_ns != 0;
    char explained[TUNNEL_SENTENCE_SIZE];

    if (uplink->phase != PHASE_ONLINE)
        return;
    if (!uplink->stopping && !uplink->held) {
        if (reason_may_be_a_message(reason))
            suspect_lost(uplink);
        look_for_rival(uplink, reason, unproven);
    }
    /* It may take a dozen disconnects to find one event: they are not to take an hour. */
    if (suspect_active(&uplink->suspect) && !uplink->rival.told &&
        uplink->backoff.failures > SUSPECT_FAILURES_MAX)
        uplink->backoff.failures = SUSPECT_FAILURES_MAX;
    proof_end(uplink);
    if (uplink->held) {
        connection_fail(uplink, ERR_CLOSED, HELD_WORDS);
        return;
    }
    /* A broker of MQTT 3.1.1 may refuse a message in no other way than by closing (3.3.5). */
    snprintf(explained, sizeof(explained),
             "%.100s instead of passing on what was published on %.110s: allow it in the broker's "
             "access list",
             sentence, uplink->topic_data);
    unproven = unproven && !uplink->rival.told;
    connection_fail(uplink, unproven ? ERR_DENIED : ERR_CLOSED, unproven ? explained : sentence);
}

static void on_acknowledged(void *context, uint32_t token, int reason)
{
    publish_answer(context, token, reason);
}

static void on_subscribed(void *context, const char *topic, int reason)
{
    if (!commands_subscribed(context, topic, reason))
        proof_subscribed(context, topic, reason);
}

static void on_message(void *context, const char *topic, const void *payload, size_t size, int qos,
                       bool retained, bool duplicate)
{
    struct uplink *uplink = context;

    (void)qos;
    (void)duplicate;
    if (!commands_message(uplink, topic, payload, size, retained) && !retained)
        proof_message(uplink, topic, payload, size);
}

int connection_open(struct uplink *uplink)
{
    char id[CLIENT_ID_SIZE];
    struct mqtt_options mqtt = {
        .client_id = id,
        .context = uplink,
        .connected = on_connected,
        .failed = on_failed,
        .lost = on_lost,
        .acknowledged = on_acknowledged,
        .subscribed = on_subscribed,
        .message = on_message,
    };

    client_id(uplink->options, uplink->gateway, id);
    client_options(uplink->options, &uplink->url, &mqtt);
    return mqtt_open(&uplink->mqtt, &mqtt);
}

/* Nothing may be resent under one connection, so that an answer which got lost is only made up for
 * by the next one. */
static void give_up_silent(struct uplink *uplink)
{
    char sentence[TUNNEL_SENTENCE_SIZE];

    snprintf(sentence, sizeof(sentence),
             "the broker has acknowledged none of %" PRIu32 " messages for %" PRId64
             " s: check the broker's log and load",
             in_flight(uplink), ANSWER_KEEP_ALIVES * uplink->options->keep_alive_ns / NS_PER_S);
    mqtt_disconnect(uplink->mqtt, 0);
    proof_end(uplink);
    connection_fail(uplink, ERR_TIMEOUT, sentence);
}

static int64_t silence_deadline(const struct uplink *uplink)
{
    return in_flight(uplink) > 0
               ? uplink->answered_ns + ANSWER_KEEP_ALIVES * uplink->options->keep_alive_ns
               : INT64_MAX;
}

/* Keeps the connection cut for a drill; an attempt that is under way is cut when it has come to
 * something. */
static void hold_step(struct uplink *uplink, int64_t now_ns)
{
    int64_t until_ns = atomic_load(&uplink->hold_until_ns);
    bool held = until_ns > now_ns && !uplink->stopping;

    if (held && uplink->phase == PHASE_ONLINE) {
        uplink->held = true;
        mqtt_cut(uplink->mqtt);
    }
    if (uplink->held && uplink->phase == PHASE_WAITING)
        uplink->next_try_ns = held ? until_ns : now_ns;
    if (uplink->phase == PHASE_WAITING || !held)
        uplink->held = held;
}

/* A login that was refused is tried again as soon as somebody has written another one. */
static void look_for_login(struct uplink *uplink, int64_t now_ns)
{
    if (uplink->phase != PHASE_WAITING || !uplink->login_refused || uplink->held)
        return;
    uplink->look_ns = now_ns + LOGIN_LOOK_NS;
    if (client_login_stamp(uplink->options) != uplink->login_stamp)
        uplink->next_try_ns = now_ns;
}

void connection_step(struct uplink *uplink, int64_t now_ns)
{
    hold_step(uplink, now_ns);
    if (now_ns >= uplink->look_ns)
        look_for_login(uplink, now_ns);
    if (uplink->phase == PHASE_WAITING && !uplink->stopping && now_ns >= uplink->next_try_ns)
        begin_attempt(uplink);
    if (uplink->phase == PHASE_ONLINE &&
        rival_over(&uplink->rival, now_ns - uplink->backoff.up_since_ns,
                   rival_quiet(uplink->backoff.limit_ns)))
        tell_over(uplink, TROUBLE_RIVAL);
    if (in_flight(uplink) == 0)
        uplink->answered_ns = now_ns;
    if (!uplink->stopping && uplink->phase == PHASE_ONLINE && now_ns >= silence_deadline(uplink))
        give_up_silent(uplink);
}

int64_t connection_deadline(const struct uplink *uplink)
{
    bool looks = uplink->login_refused && !uplink->held;
    int64_t at_ns, over_ns;

    if (uplink->phase == PHASE_WAITING)
        return looks && uplink->look_ns < uplink->next_try_ns ? uplink->look_ns
                                                              : uplink->next_try_ns;
    if (uplink->phase != PHASE_ONLINE)
        return INT64_MAX;
    at_ns = silence_deadline(uplink);
    over_ns = uplink->backoff.up_since_ns + rival_quiet(uplink->backoff.limit_ns);
    return uplink->rival.told && over_ns < at_ns ? over_ns : at_ns;
}
