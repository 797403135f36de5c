#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/balance.h"
#include "cli/command.h"
#include "cli/end_signals.h"
#include "core/candidates.h"
#include "core/clock.h"
#include "core/error.h"
#include "uplink/client.h"
#include "uplink/mqtt.h"
#include "uplink/url.h"

#define CONNECT_TIMEOUT_NS (10 * NS_PER_S)
#define RECONNECT_NS       NS_PER_S
#define QUIET_NS           (NS_PER_S / 2)
#define LINGER_MAX_NS      (5 * NS_PER_S)
#define SILENT_NS          (3 * NS_PER_S)    /* a gateway's retained status comes at once */
#define OTHERS_NS          NS_PER_S          /* and so do those of others */
#define INBOUND_BYTES_MAX  ((size_t)1 << 30) /* a backlog may arrive faster than it is read */

struct audit_arguments {
    const char *url, *root, *gateway, *uplink, *client_id;
    const char *ca, *cert, *key, *server_name, *user, *password_file;
    const char *duration, *idle, *version;
    const char *truth; /* files, separated by commas */
    bool json;
};

struct audit {
    const struct audit_arguments *arguments;
    struct balance *balance;
    struct mqtt *client;
    char prefix[160]; /* "sluice/plant7/" */
    char told[320];   /* why it is not connected; "" while it is */
    int signal_fd;
    int64_t duration_ns, idle_ns; /* 0: no limit */
    int64_t started_ns, last_message_ns, retry_ns;
    int64_t ready_ns;         /* when the broker took the subscription; 0: not yet */
    int64_t asked_ns;         /* when other gateways were asked for; 0: not */
    struct candidates others; /* their ids */
    bool connected, refused, heard, told_silent, told_uplink;
    bool resumed; /* the broker kept what came before */
    int code;
};

static int64_t now(void)
{
    return clock_mono(&clock_system);
}

static void on_connected(void *context, bool session_present, int version, uint16_t receive_maximum,
                         uint32_t packet_size_max)
{
    struct audit *audit = context;
    char filter[192];

    (void)receive_maximum;
    (void)packet_size_max;
    audit->connected = true;
    audit->resumed = session_present;
    audit->told[0] = '\0';
    snprintf(filter, sizeof filter, "%s#", audit->prefix);
    int error = mqtt_subscribe(audit->client, filter, 1);
    if (error)
        fprintf(stderr, "sluice audit: cannot subscribe: %s\n", error_text(error));
    else if (!audit->arguments->json)
        fprintf(stderr, "sluice audit: connected with MQTT %s\n", version == 5 ? "5" : "3.1.1");
}

static void on_subscribed(void *context, const char *topic, int reason)
{
    struct audit *audit = context;

    if (strncmp(topic, audit->prefix, strlen(audit->prefix)) != 0)
        return; /* a user who may not see who else is there is told what can be known */
    if (reason >= 0x80) {
        fprintf(
            stderr,
            "sluice audit: the broker refuses the subscription to %s (reason 0x%02x): give this "
            "user the right to read it\n",
            topic, (unsigned)reason);
        audit->refused = true;
        audit->code = EXIT_CODE_SYSTEM;
        return;
    }
    if (audit->ready_ns)
        return;
    fprintf(stderr, "sluice audit: listening to %s\n", topic);
    audit->ready_ns = now();
    if (!audit->resumed)
        balance_listens(audit->balance, clock_wall(&clock_system) / NS_PER_MS);
}

/* The sentences of the uplink's parts name options of the configuration; here they are flags. */
static void tell(const char *sentence)
{
    static const struct {
        const char *option, *flag;
    } names[] = {
        {"tls.server_name", "--server-name"},
        {"tls.cert", "--cert"},
        {"tls.key", "--key"},
        {"tls.ca", "--ca"},
        {"password_file", "--password-file"},
        {"(user, ", "(--user, "},
        {"the url", "--url"},
    };
    const size_t count = sizeof names / sizeof names[0];

    fputs("sluice audit: ", stderr);
    while (*sentence) {
        size_t i = 0;

        while (i < count && strncmp(sentence, names[i].option, strlen(names[i].option)) != 0)
            i++;
        if (i == count) {
            fputc(*sentence++, stderr);
        } else {
            fputs(names[i].flag, stderr);
            sentence += strlen(names[i].option);
        }
    }
    fputc('\n', stderr);
}

/* Once, however often it is tried. */
static void tell_news(struct audit *audit, const char *sentence)
{
    if (strncmp(sentence, audit->told, sizeof audit->told - 1) == 0)
        return;
    snprintf(audit->told, sizeof audit->told, "%s", sentence);
    tell(sentence);
}

