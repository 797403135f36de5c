#include "modbus/passport.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/status.h"
#include "core/text.h"
#include "core/words.h"
#include "modbus/decode.h"

#define WORDS_SIZE_MAX 512
#define VALUE_SIZE_MAX 40 /* of a text, as it is remembered */
#define KEY_SIZE       32 /* "id.product_code" */
#define ALARM_SIZE_MAX 1024
#define NOTHING        "id.none=1"

struct counter {
    const struct site_point *point;
    struct value last; /* VALUE_NONE: none yet */
    int64_t mono_ns;   /* of it */
    struct value held; /* read while it is not known whose it is; VALUE_NONE: nothing */
    int64_t held_ns;
    bool first; /* the next reading is the first one of a new device */
};

enum stage {
    STAGE_KNOWN, /* or not to be asked */
    STAGE_WANTED,
};

struct passport {
    struct ident *ident; /* while it is asked by function 43 */
    struct counter *counters;
    int64_t after_ns;
    uint8_t stage, tries, level, object;
    uint8_t counter_count;
};

static const struct site_device *site_device(const struct passports *passports, uint32_t device)
{
    return &passports->plan->bus->devices[device];
}

static const struct modbus_device_options *options_of(const struct passports *passports,
                                                      uint32_t device)
{
    return site_device(passports, device)->options;
}

/* What is remembered of a device. */
static char **words_of(struct passports *passports, uint32_t device)
{
    return &passports->plan->devices[device].identity;
}

static bool is_counter(const struct site_point *point)
{
    bool number = point->type == VALUE_I64 || point->type == VALUE_U64 || point->type == VALUE_F64;

    return number && point->state && strncmp(point->state, "total", 5) == 0;
}

/* Counters are of interest as soon as it is known whose they are. */
static void watch_counters(struct passports *passports, uint32_t device)
{
    const struct site_device *site = site_device(passports, device);
    struct passport *passport = &passports->items[device];
    size_t count = 0;

    for (size_t i = 0; i < site->point_count; i++)
        count += is_counter(&site->points[i]);
    if (count > PASSPORT_COUNTERS_MAX)
        count = PASSPORT_COUNTERS_MAX;
    if (passport->counters || count == 0)
        return;
    passport->counters = calloc(count, sizeof *passport->counters);
    for (size_t i = 0; passport->counters && i < site->point_count; i++) {
        if (is_counter(&site->points[i]) && passport->counter_count < count)
            passport->counters[passport->counter_count++].point = &site->points[i];
    }
}

static bool is_somebody(const char *words)
{
    return words && strcmp(words, NOTHING) != 0;
}

int passports_make(struct passports *passports, struct plan *plan, struct driver_host *host)
{
    size_t count = plan->bus->device_count;

    *passports = (struct passports){.host = host, .plan = plan, .asking = PLAN_NONE};
    passports->items = calloc(count + 1, sizeof *passports->items);
    if (!passports->items)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        if (is_somebody(*words_of(passports, i)))
            watch_counters(passports, i);
    }
    return 0;
}

void passports_free(struct passports *passports)
{
    for (size_t i = 0; passports->items && i < passports->plan->bus->device_count; i++) {
        free(passports->items[i].ident);
        free(passports->items[i].counters);
    }
    free(passports->items);
    *passports = (struct passports){0};
}

static bool has_register(const struct modbus_device_options *options)
{
    return options->identity.type != MODBUS_TYPE_UNSAID;
}

void passports_ask(struct passports *passports, uint32_t device)
{
    const struct modbus_device_options *options = options_of(passports, device);
    struct passport *passport = &passports->items[device];
    const char *words = *words_of(passports, device);

    if (passport->stage == STAGE_WANTED ||
        (!has_register(options) && (!options->identify || (words && !is_somebody(words)))))
        return;
    passport->stage = STAGE_WANTED;
    passport->tries = passport->object = 0;
    passport->level = IDENT_REGULAR;
    passport->after_ns = INT64_MIN;
    passports->wanted++;
}

