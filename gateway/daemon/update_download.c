#include "daemon/update_download.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/error.h"
#include "web/program.h"

#define BLOCK     (32 * 1024)
#define LENGTH    "content-length:"
#define COMPLAINT "curl: ("

bool update_download_valid(const char *url)
{
    static const char scheme[] = "https://";
    const char *host = url + sizeof scheme - 1;

    if (strncasecmp(url, scheme, sizeof scheme - 1) != 0 || !*host || *host == '/')
        return false;
    /* As RFC 3986 has them, but for user names. */
    for (const char *at = host; *at; at++) {
        if (*at <= ' ' || *at > '~' || strchr("\"<>\\^`{|}@", *at))
            return false;
    }
    return true;
}

/* What came on standard error, where the headers go as well: the size of the last answer. */
static void see_size(const struct update_download *download, const char *headers)
{
    int64_t size = -1;

    for (const char *at = headers; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncasecmp(at, LENGTH, sizeof LENGTH - 1) == 0)
            size = strtoll(at + sizeof LENGTH - 1, NULL, 10);
    }
    if (size >= 0)
        download->size(download->context, size);
}

/* Until both of its outputs have ended. 0, or the error of `store`. */
static int follow(const struct program *program, const struct update_download *download,
                  char *block, char words[UPDATE_WORDS_SIZE])
{
    struct pollfd ends[] = {{.fd = program->out, .events = POLLIN},
                            {.fd = program->err, .events = POLLIN}};
    int error = 0;

    while (!error && (ends[0].fd >= 0 || ends[1].fd >= 0)) {
        if (poll(ends, 2, 1000) <= 0)
            error = download->store(download->context, block, 0);
        for (size_t i = 2; i-- > 0 && !error;) {
            if (ends[i].fd < 0 || !ends[i].revents)
                continue;
            ssize_t got = read(ends[i].fd, block, BLOCK);
            if (got <= 0)
                ends[i].fd = -1;
            else if (i == 0)
                error = download->store(download->context, block, (size_t)got);
            else
                program_keep_words(words, UPDATE_WORDS_SIZE, block, (size_t)got);
            if (got > 0 && i == 1)
                see_size(download, words);
        }
    }
    return error;
}

/* Of all that curl said, its complaint. */
static void keep_complaint(char words[UPDATE_WORDS_SIZE])
{
    const char *complaint = strstr(words, COMPLAINT);
    char kept[UPDATE_WORDS_SIZE];

    complaint = complaint ? strchr(complaint, ')') : NULL;
    if (complaint)
        complaint += 1 + strspn(complaint + 1, " ");
    snprintf(kept, sizeof kept, "the bundle could not be downloaded: %.*s",
             complaint ? (int)strcspn(complaint, "\n") : 30,
             complaint ? complaint : "curl ended without a reason");
    memcpy(words, kept, sizeof kept);
}

int update_download(const struct update_download *download, char words[UPDATE_WORDS_SIZE])
{
    /* Nobody's settings (-q, which has to be the first), and brackets in an address are no
     * patterns. Slower than 200 bytes a second for a minute is none; --max-filesize only knows what
     * is announced, and `store` ends what is not. */
    const char *const arguments[] = {"curl",        "-q",
                                     "--globoff",   "--fail",
                                     "--silent",    "--show-error",
                                     "--location",  "--max-redirs",
                                     "5",           "--proto",
                                     "=https",      "--proto-redir",
                                     "=https",      "--connect-timeout",
                                     "20",          "--speed-limit",
                                     "200",         "--speed-time",
                                     "60",          "--max-filesize",
                                     "1073741824",  "--dump-header",
                                     "/dev/stderr", "--",
                                     download->url, NULL};
    struct program program;
    char *block = malloc(BLOCK);

    words[0] = '\0';
    int error = block ? program_start_other(&program, arguments) : ERR_NOMEM;
    if (error) {
        snprintf(words, UPDATE_WORDS_SIZE, "%s",
                 error == ERR_NOT_FOUND ? "downloads need the program curl, which is not installed"
                                        : error_text(error));
        free(block);
        return ERR_REFUSED;
    }
    error = follow(&program, download, block, words);
    int code = error ? program_end(&program) : program_wait(&program);
    free(block);
    if (error || code == 0)
        return error;
    keep_complaint(words);
    return ERR_REFUSED;
}
