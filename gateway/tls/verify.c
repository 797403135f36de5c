#include "tls/verify.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"

/* In the order in which they are told: a certificate of an unknown issuer may be expired as well.
 */
static const uint32_t fault_order[] = {
    MBEDTLS_X509_BADCERT_REVOKED,     MBEDTLS_X509_BADCERT_NOT_TRUSTED,
    MBEDTLS_X509_BADCERT_EXPIRED,     MBEDTLS_X509_BADCERT_FUTURE,
    MBEDTLS_X509_BADCERT_CN_MISMATCH, MBEDTLS_X509_BADCERT_BAD_MD,
    MBEDTLS_X509_BADCERT_BAD_KEY,     MBEDTLS_X509_BADCERT_BAD_PK,
    MBEDTLS_X509_BADCERT_KEY_USAGE,   MBEDTLS_X509_BADCERT_EXT_KEY_USAGE,
    MBEDTLS_X509_BADCRL_EXPIRED,      MBEDTLS_X509_BADCRL_NOT_TRUSTED,
};

void verify_date(const mbedtls_x509_time *time, char out[20])
{
    snprintf(out, 20, "%04d-%02d-%02d", time->year, time->mon, time->day);
}

/* The host names in a certificate: context-specific tag 2 is a dNSName, 7 an iPAddress (RFC
 * 5280, 4.2.1.6). */
static void list_names(const mbedtls_x509_crt *certificate, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (const mbedtls_x509_sequence *name = &certificate->subject_alt_names; name && name->buf.p;
         name = name->next) {
        char address[INET6_ADDRSTRLEN] = "";
        const char *text = (const char *)name->buf.p;
        size_t length = name->buf.len;

        if ((name->buf.tag & 0x1f) == 7 && (length == 4 || length == 16)) {
            inet_ntop(length == 4 ? AF_INET : AF_INET6, name->buf.p, address, sizeof(address));
            text = address;
            length = strlen(address);
        } else if ((name->buf.tag & 0x1f) != 2) {
            continue;
        }
        if (used + length + 3 > size)
            return;
        used += (size_t)snprintf(out + used, size - used, "%s%.*s", used ? ", " : "", (int)length,
                                 text);
    }
}

/* The library of Debian 12 compares names only: an address as the host is looked for here. */
static bool address_matches(const mbedtls_x509_crt *certificate, const char *host)
{
    unsigned char address[16];
    size_t size = 0;

    if (inet_pton(AF_INET, host, address) == 1)
        size = 4;
    else if (inet_pton(AF_INET6, host, address) == 1)
        size = 16;
    if (size == 0)
        return false;
    for (const mbedtls_x509_sequence *name = &certificate->subject_alt_names; name && name->buf.p;
         name = name->next) {
        if ((name->buf.tag & 0x1f) == 7 && name->buf.len == size &&
            memcmp(name->buf.p, address, size) == 0)
            return true;
    }
    return false;
}

int verify_certificate(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
    struct verify_result *result = context;

    if (depth == 0 && (*flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) &&
        address_matches(certificate, result->name))
        *flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
    result->flags |= *flags;
    if (result->fault == 0) /* for what the handshake finds beyond the chain */
        mbedtls_x509_dn_gets(result->subject, sizeof(result->subject), &certificate->subject);
    /* Told is the broker's own certificate, and the issuer at the end of the chain that it sent. */
    if (depth == 0 && result->fault == MBEDTLS_X509_BADCERT_NOT_TRUSTED)
        mbedtls_x509_dn_gets(result->subject, sizeof(result->subject), &certificate->subject);
    for (size_t i = 0; i < sizeof(fault_order) / sizeof(fault_order[0]); i++) {
        if (result->fault == fault_order[i])
            break;
        if (!(*flags & fault_order[i]))
            continue;
        result->fault = fault_order[i];
        mbedtls_x509_dn_gets(result->subject, sizeof(result->subject), &certificate->subject);
        mbedtls_x509_dn_gets(result->issuer, sizeof(result->issuer), &certificate->issuer);
        verify_date(&certificate->valid_from, result->from);
        verify_date(&certificate->valid_to, result->until);
        list_names(certificate, result->names, sizeof(result->names));
        break;
    }
    return 0;
}

void verify_flags(struct verify_result *result, uint32_t flags)
{
    if (flags == UINT32_MAX) /* no certificate was checked */
        return;
    result->flags |= flags;
    for (size_t i = 0; result->fault == 0 && i < sizeof(fault_order) / sizeof(fault_order[0]); i++)
        result->fault = flags & fault_order[i];
}