/* It is not known yet whose readings come in. */
static bool is_doubtful(const struct passport *passport)
{
    return passport->stage == STAGE_WANTED && passport->tries == 0;
}

static void remember(struct counter *counter, struct sink_item *item, int64_t mono_ns)
{
    counter->last = item->value;
    counter->mono_ns = mono_ns;
    if (counter->first)
        item->status = STATUS_FIRST_OF_NEW;
    counter->first = false;
}

/* What was read meanwhile goes out with the time at which it was read. */
static void release(struct passports *passports, uint32_t device, struct counter *counter)
{
    struct sink_item item = {.point = counter->point, .value = counter->held};

    if (item.value.type == VALUE_NONE)
        return;
    counter->held.type = VALUE_NONE;
    remember(counter, &item, counter->held_ns);
    sink_reading(passports->host->sink, site_device(passports, device), item.point,
                 counter->held_ns, &item.value, item.status);
}

static void release_all(struct passports *passports, uint32_t device)
{
    struct passport *passport = &passports->items[device];

    for (unsigned i = 0; i < passport->counter_count && !is_doubtful(passport); i++)
        release(passports, device, &passport->counters[i]);
}

static void stop_asking(struct passports *passports, uint32_t device)
{
    struct passport *passport = &passports->items[device];

    free(passport->ident);
    passport->ident = NULL;
    passport->stage = STAGE_KNOWN;
    passports->wanted--;
}

static struct modbus_request register_request(const struct modbus_identity *identity)
{
    return (struct modbus_request){
        .function = identity->function, .address = identity->address, .count = identity->count};
}

/* The first that is up and whose time has come. */
static uint32_t find_wanted(const struct passports *passports, int64_t now_ns)
{
    uint32_t count = (uint32_t)passports->plan->bus->device_count;

    for (uint32_t i = 0; i < count; i++) {
        if (passports->items[i].stage == STAGE_WANTED && passports->items[i].after_ns <= now_ns &&
            atomic_load(&passports->host->stats[i].up))
            return i;
    }
    return PLAN_NONE;
}

bool passports_next(struct passports *passports, int64_t now_ns, struct modbus_request *request,
                    uint32_t *device)
{
    const struct modbus_bus_options *bus = passports->plan->bus->options;
    const struct modbus_device_options *options;
    struct passport *passport;

    if (passports->wanted == 0)
        return false;
    passports->asking = *device = find_wanted(passports, now_ns);
    if (*device == PLAN_NONE)
        return false;
    options = options_of(passports, *device);
    passport = &passports->items[*device];
    if (has_register(options))
        *request = register_request(&options->identity);
    else
        *request = ident_request(&passports->question, 0, passport->level, passport->object, 0);
    request->unit = (uint8_t)options->unit;
    request->timeout_ns = options->timeout_ns ? options->timeout_ns : bus->timeout_ns;
    return true;
}

static void put_word(struct text *text, const char *key, const char *value)
{
    char full[KEY_SIZE], cut[VALUE_SIZE_MAX + 1];

    snprintf(full, sizeof full, "id.%s", key);
    snprintf(cut, sizeof cut, "%.*s", VALUE_SIZE_MAX, value);
    words_put(text, full, cut);
}

bool passport_word(const char *words, const char *key, char *out, size_t size)
{
    char full[KEY_SIZE];

    snprintf(full, sizeof full, "id.%s", key);
    return words_take(words, full, out, size);
}

bool passport_differs(const char *before, const char *now)
{
    static const char *const lasting[] = {"serial", "vendor", "product_code", "product_name",
                                          "model"};
    char old[VALUE_SIZE_MAX + 1], new[VALUE_SIZE_MAX + 1];

    for (size_t i = 0; i < sizeof lasting / sizeof lasting[0]; i++) {
        if (passport_word(before, lasting[i], old, sizeof old) &&
            passport_word(now, lasting[i], new, sizeof new) && strcmp(old, new) != 0)
            return true;
    }
    return false;
}

