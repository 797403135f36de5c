/* The MQTT client against a broker of a few bytes: which version is spoken, what a refusal is told
 * as. */
// links: sluice_uplink
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "tls/pump.h"
#include "uplink/mqtt.h"

#define DEADLINE_NS (20 * NS_PER_S)

/* What it answers to a CONNECT of each version; empty: it closes. */
struct answers {
    const char *to5, *to4;
    size_t size5, size4;
    const char *then; /* sent behind an accepting CONNACK */
    size_t then_size;
};

static const char yes4[] = "\x20\x02\x00\x00", yes5[] = "\x20\x03\x00\x00\x00";

struct server {
    const struct answers *answers;
    int listener;
    uint16_t port;
    pthread_t thread;
    int levels[8], connects; /* of the protocol, in the CONNECTs that came */
    int keep_alives[8];
};

static bool receive(int fd, uint8_t *out, size_t size)
{
    return recv(fd, out, size, MSG_WAITALL) == (ssize_t)size;
}

/* One packet with a remaining length below 16384; returns its length. */
static int receive_packet(int fd, uint8_t packet[16400])
{
    size_t length = 0;
    int shift = 0, size = 1;

    if (!receive(fd, packet, 1))
        return -1;
    do {
        if (!receive(fd, packet + size, 1))
            return -1;
        length |= (size_t)(packet[size] & 0x7f) << shift;
        shift += 7;
    } while ((packet[size++] & 0x80) && shift < 14);
    return receive(fd, packet + size, length) ? size + (int)length : -1;
}

/* Acknowledges what is published until the client goes. */
static void serve(int fd)
{
    static uint8_t packet[16400];
    int size;

    while ((size = receive_packet(fd, packet)) > 0) {
        if ((packet[0] & 0xf0) == 0x30) { /* PUBLISH: header, length (one byte here), topic, id */
            int topic = packet[2] << 8 | packet[3];
            uint8_t puback[] = {0x40, 2, packet[4 + topic], packet[5 + topic]};

            send(fd, puback, sizeof(puback), MSG_NOSIGNAL);
        }
    }
}

static void *run_server(void *context)
{
    struct server *server = context;
    static uint8_t packet[16400];
    int fd;

    while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
        const struct answers *answers = server->answers;

        if (receive_packet(fd, packet) > 0) {
            int level = packet[8]; /* behind 10 LL 00 04 M Q T T */
            const char *answer = level == 5 ? answers->to5 : answers->to4;
            size_t size = level == 5 ? answers->size5 : answers->size4;

            server->keep_alives[server->connects % 8] = packet[10] << 8 | packet[11];
            server->levels[server->connects++ % 8] = level;
            if (size > 0)
                send(fd, answer, size, MSG_NOSIGNAL);
            if (size > 3 && answer[3] == 0) {
                if (answers->then)
                    send(fd, answers->then, answers->then_size, MSG_NOSIGNAL);
                serve(fd);
            }
        }
        close(fd);
    }
    return NULL;
}

static void start_server(struct server *server, const struct answers *answers)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    memset(server, 0, sizeof(*server));
    server->answers = answers;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, run_server, server), 0);
}

static void stop_server(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
}

struct seen {
    int connected, failed, lost, ended, acknowledged, version, error, reason;
    char sentence[400];
};

static void on_connected(void *context, bool session_present, int version, uint16_t receive_maximum,
                         uint32_t packet_size_max)
{
    struct seen *seen = context;

    (void)session_present;
    (void)receive_maximum;
    (void)packet_size_max;
    seen->connected++;
    seen->version = version;
}

static void on_failed(void *context, int error, const char *sentence)
{
    struct seen *seen = context;

    seen->failed++;
    seen->ended++; /* as on_lost */
    seen->error = error;
    snprintf(seen->sentence, sizeof(seen->sentence), "%s", sentence);
}

static void on_lost(void *context, int reason, const char *sentence)
{
    struct seen *seen = context;

    seen->lost++;
    seen->reason = reason;
    seen->ended++;
    snprintf(seen->sentence, sizeof(seen->sentence), "%s", sentence);
}

static void on_acknowledged(void *context, uint32_t token, int reason)
{
    struct seen *seen = context;

    assert_int_equal(token, 77);
    assert_int_equal(reason, 0);
    seen->acknowledged++;
}

static struct pump *pump;

