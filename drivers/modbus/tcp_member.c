#include "modbus/tcp_member.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/log.h"

#define LOOK_AGAIN_NS (10 * NS_PER_MS) /* whether what is under way has come to its end */
#define REPLY_NS      (5 * NS_PER_S)   /* a lent bus waits no longer for replies */

struct tcp_member {
    struct tcp_shared *shared;
    const struct site_bus *site;
    struct driver_host *host;
    struct tcp_bus *bus;
    struct loop_timer *timer;
    int64_t leaving_ns; /* it is lent since then, and something was under way; 0: it is not */
    bool away;          /* it is lent, and the connection let go of */
    bool back;          /* that is told to be over, and was lent again before it was polled */
};

static int64_t now_of(const struct tcp_member *member)
{
    return clock_mono(member->shared->clock);
}

static void look_again_at(struct tcp_member *member, int64_t at_ns)
{
    loop_timer_set(member->shared->loop, member->timer, at_ns);
}

/* Lets go of the connection when nothing is under way. False: not yet. */
static bool let_go(struct tcp_member *member, int64_t now_ns)
{
    if (member->leaving_ns == 0) {
        member->leaving_ns = now_ns;
        tcp_bus_rest(member->bus, true);
    }
    if (tcp_bus_at_work(member->bus, now_ns - member->leaving_ns < REPLY_NS)) {
        look_again_at(member, now_ns + LOOK_AGAIN_NS);
        return false;
    }
    member->leaving_ns = 0;
    tcp_bus_leave(member->bus);
    member->away = true;
    member->host->ops->lent(member->host, true);
    return true;
}

/* While it is lent, and the connection let go of. */
static void stay_away(struct tcp_member *member, int64_t until_ns)
{
    struct driver_host *host = member->host;
    int64_t due_ns;

    if (member->back) { /* lent again before it was polled */
        member->back = false;
        host->ops->lent(host, true);
    }
    due_ns = host->ops->rest_lent(host);
    look_again_at(member, due_ns < until_ns ? due_ns : until_ns);
}

/* The lease is over, unless it is lent again at this moment: false. */
static bool come_back(struct tcp_member *member, int64_t until_ns)
{
    struct driver_host *host = member->host;

    if (member->away && !member->back) /* before whoever borrows it next can ask */
        host->ops->lent(host, false);
    member->back = member->away;
    if (!atomic_compare_exchange_strong(&host->lent_ns, &until_ns, 0))
        return false;
    if (member->leaving_ns)
        tcp_bus_rest(member->bus, false);
    member->leaving_ns = 0;
    if (member->away)
        tcp_bus_back(member->bus);
    member->away = member->back = false;
    return true;
}

/* One step towards what host->lent_ns says; false when there is no other to be taken now. */
static bool step(struct tcp_member *member)
{
    if (atomic_load(&member->host->ends_ns)) {
        tcp_bus_rest(member->bus, true);
        return false;
    }
    int64_t now_ns = now_of(member), until_ns = atomic_load(&member->host->lent_ns);

    if (until_ns > now_ns && !member->away)
        return let_go(member, now_ns);
    if (until_ns > now_ns) {
        stay_away(member, until_ns);
        return false;
    }
    return until_ns != 0 && !come_back(member, until_ns);
}

void tcp_member_wake(struct tcp_member *member)
{
    while (step(member))
        ;
    if (!member->away)
        tcp_bus_wake(member->bus);
}

static void time_came(void *context)
{
    tcp_member_wake(context);
}

int tcp_member_open(struct tcp_member **member, struct tcp_shared *shared,
                    const struct site_bus *site, struct driver_host *host)
{
    struct tcp_member *made = calloc(1, sizeof *made);
    int error = ERR_NOMEM;

    if (!made)
        return ERR_NOMEM;
    made->shared = shared;
    made->site = site;
    made->host = host;
    made->timer = loop_timer(shared->loop, time_came, made);
    if (made->timer)
        error = tcp_bus_open(&made->bus, shared, site, host);
    if (error) {
        tcp_member_close(made);
        return error;
    }
    *member = made;
    return 0;
}

void tcp_member_close(struct tcp_member *member)
{
    if (!member)
        return;
    tcp_bus_close(member->bus);
    loop_timer_drop(member->shared->loop, member->timer);
    free(member);
}

bool tcp_member_at_work(const struct tcp_member *member)
{
    return !member->away && tcp_bus_at_work(member->bus, true);
}
