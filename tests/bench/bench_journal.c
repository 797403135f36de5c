/*
 * The journal against what its disk can do and against SQLite, in the same run, one after another
 * in turns. Prints one line of JSON for each figure.
 *
 *   bench_journal FOLDER [FIGURE...]     (append open memory; all unless some are named)
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "store.h"

#define ROUNDS           5
#define KEEP_BYTES       (64 << 20) /* so that the run is long enough to come to used files again */
#define MANY             10000000u
#define WARM_UP          1000000u
#define PATH_SIZE        512
#define COMMIT_BYTES_MAX (1 << 20)

/* The same work done by each of the three: what the journal stored in one round. */
struct work {
    uint64_t events, commits, bytes;
};

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double append_journal(struct store *store, uint64_t events, struct work *work)
{
    struct journal_stats before, after;
    double begun;

    journal_stats(store->journal, &before);
    begun = store_seconds();
    store_append(store, events);
    begun = store_seconds() - begun;
    journal_stats(store->journal, &after);
    work->events = events;
    work->commits = after.commits - before.commits;
    work->bytes = after.commit_bytes - before.commit_bytes;
    return begun;
}

/* The ceiling: a file of zeros that is written over, with as many syncs and the same bytes. */
struct plain_file {
    int fd;
    off_t at;
};

static void plain_open(struct plain_file *file, const char *folder)
{
    static const char zeros[1 << 20];
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s/plain", folder);
    file->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (off_t at = 0; at < KEEP_BYTES; at += (off_t)sizeof zeros) {
        if (pwrite(file->fd, zeros, sizeof zeros, at) != (ssize_t)sizeof zeros)
            store_die(path, ERR_IO);
    }
    if (fsync(file->fd) < 0)
        store_die(path, ERR_IO);
    file->at = 0;
}

static double append_plain(struct plain_file *file, const struct work *work)
{
    static char bytes[COMMIT_BYTES_MAX];
    size_t size = (size_t)(work->bytes / work->commits);
    double begun = store_seconds();

    memset(bytes, 0x5A, sizeof bytes);
    for (uint64_t i = 0; i < work->commits; i++) {
        if (file->at + (off_t)size > KEEP_BYTES)
            file->at = 0;
        if (pwrite(file->fd, bytes, size, file->at) != (ssize_t)size || fdatasync(file->fd) < 0)
            store_die("the plain file", ERR_IO);
        file->at += (off_t)size;
    }
    return store_seconds() - begun;
}

static void must(sqlite3 *database, int result)
{
    if (result == SQLITE_OK || result == SQLITE_DONE || result == SQLITE_ROW)
        return;
    fprintf(stderr, "SQLite: %s\n", sqlite3_errmsg(database));
    exit(1);
}

static sqlite3 *database_open(const char *path)
{
    sqlite3 *database;

    must(NULL, sqlite3_open(path, &database));
    must(database, sqlite3_exec(database,
                                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                "CREATE TABLE events(n INTEGER PRIMARY KEY, data BLOB)",
                                NULL, NULL, NULL));
    return database;
}

static double append_sqlite(sqlite3 *database, const struct work *work)
{
    static const char bytes[4096];
    int size = (int)(work->bytes / work->events);
    uint64_t per_commit = work->events / work->commits;
    sqlite3_stmt *insert;
    double begun = store_seconds();

    must(database,
         sqlite3_prepare_v2(database, "INSERT INTO events(data) VALUES (?)", -1, &insert, NULL));
    for (uint64_t i = 0; i < work->commits; i++) {
        must(database, sqlite3_exec(database, "BEGIN", NULL, NULL, NULL));
        for (uint64_t j = 0; j < per_commit; j++) {
            must(database, sqlite3_bind_blob(insert, 1, bytes, size, SQLITE_STATIC));
            must(database, sqlite3_step(insert));
            must(database, sqlite3_reset(insert));
        }
        must(database, sqlite3_exec(database, "COMMIT", NULL, NULL, NULL));
    }
    sqlite3_finalize(insert);
    return store_seconds() - begun;
}

