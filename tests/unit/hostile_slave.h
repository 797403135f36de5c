/*
 * A Modbus device in a thread, on a pty or a loopback socket, that misbehaves as it is told: as
 * RTU, as ASCII, or, on a socket only, as Modbus TCP. Its registers hold hostile_register(), so
 * that a value from another register, unit or time is seen to be wrong. Included by the tests that
 * use it.
 */
#ifndef TESTS_HOSTILE_SLAVE_H
#define TESTS_HOSTILE_SLAVE_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum hostility {
    HOSTILE_NOT,
    HOSTILE_SILENT,
    HOSTILE_LATE, /* the reply comes after the reader's time-out */
    HOSTILE_LATE_EXCEPTION,
    HOSTILE_HELD_1, /* out of order: it comes before the reply to the next request but one... */
    HOSTILE_HELD_2, /* ...or but two, or but three */
    HOSTILE_HELD_3,
    HOSTILE_TWICE,          /* the same reply again, at once */
    HOSTILE_FOREIGN,        /* a sound reply of another unit instead of its own */
    HOSTILE_FOREIGN_BEFORE, /* and then its own */
    HOSTILE_OTHER_FUNCTION,
    HOSTILE_SHORTER,      /* a sound reply with a register less */
    HOSTILE_LONGER,       /* a sound reply with a register more */
    HOSTILE_TRUNCATED,    /* the last bytes are missing */
    HOSTILE_DRIBBLE,      /* in pieces, but in time, on a busy machine, too */
    HOSTILE_DRIBBLE_LONG, /* each byte in time, the whole not */
    HOSTILE_ECHO,         /* the request comes back before the reply */
    HOSTILE_CORRUPT,      /* one bit is wrong */
    HOSTILE_NOISE_BEFORE,
    HOSTILE_NOISE_AFTER,        /* one byte, as a driver makes that lets go of the line */
    HOSTILE_GARBAGE,            /* many bytes and no reply */
    HOSTILE_BUSY,               /* exception 6 */
    HOSTILE_REFUSES,            /* exception 2 */
    HOSTILE_OTHER_TRANSACTION,  /* the number beside its own */
    HOSTILE_NEWEST_TRANSACTION, /* it comes behind the next request, with that one's number */
    HOSTILE_OUT_OF_STEP,        /* another number, and a unit that nobody asked */
    HOSTILE_OTHER_PROTOCOL,
    HOSTILE_WRONG_SIZE, /* the TCP header's length does not fit */
    HOSTILE_HANGS_UP,   /* in the middle of the reply */
};

enum hostile_frames { HOSTILE_RTU, HOSTILE_ASCII, HOSTILE_TCP };

struct hostile_slave {
    pthread_t thread;
    int fd, listener, stop_fd;
    bool network;
    enum hostile_frames frames;
    char port[64]; /* the pty's name */
    uint16_t tcp_port;
    int64_t late_ms;
    _Atomic int hostility, count, every; /* every: of so many requests one; 0: `count` of them */
    _Atomic unsigned requests;
    _Atomic int dead_unit, bad_register; /* no reply from the one, exception 2 to the other; -1 */
    _Atomic unsigned written;            /* the last two bytes of what the last write brought */
    uint8_t wire[600];                   /* the request as it came... */
    size_t wire_size;
    uint8_t head[7];    /* ...its TCP header... */
    uint8_t asked[300]; /* ...and what it says from the unit on */
    uint8_t held[600];
    size_t held_size;
    int held_for; /* requests */
    bool held_renumbered;
};

static inline uint16_t hostile_register(unsigned unit, unsigned address)
{
    return (uint16_t)(unit * 4096 + address * 7 + 1);
}

static uint16_t hostile_crc(const uint8_t *data, size_t size)
{
    unsigned crc = 0xFFFF;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
    }
    return (uint16_t)crc;
}

