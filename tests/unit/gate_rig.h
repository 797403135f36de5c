/* What the tests of the gate share: an API with a gate before it, and a network of socket pairs. */
#ifndef SLUICE_TESTS_GATE_RIG_H
#define SLUICE_TESTS_GATE_RIG_H

#include "unit/journal_kit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "web/gate.h"

#define RIG_DEADLINE_MS 20000
#define RIG_PASSWORD    "three plain words"
#define RIG_HOME        "192.168.7.20"

/* What a browser keeps and sends. */
struct rig_browser {
    const char *address;
    char cookies[512], csrf[80];
};

struct rig {
    struct kit *kit;
    struct gatekeeper *gate;
    struct api *api;
    int64_t clock_set_ns; /* what the system's clock was set to */
    int clock_error;
    const char *preset; /* the file of a setup code on a label */
    char answer[16384]; /* to the newest request, with its head */
    char folder[96];
};

static struct rig *rig; /* of the test that runs */

static inline int rig_set_clock(void *context, int64_t wall_ns)
{
    (void)context;
    rig->clock_set_ns = wall_ns;
    return rig->clock_error;
}

static inline void rig_about(void *context, struct gate_about *about)
{
    (void)context;
    strcpy(about->id, "plant7");
    strcpy(about->name, "Plant \"7\"");
}

static inline void rig_status(void *context, struct text *text)
{
    (void)context;
    text_string(text, "{\"schema\":1}\n");
}

static inline void rig_open(void)
{
    struct gate_options options = {.state_path = rig->folder,
                                   .preset_path = rig->preset,
                                   .clock = &rig->kit->clock,
                                   .set_clock = rig_set_clock};
    struct gate_site site = {.about = rig_about};
    struct api_source source = {.status = rig_status};

    assert_int_equal(gate_open(&rig->gate, &options), 0);
    assert_int_equal(api_open(&rig->api, NULL, rig->kit->journal, &source), 0);
    assert_int_equal(gate_mount(rig->gate, rig->api, rig->kit->journal, &site), 0);
}

static inline void rig_close(void)
{
    api_close(rig->api);
    gate_close(rig->gate);
}

static inline int rig_setup(void **state)
{
    rig = calloc(1, sizeof *rig);
    if (!rig || kit_setup((void **)&rig->kit))
        return -1;
    rig->kit->trust = CLOCK_FREE_RUNNING;
    if (journal_open(&rig->kit->journal, &rig->kit->options))
        return -1;
    strcpy(rig->folder, "/tmp/sluice-gate-XXXXXX");
    if (!mkdtemp(rig->folder))
        return -1;
    rig_open();
    *state = rig;
    return 0;
}

static inline int rig_teardown(void **state)
{
    static const char *const files[] = {"accounts.json", "accounts.json.damaged", "setup-code"};
    char path[160];

    (void)state;
    rig_close();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", rig->folder, files[i]);
        unlink(path);
    }
    int left = rmdir(rig->folder);
    struct kit *kit = rig->kit;
    void *kit_state = kit;
    int result = kit_teardown(&kit_state);
    free(rig);
    rig = NULL;
    return left ? left : result;
}

/* A connection from an address (NULL: over the unix socket), on which `request` was sent. */
static inline int rig_connect(const char *address, const char *request)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    const struct sockaddr *peer = NULL;
    socklen_t peer_size = 0;
    int ends[2];

    if (address && inet_pton(AF_INET, address, &four.sin_addr) == 1) {
        peer = (const struct sockaddr *)&four;
        peer_size = sizeof four;
    } else if (address) {
        assert_int_equal(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
        peer = (const struct sockaddr *)&six;
        peer_size = sizeof six;
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(api_adopt(rig->api, ends[0], peer, peer_size), 0);
    assert_true(write(ends[1], request, strlen(request)) == (ssize_t)strlen(request));
    return ends[1];
}

/* Sends a request and returns the status of what is answered. */
static inline int rig_send(const char *address, const char *request)
{
    int fd = rig_connect(address, request), status = 0;
    struct pollfd client = {.fd = fd, .events = POLLIN};
    size_t size = 0;

    for (;;) {
        assert_int_equal(poll(&client, 1, RIG_DEADLINE_MS), 1);
        ssize_t got = read(fd, rig->answer + size, sizeof rig->answer - 1 - size);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    rig->answer[size] = '\0';
    close(fd);
    assert_int_equal(sscanf(rig->answer, "HTTP/1.1 %d", &status), 1);
    return status;
}

/* The value of a cookie that the newest answer sets, appended to the browser's. */
static inline void rig_keep_cookies(struct rig_browser *browser)
{
    static const char name[] = "Set-Cookie: ";

    for (char *at = rig->answer; (at = strstr(at, name)); at++) {
        size_t used = strlen(browser->cookies);
        const char *from = at + sizeof name - 1;

        snprintf(browser->cookies + used, sizeof browser->cookies - used, "%s%.*s",
                 used ? "; " : "", (int)strcspn(from, ";"), from);
    }
    char *csrf = strstr(rig->answer, "\"csrf\":\"");
    if (csrf)
        snprintf(browser->csrf, sizeof browser->csrf, "%.*s", (int)strcspn(csrf + 8, "\""),
                 csrf + 8);
}

/* A request as the page makes it; `more` are headers, each with its line's end. */
static inline int rig_ask_with(const struct rig_browser *browser, const char *method,
                               const char *path, const char *body, const char *more)
{
    char request[8192];

    snprintf(request, sizeof request,
             "%s %s HTTP/1.1\r\nHost: 192.168.7.1\r\nConnection: close\r\n"
             "%s%s%s%s%s%s%sContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             method, path, browser->cookies[0] ? "Cookie: " : "", browser->cookies,
             browser->cookies[0] ? "\r\n" : "", browser->csrf[0] ? "X-Sluice-CSRF: " : "",
             browser->csrf, browser->csrf[0] ? "\r\n" : "", more, strlen(body), body);
    return rig_send(browser->address, request);
}

static inline int rig_ask(const struct rig_browser *browser, const char *method, const char *path,
                          const char *body)
{
    return rig_ask_with(browser, method, path, body, "");
}

/* The setup code, as root on the machine reads it. */
static inline void rig_code(char code[32])
{
    struct rig_browser socket = {0};

    assert_int_equal(rig_ask(&socket, "GET", "/api/v1/setup", ""), 200);
    const char *at = strstr(rig->answer, "\"code\":\"");
    assert_non_null(at);
    snprintf(code, 32, "%.*s", (int)strcspn(at + 8, "\""), at + 8);
}

/* Makes the owner and logs the browser in as such. */
static inline void rig_make_owner(struct rig_browser *browser)
{
    char code[32], body[256];

    rig_code(code);
    snprintf(body, sizeof body, "{\"code\":\"%s\",\"password\":\"%s\",\"language\":\"de\"}", code,
             RIG_PASSWORD);
    assert_int_equal(rig_ask(browser, "POST", "/api/v1/setup", body), 200);
    rig_keep_cookies(browser);
}

static inline int rig_login(struct rig_browser *browser, const char *name, const char *password)
{
    char body[512];

    snprintf(body, sizeof body, "{\"name\":\"%s\",\"password\":\"%s\"}", name, password);
    int status = rig_ask(browser, "POST", "/api/v1/login", body);
    if (status == 200) {
        browser->cookies[0] = '\0';
        rig_keep_cookies(browser);
    }
    return status;
}

static inline void rig_pass(int64_t seconds)
{
    rig->kit->mono_ns += seconds * NS_PER_S;
}

#endif