static void print_ratio(const char *figure, uint64_t per_commit, double value, double baseline,
                        double limit, const struct work *work)
{
    printf("{\"bench\":\"journal\",\"figure\":\"%s_%" PRIu64
           "\",\"value\":%.0f,\"unit\":\"events/s\",\"baseline\":%.0f,\"ratio\":%.3f,"
           "\"settings\":{\"rounds\":%d,\"events_per_commit\":%.1f,\"bytes_per_event\":%.2f,"
           "\"keep\":\"64MiB\",\"ratio_of_the_plain_file\":%.2f}}\n",
           figure, per_commit, value, baseline, value / baseline, ROUNDS,
           (double)work->events / (double)work->commits, (double)work->bytes / (double)work->events,
           limit / baseline);
    fflush(stdout);
}

/* How many bytes make a commit of so many events: found by trying, since packing depends on what it
 * packs. */
static int64_t commit_bytes(const char *path, uint64_t per_commit)
{
    double bytes = 4.0 * (double)per_commit;

    for (int i = 0; i < 3; i++) {
        struct store store;
        struct work work;

        store_open(&store, path, KEEP_BYTES, (int64_t)bytes);
        append_journal(&store, 100 * per_commit, &work);
        store_close(&store);
        bytes *= (double)per_commit * (double)work.commits / (double)work.events;
    }
    return (int64_t)bytes;
}

static void bench_append(const char *folder, uint64_t per_commit, uint64_t events)
{
    double journal[ROUNDS], plain[ROUNDS], sqlite[ROUNDS], median_plain;
    struct plain_file file;
    struct work work, total = {0};
    struct store store;
    sqlite3 *database;
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s/append-%" PRIu64, folder, per_commit);
    store_open(&store, path, KEEP_BYTES, commit_bytes(path, per_commit));
    /* Files that are new cost a sync of metadata and the zeros: the figure is that of the years
     * behind them. */
    do {
        append_journal(&store, WARM_UP, &work);
        total.bytes += work.bytes;
    } while (total.bytes < KEEP_BYTES + KEEP_BYTES / 4);
    total.bytes = 0;
    plain_open(&file, folder);
    snprintf(path, sizeof path, "%s/events-%" PRIu64 ".db", folder, per_commit);
    database = database_open(path);
    for (int i = 0; i < ROUNDS; i++) {
        journal[i] = (double)events / append_journal(&store, events, &work);
        plain[i] = (double)events / append_plain(&file, &work);
        sqlite[i] = (double)events / append_sqlite(database, &work);
        total.events += work.events;
        total.commits += work.commits;
        total.bytes += work.bytes;
    }
    sqlite3_close(database);
    close(file.fd);
    store_close(&store);
    median_plain = median(plain, ROUNDS);
    print_ratio("append_ceiling", per_commit, median(journal, ROUNDS), median_plain, median_plain,
                &total);
    print_ratio("append_sqlite", per_commit, median(journal, ROUNDS), median(sqlite, ROUNDS),
                median_plain, &total);
}

/* Runs `work` in a process of its own that ends without closing anything, as by kill -9; returns
 * what it tells. */
static double in_child(double (*work)(const char *path), const char *path)
{
    double told = 0;
    int ends[2], status;
    pid_t child;

    if (pipe(ends) < 0 || (child = fork()) < 0)
        store_die("fork", ERR_NOMEM);
    if (child == 0) {
        told = work(path);
        _exit(write(ends[1], &told, sizeof told) == (ssize_t)sizeof told ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], &told, sizeof told) != (ssize_t)sizeof told)
        store_die(path, ERR_CLOSED);
    close(ends[0]);
    waitpid(child, &status, 0);
    return told;
}

static double fill(const char *path)
{
    struct store store;

    store_open(&store, path, 0, 0);
    store_append(&store, MANY);
    return 0;
}