/* The device takes its time; cut short when the test ends. */
static void hostile_pause(struct hostile_slave *slave, int64_t ms)
{
    struct pollfd stop = {.fd = slave->stop_fd, .events = POLLIN};

    poll(&stop, 1, (int)ms);
}

static void hostile_write(struct hostile_slave *slave, const uint8_t *data, size_t size)
{
    ssize_t written =
        slave->network ? send(slave->fd, data, size, MSG_NOSIGNAL) : write(slave->fd, data, size);

    (void)written; /* a reader that has gone is the test's business */
}

static size_t hostile_frame_ascii(uint8_t unit, const uint8_t *pdu, size_t size, uint8_t *out)
{
    uint8_t sum = unit;
    size_t at = (size_t)sprintf((char *)out, ":%02X", unit);

    for (size_t i = 0; i < size; i++) {
        sum = (uint8_t)(sum + pdu[i]);
        at += (size_t)sprintf((char *)out + at, "%02X", pdu[i]);
    }
    return at + (size_t)sprintf((char *)out + at, "%02X\r\n", (uint8_t)-sum);
}

/* The frame around a PDU, whole. */
static size_t hostile_frame(const struct hostile_slave *slave, uint8_t unit, const uint8_t *pdu,
                            size_t size, uint8_t *out)
{
    if (slave->frames == HOSTILE_ASCII)
        return hostile_frame_ascii(unit, pdu, size, out);
    if (slave->frames == HOSTILE_TCP) {
        memcpy(out, slave->head, 4);
        out[4] = 0;
        out[5] = (uint8_t)(size + 1);
        out[6] = unit;
        memcpy(out + 7, pdu, size);
        return size + 7;
    }
    out[0] = unit;
    memcpy(out + 1, pdu, size);
    uint16_t crc = hostile_crc(out, size + 1);
    out[size + 1] = (uint8_t)crc;
    out[size + 2] = (uint8_t)(crc >> 8);
    return size + 3;
}

static size_t hostile_registers(unsigned unit, unsigned address, unsigned count, uint8_t *pdu)
{
    pdu[1] = (uint8_t)(2 * count);
    for (unsigned i = 0; i < count; i++) {
        uint16_t value = hostile_register(unit, address + i);

        pdu[2 + 2 * i] = (uint8_t)(value >> 8);
        pdu[3 + 2 * i] = (uint8_t)value;
    }
    return 2 + 2 * count;
}

static size_t hostile_bits(unsigned unit, unsigned address, unsigned count, uint8_t *pdu)
{
    pdu[1] = (uint8_t)((count + 7) / 8);
    for (unsigned i = 0; i < count; i++)
        pdu[2 + i / 8] |= (uint8_t)((hostile_register(unit, address + i) >> 3 & 1) << i % 8);
    return 2 + (count + 7) / 8;
}

/* Answers a read, a write, or 43/14 with three objects. */
static size_t hostile_answer(struct hostile_slave *slave, uint8_t unit, uint8_t function,
                             unsigned address, unsigned count, uint8_t *out)
{
    static const uint8_t objects[] = {3, 0,   4,   'A', 'c', 'm', 'e', 1,
                                      2, 'B', '7', 2,   3,   '1', '.', '0'};
    const uint8_t *asked = slave->asked + 1;
    uint8_t pdu[256] = {function};
    size_t size;

    if (function <= 2) {
        size = hostile_bits(unit, address, count, pdu);
    } else if (function <= 4) {
        size = hostile_registers(unit, address, count, pdu);
    } else if (function == 43) {
        const uint8_t head[] = {43, asked[1], asked[2], 1, 0, 0};

        memcpy(pdu, head, sizeof head);
        memcpy(pdu + sizeof head, objects, sizeof objects);
        size = sizeof head + sizeof objects;
    } else {
        size = function == 22 ? 7 : 5;
        memcpy(pdu + 1, asked + 1, size - 1);
        pdu[1] = (uint8_t)(address >> 8);
        pdu[2] = (uint8_t)address;
    }
    return hostile_frame(slave, unit, pdu, size, out);
}