static struct mqtt *open_client(const struct server *server, int version, struct seen *seen)
{
    const struct mqtt_options options = {.host = "127.0.0.1",
                                         .port = server->port,
                                         .pump = pump,
                                         .client_id = "plant7",
                                         .version = version,
                                         .session_expiry_s = 60,
                                         .keep_alive_s = 30,
                                         .context = seen,
                                         .connected = on_connected,
                                         .failed = on_failed,
                                         .lost = on_lost,
                                         .acknowledged = on_acknowledged};
    struct mqtt *client = NULL;

    memset(seen, 0, sizeof(*seen));
    assert_int_equal(mqtt_open(&client, &options), 0);
    return client;
}

/* Processes until the counter has reached the value. */
static bool await(struct mqtt *client, const int *counter, int value)
{
    int64_t until_ns = clock_mono(&clock_system) + DEADLINE_NS;

    while (*counter < value && clock_mono(&clock_system) < until_ns) {
        struct pollfd fd = {.fd = mqtt_fd(client), .events = POLLIN};

        poll(&fd, 1, 100);
        mqtt_process(client);
    }
    return *counter >= value;
}

static void a_broker_without_mqtt_5_is_spoken_to_in_3_1_1(void **state)
{
    static const struct answers new_refusal = {
        .to5 = "\x20\x03\x00\x84\x00", .size5 = 5, .to4 = yes4, .size4 = 4};
    static const struct answers old_refusal = {
        .to5 = "\x20\x02\x00\x01", .size5 = 4, .to4 = yes4, .size4 = 4};
    static const struct answers *const cases[] = {&new_refusal, &old_refusal};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct server server;
        struct seen seen;
        struct mqtt *client;

        start_server(&server, cases[i]);
        client = open_client(&server, 0, &seen);
        assert_int_equal(mqtt_connect(client, 5 * NS_PER_S), 0);
        assert_true(await(client, &seen.connected, 1));
        assert_int_equal(seen.version, 4);
        assert_int_equal(seen.failed, 0);
        assert_int_equal(mqtt_publish(client, "t", "x", 1, 1, false, 77), 0);
        assert_true(await(client, &seen.acknowledged, 1));
        mqtt_disconnect(client, NS_PER_S);
        assert_true(await(client, &seen.lost, 1));
        mqtt_close(client);
        stop_server(&server);
        assert_int_equal(server.levels[0], 5);
        assert_int_equal(server.levels[1], 4);
    }
}

static void one_that_hangs_up_on_mqtt_5_is_tried_twice_before(void **state)
{
    static const struct answers answers = {.to4 = yes4, .size4 = 4};
    struct server server;
    struct mqtt *client;
    struct seen seen;

    (void)state;
    start_server(&server, &answers);
    client = open_client(&server, 0, &seen);
    assert_int_equal(mqtt_connect(client, 5 * NS_PER_S), 0);
    assert_true(await(client, &seen.failed, 1));
    assert_non_null(strstr(seen.sentence, "did not answer CONNECT"));
    assert_int_equal(mqtt_connect(client, 5 * NS_PER_S), 0);
    if (!await(client, &seen.connected, 1))
        fail_msg("failed %d times, at last: %s; the server saw %d connections", seen.failed,
                 seen.sentence, server.connects);
    assert_int_equal(seen.version, 4);
    mqtt_close(client);
    stop_server(&server);
    assert_int_equal(server.levels[0], 5);
    assert_int_equal(server.levels[1], 5);
    assert_int_equal(server.levels[2], 4);
}

