#include "config/board.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/json.h"
#include "core/arena.h"
#include "core/error.h"
#include "core/save.h"

#define DEPTH_MAX      16   /* of what board_write writes */
#define MODEL_SIZE_MAX 4096 /* of what a machine calls itself */

const struct board_places board_places_system = {
    "SLUICE_BOARD", "/etc/sluice/board", SLUICE_DATA_FOLDER "/boards",
    "/proc/device-tree/compatible", "/sys/class/dmi/id"};

/* A description that was read. */
struct sheet {
    struct arena *arena;
    const struct json *root;
};

static void ignore(void *context, struct json_place at, const char *sentence)
{
    (void)at;
    (void)sentence;
    *(bool *)context = true;
}

static int open_sheet(struct sheet *sheet, const char *folder)
{
    char path[PATH_MAX + 16], *text = NULL;
    struct json *root = NULL;
    bool wrong = false;
    size_t size;

    *sheet = (struct sheet){0};
    snprintf(path, sizeof path, "%s/board.json", folder);
    int error = save_read(path, BOARD_SIZE_MAX, &text, &size);
    if (error)
        return error == ERR_NOT_FOUND || error == ERR_NOMEM ? error : ERR_INVALID;
    error = arena_open(&sheet->arena);
    if (!error)
        error = json_read(&root, sheet->arena, text, size, ignore, &wrong);
    free(text);
    if (!error && (wrong || root->type != JSON_OBJECT))
        error = ERR_INVALID;
    sheet->root = root;
    return error;
}

static void close_sheet(struct sheet *sheet)
{
    arena_close(sheet->arena);
}

/* False, and "", where the text is missing or does not fit. */
static bool take_text(const struct json *object, const char *key, char *out, size_t size)
{
    const struct json *value = json_find(object, key);
    bool fits = value && value->type == JSON_STRING && value->size < size;

    snprintf(out, size, "%s", fits ? value->text : "");
    return fits && out[0];
}

static bool take_port(struct board *board, const struct json *row)
{
    struct board_port *port = &board->ports[board->port_count];
    char use[16];

    if (board->port_count == BOARD_PORTS_MAX ||
        !take_text(row, "label", port->label, sizeof port->label) ||
        !take_text(row, "port", port->port, sizeof port->port) ||
        !take_text(row, "driver_enable", port->driver_enable, sizeof port->driver_enable) ||
        !take_text(row, "terminals", port->terminals, sizeof port->terminals) ||
        !take_text(row, "use", use, sizeof use))
        return false;
    port->console = strcmp(use, "console") == 0;
    board->port_count++;
    return true;
}

static int take_board(struct board *board, const struct json *root)
{
    const struct json *ports = json_find(root, "serial");

    if (!take_text(root, "id", board->id, sizeof board->id) ||
        !take_text(root, "name", board->name, sizeof board->name) || !ports ||
        ports->type != JSON_LIST)
        return ERR_INVALID;
    for (const struct json *row = ports->first; row; row = row->next)
        if (!take_port(board, row))
            return ERR_INVALID;
    return 0;
}

static int read_board(struct board *board, const char *folder)
{
    struct sheet sheet;
    int error = open_sheet(&sheet, folder);

    *board = (struct board){0};
    snprintf(board->folder, sizeof board->folder, "%s", folder);
    if (!error)
        error = take_board(board, sheet.root);
    close_sheet(&sheet);
    return error;
}

/* Whether one of the words, each ended by a zero, is the text. */
static bool holds_word(const char *words, size_t size, const char *text)
{
    for (const char *word = words; word < words + size; word += strlen(word) + 1)
        if (strcmp(word, text) == 0)
            return true;
    return false;
}

static bool fits_compatible(const struct board_places *places, const struct json *list)
{
    char *words = NULL;
    size_t size;
    bool fits = false;

    if (!list || list->type != JSON_LIST ||
        save_read(places->compatible, MODEL_SIZE_MAX, &words, &size) != 0)
        return false;
    for (const struct json *text = list->first; text && !fits; text = text->next)
        fits = text->type == JSON_STRING && holds_word(words, size, text->text);
    free(words);
    return fits;
}

