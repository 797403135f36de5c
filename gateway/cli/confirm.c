#include "cli/confirm.h"

#include <cjson/cJSON.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/answer.h"
#include "cli/client.h"
#include "cli/profile_edit.h"
#include "config/catalog.h"
#include "core/candidates.h"
#include "core/error.h"
#include "core/event.h"
#include "core/heir.h"
#include "core/text.h"
#include "daemon/gateway.h"

#define WITHIN 0.02

static const cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* The device in the status; `others` are offered those that there are. */
static const cJSON *find_device(const cJSON *status, const char *id, struct candidates *others)
{
    const cJSON *bus, *device;

    cJSON_ArrayForEach(bus, get(status, "buses"))
    {
        cJSON_ArrayForEach(device, get(bus, "devices"))
        {
            if (strcmp(answer_text(device, "id"), id) == 0)
                return device;
            candidates_offer(others, answer_text(device, "id"));
        }
    }
    return NULL;
}

/* The newest reading of a point, of the lines that the daemon answers with; NULL: none. `others`
 * are offered the device's points. */
static cJSON *find_reading(const char *state, const char *device, const char *point,
                           struct candidates *others)
{
    char *copy = strdup(state), *rest = copy;
    cJSON *found = NULL;

    for (char *line = strsep(&rest, "\n"); line && !found; line = strsep(&rest, "\n")) {
        cJSON *event = cJSON_Parse(line);

        bool own = event && strcmp(answer_text(event, "d"), device) == 0;

        if (own)
            candidates_offer(others, answer_text(event, "p"));
        if (own && strcmp(answer_text(event, "p"), point) == 0)
            found = event;
        else
            cJSON_Delete(event);
    }
    free(copy);
    return found;
}

static bool parse_double(const char *text, double *number)
{
    char *end;

    *number = strtod(text, &end);
    return end != text && !*end;
}

static bool agrees(const cJSON *value, const char *shown, double within)
{
    const char *text = cJSON_GetStringValue(value);
    double number, read;

    if (cJSON_IsBool(value))
        return strcmp(shown, cJSON_IsTrue(value) ? "true" : "false") == 0;
    if (text && strcmp(text, shown) == 0)
        return true;
    if (!parse_double(shown, &number))
        return false;
    if (cJSON_IsNumber(value))
        read = value->valuedouble;
    else if (!text || !parse_double(text, &read)) /* "off" is not 0 */
        return false;
    return fabs(read - number) <= within * fabs(number);
}

/* A point that is not read: one of the profile's, or one that there is not. */
static int tell_unread(const struct confirm_wish *wish, const struct catalog_profile *profile,
                       const char *point, struct candidates *others)
{
    char there[256];

    if (profile && catalog_has_point(profile, point)) {
        fprintf(stderr,
                "sluice profile: nothing was read of point %s of device %s: it is not one "
                "of those that are read there (\"also\" adds it)\n",
                point, wish->device);
        return EXIT_CODE_FAILED;
    }
    candidates_text(others, there, sizeof there);
    fprintf(stderr, "sluice profile: device %s has no point \"%s\"%s\n", wish->device, point,
            there);
    return EXIT_CODE_USAGE;
}

/* What keeps a point from being confirmed, of which that was read. */
static void tell_difference(const cJSON *event, const char *point, const char *shown)
{
    const cJSON *value = get(event, "v");
    const char *why = answer_text(event, "why");

    if (!value || cJSON_IsNull(value)) {
        fprintf(stderr,
                "sluice profile: %s has no value now%s%s: not confirmed. Compare it once more when "
                "it is read (sluice status)\n",
                point, *why ? ", " : "", why);
        return;
    }
    char *printed = cJSON_PrintUnformatted(value);
    fprintf(stderr,
            "sluice profile: %s reads %s%s%s and the display shows %s: not confirmed. \"sluice "
            "read --explain --expect %s\" finds where that stands\n",
            point, printed, *why ? ", " : "", why, shown, shown);
    free(printed);
}

