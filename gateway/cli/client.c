#include "cli/client.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "daemon/gateway.h"

/* A sentence for a person begins with the command's name; one that is handed on (to another stream)
 * does not. */
__attribute__((format(printf, 2, 3))) static void tell(FILE *told, const char *format, ...)
{
    va_list arguments;

    if (told == stderr)
        fprintf(told, "%s: ", program_invocation_name);
    va_start(arguments, format);
    vfprintf(told, format, arguments);
    va_end(arguments);
}

static void tell_unreachable(const char *socket_path, int error, FILE *told)
{
    if (error == EACCES || error == EPERM)
        tell(told,
             "this user may not reach the gateway at %s: call sluice with sudo, or "
             "become a member of the group sluice (sudo adduser NAME sluice, and log in anew)\n",
             socket_path);
    else if (error == ENOENT || error == ECONNREFUSED)
        tell(told,
             "no gateway is running at %s: start it (sudo systemctl start sluice, or "
             "sluiced), or name its socket with --socket or SLUICE_SOCKET\n",
             socket_path);
    else
        tell(told,
             "the gateway does not answer at %s: %s; name another socket with --socket "
             "or SLUICE_SOCKET\n",
             socket_path, strerror(error));
}

/* Sentences go to `told`. */
static int connect_to(const char *socket_path, FILE *told)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(socket_path) >= sizeof address.sun_path) {
        tell(told, "the socket's path is too long: %s\n", socket_path);
        return -1;
    }
    memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    tell_unreachable(socket_path, errno, told);
    if (fd >= 0)
        close(fd);
    return -1;
}

bool client_finds_daemon(const char *socket_path)
{
    FILE *nowhere = fopen("/dev/null", "we");
    int fd = nowhere ? connect_to(socket_path, nowhere) : -1;

    if (nowhere)
        fclose(nowhere);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

int client_must_find(const char *socket_path)
{
    int fd = connect_to(socket_path, stderr);

    if (fd >= 0)
        close(fd);
    return fd >= 0 ? EXIT_CODE_OK : EXIT_CODE_NO_DAEMON;
}

static bool send_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* What the head of an answer says. */
struct head {
    int status;       /* 0: there is no answer */
    bool chunked;     /* the body comes in chunks, the last of which is empty */
    int64_t size;     /* of the body; -1: not said */
    int64_t until_ns; /* monotonic: it is read no longer than that */
};

static void read_head(FILE *answer, struct head *head)
{
    char line[1024];
    int status = 0;

    *head = (struct head){.size = -1, .until_ns = head->until_ns};
    if (!fgets(line, sizeof line, answer) || sscanf(line, "HTTP/%*s %d", &status) != 1)
        return;
    while (fgets(line, sizeof line, answer)) {
        if (line[0] == '\r' || line[0] == '\n') {
            head->status = status;
            return;
        }
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            head->size = strtoll(line + 15, NULL, 10);
        else if (strncasecmp(line, "Transfer-Encoding: chunked", 26) == 0)
            head->chunked = true;
    }
}

static int broke_off(const char *why)
{
    tell(stderr,
         "the answer broke off: %s. What came of it is not the whole; sluice status "
         "tells whether the daemon runs again\n",
         why);
    return EXIT_CODE_SYSTEM;
}

/* Whether something comes, or the end, before the time is over. */
static bool comes(FILE *answer, int64_t until_ns)
{
    struct pollfd ready = {.fd = fileno(answer), .events = POLLIN};
    int count;

    if (until_ns == INT64_MAX)
        return true;
    do {
        int64_t left_ms = (until_ns - clock_mono(&clock_system)) / NS_PER_MS + 1;

        count = poll(&ready, 1, left_ms > INT_MAX ? INT_MAX : left_ms > 0 ? (int)left_ms : 0);
    } while ((count < 0 && errno == EINTR) || (count == 0 && clock_mono(&clock_system) < until_ns));
    return count != 0;
}

/* Copies so many bytes, or with -1 all up to the end of the connection or of the time. */
static int copy_bytes(FILE *answer, int64_t size, int64_t until_ns, FILE *out)
{
    char block[16384];

    while (size != 0 && comes(answer, until_ns)) {
        size_t most = size < 0 || size > (int64_t)sizeof block ? sizeof block : (size_t)size;
        /* Not fread: a stream that follows the journal comes in small pieces that are to be shown
         * at once. */
        ssize_t got = read(fileno(answer), block, most);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return broke_off(strerror(errno));
        if (got == 0)
            return size < 0 ? EXIT_CODE_OK
                            : broke_off("the daemon ended, or closed the connection");
        if (fwrite(block, 1, (size_t)got, out) != (size_t)got || fflush(out))
            return EXIT_CODE_SYSTEM;
        if (size > 0)
            size -= got;
    }
    return EXIT_CODE_OK;
}

/* The size of the next chunk, 0 for the one behind the last; -1 when none comes any more. */
static int64_t next_chunk(FILE *answer)
{
    char line[64], *end;
    int64_t size;

    if (!fgets(line, sizeof line, answer))
        return -1;
    size = strtoll(line, &end, 16);
    return end == line || size < 0 ? -1 : size;
}

static int copy_chunks(FILE *answer, int64_t until_ns, FILE *out)
{
    char line[64];
    int64_t size = 0;

    while (comes(answer, until_ns) && (size = next_chunk(answer)) > 0) {
        int code = copy_bytes(answer, size, INT64_MAX, out);

        size = 0;
        if (code != EXIT_CODE_OK)
            return code;
        if (!fgets(line, sizeof line, answer)) /* the line's end behind it */
            break;
    }
    return size == 0 ? EXIT_CODE_OK : broke_off("the daemon ended, or closed the connection");
}

static int copy_body(FILE *answer, const struct head *head, FILE *out)
{
    return head->chunked ? copy_chunks(answer, head->until_ns, out)
                         : copy_bytes(answer, head->size, head->until_ns, out);
}

static void tell_refusal(FILE *answer, const struct head *head, FILE *told)
{
    char *body = NULL;
    size_t size;
    FILE *memory = open_memstream(&body, &size);

    if (!memory)
        return;
    copy_body(answer, head, memory);
    fclose(memory);
    cJSON *refusal = cJSON_Parse(body);
    const cJSON *sentence = cJSON_GetObjectItemCaseSensitive(refusal, "error");
    const char *next = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(refusal, "next"));
    if (cJSON_IsString(sentence))
        tell(told, "%s%s%s\n", sentence->valuestring, next ? "; " : "", next ? next : "");
    else
        tell(told, "the daemon answers with HTTP status %d\n", head->status);
    cJSON_Delete(refusal);
    free(body);
}

