#include "web/sessions.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

struct entry {
    struct session session; /* account "": free */
    uint8_t hash[DIGEST_SIZE];
    int64_t begun_ns, used_ns;
};

struct sessions {
    const struct clock *clock;
    pthread_mutex_t lock;
    struct entry entries[SESSIONS_MAX];
};

int sessions_open(struct sessions **out, const struct clock *clock)
{
    struct sessions *sessions = calloc(1, sizeof *sessions);

    if (!sessions)
        return ERR_NOMEM;
    sessions->clock = clock;
    pthread_mutex_init(&sessions->lock, NULL);
    *out = sessions;
    return 0;
}

void sessions_close(struct sessions *sessions)
{
    if (!sessions)
        return;
    pthread_mutex_destroy(&sessions->lock);
    explicit_bzero(sessions, sizeof *sessions);
    free(sessions);
}

static void end(struct entry *entry)
{
    explicit_bzero(entry, sizeof *entry);
}

static void end_old(struct sessions *sessions, int64_t now_ns)
{
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct entry *entry = &sessions->entries[i];

        if (entry->session.account[0] && (now_ns - entry->used_ns >= SESSIONS_IDLE_NS ||
                                          now_ns - entry->begun_ns >= SESSIONS_AGE_NS))
            end(entry);
    }
}

/* A free entry; where the account has all it may have, that of its longest idle session. An entry
 * of an account that went since may be the longest idle of all. */
static struct entry *make_room(struct sessions *sessions, const char *account)
{
    struct entry *idle = NULL, *idle_own = NULL, *vacant = NULL;
    size_t own = 0;

    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct entry *entry = &sessions->entries[i];

        if (!entry->session.account[0]) {
            vacant = vacant ? vacant : entry;
            continue;
        }
        if (!idle || entry->used_ns < idle->used_ns)
            idle = entry;
        if (strcmp(entry->session.account, account) != 0)
            continue;
        own++;
        if (!idle_own || entry->used_ns < idle_own->used_ns)
            idle_own = entry;
    }
    if (own >= SESSIONS_PER_ACCOUNT_MAX)
        return idle_own;
    return vacant ? vacant : idle;
}

int sessions_begin(struct sessions *sessions, const char *account, char key[KEY_TEXT_SIZE],
                   struct session *session)
{
    struct entry made = {0};

    if (!key_make(key) || !key_make(made.session.csrf) || !key_hash(key, made.hash))
        return ERR_IO;
    snprintf(made.session.account, sizeof made.session.account, "%s", account);
    pthread_mutex_lock(&sessions->lock);
    made.begun_ns = made.used_ns = clock_mono(sessions->clock);
    end_old(sessions, made.used_ns);
    *make_room(sessions, account) = made;
    pthread_mutex_unlock(&sessions->lock);
    *session = made.session;
    return 0;
}

/* By the hash: how long the search takes says nothing about the keys. Under the lock. */
static struct entry *find(struct sessions *sessions, const char *key)
{
    uint8_t hash[DIGEST_SIZE];

    if (!key_hash(key, hash))
        return NULL;
    end_old(sessions, clock_mono(sessions->clock));
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct entry *entry = &sessions->entries[i];

        if (entry->session.account[0] && digest_equal(entry->hash, hash, DIGEST_SIZE))
            return entry;
    }
    return NULL;
}

bool sessions_find(struct sessions *sessions, const char *key, bool use, struct session *session)
{
    pthread_mutex_lock(&sessions->lock);
    struct entry *entry = find(sessions, key);
    if (entry) {
        if (use)
            entry->used_ns = clock_mono(sessions->clock);
        *session = entry->session;
    }
    pthread_mutex_unlock(&sessions->lock);
    return entry != NULL;
}

void sessions_end(struct sessions *sessions, const char *key)
{
    pthread_mutex_lock(&sessions->lock);
    struct entry *entry = find(sessions, key);
    if (entry)
        end(entry);
    pthread_mutex_unlock(&sessions->lock);
}

void sessions_end_all(struct sessions *sessions, const char *account, const char *except)
{
    pthread_mutex_lock(&sessions->lock);
    const struct entry *kept = except ? find(sessions, except) : NULL;
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct entry *entry = &sessions->entries[i];

        if (entry != kept && strcmp(entry->session.account, account) == 0)
            end(entry);
    }
    pthread_mutex_unlock(&sessions->lock);
}
