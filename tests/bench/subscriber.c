/*
 * A subscriber that keeps up with a gateway: it counts what arrives by scanning payloads, where a
 * parser would be the bottleneck of the measurement. MQTT 3.1.1 in the clear at QoS 0; only what
 * such a subscriber needs of it.
 *
 *   bench_subscriber PORT TOPIC [--latency]
 *
 * Each line on standard input is answered by one line of JSON: "report" says what arrived since the
 * last report. It ends with its input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_SIZE    (4u << 20)
#define LATENCY_MS_MAX 60000
#define READING        "\"k\":\"reading\""
#define TIME           "\"t\":"

struct counts {
    uint64_t messages, bytes, readings;
    int64_t first_ns, last_ns; /* monotonic: when the first and the last message arrived */
    uint64_t readings_first;   /* in the first message */
    uint64_t latency_count;
    uint32_t latency_ms[LATENCY_MS_MAX + 1];
};

struct subscriber {
    int fd;
    bool latency;
    uint8_t *buffer;
    size_t used;
    struct counts counts;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_subscriber: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t clock_ns(clockid_t id)
{
    struct timespec time;

    clock_gettime(id, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void send_all(struct subscriber *subscriber, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(subscriber->fd, bytes, size, MSG_NOSIGNAL);

        if (sent <= 0)
            die("send");
        bytes += sent;
        size -= (size_t)sent;
    }
}

static void connect_and_subscribe(struct subscriber *subscriber, uint16_t port, const char *topic)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    /* CONNECT: MQTT 3.1.1, a clean session, no keep-alive, an empty client id. */
    static const uint8_t connect_packet[] = {0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 0};
    uint8_t subscribe[300] = {0x82};
    size_t topic_size = strlen(topic);
    int one = 1;

