/* Who may come in, and who may not. */
// links: sluice_web
#include <stdbool.h>

#include "unit/gate_rig.h"

#include "web/reply.h"

static void nobody_gets_anything_without_logging_in(void **state)
{
    struct rig_browser stranger = {.address = RIG_HOME};

    (void)state;
    assert_int_equal(rig_ask(&stranger, "GET", "/api/v1/status", ""), 401);
    assert_int_equal(rig_ask(&stranger, "GET", "/api/v1/setup", ""), 401);
    assert_int_equal(rig_ask(&stranger, "PUT", "/api/v1/accounts/eve", "{}"), 401);
    assert_int_equal(rig_ask(&stranger, "GET", "/api/v1/session", ""), 200);
    assert_non_null(strstr(rig->answer, "\"setup\":true,\"account\":null,\"csrf\":null"));
    strcpy(stranger.cookies, "__Host-sluice=0123456789abcdef");
    assert_int_equal(rig_ask(&stranger, "GET", "/api/v1/status", ""), 401);
    assert_int_equal(rig_login(&stranger, "owner", RIG_PASSWORD), 409);
}

static void whoever_knows_the_setup_code_becomes_the_owner(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME}, late = {.address = "192.168.7.21"};
    char code[32], body[300];

    (void)state;
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/setup", "{\"code\":\"AAAA-AAAA\"}"), 409);
    assert_int_equal(
        rig_ask(&phone, "POST", "/api/v1/setup", "{\"password\":\"" RIG_PASSWORD "\"}"), 409);
    rig_code(code);
    snprintf(body, sizeof body, "{\"code\":\"%.7s\"}", code);
    assert_int_equal(rig_ask(&late, "POST", "/api/v1/setup", body), 409);
    for (char *letter = code; *letter; letter++)
        *letter = *letter >= 'A' && *letter <= 'Z' ? (char)(*letter + 32) : *letter;
    snprintf(body, sizeof body, "{\"code\":\" %s\"}", code);
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/setup", body), 200);
    assert_non_null(strstr(rig->answer, "{\"ok\":true}"));
    assert_null(strstr(rig->answer, "Set-Cookie"));
    snprintf(body, sizeof body, "{\"code\":\"%s\",\"password\":\"short\"}", code);
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/setup", body), 400);
    snprintf(body, sizeof body,
             "{\"code\":\"%s\",\"password\":\"%s\",\"name\":\"anna\",\"language\":\"de\","
             "\"gateway\":{\"id\":\"plant8\"},\"t\":1795448300000}",
             code, RIG_PASSWORD);
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/setup", body), 200);
    assert_non_null(strstr(rig->answer, "\"account\":{\"name\":\"anna\",\"role\":\"owner\"}"));
    assert_non_null(strstr(rig->answer, "\"language\":\"de\""));
    assert_non_null(strstr(rig->answer, "\"notes\":[\"the gateway's id and name"));
    assert_true(rig->clock_set_ns == INT64_C(1795448300000) * NS_PER_MS);
    assert_non_null(strstr(rig->answer, "; Path=/; Secure; HttpOnly; SameSite=Strict"));
    rig_keep_cookies(&phone);
    assert_int_equal(rig_ask(&phone, "GET", "/api/v1/status", ""), 200);
    /* Once. */
    assert_int_equal(rig_ask(&late, "POST", "/api/v1/setup", body), 409);
    assert_int_equal(rig_ask(&phone, "GET", "/api/v1/setup", ""), 200);
    assert_non_null(strstr(rig->answer, "{\"needed\":false}"));
}

