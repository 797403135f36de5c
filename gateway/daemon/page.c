#include "daemon/page.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"
#include "daemon/page_certificate.h"
#include "daemon/page_places.h"
#include "tls/tls.h"
#include "web/api.h"
#include "web/door.h"

#define RETRY_NS (10 * NS_PER_S)   /* of a port that cannot be had */
#define RENEW_NS (3600 * NS_PER_S) /* how often the certificate's end is looked at */

/* What is wanted, copied: the configuration may go. */
struct wish {
    bool enabled;
    struct page_places places;
    char *gateway_id, *cert, *key; /* cert NULL: the gateway's own */
    char *names[DOOR_NAMES_MAX];
    size_t name_count;
    uint64_t fingerprint;
};

struct page {
    struct page_options options;
    struct loop_timer *timer;
    struct wish wish;
    int64_t renewal_mono_ns;
    struct door *door; /* NULL: there is no page */
    /* Under the lock: what the status shows; and the door, which the API's thread tells of guests.
     */
    pthread_mutex_t lock;
    struct page_listening listening;
    struct tls_identity_facts facts; /* no fingerprint: there is no certificate */
    bool own;                        /* the certificate is of the gateway's making */
    char certificate_error[PAGE_SENTENCE_SIZE];
};

static void wish_clear(struct wish *wish)
{
    free(wish->gateway_id);
    free(wish->cert);
    free(wish->key);
    for (size_t i = 0; i < DOOR_NAMES_MAX; i++)
        free(wish->names[i]);
    *wish = (struct wish){.enabled = false};
}

static char *copy(const char *text, bool *failed)
{
    char *copied = text ? strdup(text) : NULL;

    *failed |= text && !copied;
    return copied;
}

static int wish_of(struct wish *wish, const struct config *config)
{
    const struct config_web *web = &config->web;
    bool failed = false;

    *wish = (struct wish){.enabled = web->enabled, .fingerprint = web->fingerprint};
    page_places_of(&wish->places, web);
    wish->gateway_id = copy(config->site.id, &failed);
    wish->cert = copy(web->cert, &failed);
    wish->key = copy(web->key, &failed);
    for (size_t i = 0; i < web->names.count && i < DOOR_NAMES_MAX; i++)
        wish->names[wish->name_count++] = copy(web->names.items[i], &failed);
    if (!failed)
        return 0;
    wish_clear(wish);
    return ERR_NOMEM;
}

static int adopt(void *context, int fd, const struct sockaddr *peer, socklen_t size)
{
    struct page *page = context;

    return api_adopt(page->options.api, fd, peer, size);
}

static void on_known(void *context, const struct sockaddr *peer, socklen_t size)
{
    struct page *page = context;

    pthread_mutex_lock(&page->lock);
    if (page->door)
        door_known(page->door, peer, size);
    pthread_mutex_unlock(&page->lock);
}

/* The one that is configured; when that cannot be used the gateway's own, so that the page can be
 * reached to mend it. */
static struct tls_identity *find_identity(struct page *page, bool *own, char *sentence)
{
    const struct wish *wish = &page->wish;
    const struct page_certificate wanted = {
        .folder = page->options.state_path,
        .clock = page->options.clock,
        .gateway_id = wish->gateway_id,
        .names = (const char *const *)wish->names,
        .name_count = wish->name_count,
    };
    char second[PAGE_SENTENCE_SIZE] = "";
    struct tls_identity *identity = NULL;

    sentence[0] = '\0';
    *own = false;
    if (wish->cert &&
        tls_identity_open(&identity, wish->cert, wish->key, sentence, PAGE_SENTENCE_SIZE) == 0) {
        sentence[0] = '\0';
        return identity;
    }
    *own = true;
    if (page_certificate_own(&wanted, &identity, second) == 0)
        return identity;
    if (sentence[0] == '\0')
        memcpy(sentence, second, sizeof second);
    return NULL;
}

void page_reload_certificate(struct page *page)
{
    struct tls_identity_facts facts = {.fingerprint = ""};
    char sentence[PAGE_SENTENCE_SIZE];
    bool own;

    if (!page->door)
        return;
    struct tls_identity *identity = find_identity(page, &own, sentence);
    if (identity)
        tls_identity_facts(identity, &facts);
    if (sentence[0])
        log_error("web", "%s%s", sentence,
                  identity ? "; the page is shown with the gateway's own certificate" : "");
    pthread_mutex_lock(&page->lock);
    bool same = strcmp(facts.fingerprint, page->facts.fingerprint) == 0;
    page->facts = facts;
    page->own = own;
    memcpy(page->certificate_error, sentence, sizeof sentence);
    pthread_mutex_unlock(&page->lock);
    page->renewal_mono_ns = clock_mono(page->options.clock) + RENEW_NS;
    if (!identity)
        return;
    if (!same)
        log_info("web", "the page's certificate has the SHA-256 fingerprint %s", facts.fingerprint);
    door_identity(page->door, identity);
}

