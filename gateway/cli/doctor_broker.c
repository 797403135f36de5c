/* The last steps to a broker: TLS, the certificates, and MQTT as the uplink speaks it. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "core/clock.h"
#include "core/error.h"
#include "tls/tunnel.h"
#include "uplink/client.h"
#include "uplink/reason.h"

#define TRIES             3 /* messages whose acknowledgement is timed */
#define SLOW_ANSWER_NS    (2 * NS_PER_S)
#define EXPIRES_SOON_DAYS 30
#define DAY_S             86400

/* What the tunnel's thread told. */
struct tunnelled {
    pthread_mutex_t lock;
    bool told;
    int error;
    char sentence[TUNNEL_SENTENCE_SIZE];
    int fd; /* readable once told */
};

static void on_tunnel(void *context, int error, const char *sentence)
{
    struct tunnelled *tunnelled = context;
    uint64_t one = 1;

    pthread_mutex_lock(&tunnelled->lock);
    if (!tunnelled->told) {
        tunnelled->told = true;
        tunnelled->error = error;
        snprintf(tunnelled->sentence, sizeof tunnelled->sentence, "%s", sentence ? sentence : "");
        if (write(tunnelled->fd, &one, sizeof one) != sizeof one)
            tunnelled->error = ERR_IO;
    }
    pthread_mutex_unlock(&tunnelled->lock);
}

/* One TLS connection and its end. 0 with the description, or an error with a sentence. */
static int shake_hands(const struct doctor *doctor, char *words, size_t size)
{
    const struct uplink_options *options = doctor->options;
    struct tunnel_options wanted = {
        .host = doctor->url.host,
        .port = doctor->url.port,
        .proxy_host = doctor_proxied(doctor) ? doctor->url.proxy_host : NULL,
        .proxy_port = doctor->url.proxy_port,
        .proxy_login_file = options->proxy_login_file,
        .tls = true,
        .ca = options->tls_ca,
        .crl = options->tls_crl,
        .cert = options->tls_cert,
        .key = options->tls_key,
        .server_name = options->tls_server_name,
        .alpn = options->tls_alpn,
        .minimum = options->tls_minimum,
    };
    struct tunnelled tunnelled = {.fd = eventfd(0, EFD_CLOEXEC)};
    struct tunnel *tunnel = NULL;
    int error = tunnelled.fd < 0 ? error_from_errno(errno) : 0;

    pthread_mutex_init(&tunnelled.lock, NULL);
    if (!error)
        error = tunnel_open(&tunnel, &wanted, on_tunnel, &tunnelled);
    if (!error)
        error = tunnel_connect(tunnel, DOCTOR_STEP_NS);
    if (!error) {
        struct pollfd told = {.fd = tunnelled.fd, .events = POLLIN};
        poll(&told, 1, (int)(2 * DOCTOR_STEP_NS / NS_PER_MS));
        pthread_mutex_lock(&tunnelled.lock);
        error = tunnelled.told ? tunnelled.error : ERR_TIMEOUT;
        snprintf(words, size, "%s", tunnelled.sentence);
        pthread_mutex_unlock(&tunnelled.lock);
    }
    if (!error)
        tunnel_description(tunnel, words, size);
    else if (!*words)
        snprintf(words, size, "%s", error_text(error));
    tunnel_close(tunnel);
    if (tunnelled.fd >= 0)
        close(tunnelled.fd);
    pthread_mutex_destroy(&tunnelled.lock);
    return error;
}

static void say_http(struct doctor_finding *finding)
{
    doctor_say(finding, DOCTOR_FAILED, "a web server or proxy answers there, and no MQTT broker");
    doctor_next(finding, "check host and port in \"url\"; a network that asks to log in on a web "
                         "page, or a company's proxy, must let this connection through");
}

void doctor_tls(struct doctor *doctor, struct doctor_finding *finding)
{
    char words[TUNNEL_SENTENCE_SIZE] = "";

    if (!doctor->url.tls) {
        doctor_say(finding, doctor->local ? DOCTOR_SKIPPED : DOCTOR_WARNING,
                   "not used: \"url\" begins with mqtt://");
        if (!doctor->local)
            doctor_next(finding, "whoever is on the way can read and change everything: use "
                                 "mqtts:// where the broker can");
        return;
    }
    int error = shake_hands(doctor, words, sizeof words);
    if (!error)
        doctor_say(finding, DOCTOR_OK, "%s", words);
    else if (doctor_is_http(doctor))
        say_http(finding);
    else
        doctor_say(finding, DOCTOR_FAILED, "%s", words);
}

