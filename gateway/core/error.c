#include "core/error.h"

#include <errno.h>
#include <stddef.h>

struct row {
    int value;
    const char *name;
    const char *text;
};

static const struct row rows[] = {{ERR_OK, "OK", "no error"},
#define ERROR_ROW(name, value, text) {ERR_##name, #name, text},
                                  ERROR_TABLE(ERROR_ROW)
#undef ERROR_ROW
};

static const struct row *find(int error)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].value == error)
            return &rows[i];
    return NULL;
}

const char *error_name(int error)
{
    const struct row *row = find(error);
    return row ? row->name : "UNKNOWN";
}

const char *error_text(int error)
{
    const struct row *row = find(error);
    return row ? row->text : "unknown error";
}

int error_from_errno(int errno_value)
{
    switch (errno_value) {
    case 0:
        return ERR_OK;
    case ENOMEM:
        return ERR_NOMEM;
    case EINVAL:
        return ERR_INVALID;
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    case EMFILE:
    case ENFILE:
        return ERR_DESCRIPTORS;
    case EAGAIN:
        return ERR_AGAIN;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
    case ENOTCONN:
        return ERR_CLOSED;
    case EBUSY:
    case EADDRINUSE:
        return ERR_BUSY;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    case ENOSPC:
    case EDQUOT:
        return ERR_NO_SPACE;
    case EROFS:
        return ERR_READ_ONLY;
    case EFBIG:
    case EMSGSIZE:
    case ENAMETOOLONG:
        return ERR_TOO_LARGE;
    case EPROTO:
        return ERR_PROTOCOL;
    case ECONNREFUSED:
        return ERR_REFUSED;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
        return ERR_UNREACHABLE;
    case ENOSYS:
    case EOPNOTSUPP:
        return ERR_UNSUPPORTED;
    default:
        return ERR_IO;
    }
}
