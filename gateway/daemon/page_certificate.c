#include "daemon/page_certificate.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/heir.h"
#include "core/log.h"
#include "core/save.h"
#include "tls/certificate.h"

#define DAY_S     INT64_C(86400)
#define VALID_S   (825 * DAY_S) /* iPhones refuse what is valid for longer */
#define RENEWED_S (30 * DAY_S)  /* before its end */
#define MARGIN_S  DAY_S         /* the visitor's clock may be behind */
#define NAME_SIZE 256

struct paths {
    char cert[PATH_MAX], key[PATH_MAX];
};

struct name_list {
    char texts[CERTIFICATE_NAMES_MAX][NAME_SIZE];
    const char *names[CERTIFICATE_NAMES_MAX];
    size_t count;
};

static void find_paths(const char *folder, struct paths *paths)
{
    snprintf(paths->cert, sizeof paths->cert, "%s/web/tls.crt", folder);
    snprintf(paths->key, sizeof paths->key, "%s/web/tls.key", folder);
}

static void add_name(struct name_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->texts[i], name) == 0)
            return;
    }
    if (list->count == CERTIFICATE_NAMES_MAX || name[0] == '\0')
        return;
    snprintf(list->texts[list->count], NAME_SIZE, "%s", name);
    list->names[list->count] = list->texts[list->count];
    list->count++;
}

/* Those that others may reach it by: no link-local ones, whose number of the interface is not part
 * of a certificate. */
static void add_addresses(struct name_list *list)
{
    struct ifaddrs *all, *one;
    char text[INET6_ADDRSTRLEN];

    if (getifaddrs(&all))
        return;
    for (one = all; one; one = one->ifa_next) {
        const struct sockaddr *address = one->ifa_addr;
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;

        if (address && address->sa_family == AF_INET)
            add_name(list, inet_ntop(AF_INET,
                                     &((const struct sockaddr_in *)(const void *)address)->sin_addr,
                                     text, sizeof text));
        else if (address && address->sa_family == AF_INET6 &&
                 !IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr))
            add_name(list, inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text));
    }
    freeifaddrs(all);
}

static void collect_names(const struct page_certificate *wanted, struct name_list *list)
{
    char host[NAME_SIZE - 8] = "", local[NAME_SIZE];

    add_name(list, wanted->gateway_id);
    if (gethostname(host, sizeof host - 1) == 0) {
        add_name(list, host);
        snprintf(local, sizeof local, "%.*s.local", (int)strcspn(host, "."), host);
        add_name(list, local);
    }
    add_name(list, "localhost");
    for (size_t i = 0; i < wanted->name_count; i++)
        add_name(list, wanted->names[i]);
    add_name(list, "127.0.0.1");
    add_name(list, "::1");
    add_addresses(list);
}

/* A clock that was never set says 1970: then the release's own date is the best guess. */
static int64_t begin_s(const struct clock *clock)
{
    if (clock_trust(clock) == CLOCK_UNSET)
        return CLOCK_RELEASED_NS / NS_PER_S;
    return clock_wall(clock) / NS_PER_S - MARGIN_S;
}

static int cannot_save(const char *path, int error, char *sentence)
{
    snprintf(sentence, PAGE_SENTENCE_SIZE,
             "the page's certificate cannot be kept in %.300s: %s; make the folder writable, or "
             "name another with --state",
             path, error_text(error));
    return error;
}

/* The key first: a key without a certificate is used again, and the other way round would be lost.
 */
static int save(const char *folder, const struct paths *paths, const char *key, const char *cert,
                char *sentence)
{
    char web[PATH_MAX];

    snprintf(web, sizeof web, "%s/web", folder);
    int error = heir_mkdir(web, 0700);
    if (error)
        return cannot_save(web, error, sentence);
    error = save_file(paths->key, key, strlen(key), 0600);
    if (!error)
        error = save_file(paths->cert, cert, strlen(cert), 0644);
    return error ? cannot_save(web, error, sentence) : 0;
}

/* What people have accepted once is the key as much as the certificate: it stays. */
static void read_key(const char *path, char key[CERTIFICATE_PEM_SIZE])
{
    char *text = NULL;
    size_t size = 0;

    key[0] = '\0';
    if (save_read(path, CERTIFICATE_PEM_SIZE - 1, &text, &size) == 0)
        snprintf(key, CERTIFICATE_PEM_SIZE, "%s", text);
    if (text)
        explicit_bzero(text, size);
    free(text);
}

static int make(const struct page_certificate *wanted, const struct paths *paths, char *sentence)
{
    struct name_list *list = calloc(1, sizeof *list);
    char key[CERTIFICATE_PEM_SIZE], cert[CERTIFICATE_PEM_SIZE];
    struct certificate_subject subject = {.common_name = wanted->gateway_id};

    if (!list)
        return ERR_NOMEM;
    collect_names(wanted, list);
    subject.names = list->names;
    subject.name_count = list->count;
    subject.from_s = begin_s(wanted->clock);
    subject.until_s = subject.from_s + VALID_S;
    read_key(paths->key, key);
    int error = certificate_make(&subject, key, cert);
    if (error == ERR_CERTIFICATE) {
        log_warn("web", "%s holds no key: the page gets a new one", paths->key);
        key[0] = '\0';
        error = certificate_make(&subject, key, cert);
    }
    if (!error)
        error = save(wanted->folder, paths, key, cert, sentence);
    else
        snprintf(sentence, PAGE_SENTENCE_SIZE, "the page's certificate cannot be made: %s",
                 error_text(error));
    explicit_bzero(key, sizeof key);
    free(list);
    return error;
}

bool page_certificate_ends(const struct tls_identity_facts *facts, const struct clock *clock)
{
    int64_t now_s = clock_wall(clock) / NS_PER_S;

    if (clock_trust(clock) == CLOCK_UNSET)
        return false;
    return now_s > facts->until_wall_s - RENEWED_S || now_s < facts->from_wall_s;
}

int page_certificate_own(const struct page_certificate *wanted, struct tls_identity **identity,
                         char sentence[PAGE_SENTENCE_SIZE])
{
    struct tls_identity_facts facts;
    struct paths paths;

    find_paths(wanted->folder, &paths);
    int error = tls_identity_open(identity, paths.cert, paths.key, sentence, PAGE_SENTENCE_SIZE);
    if (error == 0) {
        tls_identity_facts(*identity, &facts);
        if (!page_certificate_ends(&facts, wanted->clock))
            return 0;
        tls_identity_close(*identity);
        *identity = NULL;
        log_info("web",
                 "the page's certificate is renewed: its key stays, its fingerprint changes");
    } else if (error == ERR_NOMEM) {
        return error;
    } else if (error != ERR_NOT_FOUND) {
        log_warn("web", "%s: it is made anew", sentence);
    }
    error = make(wanted, &paths, sentence);
    return error ? error
                 : tls_identity_open(identity, paths.cert, paths.key, sentence, PAGE_SENTENCE_SIZE);
}
