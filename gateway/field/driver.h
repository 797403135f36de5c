/*
 * What a driver is. It knows this header, sink.h and core/, and nothing else of the gateway.
 *
 * A bus (a serial line, a TCP connection) is a sequential thing, so one thread serves it: `run` is
 * a thread of its own, an engine is one that it shares with others.
 */
#ifndef SLUICE_FIELD_DRIVER_H
#define SLUICE_FIELD_DRIVER_H

#include <stdatomic.h>

#include "core/clock.h"
#include "core/option.h"
#include "core/site.h"
#include "field/sink.h"
#include "field/tap.h"

/* Counters of one device, written by its bus's thread and read by anyone. All rise for ever. */
struct driver_stats {
    _Atomic uint64_t requests, replies, timeouts, corrupt, unexpected, exceptions, reconnects;
    _Atomic int64_t round_trip_ns; /* of the last reply, from the request's last byte handed over */
    _Atomic int64_t last_reply_ns; /* monotonic; 0: never */
    /* It answers, but only so long after it was asked, when nobody waits any more; 0: nothing says
     * so. */
    _Atomic int64_t late_ns;
    _Atomic int64_t busy_ns;       /* time spent on the wire for this device */
    _Atomic int64_t turnaround_ns; /* mean time that it takes to answer; 0: not known */
    _Atomic uint32_t share_ppm;    /* of the bus's time, lately, in millionths */
    /* What the driver learnt about it: the most values that one read may ask for (0: no limit was
     * met), how many places must not be read over, how many points it does not have. */
    _Atomic uint32_t learnt_block, learnt_cuts, learnt_refused;
    _Atomic int64_t
        next_probe_ns;       /* monotonic; when a device that is down is tried again; 0: it is up */
    _Atomic uint32_t forget; /* enum driver_forget: asked for, and not done yet */
    _Atomic bool up;
    _Atomic uint16_t status; /* why it is down */
};

/* What of it is to be forgotten. */
enum driver_forget {
    DRIVER_FORGET_BLOCKS = 1,   /* sizes, gaps, refusals, times: how it is read */
    DRIVER_FORGET_IDENTITY = 2, /* who it is */
};

/* A value that is to be written, on its way to the bus's thread and back. */
struct driver_command {
    const struct site_device *device; /* of the bus */
    const struct site_point *point;
    struct value value;      /* of the point's type; can_write has agreed to it */
    int64_t expires_mono_ns; /* it is not begun after this */
    uint64_t token;          /* of whoever gave it */
    struct driver_command *next;
};

/* A point, and the last that the journal knows of it. */
struct driver_last {
    const struct site_point *point;
    struct value value; /* VALUE_NONE: nothing */
    int64_t mono_ns;    /* when it was read, by this run of the machine's clock: below zero for what
                           was read before it began */
};

struct driver_host;

struct driver_host_ops {
    /*
     * Waits until fd is readable (fd -1: for nothing) or the monotonic time comes. Returns 1 when
     * readable, 0 at the time, ERR_CLOSED when the bus is to stop: the driver then returns from run
     * at once. What is to be readable is taken for a reply: when the bus is to stop it is waited
     * for a moment longer, so that nothing is lost of what a device has answered.
     */
    int (*wait)(struct driver_host *host, int fd, int64_t until_mono_ns);

    /*
     * Copies the text that sink_learnt stored last for a device of the bus, in this life of the
     * gateway or in an earlier one. Returns its size; 0 when there is none, or when it does not fit
     * into `size` bytes. NULL: nothing is ever known.
     */
    size_t (*learnt)(struct driver_host *host, const struct site_device *device, char *out,
                     size_t size);

    /* The same of sink_bus_learnt: what is known about the bus itself. NULL: nothing. */
    size_t (*bus_learnt)(struct driver_host *host, char *out, size_t size);

    /* As `wait`, between two transactions: returns 0 also when there is a command to be taken. This
     * and what follows may be NULL where no commands come. */
    int (*rest)(struct driver_host *host, int fd, int64_t until_mono_ns);

