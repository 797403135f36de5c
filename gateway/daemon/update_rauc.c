#include "daemon/update_rauc.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/json.h"
#include "core/clock.h"
#include "core/error.h"
#include "web/program.h"

#define ANSWER_MAX (64 * 1024)
#define SILENT_S   (15 * 60) /* an installation that says nothing for so long hangs */
#define LINE_SIZE  256
#define BUSY_WORDS "already processing a different method"

/* How long it may take on a board with a slow card that has much to do. */
#define STATE_S  20
#define BUNDLE_S 120 /* it reads the signature, and where the bundle begins */

static void copy_text(char *out, size_t size, const struct json *object, const char *key)
{
    const struct json *value = json_find(object, key);

    snprintf(out, size, "%s", value && value->type == JSON_STRING ? value->text : "");
}

static bool is_word(const struct json *object, const char *key, const char *word)
{
    const struct json *value = json_find(object, key);

    return value && value->type == JSON_STRING && strcmp(value->text, word) == 0;
}

/* Runs it to its end, which may be one by force. */
static int run(const char *const arguments[], int time_s, char **out, size_t *size,
               char words[UPDATE_WORDS_SIZE])
{
    int code =
        program_ask_other(arguments, time_s, ANSWER_MAX, out, size, words, UPDATE_WORDS_SIZE);

    if (code == ERR_TIMEOUT)
        snprintf(words, UPDATE_WORDS_SIZE,
                 "rauc has not answered within %d s: try again when the machine has less to do",
                 time_s);
    return code;
}

/* Runs it and reads the JSON that it answers with; the tree lives in *arena, which is the caller's
 * to close. */
static const struct json *ask(const char *const arguments[], int time_s, struct arena **arena,
                              int *error, char words[UPDATE_WORDS_SIZE])
{
    struct json *root = NULL;
    char *out = NULL;
    size_t size = 0;
    int code = run(arguments, time_s, &out, &size, words);

    *arena = NULL;
    *error = code == ERR_NOT_FOUND ? ERR_NOT_FOUND : code != 0 ? ERR_REFUSED : 0;
    if (code == 0 && arena_open(arena) == 0 &&
        json_read(&root, *arena, out, size, NULL, NULL) == 0 && root->type == JSON_OBJECT) {
        free(out);
        return root;
    }
    if (!*error)
        snprintf(words, UPDATE_WORDS_SIZE, "rauc answered with what is no JSON");
    *error = *error ? *error : ERR_REFUSED;
    free(out);
    return NULL;
}

static int64_t moment_ms(const struct json *installed)
{
    const struct json *stamp = json_find(installed, "timestamp");
    int64_t wall_ns;

    if (!stamp || stamp->type != JSON_STRING || clock_parse(stamp->text, 0, &wall_ns))
        return 0;
    return wall_ns / NS_PER_MS;
}

static void read_slot(struct update_slot *slot, const struct json *facts, const char *primary)
{
    const struct json *state = json_find(facts, "slot_status");

    snprintf(slot->name, sizeof slot->name, "%s", facts->key);
    copy_text(slot->label, sizeof slot->label, facts, "bootname");
    copy_text(slot->version, sizeof slot->version, json_find(state, "bundle"), "version");
    slot->booted = is_word(facts, "state", "booted");
    slot->good = is_word(facts, "boot_status", "good");
    slot->next = strcmp(slot->name, primary) == 0;
    slot->installed_ms = moment_ms(json_find(state, "installed"));
}

static int by_label(const void *a, const void *b)
{
    return strcmp(((const struct update_slot *)a)->label, ((const struct update_slot *)b)->label);
}

/* "slots" is a list of objects with one key each, the slot's name. */
static void read_slots(struct update_box *box, const struct json *root)
{
    const struct json *slots = json_find(root, "slots"), *entry;
    char primary[UPDATE_NAME_SIZE];

    copy_text(primary, sizeof primary, root, "boot_primary");
    for (entry = slots ? slots->first : NULL; entry; entry = entry->next) {
        const struct json *facts = entry->type == JSON_OBJECT ? entry->first : NULL;
        const struct json *label = json_find(facts, "bootname");

        /* Others belong to one that can be started. */
        if (label && label->type == JSON_STRING && box->count < UPDATE_SLOTS_MAX)
            read_slot(&box->slots[box->count++], facts, primary);
    }
    qsort(box->slots, box->count, sizeof *box->slots, by_label);
}

int update_rauc_look(struct update_box *box, char words[UPDATE_WORDS_SIZE])
{
    static const char *const arguments[] = {"rauc", "status", "--detailed", "--output-format=json",
                                            NULL};
    struct arena *arena;
    int error;
    const struct json *root = ask(arguments, STATE_S, &arena, &error, words);

    memset(box, 0, sizeof *box);
    if (root) {
        copy_text(box->board, sizeof box->board, root, "compatible");
        read_slots(box, root);
        if (box->count == 0) {
            error = ERR_UNSUPPORTED;
            snprintf(words, UPDATE_WORDS_SIZE, "rauc knows no slot that can be started");
        }
    }
    arena_close(arena);
    if (error == ERR_REFUSED)
        error = strstr(words, BUSY_WORDS) ? ERR_BUSY : ERR_UNSUPPORTED;
    return error;
}