static void what_changes_something_brings_the_session_s_token(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME};
    char csrf[80];

    (void)state;
    rig_make_owner(&phone);
    strcpy(csrf, phone.csrf);
    assert_int_equal(
        rig_ask(&phone, "POST", "/api/v1/tokens", "{\"name\":\"a\",\"role\":\"viewer\"}"), 200);
    phone.csrf[0] = '\0';
    assert_int_equal(rig_ask(&phone, "GET", "/api/v1/tokens", ""), 200);
    assert_int_equal(
        rig_ask(&phone, "POST", "/api/v1/tokens", "{\"name\":\"b\",\"role\":\"viewer\"}"), 403);
    strcpy(phone.csrf, csrf);
    phone.csrf[5] = phone.csrf[5] == '0' ? '1' : '0';
    assert_int_equal(rig_ask(&phone, "DELETE", "/api/v1/tokens/a", ""), 403);
    strcpy(phone.csrf, csrf);
    assert_int_equal(rig_ask(&phone, "DELETE", "/api/v1/tokens/a", ""), 200);
}

static void the_page_of_another_site_gets_nothing(void **state)
{
    static const struct {
        const char *origin;
        int status;
    } cases[] = {
        {"Origin: https://192.168.7.1\r\n", 200},
        {"Origin: https://192.168.7.1:443\r\n", 200},
        {"Origin: HTTPS://192.168.7.1\r\n", 200},
        {"Origin: http://192.168.7.1\r\n", 403},
        {"Origin: https://192.168.7.1:8443\r\n", 403},
        {"Origin: https://192.168.7.12\r\n", 403},
        {"Origin: https://192.168.7\r\n", 403},
        {"Origin: https://192.168.7.1.evil.example\r\n", 403},
        {"Origin: https://evil.example\r\n", 403},
        {"Origin: null\r\n", 403},
        {"Origin: \r\n", 403},
    };
    struct rig_browser phone = {.address = RIG_HOME};

    (void)state;
    rig_make_owner(&phone);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = rig_ask_with(&phone, "GET", "/api/v1/status", "", cases[i].origin);
        if (status != cases[i].status)
            fail_msg("%s%d", cases[i].origin, status);
    }
}

static int ask_host(const struct rig_browser *browser, const char *host)
{
    char request[1024];

    snprintf(request, sizeof request,
             "GET /api/v1/status HTTP/1.1\r\n%sConnection: close\r\nCookie: %s\r\n\r\n", host,
             browser->cookies);
    return rig_send(browser->address, request);
}

static void a_name_that_is_not_ours_gets_nothing(void **state)
{
    static const char *const names[] = {"gw.example.com"};
    struct rig_browser phone = {.address = RIG_HOME};

    (void)state;
    rig_make_owner(&phone);
    assert_int_equal(ask_host(&phone, "Host: 10.0.0.7:8443\r\n"), 200);
    assert_int_equal(ask_host(&phone, "Host: [fe80::1]\r\n"), 200);
    assert_int_equal(ask_host(&phone, "Host: localhost\r\n"), 200);
    assert_int_equal(ask_host(&phone, "Host: rebound.evil.example\r\n"), 403);
    assert_non_null(strstr(rig->answer, "\\\"rebound.evil.example\\\""));
    assert_non_null(strstr(rig->answer, "\"next\":\"open it by its address, or by "));
    assert_int_equal(ask_host(&phone, "Host: gw.example.com\r\n"), 403);
    assert_int_equal(gate_set_names(rig->gate, names, 1), 0);
    assert_int_equal(ask_host(&phone, "Host: GW.example.com:443\r\n"), 200);
    assert_int_equal(gate_set_names(rig->gate, NULL, 0), 0);
    assert_int_equal(ask_host(&phone, "Host: gw.example.com\r\n"), 403);
    assert_int_equal(ask_host(&phone, "Host: \r\n"), 403);
    int missing = ask_host(&phone, "");
    assert_true(missing == 400 || missing == 403);
}

