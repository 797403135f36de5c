#include "tls/tls.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "core/error.h"
#include "tls/context.h"
#include "tls/verify.h"

struct tls {
    mbedtls_ssl_context ssl;
    struct verify_result verify;
    int fd;
    int socket_error;            /* errno */
    int last;                    /* what the library returned last */
    bool complete;               /* the handshake */
    bool heard;                  /* anything from the peer */
    struct tls_context *context; /* of a client's end; NULL: a server's */
    size_t offered;              /* by the tls_write that returned ERR_AGAIN */
    char *name;
    const char *reason;
    struct tls_resume *ticket;
};

struct tls_resume {
    mbedtls_ssl_session session;
};

static int bio_send(void *context, const unsigned char *data, size_t size)
{
    struct tls *tls = context;
    ssize_t sent = send(tls->fd, data, size, MSG_NOSIGNAL);

    if (sent >= 0)
        return (int)sent;
    if (errno == EAGAIN || errno == EINTR)
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    tls->socket_error = errno;
    /* A broker that refuses us says why and hangs up while we still send: its words are to be read.
     */
    if (!tls->complete && (errno == EPIPE || errno == ECONNRESET))
        return (int)size;
    return MBEDTLS_ERR_SSL_CONN_EOF;
}

static int bio_receive(void *context, unsigned char *data, size_t size)
{
    struct tls *tls = context;
    ssize_t got = recv(tls->fd, data, size, 0);

    tls->heard |= got > 0;
    if (got >= 0)
        return (int)got;
    if (errno == EAGAIN || errno == EINTR)
        return MBEDTLS_ERR_SSL_WANT_READ;
    tls->socket_error = errno;
    return MBEDTLS_ERR_SSL_CONN_EOF;
}

static struct tls *tls_new(int fd)
{
    struct tls *tls = calloc(1, sizeof(*tls));

    if (!tls)
        return NULL;
    mbedtls_ssl_init(&tls->ssl);
    mbedtls_ssl_set_bio(&tls->ssl, tls, bio_send, bio_receive, NULL);
    tls->fd = fd;
    tls->reason = "";
    return tls;
}

int tls_serve(struct tls **out, struct tls_identity *identity, int fd)
{
    struct tls *tls = tls_new(fd);

    if (!tls || mbedtls_ssl_setup(&tls->ssl, &identity->config) != 0) {
        tls_close(tls);
        return ERR_NOMEM;
    }
    *out = tls;
    return 0;
}

int tls_open(struct tls **out, struct tls_context *context, int fd, const char *name,
             const struct tls_resume *resume)
{
    struct tls *tls = tls_new(fd);

    if (!tls)
        return ERR_NOMEM;
    tls->context = context;
    tls->name = strdup(name);
    if (!tls->name || mbedtls_ssl_setup(&tls->ssl, &context->config) != 0 ||
        mbedtls_ssl_set_hostname(&tls->ssl, name) != 0) {
        tls_close(tls);
        return ERR_NOMEM;
    }
    tls->verify.name = tls->name;
    mbedtls_ssl_set_verify(&tls->ssl, verify_certificate, &tls->verify);
    if (resume)
        mbedtls_ssl_set_session(&tls->ssl, &resume->session); /* refused: a full handshake */
    *out = tls;
    return 0;
}

void tls_close(struct tls *tls)
{
    if (!tls)
        return;
    mbedtls_ssl_free(&tls->ssl);
    tls_resume_free(tls->ticket);
    free(tls->name);
    free(tls);
}

void tls_resume_free(struct tls_resume *resume)
{
    if (!resume)
        return;
    mbedtls_ssl_session_free(&resume->session);
    free(resume);
}

static void keep_session(struct tls *tls)
{
    struct tls_resume *resume = calloc(1, sizeof(*resume));

    if (!resume)
        return;
    mbedtls_ssl_session_init(&resume->session);
    if (mbedtls_ssl_get_session(&tls->ssl, &resume->session) != 0) {
        tls_resume_free(resume);
        return;
    }
    tls_resume_free(tls->ticket);
    tls->ticket = resume;
}

struct tls_resume *tls_take_session(struct tls *tls)
{
    struct tls_resume *resume = tls->ticket;

    tls->ticket = NULL;
    return resume;
}

/* What a return code of the library that is no progress means. */
static int classify(struct tls *tls, int code)
{
    const char *sentence;

    tls->last = code;
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE)
        return ERR_AGAIN;
    if (code == MBEDTLS_ERR_SSL_CONN_EOF || code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        return ERR_CLOSED;
    if (compat_is_certificate(code))
        return ERR_UNTRUSTED;
    if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        sentence = verify_alert(compat_alert(&tls->ssl));
        tls->reason = sentence ? sentence : "the broker ended TLS with an alert";
    }
    return ERR_TLS;
}