/* The disk has to be read: what the page cache holds of the files is dropped. */
static void forget(void *context, const struct io_dir_entry *entry)
{
    char path[PATH_SIZE];
    int fd;

    snprintf(path, sizeof path, "%s/%s", (const char *)context, entry->name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

static double open_once(const char *path)
{
    struct journal_options options = {
        .clock = &clock_system, .gateway_id = "plant7", .identity = "bench"};
    struct journal *journal;
    char folder[PATH_SIZE];
    struct io io;
    double begun;
    int error;

    snprintf(folder, sizeof folder, "%s", path);
    error = io_posix_open(&io, path);
    if (error)
        store_die(path, error);
    io.list(&io, forget, folder);
    options.io = &io;
    begun = store_seconds();
    error = journal_open(&journal, &options);
    if (error)
        store_die("opening the journal again", error);
    return store_seconds() - begun;
}

static void bench_open(const char *folder)
{
    double seconds[ROUNDS];
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s/open", folder);
    in_child(fill, path);
    for (int i = 0; i < ROUNDS; i++)
        seconds[i] = in_child(open_once, path);
    printf(
        "{\"bench\":\"journal\",\"figure\":\"open_10m\",\"value\":%.4f,\"unit\":\"s\",\"settings\":"
        "{\"rounds\":%d,\"events\":%u,\"end\":\"killed\",\"page_cache\":\"dropped\"}}\n",
        median(seconds, ROUNDS), ROUNDS, MANY);
    fflush(stdout);
}

static double resident_mb(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    long size, resident;

    if (!statm || fscanf(statm, "%ld %ld", &size, &resident) != 2)
        store_die("/proc/self/statm", ERR_IO);
    fclose(statm);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

/* A consumer that reads and acknowledges all there is. */
static void consume(struct store *store, struct cursor *cursor)
{
    uint64_t last = journal_durable(store->journal, NULL);
    struct reader *reader;
    struct event event;
    int error = reader_open(&reader, store->journal, cursor_low(cursor));

    if (error)
        store_die("opening a reader", error);
    while (reader_position(reader) <= last && reader_next(reader, &event) > 0)
        ;
    reader_close(reader);
    cursor_ack(cursor, cursor_low(cursor), last);
}

static double grow(const char *path)
{
    struct cursor *cursor;
    struct store store;
    double before;
    int error;

    store_open(&store, path, 0, 0);
    error = cursor_open(&cursor, store.journal, "uplink/cloud", CURSOR_AT_OLDEST);
    if (error)
        store_die("opening a cursor", error);
    /* What every gateway has touched after its first minute: a full commit, a reader. */
    store_append(&store, WARM_UP);
    consume(&store, cursor);
    before = resident_mb();
    store_append(&store, MANY);
    return resident_mb() - before;
}

static void bench_memory(const char *folder)
{
    double megabytes[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        char path[PATH_SIZE];

        snprintf(path, sizeof path, "%s/memory-%d", folder, i);
        megabytes[i] = in_child(grow, path);
    }
    printf(
        "{\"bench\":\"journal\",\"figure\":\"rss_backlog_growth\",\"value\":%.3f,\"unit\":\"MB\","
        "\"settings\":{\"rounds\":%d,\"events\":%u}}\n",
        median(megabytes, ROUNDS), ROUNDS, MANY);
    fflush(stdout);
}

static int wanted(int argc, char **argv, const char *name)
{
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return 1;
    }
    return argc == 2;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_journal FOLDER [append] [open] [memory]\n");
        return 2;
    }
    if (wanted(argc, argv, "append")) {
        bench_append(argv[1], 100, 300000);
        bench_append(argv[1], 1000, 2000000);
    }
    if (wanted(argc, argv, "open"))
        bench_open(argv[1]);
    if (wanted(argc, argv, "memory"))
        bench_memory(argv[1]);
    return 0;
}
