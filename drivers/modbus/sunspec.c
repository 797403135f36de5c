#include "modbus/sunspec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/shelf.h"

#define LINE_SIZE_MAX  512
#define MODELS_MAX     128 /* in the file, and in a chain */
#define ROWS_MAX       4000
#define FIELDS_MAX     15
#define LENGTH_MAX     4096 /* registers of a model */
#define IDS_MAX        4096
#define SPAN_MAX       100 /* registers from a value to what scales it, to be read in one request */
#define NOT_A_FACTOR   (-32768)
#define END_OF_CHAIN   0xFFFF
#define MARKER_FIRST   0x5375 /* "Su" */
#define MARKER_SECOND  0x6E53 /* "nS" */
#define GROUP_MANY_MAX 256

/* A point or the begin of a repeated group. */
struct row {
    uint16_t offset; /* from the model number on, or from the begin of the group's repetition */
    uint16_t registers;
    bool group;
    const char *count; /* of a group: "*", "@5", "4" */
    const char *type, *na, *scale, *factor, *id, *name, *unit, *ucum, *class, *state, *enums;
    bool read;
};

struct model {
    uint16_t number;
    const char *label;
    size_t first, rows;
};

struct sunspec_models {
    char *text; /* that all texts point into */
    struct model models[MODELS_MAX];
    size_t count, row_count;
    struct row rows[ROWS_MAX];
};

/* Splits a line at its tabs. */
static size_t split(char *line, char *fields[FIELDS_MAX])
{
    size_t count = 0;

    for (char *at = line; at && count < FIELDS_MAX;) {
        char *tab = strchr(at, '\t');

        fields[count++] = at;
        if (tab)
            *tab++ = '\0';
        at = tab;
    }
    return count;
}

static uint16_t number(const char *text)
{
    return (uint16_t)strtoul(text, NULL, 10);
}

static int take_line(struct sunspec_models *models, char *line)
{
    struct model *model = models->count ? &models->models[models->count - 1] : NULL;
    struct row *row = &models->rows[models->row_count];
    char *fields[FIELDS_MAX];
    size_t count = split(line, fields);

    if (strcmp(fields[0], "M") == 0 && count == 4 && models->count < MODELS_MAX) {
        models->models[models->count++] =
            (struct model){number(fields[1]), fields[3], models->row_count, 0};
        return 0;
    }
    if (!model || models->row_count == ROWS_MAX)
        return ERR_INVALID;
    if (strcmp(fields[0], "G") == 0 && count == 4) {
        *row = (struct row){.offset = number(fields[1]),
                            .registers = number(fields[2]),
                            .group = true,
                            .count = fields[3]};
        if (row->registers == 0)
            return ERR_INVALID;
    } else if (strcmp(fields[0], "P") == 0 && count == FIELDS_MAX) {
        *row = (struct row){.offset = number(fields[1]),
                            .registers = number(fields[3]),
                            .type = fields[2],
                            .na = fields[4],
                            .scale = fields[5],
                            .factor = fields[6],
                            .id = fields[7],
                            .name = fields[8],
                            .unit = fields[9],
                            .ucum = fields[10],
                            .class = fields[11],
                            .state = fields[12],
                            .read = fields[13][0] == '1',
                            .enums = fields[14]};
    } else {
        return ERR_INVALID;
    }
    models->row_count++;
    model->rows++;
    return 0;
}

int sunspec_models_open(struct sunspec_models **models, const char *path)
{
    struct sunspec_models *made = calloc(1, sizeof *made);
    size_t size;
    int error = made ? shelf_read(path, SHELF_FILE_SIZE_MAX, &made->text, &size) : ERR_NOMEM;
    char *rest = NULL;

    *models = NULL;
    for (char *line = error ? NULL : strtok_r(made->text, "\n", &rest); line && !error;
         line = strtok_r(NULL, "\n", &rest)) {
        if (line[0] != '#')
            error = take_line(made, line);
    }
    if (error) {
        sunspec_models_close(made);
        return error;
    }
    *models = made;
    return 0;
}

void sunspec_models_close(struct sunspec_models *models)
{
    if (models)
        free(models->text);
    free(models);
}

size_t sunspec_models_count(const struct sunspec_models *models)
{
    return models->count;
}

/* A walk, and the model that it is at. */
struct walk {
    const struct sunspec_models *models;
    sunspec_read_fn *read;
    void *read_context;
    const struct sunspec_visitor *visitor;
    uint16_t address;                   /* of the model number */
    uint16_t registers[LENGTH_MAX + 2]; /* of the model, its number and length included */
    unsigned size;                      /* how many there are */
    uint32_t ids[IDS_MAX];              /* hashes of those that were told */
    size_t id_count;
    char prefix[16]; /* of the ids of the model */
};

