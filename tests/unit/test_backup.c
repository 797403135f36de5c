/* What is sealed, and what is read back from a backup; and what a file is taken for. */
// links: sluice_web
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base64.h"
#include "core/error.h"
#include "core/save.h"
#include "tls/inspect.h"
#include "tls/seal.h"
#include "tls/tls.h"
#include "unit/random.h"
#include "web/backup.h"
#include "web/export_api.h"
#include "web/files_api.h"
#include "web/placed.h"

static void bytes_become_letters_and_come_back(void **state)
{
    static const struct {
        const char *bytes, *text;
    } known[] = {/* RFC 4648, 10 */
                 {"", ""},
                 {"f", "Zg=="},
                 {"fo", "Zm8="},
                 {"foo", "Zm9v"},
                 {"foob", "Zm9vYg=="},
                 {"fooba", "Zm9vYmE="},
                 {"foobar", "Zm9vYmFy"}};
    char text[BASE64_TEXT_SIZE(64)], bytes[64], back[64];
    uint64_t random = 1;
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        base64_write(known[i].bytes, strlen(known[i].bytes), text);
        assert_string_equal(text, known[i].text);
    }
    for (size_t i = 0; i <= 64; i++) {
        random_fill(&random, bytes, i);
        base64_write(bytes, i, text);
        assert_int_equal(base64_read(text, strlen(text), back, &size), 0);
        assert_int_equal(size, i);
        assert_memory_equal(back, bytes, i);
    }
    assert_int_equal(base64_read("Zg=", 3, back, &size), ERR_INVALID);
    assert_int_equal(base64_read("Z*==", 4, back, &size), ERR_INVALID);
    assert_int_equal(base64_read("Zg==Zg==", 8, back, &size), ERR_INVALID);
}

