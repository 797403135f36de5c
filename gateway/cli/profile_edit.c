#include "cli/profile_edit.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/profile_path.h"
#include "cli/vocabulary.h"
#include "config/file.h"
#include "core/error.h"
#include "core/save.h"
#include "core/shelf.h"
#include "core/text.h"
#include "daemon/gateway.h"

#define REG_5_DIGITS_MAX 9998 /* the address of 49999 */

static int64_t reg_of(const struct profile_line *line, bool zero_based)
{
    int64_t table = line->function == 4 ? 3 : 4;

    if (zero_based)
        return line->address;
    return line->address > REG_5_DIGITS_MAX ? table * 100000 + 1 + line->address
                                            : table * 10000 + 1 + line->address;
}

/* "Voltage L#-N" with the numbers that the id has. */
static void put_numbered(struct text *text, const char *word, const char *id)
{
    char name[128];
    size_t size = 0;

    for (; *word && size < sizeof name - 1; word++) {
        if (*word != '#') {
            name[size++] = *word;
            continue;
        }
        id += strcspn(id, "0123456789");
        while (*id >= '0' && *id <= '9' && size < sizeof name - 1)
            name[size++] = *id++;
    }
    text_json_string(text, name, size);
}

static void put_words(FILE *out, const struct json *entry, const char *id)
{
    static const char *const keys[] = {"name", "unit", "ucum", "class", "state"};
    char quoted[512];

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct json *word = json_find(entry, keys[i]);
        struct text text;

        if (!word || word->type != JSON_STRING)
            continue;
        text_init(&text, quoted, sizeof quoted);
        put_numbered(&text, word->text, id);
        fprintf(out, ", \"%s\": %s", keys[i], quoted);
    }
}

void profile_line_print(FILE *out, const struct profile_line *line, bool zero_based,
                        const struct config_parts *parts)
{
    char number[64];
    struct text text;

    text_init(&text, number, sizeof number);
    text_f64(&text, line->scale, DECIMALS_SHORTEST);
    fprintf(out, "{ \"id\": \"%s\", \"reg\": %" PRId64, line->id, reg_of(line, zero_based));
    if (zero_based && line->function == 4)
        fprintf(out, ", \"table\": \"input\"");
    fprintf(out, ", \"type\": \"%s\"", line->type);
    if (line->order)
        fprintf(out, ", \"order\": \"%s\"", line->order);
    if (line->scale != 1)
        fprintf(out, ", \"scale\": %s", number);
    struct vocabulary *words = vocabulary_open(parts);
    put_words(out, vocabulary_find(words, line->id), line->id);
    vocabulary_close(words);
    fputs(" }", out);
}

/* Behind the blanks and comments at `at`. */
static const char *skip(const char *at)
{
    for (;;) {
        at += strspn(at, " \t\r\n");
        if (at[0] == '/' && at[1] == '/') {
            at += strcspn(at, "\n");
        } else if (at[0] == '/' && at[1] == '*') {
            const char *end = strstr(at + 2, "*/");
            at = end ? end + 2 : at + strlen(at);
        } else {
            return at;
        }
    }
}

/* Behind the string that begins at `at`. */
static const char *skip_string(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        at += at[0] == '\\' && at[1];
    return *at ? at + 1 : at;
}

/* A value in the text. */
struct member {
    const char *begin, *end; /* end: behind it */
    const char *last;        /* behind the last token inside its brackets */
};

/* Behind the token at `at`, which is none of blanks or comments. */
static const char *skip_token(const char *at)
{
    if (*at == '"')
        return skip_string(at);
    size_t plain = strcspn(at, "{}[],:\"/ \t\r\n");
    return plain > 0 ? at + plain : at + 1;
}

/* The value that begins at `at`. False where the text ends within it. */
static bool measure(const char *at, struct member *member)
{
    int depth = 0;

    *member = (struct member){.begin = at, .last = at};
    while (*at) {
        const char *next = skip_token(at);

        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        if (depth == 0) {
            member->end = next;
            return true;
        }
        member->last = next;
        at = skip(next);
    }
    return false;
}

/* The value of a key of the outermost object of a text that is known to be JSON. */
static bool find_member(const char *text, const char *key, struct member *member)
{
    const char *at = skip(text);
    size_t size = strlen(key);

    if (*at != '{')
        return false;
    for (at = skip(at + 1); *at == '"'; at = *at == ',' ? skip(at + 1) : at) {
        const char *name = at + 1, *colon = skip(skip_string(at));

        if (*colon != ':' || !measure(skip(colon + 1), member))
            return false;
        if (strncmp(name, key, size) == 0 && name[size] == '"')
            return true;
        at = skip(member->end);
    }
    return false;
}

char *profile_edit_append(const char *text, const char *item)
{
    struct member list;
    char *made = NULL;
    size_t size;

    if (!find_member(text, "points", &list) || *list.begin != '[')
        return NULL;
    const char *bracket = list.end - 1, *tail = bracket;
    bool empty = skip(list.begin + 1) == bracket;
    const char *last = empty ? list.begin + 1 : list.last;
    while (tail > last && strchr(" \t\r\n", tail[-1]))
        tail--;
    FILE *out = open_memstream(&made, &size);
    if (!out)
        return NULL;
    fwrite(text, 1, (size_t)(last - text), out);
    fputs(empty || last[-1] == ',' ? "" : ",", out);
    fwrite(last, 1, (size_t)(tail - last), out);
    fprintf(out, "\n    %s\n  %s", item, bracket);
    if (fclose(out) != 0) {
        free(made);
        return NULL;
    }
    return made;
}