int update_rauc_read(const char *path, struct update_bundle *bundle, char words[UPDATE_WORDS_SIZE])
{
    const char *const arguments[] = {"rauc", "info", "--output-format=json", path, NULL};
    struct arena *arena;
    int error;
    const struct json *root = ask(arguments, BUNDLE_S, &arena, &error, words);

    copy_text(bundle->board, sizeof bundle->board, root, "compatible");
    copy_text(bundle->version, sizeof bundle->version, root, "version");
    arena_close(arena);
    return error;
}

/* --- what takes a while --- */

struct watched {
    update_progress_fn *progress;
    void *context;
    char line[LINE_SIZE];
    size_t size;
    char *words, complaints[UPDATE_WORDS_SIZE];
};

/* " 40% Copying image to rootfs.1", or what goes wrong: "LastError: ...". */
static bool see_line(struct watched *watched)
{
    const char *line = watched->line + strspn(watched->line, " ");
    char *end;
    long percent = strtol(line, &end, 10);

    if (isdigit((unsigned char)*line) && *end == '%' && percent <= 100)
        return watched->progress(watched->context, (int)percent, end + 1 + strspn(end + 1, " "));
    if (strncmp(line, "LastError:", 10) == 0)
        snprintf(watched->words, UPDATE_WORDS_SIZE, "%s", line + 10 + strspn(line + 10, " "));
    return true;
}

static bool see(struct watched *watched, const char *bytes, size_t size)
{
    bool on = true;

    for (size_t i = 0; i < size && on; i++) {
        if (bytes[i] != '\n' && watched->size < LINE_SIZE - 1) {
            watched->line[watched->size++] = bytes[i];
            continue;
        }
        watched->line[watched->size] = '\0';
        watched->size = 0;
        on = see_line(watched);
    }
    return on;
}

static bool take(struct watched *watched, struct pollfd *end, bool is_out)
{
    char chunk[1024];
    ssize_t got = end->revents ? read(end->fd, chunk, sizeof chunk) : -1;

    if (!end->revents)
        return true;
    if (got <= 0)
        end->fd = -1;
    else if (is_out)
        return see(watched, chunk, (size_t)got);
    else
        program_keep_words(watched->complaints, UPDATE_WORDS_SIZE, chunk, (size_t)got);
    return true;
}

/* Until both of its outputs have ended: 0; ERR_TIMEOUT when it hangs, ERR_CLOSED. */
static int follow(const struct program *program, struct watched *watched)
{
    struct pollfd ends[] = {{.fd = program->out, .events = POLLIN},
                            {.fd = program->err, .events = POLLIN}};
    unsigned silent_s = 0;

    while (ends[0].fd >= 0 || ends[1].fd >= 0) {
        int ready = poll(ends, 2, 1000);

        silent_s = ready > 0 ? 0 : silent_s + 1;
        if (silent_s >= SILENT_S)
            return ERR_TIMEOUT;
        bool on = ready > 0 ? take(watched, &ends[0], true) && take(watched, &ends[1], false)
                            : watched->progress(watched->context, -1, "");
        if (!on)
            return ERR_CLOSED;
    }
    return 0;
}

int update_rauc_install(const char *path, update_progress_fn *progress, void *context,
                        char words[UPDATE_WORDS_SIZE])
{
    const char *const arguments[] = {"rauc", "install", path, NULL};
    struct watched watched = {.progress = progress, .context = context, .words = words};
    struct program program;

    words[0] = '\0';
    int error = program_start_other(&program, arguments);
    if (error) {
        snprintf(words, UPDATE_WORDS_SIZE, "rauc cannot be started: %s", error_text(error));
        return ERR_REFUSED;
    }
    error = follow(&program, &watched);
    int code = error ? program_end(&program) : program_wait(&program);
    if (error == ERR_CLOSED || (!error && code == 0))
        return error;
    if (!*words)
        snprintf(words, UPDATE_WORDS_SIZE, "%s",
                 error ? "rauc has said nothing for a quarter of an hour" : watched.complaints);
    return ERR_REFUSED;
}

int update_rauc_switch(bool other, char words[UPDATE_WORDS_SIZE])
{
    const char *const arguments[] = {"rauc", "status", "mark-active", other ? "other" : "booted",
                                     NULL};
    char *out = NULL;
    size_t size = 0;
    int code = run(arguments, STATE_S, &out, &size, words);

    free(out);
    return code == 0 ? 0 : ERR_REFUSED;
}
