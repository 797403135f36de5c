#include "web/attempts.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/error.h"
#include "tls/digest.h"

#define BUCKETS 1024

struct bucket {
    uint32_t wrong;
    int64_t last_ns; /* when the last one was begun */
};

struct attempts {
    const struct clock *clock;
    pthread_mutex_t lock;
    uint8_t key[DIGEST_SIZE];
    struct bucket addresses[BUCKETS], accounts[BUCKETS], devices[BUCKETS];
    struct bucket pairs[BUCKETS]; /* of an address and an account */
};

/* The buckets that count for an attempt. */
struct counted {
    struct {
        struct bucket *bucket;
        uint32_t free;
        int64_t max_s;
    } rows[2]; /* the second one is the account's */
    size_t count;
    struct bucket *pair; /* while it has free ones, the account's wait is that of others */
};

int attempts_open(struct attempts **out, const struct clock *clock)
{
    struct attempts *attempts = calloc(1, sizeof *attempts);

    if (!attempts)
        return ERR_NOMEM;
    attempts->clock = clock;
    pthread_mutex_init(&attempts->lock, NULL);
    if (getrandom(attempts->key, sizeof attempts->key, 0) != (ssize_t)sizeof attempts->key) {
        attempts_close(attempts);
        return ERR_IO;
    }
    *out = attempts;
    return 0;
}

void attempts_close(struct attempts *attempts)
{
    if (!attempts)
        return;
    pthread_mutex_destroy(&attempts->lock);
    free(attempts);
}

static struct bucket *bucket_of(struct bucket buckets[BUCKETS], const uint8_t key[DIGEST_SIZE],
                                const char *name)
{
    uint8_t digest[DIGEST_SIZE] = {0};

    (void)digest_keyed(key, DIGEST_SIZE, name, strlen(name), digest);
    return &buckets[(digest[0] | digest[1] << 8) % BUCKETS];
}

/* What of an address counts: a machine has as many IPv6 addresses as it likes, but one network. */
static const char *network_of(const char *address, char network[INET6_ADDRSTRLEN])
{
    uint8_t bytes[16];

    if (inet_pton(AF_INET6, address, bytes) != 1)
        return address;
    memset(bytes + 8, 0, 8);
    return inet_ntop(AF_INET6, bytes, network, INET6_ADDRSTRLEN);
}

static struct counted count_for(struct attempts *attempts, const struct attempt *attempt)
{
    struct counted counted = {.count = 1};
    char room[INET6_ADDRSTRLEN];
    uint8_t key[DIGEST_SIZE] = {0};

    counted.rows[0].free = ATTEMPTS_ADDRESS_FREE;
    counted.rows[0].max_s = ATTEMPTS_ADDRESS_MAX_S;
    if (attempt->device) {
        counted.rows[0].bucket = bucket_of(attempts->devices, attempts->key, attempt->device);
        return counted;
    }
    const char *network = network_of(attempt->address, room);
    counted.rows[0].bucket = bucket_of(attempts->addresses, attempts->key, network);
    counted.rows[1].bucket = bucket_of(attempts->accounts, attempts->key, attempt->account);
    counted.rows[1].free = ATTEMPTS_ACCOUNT_FREE;
    counted.rows[1].max_s = ATTEMPTS_ACCOUNT_MAX_S;
    counted.count = 2;
    (void)digest_keyed(attempts->key, sizeof attempts->key, network, strlen(network), key);
    counted.pair = bucket_of(attempts->pairs, key, attempt->account);
    return counted;
}

/* A second after the last that was free, then twice as long each time. */
static int64_t delay_ns(uint32_t wrong, uint32_t free_ones, int64_t max_s)
{
    if (wrong < free_ones)
        return 0;
    uint32_t doublings = wrong - free_ones;
    int64_t delay_s = doublings < 16 ? INT64_C(1) << doublings : max_s;
    return (delay_s < max_s ? delay_s : max_s) * NS_PER_S;
}

static uint32_t wrong_ones(struct bucket *bucket, int64_t now_ns)
{
    if (bucket->wrong && now_ns - bucket->last_ns >= ATTEMPTS_FORGOTTEN_NS)
        bucket->wrong = 0;
    return bucket->wrong;
}

static void count_one(struct bucket *bucket, int64_t now_ns)
{
    bucket->wrong++;
    bucket->last_ns = now_ns;
}

static int64_t wait_ns(const struct counted *counted, int64_t now_ns)
{
    bool others = counted->pair && wrong_ones(counted->pair, now_ns) < ATTEMPTS_ADDRESS_FREE;
    int64_t longest = 0;

    for (size_t i = 0; i < (others ? 1 : counted->count); i++) {
        struct bucket *bucket = counted->rows[i].bucket;
        uint32_t wrong = wrong_ones(bucket, now_ns);
        int64_t until =
            bucket->last_ns + delay_ns(wrong, counted->rows[i].free, counted->rows[i].max_s);

        if (wrong && until - now_ns > longest)
            longest = until - now_ns;
    }
    return longest;
}

/* Under the lock. */
static int64_t look(struct attempts *attempts, const struct attempt *attempt, bool begin)
{
    struct counted counted = count_for(attempts, attempt);
    int64_t now_ns = clock_mono(attempts->clock);
    int64_t wait = wait_ns(&counted, now_ns);

    for (size_t i = 0; begin && wait == 0 && i < counted.count; i++)
        count_one(counted.rows[i].bucket, now_ns);
    if (begin && wait == 0 && counted.pair)
        count_one(counted.pair, now_ns);
    return (wait + NS_PER_S - 1) / NS_PER_S;
}

int64_t attempts_wait_s(struct attempts *attempts, const struct attempt *attempt)
{
    pthread_mutex_lock(&attempts->lock);
    int64_t wait_s = look(attempts, attempt, false);
    pthread_mutex_unlock(&attempts->lock);
    return wait_s;
}

int64_t attempts_begin_s(struct attempts *attempts, const struct attempt *attempt)
{
    pthread_mutex_lock(&attempts->lock);
    int64_t wait_s = look(attempts, attempt, true);
    pthread_mutex_unlock(&attempts->lock);
    return wait_s;
}

/* The address has shown that it is no guesser; the account's guesses came from elsewhere. For other
 * accounts it has shown nothing. */
void attempts_succeed(struct attempts *attempts, const struct attempt *attempt)
{
    pthread_mutex_lock(&attempts->lock);
    struct counted counted = count_for(attempts, attempt);
    counted.rows[0].bucket->wrong = 0;
    if (counted.pair)
        counted.pair->wrong = 0;
    if (counted.count > 1 && counted.rows[1].bucket->wrong > 0)
        counted.rows[1].bucket->wrong--;
    pthread_mutex_unlock(&attempts->lock);
}
