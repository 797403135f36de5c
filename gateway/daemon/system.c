#include "daemon/system.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/error.h"
#include "daemon/room.h"
#include "web/audit.h"
#include "web/later.h"
#include "web/reply.h"

#define LINE_SIZE   256
#define SERVERS_MAX 8
#define UNKNOWN     (-1.0)

void system_read_line(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "re");

    if (!file || !fgets(out, (int)size, file))
        out[0] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    if (file)
        fclose(file);
}

void system_put_pair(struct text *text, const char *key, const char *value)
{
    text_printf(text, "\"%s\":", key);
    text_json_string(text, value, strlen(value));
}

/* What the board or computer calls itself: a device tree, else the firmware's tables. */
static void read_model(char *out, size_t size)
{
    char maker[LINE_SIZE], product[LINE_SIZE];

    system_read_line("/proc/device-tree/model", out, size);
    if (*out)
        return;
    system_read_line("/sys/class/dmi/id/sys_vendor", maker, sizeof maker);
    system_read_line("/sys/class/dmi/id/product_name", product, sizeof product);
    snprintf(out, size, "%.120s%s%.120s", maker, *maker && *product ? " " : "", product);
}

static void read_os(char *out, size_t size)
{
    char line[LINE_SIZE];
    FILE *file = fopen("/etc/os-release", "re");

    snprintf(out, size, "Linux");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "PRETTY_NAME=\"%120[^\"]\"", line) != 1)
            continue;
        snprintf(out, size, "%s", line);
        break;
    }
    if (file)
        fclose(file);
}

/* Of the first thermal zone, in degrees Celsius; UNKNOWN. */
static double read_temperature(void)
{
    char line[LINE_SIZE];

    system_read_line("/sys/class/thermal/thermal_zone0/temp", line, sizeof line);
    return isdigit((unsigned char)*line) ? atof(line) / 1000 : UNKNOWN;
}

static void put_machine(struct text *text)
{
    struct utsname name = {0};
    struct sysinfo info = {0};
    char line[LINE_SIZE];
    double temperature = read_temperature();

    uname(&name);
    sysinfo(&info);
    system_put_pair(text, "host", name.nodename);
    text_string(text, ",\"machine\":{");
    read_model(line, sizeof line);
    system_put_pair(text, "model", line);
    text_string(text, ",");
    read_os(line, sizeof line);
    system_put_pair(text, "os", line);
    text_string(text, ",");
    system_put_pair(text, "arch", name.machine);
    text_string(text, ",");
    system_put_pair(text, "kernel", name.release);
    text_printf(text, ",\"processors\":%ld,\"load\":", sysconf(_SC_NPROCESSORS_ONLN));
    text_f64(text, (double)info.loads[0] / (1 << SI_LOAD_SHIFT), 2);
    text_printf(text, ",\"memory_bytes\":%" PRIu64 ",\"memory_free_bytes\":%" PRIu64,
                (uint64_t)info.totalram * info.mem_unit,
                (uint64_t)(info.freeram + info.bufferram) * info.mem_unit);
    text_printf(text, ",\"uptime_s\":%ld,\"temperature\":", info.uptime);
    if (temperature == UNKNOWN)
        text_string(text, "null");
    else
        text_f64(text, temperature, 1);
    text_string(text, "}");
}

static void add_server(struct text *text, int *count, const char *server)
{
    if (*count == SERVERS_MAX || !*server)
        return;
    text_string(text, (*count)++ ? "," : "");
    text_json_string(text, server, strlen(server));
}

/* "server a iburst" of chrony and ntpd, "NTP=a b" of timesyncd. */
static void add_servers_of(struct text *text, int *count, const char *path)
{
    char line[LINE_SIZE], server[128], *rest;
    FILE *file = fopen(path, "re");

    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, " server %127s", server) == 1 || sscanf(line, " pool %127s", server) == 1)
            add_server(text, count, server);
        if (strncmp(line, "NTP=", 4) != 0 && strncmp(line, "FallbackNTP=", 12) != 0)
            continue;
        for (char *word = strtok_r(strchr(line, '=') + 1, " \r\n", &rest); word;
             word = strtok_r(NULL, " \r\n", &rest))
            add_server(text, count, word);
    }
    if (file)
        fclose(file);
}

