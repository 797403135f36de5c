#include "modbus/polling.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/status.h"
#include "modbus/learn.h"
#include "modbus/refusals.h"

#define BUSY_MAX      3
#define BUSY_RETRY_NS (500 * NS_PER_MS)
#define LOST_MAX      3 /* connections in a row that brought no reply */
#define REOPEN_NS     (1 * NS_PER_S)

static int64_t now(const struct polling *polling)
{
    return clock_mono(polling->host->clock);
}

int polling_make(struct polling *polling, const struct site_bus *site, struct driver_host *host,
                 struct polling_scratch *scratch, int64_t reopen_most_ns)
{
    int error;

    *polling = (struct polling){
        .site = site,
        .host = host,
        .scratch = scratch,
        .reopen_ns = REOPEN_NS,
        .reopen_most_ns = reopen_most_ns,
    };
    error = plan_make(&polling->plan, site);
    if (!error)
        error = devices_make(&polling->devices, &polling->plan, host);
    if (!error)
        error = passports_make(&polling->passports, &polling->plan, host);
    polling->plan.clock = host->clock;
    if (!error)
        plan_start(&polling->plan, now(polling));
    return error;
}

void polling_free(struct polling *polling)
{
    passports_free(&polling->passports);
    devices_free(&polling->devices);
    plan_free(&polling->plan);
    *polling = (struct polling){0};
}

void polling_opened(struct polling *polling)
{
    devices_link_back(&polling->devices);
}

void polling_not_opened(struct polling *polling, uint16_t status, const char *why)
{
    if (!polling->told)
        log_warn("modbus", "bus %s: %s; it is tried again until it works", polling->site->id, why);
    polling->told = true;
    devices_link_lost(&polling->devices, status);
    polling->open_ns = now(polling) + polling->reopen_ns;
    polling->reopen_ns *= 2;
    if (polling->reopen_ns > polling->reopen_most_ns)
        polling->reopen_ns = polling->reopen_most_ns;
    devices_link_tried(&polling->devices, polling->open_ns);
}

/* What the device is known to refuse is so still: nothing else would tell it until the next try. */
static void put_refusals(struct polling *polling, uint32_t index)
{
    const struct site_device *device = &polling->site->devices[index];
    const struct plan_device *of = &polling->plan.devices[index];

    for (uint32_t i = 0; i < of->groups; i++) {
        const struct plan_group *group = &polling->plan.groups[of->first_group + i];

        for (uint32_t at = group->first; at < group->first + group->points; at++) {
            if (polling->plan.refusals[at])
                sink_reading(polling->host->sink, device, &device->points[polling->plan.order[at]],
                             now(polling), NULL, polling->plan.refusals[at]);
        }
    }
}

void polling_back(struct polling *polling)
{
    polling->open_ns = now(polling);
    polling->reopen_ns = REOPEN_NS;
    polling->lost = 0;
    polling->probing = false;
    for (uint32_t i = 0; i < polling->site->device_count; i++) {
        if (atomic_load(&polling->host->stats[i].status) != STATUS_LENT)
            continue; /* the loan was so short that nobody was told */
        if (devices_back(&polling->devices, i))
            put_refusals(polling, i);
    }
}

/* One that comes up is asked who it is. */
static void answered(struct polling *polling, uint32_t device)
{
    bool up = atomic_load(&polling->host->stats[device].up);

    devices_answered(&polling->devices, device);
    if (!up)
        passports_ask(&polling->passports, device);
}

static void forget(struct polling *polling, uint32_t device, unsigned what)
{
    char **identity = &polling->plan.devices[device].identity;

    if (what & DRIVER_FORGET_BLOCKS)
        learn_forget(&polling->plan, device);
    if (what & DRIVER_FORGET_IDENTITY) {
        free(*identity);
        *identity = NULL;
        passports_ask(&polling->passports, device);
    }
    devices_store(&polling->devices, device);
    log_info("modbus", "bus %s: what was learnt of device %s is forgotten", polling->site->id,
             polling->site->devices[device].id);
}

void polling_heed(struct polling *polling)
{
    if (!atomic_load(&polling->host->forgetting))
        return;
    atomic_store(&polling->host->forgetting, false);
    for (uint32_t i = 0; i < polling->site->device_count; i++) {
        unsigned what = atomic_exchange(&polling->host->stats[i].forget, 0);

        if (what)
            forget(polling, i, what);
    }
}

bool polling_next(struct polling *polling, int64_t now_ns, struct polling_turn *turn,
                  int64_t *wake_ns)
{
    struct plan_block *due = plan_next(&polling->plan, now_ns, wake_ns);
    int64_t next_due_ns = due ? now_ns : *wake_ns;
    struct plan_block *dead =
        polling->probing ? NULL : devices_probe(&polling->devices, now_ns, next_due_ns, wake_ns);

    *turn = (struct polling_turn){.block = dead ? dead : due, .probe = dead != NULL};
    return turn->block != NULL;
}

