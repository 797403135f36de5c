#include "cli/doctor.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/find_config.h"
#include "cli/find_uplink.h"
#include "config/config.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "uplink/client.h"

void doctor_say(struct doctor_finding *finding, enum doctor_verdict verdict, const char *format,
                ...)
{
    va_list arguments;

    finding->verdict = verdict;
    va_start(arguments, format);
    vsnprintf(finding->found, sizeof finding->found, format, arguments);
    va_end(arguments);
}

void doctor_next(struct doctor_finding *finding, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(finding->next, sizeof finding->next, format, arguments);
    va_end(arguments);
}

static const char *const verdicts[] = {"ok", "skipped", "warning", "failed"};

struct report {
    bool json;
    const char *failed; /* the step that failed; NULL */
    int warnings;
};

static void print_step(struct report *report, const char *step,
                       const struct doctor_finding *finding, int64_t took_ns)
{
    static const char marks[] = {'+', ' ', '!', 'x'};
    char line[3 * DOCTOR_TEXT_SIZE];
    struct text text;

    if (finding->verdict == DOCTOR_FAILED && !report->failed)
        report->failed = step;
    report->warnings += finding->verdict == DOCTOR_WARNING;
    if (!report->json) {
        printf("%c %-12s %s\n", marks[finding->verdict], step, finding->found);
        if (*finding->next)
            printf("  %-12s -> %s\n", "", finding->next);
        fflush(stdout);
        return;
    }
    text_init(&text, line, sizeof line);
    text_printf(&text, "{\"step\":\"%s\",\"verdict\":\"%s\",\"ms\":%" PRId64 ",\"found\":", step,
                verdicts[finding->verdict], took_ns / NS_PER_MS);
    text_json_string(&text, finding->found, strlen(finding->found));
    text_string(&text, ",\"next\":");
    text_json_string(&text, finding->next, strlen(finding->next));
    text_string(&text, "}");
    printf("%s\n", line);
    fflush(stdout);
}

static void print_end(const struct report *report, const char *uplink)
{
    if (report->json)
        printf("{\"step\":\"end\",\"verdict\":\"%s\",\"failed\":\"%s\"}\n",
               report->failed     ? "failed"
               : report->warnings ? "warning"
                                  : "ok",
               report->failed ? report->failed : "");
    else if (report->failed)
        printf("\n%s does not work: see step %s.\n", uplink, report->failed);
    else
        printf("\n%s works%s.\n", uplink, report->warnings ? "; see what is marked with !" : "");
}

/* The steps up to the broker, each after the one before has not failed. */
static void go_there(struct doctor *doctor, struct report *report)
{
    static const struct {
        const char *name;
        void (*step)(struct doctor *doctor, struct doctor_finding *finding);
    } steps[] = {
        {"interface", doctor_interface},
        {"name", doctor_name},
        {"tcp", doctor_tcp},
        {"proxy", doctor_proxy},
        {"clock", doctor_clock},
        {"tls", doctor_tls},
        {"certificate", doctor_certificate},
    };

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct doctor_finding finding = {0};
        int64_t begun_ns = clock_mono(&clock_system);

        if (report->failed)
            doctor_say(&finding, DOCTOR_SKIPPED, "not tried");
        else
            steps[i].step(doctor, &finding);
        print_step(report, steps[i].name, &finding, clock_mono(&clock_system) - begun_ns);
    }
}

static void ask_broker(struct doctor *doctor, struct report *report)
{
    static const char *const names[] = {"connect", "permission", "answer"};
    struct doctor_finding findings[DOCTOR_BROKER_STEPS] = {{0}};
    int64_t begun_ns = clock_mono(&clock_system);

    if (!report->failed && doctor->held) {
        /* With its name it would throw off the gateway that it may be a copy of. */
        doctor_say(&findings[0], DOCTOR_FAILED,
                   "not tried: this gateway is on another machine than before, and publishes "
                   "nothing until somebody says whether it was replaced or copied");
        doctor_next(&findings[0], "sluice identity");
    } else if (!report->failed) {
        doctor_broker(doctor, findings);
    }
    int64_t took_ns = clock_mono(&clock_system) - begun_ns;
    for (size_t i = 0; i < DOCTOR_BROKER_STEPS; i++) {
        if (!*findings[i].found)
            doctor_say(&findings[i], DOCTOR_SKIPPED, "not tried");
        print_step(report, names[i], &findings[i], i ? 0 : took_ns);
    }
}

