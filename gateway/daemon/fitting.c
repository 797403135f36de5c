#include "daemon/fitting.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/catalog.h"
#include "config/config.h"
#include "daemon/gateway.h"

#define SQUEEZED_SIZE     512
#define MODEL_LETTERS_MIN 3

struct fitting {
    struct config_parts parts;
    struct catalog *catalog;
};

struct fitting *fitting_open(void)
{
    struct fitting *fitting = calloc(1, sizeof *fitting);

    if (!fitting)
        return NULL;
    gateway_config_parts(&fitting->parts);
    if (catalog_open(&fitting->catalog, &fitting->parts, config_tell_stdio, stderr) == 0)
        return fitting;
    free(fitting);
    return NULL;
}

void fitting_close(struct fitting *fitting)
{
    if (!fitting)
        return;
    catalog_close(fitting->catalog);
    free(fitting);
}

/* Appends letters and digits in lower case. */
static void squeeze(char out[SQUEEZED_SIZE], const char *text)
{
    size_t size = strlen(out);

    for (; *text && size < SQUEEZED_SIZE - 1; text++) {
        if (isalnum((unsigned char)*text))
            out[size++] = (char)tolower((unsigned char)*text);
    }
    out[size] = '\0';
}

static bool is_among(const char *said, const char *vendor, const char *model)
{
    char squeezed_vendor[SQUEEZED_SIZE] = "", squeezed_model[SQUEEZED_SIZE] = "";

    squeeze(squeezed_vendor, vendor);
    squeeze(squeezed_model, model);
    return *squeezed_vendor && strlen(squeezed_model) >= MODEL_LETTERS_MIN &&
           strstr(said, squeezed_vendor) && strstr(said, squeezed_model);
}

bool fitting_is(const char *const *texts, size_t count, const char *vendor, const char *model)
{
    char said[SQUEEZED_SIZE] = "";

    for (size_t i = 0; i < count; i++)
        squeeze(said, texts[i]);
    return is_among(said, vendor, model);
}

const char *fitting_profile(struct fitting *fitting, const char *const *texts, size_t count)
{
    char said[SQUEEZED_SIZE] = "";
    const char *best = NULL;
    size_t best_size = 0;

    for (size_t i = 0; i < count; i++)
        squeeze(said, texts[i]);
    for (size_t i = 0; fitting && i < catalog_count(fitting->catalog); i++) {
        const struct catalog_profile *profile = catalog_at(fitting->catalog, i);
        char model[SQUEEZED_SIZE] = "";

        squeeze(model, profile->model);
        if (strlen(model) <= best_size || !is_among(said, profile->vendor, profile->model))
            continue;
        best = profile->name;
        best_size = strlen(model);
    }
    return best;
}
