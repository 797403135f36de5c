#include "cli/bench.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/end_signals.h"
#include "core/error.h"
#include "daemon/gateway.h"
#include "field/wait.h"

#define KEEP_NS (1 * NS_PER_S) /* how often it is looked whether a lease is to be renewed */

static int wait_or_stop(struct driver_host *host, int fd, int64_t until_mono_ns)
{
    struct bench *bench = (struct bench *)host;

    while (bench->borrow) {
        int64_t look_ns = clock_mono(host->clock) + KEEP_NS;
        int ready;

        if (!borrow_keep(bench->borrow))
            return ERR_CLOSED;
        if (look_ns >= until_mono_ns)
            break;
        ready = wait_readable(fd, bench->stop_fd, host->clock, look_ns);
        if (ready != 0)
            return ready;
    }
    return wait_readable(fd, bench->stop_fd, host->clock, until_mono_ns);
}

int bench_open(struct bench *bench)
{
    static const struct driver_host_ops ops = {.wait = wait_or_stop};

    *bench = (struct bench){.host = {.ops = &ops, .clock = &clock_system},
                            .stop_fd = end_signals_open()};
    return bench->stop_fd < 0 ? error_from_errno(errno) : 0;
}

void bench_close(struct bench *bench)
{
    if (bench->stop_fd >= 0)
        close(bench->stop_fd);
    bench->stop_fd = -1;
}

bool bench_is_port(const char *operand)
{
    static const char *const kinds[] = {"by-id:", "by-path:", "usb:", "board:"};
    bool is_port = strchr(operand, '/') != NULL;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !is_port; i++)
        is_port = strncmp(operand, kinds[i], strlen(kinds[i])) == 0;
    return is_port;
}

bool bench_target(struct modbus_bus_options *bus, enum sniff_protocol *protocol,
                  const char *operand, const char *frames, const char *command)
{
    bool is_port = bench_is_port(operand);
    char why[256];

    *protocol = is_port ? SNIFF_RTU : SNIFF_TCP;
    if (frames && strcmp(frames, "rtu") == 0)
        *protocol = SNIFF_RTU;
    else if (frames && strcmp(frames, "ascii") == 0)
        *protocol = SNIFF_ASCII;
    else if (frames && (strcmp(frames, "tcp") != 0 || is_port)) {
        fprintf(stderr, "%s: --frames takes rtu or ascii, and tcp with a HOST, not \"%s\"\n",
                command, frames);
        return false;
    }
    bus->ascii = *protocol == SNIFF_ASCII;
    if (is_port) {
        bus->port = operand;
        return true;
    }
    if (modbus_parse_host(operand, &bus->host, why, sizeof why) == 0)
        return true;
    fprintf(stderr, "%s: %s: %s\n", command, operand, why);
    return false;
}

bool bench_number(const char *text, const char *command, const char *flag, int64_t minimum,
                  int64_t maximum, int64_t *number)
{
    char *end;
    int64_t value;

    if (!text)
        return true;
    errno = 0;
    value = strtoll(text, &end, 0);
    if (end != text && !*end && !errno && value >= minimum && value <= maximum) {
        *number = value;
        return true;
    }
    fprintf(stderr, "%s: --%s takes a whole number from %" PRId64 " to %" PRId64 ", not \"%s\"\n",
            command, flag, minimum, maximum, text);
    return false;
}

const char *bench_line(const struct port_settings *line, char text[24])
{
    text[0] = '\0';
    if (line && line->baud)
        snprintf(text, 24, "%" PRId32 " %u%c%u", line->baud, line->data_bits, line->parity,
                 line->stop_bits);
    return text;
}

int bench_exit_code(int error)
{
    switch (error) {
    case 0:
        return EXIT_CODE_OK;
    case ERR_NOT_FOUND:
    case ERR_DENIED:
    case ERR_BUSY:
    case ERR_NOMEM:
    case ERR_UNSUPPORTED: /* no serial port */
        return EXIT_CODE_SYSTEM;
    default:
        return EXIT_CODE_FAILED;
    }
}