static void logging_out_ends_the_session(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME}, laptop = {.address = "192.168.7.21"};

    (void)state;
    rig_make_owner(&phone);
    assert_int_equal(rig_login(&laptop, " Owner ", RIG_PASSWORD), 200);
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/logout", ""), 200);
    assert_non_null(strstr(rig->answer, "Set-Cookie: __Host-sluice=; "));
    assert_int_equal(rig_ask(&phone, "GET", "/api/v1/status", ""), 401);
    assert_int_equal(rig_ask(&laptop, "GET", "/api/v1/status", ""), 200);
}

static void sessions_end_by_themselves(void **state)
{
    struct rig_browser idle = {.address = RIG_HOME}, busy = {.address = RIG_HOME};

    (void)state;
    rig_make_owner(&idle);
    assert_int_equal(rig_login(&busy, "owner", RIG_PASSWORD), 200);
    for (int hour = 0; hour < 13; hour++) {
        rig_pass(3600);
        assert_int_equal(rig_ask(&busy, "GET", "/api/v1/status", ""), 200);
    }
    assert_int_equal(rig_ask(&idle, "GET", "/api/v1/status", ""), 401);
    for (int hour = 13; hour < 7 * 24 - 1; hour++) {
        rig_pass(3600);
        assert_int_equal(rig_ask(&busy, "GET", "/api/v1/session", ""), 200);
    }
    assert_int_equal(rig_ask(&busy, "GET", "/api/v1/status", ""), 200);
    rig_pass(3601);
    assert_int_equal(rig_ask(&busy, "GET", "/api/v1/status", ""), 401);
}

static void nobody_keeps_more_than_eight_sessions(void **state)
{
    struct rig_browser browsers[10] = {0};

    (void)state;
    browsers[0].address = RIG_HOME;
    rig_make_owner(&browsers[0]);
    for (int i = 1; i < 10; i++) {
        rig_pass(60);
        browsers[i].address = RIG_HOME;
        assert_int_equal(rig_login(&browsers[i], "owner", RIG_PASSWORD), 200);
    }
    for (int i = 0; i < 10; i++)
        assert_int_equal(rig_ask(&browsers[i], "GET", "/api/v1/status", ""), i < 2 ? 401 : 200);
}

static void accounts_and_tokens_have_roles(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME}, other = {.address = "192.168.7.21"},
                       program = {.address = "192.168.7.30"};
    char authorization[128];

    (void)state;
    rig_make_owner(&phone);
    assert_int_equal(rig_ask(&phone, "PUT", "/api/v1/accounts/ben", "{\"role\":\"viewer\"}"), 400);
    assert_int_equal(rig_ask(&phone, "PUT", "/api/v1/accounts/ben",
                             "{\"role\":\"king\",\"password\":\"four other plain words\"}"),
                     400);
    assert_int_equal(rig_ask(&phone, "PUT", "/api/v1/accounts/B%20en",
                             "{\"role\":\"viewer\",\"password\":\"four other plain words\"}"),
                     400);
    assert_int_equal(rig_ask(&phone, "PUT", "/api/v1/accounts/ben",
                             "{\"role\":\"viewer\",\"password\":\"four other plain words\"}"),
                     200);
    assert_int_equal(rig_login(&other, "ben", "four other plain words"), 200);
    assert_int_equal(rig_ask(&other, "GET", "/api/v1/status", ""), 200);
    assert_int_equal(rig_ask(&other, "GET", "/api/v1/accounts", ""), 403);
    /* A role changes under a session, and the account may go under it. */
    assert_int_equal(rig_ask(&phone, "PUT", "/api/v1/accounts/ben", "{\"role\":\"owner\"}"), 200);
    assert_int_equal(rig_ask(&other, "GET", "/api/v1/accounts", ""), 200);
    assert_null(strstr(rig->answer, "argon2"));
    assert_int_equal(rig_ask(&phone, "DELETE", "/api/v1/accounts/ben", ""), 200);
    assert_int_equal(rig_ask(&phone, "DELETE", "/api/v1/accounts/ben", ""), 404);
    assert_int_equal(rig_ask(&other, "GET", "/api/v1/status", ""), 401);

    assert_int_equal(
        rig_ask(&phone, "POST", "/api/v1/tokens", "{\"name\":\"grafana\",\"role\":\"viewer\"}"),
        200);
    snprintf(authorization, sizeof authorization, "Authorization: Bearer %.64s\r\n",
             strstr(rig->answer, "\"token\":\"") + 9);
    assert_int_equal(
        rig_ask(&phone, "POST", "/api/v1/tokens", "{\"name\":\"grafana\",\"role\":\"viewer\"}"),
        409);
    assert_int_equal(rig_ask_with(&program, "GET", "/api/v1/status", "", authorization), 200);
    assert_int_equal(rig_ask_with(&program, "GET", "/api/v1/session", "", authorization), 200);
    assert_non_null(strstr(rig->answer, "{\"name\":\"token:grafana\",\"role\":\"viewer\"}"));
    assert_int_equal(rig_ask_with(&program, "POST", "/api/v1/tokens", "{}", authorization), 403);
    assert_int_equal(rig_ask_with(&program, "POST", "/api/v1/password", "{}", authorization), 409);
    authorization[30] = authorization[30] == 'a' ? 'b' : 'a';
    assert_int_equal(rig_ask_with(&program, "GET", "/api/v1/session", "", authorization), 401);
    assert_int_equal(rig_ask(&phone, "DELETE", "/api/v1/tokens/grafana", ""), 200);
}