void polling_hold(struct polling *polling, uint32_t device, const struct polling_turn *turn)
{
    plan_hold(&polling->plan, device);
    if (turn && turn->probe)
        polling->probing = true;
}

void polling_let_go(struct polling *polling, uint32_t device)
{
    plan_let_go(&polling->plan, device, now(polling));
    if (device == polling->devices.probe.device)
        polling->probing = false;
}

struct modbus_request polling_request(const struct polling *polling, const struct plan_block *block)
{
    const struct modbus_device_options *device = polling->site->devices[block->device].options;

    return (struct modbus_request){
        .unit = (uint8_t)device->unit,
        .function = block->function,
        .address = block->address,
        .count = block->count,
        .timeout_ns = devices_timeout_ns(&polling->devices, block),
    };
}

/*
 * The link closed itself under a request. One that was idle for long may have been closed by the
 * other side, so the first time it is opened again at once; and so is always one that was closed
 * for being silent: what is known then is that devices do not answer, and that is told of them. The
 * link itself is blamed when nobody is up any more: one unit for which a device server hangs up
 * does not take its neighbours down.
 */
static void link_lost(struct polling *polling, uint32_t device, int result)
{
    atomic_fetch_add(&polling->host->stats[device].reconnects, 1);
    polling->open_ns = now(polling);
    if (result == ERR_TIMEOUT || ++polling->lost < LOST_MAX ||
        polling->devices.down < polling->devices.count)
        return;
    polling->lost = 0;
    polling_not_opened(polling, STATUS_COMMUNICATION,
                       "the port or connection breaks down as soon as it is used");
}

void polling_closed_unused(struct polling *polling)
{
    polling->open_ns = now(polling);
    if (++polling->lost < LOST_MAX)
        return;
    polling->lost = 0;
    polling_not_opened(polling, STATUS_COMMUNICATION,
                       "connections are accepted there, and closed before anything is asked");
}

/* Somebody answered: that it could be opened says little, since some accept connections only to
 * close them. */
static void link_works(struct polling *polling)
{
    if (polling->told)
        log_info("modbus", "bus %s works again", polling->site->id);
    polling->told = false;
    polling->lost = 0;
    polling->reopen_ns = REOPEN_NS;
}

static void account(struct driver_stats *stats, int result, const struct link_reply *reply,
                    int64_t took_ns)
{
    atomic_fetch_add(&stats->requests, reply->requests);
    atomic_fetch_add(&stats->replies, reply->answers);
    atomic_fetch_add(&stats->unexpected, reply->strays);
    atomic_fetch_add(&stats->busy_ns, took_ns);
    atomic_store(&stats->late_ns, reply->late_ns);
    if (result == ERR_TIMEOUT)
        atomic_fetch_add(&stats->timeouts, 1);
    if (result == ERR_CHECKSUM)
        atomic_fetch_add(&stats->corrupt, 1);
    if (result == 0 || result == ERR_EXCEPTION) {
        atomic_store(&stats->round_trip_ns, reply->mono_ns - reply->sent_ns);
        atomic_store(&stats->last_reply_ns, reply->mono_ns);
    }
}

/* The same for what the configuration asks: a refusal is an error then. */
static void account_refusable(struct driver_stats *stats, int result,
                              const struct link_reply *reply, int64_t took_ns)
{
    account(stats, result, reply, took_ns);
    if (result == ERR_EXCEPTION)
        atomic_fetch_add(&stats->exceptions, 1);
}

/* All points of the block, with the time at which the reply was there. A text lives in the one
 * buffer, so it goes out by itself. */
static void put_values(struct polling *polling, const struct plan_block *block,
                       const struct link_reply *reply)
{
    struct polling_scratch *scratch = polling->scratch;
    const struct site_device *device = &polling->site->devices[block->device];
    bool counted = passports_count(&polling->passports, block->device);
    size_t count = 0;

    for (uint32_t i = 0; i < block->points; i++) {
        const struct site_point *point = plan_point(&polling->plan, block, i);
        const struct modbus_point_options *options = point ? point->options : NULL;
        struct sink_item *item = &scratch->items[count];

        if (!point)
            continue;
        item->point = point;
        item->status = modbus_decode_reading(options, reply->data,
                                             (unsigned)(options->address - block->address),
                                             scratch->text, &item->value);
        if (counted && !passports_counted(&polling->passports, block->device, reply->mono_ns, item))
            continue;
        count++;
        if (count == POLLING_ITEMS_MAX || item->value.type == VALUE_TEXT) {
            sink_readings(polling->host->sink, device, reply->mono_ns, scratch->items, count);
            count = 0;
        }
    }
    sink_readings(polling->host->sink, device, reply->mono_ns, scratch->items, count);
}

