#include "web/files_api.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/save.h"
#include "core/words.h"
#include "tls/pfx.h"
#include "web/answer.h"
#include "web/audit.h"
#include "web/body.h"
#include "web/describe.h"
#include "web/files_use.h"
#include "web/later.h"
#include "web/passphrase.h"
#include "web/reply.h"

#define PASSWORD_FILE_MAX 4096
#define SUBJECT_SIZE_MAX  256

struct files_api {
    const char *config_path;
    struct journal *journal;
};

/* --- the list --- */

struct listing {
    const struct files_api *api;
    struct json_writer *writer;
    const struct files_use *use;
    const struct neighbours *neighbours;
};

static const char *kind_by_name(const char *name, bool secret)
{
    if (files_is_secret(name))
        return "secret";
    return strstr(name, ".csv") ? "table" : secret ? "secret" : "unknown";
}

static void list_file(void *context, const char *name)
{
    const struct listing *listing = context;
    struct json_writer *writer = listing->writer;
    struct inspect *inspect = malloc(sizeof *inspect);
    char path[PATH_MAX], *text = NULL;
    struct stat status;
    size_t size;

    files_path(listing->api->config_path, name, path, sizeof path);
    if (!inspect || stat(path, &status) || save_read(path, FILES_SIZE_MAX, &text, &size)) {
        free(inspect);
        return;
    }
    bool secret = files_is_secret(name) || !(status.st_mode & S_IROTH);
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "name", name);
    json_write_integer(writer, "size", (int64_t)size);
    json_write_integer(writer, "at", (int64_t)status.st_mtime * 1000);
    json_write_bool(writer, "secret", secret);
    json_write_open(writer, "used_by", '[');
    files_use_find(listing->use, name, writer, NULL);
    json_write_close(writer, ']');
    inspect_bytes(inspect, text, size, NULL);
    if (inspect->kind == INSPECT_UNKNOWN) {
        json_write_text(writer, "kind", kind_by_name(name, secret));
        json_write_text(writer, "sentence", "");
    } else {
        describe_file(writer, inspect, listing->neighbours, name,
                      clock_wall(&clock_system) / NS_PER_S);
    }
    json_write_close(writer, '}');
    explicit_bzero(text, size);
    free(text);
    free(inspect);
}

static void list_files(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct files_api *api = context;
    struct answer answer;

    (void)request;
    if (!answer_begin(&answer, reply))
        return;
    struct files_use *use = files_use_open(api->config_path);
    struct neighbours *neighbours = neighbours_open(api->config_path);
    struct listing listing = {api, &answer.writer, use, neighbours};
    json_write_open(&answer.writer, "files", '[');
    int found = files_each(api->config_path, list_file, &listing);
    json_write_close(&answer.writer, ']');
    json_write_integer(&answer.writer, "more", found > FILES_MAX ? found - FILES_MAX : 0);
    neighbours_close(neighbours);
    files_use_close(use);
    answer_end(&answer, reply, 200);
}

/* --- what is put --- */

static bool refuse_name(const char *name, struct http_reply *reply)
{
    if (files_name_valid(name))
        return false;
    reply_error(reply, 400,
                "a file's name has letters, digits, '-', '_' and '.', at most 64, and ends with "
                ".pem, .crt, .cer, .der, .key, .csr, .crl, .password, .csv or .txt");
    return true;
}

static bool refuse_used(const struct files_api *api, const char *name, struct http_reply *reply)
{
    char user[FILES_USER_SIZE], sentence[512];

    files_user(api->config_path, name, user);
    if (!*user)
        return false;
    snprintf(sentence, sizeof sentence,
             "%s is in use by %s: upload the new one under another name and change the "
             "configuration to it, so that it can go back when it does not work",
             name, user);
    reply_error(reply, 409, sentence);
    return true;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t size = strlen(name), ending_size = strlen(ending);

    return size > ending_size && strcasecmp(name + size - ending_size, ending) == 0;
}

/* A file that is to come, and whether it holds a secret: by its name, or because it is said. */
struct wanted {
    const char *name;
    bool key, password;
};