static void there_is_always_an_owner(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME};

    (void)state;
    rig_make_owner(&phone);
    assert_int_equal(rig_ask(&phone, "DELETE", "/api/v1/accounts/owner", ""), 409);
    assert_int_equal(rig_ask(&phone, "PUT", "/api/v1/accounts/owner", "{\"role\":\"viewer\"}"),
                     409);
    assert_int_equal(rig_ask(&phone, "GET", "/api/v1/accounts", ""), 200);
    assert_non_null(strstr(rig->answer, "{\"name\":\"owner\",\"role\":\"owner\","));
}

static void a_language_is_that_of_an_account_and_may_be_changed(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME}, laptop = {.address = "192.168.7.21"},
                       socket = {0};

    (void)state;
    rig_make_owner(&phone); /* "de" */
    assert_int_equal(rig_ask(&phone, "PUT", "/api/v1/accounts/ben",
                             "{\"password\":\"" RIG_PASSWORD "\",\"role\":\"viewer\"}"),
                     200);
    assert_int_equal(rig_login(&laptop, "ben", RIG_PASSWORD), 200);
    assert_non_null(strstr(rig->answer, "\"language\":\"de\""));
    assert_int_equal(rig_ask(&laptop, "PATCH", "/api/v1/session", "{\"language\":\"en\"}"), 200);
    assert_int_equal(rig_ask(&laptop, "PATCH", "/api/v1/session", "{\"language\":\"e\"}"), 400);
    assert_int_equal(rig_ask(&laptop, "PATCH", "/api/v1/session", "{}"), 400);
    assert_int_equal(rig_ask(&socket, "PATCH", "/api/v1/session", "{\"language\":\"en\"}"), 409);
    assert_int_equal(rig_ask(&phone, "GET", "/api/v1/session", ""), 200);
    assert_non_null(strstr(rig->answer, "\"language\":\"de\""));
    rig_close();
    rig_open();
    assert_int_equal(rig_login(&laptop, "ben", RIG_PASSWORD), 200);
    assert_non_null(strstr(rig->answer, "\"language\":\"en\""));
}