/* The broker ended the handshake, by an alert or, as often (the alert is lost when it closes with
 * bytes of ours unread), without a word: what it may not have liked. */
static void guess(struct tls *tls, char *sentence, size_t size)
{
    const mbedtls_x509_crt *cert = &tls->context->cert;
    char date[20];

    if (cert->raw.p && mbedtls_x509_time_is_past(&cert->valid_to)) {
        verify_date(&cert->valid_to, date);
        snprintf(
            sentence, size,
            "the broker ended the TLS handshake, and this gateway's certificate tls.cert expired "
            "on %s: renew it",
            date);
    } else if (tls->reason[0]) {
        snprintf(sentence, size, "%s", tls->reason);
    } else if (!tls->heard) {
        snprintf(
            sentence, size,
            "the other side closed the connection when TLS began: check that this port speaks TLS "
            "(8883 is usual), not plain MQTT");
    } else if (cert->raw.p) {
        snprintf(
            sentence, size,
            "the broker ended the TLS handshake when it had this gateway's client certificate: "
            "check tls.cert with the broker's operator");
    } else {
        snprintf(
            sentence, size,
            "the broker ended the TLS handshake: it probably wants a client certificate (tls.cert "
            "and tls.key)");
    }
}

/* What a failed handshake means for the operator. */
static void explain(struct tls *tls, int rc, int code, char *sentence, size_t size)
{
    if (!tls->context) { /* what a visitor's program makes of TLS is its own affair */
        snprintf(sentence, size, "%s (mbedTLS -0x%04x)", error_text(rc), (unsigned)-code);
    } else if (rc == ERR_UNTRUSTED) {
        verify_flags(&tls->verify, mbedtls_ssl_get_verify_result(&tls->ssl));
        verify_sentence(&tls->verify, sentence, size);
    } else if (rc == ERR_CLOSED || tls->reason[0]) {
        guess(tls, sentence, size);
    } else if (code == MBEDTLS_ERR_SSL_INVALID_RECORD) {
        snprintf(sentence, size,
                 "the other side does not speak TLS: check the port (8883 is usual "
                 "for TLS, 1883 without)");
    } else {
        snprintf(sentence, size, "the TLS handshake failed (mbedTLS -0x%04x)", (unsigned)-code);
    }
}

int tls_handshake(struct tls *tls, char *sentence, size_t size)
{
    int code, rc;

    do {
        code = mbedtls_ssl_handshake(&tls->ssl);
    } while (compat_is_ticket(code));
    if (code == 0) {
        tls->complete = true;
        if (tls->context && !compat_is_tls13(&tls->ssl))
            keep_session(tls); /* TLS 1.3 sessions come later, as tickets */
        return 0;
    }
    rc = classify(tls, code);
    if (rc != ERR_AGAIN)
        explain(tls, rc, code, sentence, size);
    return rc;
}

int tls_read(struct tls *tls, void *data, size_t size)
{
    int code;

    for (;;) {
        code = mbedtls_ssl_read(&tls->ssl, data, size < INT_MAX ? size : INT_MAX);
        if (!compat_is_ticket(code))
            break;
        keep_session(tls);
    }
    if (code >= 0)
        return code;
    return code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ? 0 : classify(tls, code);
}

int tls_write(struct tls *tls, const void *data, size_t size)
{
    int code;

    /* A record that could not be sent whole is finished first: the library then counts what it was
     * offered at that time. */
    if (tls->offered > 0)
        size = tls->offered;
    do {
        code = mbedtls_ssl_write(&tls->ssl, data, size < INT_MAX ? size : INT_MAX);
    } while (compat_is_ticket(code));
    tls->offered = 0;
    if (code >= 0)
        return code;
    code = classify(tls, code);
    if (code == ERR_AGAIN)
        tls->offered = size;
    return code;
}

uint32_t tls_wants(const struct tls *tls)
{
    return tls->last == MBEDTLS_ERR_SSL_WANT_WRITE ? EPOLLOUT : EPOLLIN;
}

const char *tls_reason(const struct tls *tls)
{
    return tls->reason;
}

bool tls_wants_other_cipher(const struct tls *tls)
{
    int alert = compat_alert(&tls->ssl);

    return tls->last == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && (alert == 40 || alert == 71);
}

int tls_socket_error(const struct tls *tls)
{
    return tls->socket_error;
}

void tls_finish(struct tls *tls)
{
    if (tls->complete)
        mbedtls_ssl_close_notify(&tls->ssl);
}

void tls_describe(const struct tls *tls, char *out, size_t size)
{
    const char *suite = mbedtls_ssl_get_ciphersuite(&tls->ssl);

    snprintf(out, size, "%s %s", mbedtls_ssl_get_version(&tls->ssl), suite ? suite : "");
}