static void hostile_exception(struct hostile_slave *slave, uint8_t unit, uint8_t function,
                              uint8_t code)
{
    uint8_t pdu[2] = {function | 0x80, code}, out[32];

    hostile_write(slave, out, hostile_frame(slave, unit, pdu, 2, out));
}

static void hostile_dribble(struct hostile_slave *slave, const uint8_t *data, size_t size,
                            size_t step, int64_t ms)
{
    for (size_t i = 0; i < size; i += step) {
        hostile_write(slave, data + i, size - i < step ? size - i : step);
        hostile_pause(slave, ms);
    }
}

static void hostile_hold(struct hostile_slave *slave, const uint8_t *data, size_t size,
                         int requests)
{
    memcpy(slave->held, data, size);
    slave->held_size = size;
    slave->held_for = requests;
    slave->held_renumbered = false;
}

static void hostile_reply(struct hostile_slave *slave, enum hostility hostility)
{
    static const uint8_t noise[40] = {0xF8, 0x03, 0xFF, 0x00, 0xA5};
    const uint8_t *request = slave->asked;
    uint8_t unit = request[0], function = request[1], out[1200];
    unsigned address = (unsigned)(request[2] << 8 | request[3]);
    unsigned count = (unsigned)(request[4] << 8 | request[5]);
    size_t size = hostile_answer(slave, unit, function, address, count, out);

    if (slave->held_size && slave->held_for-- == 0) {
        if (slave->held_renumbered)
            memcpy(slave->held, slave->head, 2);
        hostile_write(slave, slave->held, slave->held_size);
        slave->held_size = 0;
        hostile_pause(slave, 10);
    }
    switch (hostility) {
    case HOSTILE_HELD_1:
    case HOSTILE_HELD_2:
    case HOSTILE_HELD_3:
        hostile_hold(slave, out, size, 1 + (int)hostility - (int)HOSTILE_HELD_1);
        return;
    case HOSTILE_NEWEST_TRANSACTION:
        hostile_hold(slave, out, size, 0);
        slave->held_renumbered = true;
        return;
    case HOSTILE_SILENT:
        return;
    case HOSTILE_LATE:
        hostile_pause(slave, slave->late_ms);
        break;
    case HOSTILE_LATE_EXCEPTION:
        hostile_pause(slave, slave->late_ms);
        hostile_exception(slave, unit, function, 4);
        return;
    case HOSTILE_TWICE:
        memmove(out + size, out, size);
        size *= 2;
        break;
    case HOSTILE_FOREIGN_BEFORE:
    case HOSTILE_FOREIGN:
        hostile_write(slave, out,
                      hostile_answer(slave, (uint8_t)(unit + 1), function, address, count, out));
        if (hostility == HOSTILE_FOREIGN)
            return;
        size = hostile_answer(slave, unit, function, address, count, out);
        break;
    case HOSTILE_OTHER_FUNCTION:
        size = hostile_answer(slave, unit, function ^ 7, address, count, out);
        break;
    case HOSTILE_SHORTER:
        size = hostile_answer(slave, unit, function, address + 1, count - 1, out);
        break;
    case HOSTILE_LONGER:
        size = hostile_answer(slave, unit, function, address + 1, count + 1, out);
        break;
    case HOSTILE_TRUNCATED:
        size -= 3;
        break;
    case HOSTILE_DRIBBLE:
        hostile_dribble(slave, out, size, size / 8 + 1, 1);
        return;
    case HOSTILE_DRIBBLE_LONG:
        hostile_dribble(slave, out, size, 1, slave->late_ms / (int64_t)size + 1);
        return;
    case HOSTILE_ECHO:
        hostile_write(slave, slave->wire, slave->wire_size);
        break;
    case HOSTILE_CORRUPT:
        out[size - 4] ^= 0x10;
        break;
    case HOSTILE_NOISE_BEFORE:
        hostile_write(slave, noise, 3);
        break;
    case HOSTILE_NOISE_AFTER:
        out[size++] = 0;
        break;
    case HOSTILE_GARBAGE:
        hostile_write(slave, noise, sizeof noise);
        return;
    case HOSTILE_BUSY:
        hostile_exception(slave, unit, function, 6);
        return;
    case HOSTILE_REFUSES:
        hostile_exception(slave, unit, function, 2);
        return;
    case HOSTILE_OTHER_TRANSACTION:
        out[1] ^= 1;
        break;
    case HOSTILE_OUT_OF_STEP:
        out[1] ^= 1;
        out[6]++;
        break;
    case HOSTILE_OTHER_PROTOCOL:
        out[3] = 1;
        break;
    case HOSTILE_WRONG_SIZE:
        out[5]++;
        break;
    case HOSTILE_HANGS_UP:
        hostile_write(slave, out, size / 2);
        shutdown(slave->fd, SHUT_RDWR);
        return;
    case HOSTILE_NOT:
        break;
    }
    hostile_write(slave, out, size);
}