static void put_bad(struct polling *polling, const struct plan_block *block, int64_t mono_ns,
                    uint16_t status)
{
    for (uint32_t i = 0; i < block->points; i++) {
        const struct site_point *point = plan_point(&polling->plan, block, i);

        if (point)
            sink_reading(polling->host->sink, &polling->site->devices[block->device], point,
                         mono_ns, NULL, status);
    }
}

/* The same of points that the device does not let be read. */
static void put_refused(struct polling *polling, const struct plan_block *block, int64_t mono_ns,
                        uint16_t status)
{
    put_bad(polling, block, mono_ns, status);
    if (refusals_tell(&polling->plan, block, status))
        devices_describe(&polling->devices, block->device);
}

/* The device is there, and says no. */
static void take_exception(struct polling *polling, struct plan_block *block, uint16_t status,
                           const struct link_reply *reply)
{
    int64_t moment = now(polling);

    answered(polling, block->device);
    if (status == STATUS_ILLEGAL_ADDRESS || status == STATUS_ILLEGAL_VALUE) {
        if (!plan_split(&polling->plan, block, reply->exception, moment))
            put_refused(polling, block, reply->mono_ns, status);
        return;
    }
    if ((status == STATUS_ACKNOWLEDGE || status == STATUS_DEVICE_BUSY) &&
        ++block->busy < BUSY_MAX) {
        plan_retry(&polling->plan, block, moment,
                   moment + (block->every_ns < BUSY_RETRY_NS ? block->every_ns : BUSY_RETRY_NS));
        return;
    }
    if (status == STATUS_ILLEGAL_FUNCTION)
        put_refused(polling, block, reply->mono_ns, status);
    else
        put_bad(polling, block, reply->mono_ns, status);
    plan_give_up(&polling->plan, block, moment,
                 status == STATUS_ILLEGAL_FUNCTION ? moment + PLAN_REFUSED_RETRY_NS : moment);
}

static bool is_unreached(uint16_t status)
{
    return status == STATUS_GATEWAY_PATH || status == STATUS_GATEWAY_TARGET;
}

static void take_outcome(struct polling *polling, struct plan_block *block, int result,
                         const struct link_reply *reply)
{
    uint16_t status = link_read_status(result, reply->exception);
    uint32_t device = block->device;

    if (result == 0) {
        devices_heard(&polling->devices, block, pdu_data_size(block->function, block->count),
                      reply->mono_ns - reply->sent_ns);
        answered(polling, device);
        put_values(polling, block, reply);
        bool over = refusals_over(&polling->plan, block);
        plan_done(&polling->plan, block, now(polling));
        if (over)
            devices_describe(&polling->devices, device);
    } else if (result == ERR_EXCEPTION && !is_unreached(status)) {
        take_exception(polling, block, status, reply);
    } else {
        /* No answer; exceptions 10 and 11 are a gateway's and say just that. Again soon, but behind
         * what has been waiting. */
        plan_retry(&polling->plan, block, now(polling), now(polling));
        devices_failed(&polling->devices, device, status);
    }
}

void polling_asked(struct polling *polling, uint32_t device, int result,
                   const struct link_reply *reply, int64_t took_ns, bool lost)
{
    /* A device need not say who it is: that it refuses is none of its errors. */
    account(&polling->host->stats[device], result, reply, took_ns);
    if (result == 0 || result == ERR_EXCEPTION)
        link_works(polling);
    if (passports_take(&polling->passports, result, reply))
        devices_store(&polling->devices, device);
    if (lost)
        link_lost(polling, device, result);
}

void polling_heard(struct polling *polling, uint32_t device, int result,
                   const struct link_reply *reply, int64_t took_ns, bool lost)
{
    uint16_t status = link_read_status(result, reply->exception);

    account_refusable(&polling->host->stats[device], result, reply, took_ns);
    if (result == 0 || result == ERR_EXCEPTION)
        link_works(polling);
    if (result == 0 || (result == ERR_EXCEPTION && !is_unreached(status)))
        answered(polling, device);
    else
        devices_failed(&polling->devices, device, status);
    if (lost)
        link_lost(polling, device, result);
}

void polling_take(struct polling *polling, const struct polling_turn *turn, int result,
                  const struct link_reply *reply, int64_t took_ns, bool lost)
{
    uint32_t device = turn->block->device;

    account_refusable(&polling->host->stats[device], result, reply, took_ns);
    if (result == 0 || result == ERR_EXCEPTION)
        link_works(polling);
    take_outcome(polling, turn->block, result, reply);
    if (lost)
        link_lost(polling, device, result);
    if (turn->probe)
        devices_probed(&polling->devices, now(polling), took_ns);
}

void polling_put_back(struct polling *polling, const struct polling_turn *turn, int result,
                      const struct link_reply *reply, int64_t took_ns)
{
    account_refusable(&polling->host->stats[turn->block->device], result, reply, took_ns);
    if (turn->probe)
        devices_probed(&polling->devices, now(polling), took_ns);
    else
        plan_retry(&polling->plan, turn->block, now(polling), now(polling));
}
