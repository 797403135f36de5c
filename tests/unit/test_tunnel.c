/* The way to the broker: who is let in, what is refused and with which words, and what happens at
 * the end. */
// links: sluice_tls
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "core/clock.h"
#include "core/error.h"
#include "tls/tunnel.h"
#include "unit/tls_party.h"

/* What the tunnel told, in order. */
struct told {
    pthread_mutex_t lock;
    pthread_cond_t more;
    int errors[16];
    char sentences[16][TUNNEL_SENTENCE_SIZE];
    int count, taken;
};

static void hear(void *context, int error, const char *sentence)
{
    struct told *told = context;

    pthread_mutex_lock(&told->lock);
    told->errors[told->count % 16] = error;
    snprintf(told->sentences[told->count % 16], TUNNEL_SENTENCE_SIZE, "%s", sentence);
    told->count++;
    pthread_cond_signal(&told->more);
    pthread_mutex_unlock(&told->lock);
}

/* The next thing that it tells; 1 when nothing comes for ten seconds. */
static int next_told(struct told *told, const char **sentence)
{
    struct timespec until;
    int error = 1;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&told->lock);
    while (told->taken == told->count &&
           pthread_cond_timedwait(&told->more, &told->lock, &until) == 0)
        ;
    if (told->taken < told->count) {
        *sentence = told->sentences[told->taken % 16];
        error = told->errors[told->taken++ % 16];
    }
    pthread_mutex_unlock(&told->lock);
    return error;
}

static struct pump *pump;

static struct tunnel *open_tunnel(struct tunnel_options options, struct told *told)
{
    struct tunnel *tunnel = NULL;

    memset(told, 0, sizeof(*told));
    pthread_mutex_init(&told->lock, NULL);
    pthread_cond_init(&told->more, NULL);
    options.pump = pump;
    assert_int_equal(tunnel_open(&tunnel, &options, hear, told), 0);
    return tunnel;
}

