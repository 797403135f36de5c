#include "cli/place.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/answer.h"
#include "cli/bench.h"
#include "cli/client.h"
#include "core/candidates.h"
#include "core/event.h"
#include "daemon/gateway.h"

static bool is_host(const char *name)
{
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(name, NULL, NULL, &found);

    if (!failed)
        freeaddrinfo(found);
    return !failed;
}

static bool has_device(const cJSON *bus, const char *id)
{
    const cJSON *device;

    cJSON_ArrayForEach(device, cJSON_GetObjectItemCaseSensitive(bus, "devices"))
    {
        if (strcmp(answer_text(device, "id"), id) == 0)
            return true;
    }
    return false;
}

/* A port's file that is named without a folder looks like a host or a bus. True after telling. */
static bool is_port_here(const char *name, const char *command)
{
    struct stat seen;

    if (stat(name, &seen) != 0 || !S_ISCHR(seen.st_mode))
        return false;
    fprintf(stderr, "%s: for the port %s in this folder write ./%s\n", command, name, name);
    return true;
}

/* The port of a web page is not that of Modbus. */
static bool is_web(const char *address)
{
    return strncasecmp(address, "http://", 7) == 0 || strncasecmp(address, "https://", 8) == 0;
}

/* The size of a host without its port; an IPv6 address has colons between brackets. */
static size_t without_port(const char *host, size_t size)
{
    const char *colon = memrchr(host, ':', size);

    return colon && !memchr(colon, ']', size - (size_t)(colon - host)) ? (size_t)(colon - host)
                                                                       : size;
}

/* An address of a browser or of a network looks like a path, and has a host in it, or a path alone.
 * True after telling; of a user's name and password nothing is told. */
static bool has_host_within(const char *operand, const char *command)
{
    const char *scheme = strstr(operand, "://"), *host = scheme ? scheme + 3 : operand, *user;
    size_t size = strcspn(host, "/?#");

    if (!scheme && (!isdigit((unsigned char)*host) || host[size] != '/' ||
                    strspn(host, "0123456789.:") != size))
        return false;
    user = memrchr(host, '@', size);
    if (user) {
        size -= (size_t)(user + 1 - host);
        host = user + 1;
    }
    if (is_web(operand))
        size = without_port(host, size);
    if (size > 0)
        fprintf(stderr, "%s: name the host alone: %.*s\n", command, (int)size, host);
    else
        fprintf(stderr, "%s: name a port by its path alone: %s\n", command,
                *host == '/' && host[1] ? host : "/dev/ttyUSB0");
    return true;
}

/* Which buses the gateway has; or that the name is another thing there. */
static void tell_buses(const cJSON *status, const char *id, const char *command)
{
    const cJSON *bus;
    struct candidates candidates;
    char words[256];

    candidates_init(&candidates, id);
    cJSON_ArrayForEach(bus, cJSON_GetObjectItemCaseSensitive(status, "buses"))
    {
        const char *name = answer_text(bus, "id"), *driver = answer_text(bus, "driver");

        if (strcmp(name, id) == 0) {
            fprintf(stderr, "%s: bus %s is one of %s: no Modbus is spoken there\n", command, id,
                    driver);
            return;
        }
        if (has_device(bus, id)) {
            fprintf(stderr, "%s: %s is a device: name its bus, %s\n", command, id, name);
            return;
        }
        if (strncmp(driver, "modbus", 6) == 0)
            candidates_offer(&candidates, name);
    }
    candidates_text(&candidates, words, sizeof words);
    fprintf(stderr, "%s: the gateway has no bus \"%s\", and no host is called that%s\n", command,
            id, words);
}

static int tell_unknown(const char *id, const char *socket, const char *command)
{
    char *body = NULL;
    int code;

    if (!client_finds_daemon(socket)) {
        fprintf(stderr,
                "%s: no host is called \"%s\", and no gateway can be asked for a bus of that id: "
                "name a port (/dev/ttyUSB0; sluice ports lists them) or a host, or see to the "
                "gateway\n",
                command, id);
        client_must_find(socket);
        return EXIT_CODE_NO_DAEMON;
    }
    code = client_get_body(socket, "/api/v1/status", &body);
    if (code != EXIT_CODE_OK)
        return code;
    cJSON *status = cJSON_Parse(body);
    tell_buses(status, id, command);
    cJSON_Delete(status);
    free(body);
    return EXIT_CODE_USAGE;
}

const char *place_absolute(const char *operand, char path[PATH_MAX])
{
    const char *slash = strrchr(operand, '/');
    char folder[PATH_MAX], resolved[PATH_MAX];

    if (!slash || operand[0] == '/' || access(operand, F_OK) != 0)
        return operand;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - operand), operand);
    if (!realpath(folder, resolved) || strlen(resolved) + strlen(slash) >= PATH_MAX)
        return operand;
    strcpy(stpcpy(path, resolved), slash);
    return path;
}

int place_find(struct place *place, const char *operand, const char *socket, const char *command)
{
    *place = (struct place){.at = operand, .is_port = bench_is_port(operand)};
    if (place->is_port && has_host_within(operand, command))
        return EXIT_CODE_USAGE;
    if (place->is_port)
        place->at = place_absolute(operand, place->path);
    if (place->is_port)
        return EXIT_CODE_OK;
    if (!id_valid(operand))
        return is_port_here(operand, command) ? EXIT_CODE_USAGE : EXIT_CODE_OK;
    if (borrow_find_bus(socket, operand, &place->bus)) {
        place->is_port = place->bus.port[0] != '\0';
        place->at = place->is_port ? place->bus.port : place->bus.host;
        return EXIT_CODE_OK;
    }
    place->bus.bus[0] = '\0';
    if (is_host(operand))
        return EXIT_CODE_OK;
    return is_port_here(operand, command) ? EXIT_CODE_USAGE
                                          : tell_unknown(operand, socket, command);
}

const char *place_frames(const struct place *place, const char *given)
{
    if (given || !place->bus.bus[0])
        return given;
    if (strcmp(place->bus.driver, "modbus-ascii") == 0)
        return "ascii";
    return strcmp(place->bus.driver, "modbus-rtu") == 0 && !place->is_port ? "rtu" : NULL;
}

const char *place_line(const struct place *place, const char *given)
{
    return given || !place->bus.bus[0] || !place->is_port ? given : place->bus.line;
}