static int read_registers(struct walk *walk, uint32_t address, unsigned count, uint16_t *registers)
{
    for (unsigned done = 0; done < count;) {
        unsigned part = count - done < SUNSPEC_READ_MAX ? count - done : SUNSPEC_READ_MAX;
        int error = walk->read(walk->read_context, (uint16_t)(address + done), (uint16_t)part,
                               registers + done);

        if (error)
            return error;
        done += part;
    }
    return 0;
}

/* Finds the marker; the register behind it, or an error. */
static int32_t find_marker(struct walk *walk)
{
    static const uint16_t places[] = {40000, 0, 50000};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        uint16_t marker[2];
        int error = read_registers(walk, places[i], 2, marker);

        if (error && error != ERR_EXCEPTION)
            return error;
        if (!error && marker[0] == MARKER_FIRST && marker[1] == MARKER_SECOND)
            return places[i];
    }
    return ERR_NOT_FOUND;
}

/* FNV-1a. Two ids with one hash only make the second longer than it had to be. */
static uint32_t hash_of(const char *id)
{
    uint32_t hash = 2166136261U;

    for (; *id; id++)
        hash = (hash ^ (uint8_t)*id) * 16777619U;
    return hash;
}

static bool was_told(const struct walk *walk, const char *id)
{
    uint32_t hash = hash_of(id);

    for (size_t i = 0; i < walk->id_count; i++) {
        if (walk->ids[i] == hash)
            return true;
    }
    return false;
}

/* The text with the number in place of "#". */
static void put_number(char *out, size_t size, const char *text, unsigned number_of)
{
    const char *mark = strchr(text, '#');

    if (mark && number_of)
        snprintf(out, size, "%.*s%u%s", (int)(mark - text), text, number_of, mark + 1);
    else
        snprintf(out, size, "%s", text);
}

static void put_id(const struct walk *walk, char out[SUNSPEC_ID_SIZE], const struct row *row,
                   unsigned repetition)
{
    char id[SUNSPEC_ID_SIZE];

    put_number(id, sizeof id, row->id, repetition);
    snprintf(out, SUNSPEC_ID_SIZE, "%s%.40s", walk->prefix, id);
}

/* When an earlier model has told one of the ids, as that of a second meter behind an inverter, all
 * of this one begin with its number: "m203_", then "m203_2_". */
static void choose_prefix(struct walk *walk, const struct model *model)
{
    const struct row *rows = &walk->models->rows[model->first];
    char id[SUNSPEC_ID_SIZE];
    bool free = false;

    walk->prefix[0] = '\0';
    for (unsigned again = 1; !free && again <= MODELS_MAX; again++) {
        free = true;
        for (size_t i = 0; i < model->rows && free; i++) {
            if (rows[i].group)
                continue;
            put_id(walk, id, &rows[i], 1);
            free = !was_told(walk, id);
        }
        if (!free && again == 1)
            snprintf(walk->prefix, sizeof walk->prefix, "m%u_", model->number);
        else if (!free)
            snprintf(walk->prefix, sizeof walk->prefix, "m%u_%u_", model->number, again);
    }
}

static void name_point(struct walk *walk, struct sunspec_point *point, const struct row *row,
                       unsigned repetition)
{
    put_id(walk, point->id, row, repetition);
    put_number(point->name, sizeof point->name, row->name, repetition);
    if (walk->id_count < IDS_MAX)
        walk->ids[walk->id_count++] = hash_of(point->id);
}

/* Whether the device has the point: SunSpec keeps a number of each type for those that it lacks. */
static bool is_implemented(const struct walk *walk, const struct row *row, unsigned at)
{
    const uint16_t *registers = &walk->registers[at];
    uint64_t raw = 0;

    if (strcmp(row->type, "string") == 0)
        return registers[0] != 0;
    for (unsigned i = 0; i < row->registers; i++)
        raw = raw << 16 | registers[i];
    if (strcmp(row->type, "f32") == 0)
        return (raw & 0x7F800000) != 0x7F800000;
    if (!*row->na)
        return true;
    uint64_t mask = row->registers >= 4 ? UINT64_MAX : (UINT64_C(1) << 16 * row->registers) - 1;
    uint64_t missing =
        row->na[0] == '-' ? (uint64_t)strtoll(row->na, NULL, 10) : strtoull(row->na, NULL, 10);
    return raw != (missing & mask);
}

/* "@6": the register of the model that holds a power of ten; else a fixed one, or none. What is too
 * far away to be read with the value is taken as it is now: it is a constant of the device. */