    /*
     * The next command whose time is not over, to be executed at once and then answered; NULL when
     * there is none. It is the host's.
     */
    struct driver_command *(*take_command)(struct driver_host *host);

    /*
     * What came of it: STATUS_GOOD, or why not; and what was read back, NULL where nothing was. The
     * text of a value is copied. The command is gone then.
     */
    void (*answer)(struct driver_host *host, struct driver_command *command, uint16_t status,
                   const struct value *value);

    /*
     * Keeps what the driver has to say of a device of the bus for whoever asks for the status:
     * members of a JSON object, or nothing; copied. NULL: nobody asks.
     */
    void (*describe)(struct driver_host *host, const struct site_device *device, const char *json,
                     size_t size);

    /*
     * Fills in the newest good reading that is stored of each of these points of the device, of
     * this life of the gateway or an earlier one, where it is a number and the time can be told.
     * Reads much of the disk: for what happens once in years. NULL: nothing is known.
     */
    void (*last_good)(struct driver_host *host, const struct site_device *device,
                      struct driver_last *items, size_t count);

    /*
     * For engines, whose buses are lent by lent_ns: a bus that was lent is let go of, which is told
     * to everybody; or it is taken back. And while it is lent, again and again: answers commands
     * and stores what is due; returns when it is to be called again at the latest (monotonic).
     */
    void (*lent)(struct driver_host *host, bool lent);
    int64_t (*rest_lent)(struct driver_host *host);

    /*
     * For `run`, which was told to stop, and has let go of its port: waits while the bus is lent.
     * True: it is the driver's again, and goes on with what it knows; false: it is to return. NULL:
     * the bus is never lent. A driver that returns instead is run anew.
     */
    bool (*wait_lent)(struct driver_host *host);
};

struct driver_host {
    const struct driver_host_ops *ops;
    const struct clock *clock;
    struct sink *sink;
    struct driver_stats *stats; /* one per device of the bus, in their order; at least one */
    struct tap *tap;            /* where what goes over the wire is put; NULL: nobody can listen */
    _Atomic int64_t lent_ns; /* the bus is lent until then (monotonic); 0: it is its driver's. Who
                                runs it clears it */
    _Atomic int64_t ends_ns; /* the bus is to stop: nothing is begun any more, and what is under way
                                is waited for until then (monotonic); 0: it goes on */
    _Atomic bool forgetting; /* the `forget` of one of them is set; the driver takes it back */
};

static inline int host_wait(struct driver_host *host, int fd, int64_t until_mono_ns)
{
    return host->ops->wait(host, fd, until_mono_ns);
}

static inline size_t host_learnt(struct driver_host *host, const struct site_device *device,
                                 char *out, size_t size)
{
    return host->ops->learnt ? host->ops->learnt(host, device, out, size) : 0;
}

static inline size_t host_bus_learnt(struct driver_host *host, char *out, size_t size)
{
    return host->ops->bus_learnt ? host->ops->bus_learnt(host, out, size) : 0;
}

static inline void host_describe(struct driver_host *host, const struct site_device *device,
                                 const char *json, size_t size)
{
    if (host->ops->describe)
        host->ops->describe(host, device, json, size);
}

static inline void host_last_good(struct driver_host *host, const struct site_device *device,
                                  struct driver_last *items, size_t count)
{
    if (host->ops && host->ops->last_good)
        host->ops->last_good(host, device, items, count);
}

static inline bool host_wait_lent(struct driver_host *host)
{
    return host->ops->wait_lent && host->ops->wait_lent(host);
}

static inline int host_rest(struct driver_host *host, int fd, int64_t until_mono_ns)
{
    return host->ops->rest ? host->ops->rest(host, fd, until_mono_ns)
                           : host_wait(host, fd, until_mono_ns);
}

static inline struct driver_command *host_take_command(struct driver_host *host)
{
    return host->ops->take_command ? host->ops->take_command(host) : NULL;
}