char *profile_edit_set(const char *text, const char *key, const char *value)
{
    const char *begin = skip(text);
    struct member old;
    char *made = NULL;
    size_t size;
    FILE *out = *begin == '{' ? open_memstream(&made, &size) : NULL;

    if (!out)
        return NULL;
    if (find_member(text, key, &old)) {
        fwrite(text, 1, (size_t)(old.begin - text), out);
        fprintf(out, "%s%s", value, old.end);
    } else {
        fwrite(text, 1, (size_t)(begin + 1 - text), out);
        fprintf(out, "\n  \"%s\": %s%s%s", key, value, *skip(begin + 1) == '}' ? "" : ",",
                begin + 1);
    }
    if (fclose(out) != 0) {
        free(made);
        return NULL;
    }
    return made;
}

char *profile_edit_read(const char *path)
{
    char *text;
    size_t size;

    return shelf_read(path, JSON_SIZE_MAX, &text, &size) == 0 ? text : NULL;
}

int profile_edit_write(const char *path, const char *text)
{
    return save_over(path, text, strlen(text), 0644);
}

static const char skeleton[] = "{\n"
                               "  \"confidence\": \"low\",\n"
                               "  \"numbering\": \"%s\",\n"
                               "  \"points\": [\n"
                               "  ]\n"
                               "}\n";

static const char *profile_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static size_t profile_name_size(const char *path)
{
    const char *name = profile_name(path), *suffix = strstr(name, ".json");

    return suffix ? (size_t)(suffix - name) : strlen(name);
}

/* Whether the profile is one that takes the point, and how it numbers registers. */
static int look(const char *path, const char *id, bool *zero_based)
{
    struct arena *arena;
    const struct json *root;
    int code = EXIT_CODE_SYSTEM;

    if (arena_open(&arena))
        return EXIT_CODE_SYSTEM;
    struct findings *findings = findings_open(arena);
    int error = findings ? file_read_json(&root, arena, path, findings) : ERR_NOMEM;
    if (error || findings_count(findings) > 0) {
        if (findings)
            findings_tell(findings, config_tell_stdio, stderr);
        code = EXIT_CODE_CONFIG;
    } else {
        const struct json *points = json_find(root, "points");
        const struct json *numbering = json_find(root, "numbering");
        const struct json *point = points ? points->first : NULL;

        if (!points || points->type != JSON_LIST) {
            fprintf(stderr,
                    "sluice read: %s has no list \"points\" that a point could be added to: write "
                    "\"points\": [] into it\n",
                    path);
            arena_close(arena);
            return EXIT_CODE_CONFIG;
        }
        *zero_based = numbering && numbering->text && strcmp(numbering->text, "0-based") == 0;
        while (point && (!json_find(point, "id") || !json_find(point, "id")->text ||
                         strcmp(json_find(point, "id")->text, id) != 0))
            point = point->next;
        code = point ? EXIT_CODE_CONFIG : EXIT_CODE_OK;
        if (point)
            fprintf(stderr, "sluice read: %s has a point \"%s\" already (line %u)\n", path, id,
                    point->at.line);
    }
    arena_close(arena);
    return code;
}

int profile_edit_check(const char *path, const char *id)
{
    char folder[PATH_MAX];
    bool zero_based;

    if (!profile_is_file(path)) {
        fprintf(stderr, "sluice read: --profile takes a file NAME.json, not \"%s\"\n", path);
        return EXIT_CODE_USAGE;
    }
    if (access(path, F_OK) == 0)
        return look(path, id, &zero_based);
    snprintf(folder, sizeof folder, "%.*s", (int)(profile_name(path) - path), path);
    if (access(*folder ? folder : ".", W_OK | X_OK) == 0)
        return EXIT_CODE_OK;
    fprintf(stderr, "sluice read: %s cannot be made: %s\n", path, strerror(errno));
    return EXIT_CODE_SYSTEM;
}

int profile_edit_file(const char *path, const struct profile_line *line, bool zero_based,
                      const struct config_parts *parts)
{
    char fresh[512], *old = NULL, *item = NULL, *made = NULL;
    size_t size;
    int code = EXIT_CODE_OK;

    if (access(path, F_OK) == 0) {
        code = look(path, line->id, &zero_based);
        old = code ? NULL : profile_edit_read(path);
    } else {
        snprintf(fresh, sizeof fresh, skeleton, zero_based ? "0-based" : "40001");
        old = strdup(fresh);
    }
    if (code)
        return code;
    FILE *out = open_memstream(&item, &size);
    if (out) {
        profile_line_print(out, line, zero_based, parts);
        fclose(out);
    }
    made = old && item ? profile_edit_append(old, item) : NULL;
    if (!made) {
        fprintf(stderr, "sluice read: %s has no list \"points\" that a point could be added to\n",
                path);
        code = EXIT_CODE_CONFIG;
    } else {
        int error = profile_edit_write(path, made);
        if (error)
            fprintf(stderr, "sluice read: %s cannot be written: %s\n", path, error_text(error));
        else
            fprintf(
                stderr,
                "%s has the point \"%s\" now. In the configuration: \"profile\": \"%.*s\", where "
                "the file is in the folder of your profiles (/etc/sluice/profiles)\n",
                path, line->id, (int)profile_name_size(path), profile_name(path));
        code = error ? EXIT_CODE_SYSTEM : EXIT_CODE_OK;
    }
    free(made);
    free(item);
    free(old);
    return code;
}
