#include "web/attempts.h"

#include <arpa/inet.h>
#include <pthread.h>
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
};

/* The buckets that count for an attempt. */
struct counted {
    struct {
        struct bucket *bucket;
        uint32_t free;
        int64_t max_s;
    } rows[2];
    size_t count;
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

static struct bucket *bucket_of(const struct attempts *attempts, struct bucket buckets[BUCKETS],
                                const void *data, size_t size)
{
    uint8_t digest[DIGEST_SIZE] = {0};

    (void)digest_keyed(attempts->key, sizeof attempts->key, data, size, digest);
    return &buckets[(digest[0] | digest[1] << 8) % BUCKETS];
}

/* A machine has as many IPv6 addresses as it likes, but one network. */
static struct bucket *bucket_of_address(struct attempts *attempts, const char *address)
{
    uint8_t bytes[16];

    if (inet_pton(AF_INET6, address, bytes) == 1)
        return bucket_of(attempts, attempts->addresses, bytes, 8);
    return bucket_of(attempts, attempts->addresses, address, strlen(address));
}

static struct counted count_for(struct attempts *attempts, const struct attempt *attempt)
{
    struct counted counted = {.count = 1};

    if (attempt->device) {
        counted.rows[0].bucket =
            bucket_of(attempts, attempts->devices, attempt->device, strlen(attempt->device));
        counted.rows[0].free = ATTEMPTS_ADDRESS_FREE;
        counted.rows[0].max_s = ATTEMPTS_ADDRESS_MAX_S;
        return counted;
    }
    counted.rows[0].bucket = bucket_of_address(attempts, attempt->address);
    counted.rows[0].free = ATTEMPTS_ADDRESS_FREE;
    counted.rows[0].max_s = ATTEMPTS_ADDRESS_MAX_S;
    counted.rows[1].bucket =
        bucket_of(attempts, attempts->accounts, attempt->account, strlen(attempt->account));
    counted.rows[1].free = ATTEMPTS_ACCOUNT_FREE;
    counted.rows[1].max_s = ATTEMPTS_ACCOUNT_MAX_S;
    counted.count = 2;
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

static int64_t wait_ns(const struct counted *counted, int64_t now_ns)
{
    int64_t longest = 0;

    for (size_t i = 0; i < counted->count; i++) {
        struct bucket *bucket = counted->rows[i].bucket;

        if (bucket->wrong && now_ns - bucket->last_ns >= ATTEMPTS_FORGOTTEN_NS)
            bucket->wrong = 0;
        int64_t until = bucket->last_ns +
                        delay_ns(bucket->wrong, counted->rows[i].free, counted->rows[i].max_s);
        if (bucket->wrong && until - now_ns > longest)
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

    for (size_t i = 0; begin && wait == 0 && i < counted.count; i++) {
        counted.rows[i].bucket->wrong++;
        counted.rows[i].bucket->last_ns = now_ns;
    }
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

/* The address has shown that it is no guesser; the account's guesses came from elsewhere. */
void attempts_succeed(struct attempts *attempts, const struct attempt *attempt)
{
    pthread_mutex_lock(&attempts->lock);
    struct counted counted = count_for(attempts, attempt);
    counted.rows[0].bucket->wrong = 0;
    if (counted.count > 1 && counted.rows[1].bucket->wrong > 0)
        counted.rows[1].bucket->wrong--;
    pthread_mutex_unlock(&attempts->lock);
}
