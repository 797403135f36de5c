/* The desk's own state, for the files that are its parts. */
#ifndef SLUICE_FIELD_DESK_INSIDE_H
#define SLUICE_FIELD_DESK_INSIDE_H

#include <pthread.h>

#include "field/desk.h"
#include "field/payload_command.h"
#include "journal/reader.h"

#define ENTRY_WAITERS_MAX 4

enum entry_state {
    ENTRY_FREE,
    ENTRY_TAKEN,    /* to be stored */
    ENTRY_WITH_BUS, /* stored, and handed over */
    ENTRY_ANSWERED, /* its result is to be stored */
    ENTRY_DONE,     /* kept for those who ask again */
};

/* One command, from its arrival until its id is forgotten. */
struct entry {
    enum entry_state state;
    struct entry *next; /* in the list of its state */
    uint64_t token;     /* rises with each */
    char id[COMMAND_ID_SIZE_MAX], by[COMMAND_BY_SIZE_MAX];
    char device[ID_SIZE_MAX], point[ID_SIZE_MAX];
    uint32_t content; /* of what it is to do, to tell a retry from another command of that id */
    uint32_t stream;
    int8_t decimals;
    bool refused; /* was never accepted: it is stored, and then forgotten */
    bool accepted, put;
    bool untold; /* nobody was there for its last answer */
    int64_t expires_mono_ns, expires_ms, ttl_ms;
    struct value value; /* to be written; later what was read back */
    char *text;         /* that the value borrows */
    char *words;
    uint16_t status;
    uint64_t command_n, n; /* of the command; of the newest event */
    uint32_t epoch;
    int64_t wall_ns;
    struct command_sender *waiters[ENTRY_WAITERS_MAX];
};

struct entry_list {
    struct entry *first, **last;
};

struct bucket {
    int64_t full_at_ns; /* monotonic: when it would be full again */
};

struct desk_bus {
    const struct site_bus *bus;
    struct host *host;
    struct desk_bus *next;
};

struct desk {
    struct command_desk base; /* first: what others get a pointer to */
    struct journal *journal;
    const struct clock *clock;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work, ready;
    bool is_ready, closing;
    struct desk_bus *buses;
    struct command_sender *senders;
    struct bucket remote, local;
    uint64_t token;
    struct entry_list taken, answered;
    struct entry entries[DESK_COMMANDS_MAX];
};

/* desk_entries.c: the memory of commands. All with the lock held. */

void entry_list_init(struct entry_list *list);
void entry_list_append(struct entry_list *list, struct entry *entry);

/* The command of that sender and id; NULL. */
struct entry *entry_find(struct desk *desk, const char *by, const char *id);
struct entry *entry_of_token(struct desk *desk, uint64_t token);

/*
 * A new one. Where all are in use the oldest makes room that is done and could not be executed any
 * more if it came again; NULL when there is none. `now_ms`: wall clock, or INT64_MAX: any.
 */
struct entry *entry_new(struct desk *desk, const char *by, const char *id, int64_t now_ms);
void entry_free(struct entry *entry);

/* Keeps a copy of the value, and of the words (NULL: none). */
void entry_keep(struct entry *entry, const struct value *value, const char *words,
                size_t words_size);

bool entry_add_waiter(struct entry *entry, struct command_sender *sender);

/* Its result is known: it is to be stored. */
void entry_answer(struct desk *desk, struct entry *entry, uint16_t status,
                  const struct value *value, const char *words);

/* Tells those who wait, and forgets them after the last answer. */
void entry_tell(struct desk *desk, struct entry *entry, bool accepted);

/* What a command is to do, as a number. */
uint32_t entry_content(const char *device, const char *point, const struct value *value);

/* desk_store.c: from the memory to the journal and back. */

/* Stores commands and results and waits until they are durable; fills in their numbers. Returns 0
 * or why they are not durable; entry->put says which were taken at all. Without the lock. */
int desk_store(struct desk *desk, const struct entry_list *commands,
               const struct entry_list *results);

/* Remembers the commands of earlier runs; those without a result get one. Without the lock, before
 * anybody else is let in. */
void desk_look_back(struct desk *desk);

#endif