static bool refuse_wanted(struct wanted *wanted, const char *name, const char *as,
                          struct http_reply *reply)
{
    wanted->name = name;
    wanted->key = as ? strcmp(as, "key") == 0 : ends_with(name, ".key");
    wanted->password = as ? strcmp(as, "password") == 0 : ends_with(name, ".password");
    if (!as || wanted->key || wanted->password)
        return false;
    reply_error(reply, 400, "as: expected is key or password");
    return true;
}

/* What is wrong with such a file; NULL: nothing. */
static const char *wrong_with(const struct wanted *wanted, const struct inspect *inspect,
                              size_t size)
{
    const char *name = wanted->name;
    bool key = inspect->kind == INSPECT_KEY || inspect->kind == INSPECT_LOCKED_KEY;

    if (size == 0)
        return "the file is empty";
    if (wanted->key)
        return inspect->kind == INSPECT_KEY          ? NULL
               : inspect->kind == INSPECT_LOCKED_KEY ? "the key is locked by a passphrase: give it "
                                                       "with the header " PASSPHRASE_HEADER
                                                     : "there is no private key in it, in PEM or "
                                                       "DER form";
    if (wanted->password)
        return size <= PASSWORD_FILE_MAX ? NULL : "that is too much for a password";
    if (key)
        return "there is a private key in it: call it NAME.key, so that nobody takes it for "
               "something that may be shown";
    if (ends_with(name, ".csv") || ends_with(name, ".txt"))
        return NULL;
    if (ends_with(name, ".csr"))
        return inspect->kind == INSPECT_REQUEST ? NULL : "it is no request for a certificate";
    if (ends_with(name, ".crl"))
        return inspect->kind == INSPECT_REVOKED ? NULL : "it is no list of revoked certificates";
    return inspect->kind == INSPECT_CERTIFICATES || inspect->kind == INSPECT_REVOKED
               ? NULL
               : "there is no certificate in it, in PEM or DER form";
}

static void note(const struct files_api *api, const struct route_request *request, const char *what,
                 const char *name)
{
    char words[128];
    struct text text;

    text_init(&text, words, sizeof words);
    words_put(&text, "file", name);
    audit_note(api->journal, request->caller, what, words);
}

static void count_file(void *context, const char *name)
{
    (void)context;
    (void)name;
}

/* 0 with the reply left to the caller, or an error with it filled in. */
static int store(const struct files_api *api, const struct wanted *wanted, const void *data,
                 size_t size, struct http_reply *reply)
{
    mode_t mode = wanted->key || wanted->password ? 0600 : 0644;
    char path[PATH_MAX], sentence[PATH_MAX + 256];
    struct stat status;

    files_path(api->config_path, wanted->name, path, sizeof path);
    int found = files_each(api->config_path, count_file, NULL);
    int error = found < 0 ? found
                : found >= FILES_MAX && lstat(path, &status) != 0
                    ? ERR_FULL
                    : save_file(path, data, size, mode);
    if (!error)
        return 0;
    snprintf(sentence, sizeof sentence, "%s cannot be written: %s", path,
             error == ERR_FULL ? "there are 256 files already; remove some" : error_text(error));
    reply_error(reply, 409, sentence);
    return error;
}

static void describe(const struct files_api *api, const struct inspect *inspect, const char *name,
                     struct http_reply *reply)
{
    struct answer answer;

    if (!answer_begin(&answer, reply))
        return;
    struct neighbours *neighbours = neighbours_open(api->config_path);
    if (name)
        json_write_text(&answer.writer, "name", name);
    describe_file(&answer.writer, inspect, neighbours, name, clock_wall(&clock_system) / NS_PER_S);
    neighbours_close(neighbours);
    answer_end(&answer, reply, 200);
}

/* What was sent, or what was taken out of it. */
struct sent {
    const char *data;
    size_t size;
    struct pfx pfx;
};

