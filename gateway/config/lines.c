#include "config/lines.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

#define AROUND    3
#define CELLS_MAX (1024 * 1024) /* of the table below: 2 MiB for a moment */

struct line {
    const char *text;
    size_t size; /* without its end */
    bool same;   /* stands in the other text, too */
};

struct side {
    struct line *lines;
    size_t count;
};

static bool split(struct side *side, const char *text)
{
    size_t room = 1;

    for (const char *at = text; *at; at++)
        room += *at == '\n';
    side->count = 0;
    side->lines = calloc(room, sizeof *side->lines);
    while (side->lines && *text) {
        size_t size = strcspn(text, "\n");
        side->lines[side->count++] = (struct line){text, size, false};
        text += size + (text[size] == '\n');
    }
    return side->lines != NULL;
}

static bool equal(const struct line *a, const struct line *b)
{
    return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

/* Marks the longest common subsequence of the stretches, by the table of its lengths. */
static bool mark_common(struct line *old, size_t old_count, struct line *new, size_t new_count)
{
    size_t width = new_count + 1;
    uint16_t *longest = calloc((old_count + 1) * width, sizeof *longest);

    if (!longest)
        return false;
    for (size_t i = old_count; i-- > 0;) {
        for (size_t j = new_count; j-- > 0;) {
            uint16_t down = longest[(i + 1) * width + j], right = longest[i * width + j + 1];
            longest[i * width + j] = equal(&old[i], &new[j])
                                         ? (uint16_t)(longest[(i + 1) * width + j + 1] + 1)
                                     : down > right ? down
                                                    : right;
        }
    }
    for (size_t i = 0, j = 0; i < old_count && j < new_count;) {
        if (equal(&old[i], &new[j]))
            old[i++].same = new[j++].same = true;
        else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1])
            i++;
        else
            j++;
    }
    free(longest);
    return true;
}

static bool mark(struct side *old, struct side *new)
{
    size_t begin = 0, end = 0;
    size_t shorter = old->count < new->count ? old->count : new->count;

    while (begin < shorter && equal(&old->lines[begin], &new->lines[begin])) {
        old->lines[begin].same = new->lines[begin].same = true;
        begin++;
    }
    while (end < shorter - begin &&
           equal(&old->lines[old->count - 1 - end], &new->lines[new->count - 1 - end])) {
        old->lines[old->count - 1 - end].same = new->lines[new->count - 1 - end].same = true;
        end++;
    }
    size_t olds = old->count - begin - end, news = new->count - begin - end;
    if (olds == 0 || news == 0 || olds >= CELLS_MAX || news >= CELLS_MAX ||
        (olds + 1) * (news + 1) > CELLS_MAX)
        return true;
    return mark_common(old->lines + begin, olds, new->lines + begin, news);
}

static void put(FILE *out, char sign, const struct line *line)
{
    fputc(sign, out);
    fwrite(line->text, 1, line->size, out);
    fputc('\n', out);
}

/* A walk over both texts in step; `out` NULL only counts. */
struct walk {
    const struct side *old, *new;
    size_t i, j;
};

static bool at_end(const struct walk *walk)
{
    return walk->i == walk->old->count && walk->j == walk->new->count;
}

static bool at_change(const struct walk *walk)
{
    return (walk->i < walk->old->count && !walk->old->lines[walk->i].same) ||
           (walk->j < walk->new->count && !walk->new->lines[walk->j].same);
}

/* The changed lines at hand. */
static void pass_change(struct walk *walk, FILE *out)
{
    for (; walk->i < walk->old->count && !walk->old->lines[walk->i].same; walk->i++)
        if (out)
            put(out, '-', &walk->old->lines[walk->i]);
    for (; walk->j < walk->new->count && !walk->new->lines[walk->j].same; walk->j++)
        if (out)
            put(out, '+', &walk->new->lines[walk->j]);
}

/* At most `max` lines that are the same. Returns how many. */
static size_t pass_same(struct walk *walk, size_t max, FILE *out)
{
    size_t passed = 0;

    for (; passed < max && !at_end(walk) && !at_change(walk); passed++, walk->i++, walk->j++)
        if (out)
            put(out, ' ', &walk->old->lines[walk->i]);
    return passed;
}

/* From the walk's place, which is AROUND lines or less before a change, to AROUND lines behind the
 * last one that is near. */
static void pass_hunk(struct walk *walk, FILE *out)
{
    pass_same(walk, AROUND, out);
    for (;;) {
        pass_change(walk, out);
        struct walk ahead = *walk;
        size_t same = pass_same(&ahead, 2 * AROUND, NULL);
        if (at_end(&ahead) || !at_change(&ahead)) {
            pass_same(walk, AROUND, out);
            return;
        }
        pass_same(walk, same, out);
    }
}

static void show(const struct side *old, const struct side *new, FILE *out)
{
    struct walk walk = {old, new, 0, 0};

    for (;;) {
        size_t same = pass_same(&walk, SIZE_MAX, NULL);
        if (at_end(&walk))
            return;
        size_t back = same < AROUND ? same : AROUND;
        walk.i -= back;
        walk.j -= back;
        struct walk end = walk;
        pass_hunk(&end, NULL);
        size_t olds = end.i - walk.i, news = end.j - walk.j;
        fprintf(out, "@@ -%zu,%zu +%zu,%zu @@\n", walk.i + (olds > 0), olds, walk.j + (news > 0),
                news);
        pass_hunk(&walk, out);
    }
}

int lines_compare(const char *old_text, const char *new_text, FILE *out)
{
    struct side old = {0}, new = {0};
    bool done = split(&old, old_text) && split(&new, new_text) && mark(&old, &new);

    if (done)
        show(&old, &new, out);
    free(old.lines);
    free(new.lines);
    return done ? 0 : ERR_NOMEM;
}
