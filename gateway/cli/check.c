#include <stdio.h>

#include "cli/command.h"
#include "cli/told_json.h"
#include "config/config.h"
#include "config/explain.h"
#include "core/clock.h"
#include "core/error.h"
#include "daemon/room.h"
#include "tls/tunnel.h"
#include "uplink/uplink.h"

#define CERTIFICATE_SOON_S (30 * INT64_C(86400))

/* Of the machine that the check runs on: it may not be the one that the file is for. */
static void tell_of_room(const struct config *config)
{
    const char *path = room_path(&config->journal);
    struct room room;
    char words[ROOM_WORDS_SIZE];

    if (room_look(path, &room) && room_lacks(&config->journal, path, &room, words))
        fprintf(stderr, "warning, for this machine: %s\n", words);
}

/* An expired certificate keeps nobody from starting, but from that broker. */
static void tell_of_certificates(const struct config *config)
{
    const int64_t now_s = clock_wall(&clock_system) / NS_PER_S;

    for (size_t i = 0; i < config->uplink_count; i++) {
        const struct uplink_options *options = config->uplinks[i].options;
        char sentence[TUNNEL_SENTENCE_SIZE], until[32];
        int64_t until_s = 0;

        if (!options->tls_cert)
            continue;
        int error = tls_check_files(NULL, options->tls_cert, options->tls_key, &until_s, sentence,
                                    sizeof sentence);
        if (error && until_s != 0) {
            fprintf(stderr, "warning: uplink %s: %s\n", options->id, sentence);
        } else if (!error && until_s != 0 && until_s - now_s < CERTIFICATE_SOON_S) {
            clock_format(until_s * NS_PER_S, until);
            fprintf(stderr,
                    "warning: uplink %s: the certificate tls.cert expires on %.10s: renew it\n",
                    options->id, until);
        }
    }
}

static void tell_of_uplinks(const struct config *config)
{
    for (size_t i = 0; i < config->uplink_count; i++) {
        if (config->uplinks[i].warning)
            fprintf(stderr, "warning: uplink %s: %s\n", config->uplinks[i].id,
                    config->uplinks[i].warning);
    }
}

/* Loads it, and tells what is wrong. */
static int load(struct config **config, const char *path, bool json)
{
    struct config_parts parts;
    struct told_json told;
    int error;

    gateway_config_parts(&parts);
    error = config_load(config, path, &parts, config_tell_stdio, stderr);
    if (error && json) {
        told_json_begin(&told);
        config_load(config, path, &parts, told_json_tell, &told);
        told_json_end(&told);
    }
    return error == ERR_CONFIG ? EXIT_CODE_CONFIG : error ? EXIT_CODE_SYSTEM : EXIT_CODE_OK;
}

int command_check(int argc, char **argv)
{
    struct config *config = NULL;
    bool json = false;
    const struct args_flag flags[] = {
        {"json", 'J', NULL, "as one JSON object: what the file means, or its errors", NULL, &json},
        {0},
    };
    const struct args_command command = {
        .name = "sluice check",
        .operands = " FILE",
        .operands_min = 1,
        .operands_max = 1,
        .about = "Checks a configuration file completely and tells every error with line, key,\n"
                 "what was found and what is allowed. For a file without errors it says what the\n"
                 "file means: load of each bus, MB a month of each uplink, days of outage that\n"
                 "the journal holds, what can be written within which limits and by commands on\n"
                 "which topic, and in which time zone aligned points are read. It warns when this\n"
                 "machine's disk has no room for what the journal may keep, of certificates\n"
                 "that have expired or will within a month, and of uplinks that overwrite each\n"
                 "other's status at one broker.\n",
        .after = "Exit status: 3 there are errors; 5 the file cannot be read.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    int code = load(&config, argv[first], json);
    if (code != EXIT_CODE_OK)
        return code;
    if (json)
        config_explain_json(config, stdout);
    else
        config_explain(config, stdout);
    tell_of_room(config);
    tell_of_certificates(config);
    tell_of_uplinks(config);
    config_free(config);
    return EXIT_CODE_OK;
}