void doctor_certificate(struct doctor *doctor, struct doctor_finding *finding)
{
    const struct uplink_options *options = doctor->options;
    char sentence[TUNNEL_SENTENCE_SIZE], date[16];
    int64_t until_s = 0;
    struct tm utc;

    if (!doctor->url.tls || !options->tls_cert) {
        doctor_say(finding, DOCTOR_SKIPPED, "this uplink has no certificate of its own");
        return;
    }
    if (tls_check_files(NULL, options->tls_cert, options->tls_key, &until_s, sentence,
                        sizeof sentence)) {
        doctor_say(finding, DOCTOR_FAILED, "%s", sentence);
        return;
    }
    time_t until = (time_t)until_s;
    int64_t days = (until_s - clock_wall(&clock_system) / NS_PER_S) / DAY_S;
    gmtime_r(&until, &utc);
    strftime(date, sizeof date, "%Y-%m-%d", &utc);
    bool soon = days < EXPIRES_SOON_DAYS;
    if (days == 1)
        doctor_say(finding, DOCTOR_WARNING, "ours is valid until %s, for 1 day", date);
    else
        doctor_say(finding, soon ? DOCTOR_WARNING : DOCTOR_OK,
                   "ours is valid until %s, for %" PRId64 " days", date, days);
    if (soon)
        doctor_next(finding, "renew %s before then: without it the broker lets nobody in",
                    options->tls_cert);
}

/* One connection, used for the last steps. */
struct visit {
    struct doctor *doctor;
    struct doctor_finding *findings;
    struct mqtt *client;
    char topic[256];
    bool over;
    int version;
    bool echoed;
    int sent, answered;
    int64_t sent_ns, answers_ns[TRIES];
};

static void end_visit(struct visit *visit)
{
    visit->over = true;
}

static void publish_next(struct visit *visit)
{
    static const char payload[] = "{\"schema\":1,\"doctor\":true}";

    visit->sent_ns = clock_mono(&clock_system);
    if (mqtt_publish(visit->client, visit->topic, payload, sizeof payload - 1, 1, false,
                     (uint32_t)visit->sent++))
        end_visit(visit);
}

static void on_connected(void *context, bool session_present, int version, uint16_t receive_maximum,
                         uint32_t packet_size_max)
{
    struct visit *visit = context;

    (void)session_present;
    (void)receive_maximum;
    (void)packet_size_max;
    visit->version = version;
    doctor_say(&visit->findings[DOCTOR_CONNECT], DOCTOR_OK, "the broker takes us, with MQTT %s%s",
               version == 5 ? "5" : "3.1.1",
               visit->doctor->online  ? " (as a guest: the uplink itself is connected)"
               : visit->doctor->guest ? " (as a guest: the uplink may be connected)"
                                      : "");
    if (mqtt_subscribe(visit->client, visit->topic, 1))
        end_visit(visit);
}

static void on_failed(void *context, int error, const char *sentence)
{
    struct visit *visit = context;
    struct doctor_finding *finding = &visit->findings[DOCTOR_CONNECT];

    (void)error;
    if (!visit->doctor->url.tls && doctor_is_http(visit->doctor))
        say_http(finding);
    else if (visit->doctor->online)
        doctor_say(finding, DOCTOR_WARNING,
                   "the uplink is connected, but a second connection as a guest is refused: %s",
                   sentence);
    else
        doctor_say(finding, DOCTOR_FAILED, "%s", sentence);
    end_visit(visit);
}

static void on_lost(void *context, int reason, const char *sentence)
{
    struct visit *visit = context;
    struct doctor_finding *finding = &visit->findings[DOCTOR_PERMISSION];

    (void)reason;
    if (!visit->over) {
        doctor_say(finding, DOCTOR_FAILED, "the broker ended the connection as %s was used: %s",
                   visit->topic, sentence);
        doctor_next(finding, "see the broker's log, and its access list for this client");
    }
    end_visit(visit);
}

static void say_refused(struct visit *visit, const char *what)
{
    const struct doctor *doctor = visit->doctor;
    const char *root = doctor->options->root;
    struct doctor_finding *finding = &visit->findings[DOCTOR_PERMISSION];

    doctor_say(finding, doctor->online ? DOCTOR_WARNING : DOCTOR_FAILED,
               "the broker does not let us %s %s", what, visit->topic);
    doctor_next(finding,
                "allow this client to publish and subscribe to %s/%s/# in the broker's "
                "access list",
                root, doctor->gateway);
}

static void on_subscribed(void *context, const char *topic, int reason)
{
    struct visit *visit = context;

    (void)topic;
    if (reason >= 0x80)
        say_refused(visit, "subscribe to");
    publish_next(visit);
}