/* What stands behind the head of a request: a text, or a file. */
struct body {
    const char *text;
    FILE *file;   /* NULL: the text */
    int64_t size; /* of the file, as the head has announced it */
    void (*sent)(void *context, int64_t size);
    void *context;
};

static bool tell_cut(int64_t got, const struct body *body, FILE *told)
{
    tell(told,
         "the file ended at byte %" PRId64 " of %" PRId64
         ": %s. Was its medium pulled out? Nothing was changed; say it again when it is there\n",
         got, body->size, ferror(body->file) ? strerror(errno) : "it is shorter than it was");
    return false;
}

/* False: the file is not what was announced, which is told; the rest would be waited for. */
static bool send_file(int fd, const struct body *body, FILE *told)
{
    char block[16384];

    for (int64_t size = 0; size < body->size;) {
        int64_t left = body->size - size;
        size_t most = left < (int64_t)sizeof block ? (size_t)left : sizeof block;
        size_t got = fread(block, 1, most, body->file);

        if (got == 0)
            return tell_cut(size, body, told);
        if (!send_all(fd, block, got))
            return true; /* who refuses says why before all has come */
        size += (int64_t)got;
        body->sent(body->context, size);
    }
    return true;
}

/* Sends a request with its body and copies the answer's, as long as the time is not over. */
static int ask_until(const char *socket_path, const char *request, const struct body *body,
                     FILE *out, FILE *told, int64_t until_ns)
{
    struct head head = {.until_ns = until_ns};
    int code = EXIT_CODE_SYSTEM;
    int fd = connect_to(socket_path, told);

    if (fd < 0)
        return EXIT_CODE_NO_DAEMON;
    FILE *answer = fdopen(fd, "r");
    if (!answer) {
        close(fd);
        return EXIT_CODE_SYSTEM;
    }
    setvbuf(answer, NULL, _IONBF, 0);
    if (send_all(fd, request, strlen(request))) {
        if (body->file && !send_file(fd, body, told)) {
            fclose(answer);
            return EXIT_CODE_SYSTEM;
        }
        if (body->file || send_all(fd, body->text, strlen(body->text)))
            read_head(answer, &head);
    }
    if (head.status >= 200 && head.status < 300) {
        code = copy_body(answer, &head, out);
    } else if (head.status) {
        tell_refusal(answer, &head, told);
        code = head.status >= 500   ? EXIT_CODE_SYSTEM
               : head.status == 404 ? EXIT_CODE_FAILED
                                    : EXIT_CODE_USAGE;
    } else {
        tell(told,
             "%s was closed without an answer: the daemon ended meanwhile, has too many "
             "connections, or this is not its socket\n",
             socket_path);
    }
    fclose(answer);
    return code;
}

