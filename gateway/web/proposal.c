#include "web/proposal.h"

#include <stdlib.h>
#include <string.h>

#include "config/difference.h"
#include "config/explain.h"
#include "config/json_write.h"
#include "config/lines.h"
#include "core/error.h"
#include "core/save.h"
#include "web/undelivered.h"

static void tell(void *context, const struct config_error *error)
{
    struct proposal *proposal = context;
    struct json_writer writer = {.out = proposal->told, .depth = 0};
    const char *name = strrchr(error->file, '/');

    if (proposal->mistakes++ == 0)
        snprintf(proposal->first, sizeof proposal->first, "line %d: %s%s%s", error->line,
                 error->key, *error->key ? ": " : "", error->sentence);
    else
        fputc(',', proposal->told);
    json_write_open(&writer, NULL, '{');
    json_write_text(&writer, "file", name ? name + 1 : error->file);
    json_write_integer(&writer, "line", error->line);
    json_write_integer(&writer, "column", error->column);
    json_write_text(&writer, "key", error->key);
    json_write_text(&writer, "sentence", error->sentence);
    json_write_close(&writer, '}');
}

static int refuse(struct proposal *proposal, int error, const char *sentence)
{
    snprintf(proposal->why, sizeof proposal->why, "%s", sentence);
    return error;
}

static int read_file(struct proposal *proposal, const char *path, const char *first)
{
    size_t size;
    int error = save_read(path, JSON_SIZE_MAX, &proposal->old, &size);

    if (error == ERR_NOT_FOUND) {
        snprintf(proposal->revision, sizeof proposal->revision, "%s", HISTORY_NO_REVISION);
        proposal->old = strdup(first);
        return proposal->old ? 0 : ERR_NOMEM;
    }
    if (!error)
        history_revision(proposal->old, size, proposal->revision);
    return error;
}

static int take_text(struct proposal *proposal, const struct json *body)
{
    const struct json *text = json_find(body, "text"), *edits = json_find(body, "edits");

    if (!text == !edits || (text && text->type != JSON_STRING))
        return refuse(proposal, ERR_INVALID,
                      "expected is \"text\" (the whole file) or \"edits\" (a list of edits)");
    if (text) {
        proposal->size = text->size;
        proposal->text = strdup(text->text);
        return proposal->text ? 0 : ERR_NOMEM;
    }
    proposal->edit_error = edit_text(edits, proposal->old, strlen(proposal->old), &proposal->text,
                                     &proposal->size, proposal->why);
    return proposal->edit_error == ERR_INVALID || proposal->edit_error == ERR_NOMEM
               ? proposal->edit_error
               : 0;
}

int proposal_open(struct proposal *proposal, const struct json *body, const char *path,
                  const char *first, const struct config_parts *parts)
{
    memset(proposal, 0, sizeof *proposal);
    int error = read_file(proposal, path, first);
    if (error)
        return refuse(proposal, error, error_text(error));
    error = take_text(proposal, body);
    if (error)
        return *proposal->why ? error : refuse(proposal, error, error_text(error));
    proposal->told = open_memstream(&proposal->told_text, &proposal->told_size);
    if (!proposal->told)
        return refuse(proposal, ERR_NOMEM, error_text(ERR_NOMEM));
    if (proposal->edit_error)
        tell(proposal, &(struct config_error){path, 0, 0, "", proposal->why});
    else
        config_load_text(&proposal->config, proposal->text, path, parts, tell, proposal);
    fflush(proposal->told);
    return 0;
}

void proposal_close(struct proposal *proposal)
{
    config_free(proposal->config);
    if (proposal->told)
        fclose(proposal->told);
    free(proposal->told_text);
    free(proposal->text);
    free(proposal->old);
}

/* Both texts as trees; what cannot be read is NULL. */
struct trees {
    struct arena *arena;
    struct json *old, *new;
};

static bool open_trees(struct trees *trees, const struct proposal *proposal)
{
    *trees = (struct trees){0};
    if (arena_open(&trees->arena))
        return false;
    json_read(&trees->old, trees->arena, proposal->old, strlen(proposal->old), NULL, NULL);
    if (proposal->text)
        json_read(&trees->new, trees->arena, proposal->text, proposal->size, NULL, NULL);
    return true;
}

void proposal_words(const struct proposal *proposal, char *out, size_t size)
{
    struct trees trees;

    out[0] = '\0';
    if (!open_trees(&trees, proposal))
        return;
    if (difference_words(trees.old, trees.new, out, size) == 0)
        snprintf(out, size, "%s",
                 strcmp(proposal->old, proposal->text) == 0 ? "" : "comments and layout");
    arena_close(trees.arena);
}

static void write_lines(const struct proposal *proposal, struct json_writer *writer)
{
    char *lines = NULL;
    size_t size;
    FILE *out = open_memstream(&lines, &size);

    if (out) {
        lines_compare(proposal->old, proposal->text, out);
        fclose(out);
    }
    json_write_text(writer, "lines", lines ? lines : "");
    free(lines);
}

void proposal_write_mistakes(const struct proposal *proposal, struct json_writer *writer)
{
    json_write_open(writer, "errors", '[');
    if (proposal->mistakes > 0)
        json_write_raw(writer, NULL, proposal->told_text);
    json_write_close(writer, ']');
}

void proposal_write(struct proposal *proposal, const struct journal *journal,
                    struct json_writer *writer)
{
    struct trees trees;

    json_write_bool(writer, "ok", proposal->config != NULL);
    json_write_text(writer, "revision", proposal->revision);
    proposal_write_mistakes(proposal, writer);
    if (proposal->text && open_trees(&trees, proposal)) {
        if (trees.new)
            difference_write(writer, "difference", trees.old, trees.new);
        if (proposal->config)
            undelivered_write(writer, journal, trees.new);
        arena_close(trees.arena);
        write_lines(proposal, writer);
        json_write_text(writer, "text", proposal->text);
    }
    if (proposal->config)
        config_explain_meaning(proposal->config, writer, "meaning");
}