/* Asks the daemon whether its uplink is connected at present, and with the same settings. Where
 * nobody answers that is not known. */
static void look_at_daemon(struct doctor *doctor, const char *socket_path,
                           const struct config *config, const char *uplink)
{
    char *body = NULL;

    doctor->guest = true;
    if (!client_finds_daemon(socket_path) || client_get_body(socket_path, "/api/v1/status", &body))
        return;
    cJSON *status = cJSON_Parse(body);
    const cJSON *running = cJSON_GetObjectItemCaseSensitive(status, "config"), *each;
    doctor->held = cJSON_GetObjectItemCaseSensitive(status, "identity") != NULL;
    cJSON_ArrayForEach(each, cJSON_GetObjectItemCaseSensitive(status, "uplinks"))
    {
        if (strcmp(answer_text(each, "id"), uplink) != 0)
            continue;
        doctor->guest = strcmp(answer_text(each, "state"), "online") == 0;
        /* What works with the configuration that runs says nothing of another file. */
        doctor->online = doctor->guest &&
                         strcmp(answer_text(running, "fingerprint"), config->site.fingerprint) == 0;
    }
    cJSON_Delete(status);
    free(body);
}

static int examine(const struct config *config, struct config_uplink *uplink,
                   const char *socket_path, bool json)
{
    struct uplink_options *options = uplink->options;
    struct doctor doctor = {.options = options, .gateway = config->site.id};
    struct report report = {.json = json};
    char sentence[256];

    if (client_url(options, &doctor.url, sentence, sizeof sentence)) {
        fprintf(stderr, "sluice doctor: %s\n", sentence);
        return EXIT_CODE_CONFIG;
    }
    look_at_daemon(&doctor, socket_path, config, uplink->id);
    if (!json)
        printf("The way to %s, %s\n\n", uplink->id, options->url);
    go_there(&doctor, &report);
    ask_broker(&doctor, &report);
    print_end(&report, uplink->id);
    if (doctor.addresses)
        freeaddrinfo(doctor.addresses);
    return report.failed ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

int command_doctor(int argc, char **argv)
{
    const char *path = NULL, *socket_path = gateway_socket_path();
    struct config_parts parts;
    struct config *config = NULL;
    bool json = false;
    const struct args_flag flags[] = {
        {"config", 'c', "FILE", FIND_CONFIG_HELP, &path, NULL},
        {"json", 'J', NULL, "a JSON object a step", NULL, &json},
        COMMAND_SOCKET_FLAG(&socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice doctor",
        .operands = " [UPLINK]",
        .operands_max = 1,
        .about = "Goes the way to a broker as the uplink would, step by step: network interface,\n"
                 "name, TCP, proxy, clock, TLS, certificate, CONNECT, permission to publish, time\n"
                 "of an acknowledgement. Names the step that fails, why, and what to do.\n"
                 "Nothing is published but three messages on ROOT/GATEWAY/doctor. An uplink that\n"
                 "is connected stays so: unless the daemon says that it is not, the doctor comes\n"
                 "as a guest, whose client id has \"-doctor\" behind it.\n",
        .after = "Exit status: 1 a step fails; 2 there is no such uplink; 3 errors in the\n"
                 "configuration; 4 there is no daemon, and no configuration; 5 it cannot be\n"
                 "read.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    int code = find_config(&config, &parts, path, socket_path, command.name);
    if (code != EXIT_CODE_OK)
        return code;
    struct config_uplink *uplink = find_uplink(config, argv[first], command.name);
    code = uplink ? examine(config, uplink, socket_path, json) : EXIT_CODE_USAGE;
    config_free(config);
    return code;
}
