/* What the device profiles say, for people who choose one and for those who write one. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/confirm.h"
#include "cli/profile_path.h"
#include "cli/told_json.h"
#include "config/catalog.h"
#include "config/json_write.h"
#include "core/error.h"

#define WORDS_MAX 8

struct wish {
    const char *vendor;
    const char *search[WORDS_MAX + 1]; /* each must be somewhere */
    bool json;
};

/* Whether `text` holds `part`, case set aside. */
static bool holds(const char *text, const char *part)
{
    size_t size = strlen(part);

    for (; strlen(text) >= size; text++) {
        size_t i = 0;
        while (i < size && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == size)
            return true;
    }
    return false;
}

/* The value as it stands in the file, or "". */
static const char *text_of(const struct json *object, const char *key)
{
    const struct json *value = json_find(object, key);
    return value && value->text ? value->text : "";
}

/* The id of its first point that has the word in its id, name or unit; NULL. */
static const char *point_with(const struct catalog_profile *profile, const char *word)
{
    const struct json *points = json_find(profile->root, "points");

    for (const struct json *point = points ? points->first : NULL; point; point = point->next)
        if (holds(text_of(point, "id"), word) || holds(text_of(point, "name"), word) ||
            holds(text_of(point, "unit"), word))
            return text_of(point, "id");
    return NULL;
}

/* Whether it fits; *among is then the point that a word was found at which nothing else has. */
static bool wanted(const struct catalog_profile *profile, const struct wish *wish,
                   const char **among)
{
    *among = NULL;
    if (wish->vendor && !holds(profile->vendor, wish->vendor))
        return false;
    for (size_t i = 0; i < sizeof wish->search / sizeof wish->search[0]; i++) {
        const char *word = wish->search[i];
        if (!word || holds(profile->name, word) || holds(profile->vendor, word) ||
            holds(profile->model, word) || holds(profile->category, word))
            continue;
        *among = point_with(profile, word);
        if (!*among)
            return false;
    }
    return true;
}

static void list_line(const struct catalog_profile *profile, const char *among)
{
    size_t read, points = catalog_points(profile, &read);

    printf("%-32s %s %s (%s), %zu of %zu points%s%s%s\n", profile->name, profile->vendor,
           profile->model, *profile->category ? profile->category : "device", read, points,
           among ? ", among them " : "", among ? among : "",
           profile->unverified ? ", unverified" : "");
}

static void write_value(struct json_writer *writer, const char *key, const struct json *value)
{
    switch (value->type) {
    case JSON_OBJECT:
    case JSON_LIST:
        json_write_open(writer, key, value->type == JSON_OBJECT ? '{' : '[');
        for (const struct json *item = value->first; item; item = item->next)
            write_value(writer, value->type == JSON_OBJECT ? item->key : NULL, item);
        json_write_close(writer, value->type == JSON_OBJECT ? '}' : ']');
        break;
    case JSON_STRING:
        json_write_text(writer, key, value->text);
        break;
    case JSON_NUMBER:
        json_write_raw(writer, key, value->text);
        break;
    case JSON_BOOL:
        json_write_raw(writer, key, value->truth ? "true" : "false");
        break;
    case JSON_BAD:
    case JSON_NULL:
        json_write_raw(writer, key, "null");
        break;
    }
}

static void list_json(struct json_writer *writer, const struct catalog_profile *profile)
{
    size_t read, points = catalog_points(profile, &read);
    const struct json *drivers = json_find(profile->root, "drivers"),
                      *factory = json_find(profile->root, "factory");

    json_write_open(writer, NULL, '{');
    json_write_text(writer, "name", profile->name);
    json_write_text(writer, "vendor", profile->vendor);
    json_write_text(writer, "model", profile->model);
    json_write_text(writer, "category", profile->category);
    json_write_text(writer, "confidence", profile->confidence);
    json_write_raw(writer, "unverified", profile->unverified ? "true" : "false");
    json_write_number(writer, "points", (double)points);
    json_write_number(writer, "read", (double)read);
    if (drivers)
        write_value(writer, "drivers", drivers);
    if (factory && json_find(factory, "line"))
        write_value(writer, "line", json_find(factory, "line"));
    json_write_text(writer, "path", profile->path);
    json_write_close(writer, '}');
}

