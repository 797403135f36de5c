#include "web/setup.h"

#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "core/save.h"
#include "web/key.h"

#define LETTERS "ABCDEFGHJKLMNPQRSTUVWXYZ23456789" /* 32, none like another: 5 bits each */
#define HALF    4                                  /* letters before and behind the dash */

struct setup {
    char code[SETUP_CODE_SIZE];
    char path[PATH_MAX]; /* of the one that was made */
    bool fresh;          /* made at this start, and not told yet */
};

/* What counts of a code. */
static void reduce(const char *code, char out[SETUP_CODE_SIZE])
{
    size_t size = 0;

    for (; *code && size < SETUP_CODE_SIZE - 1; code++)
        if (isalnum((unsigned char)*code))
            out[size++] = (char)toupper((unsigned char)*code);
    out[size] = '\0';
}

/* False where the file is not there or holds no code that is long enough. */
static bool read_code(struct setup *setup, const char *path)
{
    char *data = NULL, reduced[SETUP_CODE_SIZE];
    size_t size;
    int error = save_read(path, SETUP_CODE_SIZE, &data, &size);

    if (error) {
        if (error != ERR_NOT_FOUND)
            log_error("web", "the setup code in %s cannot be read: %s", path, error_text(error));
        return false;
    }
    data[strcspn(data, "\r\n")] = '\0';
    reduce(data, reduced);
    bool taken = strlen(reduced) >= SETUP_CODE_SIZE_MIN && strlen(data) < SETUP_CODE_SIZE;
    if (taken)
        memcpy(setup->code, data, strlen(data) + 1);
    else
        log_error("web", "%s holds no setup code: at least %d letters and digits are expected",
                  path, SETUP_CODE_SIZE_MIN);
    free(data);
    return taken;
}

static int make_code(struct setup *setup)
{
    uint8_t random[2 * HALF];
    char line[SETUP_CODE_SIZE + 1];

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return ERR_IO;
    for (size_t i = 0; i < sizeof random; i++)
        setup->code[i + (i >= HALF)] = LETTERS[random[i] % (sizeof LETTERS - 1)];
    setup->code[HALF] = '-';
    int size = snprintf(line, sizeof line, "%s\n", setup->code);
    int error = save_file(setup->path, line, (size_t)size, 0600);
    if (error)
        log_warn("web", "%s cannot be written: %s; the next start makes another setup code",
                 setup->path, error_text(error));
    setup->fresh = true;
    return 0;
}

int setup_open(struct setup **out, const char *preset, const char *folder)
{
    struct setup *setup = calloc(1, sizeof *setup);
    int error = 0;

    if (!setup)
        return ERR_NOMEM;
    if ((size_t)snprintf(setup->path, sizeof setup->path, "%s/setup-code", folder) >=
        sizeof setup->path)
        error = ERR_TOO_LARGE;
    else if (!(preset && read_code(setup, preset)) && !read_code(setup, setup->path))
        error = make_code(setup);
    if (error) {
        setup_close(setup);
        return error;
    }
    *out = setup;
    return 0;
}

void setup_close(struct setup *setup)
{
    if (!setup)
        return;
    explicit_bzero(setup, sizeof *setup);
    free(setup);
}

void setup_announce(struct setup *setup)
{
    if (setup->fresh)
        log_info("web",
                 "this gateway has no owner yet: open its page and enter the setup code %s "
                 "(\"sluice setup\" shows it again)",
                 setup->code);
    setup->fresh = false;
}

const char *setup_code(const struct setup *setup)
{
    return setup->code;
}

bool setup_fits(const struct setup *setup, const char *code)
{
    char given[SETUP_CODE_SIZE], own[SETUP_CODE_SIZE];

    if (strlen(code) >= SETUP_CODE_SIZE)
        return false;
    reduce(code, given);
    reduce(setup->code, own);
    return key_equal(given, own);
}

void setup_done(struct setup *setup)
{
    if (unlink(setup->path) == 0)
        log_debug("web", "%s is used up", setup->path);
}