static int ask(const char *socket_path, const char *request, const struct body *body, FILE *out,
               FILE *told)
{
    return ask_until(socket_path, request, body, out, told, INT64_MAX);
}

int client_get(const char *socket_path, const char *path, FILE *out)
{
    return client_get_until(socket_path, path, out, INT64_MAX);
}

int client_get_until(const char *socket_path, const char *path, FILE *out, int64_t until_ns)
{
    char request[CLIENT_PATH_SIZE_MAX + 96];

    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    return ask_until(socket_path, request, &(struct body){.text = ""}, out, stderr, until_ns);
}

static int send_text(const char *socket_path, const char *method, const char *path,
                     const char *body, FILE *out, FILE *told)
{
    char request[CLIENT_PATH_SIZE_MAX + 192];

    snprintf(request, sizeof request,
             "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
             method, path, strlen(body));
    return ask(socket_path, request, &(struct body){.text = body}, out, told);
}

int client_put_file(const char *socket_path, const char *path, FILE *file, int64_t size,
                    void (*sent)(void *context, int64_t size), void *context, FILE *out, FILE *told)
{
    char request[CLIENT_PATH_SIZE_MAX + 192];

    snprintf(request, sizeof request,
             "PUT %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
             "Content-Type: application/octet-stream\r\nContent-Length: %" PRId64 "\r\n\r\n",
             path, size);
    return ask(socket_path, request,
               &(struct body){.file = file, .size = size, .sent = sent, .context = context}, out,
               told);
}

int client_post(const char *socket_path, const char *path, const char *body, FILE *out)
{
    return send_text(socket_path, "POST", path, body, out, stderr);
}

int client_send(const char *socket_path, const char *method, const char *path, const char *body,
                FILE *out)
{
    return send_text(socket_path, method, path, body, out, stderr);
}

int client_send_body(const char *socket_path, const char *method, const char *path,
                     const char *body, char **answer)
{
    size_t size;
    FILE *memory = open_memstream(answer, &size);

    if (!memory)
        return EXIT_CODE_SYSTEM;
    int code = client_send(socket_path, method, path, body, memory);
    return fclose(memory) ? EXIT_CODE_SYSTEM : code;
}

int client_try_post(const char *socket_path, const char *path, char *answer, size_t answer_size,
                    char *sentence, size_t sentence_size)
{
    FILE *out = fmemopen(answer, answer_size, "w"), *told = fmemopen(sentence, sentence_size, "w");
    int code = EXIT_CODE_SYSTEM;

    if (out && told)
        code = send_text(socket_path, "POST", path, "", out, told);
    if (out)
        fclose(out);
    if (told)
        fclose(told);
    answer[answer_size - 1] = sentence[sentence_size - 1] = '\0';
    sentence[strcspn(sentence, "\n")] = '\0';
    return code;
}

int client_get_body(const char *socket_path, const char *path, char **body)
{
    size_t size;
    FILE *memory = open_memstream(body, &size);

    if (!memory)
        return EXIT_CODE_SYSTEM;
    int code = client_get(socket_path, path, memory);
    if (fclose(memory))
        code = EXIT_CODE_SYSTEM;
    if (code != EXIT_CODE_OK) {
        free(*body);
        *body = NULL;
    }
    return code;
}

void client_add_query(char *path, const char *key, const char *value)
{
    size_t size = strlen(path);

    if (!value)
        return;
    size += (size_t)snprintf(path + size, CLIENT_PATH_SIZE_MAX - size,
                             "%c%s=", strchr(path, '?') ? '&' : '?', key);
    for (; *value && size + 4 < CLIENT_PATH_SIZE_MAX; value++) {
        unsigned char letter = (unsigned char)*value;
        bool plain = isalnum(letter) || strchr("-_.", letter);

        size += (size_t)snprintf(path + size, 4, plain ? "%c" : "%%%02X", letter);
    }
}
