#include "cli/offline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/error.h"
#include "daemon/gateway.h"
#include "journal/reader.h"

#define BLOCK_SIZE (256 * 1024)

int offline_open(struct offline *offline, const char *folder)
{
    struct journal_stats stats;
    struct stat status;

    memset(offline, 0, sizeof *offline);
    /* Opening the folder would make it, and nothing is to be changed here. */
    if (stat(folder, &status) != 0) {
        fprintf(stderr, "%s: the journal's folder %s cannot be read: %s; name it with --journal\n",
                program_invocation_name, folder, strerror(errno));
        return EXIT_CODE_SYSTEM;
    }
    if (!S_ISDIR(status.st_mode)) {
        fprintf(stderr,
                "%s: %s is a file, and a journal is a folder: name the folder that it is in\n",
                program_invocation_name, folder);
        return EXIT_CODE_USAGE;
    }
    int error = io_posix_open(&offline->io, folder);
    if (!error) {
        error = journal_open_read_only(&offline->journal, &offline->io);
        if (error)
            io_posix_close(&offline->io);
    }
    if (error) {
        fprintf(stderr, "%s: the journal in %s cannot be read: %s\n", program_invocation_name,
                folder, error_text(error));
        return EXIT_CODE_SYSTEM;
    }
    journal_stats(offline->journal, &stats);
    if (stats.segments == 0) {
        fprintf(stderr, "%s: there is no journal in %s: name the folder that holds its segments\n",
                program_invocation_name, folder);
        offline_close(offline);
        return EXIT_CODE_SYSTEM;
    }
    return EXIT_CODE_OK;
}

void offline_close(struct offline *offline)
{
    if (!offline->journal)
        return;
    journal_close(offline->journal);
    io_posix_close(&offline->io);
}

int offline_feed(struct offline *offline, const struct feed_query *query, FILE *out)
{
    struct feed *feed = NULL;
    char sentence[FEED_NAMES_SIZE];

    if (feed_find(offline->journal, query, sentence) != 0) {
        fprintf(stderr, "%s: %s\n", program_invocation_name, sentence);
        return EXIT_CODE_USAGE;
    }
    char *block = malloc(BLOCK_SIZE);
    int64_t got = block ? feed_open(&feed, offline->journal, query) : ERR_NOMEM;

    while (got >= 0 || got == ERR_AGAIN) {
        got = feed_read(feed, block, BLOCK_SIZE);
        if (got > 0 && fwrite(block, 1, (size_t)got, out) != (size_t)got)
            got = ERR_IO;
    }
    feed_close(feed);
    free(block);
    if (got == ERR_CLOSED)
        return EXIT_CODE_OK;
    fprintf(stderr, "%s: reading stopped: %s\n", program_invocation_name, error_text((int)got));
    return EXIT_CODE_SYSTEM;
}