/* The size of an RTU request of which so much is there; 0 when that cannot be told yet. */
static size_t hostile_whole(const uint8_t *request, size_t have)
{
    if (have < 2)
        return 0;
    switch (request[1]) {
    case 15:
    case 16:
        return have < 7 ? 0 : 9u + request[6];
    case 22:
        return 10;
    case 43:
        return 7;
    default:
        return 8;
    }
}

/* Whether the request is whole; then what it says is in slave->asked, of *size bytes. */
static bool hostile_asked(struct hostile_slave *slave, size_t *size)
{
    const uint8_t *wire = slave->wire;
    size_t have = slave->wire_size;

    switch (slave->frames) {
    case HOSTILE_RTU:
        *size = have - 2;
        memcpy(slave->asked, wire, have);
        return have == hostile_whole(wire, have);
    case HOSTILE_ASCII:
        if (wire[0] != ':')
            slave->wire_size = 0;
        if (have < 3 || wire[have - 1] != '\n')
            return false;
        *size = (have - 5) / 2;
        for (size_t i = 0; i < *size; i++) {
            const char digits[] = {(char)wire[1 + 2 * i], (char)wire[2 + 2 * i], 0};

            slave->asked[i] = (uint8_t)strtoul(digits, NULL, 16);
        }
        return true;
    case HOSTILE_TCP:
        if (have < 6 || have != 6u + wire[5])
            return false;
        *size = wire[5];
        memcpy(slave->head, wire, sizeof slave->head);
        memcpy(slave->asked, wire + 6, *size);
        return true;
    }
    return false;
}

static enum hostility hostile_choose(struct hostile_slave *slave)
{
    const uint8_t *asked = slave->asked + 1;
    int first = asked[1] << 8 | asked[2], last = first + (asked[3] << 8 | asked[4]) - 1;
    int bad = atomic_load(&slave->bad_register);
    int every = atomic_load(&slave->every);

    if (slave->asked[0] == atomic_load(&slave->dead_unit))
        return HOSTILE_SILENT;
    if (asked[0] <= 4 && bad >= first && bad <= last)
        return HOSTILE_REFUSES;
    if (every && atomic_load(&slave->requests) % (unsigned)every == 0)
        return (enum hostility)atomic_load(&slave->hostility);
    if (atomic_load(&slave->count) == 0)
        return HOSTILE_NOT;
    atomic_fetch_sub(&slave->count, 1);
    return (enum hostility)atomic_load(&slave->hostility);
}