    if (topic_size > 100)
        die("the topic is too long");
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    subscriber->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (subscriber->fd < 0 ||
        connect(subscriber->fd, (const struct sockaddr *)&address, sizeof address) < 0)
        die("connect");
    setsockopt(subscriber->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    send_all(subscriber, connect_packet, sizeof connect_packet);
    subscribe[1] = (uint8_t)(topic_size + 5);
    subscribe[3] = 1; /* packet identifier */
    subscribe[5] = (uint8_t)topic_size;
    memcpy(subscribe + 6, topic, topic_size);
    send_all(subscriber, subscribe, topic_size + 7);
}

static void count_latency(struct counts *counts, const uint8_t *event, const uint8_t *end,
                          int64_t now_ms)
{
    const uint8_t *time = memmem(event, (size_t)(end - event), TIME, sizeof TIME - 1);
    int64_t late_ms = now_ms;

    if (!time)
        return;
    late_ms -= strtoll((const char *)time + sizeof TIME - 1, NULL, 10);
    if (late_ms < 0)
        late_ms = 0;
    if (late_ms > LATENCY_MS_MAX)
        late_ms = LATENCY_MS_MAX;
    counts->latency_ms[late_ms]++;
    counts->latency_count++;
}

static void count_message(struct subscriber *subscriber, const uint8_t *packet, size_t size)
{
    struct counts *counts = &subscriber->counts;
    const uint8_t *end = packet + size, *at;
    int64_t now_ms = subscriber->latency ? clock_ns(CLOCK_REALTIME) / 1000000 : 0;
    uint64_t before = counts->readings;

    counts->last_ns = clock_ns(CLOCK_MONOTONIC);
    for (at = packet; (at = memmem(at, (size_t)(end - at), READING, sizeof READING - 1));) {
        at += sizeof READING - 1;
        counts->readings++;
        if (subscriber->latency)
            count_latency(counts, at, end, now_ms);
    }
    if (counts->messages == 0) {
        counts->first_ns = counts->last_ns;
        counts->readings_first = counts->readings - before;
    }
    counts->messages++;
    counts->bytes += size;
}

/* Takes one packet off the front of `bytes`; returns its size, or 0 while it is not whole. */
static size_t take_packet(struct subscriber *subscriber, const uint8_t *bytes, size_t size)
{
    size_t length = 0, header = 1;

    for (int shift = 0;; shift += 7) {
        if (header == size)
            return 0;
        length |= (size_t)(bytes[header] & 0x7F) << shift;
        if (!(bytes[header++] & 0x80))
            break;
        if (shift == 21) {
            errno = EPROTO;
            die("a packet's length");
        }
    }
    if (size - header < length)
        return 0;
    if (bytes[0] >> 4 == 3)
        count_message(subscriber, bytes + header, length);
    else if (bytes[0] >> 4 == 9 && puts("{\"subscribed\":true}") >= 0)
        fflush(stdout);
    return header + length;
}

static void receive(struct subscriber *subscriber)
{
    ssize_t got = recv(subscriber->fd, subscriber->buffer + subscriber->used,
                       BUFFER_SIZE - subscriber->used, 0);
    size_t at = 0, taken;

    if (got < 0 && errno == EINTR)
        return;
    if (got <= 0)
        die("the broker closed the connection");
    subscriber->used += (size_t)got;
    while (at < subscriber->used &&
           (taken = take_packet(subscriber, subscriber->buffer + at, subscriber->used - at)) > 0)
        at += taken;
    subscriber->used -= at;
    memmove(subscriber->buffer, subscriber->buffer + at, subscriber->used);
}

static uint32_t percentile(const struct counts *counts, double share)
{
    uint64_t wanted = (uint64_t)((double)counts->latency_count * share), seen = 0;

    for (uint32_t ms = 0; ms < LATENCY_MS_MAX; ms++) {
        seen += counts->latency_ms[ms];
        if (seen > wanted)
            return ms;
    }
    return LATENCY_MS_MAX;
}

static void report(struct subscriber *subscriber)
{
    struct counts *counts = &subscriber->counts;

    printf("{\"messages\":%llu,\"bytes\":%llu,\"readings\":%llu,\"readings_first\":%llu,"
           "\"first_ns\":%lld,\"last_ns\":%lld,\"now_ns\":%lld,\"cpu_ns\":%lld",
           (unsigned long long)counts->messages, (unsigned long long)counts->bytes,
           (unsigned long long)counts->readings, (unsigned long long)counts->readings_first,
           (long long)counts->first_ns, (long long)counts->last_ns,
           (long long)clock_ns(CLOCK_MONOTONIC), (long long)clock_ns(CLOCK_PROCESS_CPUTIME_ID));
    if (counts->latency_count > 0)
        printf(",\"latency_ms\":{\"p50\":%u,\"p99\":%u,\"p999\":%u}", percentile(counts, 0.5),
               percentile(counts, 0.99), percentile(counts, 0.999));
    puts("}");
    fflush(stdout);
    memset(counts, 0, sizeof *counts);
}

int main(int argc, char **argv)
{
    static struct subscriber subscriber;
    char line[64];

    if (argc < 3) {
        fprintf(stderr, "usage: bench_subscriber PORT TOPIC [--latency]\n");
        return 2;
    }
    subscriber.latency = argc > 3 && strcmp(argv[3], "--latency") == 0;
    subscriber.buffer = malloc(BUFFER_SIZE);
    if (!subscriber.buffer)
        die("memory");
    connect_and_subscribe(&subscriber, (uint16_t)atoi(argv[1]), argv[2]);
    for (;;) {
        struct pollfd fds[2] = {{.fd = subscriber.fd, .events = POLLIN},
                                {.fd = STDIN_FILENO, .events = POLLIN}};

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            die("poll");
        if (fds[0].revents)
            receive(&subscriber);
        if (fds[1].revents) {
            if (!fgets(line, sizeof line, stdin))
                return 0;
            report(&subscriber);
        }
    }
}
