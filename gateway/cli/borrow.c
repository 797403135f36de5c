#include "cli/borrow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/end_signals.h"
#include "core/clock.h"
#include "core/error.h"
#include "daemon/gateway.h"

#define LEASE_MS    15000
#define ANSWER_SIZE 2048
/* A gateway that was started anew knows of no lease until it is renewed, and behind a device server
 * no lock keeps the two apart: so often. */
#define RENEW_NS      (1 * NS_PER_S)
#define FREE_NS       (20 * NS_PER_S) /* a reply, or a command, that is under way comes first */
#define LOOK_AGAIN_NS (50 * NS_PER_MS)
#define LOOK_SOON_NS  (5 * NS_PER_MS) /* of a lease that comes again and again */

static int lease_ms(const struct borrow *borrow)
{
    return borrow->for_ms ? borrow->for_ms : LEASE_MS;
}

/* Asks for the lease, or for the same again. */
static int ask(const struct borrow *borrow, int for_ms, char *answer, size_t answer_size,
               char *sentence, size_t sentence_size)
{
    char path[CLIENT_PATH_SIZE_MAX], number[32], by[80];

    strcpy(path, "/api/v1/lease");
    client_add_query(path, "port", borrow->port);
    snprintf(number, sizeof number, "%d", for_ms);
    client_add_query(path, "for_ms", number);
    snprintf(by, sizeof by, "%s (process %ld)", borrow->by, (long)getpid());
    client_add_query(path, "by", by);
    snprintf(number, sizeof number, "%" PRIu64, borrow->lease);
    client_add_query(path, "lease", number);
    return client_try_post(borrow->socket, path, answer, answer_size, sentence, sentence_size);
}

/* The text or number behind a key of the daemon's answer, whose form is known. */
static const char *find_key(const char *answer, const char *key)
{
    char quoted[32];
    const char *at;

    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    at = strstr(answer, quoted);
    return at ? at + strlen(quoted) : "";
}

/* Asks until the port is free. */
static int wait_free(struct borrow *borrow)
{
    char answer[512] = "", sentence[512] = "";
    int64_t give_up_ns = clock_mono(&clock_system) + FREE_NS;
    int code;

    while ((code = ask(borrow, lease_ms(borrow), answer, sizeof answer, sentence,
                       sizeof sentence)) == EXIT_CODE_OK) {
        borrow->lease = strtoull(find_key(answer, "lease"), NULL, 10);
        if (!borrow->bus[0]) {
            sscanf(find_key(answer, "bus"), "\"%63[^\"]", borrow->bus);
            if (!borrow->quiet)
                fprintf(stderr,
                        "the gateway polls this line as bus %s: it lets go of it meanwhile\n",
                        borrow->bus);
        }
        if (strncmp(find_key(answer, "free"), "true", 4) == 0) {
            borrow->renew_ns = clock_mono(&clock_system) + RENEW_NS;
            return EXIT_CODE_OK;
        }
        if (clock_mono(&clock_system) > give_up_ns) {
            fprintf(stderr, "%s: the gateway does not let go of bus %s; try again\n", borrow->by,
                    borrow->bus);
            borrow_return(borrow);
            return EXIT_CODE_SYSTEM;
        }
        if (end_signals_came()) {
            borrow_return(borrow);
            return EXIT_CODE_FAILED;
        }
        nanosleep(&(struct timespec){.tv_nsec = borrow->quiet ? LOOK_SOON_NS : LOOK_AGAIN_NS},
                  NULL);
    }
    if (code == EXIT_CODE_NO_DAEMON || code == EXIT_CODE_FAILED)
        return EXIT_CODE_OK; /* nobody, or none of its buses, has it */
    fprintf(stderr, "%s: %s\n", borrow->by, sentence);
    return EXIT_CODE_SYSTEM;
}

/* The text behind a key; "" where there is none, or it does not fit. */
static void take_text(const char *answer, const char *key, char *out, size_t size)
{
    const char *text = find_key(answer, key);
    size_t length = *text == '"' ? strcspn(text + 1, "\"") : 0;

    snprintf(out, size, "%.*s", length < size ? (int)length : 0, *text == '"' ? text + 1 : "");
}