void verify_sentence(const struct verify_result *result, char *sentence, size_t size)
{
    char now[32];
    const char *subject = result->subject;

    clock_format(clock_wall(&clock_system), now);
    now[10] = '\0';
    switch (result->fault) {
    case MBEDTLS_X509_BADCERT_EXPIRED:
        snprintf(sentence, size,
                 "the broker's certificate \"%s\" expired on %s: renew it at the broker (this "
                 "gateway's clock says %s)",
                 subject, result->until, now);
        break;
    case MBEDTLS_X509_BADCERT_FUTURE:
        snprintf(sentence, size,
                 "the broker's certificate \"%s\" is not yet valid, it begins on %s: set this "
                 "gateway's clock, which says %s, or correct the certificate",
                 subject, result->from, now);
        break;
    case MBEDTLS_X509_BADCERT_CN_MISMATCH:
        snprintf(sentence, size,
                 "the broker's certificate \"%s\" is for another host name than \"%s\" (it names "
                 "%s): correct the url, or give tls.server_name",
                 subject, result->name, result->names[0] ? result->names : "none");
        break;
    case MBEDTLS_X509_BADCERT_NOT_TRUSTED:
        snprintf(
            sentence, size,
            "the broker's certificate \"%s\" is issued by \"%s\", a CA that is not known here: "
            "give the certificate of the broker's CA as tls.ca",
            subject, result->issuer);
        break;
    case MBEDTLS_X509_BADCERT_REVOKED:
        snprintf(sentence, size,
                 "the certificate \"%s\" was revoked by its issuer: the broker needs a new one",
                 subject);
        break;
    case MBEDTLS_X509_BADCERT_BAD_MD:
    case MBEDTLS_X509_BADCERT_BAD_KEY:
    case MBEDTLS_X509_BADCERT_BAD_PK:
        snprintf(
            sentence, size,
            "the certificate \"%s\" is too weak (needed: SHA-256 or better, RSA with 2048 bits "
            "or more, or an elliptic curve): the broker needs a new one",
            subject);
        break;
    case MBEDTLS_X509_BADCERT_KEY_USAGE:
    case MBEDTLS_X509_BADCERT_EXT_KEY_USAGE:
        snprintf(sentence, size,
                 "the certificate \"%s\" is not one for a server (key usage): the broker needs one "
                 "with the usage \"TLS web server authentication\"",
                 subject);
        break;
    case MBEDTLS_X509_BADCRL_EXPIRED:
    case MBEDTLS_X509_BADCRL_NOT_TRUSTED:
        snprintf(sentence, size,
                 "the list of revoked certificates in tls.crl is out of date or from another CA: "
                 "fetch a new one");
        break;
    default:
        snprintf(sentence, size, "the broker's certificate \"%s\" was refused (flags 0x%x)",
                 subject, (unsigned)result->flags);
    }
}

const char *verify_alert(int number)
{
    static const struct {
        int number;
        const char *sentence;
    } table[] = {
        {40, "the broker refused the TLS handshake: it may want a client certificate (tls.cert and "
             "tls.key), or no cipher in common"},
        {42, "the broker refused this gateway's certificate as damaged: check tls.cert"},
        {43, "the broker does not support the kind of this gateway's certificate: check tls.cert"},
        {44, "the broker says that this gateway's certificate was revoked: get a new one"},
        {45, "the broker says that this gateway's certificate has expired: renew tls.cert"},
        {46, "the broker refused this gateway's certificate: check tls.cert with its operator"},
        {47, "the broker refused a parameter of the TLS handshake"},
        {48,
         "the broker does not know the CA that issued this gateway's certificate: check tls.cert "
         "with its operator"},
        {49, "the broker denied access to this gateway's certificate"},
        {51, "the broker could not verify this gateway's signature: check that tls.key belongs to "
             "tls.cert"},
        {70, "the broker offers no TLS version that is allowed here (TLS 1.2 at least, see "
             "tls.minimum)"},
        {71, "the broker wants stronger ciphers than there are here"},
        {80, "the broker reports an internal error in TLS"},
        {112, "the broker does not know the name that was asked for: check tls.server_name"},
        {116, "the broker wants a client certificate: give tls.cert and tls.key"},
        {120, "the broker does not offer the protocol in tls.alpn"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].number == number)
            return table[i].sentence;
    }
    return NULL;
}
