#include "daemon/update_refusal.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"

static const struct {
    const char *id, *next;
} reasons[] = {
    {"busy", "wait for its end: \"sluice update\" says which version starts next"},
    {"on-trial", "wait until it is confirmed, which takes ten minutes at most, or go back"},
    {"wrong-board", "get the bundle that is made for this board"},
    {"older", "take a newer bundle; the system that ran before comes back by \"sluice update "
              "rollback\""},
    {"truncated", "transfer the file again, and compare its size with the original's"},
    {"too-large", "check that it is the right file"},
    {"not-a-bundle", "choose the file that ends with .raucb"},
    {"wrongly-signed", "take the bundle from where this gateway's image came from; one that was "
                       "built elsewhere needs an image with that builder's keyring"},
    {"changed", "transfer the file again; when that is refused too, it was changed after it was "
                "signed"},
    {"revoked", "take a bundle that was signed with the key that came after it"},
    {"expired", "ask who made the bundle for one that is signed with a valid certificate; and look "
                "at the clock of this gateway"},
    {"not-yet-valid", "look at the clock of this gateway: it may be behind"},
    {"list-expired", "an image with a newer list of revoked certificates is needed: ask who made "
                     "the bundle"},
    {"no-space", "make room: let the journal keep less (journal.keep), or use a larger medium"},
    {"broken-off", "try again, from a place with a better connection"},
    {"download", "check the address and this gateway's connection, or upload the file instead"},
    {"cancelled", "nothing was changed"},
    {"unknown", "look which system starts next (\"sluice update\"), and install the bundle again "
                "where it is not that one"},
    {"failed", "the system that runs is as it was; \"journalctl -u rauc\" on the machine tells "
               "more"},
};

/* What RAUC and OpenSSL say, the particular first. */
static const struct {
    const char *words, *id, *sentence;
} known[] = {
    {"certificate revoked", "revoked", "the key that signed this bundle was revoked"},
    {"CRL has expired", "list-expired",
     "whether the signing key was revoked cannot be told: the list that this image has is too old"},
    {"certificate is not yet valid", "not-yet-valid",
     "the certificate of the signing key is not valid yet, by this gateway's clock"},
    {"CRL is not yet valid", "not-yet-valid",
     "the list of revoked keys is not valid yet, by this gateway's clock"},
    {"certificate has expired", "expired",
     "the certificate of the signing key is not valid any more"},
    {"Verify error", "wrongly-signed", "this bundle is signed by a key that is not trusted here"},
    {"content verify error", "changed", "this bundle is not what was signed"},
    {"verification failed", "changed", "this bundle is not what was signed"},
    {"doesn't match", "changed", "this bundle is not what was signed"},
    {"Compatible mismatch", "wrong-board", "this bundle is made for another board"},
    {"No space left", "no-space", "there is not enough room for this update"},
};

static const char *next_of(const char *id)
{
    size_t last = sizeof reasons / sizeof *reasons - 1;

    for (size_t i = 0; i < last; i++) {
        if (strcmp(reasons[i].id, id) == 0)
            return reasons[i].next;
    }
    return reasons[last].next;
}

void update_refuse(struct update_refusal *refusal, const char *id, const char *format, ...)
{
    va_list list;

    refusal->id = id;
    refusal->next = next_of(id);
    va_start(list, format);
    vsnprintf(refusal->sentence, sizeof refusal->sentence, format, list);
    va_end(list);
}

/* All bundles are SquashFS images, or those encrypted, which no image of ours takes. */
static bool begins_as_bundle(const char *path)
{
    char magic[4] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, magic, sizeof magic);

    if (fd >= 0)
        close(fd);
    return got == sizeof magic && memcmp(magic, "hsqs", sizeof magic) == 0;
}

void update_refuse_by_words(struct update_refusal *refusal, const char *words, const char *path)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strstr(words, known[i].words)) {
            update_refuse(refusal, known[i].id, "%s", known[i].sentence);
            return;
        }
    }
    if (!strstr(words, "Invalid bundle format"))
        update_refuse(refusal, "failed", "the update failed: %.*s", (int)strcspn(words, "\n"),
                      words);
    else if (begins_as_bundle(path))
        update_refuse(refusal, "truncated", "the end of this bundle is missing");
    else
        update_refuse(refusal, "not-a-bundle", "this file is no update bundle");
}

void update_refuse_by_error(struct update_refusal *refusal, int error)
{
    switch (error) {
    case ERR_BUSY:
        update_refuse(refusal, "busy",
                      "an update is being installed that somebody else began, or this gateway "
                      "before its last start");
        break;
    case ERR_TOO_LARGE:
        update_refuse(refusal, "too-large", "this is larger than any bundle may be (1 GiB)");
        break;
    case ERR_NO_SPACE:
        update_refuse(refusal, "no-space",
                      "there is not enough room for the bundle beside what the journal needs");
        break;
    case ERR_CLOSED:
        update_refuse(refusal, "broken-off", "the upload broke off before its end");
        break;
    default:
        update_refuse(refusal, "failed", "the bundle cannot be stored: %s", error_text(error));
        break;
    }
}