static void on_failed(void *context, int error, const char *sentence)
{
    struct audit *audit = context;

    tell_news(audit, sentence);
    /* What a second attempt cannot mend ends the audit; a broker that is away may come back. */
    audit->refused = error == ERR_CERTIFICATE || error == ERR_UNTRUSTED || error == ERR_TLS ||
                     error == ERR_REFUSED || error == ERR_NOT_FOUND || error == ERR_DENIED;
    if (audit->refused)
        audit->code = EXIT_CODE_SYSTEM;
    audit->retry_ns = now() + RECONNECT_NS;
}

static void on_lost(void *context, int reason, const char *sentence)
{
    struct audit *audit = context;

    (void)reason;
    tell_news(audit, sentence);
    audit->connected = false;
    audit->retry_ns = now() + RECONNECT_NS;
}

/* The status of a gateway, below the same root. */
static void take_other(struct audit *audit, const char *topic)
{
    size_t root = strlen(audit->arguments->root);
    char id[ID_SIZE_MAX];
    const char *end;

    if (strncmp(topic, audit->arguments->root, root) != 0 || topic[root] != '/')
        return;
    end = strchr(topic + root + 1, '/');
    if (!end || strcmp(end, "/status") != 0)
        return;
    snprintf(id, sizeof id, "%.*s", (int)(end - topic - (ptrdiff_t)root - 1), topic + root + 1);
    candidates_offer(&audit->others, id);
}

static void on_message(void *context, const char *topic, const void *payload, size_t size, int qos,
                       bool retained, bool duplicate)
{
    struct audit *audit = context;
    size_t prefix_size = strlen(audit->prefix);

    (void)qos;
    (void)duplicate;
    if (strncmp(topic, audit->prefix, prefix_size) != 0) {
        take_other(audit, topic);
        return;
    }
    audit->heard = true;
    if (!retained)
        audit->last_message_ns = now();
    int error = balance_message(audit->balance, topic + prefix_size, payload, size, retained);
    if (error == ERR_NOMEM) {
        fprintf(stderr, "sluice audit: out of memory\n");
        audit->refused = true;
        audit->code = EXIT_CODE_SYSTEM;
    }
}

static int parse_seconds(const char *text, const char *flag, int64_t *ns)
{
    char *end;

    if (!text)
        return EXIT_CODE_OK;
    double seconds = strtod(text, &end);
    if (end == text || !(seconds > 0 && seconds <= 1e7) || (*end && strcmp(end, "s") != 0)) {
        fprintf(stderr, "sluice audit: --%s takes seconds, such as 30 or 30s, not \"%s\"\n", flag,
                text);
        return EXIT_CODE_USAGE;
    }
    *ns = (int64_t)(seconds * (double)NS_PER_S);
    return EXIT_CODE_OK;
}

static int open_client(struct audit *audit)
{
    const struct audit_arguments *arguments = audit->arguments;
    struct uplink_url url;
    char sentence[256], client_id[64], password[SECRET_SIZE];

    if (uplink_url_parse(arguments->url, &url, sentence, sizeof sentence)) {
        char told[sizeof sentence + 8];

        snprintf(told, sizeof told, "--url: %s", sentence);
        tell(told);
        return EXIT_CODE_USAGE;
    }
    if (arguments->password_file &&
        client_password(arguments->password_file, password, sentence, sizeof sentence)) {
        fprintf(stderr, "sluice audit: %s\n", sentence);
        return EXIT_CODE_SYSTEM;
    }
    snprintf(client_id, sizeof client_id, "sluice-audit-%ld", (long)getpid());
    struct mqtt_options options = {
        .host = url.host,
        .port = url.port,
        .tls = url.tls,
        .tls_ca = arguments->ca,
        .tls_cert = arguments->cert,
        .tls_key = arguments->key,
        .tls_server_name = arguments->server_name,
        .client_id = arguments->client_id ? arguments->client_id : client_id,
        .user = arguments->user,
        .password = arguments->password_file ? password : NULL,
        .version = strcmp(arguments->version, "5") == 0       ? 5
                   : strcmp(arguments->version, "3.1.1") == 0 ? 4
                                                              : 0,
        .session_expiry_s = 3600,
        .keep_alive_s = 30,
        .inbound_bytes_max = INBOUND_BYTES_MAX,
        .context = audit,
        .connected = on_connected,
        .failed = on_failed,
        .lost = on_lost,
        .subscribed = on_subscribed,
        .message = on_message,
    };
    int error = mqtt_open(&audit->client, &options);
    explicit_bzero(password, sizeof password);
    if (error) {
        fprintf(stderr, "sluice audit: %s\n", error_text(error));
        return EXIT_CODE_SYSTEM;
    }
    return EXIT_CODE_OK;
}

