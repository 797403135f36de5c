#include "cli/moment.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/client.h"
#include "core/clock.h"
#include "daemon/gateway.h"

int moment_parse(const char *command, const char *flag, const char *text, int64_t *wall_ns)
{
    if (!text || clock_parse(text, clock_wall(&clock_system), wall_ns) == 0)
        return EXIT_CODE_OK;
    fprintf(stderr,
            "%s: --%s %s is no time; expected: 2026-11-23T16:20, 07:50, -15m, now, or "
            "milliseconds since 1970\n",
            command, flag, text);
    return EXIT_CODE_USAGE;
}

int moment_parse_span(const char *command, const char *from, const char *to, int64_t *from_ns,
                      int64_t *to_ns)
{
    char begin[32], end[32];
    int code = moment_parse(command, "from", from, from_ns);

    if (code == EXIT_CODE_OK)
        code = moment_parse(command, "to", to, to_ns);
    if (code != EXIT_CODE_OK || !from || !to || *from_ns <= *to_ns)
        return code;
    clock_format(*from_ns, begin);
    clock_format(*to_ns, end);
    fprintf(stderr, "%s: --from %s (%s) is later than --to %s (%s): nothing lies between\n",
            command, from, begin, to, end);
    return EXIT_CODE_USAGE;
}

void moment_add_query(char *path, const char *key, const char *text, int64_t wall_ns)
{
    char milliseconds[24];

    if (!text)
        return;
    snprintf(milliseconds, sizeof milliseconds, "%" PRId64, wall_ns / NS_PER_MS);
    client_add_query(path, key, milliseconds);
}
