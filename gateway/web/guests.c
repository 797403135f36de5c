#include "web/guests.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"

#define GREETING_NS (5 * NS_PER_S)
#define ASKED_NS    (10 * NS_PER_S) /* from a request's first byte to its answer's */
#define STUCK_NS    (10 * NS_PER_S)
#define IDLE_NS     (15 * NS_PER_S)
#define KNOWN_NS    (75 * NS_PER_S) /* streams say something each 15 s, waiting requests each 60 */

#define ADDRESSES_MAX (GUESTS_MAX + 1)

struct guest_address {
    uint8_t bytes[16];
    unsigned guests, strangers;
    int64_t replaced_ns; /* when all that was replaced would have been, at the highest rate */
};

struct guests {
    struct guest *oldest, *newest;
    unsigned strangers, known;
    struct guest_address addresses[ADDRESSES_MAX];
};

int guests_open(struct guests **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : ERR_NOMEM;
}

void guests_close(struct guests *guests)
{
    free(guests);
}

/* A machine has one IPv4 address; of IPv6 it has a whole network of 64 bits. */
static void key_of(const struct sockaddr *peer, uint8_t bytes[16])
{
    memset(bytes, 0, 16);
    if (peer->sa_family == AF_INET)
        memcpy(bytes + 12, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, 4);
    else if (peer->sa_family == AF_INET6)
        memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, 8);
}

/* There are never more addresses than guests, so one is always free. */
static struct guest_address *find_address(struct guests *guests, const struct sockaddr *peer)
{
    struct guest_address *unused = NULL;
    uint8_t bytes[16];

    key_of(peer, bytes);
    for (unsigned i = 0; i < ADDRESSES_MAX; i++) {
        struct guest_address *address = &guests->addresses[i];

        if (address->guests == 0)
            unused = unused ? unused : address;
        else if (memcmp(address->bytes, bytes, sizeof bytes) == 0)
            return address;
    }
    *unused = (struct guest_address){.guests = 0};
    memcpy(unused->bytes, bytes, sizeof bytes);
    return unused;
}

/* The oldest stranger of the address that has most of them. */
static struct guest *who_gives_way(const struct guests *guests)
{
    struct guest *chosen = NULL;

    for (struct guest *guest = guests->oldest; guest; guest = guest->newer) {
        if (guest->stage != GUEST_KNOWN &&
            (!chosen || guest->address->strangers > chosen->address->strangers))
            chosen = guest;
    }
    return chosen;
}

/* Whether one of an address may take the place of another; a second's worth at once. */
static bool may_replace(struct guest_address *address, int64_t now_ns)
{
    if (address->replaced_ns > now_ns + NS_PER_S)
        return false;
    if (address->replaced_ns < now_ns)
        address->replaced_ns = now_ns;
    address->replaced_ns += NS_PER_S / GUESTS_REPLACED_MAX;
    return true;
}

struct guest *guests_enter(struct guests *guests, struct guest *guest, const struct sockaddr *peer,
                           int64_t now_ns)
{
    struct guest *leaving = NULL;

    *guest = (struct guest){.came_ns = now_ns, .moved_ns = now_ns};
    guest->address = find_address(guests, peer);
    guest->address->guests++;
    guest->address->strangers++; /* it counts when the address with most of them is looked for */
    if (guests->strangers == GUESTS_STRANGERS_MAX)
        leaving = who_gives_way(guests);
    if (leaving && leaving->address == guest->address && !may_replace(guest->address, now_ns)) {
        guest->address->guests--;
        guest->address->strangers--;
        return guest;
    }
    guests->strangers++;
    guest->older = guests->newest;
    *(guests->newest ? &guests->newest->newer : &guests->oldest) = guest;
    guests->newest = guest;
    return leaving;
}

void guests_leave(struct guests *guests, struct guest *guest)
{
    if (guest->stage == GUEST_KNOWN) {
        guests->known--;
    } else {
        guests->strangers--;
        guest->address->strangers--;
    }
    guest->address->guests--;
    *(guest->older ? &guest->older->newer : &guests->oldest) = guest->newer;
    *(guest->newer ? &guest->newer->older : &guests->newest) = guest->older;
}

void guests_greeted(struct guest *guest, int64_t now_ns)
{
    guest->stage = GUEST_STRANGER;
    guest->moved_ns = guest->asked_ns = now_ns;
}

bool guests_know(struct guests *guests, struct guest *guest)
{
    if (guest->stage != GUEST_STRANGER || guests->known == GUESTS_KNOWN_MAX)
        return false;
    guest->stage = GUEST_KNOWN;
    guests->known++;
    guests->strangers--;
    guest->address->strangers--;
    return true;
}

void guests_moved(struct guest *guest, const struct guest_traffic *before,
                  const struct guest_traffic *now, int64_t now_ns)
{
    bool took = now->taken != before->taken;

    if (now->answered != before->answered)
        guest->asked_ns = 0;
    else if (now->heard != before->heard && guest->asked_ns == 0)
        guest->asked_ns = now_ns;
    if (now->heard != before->heard || took)
        guest->moved_ns = now_ns;
    if (!now->waits)
        guest->stuck_ns = 0;
    else if (took || guest->stuck_ns == 0)
        guest->stuck_ns = now_ns;
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

int64_t guests_deadline(const struct guest *guest)
{
    if (guest->stage == GUEST_GREETING)
        return guest->came_ns + GREETING_NS;
    if (guest->stage == GUEST_KNOWN)
        return guest->moved_ns + KNOWN_NS;
    int64_t at_ns = guest->moved_ns + IDLE_NS;
    if (guest->asked_ns)
        at_ns = guest->asked_ns + ASKED_NS;
    return guest->stuck_ns ? earlier(at_ns, guest->stuck_ns + STUCK_NS) : at_ns;
}

unsigned guests_strangers(const struct guests *guests)
{
    return guests->strangers;
}

unsigned guests_known(const struct guests *guests)
{
    return guests->known;
}