static const char *pfx_words(int error)
{
    switch (error) {
    case ERR_DENIED:
        return "it is a PKCS #12 file, and its passphrase is missing or another one";
    case ERR_UNSUPPORTED:
        return "it is a PKCS #12 file that is locked in an old way (RC2): make it anew with AES, "
               "openssl pkcs12 -in OLD -legacy -nodes | openssl pkcs12 -export -out NEW";
    case ERR_TOO_LARGE:
        return "it is a PKCS #12 file with a passphrase of more than 31 characters, or with more "
               "than 16 certificates";
    default:
        return "it is a PKCS #12 file that is damaged";
    }
}

/*
 * Of a PKCS #12 file the part that is asked for, its key or its certificates, takes the place of
 * the whole. 0 with *inspect of that part, or an error with the reply filled in.
 */
static int take_apart(struct sent *sent, bool key, const char *passphrase, struct inspect *inspect,
                      struct http_reply *reply)
{
    int error = pfx_open(&sent->pfx, sent->data, sent->size, passphrase);
    const char *part = key ? sent->pfx.key : sent->pfx.certificates;

    if (error || !part) {
        reply_error(reply, 400, error ? pfx_words(error) : "the PKCS #12 file has no such part");
        return error ? error : ERR_NOT_FOUND;
    }
    sent->data = part;
    sent->size = strlen(part);
    return inspect_bytes(inspect, sent->data, sent->size, NULL);
}

/* A locked key is kept unlocked: nobody is there to give its passphrase at the next start. */
static int store_as_it_is_used(const struct files_api *api, const struct wanted *wanted,
                               const struct sent *sent, const char *passphrase,
                               struct http_reply *reply)
{
    char key[INSPECT_PEM_SIZE];

    if (!passphrase || !wanted->key)
        return store(api, wanted, sent->data, sent->size, reply);
    int error = inspect_rewrite_key(sent->data, sent->size, passphrase, key);
    if (error)
        reply_error(reply, 400, "the key is too large to be kept without its passphrase");
    else
        error = store(api, wanted, key, strlen(key), reply);
    explicit_bzero(key, sizeof key);
    return error;
}

static void put_file(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct files_api *api = context;
    const struct http_request *http = request->http;
    const char *name = request->names[0];
    char room[PASSPHRASE_SIZE_MAX];
    const char *passphrase;
    struct wanted wanted;

    if (refuse_name(name, reply) || refuse_wanted(&wanted, name, http_query(http, "as"), reply) ||
        refuse_used(api, name, reply) || passphrase_take(http, room, &passphrase, reply))
        return;
    struct inspect *inspect = malloc(sizeof *inspect);
    if (!inspect) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    struct sent sent = {.data = http->body, .size = http->size};
    inspect_bytes(inspect, sent.data, sent.size, passphrase);
    if (inspect->kind != INSPECT_PFX ||
        take_apart(&sent, wanted.key, passphrase, inspect, reply) == 0) {
        const char *wrong = wrong_with(&wanted, inspect, sent.size);
        if (wrong) {
            reply_error(reply, 400, wrong);
        } else if (store_as_it_is_used(api, &wanted, &sent, passphrase, reply) == 0) {
            note(api, request, "file-stored", name);
            describe(api, inspect, name, reply);
        }
    }
    explicit_bzero(room, sizeof room);
    pfx_close(&sent.pfx);
    free(inspect);
}

static void delete_file(void *context, const struct route_request *request,
                        struct http_reply *reply)
{
    struct files_api *api = context;
    const char *name = request->names[0];
    char path[PATH_MAX];
    struct stat status;

    if (refuse_name(name, reply) || refuse_used(api, name, reply))
        return;
    files_path(api->config_path, name, path, sizeof path);
    if (lstat(path, &status)) {
        reply_error(reply, 404, "there is no such file");
        return;
    }
    int error = save_remove(path);
    if (error) {
        reply_error(reply, 409, error_text(error));
        return;
    }
    note(api, request, "file-removed", name);
    reply_json(reply, 200, strdup("{}\n"), 3);
}

static void inspect_file(void *context, const struct route_request *request,
                         struct http_reply *reply)
{
    struct files_api *api = context;
    const struct http_request *http = request->http;
    char room[PASSPHRASE_SIZE_MAX];
    const char *passphrase;

