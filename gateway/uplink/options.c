#include "uplink/internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/error.h"
#include "tls/tunnel.h"
#include "uplink/client.h"
#include "uplink/url.h"

#define AT(field) offsetof(struct uplink_options, field)
#define SECONDS   1e9

static const struct option_choice layouts[] = {
    {"batch", UPLINK_BATCH, "many events in one message on .../data"},
    {"values", UPLINK_VALUES, "each reading retained on a topic of its own, .../v/DEVICE/POINT"},
    {0},
};

static const struct option_choice beginnings[] = {
    {"oldest", UPLINK_FROM_OLDEST, "with the oldest event that the journal still holds"},
    {"now", UPLINK_FROM_NOW, "with what is stored from then on"},
    {0},
};

static const struct option_choice versions[] = {
    {"auto", 0, "MQTT 5, and 3.1.1 with a broker that does not speak 5"},
    {"5", 5, "MQTT 5 only"},
    {"3.1.1", 4, "MQTT 3.1.1 only"},
    {0},
};

static const struct option_choice unproven_choices[] = {
    {"hold", UPLINK_HOLD,
     "publish nothing more, and say so, until the broker shows that it takes it"},
    {"deliver", UPLINK_DELIVER, "take the broker's acknowledgement for delivery"},
    {0},
};

static const struct option_choice tls_versions[] = {
    {"1.2", 12, "TLS 1.2 or later"},
    {"1.3", 13, "TLS 1.3"},
    {0},
};

