/*
 * The one table of errors. Every function of Sluice that can fail returns one of these, negative,
 * so that zero and positive results stay usable.
 */
#ifndef SLUICE_CORE_ERROR_H
#define SLUICE_CORE_ERROR_H

#define ERROR_TABLE(X)                                                                             \
    X(NOMEM, -1, "out of memory")                                                                  \
    X(INVALID, -2, "invalid argument or value")                                                    \
    X(NOT_FOUND, -3, "not found")                                                                  \
    X(EXISTS, -4, "exists already")                                                                \
    X(FULL, -5, "no room left in a bounded queue or table")                                        \
    X(AGAIN, -6, "not ready yet")                                                                  \
    X(TIMEOUT, -7, "timed out")                                                                    \
    X(CLOSED, -8, "closed or stopping")                                                            \
    X(BUSY, -9, "in use by another process")                                                       \
    X(DENIED, -10, "permission denied")                                                            \
    X(IO, -11, "input/output error")                                                               \
    X(NO_SPACE, -12, "no space left on the device")                                                \
    X(READ_ONLY, -13, "the filesystem is read-only")                                               \
    X(CORRUPT, -14, "damaged data")                                                                \
    X(VERSION, -15, "unknown version")                                                             \
    X(TOO_LARGE, -16, "larger than allowed")                                                       \
    X(PROTOCOL, -17, "the other side broke the protocol")                                          \
    X(REFUSED, -18, "refused by the other side")                                                   \
    X(UNREACHABLE, -19, "unreachable")                                                             \
    X(NAME, -20, "the host name cannot be resolved")                                               \
    X(CONFIG, -21, "the configuration has errors")                                                 \
    X(TLS, -22, "the TLS handshake failed")                                                        \
    X(CERTIFICATE, -23, "a certificate was refused")                                               \
    X(EXCEPTION, -24, "the device answered with an exception")                                     \
    X(CHECKSUM, -25, "checksum mismatch")                                                          \
    X(UNSUPPORTED, -26, "not supported here")                                                      \
    X(UNTRUSTED, -27, "the other side's certificate is not trusted")                               \
    X(DESCRIPTORS, -28, "no file descriptors left: raise the service's limit (LimitNOFILE)")

enum error {
    ERR_OK = 0,
#define ERROR_ENUM(name, value, text) ERR_##name = value,
    ERROR_TABLE(ERROR_ENUM)
#undef ERROR_ENUM
};

/* The name of an error ("TIMEOUT") and its message; "UNKNOWN" and "unknown error" for other values.
 */
const char *error_name(int error);
const char *error_text(int error);

/* The error that stands for an errno value; ERR_IO where no better one fits. */
int error_from_errno(int errno_value);

#endif