    if (passphrase_take(http, room, &passphrase, reply))
        return;
    struct inspect *inspect = malloc(sizeof *inspect);
    if (!inspect) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    struct sent sent = {.data = http->body, .size = http->size};
    inspect_bytes(inspect, sent.data, sent.size, passphrase);
    if (inspect->kind != INSPECT_PFX || !passphrase ||
        take_apart(&sent, false, passphrase, inspect, reply) == 0)
        describe(api, inspect, NULL, reply);
    explicit_bzero(room, sizeof room);
    pfx_close(&sent.pfx);
    free(inspect);
}

/* --- a key that is made here --- */

static void answer_request(const char *name, const char *request_pem, struct http_reply *reply)
{
    struct answer answer;

    if (!answer_begin(&answer, reply))
        return;
    json_write_text(&answer.writer, "name", name);
    json_write_text(&answer.writer, "csr", request_pem);
    json_write_text(&answer.writer, "sentence",
                    "the key stays here; have this request signed, and upload the certificate");
    answer_end(&answer, reply, 201);
}

static void make_key(const struct files_api *api, const struct route_request *request,
                     const char *name, const char *subject, struct http_reply *reply)
{
    const struct wanted wanted = {.name = name, .key = true};
    char key[INSPECT_PEM_SIZE], csr[INSPECT_PEM_SIZE], path[PATH_MAX];
    struct stat status;

    files_path(api->config_path, name, path, sizeof path);
    if (lstat(path, &status) == 0) {
        reply_error(reply, 409, "there is a file of that name already: a key is not overwritten");
        return;
    }
    int error = inspect_request(subject, key, csr);
    if (error == ERR_INVALID)
        reply_error(reply, 400, "subject: expected is a name as CN=plant7,O=Acme,C=DE");
    else if (error)
        reply_failure(reply, error);
    else if (store(api, &wanted, key, strlen(key), reply) == 0) {
        note(api, request, "key-made", name);
        answer_request(name, csr, reply);
    }
    explicit_bzero(key, sizeof key);
}

static void post_request(void *context, const struct route_request *request,
                         struct http_reply *reply)
{
    const char *name = NULL, *subject = NULL;
    struct body body;

    if (body_read(&body, request->http, reply))
        return;
    if (!body_text(&body, "name", &name, reply) && !body_text(&body, "subject", &subject, reply)) {
        if (!name || !files_name_valid(name) || !ends_with(name, ".key"))
            reply_error(reply, 400, "name: expected is the name of the key's file, as gw.key");
        else if (!subject || strlen(subject) > SUBJECT_SIZE_MAX)
            reply_error(reply, 400, "subject: expected is a name as CN=plant7,O=Acme,C=DE");
        else
            make_key(context, request, name, subject, reply);
    }
    body_close(&body);
}

LATER_ROUTE(list_files)
LATER_ROUTE(put_file)
LATER_ROUTE(delete_file)
LATER_ROUTE(inspect_file)
LATER_ROUTE(post_request)

static const struct route rows[] = {
    {"GET", "/api/v1/files", ROLE_VIEWER, list_files_later, 0},
    {"PUT", "/api/v1/files/{name}", ROLE_OWNER, put_file_later, FILES_SIZE_MAX},
    {"DELETE", "/api/v1/files/{name}", ROLE_OWNER, delete_file_later, 0},
    {"POST", "/api/v1/files/inspect", ROLE_OWNER, inspect_file_later, FILES_SIZE_MAX},
    {"POST", "/api/v1/files/csr", ROLE_OWNER, post_request_later, 0},
};

int files_api_open(struct files_api **api, const char *config_path, struct journal *journal)
{
    *api = calloc(1, sizeof **api);
    if (!*api)
        return ERR_NOMEM;
    (*api)->config_path = config_path;
    (*api)->journal = journal;
    return 0;
}

void files_api_close(struct files_api *api)
{
    free(api);
}

struct routes files_api_routes(struct files_api *api)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, api};
}