/* "500MB/month" */
static int parse_budget(const char *text, void *field, char *why, size_t why_size)
{
    static const struct {
        const char *unit;
        int64_t bytes;
    } units[] = {{"KB", 1000},     {"MB", 1000000},  {"GB", 1000000000},
                 {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
    int64_t number = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9' && number < 1000000; at++)
        number = number * 10 + (*at - '0');
    for (size_t i = 0; at != text && i < sizeof(units) / sizeof(units[0]); i++) {
        size_t length = strlen(units[i].unit);

        if (strncmp(at, units[i].unit, length) == 0 && strcmp(at + length, "/month") == 0) {
            *(int64_t *)field = number * units[i].bytes;
            return 0;
        }
    }
    snprintf(why, why_size,
             "a number with KB, MB, GB, KiB, MiB or GiB and /month, as in 500MB/month");
    return ERR_INVALID;
}

static const struct option options[] = {
    {.key = "url",
     .type = OPTION_TEXT,
     .offset = AT(url),
     .required = true,
     .maximum = 255,
     .example = "\"mqtts://broker.example.com:8883\"",
     .help = "The broker: mqtt://HOST[:1883], or mqtts://HOST[:8883] with TLS."},
    {.key = "root",
     .type = OPTION_TEXT,
     .offset = AT(root),
     .maximum = 64,
     .fallback = "\"sluice\"",
     .example = "\"acme/north\"",
     .help = "What all topics begin with, one or two levels."},
    {.key = "user",
     .type = OPTION_TEXT,
     .offset = AT(user),
     .maximum = 255,
     .example = "\"${gateway.id}\"",
     .help = "The user name for the broker."},
    {.key = "password_file",
     .type = OPTION_SECRET,
     .offset = AT(password_file),
     .example = "\"cloud.password\"",
     .help = "A file whose first line is the password; read anew before each connection."},
    {.key = "proxy",
     .type = OPTION_TEXT,
     .offset = AT(proxy),
     .maximum = 255,
     .example = "\"http://proxy.example.com:3128\"",
     .help = "The HTTP proxy that leads to the broker: http://HOST[:3128]. TLS goes through it "
             "untouched."},
    {.key = "proxy_login_file",
     .type = OPTION_SECRET,
     .offset = AT(proxy_login_file),
     .example = "\"proxy.password\"",
     .help = "A file whose first line is USER:PASSWORD for the proxy; read anew before each "
             "connection."},
    {.key = "client_id",
     .type = OPTION_TEXT,
     .offset = AT(client_id),
     .maximum = 128,
     .help = "The MQTT client id; without it the gateway's id for the first uplink, and "
             "GATEWAY-UPLINK for the others."},
    {.key = "was",
     .type = OPTION_ID,
     .offset = AT(was),
     .help = "An earlier id of this uplink, whose place in the journal it takes over."},
    {.key = "layout",
     .type = OPTION_CHOICE,
     .offset = AT(layout),
     .choices = layouts,
     .fallback = "\"batch\"",
     .help = "How events are put into messages."},
    {.key = "from",
     .type = OPTION_CHOICE,
     .offset = AT(from),
     .choices = beginnings,
     .fallback = "\"oldest\"",
     .help = "Where a new uplink begins. One that has run under its id before goes on where it "
             "was, whatever stands here."},
    {.key = "version",
     .type = OPTION_CHOICE,
     .offset = AT(version),
     .choices = versions,
     .fallback = "\"auto\"",
     .help = "The version of MQTT."},
    {.key = "unproven",
     .type = OPTION_CHOICE,
     .offset = AT(unproven),
     .choices = unproven_choices,
     .fallback = "\"hold\"",
     .help =
         "What to do where MQTT 3.1.1 cannot prove that messages are accepted, since the client "
         "may not read its own topics."},
    {.key = "commands",
     .type = OPTION_BOOL,
     .offset = AT(commands),
     .fallback = "false",
     .help =
         "Whether commands to points that are marked with \"write\" are taken from this broker: "
         "whoever may publish on ROOT/GATEWAY/cmd may then switch things."},
    {.key = "linger",
     .type = OPTION_DURATION,
     .offset = AT(linger_ns),
     .maximum = 3600 * SECONDS,
     .fallback = "\"1s\"",
     .help = "The longest that an event waits for others to share its message."},
    {.key = "keep_alive",
     .type = OPTION_DURATION,
     .offset = AT(keep_alive_ns),
     .minimum = 5 * SECONDS,
     .maximum = 3600 * SECONDS,
     .fallback = "\"30s\"",
     .help = "How often a silent connection is checked; a broker of MQTT 5 may ask for it more "
             "often."},
    {.key = "connect_timeout",
     .type = OPTION_DURATION,
     .offset = AT(connect_timeout_ns),
     .minimum = 1 * SECONDS,
     .maximum = 300 * SECONDS,
     .fallback = "\"20s\"",
     .help = "How long one attempt to connect may take."},
    {.key = "retry_max",
     .type = OPTION_DURATION,
     .offset = AT(retry_max_ns),
     .minimum = 1 * SECONDS,
     .maximum = 3600 * SECONDS,
     .fallback = "\"60s\"",
     .help = "The longest wait between two attempts to connect; each is drawn at random below a "
             "bound that doubles up to this."},
    {.key = "clock_wait",
     .type = OPTION_DURATION,
     .offset = AT(clock_wait_ns),
     .maximum = 86400 * SECONDS,
     .fallback = "\"60s\"",
     .help = "How long events wait after the start for a clock that is not set, before they go out "
             "marked as uncertain."},
    {.key = "window",
     .type = OPTION_INT,
     .offset = AT(window),
     .minimum = 1,
     .maximum = 1000,
     .fallback = "64",
     .help = "Messages on their way at one time, if the broker allows so many."},
    {.key = "budget",
     .type = OPTION_PARSED,
     .offset = AT(budget_bytes_month),
     .parse = parse_budget,
     .pattern = "^[0-9]+(KB|MB|GB|KiB|MiB|GiB)/month$",
     .help = "What the line may carry in a month; `sluice check` compares.",
     .example = "\"500MB/month\""},
    {0},
};

static const struct option tls_options[] = {
    {.key = "ca",
     .type = OPTION_FILE,
     .offset = AT(tls_ca),
     .example = "\"ca.pem\"",
     .help = "The CA certificates that the broker's certificate is checked by: a PEM file or a "
             "folder; without it those of the system."},
    {.key = "crl",
     .type = OPTION_FILE,
     .offset = AT(tls_crl),
     .help = "A list of revoked certificates in PEM form."},
    {.key = "cert",
     .type = OPTION_FILE,
     .offset = AT(tls_cert),
     .example = "\"gw.pem\"",
     .help = "This gateway's certificate in PEM form, with the intermediate ones behind it."},
    {.key = "key",
     .type = OPTION_SECRET,
     .offset = AT(tls_key),
     .example = "\"gw.key\"",
     .help = "Its private key in PEM form, without a password."},
    {.key = "server_name",
     .type = OPTION_TEXT,
     .offset = AT(tls_server_name),
     .maximum = 255,
     .help =
         "The name that the broker's certificate must have, where it is not the host of the url."},
    {.key = "alpn",
     .type = OPTION_TEXT,
     .offset = AT(tls_alpn),
     .maximum = 255,
     .example = "\"x-amzn-mqtt-ca\"",
     .help = "The protocol to ask for, where the broker wants one."},
    {.key = "minimum",
     .type = OPTION_CHOICE,
     .offset = AT(tls_minimum),
     .choices = tls_versions,
     .fallback = "\"1.2\"",
     .help = "The oldest version of TLS that is accepted."},
    {0},
};

const struct option_table uplink_table = {options, sizeof(struct uplink_options)};
const struct option_table uplink_tls_table = {tls_options, sizeof(struct uplink_options)};

static bool root_valid(const char *root)
{
    int levels = 1;

    if (root[0] == '\0' || root[0] == '$')
        return false;
    for (const char *at = root; *at; at++) {
        unsigned char c = (unsigned char)*at;

        if (c <= ' ' || c == 0x7f || c == '#' || c == '+' || c == '"' || c == '\\')
            return false;
        if (c == '/' && (at == root || at[1] == '/' || at[1] == '\0' || ++levels > 2))
            return false;
    }
    return true;
}

/* Each file for itself where that can be said, so that a wrong one hides no other. */
static void check_tls_files(const struct uplink_options *uplink,
                            struct option_complaints *complaints)
{
    char sentence[TUNNEL_SENTENCE_SIZE];
    int64_t until_s = 0;

    if (uplink->tls_ca && complaints->sound(complaints, "tls.ca") &&
        tls_check_files(uplink->tls_ca, NULL, NULL, NULL, sentence, sizeof(sentence)) != 0)
        complaints->tell(complaints, "tls.ca", sentence);
    if (!complaints->sound(complaints, "tls.cert") || !complaints->sound(complaints, "tls.key"))
        return;
    /* A certificate that has expired must not keep the gateway from reading its sensors: the uplink
     * tells. */
    if (tls_check_files(NULL, uplink->tls_cert, uplink->tls_key, &until_s, sentence,
                        sizeof(sentence)) != 0 &&
        until_s == 0)
        complaints->tell(complaints, uplink->tls_cert ? "tls.cert" : "tls.key", sentence);
}

static void check_url(const struct uplink_options *uplink, struct option_complaints *complaints)
{
    char sentence[TUNNEL_SENTENCE_SIZE];
    struct uplink_url url = {0};

    if (uplink_url_parse(uplink->url, &url, sentence, sizeof(sentence)) != 0)
        complaints->tell(complaints, "url", sentence);
    else if (uplink->tls && !url.tls)
        complaints->tell(
            complaints, "url",
            "\"tls\" is given, but the url begins with mqtt://; allowed: mqtts://HOST[:8883]");
}

/* Whether it can be read was asked before. */
static void check_login(const char *path, struct option_complaints *complaints)
{
    char sentence[TUNNEL_SENTENCE_SIZE];

    if (tunnel_check_login(path, sentence, sizeof sentence) != 0)
        complaints->tell(complaints, "proxy_login_file", sentence);
}

static void check_proxy(const struct uplink_options *uplink, struct option_complaints *complaints)
{
    char sentence[TUNNEL_SENTENCE_SIZE];
    struct uplink_url url = {0};

    if (uplink->proxy && uplink_proxy_parse(uplink->proxy, &url, sentence, sizeof(sentence)) != 0)
        complaints->tell(complaints, "proxy", sentence);
    if (!uplink->proxy && uplink->proxy_login_file && complaints->sound(complaints, "proxy"))
        complaints->tell(complaints, "proxy", "is missing: a login is for a proxy");
    if (uplink->proxy_login_file)
        check_login(uplink->proxy_login_file, complaints);
}

/* Whether it can be read was asked before. */
static void check_password(const char *path, struct option_complaints *complaints)
{
    char password[SECRET_SIZE], sentence[TUNNEL_SENTENCE_SIZE];

    if (client_password(path, password, sentence, sizeof sentence) == ERR_INVALID)
        complaints->tell(complaints, "password_file", sentence);
    explicit_bzero(password, sizeof password);
}

void uplink_check(void *uplink_options, const char *id, struct option_complaints *complaints)
{
    struct uplink_options *uplink = uplink_options;
    char sentence[TUNNEL_SENTENCE_SIZE];

    uplink->id = id;
    if (id && strlen(UPLINK_STREAM_PREFIX) + strlen(id) >= ID_SIZE_MAX) {
        snprintf(sentence, sizeof(sentence),
                 "found %zu characters; an uplink's id has at most %zu, since its own events bear "
                 "it behind \"" UPLINK_STREAM_PREFIX "\"",
                 strlen(id), ID_SIZE_MAX - 1 - strlen(UPLINK_STREAM_PREFIX));
        complaints->tell(complaints, "id", sentence);
    }
    if (uplink->url)
        check_url(uplink, complaints);
    check_proxy(uplink, complaints);
    if (uplink->tls)
        check_tls_files(uplink, complaints);
    if (uplink->root && !root_valid(uplink->root)) {
        snprintf(
            sentence, sizeof(sentence),
            "found \"%.80s\"; allowed: one or two levels such as \"acme/north\", without spaces, "
            "# and +",
            uplink->root);
        complaints->tell(complaints, "root", sentence);
    }
    if (uplink->password_file)
        check_password(uplink->password_file, complaints);
    bool password = uplink->password_file || !complaints->sound(complaints, "password_file");
    if (password && !uplink->user && complaints->sound(complaints, "user"))
        complaints->tell(complaints, "user", "is missing: a password needs a user name");
}

bool uplink_meets(const void *uplink_options, const void *other_options, const char *other_id,
                  char *sentence, size_t size)
{
    const struct uplink_options *uplink = uplink_options, *other = other_options;
    struct uplink_url url = {0}, other_url = {0};
    char ignored[TUNNEL_SENTENCE_SIZE];
    const char *proxy = uplink->proxy ? uplink->proxy : "";

    if (!uplink->url || !other->url || !uplink->root || !other->root ||
        strcmp(proxy, other->proxy ? other->proxy : "") != 0 ||
        uplink_url_parse(uplink->url, &url, ignored, sizeof(ignored)) != 0 ||
        uplink_url_parse(other->url, &other_url, ignored, sizeof(ignored)) != 0 ||
        strcasecmp(url.host, other_url.host) != 0 || url.port != other_url.port ||
        strcmp(uplink->root, other->root) != 0)
        return false;
    snprintf(sentence, size,
             "uplink %s publishes to the same broker below the root \"%s\", too: when one of them "
             "ends, the status that both keep there says offline while the other delivers; give "
             "one of them another root, such as \"%s-2\"",
             other_id, uplink->root, uplink->root);
    return true;
}
