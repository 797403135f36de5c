#include "cli/client.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/gateway.h"

/* Sentences go to `told`. */
static int connect_to(const char *socket_path, FILE *told)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(socket_path) >= sizeof address.sun_path) {
        fprintf(told, "sluice: the socket's path is too long: %s\n", socket_path);
        return -1;
    }
    memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    fprintf(told,
            "sluice: the daemon does not answer on %s: %s. Is sluiced running, and may "
            "this user reach it? Name another socket with --socket.\n",
            socket_path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
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

/* Reads the head of the answer; returns the HTTP status, or 0 when there is none. */
static int read_head(FILE *answer)
{
    char line[1024];
    int status = 0;

    if (!fgets(line, sizeof line, answer) || sscanf(line, "HTTP/%*s %d", &status) != 1)
        return 0;
    while (fgets(line, sizeof line, answer)) {
        if (line[0] == '\r' || line[0] == '\n')
            return status;
    }
    return 0;
}

static void tell_refusal(FILE *answer, int status, FILE *told)
{
    char body[1024];
    size_t size = fread(body, 1, sizeof body - 1, answer);

    body[size] = '\0';
    cJSON *refusal = cJSON_Parse(body);
    const cJSON *sentence = cJSON_GetObjectItemCaseSensitive(refusal, "error");
    if (cJSON_IsString(sentence))
        fprintf(told, "sluice: %s\n", sentence->valuestring);
    else
        fprintf(told, "sluice: the daemon answers with HTTP status %d\n", status);
    cJSON_Delete(refusal);
}

static int copy_body(FILE *answer, FILE *out)
{
    char block[16384];

    for (;;) {
        /* Not fread: a stream that follows the journal comes in small pieces that are to be shown
         * at once. */
        ssize_t got = read(fileno(answer), block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            fprintf(stderr, "sluice: the connection to the daemon broke: %s\n", strerror(errno));
            return EXIT_CODE_SYSTEM;
        }
        if (got == 0)
            return EXIT_CODE_OK;
        if (fwrite(block, 1, (size_t)got, out) != (size_t)got || fflush(out))
            return EXIT_CODE_SYSTEM;
    }
}

/* Sends a request with its body and copies the answer's. */
static int ask(const char *socket_path, const char *request, const char *body, FILE *out,
               FILE *told)
{
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
    if (!send_all(fd, request, strlen(request)) || !send_all(fd, body, strlen(body)))
        goto out;
    int status = read_head(answer);
    if (status == 200) {
        code = copy_body(answer, out);
    } else if (status) {
        tell_refusal(answer, status, told);
        code = status >= 500   ? EXIT_CODE_SYSTEM
               : status == 404 ? EXIT_CODE_FAILED
                               : EXIT_CODE_USAGE;
    } else {
        fprintf(told,
                "sluice: %s was closed without an answer: the daemon has too many connections, or "
                "this is not its socket\n",
                socket_path);
    }
out:
    fclose(answer);
    return code;
}

int client_get(const char *socket_path, const char *path, FILE *out)
{
    char request[CLIENT_PATH_SIZE_MAX + 64];

    snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path);
    return ask(socket_path, request, "", out, stderr);
}

static int post(const char *socket_path, const char *path, const char *body, FILE *out, FILE *told)
{
    char request[CLIENT_PATH_SIZE_MAX + 160];

    snprintf(request, sizeof request,
             "POST %s HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n",
             path, strlen(body));
    return ask(socket_path, request, body, out, told);
}

int client_post(const char *socket_path, const char *path, const char *body, FILE *out)
{
    return post(socket_path, path, body, out, stderr);
}

int client_try_post(const char *socket_path, const char *path, char *answer, size_t answer_size,
                    char *sentence, size_t sentence_size)
{
    FILE *out = fmemopen(answer, answer_size, "w"), *told = fmemopen(sentence, sentence_size, "w");
    int code = EXIT_CODE_SYSTEM;

    if (out && told)
        code = post(socket_path, path, "", out, told);
    if (out)
        fclose(out);
    if (told)
        fclose(told);
    answer[answer_size - 1] = sentence[sentence_size - 1] = '\0';
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
    for (; *value && size + 4 < CLIENT_PATH_SIZE_MAX; value++)
        size += (size_t)snprintf(path + size, 4, "%%%02X", (unsigned char)*value);
}
