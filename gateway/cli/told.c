#include "cli/told.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "core/clock.h"
#include "daemon/gateway.h"

#define AGAIN_NS (1 * NS_PER_S)
#define SOON_NS  (500 * NS_PER_MS) /* before that, where there is something to tell */

/* False: the daemon's answer, whose form is known, says {"job":"1795448371020","stop":true}. With
 * `words` it is the end. */
static bool tell(struct told *told, const char *line, int code, const char *words)
{
    char path[CLIENT_PATH_SIZE_MAX], by[80], exit[12];
    char answer[128] = "", sentence[256] = "", stop[8] = "";

    snprintf(by, sizeof by, "%s (process %ld)", told->by, (long)getpid());
    snprintf(exit, sizeof exit, "%d", code);
    strcpy(path, "/api/v1/told");
    client_add_query(path, "kind", told->kind);
    client_add_query(path, "of", told->of);
    client_add_query(path, "by", by);
    client_add_query(path, "job", told->job[0] ? told->job : NULL);
    client_add_query(path, "line", line);
    client_add_query(path, "exit", words ? exit : NULL);
    client_add_query(path, "words", words);
    code = client_try_post(told->socket, path, answer, sizeof answer, sentence, sizeof sentence);
    told->next_ns = clock_mono(&clock_system) + AGAIN_NS;
    told->refused = code == EXIT_CODE_USAGE;
    if (code != EXIT_CODE_OK ||
        sscanf(answer, "{\"job\":\"%23[0-9]\",\"stop\":%7[a-z]", told->job, stop) != 2)
        return true;
    return strcmp(stop, "true") != 0;
}

static bool is_silent(const struct told *told)
{
    return !told->kind || !told->of || told->refused;
}

void told_line(struct told *told, const char *line, bool counts)
{
    if (is_silent(told))
        return;
    snprintf(told->line, sizeof told->line, "%s", counts ? "" : line);
    if (counts)
        tell(told, line, 0, NULL);
}

bool told_keep(struct told *told)
{
    char line[TOLD_LINE_SIZE];
    int64_t now_ns = clock_mono(&clock_system);

    if (is_silent(told) || now_ns < told->next_ns - (told->line[0] ? SOON_NS : 0))
        return true;
    snprintf(line, sizeof line, "%s", told->line);
    told->line[0] = '\0';
    return tell(told, line[0] ? line : NULL, 0, NULL);
}

void told_end(struct told *told, int code)
{
    if (!is_silent(told) && told->job[0])
        tell(told, NULL, code,
             code == EXIT_CODE_OK ? "" : "it has failed: why is told where it was started");
}
