#include "core/words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void words_put(struct text *text, const char *key, const char *value)
{
    if (!*value)
        return;
    text_printf(text, "%s%s=", text->size ? " " : "", key);
    for (; *value; value++) {
        unsigned char letter = (unsigned char)*value;

        if (isalnum(letter) || strchr("-_./+:", letter))
            text_printf(text, "%c", letter);
        else
            text_printf(text, "%%%02X", letter);
    }
}

/* Where the value of a key begins; NULL. */
static const char *find(const char *words, const char *key)
{
    size_t size = strlen(key);

    for (const char *at = words; at; at = strchr(at, ' ')) {
        at += strspn(at, " ");
        if (strncmp(at, key, size) == 0 && at[size] == '=')
            return at + size + 1;
    }
    return NULL;
}

bool words_take(const char *words, const char *key, char *out, size_t size)
{
    const char *at = find(words, key);
    size_t used = 0;

    for (; at && *at && *at != ' ' && used + 1 < size; at++) {
        unsigned letter;

        if (*at == '%' && sscanf(at + 1, "%2x", &letter) == 1) {
            out[used++] = (char)letter;
            at += 2;
        } else {
            out[used++] = *at;
        }
    }
    out[used] = '\0';
    return at != NULL;
}
