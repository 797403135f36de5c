#include "cli/guess.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/catalog.h"
#include "config/config.h"
#include "daemon/gateway.h"

#define SQUEEZED_SIZE     512
#define MODEL_LETTERS_MIN 3

struct guess {
    struct config_parts parts;
    struct catalog *catalog;
};

struct guess *guess_open(void)
{
    struct guess *guess = calloc(1, sizeof *guess);

    if (!guess)
        return NULL;
    gateway_config_parts(&guess->parts);
    if (catalog_open(&guess->catalog, &guess->parts, config_tell_stdio, stderr) == 0)
        return guess;
    free(guess);
    return NULL;
}

void guess_close(struct guess *guess)
{
    if (!guess)
        return;
    catalog_close(guess->catalog);
    free(guess);
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

const char *guess_profile(struct guess *guess, const char *const *texts, size_t count)
{
    char said[SQUEEZED_SIZE] = "";
    const char *best = NULL;
    size_t best_size = 0;

    for (size_t i = 0; i < count; i++)
        squeeze(said, texts[i]);
    for (size_t i = 0; guess && i < catalog_count(guess->catalog); i++) {
        const struct catalog_profile *profile = catalog_at(guess->catalog, i);
        char vendor[SQUEEZED_SIZE] = "", model[SQUEEZED_SIZE] = "";

        squeeze(vendor, profile->vendor);
        squeeze(model, profile->model);
        if (!*vendor || strlen(model) < MODEL_LETTERS_MIN || strlen(model) <= best_size ||
            !strstr(said, vendor) || !strstr(said, model))
            continue;
        best = profile->name;
        best_size = strlen(model);
    }
    return best;
}
