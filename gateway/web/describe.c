#include "web/describe.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/error.h"
#include "core/save.h"
#include "web/files_api.h"

#define DAY_S  86400
#define SOON_S (30 * DAY_S)
#define WORDS  768

static const char *const kinds[] = {"unknown", "certificates", "key", "locked-key",
                                    "request", "revoked",      "pfx"};

/* A file that may belong to another one. */
struct neighbour {
    char name[FILES_NAME_SIZE];
    bool key; /* else a certificate */
    uint8_t print[INSPECT_PRINT_SIZE];
};

struct neighbours {
    const char *config_path;
    size_t count;
    struct neighbour list[FILES_MAX];
};

static void look_at(void *context, const char *name)
{
    struct neighbours *neighbours = context;
    char path[PATH_MAX], *text;
    size_t size;
    struct inspect *inspect = malloc(sizeof *inspect);

    files_path(neighbours->config_path, name, path, sizeof path);
    if (!inspect || neighbours->count == FILES_MAX ||
        save_read(path, FILES_SIZE_MAX, &text, &size)) {
        free(inspect);
        return;
    }
    inspect_bytes(inspect, text, size, NULL);
    explicit_bzero(text, size);
    free(text);
    bool key = inspect->kind == INSPECT_KEY;
    if (key || inspect->count > 0) {
        struct neighbour *neighbour = &neighbours->list[neighbours->count++];

        snprintf(neighbour->name, sizeof neighbour->name, "%s", name);
        neighbour->key = key;
        memcpy(neighbour->print, key ? inspect->print : inspect->certificates[0].print,
               sizeof neighbour->print);
    }
    free(inspect);
}

struct neighbours *neighbours_open(const char *config_path)
{
    struct neighbours *neighbours = calloc(1, sizeof *neighbours);

    if (!neighbours)
        return NULL;
    neighbours->config_path = config_path;
    files_each(config_path, look_at, neighbours);
    return neighbours;
}

void neighbours_close(struct neighbours *neighbours)
{
    free(neighbours);
}

/* The files that belong to a key, or to a certificate. */
struct matching {
    const struct neighbours *neighbours;
    const char *but;
    const uint8_t *print;
    bool want_key;
    struct json_writer *writer;
    char first[FILES_NAME_SIZE];
};

static void write_matches(struct matching *matching)
{
    size_t count = matching->neighbours ? matching->neighbours->count : 0;

    json_write_open(matching->writer, "matches", '[');
    for (size_t i = 0; i < count; i++) {
        const struct neighbour *neighbour = &matching->neighbours->list[i];

        if ((matching->but && strcmp(neighbour->name, matching->but) == 0) ||
            neighbour->key != matching->want_key ||
            !inspect_fits(neighbour->print, matching->print))
            continue;
        json_write_text(matching->writer, NULL, neighbour->name);
        if (!*matching->first)
            memcpy(matching->first, neighbour->name, sizeof matching->first);
    }
    json_write_close(matching->writer, ']');
}

static void day_of(int64_t seconds, char out[16])
{
    struct tm parts;
    time_t time = (time_t)seconds;

    if (!gmtime_r(&time, &parts) || strftime(out, 16, "%Y-%m-%d", &parts) == 0)
        snprintf(out, 16, "?");
}

/* "is good until 2027-03-01", and what is wrong with that. */
static void put_validity(const struct inspect_certificate *certificate, int64_t now_s, char *out,
                         size_t size)
{
    char from[16], until[16];

    day_of(certificate->from_s, from);
    day_of(certificate->until_s, until);
    int days = (int)((certificate->until_s - now_s) / DAY_S);
    if (certificate->until_s < now_s)
        snprintf(out, size, "has expired on %s: brokers refuse it; get a new one", until);
    else if (certificate->from_s > now_s)
        snprintf(out, size, "is not valid before %s: see whether this gateway's clock is right",
                 from);
    else if (certificate->until_s - now_s < SOON_S)
        snprintf(out, size, "expires on %s, in %d day%s: get a new one soon", until, days,
                 days == 1 ? "" : "s");
    else
        snprintf(out, size, "is good until %s", until);
}