static void put_ntp(struct text *text)
{
    static const struct {
        const char *name, *sign, *files[3];
    } kinds[] = {
        {"chrony", "/run/chrony", {"/etc/chrony/chrony.conf"}},
        {"ntpd", "/run/ntpd.pid", {"/etc/ntpsec/ntp.conf", "/etc/ntp.conf"}},
        {"systemd-timesyncd",
         "/run/systemd/timesync",
         {"/etc/systemd/timesyncd.conf", "/run/systemd/timesyncd.conf.d/01-network-manager.conf"}},
    };
    struct stat status;
    int count = 0;

    text_string(text, "\"ntp\":{");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (stat(kinds[i].sign, &status))
            continue;
        system_put_pair(text, "by", kinds[i].name);
        text_string(text, ",\"servers\":[");
        for (size_t f = 0; f < 3 && kinds[i].files[f]; f++)
            add_servers_of(text, &count, kinds[i].files[f]);
        text_string(text, "]}");
        return;
    }
    text_string(text, "\"by\":\"none\",\"servers\":[]}");
}

static void put_time(struct text *text, const struct clock *clock, const char *zone)
{
    text_printf(text, ",\"time\":{\"t\":%" PRId64 ",\"trust\":\"%s\",",
                clock_wall(clock) / NS_PER_MS, clock_trust_name(clock_trust(clock)));
    system_put_pair(text, "timezone", zone ? zone : "UTC");
    text_string(text, ",");
    put_ntp(text);
    text_string(text, "}");
}

/* What of the configuration the answer needs, copied under the lock. */
static void copy_site(const struct system_given *given, char path[4096], char zone[64])
{
    struct running *running = given->running;

    pthread_mutex_lock(&running->lock);
    const struct config *config = running->current ? running->current->config : NULL;
    snprintf(path, 4096, "%s",
             given->journal_path ? given->journal_path
             : config            ? room_path(&config->journal)
                                 : "/");
    snprintf(zone, 64, "%s", config && config->site.timezone ? config->site.timezone : "UTC");
    pthread_mutex_unlock(&running->lock);
}

static void fill(void *context, struct text *text)
{
    const struct system_given *given = context;
    struct running *running = given->running;
    struct journal_stats stats;
    char path[4096], zone[64];

    copy_site(given, path, zone);
    journal_stats(running->journal, &stats);
    text_string(text, "{");
    put_machine(text);
    put_time(text, running->clock, zone);
    text_string(text, ",\"network\":");
    system_put_network(text);
    text_string(text, ",\"storage\":");
    system_put_storage(text, path, &stats, clock_mono(running->clock) - running->started_mono_ns);
    text_string(text, "}\n");
}

static void answer(void *context, const struct http_request *request, struct http_reply *reply)
{
    (void)request;
    reply_filled(reply, fill, context);
}

static void get_system(void *context, const struct route_request *request, struct http_reply *reply)
{
    (void)request;
    reply->work = answer;
    reply->work_context = context;
}

static void answer_restart(void *context, const struct route_request *request,
                           struct http_reply *reply)
{
    const struct system_given *given = context;
    char sentence[RUNNING_REFUSAL_SIZE] = "";
    static const char body[] = "{\"restarting\":true}\n";

    audit_note(given->running->journal, request->caller, "restarted", "");
    int error = given->restart(given->context, sentence);
    char *copy = error ? NULL : strdup(body);
    if (copy)
        reply_json(reply, 202, copy, sizeof body - 1);
    else if (*sentence)
        reply_error(reply, 400, sentence);
    else
        reply_failure(reply, error ? error : ERR_NOMEM);
}

static void post_restart(void *context, const struct route_request *request,
                         struct http_reply *reply)
{
    later_answer(request, reply, answer_restart, context);
}

struct routes system_routes(struct system_given *given)
{
    static const struct route rows[] = {
        {"GET", "/api/v1/system", ROLE_VIEWER, get_system, 0},
        {"POST", "/api/v1/restart", ROLE_OWNER, post_restart, 0},
    };

    return (struct routes){rows, sizeof rows / sizeof *rows, given};
}