static void only_the_key_and_the_label_open_what_is_sealed(void **state)
{
    uint8_t key[SEAL_KEY_SIZE] = {1}, nonce[SEAL_NONCE_SIZE] = {2}, sealed[5 + SEAL_TAG_SIZE];
    char plain[5];

    (void)state;
    assert_int_equal(seal_close(key, nonce, "label", 5, "hello", 5, sealed), 0);
    assert_int_equal(seal_open(key, nonce, "label", 5, sealed, sizeof sealed, plain), 0);
    assert_memory_equal(plain, "hello", 5);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        assert_int_equal(seal_open(key, nonce, "label", 5, sealed, sizeof sealed, plain),
                         ERR_DENIED);
        sealed[i] ^= 1;
    }
    assert_int_equal(seal_open(key, nonce, "lapel", 5, sealed, sizeof sealed, plain), ERR_DENIED);
    assert_int_equal(seal_open(key, nonce, "label", 5, sealed, 3, plain), ERR_DENIED);
    key[31] = 1;
    assert_int_equal(seal_open(key, nonce, "label", 5, sealed, sizeof sealed, plain), ERR_DENIED);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const fine[] = {"gw.pem", "a-b_c.D.key", "x.password", "1.CSV"};
    static const char *const bad[] = {"",           ".pem",        "../gw.pem",  "a/b.pem",
                                      "gw",         "sluice.json", "gw.pem.exe", "$(reboot).pem",
                                      "a b.pem",    "-rf.pem",     "a;b.pem",    "a\n.pem",
                                      "gw.pem\xc3", "..key",       "a`b`.key",   "gw.json"};
    char large[FILES_NAME_SIZE + 1];

    (void)state;
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        assert_true(files_name_valid(fine[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (files_name_valid(bad[i]))
            fail_msg("%s", bad[i]);
    memset(large, 'a', sizeof large);
    memcpy(large + sizeof large - 5, ".pem", 5);
    assert_false(files_name_valid(large));
    assert_true(files_is_secret("x.KEY"));
    assert_false(files_is_secret("key.pem"));
}

static void a_key_and_its_request_are_made_and_known(void **state)
{
    char key[INSPECT_PEM_SIZE], other[INSPECT_PEM_SIZE], request[INSPECT_PEM_SIZE];
    struct inspect *a = malloc(sizeof *a), *b = malloc(sizeof *b);

    (void)state;
    assert_int_equal(tls_init(), 0);
    assert_int_equal(inspect_request("CN=plant7,O=Acme", key, request), 0);
    inspect_bytes(a, key, strlen(key), NULL);
    inspect_bytes(b, request, strlen(request), NULL);
    assert_int_equal(a->kind, INSPECT_KEY);
    assert_string_equal(a->key, "EC, 256 bits");
    assert_int_equal(b->kind, INSPECT_REQUEST);
    assert_string_equal(b->subject, "CN=plant7, O=Acme");
    assert_true(inspect_fits(a->print, b->print));
    assert_int_equal(inspect_request("CN=other", other, request), 0);
    inspect_bytes(b, request, strlen(request), NULL);
    assert_false(inspect_fits(a->print, b->print));
    assert_int_equal(inspect_rewrite_key(key, strlen(key), "passphrase", other), 0);
    assert_string_equal(other, key);
    assert_int_equal(inspect_request("nonsense", key, request), ERR_INVALID);
    free(a);
    free(b);
}

static void any_bytes_can_be_looked_at(void **state)
{
    static const char *const begins[] = {
        "", "-----BEGIN CERTIFICATE-----\n", "-----BEGIN EC PRIVATE KEY-----\n",
        "\x30\x82\x01\x00\x02\x01\x03\x30", "-----BEGIN X509 CRL-----\nMII"};
    struct inspect *inspect = malloc(sizeof *inspect);
    uint64_t random = 9;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        size_t size = (size_t)random_below(&random, 300), head;
        const char *begin = begins[random_below(&random, 5)];
        head = strlen(begin);
        char *data = malloc(head + size + 1);
        memcpy(data, begin, head);
        random_fill(&random, data + head, size);
        data[head + size] = '\0';
        assert_int_equal(inspect_bytes(inspect, data, head + size, "x"), 0);
        free(data);
    }
    free(inspect);
}

static void fail_if_told(void *context, struct json_place at, const char *sentence)
{
    (void)context;
    (void)at;
    fail_msg("%s", sentence);
}

static void a_template_has_no_identity_and_takes_that_of_another(void **state)
{
    static const char plant[] =
        "// ours\n{\n  \"version\": 1,\n  \"gateway\": { \"id\": \"plant7\", \"name\": \"Seven\", "
        "\"hw\": \"SN00412\", \"timezone\": \"UTC\" }, // where\n"
        "  \"web\": { \"https\": 443, \"listen\": [\"10.0.7.20\"], \"names\": [\"a.example\"], "
        "\"key\": \"page.key\" },\n  "
        "\"buses\": []\n}\n";
    static const char bare[] = "{ \"gateway\": { \"id\": \"plant9\" } }";
    char why[EDIT_WHY_SIZE];
    struct arena *arena;
    struct json *own;

    (void)state;
    char *template = export_template(plant, why);
    assert_non_null(template);
    assert_string_equal(template, "// ours\n{\n  \"version\": 1,\n  \"gateway\": { \"id\": "
                                  "\"template\", \"timezone\": \"UTC\" }, // where\n"
                                  "  \"web\": { \"https\": 443 },\n  \"buses\": []\n}\n");
    assert_int_equal(arena_open(&arena), 0);
    assert_int_equal(json_read(&own, arena, plant, strlen(plant), fail_if_told, NULL), 0);
    char *again = export_personal(template, own, why);
    assert_non_null(strstr(again, "\"id\": \"plant7\""));
    assert_non_null(strstr(again, "\"name\": \"Seven\""));
    assert_non_null(strstr(again, "\"hw\": \"SN00412\""));
    assert_non_null(strstr(again, "\"key\": \"page.key\""));
    free(again);
    assert_int_equal(json_read(&own, arena, bare, strlen(bare), fail_if_told, NULL), 0);
    again = export_personal(plant, own, why);
    assert_non_null(strstr(again, "\"id\": \"plant9\""));
    assert_null(strstr(again, "Seven"));
    assert_null(strstr(again, "a.example"));
    free(again);
    arena_close(arena);
    free(template);
    assert_null(export_template("{ nonsense", why));
    assert_true(strlen(why) > 0);
}

static void a_document_that_is_no_backup_is_refused_with_a_reason(void **state)
{
    static const struct {
        const char *document, *passphrase;
        int error;
    } cases[] = {
        {"{}", NULL, ERR_INVALID},
        {"{\"kind\":\"sluice-backup\",\"schema\":2}", NULL, ERR_VERSION},
        {"{\"kind\":\"sluice-backup\",\"schema\":1}", NULL, ERR_INVALID},
        {"{\"kind\":\"sluice-backup\",\"schema\":1,\"config\":\"{}\",\"files\":[{\"name\":\"../"
         "x.pem\",\"data\":\"\"}]}",
         NULL, ERR_INVALID},
        {"{\"kind\":\"sluice-backup\",\"schema\":1,\"config\":\"{}\",\"files\":[{\"name\":\"x."
         "pem\",\"data\":\"*\"}]}",
         NULL, ERR_INVALID},
        {"{\"kind\":\"sluice-backup\",\"schema\":1,\"config\":\"{}\",\"sealed\":{}}", NULL,
         ERR_DENIED},
        {"{\"kind\":\"sluice-backup\",\"schema\":1,\"config\":\"{}\",\"sealed\":{}}", "three words",
         ERR_INVALID},
        {"{\"kind\":\"sluice-backup\",\"schema\":1,\"config\":\"{}\",\"sealed\":null}", NULL, 0},
        {"{\"kind\":\"sluice-backup\",\"schema\":1,\"config\":\"{}\",\"files\":[{\"name\":\"x."
         "pem\",\"data\":\"Zm9v\"}]}",
         NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char why[BACKUP_WHY_SIZE] = "";
        struct backup backup;
        struct arena *arena;
        struct json *root;

        assert_int_equal(arena_open(&arena), 0);
        assert_int_equal(json_read(&root, arena, cases[i].document, strlen(cases[i].document),
                                   fail_if_told, NULL),
                         0);
        int error = backup_read(&backup, root, cases[i].passphrase, why);
        if (error != cases[i].error || (error && !*why))
            fail_msg("%s: %d %s", cases[i].document, error, why);
        backup_close(&backup);
        arena_close(arena);
    }
}

static void what_is_put_back_is_what_was_there_however_often_a_name_came(void **state)
{
    char folder[] = "/tmp/sluice-placed-XXXXXX", config[64], table[64], *text;
    char first[] = "first", second[] = "second";
    struct backup_file files[] = {{.name = "points.csv", .data = first, .size = 5},
                                  {.name = "points.csv", .data = second, .size = 6}};
    const struct backup backup = {.config = "{}", .files = files, .count = 2};
    const struct config_parts parts = {0};
    struct http_reply reply = {0};
    struct placed *placed;
    size_t size;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(config, sizeof config, "%s/sluice.json", folder);
    snprintf(table, sizeof table, "%s/points.csv", folder);
    const struct backup_place place = {.config_path = config, .first = "{}", .parts = &parts};
    assert_int_equal(save_file(table, "before", 6, 0644), 0);
    assert_int_equal(placed_open(&placed, &place, &backup), 0);
    assert_int_equal(placed_write(placed, &reply), 0);
    assert_int_equal(save_read(table, 100, &text, &size), 0);
    assert_string_equal(text, "second");
    free(text);
    placed_undo(placed);
    assert_int_equal(save_read(table, 100, &text, &size), 0);
    assert_string_equal(text, "before");
    free(text);
    placed_close(placed);
    unlink(table);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_become_letters_and_come_back),
        cmocka_unit_test(only_the_key_and_the_label_open_what_is_sealed),
        cmocka_unit_test(names_that_lead_elsewhere_are_refused),
        cmocka_unit_test(a_key_and_its_request_are_made_and_known),
        cmocka_unit_test(any_bytes_can_be_looked_at),
        cmocka_unit_test(a_template_has_no_identity_and_takes_that_of_another),
        cmocka_unit_test(a_document_that_is_no_backup_is_refused_with_a_reason),
        cmocka_unit_test(what_is_put_back_is_what_was_there_however_often_a_name_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