static void a_new_password_ends_the_other_sessions(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME}, laptop = {.address = "192.168.7.21"};

    (void)state;
    rig_make_owner(&phone);
    assert_int_equal(rig_login(&laptop, "owner", RIG_PASSWORD), 200);
    assert_int_equal(
        rig_ask(&phone, "PUT", "/api/v1/accounts/owner", "{\"password\":\"another good one\"}"),
        409);
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/password",
                             "{\"old\":\"wrong\",\"new\":\"another good one\"}"),
                     409);
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/password",
                             "{\"old\":\"" RIG_PASSWORD "\",\"new\":\"another good one\"}"),
                     200);
    assert_int_equal(rig_ask(&phone, "GET", "/api/v1/status", ""), 200);
    assert_int_equal(rig_ask(&laptop, "GET", "/api/v1/status", ""), 401);
    assert_int_equal(rig_login(&laptop, "owner", RIG_PASSWORD), 401);
    assert_int_equal(rig_login(&laptop, "owner", "another good one"), 200);
}

static void accounts_outlive_the_process_and_sessions_do_not(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME};

    (void)state;
    rig_make_owner(&phone);
    rig_close();
    rig_open();
    assert_int_equal(rig_ask(&phone, "GET", "/api/v1/status", ""), 401);
    assert_int_equal(rig_login(&phone, "owner", RIG_PASSWORD), 200);
    assert_non_null(strstr(rig->answer, "\"language\":\"de\""));
}

static void accounts_that_cannot_be_read_make_nobody_the_owner(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME}, socket = {0};
    char path[128];

    (void)state;
    rig_make_owner(&phone);
    rig_close();
    snprintf(path, sizeof path, "%s/accounts.json", rig->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"version\":1,\"accounts\":[{\"na", file);
    fclose(file);
    rig_open();
    assert_int_equal(rig_ask(&phone, "GET", "/api/v1/session", ""), 200);
    assert_non_null(strstr(rig->answer, "\"setup\":false"));
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/setup", "{\"code\":\"\"}"), 409);
    assert_int_equal(rig_login(&phone, "owner", RIG_PASSWORD), 409);
    assert_int_equal(rig_ask(&socket, "PUT", "/api/v1/accounts/owner",
                             "{\"role\":\"owner\",\"password\":\"another good one\"}"),
                     200);
    assert_int_equal(rig_login(&phone, "owner", "another good one"), 200);
    snprintf(path, sizeof path, "%s/accounts.json.damaged", rig->folder);
    assert_int_equal(access(path, F_OK), 0);
}

static void the_clock_is_set_where_nothing_else_sets_it(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME};

    (void)state;
    rig_make_owner(&phone);
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/clock", "{}"), 400);
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/clock", "{\"t\":1000}"), 400);
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/clock", "{\"t\":1795448300123}"), 200);
    assert_true(rig->clock_set_ns == INT64_C(1795448300123) * NS_PER_MS);
    rig->clock_error = ERR_DENIED;
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/clock", "{\"t\":1795448300123}"), 409);
    assert_non_null(strstr(rig->answer, "CAP_SYS_TIME"));
    rig->clock_error = 0;
    rig->kit->trust = CLOCK_SYNCHRONISED;
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/clock", "{\"t\":1795448300123}"), 409);
}

static void accounts_and_tokens_have_a_bound(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME};
    char path[64], body[64];

    (void)state;
    rig_make_owner(&phone);
    for (int i = 0; i < 64; i++) {
        snprintf(body, sizeof body, "{\"name\":\"t%d\",\"role\":\"viewer\"}", i);
        assert_int_equal(rig_ask(&phone, "POST", "/api/v1/tokens", body), 200);
    }
    assert_int_equal(
        rig_ask(&phone, "POST", "/api/v1/tokens", "{\"name\":\"more\",\"role\":\"viewer\"}"), 409);
    for (int i = 1; i < 32; i++) {
        snprintf(path, sizeof path, "/api/v1/accounts/a%d", i);
        assert_int_equal(rig_ask(&phone, "PUT", path,
                                 "{\"role\":\"viewer\",\"password\":\"four other plain words\"}"),
                         200);
    }
    assert_int_equal(rig_ask(&phone, "PUT", "/api/v1/accounts/more",
                             "{\"role\":\"viewer\",\"password\":\"four other plain words\"}"),
                     409);
    rig_close();
    rig_open();
    assert_int_equal(rig_login(&phone, "a31", "four other plain words"), 200);
}