static void scale_point(const struct walk *walk, struct sunspec_point *point, const char *scale,
                        unsigned at)
{
    point->scale_address = -1;
    if (*scale != '@') {
        point->power = atoi(scale);
        return;
    }
    unsigned place = number(scale + 1);
    if (place >= walk->size)
        return;
    unsigned first = place < at ? place : at, last = place > at ? place : at + point->registers - 1;
    int16_t power = (int16_t)walk->registers[place];
    if (power == NOT_A_FACTOR || power < -10 || power > 10)
        point->implemented = false;
    if (last - first < SPAN_MAX)
        point->scale_address = walk->address + (int32_t)place;
    else
        point->power = power;
}

static void tell_point(struct walk *walk, const struct row *row, unsigned at, unsigned repetition)
{
    struct sunspec_point point = {
        .unit = row->unit,
        .ucum = row->ucum,
        .class = row->class,
        .state = row->state,
        .type = row->type,
        .na = row->na,
        .enums = row->enums,
        .factor = row->factor,
        .model = walk->registers[0],
        .address = (uint16_t)(walk->address + at),
        .registers = row->registers,
    };

    if (at + row->registers > walk->size) /* an older edition of the model ends before it */
        return;
    point.implemented = is_implemented(walk, row, at);
    scale_point(walk, &point, row->scale, at);
    point.read = row->read && point.implemented;
    name_point(walk, &point, row, repetition);
    walk->visitor->point(walk->visitor->context, &point);
}

static unsigned repetitions(const struct walk *walk, const struct row *group)
{
    unsigned fit = group->offset < walk->size ? (walk->size - group->offset) / group->registers : 0;
    unsigned count = group->count[0] == '*' ? fit : number(group->count);

    if (group->count[0] == '@')
        count =
            number(group->count + 1) < walk->size ? walk->registers[number(group->count + 1)] : 0;
    if (count > fit)
        count = fit;
    return count < GROUP_MANY_MAX ? count : GROUP_MANY_MAX;
}

/* The points before the first group, and each group as often as it is there. */
static void tell_points(struct walk *walk, const struct model *model)
{
    const struct row *row = &walk->models->rows[model->first], *end = row + model->rows;

    for (; row < end && !row->group; row++)
        tell_point(walk, row, row->offset, 0);
    while (row < end) {
        const struct row *group = row++, *behind = row;
        unsigned many = repetitions(walk, group);

        while (behind < end && !behind->group)
            behind++;
        for (unsigned i = 0; i < many; i++) {
            for (const struct row *each = row; each < behind; each++)
                tell_point(walk, each, group->offset + i * group->registers + each->offset, i + 1);
        }
        row = behind;
    }
}

static const struct model *find_model(const struct sunspec_models *models, uint16_t model)
{
    for (size_t i = 0; i < models->count; i++) {
        if (models->models[i].number == model)
            return &models->models[i];
    }
    return NULL;
}

/* The model at walk->address; 1 when it is the end of the chain. */
static int take_model(struct walk *walk)
{
    int error = read_registers(walk, walk->address, 2, walk->registers);

    if (error)
        return error;
    if (walk->registers[0] == END_OF_CHAIN)
        return 1;
    struct sunspec_model found = {
        .number = walk->registers[0], .address = walk->address, .length = walk->registers[1]};
    const struct model *model = find_model(walk->models, found.number);
    if (walk->address + 2u + found.length > 65535)
        return ERR_INVALID;
    found.label = model ? model->label : NULL;
    walk->visitor->model(walk->visitor->context, &found);
    if (!model)
        return 0;
    walk->size = 2u + (found.length < LENGTH_MAX ? found.length : LENGTH_MAX);
    error = read_registers(walk, walk->address + 2u, walk->size - 2, walk->registers + 2);
    if (error)
        return error;
    choose_prefix(walk, model);
    tell_points(walk, model);
    return 0;
}

int32_t sunspec_walk(const struct sunspec_models *models, sunspec_read_fn *read, void *read_context,
                     const struct sunspec_visitor *visitor)
{
    struct walk *walk = calloc(1, sizeof *walk);
    int32_t marker = ERR_NOMEM;
    int error = 0;

    if (!walk)
        return marker;
    walk->models = models;
    walk->read = read;
    walk->read_context = read_context;
    walk->visitor = visitor;
    marker = find_marker(walk);
    walk->address = (uint16_t)(marker + 2);
    for (unsigned i = 0; marker >= 0 && !error && i < MODELS_MAX; i++) {
        error = take_model(walk);
        walk->address = (uint16_t)(walk->address + 2 + walk->registers[1]);
    }
    free(walk);
    return marker < 0 || error == 1 ? marker : error < 0 ? error : ERR_INVALID;
}