static void on_message(void *context, const char *topic, const void *payload, size_t size, int qos,
                       bool retained, bool duplicate)
{
    struct visit *visit = context;

    (void)payload;
    (void)size;
    (void)qos;
    (void)duplicate;
    if (strcmp(topic, visit->topic) == 0 && !retained)
        visit->echoed = true;
    if (visit->echoed && visit->answered == TRIES)
        end_visit(visit);
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void say_answer(struct visit *visit)
{
    struct doctor_finding *finding = &visit->findings[DOCTOR_ANSWER];

    qsort(visit->answers_ns, TRIES, sizeof visit->answers_ns[0], by_size);
    int64_t median_ns = visit->answers_ns[TRIES / 2];
    doctor_say(finding, median_ns > SLOW_ANSWER_NS ? DOCTOR_WARNING : DOCTOR_OK,
               "a message is acknowledged in %" PRId64 ".%" PRId64 " ms", median_ns / NS_PER_MS,
               median_ns / (NS_PER_MS / 10) % 10);
    if (median_ns > SLOW_ANSWER_NS)
        doctor_next(finding, "the line or the broker is slow: a backlog drains slowly, too");
}

static void on_acknowledged(void *context, uint32_t token, int reason)
{
    struct visit *visit = context;

    (void)token;
    if (visit->answered < TRIES)
        visit->answers_ns[visit->answered++] = clock_mono(&clock_system) - visit->sent_ns;
    if (reason >= 0x80) {
        say_refused(visit, "publish to");
        visit->findings[DOCTOR_ANSWER].verdict = DOCTOR_OK;
        say_answer(visit);
        end_visit(visit);
        return;
    }
    if (visit->answered < TRIES) {
        publish_next(visit);
        return;
    }
    say_answer(visit);
    if (visit->echoed)
        end_visit(visit);
}

/* What the visit showed of the permission to publish. */
static void judge_permission(struct visit *visit)
{
    struct doctor_finding *finding = &visit->findings[DOCTOR_PERMISSION];

    if (*finding->found || visit->answered < TRIES)
        return;
    if (visit->echoed) {
        doctor_say(finding, DOCTOR_OK, "what is published to %s comes back", visit->topic);
        return;
    }
    doctor_say(finding, visit->version == 5 ? DOCTOR_WARNING : DOCTOR_FAILED,
               "the broker acknowledges messages to %s and does not deliver them", visit->topic);
    doctor_next(finding,
                "on MQTT 3.1.1 a broker acknowledges what its access list denies: allow "
                "%s/%s/#",
                visit->doctor->options->root, visit->doctor->gateway);
}

static void run_visit(struct visit *visit)
{
    struct pollfd end = {.fd = mqtt_fd(visit->client), .events = POLLIN};
    int64_t until_ns = clock_mono(&clock_system) + 3 * DOCTOR_STEP_NS;

    mqtt_set_clean_start(visit->client, visit->doctor->guest);
    if (mqtt_connect(visit->client, DOCTOR_STEP_NS))
        return;
    while (!visit->over && clock_mono(&clock_system) < until_ns) {
        poll(&end, 1, 100);
        mqtt_process(visit->client);
        /* What comes back does so within the time of an acknowledgement, or never. */
        if (visit->answered == TRIES &&
            clock_mono(&clock_system) > visit->sent_ns + DOCTOR_STEP_NS / 2)
            break;
    }
    mqtt_unsubscribe(visit->client, visit->topic);
    visit->over = true;
    mqtt_disconnect(visit->client, NS_PER_S);
    for (until_ns = clock_mono(&clock_system) + NS_PER_S; clock_mono(&clock_system) < until_ns;) {
        if (poll(&end, 1, 100) == 0)
            break;
        mqtt_process(visit->client);
    }
}

void doctor_broker(struct doctor *doctor, struct doctor_finding findings[DOCTOR_BROKER_STEPS])
{
    struct visit visit = {.doctor = doctor, .findings = findings};
    char id[CLIENT_ID_SIZE + 8], password[SECRET_SIZE], sentence[DOCTOR_TEXT_SIZE];
    struct mqtt_options options = {
        .client_id = id,
        .context = &visit,
        .connected = on_connected,
        .failed = on_failed,
        .lost = on_lost,
        .acknowledged = on_acknowledged,
        .subscribed = on_subscribed,
        .message = on_message,
    };

    client_id(doctor->options, doctor->gateway, id);
    if (doctor->guest)
        snprintf(id + strlen(id), sizeof id - strlen(id), "-doctor");
    snprintf(visit.topic, sizeof visit.topic, "%s/%s/doctor", doctor->options->root,
             doctor->gateway);
    client_options(doctor->options, &doctor->url, &options);
    if (doctor->options->password_file) {
        if (client_password(doctor->options->password_file, password, sentence, sizeof sentence)) {
            doctor_say(&findings[DOCTOR_CONNECT], DOCTOR_FAILED, "%s", sentence);
            return;
        }
        options.password = password;
    }
    int error = mqtt_open(&visit.client, &options);
    explicit_bzero(password, sizeof password);
    if (error) {
        doctor_say(&findings[DOCTOR_CONNECT], DOCTOR_FAILED, "%s", error_text(error));
        return;
    }
    run_visit(&visit);
    judge_permission(&visit);
    mqtt_close(visit.client);
}