static void a_code_on_the_label_is_taken_and_stays(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME};
    char path[128];

    (void)state;
    rig_close();
    snprintf(path, sizeof path, "%s/label", rig->folder);
    rig->preset = path;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("Label-4711-code\n", file);
    fclose(file);
    rig_open();
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/setup", "{\"code\":\"LABEL 4711 CODE\"}"),
                     200);
    rig_make_owner(&phone);
    assert_int_equal(access(path, F_OK), 0);
    /* One that is too short is none: the gateway makes its own. */
    rig_close();
    char accounts[128];
    snprintf(accounts, sizeof accounts, "%s/accounts.json", rig->folder);
    unlink(accounts);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("1234\n", file);
    fclose(file);
    rig_open();
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/setup", "{\"code\":\"1234\"}"), 409);
    unlink(path);
    rig->preset = NULL;
}

/* Whether the stream ends while the server's streams are woken, as commits do it. */
static bool ends_within(int fd, int deadline_ms)
{
    char block[4096];

    for (int waited = 0; waited < deadline_ms; waited += 50) {
        struct pollfd client = {.fd = fd, .events = POLLIN};

        api_wake(rig->api);
        if (poll(&client, 1, 50) > 0 && read(fd, block, sizeof block) == 0)
            return true;
    }
    return false;
}

static int follow(const struct rig_browser *browser)
{
    char request[1024];

    snprintf(request, sizeof request,
             "GET /api/v1/events?follow HTTP/1.1\r\nHost: 192.168.7.1\r\nConnection: "
             "close\r\nCookie: %s\r\n\r\n",
             browser->cookies);
    return rig_connect(browser->address, request);
}

static void a_stream_ends_with_the_right_to_it(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME}, ben = {.address = "192.168.7.21"};

    (void)state;
    rig_make_owner(&phone);
    assert_int_equal(rig_ask(&phone, "PUT", "/api/v1/accounts/ben",
                             "{\"role\":\"viewer\",\"password\":\"four other plain words\"}"),
                     200);
    assert_int_equal(rig_login(&ben, "ben", "four other plain words"), 200);
    int stream = follow(&ben);
    assert_false(ends_within(stream, 3000));
    assert_int_equal(rig_ask(&phone, "DELETE", "/api/v1/accounts/ben", ""), 200);
    assert_true(ends_within(stream, RIG_DEADLINE_MS));
    close(stream);
}

/* A page that is left open shows what is, and is no sign of anybody. */
static void a_stream_alone_keeps_no_session(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME};

    (void)state;
    rig_make_owner(&phone);
    int stream = follow(&phone);
    struct pollfd begins = {.fd = stream, .events = POLLIN};
    assert_int_equal(poll(&begins, 1, RIG_DEADLINE_MS), 1);
    rig_pass(11 * 3600);
    assert_false(ends_within(stream, 3000));
    rig_pass(2 * 3600);
    assert_true(ends_within(stream, RIG_DEADLINE_MS));
    close(stream);
}

static void read_accounts(char *text, size_t size)
{
    char path[160];

    snprintf(path, sizeof path, "%s/accounts.json", rig->folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t got = fread(text, 1, size - 1, file);
    fclose(file);
    text[got] = '\0';
}

static void a_list_without_an_owner_is_not_restored(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME};
    char text[4096], changed[4200];

    (void)state;
    rig_make_owner(&phone);
    read_accounts(text, sizeof text);
    char *role = strstr(text, "\"role\":\"owner\"");
    assert_non_null(role);
    snprintf(changed, sizeof changed, "%.*s\"role\":\"viewer\"%s", (int)(role - text), text,
             role + strlen("\"role\":\"owner\""));
    assert_int_equal(gate_restore(rig->gate, changed, strlen(changed), NULL), ERR_DENIED);
    assert_int_equal(rig_ask(&phone, "GET", "/api/v1/accounts", ""), 200);
}