static int client_connect(const struct tunnel *tunnel)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(tunnel_port(tunnel)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static int listen_here(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 10};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static int accept_one(int listener)
{
    struct timeval limit = {.tv_sec = 10};
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

/* What a server with that certificate and these arguments meets with. */
struct refusal {
    const char *certificate;
    const char *arguments[8];
    const char *ca, *crl, *cert, *key, *server_name, *alpn;
    int error;
    const char *says[2]; /* parts of the sentence */
};

static const struct refusal refusals[] = {
    {"good", {0}, "ca.pem", .error = 0},
    {"good", {0}, "ca.pem", .crl = "crl.pem", .error = 0},
    {"good", {"-no_tls1_3", "-cipher", "ECDHE+AESGCM"}, "ca.pem", .error = 0},
    {"good",
     {"-Verify", "1", "-CAfile", "@ca.pem", "-verify_return_error"},
     "ca.pem",
     .cert = "client.pem",
     .key = "client.key",
     .error = 0},
    {"elsewhere", {0}, "ca.pem", .server_name = "elsewhere.example", .error = 0},
    /* It takes the second certificate where the client says that name. */
    {"elsewhere",
     {"-servername", "localhost", "-cert2", "@good.pem", "-key2", "@good.key"},
     "ca.pem",
     .error = 0},
    /* Who names protocols gets one of them or nothing. */
    {"good", {"-alpn", "http/1.1,mqtt"}, "ca.pem", .alpn = "mqtt", .error = 0},
    {"good", {"-alpn", "http/1.1"}, "ca.pem", .error = 0},
    {"good",
     {"-alpn", "http/1.1"},
     "ca.pem",
     .alpn = "mqtt",
     .error = ERR_TLS,
     .says = {"does not offer the protocol in tls.alpn"}},
    {"expired",
     {0},
     "ca.pem",
     .error = ERR_UNTRUSTED,
     .says = {"expired on 2021-02-03: renew it at the broker", "CN=localhost"}},
    {"future",
     {0},
     "ca.pem",
     .error = ERR_UNTRUSTED,
     .says = {"not yet valid, it begins on 2048-01-02", "set this gateway's clock"}},
    {"elsewhere",
     {0},
     "ca.pem",
     .error = ERR_UNTRUSTED,
     .says = {"another host name than \"localhost\" (it names elsewhere.example)",
              "tls.server_name"}},
    {"good",
     {0},
     "ca.pem",
     .server_name = "127.0.0.2",
     .error = ERR_UNTRUSTED,
     .says = {"another host name than \"127.0.0.2\" (it names localhost, 127.0.0.1)"}},
    {"stranger",
     {0},
     "ca.pem",
     .error = ERR_UNTRUSTED,
     .says = {"\"CN=localhost\" is issued by \"CN=Other CA\", a CA that is not known here"}},
    {"self", {0}, "ca.pem", .error = ERR_UNTRUSTED, .says = {"a CA that is not known here"}},
    {"revoked",
     {0},
     "ca.pem",
     .crl = "crl.pem",
     .error = ERR_UNTRUSTED,
     .says = {"was revoked by its issuer"}},
    {"weak",
     {"-cipher", "ALL:@SECLEVEL=0"},
     "ca.pem",
     .error = ERR_UNTRUSTED,
     .says = {"too weak"}},
    {"for-clients", {0}, "ca.pem", .error = ERR_UNTRUSTED, .says = {"not one for a server"}},
    {"good",
     {"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"},
     "ca.pem",
     .error = ERR_TLS,
     .says = {"TLS"}},
    {"good",
     {"-no_tls1_3", "-Verify", "1", "-CAfile", "@ca.pem"},
     "ca.pem",
     .error = ERR_TLS,
     .says = {"client certificate"}},
    {"good", {0}, "missing.pem", .error = ERR_NOT_FOUND, .says = {"missing.pem\" does not exist"}},
    {"good", {0}, "ca.cnf", .error = ERR_CERTIFICATE, .says = {"holds no certificate"}},
    {"good",
     {0},
     "ca.pem",
     .cert = "client.pem",
     .key = "good.key",
     .error = ERR_CERTIFICATE,
     .says = {"tls.key does not belong to the certificate tls.cert"}},
};

static void try_refusal(const struct refusal *refusal)
{
    struct tunnel_options options = {.host = "localhost",
                                     .tls = true,
                                     .alpn = refusal->alpn,
                                     .server_name = refusal->server_name};
    const char *arguments[9] = {0}, *sentence = "";
    struct tls_party party;
    struct tunnel *tunnel;
    struct told told;
    int error;

    for (size_t i = 0; i < 8 && refusal->arguments[i]; i++)
        arguments[i] = refusal->arguments[i][0] == '@' ? tls_party_file(refusal->arguments[i] + 1)
                                                       : refusal->arguments[i];
    assert_true(tls_party_start(&party, refusal->certificate, arguments));
    options.port = party.port;
    options.ca = tls_party_file(refusal->ca);
    options.crl = tls_party_file(refusal->crl);
    options.cert = tls_party_file(refusal->cert);
    options.key = tls_party_file(refusal->key);
    tunnel = open_tunnel(options, &told);
    assert_int_equal(tunnel_connect(tunnel, 10 * NS_PER_S), 0);
    error = next_told(&told, &sentence);
    if (error != refusal->error)
        fail_msg("%s: error %d (%s) for %d", refusal->certificate, error, sentence, refusal->error);
    for (size_t i = 0; i < 2; i++) {
        if (refusal->says[i] && !strstr(sentence, refusal->says[i]))
            fail_msg("%s: \"%s\" does not say \"%s\"", refusal->certificate, sentence,
                     refusal->says[i]);
    }
    tunnel_close(tunnel);
    tls_party_stop(&party);
}

static void each_fault_of_a_certificate_has_its_own_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        try_refusal(&refusals[i]);
}

static void begin_connection(struct tunnel *tunnel, struct told *told)
{
    const char *sentence;

    assert_int_equal(tunnel_connect(tunnel, 10 * NS_PER_S), 0);
    assert_int_equal(next_told(told, &sentence), 0);
}

/* The server sends each line back turned round. */
static void use_connection(struct tunnel *tunnel, struct told *told)
{
    int client = client_connect(tunnel);
    const char *sentence;
    char reply[8] = "";

    assert_int_equal(send(client, "123456\n", 7, 0), 7);
    assert_int_equal(recv(client, reply, 7, MSG_WAITALL), 7);
    assert_string_equal(reply, "654321\n");
    close(client);
    assert_int_equal(next_told(told, &sentence), ERR_CLOSED);
}

/* How often the server shows its certificate until it has let somebody in. */
static unsigned certificates_shown(struct tls_party *party)
{
    unsigned count = 0;
    char line[256];

    do {
        assert_true(tls_party_wait(party, "", line, sizeof(line)));
        count += strstr(line, "write certificate") != NULL;
    } while (!strstr(line, "CONNECTION ESTABLISHED"));
    return count;
}

static void a_session_is_resumed(void **state)
{
    static const char *const arguments[] = {"-naccept", "2", "-state", NULL};
    struct tunnel_options options = {
        .host = "127.0.0.1", .tls = true, .ca = tls_party_file("ca.pem")};
    struct tls_party party;
    struct tunnel *tunnel;
    struct told told;

    (void)state;
    assert_true(tls_party_start(&party, "good", arguments));
    options.port = party.port;
    tunnel = open_tunnel(options, &told);
    for (int round = 0; round < 2; round++) {
        begin_connection(tunnel, &told);
        assert_int_equal(certificates_shown(&party), round == 0 ? 1 : 0);
        use_connection(tunnel, &told);
    }
    tunnel_close(tunnel);
    tls_party_stop(&party);
}

static void bytes_go_through_tls_and_back(void **state)
{
    static const char *const arguments[] = {"-naccept", "2", NULL};
    struct tunnel_options options = {
        .host = "127.0.0.1", .tls = true, .ca = tls_party_file("ca.pem")};
    struct tls_party party;
    struct tunnel *tunnel;
    struct told told;
    char line[256];

    (void)state;
    assert_true(tls_party_start(&party, "good", arguments));
    options.port = party.port;
    tunnel = open_tunnel(options, &told);
    for (int round = 0; round < 2; round++) {
        begin_connection(tunnel, &told);
        tunnel_description(tunnel, line, sizeof(line));
        assert_non_null(strstr(line, "TLSv1."));
        use_connection(tunnel, &told);
    }
    tunnel_close(tunnel);
    tls_party_stop(&party);
}

static void an_attempt_that_stalls_is_given_up_in_time(void **state)
{
    static const struct {
        bool tls;
        const char *says;
    } cases[] = {{true, "does not answer the TLS handshake within 1 s"},
                 {false, "the MQTT client did not take up the connection"}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tunnel_options options = {
            .host = "127.0.0.1", .tls = cases[i].tls, .ca = tls_party_file("ca.pem")};
        int listener = listen_here(&options.port);
        struct tunnel *tunnel;
        const char *sentence;
        struct told told;

        tunnel = open_tunnel(options, &told);
        assert_int_equal(tunnel_connect(tunnel, NS_PER_S), 0);
        if (!cases[i].tls)
            assert_int_equal(next_told(&told, &sentence), 0);
        assert_int_equal(next_told(&told, &sentence), ERR_TIMEOUT);
        assert_non_null(strstr(sentence, cases[i].says));
        tunnel_close(tunnel);
        close(listener);
    }
}

static void a_port_where_nothing_listens_is_told(void **state)
{
    struct tunnel_options options = {.host = "127.0.0.1"};
    int listener = listen_here(&options.port);
    struct tunnel *tunnel;
    const char *sentence;
    struct told told;

    (void)state;
    close(listener);
    tunnel = open_tunnel(options, &told);
    assert_int_equal(tunnel_connect(tunnel, 5 * NS_PER_S), 0);
    assert_int_equal(next_told(&told, &sentence), ERR_UNREACHABLE);
    assert_non_null(strstr(sentence, "nothing listens at 127.0.0.1 port"));
    tunnel_close(tunnel);
}

static void a_server_without_tls_is_told(void **state)
{
    struct tunnel_options options = {
        .host = "127.0.0.1", .tls = true, .ca = tls_party_file("ca.pem")};
    int listener = listen_here(&options.port), broker;
    struct tunnel *tunnel;
    const char *sentence;
    struct told told;

    (void)state;
    tunnel = open_tunnel(options, &told);
    assert_int_equal(tunnel_connect(tunnel, 5 * NS_PER_S), 0);
    broker = accept_one(listener);
    assert_int_equal(send(broker, "220 smtp.example ready\r\n", 24, 0), 24);
    assert_int_equal(next_told(&told, &sentence), ERR_TLS);
    assert_non_null(strstr(sentence, "does not speak TLS"));
    tunnel_close(tunnel);
    close(broker);
    close(listener);
}

static void only_this_process_is_let_in(void **state)
{
    struct tunnel_options options = {.host = "127.0.0.1"};
    int listener = listen_here(&options.port), broker, client, status;
    struct tunnel *tunnel;
    const char *sentence;
    struct told told;
    char byte;
    pid_t pid;

    (void)state;
    tunnel = open_tunnel(options, &told);
    assert_int_equal(tunnel_connect(tunnel, 10 * NS_PER_S), 0);
    assert_int_equal(next_told(&told, &sentence), 0);
    broker = accept_one(listener);
    pid = fork();
    if (pid == 0) { /* another process: it must meet the end, and its bytes nobody */
        int foreign = client_connect(tunnel);

        send(foreign, "secret", 6, MSG_NOSIGNAL);
        _exit(recv(foreign, &byte, 1, 0) <= 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(tunnel_strangers(tunnel), 1);
    client = client_connect(tunnel);
    assert_int_equal(send(client, "x", 1, 0), 1);
    assert_int_equal(recv(broker, &byte, 1, 0), 1);
    assert_int_equal(byte, 'x');
    assert_int_equal(tunnel_strangers(tunnel), 1);
    tunnel_close(tunnel);
    close(client);
    close(broker);
    close(listener);
}

static void the_client_may_write_on_after_the_broker_is_lost(void **state)
{
    static char much[256 * 1024];
    struct tunnel_options options = {.host = "127.0.0.1"};
    int listener = listen_here(&options.port), broker, client;
    struct linger reset = {.l_onoff = 1};
    struct tunnel *tunnel;
    const char *sentence;
    struct told told;
    char byte;

    (void)state;
    tunnel = open_tunnel(options, &told);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(tunnel_connect(tunnel, 10 * NS_PER_S), 0);
        assert_int_equal(next_told(&told, &sentence), 0);
        broker = accept_one(listener);
        client = client_connect(tunnel);
        assert_int_equal(send(broker, "bye", 3, 0), 3);
        setsockopt(broker, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        if (round > 0) { /* in the middle of the client's bytes */
            assert_int_equal(send(client, much, sizeof(much), 0), sizeof(much));
            assert_int_equal(recv(broker, &byte, 1, 0), 1);
        } else {
            assert_int_equal(recv(client, &byte, 1, 0), 1);
            assert_int_equal(recv(client, &byte, 1, 0), 1);
            assert_int_equal(recv(client, &byte, 1, 0), 1);
        }
        close(broker);
        assert_int_equal(next_told(&told, &sentence), ERR_CLOSED);
        while (recv(client, &byte, 1, 0) > 0)
            ;
        for (int i = 0; i < 16; i++)
            assert_int_equal(send(client, much, sizeof(much), MSG_NOSIGNAL), sizeof(much));
        close(client);
    }
    tunnel_close(tunnel);
    close(listener);
}

static void more_than_the_buffers_hold_waits_and_arrives_whole(void **state)
{
    enum { TOTAL = 24 * 1024 * 1024 };
    static uint8_t chunk[65536];
    struct tunnel_options options = {.host = "127.0.0.1"};
    int listener = listen_here(&options.port), broker, client;
    struct tunnel *tunnel;
    const char *sentence;
    struct told told;
    size_t sent = 0, got = 0;

    (void)state;
    tunnel = open_tunnel(options, &told);
    assert_int_equal(tunnel_connect(tunnel, 10 * NS_PER_S), 0);
    assert_int_equal(next_told(&told, &sentence), 0);
    broker = accept_one(listener);
    client = client_connect(tunnel);
    fcntl(client, F_SETFL, O_NONBLOCK);
    while (got < TOTAL) {
        ssize_t moved = 1;

        while (sent < TOTAL && moved > 0) { /* until nothing more is taken */
            for (size_t i = 0; i < sizeof(chunk); i++)
                chunk[i] = (uint8_t)((sent + i) * 7 % 251);
            moved = send(client, chunk, TOTAL - sent < sizeof(chunk) ? TOTAL - sent : sizeof(chunk),
                         MSG_NOSIGNAL);
            sent += moved > 0 ? (size_t)moved : 0;
        }
        moved = recv(broker, chunk, sizeof(chunk), 0);
        assert_true(moved > 0);
        for (size_t i = 0; i < (size_t)moved; i++)
            assert_int_equal(chunk[i], (uint8_t)((got + i) * 7 % 251));
        got += (size_t)moved;
    }
    tunnel_close(tunnel);
    close(client);
    close(broker);
    close(listener);
}

static void files_are_checked_without_a_connection(void **state)
{
    static const struct {
        const char *ca, *cert, *key;
        int error;
        const char *says;
    } cases[] = {
        {"ca.pem", "client.pem", "client.key", 0, ""},
        {"ca.pem", NULL, NULL, 0, ""},
        {"ca.pem", "client.pem", NULL, ERR_CERTIFICATE, "without tls.key"},
        {NULL, NULL, "client.key", ERR_CERTIFICATE, "without tls.cert"},
        {NULL, "client.pem", "ca.key", ERR_CERTIFICATE, "does not belong"},
        {NULL, "client.key", "client.key", ERR_CERTIFICATE, "holds no certificate"},
        {NULL, "client.pem", "client.pem", ERR_CERTIFICATE, "holds no private key"},
        {NULL, "expired.pem", "expired.key", ERR_CERTIFICATE, "expired on 2021-02-03: renew it"},
        {NULL, "nothing.pem", "client.key", ERR_NOT_FOUND, "does not exist"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char sentence[TUNNEL_SENTENCE_SIZE];
        int64_t until_s = -1;

        assert_int_equal(tls_check_files(tls_party_file(cases[i].ca), tls_party_file(cases[i].cert),
                                         tls_party_file(cases[i].key), &until_s, sentence,
                                         sizeof(sentence)),
                         cases[i].error);
        assert_non_null(strstr(sentence, cases[i].says));
        if (cases[i].error == 0)
            assert_int_equal(until_s, cases[i].cert ? INT64_C(2493072000) : 0);
    }
}

static int setup(void **state)
{
    (void)state;
    return tls_party_prepare() == 0 && pump_open(&pump) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    pump_close(pump);
    tls_party_tidy();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_of_a_certificate_has_its_own_words),
        cmocka_unit_test(a_session_is_resumed),
        cmocka_unit_test(bytes_go_through_tls_and_back),
        cmocka_unit_test(an_attempt_that_stalls_is_given_up_in_time),
        cmocka_unit_test(a_port_where_nothing_listens_is_told),
        cmocka_unit_test(a_server_without_tls_is_told),
        cmocka_unit_test(only_this_process_is_let_in),
        cmocka_unit_test(the_client_may_write_on_after_the_broker_is_lost),
        cmocka_unit_test(more_than_the_buffers_hold_waits_and_arrives_whole),
        cmocka_unit_test(files_are_checked_without_a_connection),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, setup, teardown);
}