static void listen_now(struct page *page)
{
    const struct wish *wish = &page->wish;
    struct page_listening listening = page->listening; /* only this thread writes it */
    bool all = page_places_try(&listening, page->door);

    pthread_mutex_lock(&page->lock);
    page->listening = listening;
    pthread_mutex_unlock(&page->lock);
    door_target(page->door, listening.https.port, (const char *const *)wish->names,
                wish->name_count);
    loop_timer_set(page->options.loop, page->timer,
                   clock_mono(&clock_system) + (all ? RENEW_NS : RETRY_NS));
}

static void on_timer(void *context)
{
    struct page *page = context;

    if (!page->door)
        return;
    if (clock_mono(page->options.clock) >= page->renewal_mono_ns &&
        (!page->facts.fingerprint[0] ||
         (page->own && page_certificate_ends(&page->facts, page->options.clock))))
        page_reload_certificate(page);
    listen_now(page);
}

int page_open(struct page **out, const struct page_options *options)
{
    struct page *page = calloc(1, sizeof *page);

    if (!page)
        return ERR_NOMEM;
    page->options = *options;
    pthread_mutex_init(&page->lock, NULL);
    page->timer = loop_timer(options->loop, on_timer, page);
    if (!page->timer || tls_init()) {
        page_close(page);
        return ERR_NOMEM;
    }
    api_on_known(options->api, on_known, page);
    *out = page;
    return 0;
}

static void open_door(struct page *page)
{
    const struct door_options options = {.adopt = adopt, .context = page};
    struct door *door = NULL;
    int error = door_open(&door, &options);

    if (error)
        log_error("web", "there is no page: %s", error_text(error));
    pthread_mutex_lock(&page->lock);
    page->door = door;
    pthread_mutex_unlock(&page->lock);
}

void page_stop(struct page *page)
{
    if (!page)
        return;
    pthread_mutex_lock(&page->lock);
    struct door *door = page->door;
    page->door = NULL;
    page->listening = (struct page_listening){.error = ""};
    page->facts.fingerprint[0] = '\0';
    pthread_mutex_unlock(&page->lock);
    loop_timer_clear(page->options.loop, page->timer);
    door_close(door);
}

void page_close(struct page *page)
{
    if (!page)
        return;
    loop_timer_drop(page->options.loop, page->timer);
    wish_clear(&page->wish);
    pthread_mutex_destroy(&page->lock);
    free(page);
}

static void tell_urls(struct page *page)
{
    char urls[1024];
    struct text text;

    text_init(&text, urls, sizeof urls);
    page_places_urls(&page->listening, &text, "");
    if (page->listening.https.port)
        log_info("web", "the page is at %s", urls);
}

void page_apply(struct page *page, const struct config *config)
{
    struct wish wish;

    if (!page || wish_of(&wish, config))
        return;
    bool same_door = page->door && wish.enabled;
    bool same_places =
        same_door && memcmp(&wish.places, &page->wish.places, sizeof wish.places) == 0;
    bool same = same_door && wish.fingerprint == page->wish.fingerprint &&
                strcmp(wish.gateway_id, page->wish.gateway_id) == 0;
    wish_clear(&page->wish);
    page->wish = wish;
    if (same)
        return;
    if (!wish.enabled) {
        page_stop(page);
        return;
    }
    if (!page->door)
        open_door(page);
    if (!page->door)
        return;
    page_reload_certificate(page);
    if (!same_places) {
        door_unlisten(page->door);
        pthread_mutex_lock(&page->lock);
        page_places_begin(&page->listening, &wish.places);
        pthread_mutex_unlock(&page->lock);
    }
    listen_now(page);
    if (!same_places)
        tell_urls(page);
}

int64_t page_silent_ns(struct page *page)
{
    return page && page->door ? door_silent_ns(page->door) : 0;
}

void page_status(struct page *page, struct text *text)
{
    unsigned strangers = 0, known = 0;

    pthread_mutex_lock(&page->lock);
    if (!page->door) {
        text_string(text, "{\"enabled\":false}");
    } else {
        const char *error =
            page->certificate_error[0] ? page->certificate_error : page->listening.error;

        door_counts(page->door, &strangers, &known);
        text_string(text, "{\"enabled\":true,\"urls\":[");
        page_places_urls(&page->listening, text, "\"");
        text_printf(text,
                    "],\"fingerprint\":\"%s\",\"self_signed\":%s,\"until\":%" PRId64
                    ",\"visitors\":{\"strangers\":%u,\"known\":%u},\"error\":",
                    page->facts.fingerprint, page->facts.self_signed ? "true" : "false",
                    page->facts.until_wall_s * 1000, strangers, known);
        text_json_string(text, error, strlen(error));
        text_string(text, "}");
    }
    pthread_mutex_unlock(&page->lock);
}