static void hostile_take(struct hostile_slave *slave, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        size_t asked;

        slave->wire[slave->wire_size++] = data[i];
        if (slave->wire_size == sizeof slave->wire)
            slave->wire_size = 0;
        if (!hostile_asked(slave, &asked))
            continue;
        if (slave->asked[1] > 4)
            atomic_store(&slave->written,
                         (unsigned)(slave->asked[asked - 2] << 8 | slave->asked[asked - 1]));
        atomic_fetch_add(&slave->requests, 1);
        hostile_reply(slave, hostile_choose(slave));
        slave->wire_size = 0;
    }
}

static void *hostile_main(void *context)
{
    struct hostile_slave *slave = context;
    int one = 1;

    for (;;) {
        int source = slave->fd >= 0 ? slave->fd : slave->listener;
        struct pollfd fds[2] = {{.fd = slave->stop_fd, .events = POLLIN},
                                {.fd = source, .events = POLLIN}};
        uint8_t data[64];
        ssize_t size;

        poll(fds, 2, -1);
        if (fds[0].revents)
            return NULL;
        if (slave->fd < 0) {
            slave->fd = accept(slave->listener, NULL, NULL);
            setsockopt(slave->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            slave->wire_size = 0;
            continue;
        }
        size = read(slave->fd, data, sizeof data);
        if (size > 0) {
            hostile_take(slave, data, (size_t)size);
        } else if (slave->network) {
            close(slave->fd);
            slave->fd = -1;
        } else {
            hostile_pause(slave, 1); /* nobody has the pty open */
        }
    }
}

static void hostile_open_pty(struct hostile_slave *slave)
{
    struct termios line;

    slave->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(slave->fd >= 0 && grantpt(slave->fd) == 0 && unlockpt(slave->fd) == 0);
    assert_int_equal(ptsname_r(slave->fd, slave->port, sizeof slave->port), 0);
    assert_int_equal(tcgetattr(slave->fd, &line), 0);
    cfmakeraw(&line);
    assert_int_equal(tcsetattr(slave->fd, TCSANOW, &line), 0);
}

static void hostile_open_tcp(struct hostile_slave *slave)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    slave->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(slave->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(slave->listener, 4), 0);
    assert_int_equal(getsockname(slave->listener, (struct sockaddr *)&address, &size), 0);
    slave->tcp_port = ntohs(address.sin_port);
}

/* On a pty, or on a socket. Late replies take `late_ms`: more than the reader's time-out. */
static struct hostile_slave *hostile_start_as(enum hostile_frames frames, bool network,
                                              int64_t late_ms)
{
    struct hostile_slave *slave = calloc(1, sizeof *slave);

    assert_non_null(slave);
    slave->late_ms = late_ms;
    slave->dead_unit = slave->bad_register = -1;
    slave->fd = slave->listener = -1;
    slave->stop_fd = eventfd(0, EFD_CLOEXEC);
    slave->frames = frames;
    slave->network = network;
    if (network)
        hostile_open_tcp(slave);
    else
        hostile_open_pty(slave);
    assert_int_equal(pthread_create(&slave->thread, NULL, hostile_main, slave), 0);
    return slave;
}

/* As RTU on a pty, or as Modbus TCP. */
static inline struct hostile_slave *hostile_start(bool tcp, int64_t late_ms)
{
    return hostile_start_as(tcp ? HOSTILE_TCP : HOSTILE_RTU, tcp, late_ms);
}

static void hostile_stop(struct hostile_slave *slave)
{
    uint64_t one = 1;

    assert_int_equal(write(slave->stop_fd, &one, sizeof one), sizeof one);
    pthread_join(slave->thread, NULL);
    if (slave->fd >= 0)
        close(slave->fd);
    if (slave->listener >= 0)
        close(slave->listener);
    close(slave->stop_fd);
    free(slave);
}

/* The next `count` requests are answered in this way, those after them well. Between requests only.
 */
static inline void hostile_next(struct hostile_slave *slave, enum hostility hostility, int count)
{
    atomic_store(&slave->hostility, (int)hostility);
    atomic_store(&slave->count, count);
}

#endif