/* Each once, in the order of the profiles. */
static void tell_categories(const struct catalog *catalog)
{
    const char *separator = "";

    for (size_t i = 0; i < catalog_count(catalog); i++) {
        const char *category = catalog_at(catalog, i)->category;
        bool told = *category == '\0';

        for (size_t before = 0; before < i && !told; before++)
            told = strcmp(catalog_at(catalog, before)->category, category) == 0;
        if (!told) {
            fprintf(stderr, "%s%s", separator, category);
            separator = ", ";
        }
    }
}

/* What to do about an empty list. */
static void tell_none(const struct catalog *catalog, const struct config_parts *parts)
{
    if (catalog_count(catalog) > 0) {
        fprintf(stderr,
                "sluice profile: no profile has that in name, maker, model, category or a point; "
                "without words all %zu are listed. The categories: ",
                catalog_count(catalog));
        tell_categories(catalog);
        fputc('\n', stderr);
        return;
    }
    fprintf(stderr, "sluice profile: there are no profiles in");
    for (size_t i = 0; parts->profile_folders[i]; i++)
        fprintf(stderr, "%s %s", i > 0 ? "," : "", parts->profile_folders[i]);
    fprintf(stderr,
            ". Install them (cmake --install BUILD), or name their folder in the "
            "environment:\n  SLUICE_PROFILES=SOURCE/drivers/profiles sluice profile list\n");
}