/* One "point=value". */
static int compare(const struct confirm_wish *wish, const struct catalog_profile *profile,
                   const char *state, const char *shown, double within)
{
    const char *is = strchr(shown, '=');
    char point[ID_SIZE_MAX];

    if (!is || is - shown >= ID_SIZE_MAX || is == shown) {
        fprintf(stderr, "sluice profile: POINT=VALUE is expected, not \"%s\"\n", shown);
        return EXIT_CODE_USAGE;
    }
    snprintf(point, sizeof point, "%.*s", (int)(is - shown), shown);
    struct candidates others;
    candidates_init(&others, point);
    cJSON *event = find_reading(state, wish->device, point, &others);
    if (!event)
        return tell_unread(wish, profile, point, &others);
    const cJSON *value = get(event, "v");
    bool good = value && !cJSON_IsNull(value) && agrees(value, is + 1, within);
    if (good) {
        char *printed = cJSON_PrintUnformatted(value);
        printf("%s reads %s, the display shows %s\n", point, printed, is + 1);
        free(printed);
    } else {
        tell_difference(event, point, is + 1);
    }
    cJSON_Delete(event);
    return good ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

static int parse_within(const char *text, double *within)
{
    char *end;

    *within = WITHIN;
    if (!text)
        return EXIT_CODE_OK;
    *within = strtod(text, &end) / 100;
    if (end != text && strcmp(end, "%") == 0 && *within >= 0)
        return EXIT_CODE_OK;
    fprintf(stderr, "sluice profile: --within takes a share such as 2%%, not \"%s\"\n", text);
    return EXIT_CODE_USAGE;
}

static int compare_all(const struct confirm_wish *wish, const struct catalog_profile *profile)
{
    char *state = NULL;
    double within;
    int code = parse_within(wish->within, &within);

    if (code == EXIT_CODE_OK)
        code = client_get_body(wish->socket_path, "/api/v1/state", &state);
    for (int i = 0; i < wish->shown_count && code == EXIT_CODE_OK; i++)
        code = compare(wish, profile, state, wish->shown[i], within);
    free(state);
    return code;
}

/* {"at": "2026-11-27", "device": "meter", "points": ["voltage_l1"], "by": "Anna"} */
static char *confirmation(const struct confirm_wish *wish)
{
    time_t now = time(NULL);
    char day[16], *made = NULL;
    struct tm parts;
    size_t size;
    FILE *out = open_memstream(&made, &size);

    if (!out)
        return NULL;
    strftime(day, sizeof day, "%Y-%m-%d", gmtime_r(&now, &parts));
    fprintf(out, "{\"at\": \"%s\", \"device\": \"%s\", \"points\": [", day, wish->device);
    for (int i = 0; i < wish->shown_count; i++)
        fprintf(out, "%s\"%.*s\"", i ? ", " : "", (int)strcspn(wish->shown[i], "="),
                wish->shown[i]);
    fputs("]", out);
    if (wish->by) {
        char quoted[256];
        struct text text;

        text_init(&text, quoted, sizeof quoted);
        text_json_string(&text, wish->by, strlen(wish->by));
        fprintf(out, ", \"by\": %s", quoted);
    }
    fputs("}", out);
    fclose(out);
    return made;
}

static int write_profile(const struct confirm_wish *wish, const struct catalog_profile *profile,
                         const char *folder)
{
    char path[PATH_MAX];
    char *old = profile_edit_read(profile->path), *facts = confirmation(wish);
    char *made = old && facts ? profile_edit_set(old, "confirmed", facts) : NULL;
    int error = made ? 0 : ERR_IO;

    snprintf(path, sizeof path, "%s/%s.json", folder, profile->name);
    if (made)
        error = heir_mkdir(folder, 0755);
    if (!error)
        error = profile_edit_write(path, made);
    if (error)
        fprintf(stderr,
                "sluice profile: %s cannot be written: %s. Run it as who may, or name a folder of "
                "your own in SLUICE_PROFILES, for the daemon, too\n",
                path, error_text(error));
    else
        printf("Profile %s is confirmed, and kept in %s.\nSend the daemon a SIGHUP (systemctl "
               "reload sluice): then its devices are no longer marked.\n",
               profile->name, path);
    free(made);
    free(facts);
    free(old);
    return error ? EXIT_CODE_SYSTEM : EXIT_CODE_OK;
}

static int keep(const struct confirm_wish *wish, const char *name,
                const struct catalog_profile *profile, const char *folder)
{
    int code = EXIT_CODE_FAILED;

    if (profile && !profile->unverified) {
        printf("There is nothing to confirm: profile %s %s.\n", name,
               json_find(profile->root, "confirmed") ? "is confirmed already"
                                                     : "is not marked as unverified");
        code = EXIT_CODE_OK;
    } else if (profile && folder)
        code = write_profile(wish, profile, folder);
    else if (profile)
        fprintf(stderr, "sluice profile: there is no folder for profiles of your own: name one in "
                        "SLUICE_PROFILES\n");
    else
        fprintf(stderr, "sluice profile: there is no profile \"%s\" on this machine\n", name);
    return code;
}

static int confirm_profile(const struct confirm_wish *wish, const char *name,
                           const struct config_parts *parts)
{
    struct catalog *catalog;
    const char *nearest;

    if (catalog_open(&catalog, parts, config_tell_stdio, stderr))
        return EXIT_CODE_SYSTEM;
    const struct catalog_profile *profile = catalog_find(catalog, name, &nearest);
    int code = compare_all(wish, profile);
    if (code == EXIT_CODE_OK)
        code = keep(wish, name, profile, catalog_own_folder(parts));
    catalog_close(catalog);
    return code;
}

int confirm_run(const struct confirm_wish *wish, const struct config_parts *parts)
{
    struct candidates others;
    char *body = NULL, words[256];
    int code = client_get_body(wish->socket_path, "/api/v1/status", &body);
    cJSON *status = code == EXIT_CODE_OK ? cJSON_Parse(body) : NULL;
    candidates_init(&others, wish->device);
    const cJSON *device = find_device(status, wish->device, &others);

    free(body);
    if (code == EXIT_CODE_OK && (!device || !*answer_text(device, "profile"))) {
        candidates_text(&others, words, sizeof words);
        if (device)
            fprintf(stderr, "sluice profile: device %s has no profile that could be confirmed\n",
                    wish->device);
        else
            fprintf(stderr, "sluice profile: the gateway has no device \"%s\"%s\n", wish->device,
                    words);
        code = EXIT_CODE_USAGE;
    }
    if (code == EXIT_CODE_OK)
        code = confirm_profile(wish, answer_text(device, "profile"), parts);
    cJSON_Delete(status);
    return code;
}
