#include "cli/kinds.h"

#include <stdio.h>
#include <string.h>

#include "core/event.h"
#include "core/nearest.h"
#include "daemon/gateway.h"
#include "web/feed.h"

static void tell(const char *command, const char *word)
{
    struct nearest nearest;

    nearest_init(&nearest, word);
    for (int kind = EVENT_READING; kind <= EVENT_DECLARE; kind++)
        nearest_offer(&nearest, event_kind_name(kind));
    fprintf(stderr, "%s: --kind: found \"%s\"; allowed:", command, word);
    for (int kind = EVENT_READING; kind <= EVENT_DECLARE; kind++)
        fprintf(stderr, "%s %s", kind > EVENT_READING ? "," : "", event_kind_name(kind));
    fprintf(stderr, "%s%s%s\n", nearest.best ? "; did you mean \"" : "",
            nearest.best ? nearest.best : "", nearest.best ? "\"?" : "");
}

int kinds_parse(const char *command, const char *text, uint32_t *kinds)
{
    char word[64];

    while (text && *text) {
        size_t size = strcspn(text, ",");

        snprintf(word, sizeof word, "%.*s", (int)size, text);
        if (feed_parse_kinds(word, kinds) != 0 || size == 0 || size >= sizeof word) {
            tell(command, word);
            return EXIT_CODE_USAGE;
        }
        text += size + (text[size] == ',');
    }
    return EXIT_CODE_OK;
}