static int list(const struct catalog *catalog, const struct config_parts *parts,
                const struct wish *wish)
{
    struct json_writer writer = {.out = stdout};
    size_t found = 0;

    if (wish->json)
        json_write_open(&writer, NULL, '[');
    for (size_t i = 0; i < catalog_count(catalog); i++) {
        const struct catalog_profile *profile = catalog_at(catalog, i);
        const char *among;

        if (!wanted(profile, wish, &among))
            continue;
        found++;
        if (wish->json)
            list_json(&writer, profile);
        else
            list_line(profile, among);
    }
    if (wish->json)
        json_write_close(&writer, ']');
    if (found == 0)
        tell_none(catalog, parts);
    return found ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

static void show_source(const struct json *root)
{
    static const char *const keys[] = {"repository", "path", "commit", "license", "document"};
    const struct json *source = json_find(root, "source"), *factory = json_find(root, "factory");

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (*text_of(source, keys[i]))
            printf("%-11s %s\n", i ? keys[i] : "source", text_of(source, keys[i]));
    if (*text_of(factory, "line"))
        printf("%-11s %s\n", "line", text_of(factory, "line"));
    if (*text_of(factory, "unit"))
        printf("%-11s %s\n", "unit", text_of(factory, "unit"));
    if (*text_of(factory, "source"))
        printf("%-11s as new: %s\n", "", text_of(factory, "source"));
}

static void show_confirmed(const struct json *confirmed)
{
    const struct json *points = json_find(confirmed, "points");

    if (!confirmed)
        return;
    printf("%-11s %s", "confirmed", text_of(confirmed, "at"));
    if (*text_of(confirmed, "device"))
        printf(" at device %s", text_of(confirmed, "device"));
    if (*text_of(confirmed, "by"))
        printf(" by %s", text_of(confirmed, "by"));
    for (const struct json *point = points ? points->first : NULL; point; point = point->next)
        printf("%s%s", point == points->first ? ": " : ", ", point->text ? point->text : "");
    putchar('\n');
}

static void show_point(const struct json *point)
{
    const struct json *read = json_find(point, "read");
    bool asked = read && read->type == JSON_BOOL && !read->truth;

    printf("  %-36s %-10s %-8s", text_of(point, "id"), text_of(point, "unit"),
           *text_of(point, "every") ? text_of(point, "every") : "");
    printf(" %s%s%s\n", text_of(point, "name"), asked ? " (when asked for)" : "",
           json_find(point, "write") ? " (can be written)" : "");
}

static void show_text(const struct catalog_profile *profile)
{
    size_t read, points = catalog_points(profile, &read);

    printf("%-11s %s\n%-11s %s %s\n", "profile", profile->name, "device", profile->vendor,
           profile->model);
    printf("%-11s %s\n", "file", profile->path);
    if (*profile->confidence)
        printf("%-11s %s%s\n", "confidence", profile->confidence,
               profile->unverified
                   ? ": unverified; compare readings with the device's display: sluice profile "
                     "confirm DEVICE POINT=VALUE"
                   : "");
    show_confirmed(json_find(profile->root, "confirmed"));
    if (*profile->notes)
        printf("%-11s %s\n", "notes", profile->notes);
    show_source(profile->root);
    printf("%-11s %zu, of which %zu are read unless asked otherwise\n", "points", points, read);
    for (const struct json *point = profile->points ? profile->points->first : NULL; point;
         point = point->next)
        show_point(point);
}

/* Those with the name in theirs, where there are several; else the nearest. */
static void tell_absent(const struct catalog *catalog, const char *name, const char *nearest)
{
    const struct wish wish = {.search = {name}};
    const char *among;
    size_t found = 0;

    fprintf(stderr, "sluice profile: there is no profile \"%s\"", name);
    for (size_t i = 0; i < catalog_count(catalog); i++)
        found += wanted(catalog_at(catalog, i), &wish, &among);
    if (nearest)
        fprintf(stderr, "; did you mean \"%s\"?", nearest);
    if (found > 1 || (found == 1 && !nearest))
        fprintf(stderr, "%s sluice profile list \"%s\" has %zu", nearest ? "" : ";", name, found);
    if (found == 0 && !nearest)
        fprintf(stderr, "; sluice profile list has %zu", catalog_count(catalog));
    fputc('\n', stderr);
}

static int show(const struct catalog *catalog, const char *name, bool json)
{
    const char *nearest = NULL;
    const struct catalog_profile *profile = catalog_find(catalog, name, &nearest);

    if (!profile) {
        tell_absent(catalog, name, nearest);
        return EXIT_CODE_USAGE;
    }
    if (json) {
        struct json_writer writer = {.out = stdout};
        json_write_open(&writer, NULL, '{');
        json_write_text(&writer, "name", profile->name);
        json_write_text(&writer, "path", profile->path);
        json_write_raw(&writer, "unverified", profile->unverified ? "true" : "false");
        write_value(&writer, "profile", profile->root);
        json_write_close(&writer, '}');
    } else {
        show_text(profile);
    }
    return EXIT_CODE_OK;
}

/* A word that is no file can be the name of a profile. */
static bool is_name(const char *text)
{
    return access(text, F_OK) != 0 && !profile_is_path(text);
}

static int check_profile(const char *what, const struct config_parts *parts, config_tell_fn *tell,
                         void *context)
{
    const struct catalog_use use = {.profile = what, .unit = -1, .all = true};
    struct config *config = NULL;
    int error;

    if (!is_name(what))
        return catalog_check(what, parts, tell, context);
    error = catalog_use(&config, &use, parts, tell, context);
    config_free(config);
    return error;
}

static int check(const char *path, const struct config_parts *parts, bool json)
{
    struct told_json told;

    if (!is_name(path) && access(path, R_OK) != 0) {
        fprintf(stderr, "sluice profile: %s cannot be read: %s\n", path, strerror(errno));
        return EXIT_CODE_SYSTEM;
    }
    int error = check_profile(path, parts, config_tell_stdio, stderr);
    if (json) {
        told_json_begin(&told);
        check_profile(path, parts, told_json_tell, &told);
        told_json_end(&told);
    } else if (error == 0)
        printf("%s: no errors\n", path);
    if (error == ERR_NOT_FOUND)
        return EXIT_CODE_USAGE;
    return error == 0 ? EXIT_CODE_OK : error == ERR_CONFIG ? EXIT_CODE_CONFIG : EXIT_CODE_SYSTEM;
}

static int look(const struct config_parts *parts, const char *name, const struct wish *wish)
{
    struct catalog *catalog;
    int error = catalog_open(&catalog, parts, config_tell_stdio, stderr);

    if (error) {
        fprintf(stderr, "sluice profile: %s\n", error_text(error));
        return EXIT_CODE_SYSTEM;
    }
    int code = name ? show(catalog, name, wish->json) : list(catalog, parts, wish);
    catalog_close(catalog);
    return code;
}

int command_profile(int argc, char **argv)
{
    struct config_parts parts;
    struct profile_path path;
    struct wish wish = {0};
    struct confirm_wish confirm = {.socket_path = gateway_socket_path()};
    const struct args_flag flags[] = {
        {"vendor", 'v', "TEXT", "list: only of makers with that in their name", &wish.vendor, NULL},
        {"search", 'f', "TEXT", "list: only with that in name, maker, model, category or a point",
         &wish.search[WORDS_MAX], NULL},
        {"json", 'J', NULL, "list, show and check: as JSON", NULL, &wish.json},
        {"within", 'w', "SHARE", "confirm: how near a reading has to be; 2% unless given",
         &confirm.within, NULL},
        {"by", 'b', "TEXT", "confirm: who says so", &confirm.by, NULL},
        COMMAND_SOCKET_FLAG(&confirm.socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice profile",
        .operands =
            " list [WORD ...] | show NAME|FILE | check NAME|FILE | confirm DEVICE POINT=VALUE ...",
        .operands_min = 1,
        .operands_max = 2 + CONFIRM_POINTS_MAX,
        .about = "Looks into the device profiles: the shipped ones, and those of your own in\n"
                 "/etc/sluice/profiles, which come first.\n\n"
                 "  list   what there is for which devices; with words only what has each of\n"
                 "         them in name, maker, model or category, or in a point: list eastron\n"
                 "         meter\n"
                 "  show   what a profile reads, where it comes from and how far to trust it\n"
                 "  check  tells every error of a profile: of one that you write, by its file\n"
                 "  confirm  compares what the daemon reads of a device with what its display\n"
                 "         shows; where that agrees, its profile is no longer unverified\n",
        .after =
            "Exit status: 1 no profile has these words, or a reading differs; 2 there is no such\n"
            "profile or device; 3 check found errors; 4 the daemon does not answer (confirm); 5 a\n"
            "file cannot be read.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    bool named = argc - first == 2;
    gateway_config_parts(&parts);
    if (strcmp(argv[first], "list") == 0 && argc - first - 1 <= WORDS_MAX) {
        for (int i = first + 1; i < argc; i++)
            wish.search[i - first - 1] = argv[i];
        return look(&parts, NULL, &wish);
    }
    if (strcmp(argv[first], "show") == 0 && named) {
        const char *name = argv[first + 1];

        return profile_path_take(&path, &parts, &name, "sluice profile") ? look(&parts, name, &wish)
                                                                         : EXIT_CODE_SYSTEM;
    }
    if (strcmp(argv[first], "check") == 0 && named)
        return check(argv[first + 1], &parts, wish.json);
    if (strcmp(argv[first], "confirm") == 0 && argc - first > 2) {
        confirm.device = argv[first + 1];
        confirm.shown = (const char *const *)argv + first + 2;
        confirm.shown_count = argc - first - 2;
        return confirm_run(&confirm, &parts);
    }
    fprintf(stderr,
            "sluice profile: list, at most %d words behind it, show NAME, check NAME or FILE, or "
            "confirm DEVICE POINT=VALUE is expected\n",
            WORDS_MAX);
    return EXIT_CODE_USAGE;
}