/* Whether each certificate is signed by the one behind it. */
static bool is_chain(const struct inspect *inspect)
{
    for (size_t i = 0; i + 1 < inspect->count; i++)
        if (!inspect->certificates[i].signs_next)
            return false;
    return true;
}

static void put_certificates(const struct inspect *inspect, const char *key, int64_t now_s,
                             char out[WORDS])
{
    const struct inspect_certificate *first = &inspect->certificates[0];
    char validity[128];

    put_validity(first, now_s, validity, sizeof validity);
    snprintf(out, WORDS, "%s %.200s, issued by %.200s, %s%s%s%s",
             first->authority ? "the certificate of an authority:" : "a certificate for",
             first->subject, first->self_signed ? "itself" : first->issuer, validity,
             inspect->count == 1 ? ""
             : is_chain(inspect) ? "; the certificates behind it lead on from it"
                                 : "; the certificates behind it are a list, and no chain",
             *key ? "; its key is " : "", key);
}

static void write_certificates(struct json_writer *writer, const struct inspect *inspect)
{
    json_write_open(writer, "certificates", '[');
    for (size_t i = 0; i < inspect->count; i++) {
        const struct inspect_certificate *one = &inspect->certificates[i];

        json_write_open(writer, NULL, '{');
        json_write_text(writer, "subject", one->subject);
        json_write_text(writer, "issuer", one->issuer);
        json_write_text(writer, "names", one->names);
        json_write_text(writer, "key", one->key);
        json_write_integer(writer, "from", one->from_s * 1000);
        json_write_integer(writer, "until", one->until_s * 1000);
        json_write_bool(writer, "authority", one->authority);
        json_write_bool(writer, "self_signed", one->self_signed);
        json_write_close(writer, '}');
    }
    json_write_close(writer, ']');
    json_write_bool(writer, "chain", is_chain(inspect));
}

static void put_key(const struct inspect *inspect, const char *certificate, char out[WORDS])
{
    snprintf(out, WORDS, "a private key (%s)%s%s", inspect->key,
             *certificate ? "; it belongs to the certificate "
                          : "; none of the certificates here belongs to it",
             certificate);
}

static const char *other_words(enum inspect_kind kind)
{
    switch (kind) {
    case INSPECT_LOCKED_KEY:
        return "a private key that is locked by a passphrase: give the passphrase, and it is kept "
               "without one, readable for sluiced only";
    case INSPECT_REVOKED:
        return "a list of revoked certificates";
    case INSPECT_PFX:
        return "a PKCS #12 file (.pfx, .p12), which holds a certificate and its key: give its "
               "passphrase to have it taken apart";
    default:
        return "neither a certificate nor a key in PEM or DER form";
    }
}

void describe_file(struct json_writer *writer, const struct inspect *inspect,
                   const struct neighbours *neighbours, const char *but, int64_t now_s)
{
    bool certificates = inspect->kind == INSPECT_CERTIFICATES;
    struct matching matching = {.neighbours = neighbours,
                                .but = but,
                                .print =
                                    certificates ? inspect->certificates[0].print : inspect->print,
                                .want_key = certificates,
                                .writer = writer};
    char words[WORDS];

    json_write_text(writer, "kind", kinds[inspect->kind]);
    if (certificates || inspect->kind == INSPECT_KEY)
        write_matches(&matching);
    if (certificates) {
        put_certificates(inspect, matching.first, now_s, words);
        write_certificates(writer, inspect);
        json_write_text(writer, "subject", inspect->certificates[0].subject);
        json_write_text(writer, "issuer", inspect->certificates[0].issuer);
        json_write_integer(writer, "from", inspect->certificates[0].from_s * 1000);
        json_write_integer(writer, "until", inspect->certificates[0].until_s * 1000);
    } else if (inspect->kind == INSPECT_KEY) {
        put_key(inspect, matching.first, words);
    } else if (inspect->kind == INSPECT_REQUEST) {
        snprintf(words, sizeof words, "a request for a certificate for %s (%s)", inspect->subject,
                 inspect->key);
    } else {
        snprintf(words, sizeof words, "%s", other_words(inspect->kind));
    }
    json_write_text(writer, "sentence", words);
}
