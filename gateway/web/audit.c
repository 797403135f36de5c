#include "web/audit.h"

#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/words.h"

/* As many whole words as fit. */
static void put_words(struct text *text, const char *words)
{
    while (*words) {
        size_t size = strcspn(words, " ");
        size_t before = text->size;

        text_string(text, " ");
        text_raw(text, words, size);
        if (text->cut) {
            text->size = before;
            text->data[before] = '\0';
            return;
        }
        words += size;
        words += strspn(words, " ");
    }
}

void audit_note(struct journal *journal, const struct caller *caller, const char *what,
                const char *words)
{
    char line[AUDIT_WORDS_SIZE + 512];
    struct text text;

    text_init(&text, line, sizeof line);
    words_put(&text, "did", what);
    words_put(&text, "by", caller->account[0] ? caller->account : "nobody");
    words_put(&text, "from", caller->origin);
    put_words(&text, words);
    struct event event = {.kind = EVENT_CONFIG, .mono_ns = clock_mono(&clock_system)};
    event.value.type = VALUE_TEXT;
    event.value.data = line;
    event.value.size = (uint16_t)text.size;
    int error = journal_put(journal, &event);
    if (error)
        log_warn("web", "not stored in the audit trail, as %s: %s", error_text(error), line);
    else
        log_info("web", "%s", line);
}