bool borrow_find_bus(const char *socket, const char *id, struct borrow_place *place)
{
    char path[CLIENT_PATH_SIZE_MAX], answer[ANSWER_SIZE] = "";
    char sentence[512] = "";

    strcpy(path, "/api/v1/lease");
    client_add_query(path, "bus", id);
    client_add_query(path, "for_ms", "0");
    if (client_try_post(socket, path, answer, sizeof answer, sentence, sizeof sentence) !=
        EXIT_CODE_OK)
        return false;
    take_text(answer, "bus", place->bus, sizeof place->bus);
    take_text(answer, "driver", place->driver, sizeof place->driver);
    take_text(answer, "port", place->port, sizeof place->port);
    take_text(answer, "line", place->line, sizeof place->line);
    take_text(answer, "host", place->host, sizeof place->host);
    return place->port[0] || place->host[0];
}

int borrow_port(struct borrow *borrow)
{
    borrow->lease = 0;
    borrow->bus[0] = '\0';
    return wait_free(borrow);
}

bool borrow_is_polled(const struct borrow *borrow, char bus[64])
{
    struct borrow none = {.socket = borrow->socket, .port = borrow->port, .by = borrow->by};
    char answer[512] = "", sentence[512] = "";

    /* A lease that is over already changes nothing. */
    return ask(&none, 0, answer, sizeof answer, sentence, sizeof sentence) == EXIT_CODE_OK &&
           sscanf(find_key(answer, "bus"), "\"%63[^\"]", bus) == 1;
}

void borrow_units(const struct borrow *borrow, bool units[256])
{
    struct borrow none = {.socket = borrow->socket, .port = borrow->port, .by = borrow->by};
    char answer[ANSWER_SIZE] = "", sentence[512] = "";

    if (ask(&none, 0, answer, sizeof answer, sentence, sizeof sentence) != EXIT_CODE_OK)
        return;
    for (const char *at = find_key(answer, "units"); *at == '[' || *at == ',';) {
        char *end;
        unsigned long unit = strtoul(at + 1, &end, 10);

        if (end == at + 1 || unit > 255)
            return;
        units[unit] = true;
        at = end;
    }
}

bool borrow_keep(struct borrow *borrow)
{
    char answer[512] = "", sentence[512] = "";
    int64_t now_ns = clock_mono(&clock_system);
    int code;

    if (!borrow->bus[0] || now_ns < borrow->renew_ns)
        return true;
    borrow->renew_ns = now_ns + RENEW_NS;
    code = ask(borrow, lease_ms(borrow), answer, sizeof answer, sentence, sizeof sentence);
    /* A gateway that ended, or has no such bus any more, wants nothing back. */
    if (code == EXIT_CODE_OK) {
        borrow->lease = strtoull(find_key(answer, "lease"), NULL, 10);
        /* This program was stopped for so long that the gateway polls again, until it lets go. */
        return strncmp(find_key(answer, "free"), "true", 4) == 0 ||
               wait_free(borrow) == EXIT_CODE_OK;
    }
    if (code != EXIT_CODE_USAGE)
        return true;
    fprintf(stderr, "%s: the gateway has taken bus %s back: %s\n", borrow->by, borrow->bus,
            sentence);
    return false;
}

void borrow_hint(const struct borrow *borrow, int error)
{
    if (error == ERR_BUSY && !borrow->bus[0])
        fprintf(stderr,
                "%s: where a gateway polls that port, name its socket (--socket, SLUICE_SOCKET; "
                "asked was %s), and the line is borrowed\n",
                borrow->by, borrow->socket);
}

void borrow_return(struct borrow *borrow)
{
    char answer[512], sentence[512];

    if (!borrow->bus[0])
        return;
    if (ask(borrow, 0, answer, sizeof answer, sentence, sizeof sentence) == EXIT_CODE_OK &&
        !borrow->quiet)
        fprintf(stderr, "the gateway polls bus %s again\n", borrow->bus);
    borrow->bus[0] = '\0';
}