/* What the restoring of a backup does; `context` is the list. */
static void take_list(void *context, const struct route_request *request, struct http_reply *reply)
{
    const char *text = context;

    assert_int_equal(gate_restore(rig->gate, text, strlen(text), request->http), 0);
    reply_json(reply, 200, strdup("{}\n"), 3);
}

static void a_restored_list_ends_the_sessions_of_before(void **state)
{
    struct rig_browser phone = {.address = RIG_HOME}, laptop = {.address = RIG_HOME};
    struct rig_browser ben = {.address = RIG_HOME};
    static const struct route row = {"POST", "/api/v1/take", ROLE_OWNER, take_list, 0};
    char text[4096];
    struct routes table = {&row, 1, text};

    (void)state;
    assert_int_equal(api_mount(rig->api, &table), 0);
    rig_make_owner(&phone);
    assert_int_equal(rig_ask(&phone, "PUT", "/api/v1/accounts/ben",
                             "{\"role\":\"viewer\",\"password\":\"" RIG_PASSWORD "\"}"),
                     200);
    read_accounts(text, sizeof text);
    assert_int_equal(rig_login(&laptop, "owner", RIG_PASSWORD), 200);
    assert_int_equal(rig_login(&ben, "ben", RIG_PASSWORD), 200);
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/take", "{}"), 200);
    assert_int_equal(rig_ask(&phone, "GET", "/api/v1/status", ""), 200);
    assert_int_equal(rig_ask(&laptop, "GET", "/api/v1/status", ""), 401);
    assert_int_equal(rig_ask(&ben, "GET", "/api/v1/status", ""), 401);
    /* His password is another in the list: he logs in anew. */
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/password",
                             "{\"old\":\"" RIG_PASSWORD "\",\"new\":\"three other words\"}"),
                     200);
    assert_int_equal(rig_ask(&phone, "GET", "/api/v1/status", ""), 200);
    assert_int_equal(rig_ask(&phone, "POST", "/api/v1/take", "{}"), 200);
    assert_int_equal(rig_ask(&phone, "GET", "/api/v1/status", ""), 401);
}

#define GATE_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATE_TEST(nobody_gets_anything_without_logging_in),
        GATE_TEST(whoever_knows_the_setup_code_becomes_the_owner),
        GATE_TEST(what_changes_something_brings_the_session_s_token),
        GATE_TEST(the_page_of_another_site_gets_nothing),
        GATE_TEST(a_name_that_is_not_ours_gets_nothing),
        GATE_TEST(logging_out_ends_the_session),
        GATE_TEST(sessions_end_by_themselves),
        GATE_TEST(nobody_keeps_more_than_eight_sessions),
        GATE_TEST(accounts_and_tokens_have_roles),
        GATE_TEST(there_is_always_an_owner),
        GATE_TEST(a_language_is_that_of_an_account_and_may_be_changed),
        GATE_TEST(a_new_password_ends_the_other_sessions),
        GATE_TEST(accounts_outlive_the_process_and_sessions_do_not),
        GATE_TEST(accounts_that_cannot_be_read_make_nobody_the_owner),
        GATE_TEST(accounts_and_tokens_have_a_bound),
        GATE_TEST(a_code_on_the_label_is_taken_and_stays),
        GATE_TEST(a_stream_ends_with_the_right_to_it),
        GATE_TEST(a_stream_alone_keeps_no_session),
        GATE_TEST(a_list_without_an_owner_is_not_restored),
        GATE_TEST(a_restored_list_ends_the_sessions_of_before),
        GATE_TEST(the_clock_is_set_where_nothing_else_sets_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