/* Whether the time is over: --for since the start, or --idle since the last message. */
static bool is_over(const struct audit *audit, int64_t at)
{
    if (audit->duration_ns && at >= audit->started_ns + audit->duration_ns)
        return true;
    return audit->idle_ns && audit->last_message_ns &&
           at >= audit->last_message_ns + audit->idle_ns;
}

/* Whether nothing has come for a while, or it went on coming for too long. */
static bool is_quiet(const struct audit *audit, int64_t asked_ns)
{
    int64_t last_ns = audit->last_message_ns > asked_ns ? audit->last_message_ns : asked_ns;

    return now() >= last_ns + QUIET_NS || now() >= asked_ns + LINGER_MAX_NS;
}

static void ask_for_others(struct audit *audit)
{
    char filter[192];

    snprintf(filter, sizeof filter, "%s/+/status", audit->arguments->root);
    audit->asked_ns = now();
    mqtt_subscribe(audit->client, filter, 0);
}

static void tell_silence(struct audit *audit)
{
    const struct audit_arguments *arguments = audit->arguments;
    char words[256];

    audit->told_silent = true;
    candidates_text(&audit->others, words, sizeof words);
    if (*words)
        fprintf(stderr,
                "sluice audit: nothing comes from a gateway \"%s\" (--gateway) below \"%s\"%s\n",
                arguments->gateway, arguments->root, words);
    else
        fprintf(stderr,
                "sluice audit: nothing comes from a gateway \"%s\" (--gateway), and no other is "
                "seen below \"%s\" (--root): compare both with the gateway's configuration, and "
                "see that this user may read the topics\n",
                arguments->gateway, arguments->root);
}

/* Where not even a retained message comes, the id is probably another one: of those that the broker
 * has a status of. */
static void look_around(struct audit *audit, bool at_once)
{
    if (audit->heard || audit->told_silent || !audit->ready_ns || !audit->connected)
        return;
    if (!audit->asked_ns && (at_once || now() >= audit->ready_ns + SILENT_NS))
        ask_for_others(audit);
    else if (audit->asked_ns && now() >= audit->asked_ns + OTHERS_NS)
        tell_silence(audit);
}

/* The time was over before that could be told. */
static void look_around_at_the_end(struct audit *audit)
{
    struct pollfd ready = {.fd = mqtt_fd(audit->client), .events = POLLIN};

    look_around(audit, true);
    while (audit->asked_ns && audit->connected && !audit->heard && !audit->told_silent) {
        poll(&ready, 1, 100);
        mqtt_process(audit->client);
        look_around(audit, true);
    }
}

/* A name that no uplink has, as soon as the gateway's ledger shows it. */
static void tell_uplink(struct audit *audit, bool at_the_end)
{
    char words[256];

    if (audit->told_uplink ||
        !balance_lacks_uplink(audit->balance, at_the_end, words, sizeof words))
        return;
    audit->told_uplink = true;
    fprintf(stderr, "sluice audit: gateway %s has no uplink \"%s\" (--uplink)%s\n",
            audit->arguments->gateway, audit->arguments->uplink, words);
}

/*
 * Collects until the time is over, or a signal came and what was under way has arrived; a second
 * signal ends at once.
 */
static void collect(struct audit *audit)
{
    struct signalfd_siginfo info;
    int64_t asked_ns = 0;
    struct pollfd fds[2] = {{.fd = mqtt_fd(audit->client), .events = POLLIN},
                            {.fd = audit->signal_fd, .events = POLLIN}};

    audit->started_ns = now();
    audit->retry_ns = audit->started_ns;
    while (!audit->refused && !is_over(audit, now())) {
        if (!audit->connected && audit->retry_ns && now() >= audit->retry_ns) {
            audit->retry_ns = 0;
            mqtt_connect(audit->client, CONNECT_TIMEOUT_NS);
        }
        poll(fds, 2, 100);
        if (fds[1].revents && read(audit->signal_fd, &info, sizeof info) > 0) {
            if (asked_ns)
                return;
            asked_ns = now();
        }
        mqtt_process(audit->client);
        look_around(audit, false);
        tell_uplink(audit, false);
        if (asked_ns && (!audit->connected || is_quiet(audit, asked_ns)))
            return;
    }
}

/* Witnesses write while the audit listens, so their files are read at the end. */
static int read_truth(struct audit *audit)
{
    char files[4096];
    char *rest = files;
    int line;

    if (!audit->arguments->truth)
        return EXIT_CODE_OK;
    snprintf(files, sizeof files, "%s", audit->arguments->truth);
    for (char *path = strsep(&rest, ","); path; path = strsep(&rest, ",")) {
        int error = balance_truth(audit->balance, path, &line);
        if (error) {
            fprintf(stderr, "sluice audit: %s, line %d: %s\n", path, line, error_text(error));
            return EXIT_CODE_SYSTEM;
        }
    }
    return EXIT_CODE_OK;
}