static bool fits_dmi(const struct board_places *places, const struct json *wanted)
{
    bool fits = wanted && wanted->type == JSON_OBJECT && wanted->first;

    for (const struct json *text = fits ? wanted->first : NULL; text && fits; text = text->next) {
        char path[PATH_MAX], *line = NULL;
        size_t size;

        snprintf(path, sizeof path, "%.2000s/%.200s", places->dmi, text->key);
        fits = text->type == JSON_STRING && save_read(path, MODEL_SIZE_MAX, &line, &size) == 0;
        if (fits) {
            line[strcspn(line, "\n")] = '\0';
            fits = strcmp(line, text->text) == 0;
        }
        free(line);
    }
    return fits;
}

/* Whether the machine calls itself what the board in that folder is known by. */
static bool is_this(const struct board_places *places, const char *folder)
{
    struct sheet sheet;
    bool fits = false;

    if (open_sheet(&sheet, folder) == 0) {
        const struct json *detect = json_find(sheet.root, "detect");

        fits = fits_compatible(places, json_find(detect, "compatible")) ||
               fits_dmi(places, json_find(detect, "dmi"));
    }
    close_sheet(&sheet);
    return fits;
}

static int detect(const struct board_places *places, struct board *board)
{
    char folder[PATH_MAX];
    struct dirent *entry;
    DIR *known = opendir(places->known);
    int error = ERR_NOT_FOUND;

    while (known && error == ERR_NOT_FOUND && (entry = readdir(known))) {
        snprintf(folder, sizeof folder, "%.3000s/%.255s", places->known, entry->d_name);
        if (entry->d_name[0] != '.' && is_this(places, folder))
            error = read_board(board, folder);
    }
    if (known)
        closedir(known);
    return error;
}

int board_find(const struct board_places *places, struct board *board)
{
    const char *named = places->variable ? getenv(places->variable) : NULL;
    int error = read_board(board, named && *named ? named : places->own);

    return error == ERR_NOT_FOUND && !(named && *named) ? detect(places, board) : error;
}

/* False where it is nested deeper than DEPTH_MAX. */
static bool write_value(struct json_writer *writer, const struct json *value, int depth)
{
    bool list = value->type == JSON_LIST, fits = depth < DEPTH_MAX;

    switch (value->type) {
    case JSON_LIST:
    case JSON_OBJECT:
        json_write_open(writer, value->key, list ? '[' : '{');
        for (const struct json *item = value->first; item && fits; item = item->next)
            fits = write_value(writer, item, depth + 1);
        json_write_close(writer, list ? ']' : '}');
        return fits;
    case JSON_STRING:
        json_write_text(writer, value->key, value->text);
        return true;
    case JSON_BOOL:
        json_write_bool(writer, value->key, value->truth);
        return true;
    default:
        json_write_raw(writer, value->key, value->type == JSON_NUMBER ? value->text : "null");
        return true;
    }
}

int board_write(const struct board *board, struct json_writer *writer, const char *key)
{
    struct sheet sheet;
    int error = open_sheet(&sheet, board->folder);

    if (!error) {
        json_write_open(writer, key, '{');
        for (const struct json *item = sheet.root->first; item && !error; item = item->next)
            error = write_value(writer, item, 0) ? 0 : ERR_INVALID;
        json_write_close(writer, '}');
    }
    close_sheet(&sheet);
    return error;
}

const struct board_port *board_port(const struct board *board, const char *label)
{
    for (size_t i = 0; i < board->port_count; i++)
        if (strcasecmp(board->ports[i].label, label) == 0)
            return &board->ports[i];
    return NULL;
}

void board_labels(const struct board *board, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < board->port_count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 board->ports[i].label);
}