/* "serial number 4711", or what else is known. */
static void put_name(struct text *text, const char *words)
{
    static const char *const keys[] = {"vendor", "product_name", "product_code", "model"};
    char value[VALUE_SIZE_MAX + 1];
    const char *separator = "";

    if (passport_word(words, "serial", value, sizeof value)) {
        text_printf(text, "serial number %s", value);
        return;
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (!passport_word(words, keys[i], value, sizeof value))
            continue;
        text_printf(text, "%s%s", separator, value);
        separator = " ";
    }
}

/* Of counters that were not read since the gateway started, the journal knows how they ended. */
static void recall_counters(struct passports *passports, uint32_t device)
{
    struct passport *passport = &passports->items[device];
    struct driver_last lasts[PASSPORT_COUNTERS_MAX] = {0};
    size_t count = 0;

    for (unsigned i = 0; i < passport->counter_count; i++) {
        if (passport->counters[i].last.type == VALUE_NONE)
            lasts[count++].point = passport->counters[i].point;
    }
    if (count)
        host_last_good(passports->host, site_device(passports, device), lasts, count);
    for (unsigned i = passport->counter_count; i-- > 0;) {
        struct counter *counter = &passport->counters[i];

        if (counter->last.type != VALUE_NONE)
            continue;
        count--;
        counter->last = lasts[count].value;
        counter->mono_ns = lasts[count].mono_ns;
    }
}

/* The last reading of each counter, with the time that it was read at. */
static void mark_counters(struct passports *passports, uint32_t device, struct text *text)
{
    const struct site_device *site = site_device(passports, device);
    struct passport *passport = &passports->items[device];
    const char *separator = ". Its counters ended at ";

    recall_counters(passports, device);
    for (unsigned i = 0; i < passport->counter_count; i++) {
        struct counter *counter = &passport->counters[i];

        counter->first = true;
        if (counter->last.type == VALUE_NONE)
            continue;
        sink_reading(passports->host->sink, site, counter->point, counter->mono_ns, &counter->last,
                     STATUS_LAST_OF_OLD);
        text_printf(text, "%s%s ", separator, counter->point->id);
        text_json_value(text, &counter->last);
        if (counter->point->unit)
            text_printf(text, " %s", counter->point->unit);
        separator = ", ";
        counter->last.type = VALUE_NONE;
    }
}

static void tell_replaced(struct passports *passports, uint32_t device, const char *before,
                          const char *now)
{
    const struct site_device *site = site_device(passports, device);
    char sentence[ALARM_SIZE_MAX];
    struct text text;

    text_init(&text, sentence, sizeof sentence);
    text_printf(&text, "device %s was replaced: ", site->id);
    put_name(&text, before);
    text_string(&text, " before, ");
    put_name(&text, now);
    text_string(&text, " now");
    mark_counters(passports, device, &text);
    log_warn("modbus", "bus %s: %s", passports->plan->bus->id, sentence);
    sink_alarm(passports->host->sink, site, sentence, text.size);
}

/* Compares, remembers. Returns whether it is news. */
static bool conclude(struct passports *passports, uint32_t device, const char *now)
{
    char **before = words_of(passports, device), *copy;
    bool known = is_somebody(*before);

    stop_asking(passports, device);
    if (*before && strcmp(*before, now) == 0)
        return false;
    if (known && !is_somebody(now))
        return false; /* it says nothing today: that is no other device */
    if (known && passport_differs(*before, now))
        tell_replaced(passports, device, *before, now);
    else if (known)
        log_info("modbus", "bus %s: device %s tells otherwise who it is: %s; before: %s",
                 passports->plan->bus->id, site_device(passports, device)->id, now, *before);
    copy = strdup(now);
    if (!copy)
        return false;
    free(*before);
    *before = copy;
    if (is_somebody(now))
        watch_counters(passports, device);
    return true;
}

