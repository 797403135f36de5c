/* What sim_tcp is told while it runs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim_tcp.h"
#include "stats.h"
#include "units.h"

void steer_stats(const struct server *server, char *text, size_t size)
{
#define OFFSET(name) offsetof(struct stats, name)
    static const struct stats_row rows[] = {
        {"requests", OFFSET(requests)},
        {"replies", OFFSET(replies)},
        {"exceptions", OFFSET(exceptions)},
        {"mbap_errors", OFFSET(mbap_errors)},
        {"other_unit", OFFSET(other_unit)},
        {"bad_length", OFFSET(bad_length)},
        {"silenced", OFFSET(silenced)},
        {"corrupted", OFFSET(corrupted)},
        {"late", OFFSET(late)},
        {"dropped", OFFSET(dropped)},
        {"accepted", OFFSET(accepted)},
        {"connections", OFFSET(connections)},
        {"truth_lines", OFFSET(truth_lines)},
        {"rx_bytes", OFFSET(rx_bytes)},
        {"tx_bytes", OFFSET(tx_bytes)},
    };
#undef OFFSET
    size_t n = stats_open(text, size, "tcp", &server->stats, rows, sizeof rows / sizeof rows[0]);

    n += (size_t)snprintf(text + n, size - n, ",\"units\":{");
    units_stats(&server->options.units, text + n, size - n);
}

static void refuse(struct server *server, bool on, struct control_answer *answer)
{
    int result = 0;

    if (on && server->listen_fd >= 0) {
        close(server->listen_fd);
        server->listen_fd = -1;
    } else if (!on && server->listen_fd < 0) {
        result = server_listen(server);
    }
    if (result < 0)
        control_error(answer, "%s", strerror(-result));
}

static void wait_for(struct server *server, size_t count, char *words[],
                     struct control_answer *answer)
{
    struct stats *stats = &server->stats;
    struct unit *unit = count == 4 ? units_find(&server->options.units, words[1]) : NULL;
    bool line = count == 4 && strcmp(words[1], "line") == 0;

    if ((unit || line) && strcmp(words[2], "replies") == 0)
        answer->watch = line ? &stats->replies : &unit->replies;
    else if ((unit || line) && strcmp(words[2], "requests") == 0)
        answer->watch = line ? &stats->requests : &unit->requests;
    else if (line && strcmp(words[2], "accepted") == 0)
        answer->watch = &stats->accepted;
    if (answer->watch)
        answer->target = *answer->watch + strtoull(words[3], NULL, 10);
    else
        control_error(answer,
                      "expected: wait UNIT|line requests|replies N, or wait line accepted N");
}

void steer(void *context, size_t count, char *words[], struct control_answer *answer)
{
    struct server *server = context;
    const char *value = count > 1 ? words[1] : "";
    char joined[128];
    int result;

    if (strcmp(words[0], "stats") == 0) {
        steer_stats(server, answer->text, sizeof answer->text);
    } else if (strcmp(words[0], "wait") == 0) {
        wait_for(server, count, words, answer);
    } else if (strcmp(words[0], "close") == 0 || strcmp(words[0], "reset") == 0) {
        conns_close(server, words[0][0] == 'r');
    } else if (strcmp(words[0], "refuse") == 0 &&
               (strcmp(value, "on") == 0 || strcmp(value, "off") == 0)) {
        refuse(server, value[1] == 'n', answer);
    } else {
        units_join(2, count, words, joined, sizeof joined);
        result = units_set(&server->options.units, value, words[0], joined);
        if (result == -EINVAL)
            control_error(answer, "the argument cannot be used");
        else if (result == -ESRCH && unit_knows(words[0]))
            control_error(answer, "no such unit");
        else if (result < 0)
            control_error(answer, "unknown command");
    }
}