static inline void host_answer(struct driver_host *host, struct driver_command *command,
                               uint16_t status, const struct value *value)
{
    host->ops->answer(host, command, status, value);
}

/* What `check` tells of a bus. */
struct driver_load {
    double requests_per_s; /* after merging */
    size_t aligned;    /* points that are read at full multiples of their interval since midnight */
    double busy_share; /* of the wire's time, 1.0 is all of it; negative where it cannot be said */
    bool own_pace;     /* its devices speak when they like: "every" bounds nothing */
    char note[256]; /* "" or advice: "needs 1.4 s each second: raise the baud to 38400, or ..." */
};

/* What a driver's check tells, and what it may rely on (complain.h makes use of both). */
struct driver_complaints {
    /* Tells an error of a point, of a device (`point` NULL) or of the bus (both NULL). Sentences
     * say what was found and what is allowed. */
    void (*tell)(struct driver_complaints *complaints, const struct site_device *device,
                 const struct site_point *point, const char *key, const char *sentence);

    /* Whether an option of that point, device or bus may be relied on: false when it was told as
     * wrong or missing, and so holds its default instead. NULL: all may. */
    bool (*sound)(struct driver_complaints *complaints, const struct site_device *device,
                  const struct site_point *point, const char *key);
};

/*
 * A thread that serves any number of buses of one driver, for those that only wait for sockets: a
 * thousand connections need no thousand threads. A bus that joined is used on the engine's thread
 * only, and so is its sink.
 */
struct driver_engine;

struct driver_engine_ops {
    /* Starts the thread. ERR_NOMEM, or the error of the thread. */
    int (*open)(struct driver_engine **engine, const struct clock *clock);

    /* Ends it, when all buses have left. */
    void (*close)(struct driver_engine *engine);

    /* Polls that bus from now on, or returns the error that ended the thread; it and `host` (whose
     * `wait` and `rest` are not used, so that the engine releases what is due in its sink) outlive
     * the membership. ERR_NOMEM. Any other thread, as for leaving. */
    int (*join)(struct driver_engine *engine, const struct site_bus *bus, struct driver_host *host);

    /* A command for one of its buses has come, or one was lent or taken back. Never waits. Any
     * thread. */
    void (*wake)(struct driver_engine *engine);

    /* Returns when the bus is not used any more: when nothing is under way, or at host->ends_ns. */
    void (*leave)(struct driver_engine *engine, struct driver_host *host);

    /* How long the thread has owed a sign of life, as pulse_silent_ns. One thread at a time. */
    int64_t (*silent_ns)(struct driver_engine *engine);
};

struct driver {
    const char *name; /* "modbus-rtu" */
    const char *help;
    struct option_table bus, device, point;

    /*
     * Checks what no single option can (a register outside its table, an order for a 16-bit type)
     * and fills the type and decimals of each point. Tells every error and returns ERR_CONFIG, or
     * 0. An option that was told as wrong before holds its default, or zero where it has none: it
     * hides no other error, and none is told that only follows from it.
     */
    int (*check)(struct site_bus *bus, struct driver_complaints *complaints);

    /* The arithmetic of a checked bus. */
    void (*load)(const struct site_bus *bus, struct driver_load *load);

    /*
     * Whether the value, which is of the point's type, can be written to the point exactly as it
     * is. Returns true, or false with a sentence in `why` that says what is allowed. NULL: points
     * of this driver cannot be written. Pure; any thread.
     */
    bool (*can_write)(const struct site_device *device, const struct site_point *point,
                      const struct value *value, char *why, size_t why_size);

    /* Polls until host_wait says ERR_CLOSED; returns 0. Other returns: it cannot run at all
     * (ERR_NOMEM). NULL where `engine` does it. */
    int (*run)(const struct site_bus *bus, struct driver_host *host);

    const struct driver_engine_ops *engine; /* instead of `run` */

    bool port;   /* its buses may be on serial ports, whose adapters are remembered for them
                    (sink_bus_learnt) */
    bool learns; /* it stores what it learns (sink_learnt), and heeds driver_host.forgetting */
};

#endif