static bool conclude_register(struct passports *passports, uint32_t device,
                              const struct link_reply *reply)
{
    const struct modbus_device_options *options = options_of(passports, device);
    char letters[MODBUS_TEXT_SIZE_MAX], number[MODBUS_TEXT_SIZE_MAX + 1], words[WORDS_SIZE_MAX];
    struct modbus_point_options point = modbus_identity_point(&options->identity);
    enum value_type type;
    struct value value;
    struct text text;
    int8_t decimals;

    modbus_decode_prepare(&point, options->order, &type, &decimals);
    if (modbus_decode(&point, reply->data, 0, letters, &value) != STATUS_GOOD)
        value.type = VALUE_NONE;
    text_init(&text, number, sizeof number);
    if (value.type == VALUE_TEXT)
        text_raw(&text, value.data, value.size);
    else if (value.type == VALUE_U64)
        text_u64(&text, value.u);
    else if (value.type == VALUE_I64)
        text_i64(&text, value.i);
    else if (value.type == VALUE_F64)
        text_f64(&text, value.f, 0);
    text_init(&text, words, sizeof words);
    put_word(&text, "serial", number);
    return conclude(passports, device, text.size ? words : NOTHING);
}

/* Goes on with the next objects, or concludes. */
static bool take_objects(struct passports *passports, uint32_t device,
                         const struct link_reply *reply)
{
    struct passport *passport = &passports->items[device];
    char words[WORDS_SIZE_MAX];
    struct text text;
    int next;

    if (!passport->ident)
        passport->ident = calloc(1, sizeof *passport->ident);
    if (!passport->ident) {
        stop_asking(passports, device);
        return false;
    }
    next = ident_take(passport->ident, passport->object, reply->data, reply->size);
    if (next > 0 && passport->tries++ < IDENT_REQUESTS_MAX) {
        passport->object = (uint8_t)next;
        return false;
    }
    text_init(&text, words, sizeof words);
    for (int i = 0; i < IDENT_OBJECTS; i++)
        put_word(&text, ident_key((enum ident_object)i), passport->ident->texts[i]);
    return conclude(passports, device, text.size ? words : NOTHING);
}

/* It refuses, or does not answer. */
static bool take_nothing(struct passports *passports, uint32_t device, int result)
{
    const struct modbus_device_options *options = options_of(passports, device);
    struct passport *passport = &passports->items[device];

    if (result == ERR_EXCEPTION && !has_register(options) && passport->level == IDENT_REGULAR) {
        passport->level = IDENT_BASIC;
        return false;
    }
    if (result != ERR_EXCEPTION && ++passport->tries < PASSPORT_TRIES_MAX) {
        passport->after_ns = clock_mono(passports->host->clock) + PASSPORT_RETRY_NS;
        return false;
    }
    return conclude(passports, device, NOTHING);
}

bool passports_take(struct passports *passports, int result, const struct link_reply *reply)
{
    uint32_t device = passports->asking;
    bool news;

    passports->asking = PLAN_NONE;
    if (device == PLAN_NONE || passports->items[device].stage != STAGE_WANTED)
        return false;
    if (result)
        news = take_nothing(passports, device, result);
    else if (has_register(options_of(passports, device)))
        news = conclude_register(passports, device, reply);
    else
        news = take_objects(passports, device, reply);
    release_all(passports, device);
    return news;
}

bool passports_count(const struct passports *passports, uint32_t device)
{
    return passports->items[device].counter_count > 0;
}

bool passports_counted(struct passports *passports, uint32_t device, int64_t mono_ns,
                       struct sink_item *item)
{
    struct passport *passport = &passports->items[device];

    for (unsigned i = 0; i < passport->counter_count; i++) {
        struct counter *counter = &passport->counters[i];

        if (counter->point != item->point)
            continue;
        if (item->status != STATUS_GOOD)
            return true;
        release(passports, device, counter);
        if (is_doubtful(passport)) {
            counter->held = item->value;
            counter->held_ns = mono_ns;
            return false;
        }
        remember(counter, item, mono_ns);
        return true;
    }
    return true;
}
