/* The contents of a folder as values: what a disk begins with, and what is found on it. */
#include "faults/medium.h"

#include <string.h>

#include "faults/must.h"

void medium_image_add(struct medium_image *image, const char *name, const void *data, int64_t size)
{
    image->files = must_grow(image->files, image->count + 1, sizeof(*image->files));
    struct medium_file *file = &image->files[image->count++];
    snprintf(file->name, sizeof(file->name), "%s", name);
    file->size = size;
    file->data = size > 0 ? must_alloc((size_t)size) : NULL;
    if (size > 0)
        memcpy(file->data, data, (size_t)size);
}

struct medium_file *medium_image_find(const struct medium_image *image, const char *name)
{
    for (size_t i = 0; i < image->count; i++)
        if (strcmp(image->files[i].name, name) == 0)
            return &image->files[i];
    return NULL;
}

void medium_image_remove(struct medium_image *image, const char *name)
{
    struct medium_file *file = medium_image_find(image, name);
    if (file == NULL)
        return;
    free(file->data);
    *file = image->files[--image->count];
}

void medium_image_clear(struct medium_image *image)
{
    for (size_t i = 0; i < image->count; i++)
        free(image->files[i].data);
    free(image->files);
    *image = (struct medium_image){0};
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ (hash >> 29);
}

uint64_t medium_image_hash(const struct medium_image *image)
{
    uint64_t sum = image->count;
    for (size_t i = 0; i < image->count; i++) {
        const struct medium_file *file = &image->files[i];
        uint64_t hash = mix(1, (uint64_t)file->size);
        for (const char *c = file->name; *c != 0; c++)
            hash = mix(hash, (uint8_t)*c);
        int64_t at = 0;
        for (; at + 8 <= file->size; at += 8) {
            uint64_t word;
            memcpy(&word, file->data + at, sizeof(word));
            hash = mix(hash, word);
        }
        for (; at < file->size; at++)
            hash = mix(hash, file->data[at]);
        sum += hash;
    }
    return sum;
}