static void each_refusal_has_its_own_words(void **state)
{
    static const struct {
        int version;
        struct answers answers;
        int error;
        const char *says;
    } cases[] = {
        {5, {.to5 = "\x20\x03\x00\x86\x00", .size5 = 5}, ERR_REFUSED, "user name or password"},
        {5, {.to5 = "\x20\x03\x00\x87\x00", .size5 = 5}, ERR_REFUSED, "does not allow this client"},
        {5, {.to5 = "\x20\x03\x00\x85\x00", .size5 = 5}, ERR_REFUSED, "client id"},
        {5, {.to5 = "\x20\x03\x00\x89\x00", .size5 = 5}, ERR_BUSY, "busy"},
        {5, {.to5 = "\x20\x03\x00\x84\x00", .size5 = 5}, ERR_UNSUPPORTED, "set \"version\" to"},
        {4, {.to4 = "\x20\x02\x00\x04", .size4 = 4}, ERR_REFUSED, "user name or password"},
        {4, {.to4 = "\x20\x02\x00\x05", .size4 = 4}, ERR_REFUSED, "does not allow this client"},
        {4, {.to4 = "\x20\x02\x00\x03", .size4 = 4}, ERR_BUSY, "not available"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct server server;
        struct mqtt *client;
        struct seen seen;

        start_server(&server, &cases[i].answers);
        client = open_client(&server, cases[i].version, &seen);
        assert_int_equal(mqtt_connect(client, 5 * NS_PER_S), 0);
        assert_true(await(client, &seen.failed, 1));
        if (!strstr(seen.sentence, cases[i].says) || seen.error != cases[i].error)
            fail_msg("case %zu: error %d, \"%s\"", i, seen.error, seen.sentence);
        mqtt_close(client);
        stop_server(&server);
    }
}

static void a_session_that_is_taken_over_is_told_as_such(void **state)
{
    static const struct answers answers = {.to5 = yes5,
                                           .size5 = 5,
                                           .then = "\xe0\x02\x8e\x00", /* DISCONNECT */
                                           .then_size = 4};
    struct server server;
    struct mqtt *client;
    struct seen seen;

    (void)state;
    start_server(&server, &answers);
    client = open_client(&server, 5, &seen);
    assert_int_equal(mqtt_connect(client, 5 * NS_PER_S), 0);
    assert_true(await(client, &seen.connected, 1));
    assert_true(await(client, &seen.lost, 1));
    assert_int_equal(seen.reason, MQTT_REASON_TAKEN_OVER);
    assert_non_null(strstr(seen.sentence, "another client connected with the same client id"));
    mqtt_close(client);
    stop_server(&server);
}

static void what_is_no_packet_that_may_come_ends_the_connection(void **state)
{
    static const struct answers answers[] = {
        {.to5 = yes5, .size5 = 5, .then = "\x30\xff\xff\xff\x7f", .then_size = 5}, /* 256 MB */
        {.to5 = yes5, .size5 = 5, .then = "\0\0\0\0", .then_size = 4},
        {.to5 = yes5, .size5 = 5, .then = "\x50\x02\x00\x01", .then_size = 4}, /* PUBREC */
    };
    static const char *const told[] = {
        "is no MQTT, or a packet of more than 4096 KiB",
        "is no MQTT, or a packet of more than 4096 KiB",
        "the broker sends PUBREC for QoS 1, which nothing asked it for: look for a newer version",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct server server;
        struct mqtt *client;
        struct seen seen;

        start_server(&server, &answers[i]);
        client = open_client(&server, 5, &seen);
        assert_int_equal(mqtt_connect(client, 5 * NS_PER_S), 0);
        assert_true(await(client, &seen.ended, 1));
        assert_non_null(strstr(seen.sentence, told[i]));
        mqtt_close(client);
        stop_server(&server);
    }
}

static void a_broker_that_wants_to_hear_more_often_does(void **state)
{
    static const char want_10_s[] = "\x20\x06\x00\x00\x03\x13\x00\x0a";
    static const struct answers answers = {.to5 = want_10_s, .size5 = sizeof want_10_s - 1};
    struct server server;
    struct seen seen;
    struct mqtt *client;

    (void)state;
    start_server(&server, &answers);
    client = open_client(&server, 0, &seen);
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(mqtt_connect(client, 5 * NS_PER_S), 0);
        assert_true(await(client, &seen.connected, i));
        assert_int_equal(mqtt_publish(client, "t", "x", 1, 1, false, 77), 0);
        assert_true(await(client, &seen.acknowledged, i));
        mqtt_disconnect(client, NS_PER_S);
        assert_true(await(client, &seen.lost, i));
    }
    assert_int_equal(seen.failed, 0);
    mqtt_close(client);
    stop_server(&server);
    assert_int_equal(server.connects, 3);
    assert_int_equal(server.keep_alives[0], 30);
    assert_int_equal(server.keep_alives[1], 10);
    assert_int_equal(server.keep_alives[2], 10);
}

static int setup(void **state)
{
    (void)state;
    return pump_open(&pump);
}

static int teardown(void **state)
{
    (void)state;
    pump_close(pump);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broker_without_mqtt_5_is_spoken_to_in_3_1_1),
        cmocka_unit_test(one_that_hangs_up_on_mqtt_5_is_tried_twice_before),
        cmocka_unit_test(each_refusal_has_its_own_words),
        cmocka_unit_test(a_session_that_is_taken_over_is_told_as_such),
        cmocka_unit_test(what_is_no_packet_that_may_come_ends_the_connection),
        cmocka_unit_test(a_broker_that_wants_to_hear_more_often_does),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
