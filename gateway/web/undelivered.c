#include "web/undelivered.h"

#include <string.h>

#include "config/json.h"
#include "config/json_write.h"
#include "journal/cursor.h"

struct looking {
    const struct journal *journal;
    const struct json *uplinks; /* of the configuration; NULL: it has none */
    struct json_writer *writer;
};

static const char *text_of(const struct json *object, const char *key)
{
    const struct json *value = json_find(object, key);

    return value && value->type == JSON_STRING ? value->text : "";
}

/* The uplink's id of a place that counts; NULL for another cursor. */
static const char *id_of(const struct cursor_ledger *ledger)
{
    static const char prefix[] = "uplink/";
    const size_t size = sizeof prefix - 1;

    return *ledger->trial || strncmp(ledger->name, prefix, size) != 0 ? NULL : ledger->name + size;
}

struct finding {
    const char *id;
    bool found;
};

static void find_place(void *context, const struct cursor_ledger *ledger)
{
    struct finding *finding = context;
    const char *id = id_of(ledger);

    finding->found |= id && strcmp(id, finding->id) == 0;
}

static bool has_place(const struct journal *journal, const char *id)
{
    struct finding finding = {.id = id};

    cursor_each(journal, find_place, &finding);
    return finding.found;
}

/* Whether an uplink has that id, or takes its place over: who has one already takes over none. */
static bool goes_on(const struct looking *looking, const char *id)
{
    const struct json *uplink = looking->uplinks ? looking->uplinks->first : NULL;

    for (; uplink; uplink = uplink->next) {
        if (strcmp(text_of(uplink, "id"), id) == 0 ||
            (strcmp(text_of(uplink, "was"), id) == 0 &&
             !has_place(looking->journal, text_of(uplink, "id"))))
            return true;
    }
    return false;
}

static void write_one(void *context, const struct cursor_ledger *ledger)
{
    const struct looking *looking = context;
    const char *id = id_of(ledger);

    if (!id || ledger->pending == 0 || goes_on(looking, id))
        return;
    json_write_open(looking->writer, NULL, '{');
    json_write_text(looking->writer, "uplink", id);
    json_write_integer(looking->writer, "events", (int64_t)ledger->pending);
    json_write_close(looking->writer, '}');
}

void undelivered_write(struct json_writer *writer, const struct journal *journal,
                       const struct json *config)
{
    struct looking looking = {.journal = journal, .writer = writer};
    const struct json *uplinks = json_find(config, "uplinks");

    if (uplinks && uplinks->type == JSON_LIST)
        looking.uplinks = uplinks;
    json_write_open(writer, "undelivered", '[');
    cursor_each(journal, write_one, &looking);
    json_write_close(writer, ']');
}