static int run(const struct audit_arguments *arguments)
{
    struct audit audit = {.arguments = arguments, .signal_fd = -1};
    struct balance_report report;
    int code = parse_seconds(arguments->duration, "for", &audit.duration_ns);

    if (!code)
        code = parse_seconds(arguments->idle, "idle", &audit.idle_ns);
    if (code)
        return code;
    snprintf(audit.prefix, sizeof audit.prefix, "%s/%s/", arguments->root, arguments->gateway);
    candidates_init(&audit.others, arguments->gateway);
    audit.balance = balance_open(arguments->uplink);
    audit.signal_fd = end_signals_open();
    code = audit.balance ? open_client(&audit) : EXIT_CODE_SYSTEM;
    if (!code) {
        collect(&audit);
        look_around_at_the_end(&audit);
        tell_uplink(&audit, true);
        code = audit.code;
    }
    mqtt_close(audit.client);
    if (!code)
        code = read_truth(&audit);
    if (!code && balance_draw(audit.balance, &report))
        code = EXIT_CODE_SYSTEM;
    if (!code) {
        balance_print(audit.balance, &report, arguments->json, stdout);
        code = report.proven ? EXIT_CODE_OK : EXIT_CODE_FAILED;
    }
    balance_close(audit.balance);
    close(audit.signal_fd);
    return code;
}

int command_audit(int argc, char **argv)
{
    struct audit_arguments arguments = {.root = "sluice", .version = "auto"};
    const struct args_flag flags[] = {
        {"url", 'u', "URL", "the broker: mqtts://host[:8883] or mqtt://host[:1883]", &arguments.url,
         NULL},
        {"gateway", 'g', "ID", "the gateway's id", &arguments.gateway, NULL},
        {"root", 'r', "ROOT", "the first part of its topics; \"sluice\" unless given",
         &arguments.root, NULL},
        {"uplink", 0, "ID", "the uplink whose messages are proven; the first\nseen unless given",
         &arguments.uplink, NULL},
        {"ca", 0, "FILE",
         "certificates that the broker's is held against (PEM);\nthe system's "
         "unless given",
         &arguments.ca, NULL},
        {"cert", 0, "FILE", "client certificate (PEM)", &arguments.cert, NULL},
        {"key", 0, "FILE", "its private key (PEM)", &arguments.key, NULL},
        {"server-name", 0, "NAME",
         "the name in the broker's certificate; the URL's host\nunless "
         "given",
         &arguments.server_name, NULL},
        {"user", 0, "NAME", "user name at the broker", &arguments.user, NULL},
        {"password-file", 0, "FILE", "file whose first line is the password",
         &arguments.password_file, NULL},
        {"client-id", 0, "ID", "keep a session under this id; a new one unless given",
         &arguments.client_id, NULL},
        {"mqtt", 0, "VERSION", "5, 3.1.1, or auto", &arguments.version, NULL},
        {"for", 0, "SECONDS", "end after so long; by Ctrl-C unless given", &arguments.duration,
         NULL},
        {"idle", 0, "SECONDS", "end when nothing came for so long", &arguments.idle, NULL},
        {"truth", 't', "FILES",
         "what witnesses say was sent, separated by commas: a\nJSON object "
         "a line, {\"d\":..,\"p\":..,\"v\":..,\"t\":..}",
         &arguments.truth, NULL},
        {"json", 'J', NULL, "the balance as one JSON object", NULL, &arguments.json},
        {0},
    };
    const struct args_command command = {
        .name = "sluice audit",
        .operands = "",
        .about = "Subscribes as any consumer would, drops duplicates by key, and checks that the\n"
                 "union of all covers has no hole: the proof that no event is missing. With\n"
                 "--truth it compares what arrived with what was sent on the wire since it\n"
                 "listened. Where nothing comes from the gateway, it says which others the broker\n"
                 "knows.\n",
        .after =
            "Exit status: 0 proven; 1 not proven; 2 the URL is none; 5 a file cannot be read.\n\n"
            "Example: sluice audit -u mqtts://broker.example.com -g plant7 --ca ca.pem --for "
            "60\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    if (!arguments.url || !arguments.gateway) {
        fprintf(stderr, "sluice audit: --url and --gateway are needed. Try sluice audit --help.\n");
        return EXIT_CODE_USAGE;
    }
    return run(&arguments);
}
