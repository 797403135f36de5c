/*
 * Commands and their results: what they are in the journal, what the sender is told, and the seam
 * between whoever takes commands in (uplinks, the API) and the desk that has them executed. A
 * command is stored before it is executed, and executed at most once. Stored forms are specified in
 * docs/event-encoding.md.
 */
#ifndef SLUICE_CORE_COMMAND_H
#define SLUICE_CORE_COMMAND_H

#include "core/event.h"
#include "core/text.h"

#define COMMAND_JSON_SIZE_MAX   4096 /* of a command as it is handed in */
#define COMMAND_ANSWER_SIZE_MAX 8192 /* of what a sender is told at a time */
#define COMMAND_ID_SIZE_MAX     65   /* with its zero; A-Z a-z 0-9 - _ . : */
#define COMMAND_BY_SIZE_MAX     80   /* "mqtt:cloud", "unix:1000", "web:anna" */
#define COMMAND_TEXT_SIZE_MAX   1000 /* bytes of a text that is written or read back */
#define COMMAND_WORDS_SIZE_MAX  240
#define COMMAND_TTL_MAX_MS      3600000 /* the longest that one may wait to be executed */
#define COMMAND_PACKED_SIZE_MAX (COMMAND_TEXT_SIZE_MAX + COMMAND_WORDS_SIZE_MAX + 256)

/* Stored in the journal: values are fixed. */
enum command_op { COMMAND_WRITE = 1 };

/* The value of a command event, whose stream is the point's. */
struct command {
    uint8_t op; /* enum command_op */
    char id[COMMAND_ID_SIZE_MAX];
    char by[COMMAND_BY_SIZE_MAX];
    int64_t expires_ms; /* wall clock; 0: the sender gave none */
    int64_t ttl_ms;     /* how much of its time was left when it came */
    struct value value; /* text is borrowed */
};

/* The value of a result event, whose stream is the point's; the event's status says how it went. */
struct command_result {
    char id[COMMAND_ID_SIZE_MAX];
    char by[COMMAND_BY_SIZE_MAX];
    uint64_t command;   /* n of the command event; 0: unknown */
    struct value value; /* what was read back, VALUE_NONE where nothing was; text is borrowed */
    const char *words;  /* borrowed, not terminated; more than the status says */
    size_t words_size;  /* at most COMMAND_WORDS_SIZE_MAX */
};

/* Pack into `out`, COMMAND_PACKED_SIZE_MAX bytes; return the size. Texts are cut at their bounds.
 */
size_t command_pack(const struct command *command, uint8_t *out);
size_t command_result_pack(const struct command_result *result, uint8_t *out);

/* The reverse: texts borrow from `data`. 0, or ERR_CORRUPT. Safe for any bytes. */
int command_unpack(struct command *command, const uint8_t *data, size_t size);
int command_result_unpack(struct command_result *result, const uint8_t *data, size_t size);

/* Whether `id` can be one of a command: 1 to 64 of the characters above. */
bool command_id_valid(const char *id);

/* What a sender is told of a command: that it is stored and will be executed, or how it ended. */
struct command_answer {
    const char *id;
    bool accepted; /* the first of two answers; else it is the last */
    uint16_t status;
    const char *words;         /* zero-terminated; "": what the status says */
    const struct value *value; /* NULL or what was read back */
    int8_t decimals;           /* of a double */
    int64_t wall_ns;           /* of the event; 0: unknown */
    uint32_t epoch;
    uint64_t n; /* of the stored event; 0: it is not stored */
};

/* {"id":"7c1","accepted":true,...} or {"id":"7c1","ok":true,"v":1,...}: see docs/commands.md. */
void command_answer_json(struct text *text, const struct command_answer *answer);

struct command_sender;

/* How a command came. */
struct command_delivery {
    bool retained; /* the broker kept it: who knows since when */
    bool late;     /* it may have waited somewhere on its way */
};

struct command_desk;

struct command_desk_ops {
    /*
     * Hands in a command, one JSON object (docs/commands.md). The sender's `answer` is called for
     * it once or twice, from within the call or later from another thread; a remote one is told
     * nothing of what names no id. Any thread; may wait shortly while the gateway starts.
     */
    void (*submit)(struct command_desk *desk, struct command_sender *sender, const char *json,
                   size_t size, const struct command_delivery *delivery);

    /* From now on the results of commands by `sender->by` that nobody else waits for are told
     * to it, too, and at once those that nobody was told yet. */
    void (*join)(struct command_desk *desk, struct command_sender *sender);

    /* When it returns the sender is not called any more. Also for one that never joined. */
    void (*leave)(struct command_desk *desk, struct command_sender *sender);
};

struct command_desk {
    const struct command_desk_ops *ops;
};

struct command_sender {
    char by[COMMAND_BY_SIZE_MAX]; /* who it is; stands in the journal */
    bool remote; /* its commands may be delivered late, and must say when they expire */
    /*
     * Tells an answer; `last` when no other will come for this command. Must only copy and wake: it
     * is called with the desk's lock held, on any thread.
     */
    void (*answer)(struct command_sender *sender, const char *json, size_t size, bool last);
    struct command_sender *next; /* the desk's */
};

#endif
