#include "modbus/assign.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "modbus/link.h"
#include "modbus/scan_judge.h"

#define VERIFY_TRIES  12                /* a device may think for a while about a new place */
#define RESTART_TRIES 3                 /* where a restart may be needed, that is said instead */
#define PAUSE_NS      (250 * NS_PER_MS) /* between them */

struct assigning {
    struct assign_job job;      /* the line of its bus is what the link is set to */
    struct port_settings where; /* the line that the device has now... */
    uint8_t unit;               /* ...and its unit */
    struct driver_host *host;
    struct link *link;
    char *why;
    size_t why_size;
};

/* What was seen of a unit. */
struct seen {
    struct scan_tally tally;
    double value; /* of its unit register, where an answer came */
};

static int fail(struct assigning *assigning, int error, const char *sentence)
{
    snprintf(assigning->why, assigning->why_size, "%s", sentence);
    return error;
}

static unsigned registers_of(const struct assign_map *map)
{
    return map->f32 ? 2 : 1;
}

static double value_of(const struct assign_map *map, const uint8_t *data)
{
    uint32_t bits = (uint32_t)data[0] << 8 | data[1];
    float value;

    if (!map->f32)
        return bits;
    bits = bits << 16 | (uint32_t)data[2] << 8 | data[3];
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

static int open_link(struct assigning *assigning)
{
    int error = assigning->link->open ? 0 : assigning->link->ops->open(assigning->link);

    return error && error != ERR_CLOSED ? fail(assigning, error, assigning->link->why) : error;
}

static void set_line(struct assigning *assigning, const struct port_settings *line)
{
    assigning->job.bus.line = *line;
    link_line_changed(assigning->link);
}

static void count(struct scan_tally *tally, int result)
{
    unsigned *counter = result == 0               ? &tally->answers
                        : result == ERR_EXCEPTION ? &tally->exceptions
                        : result == ERR_CHECKSUM  ? &tally->garbled
                        : result == ERR_PROTOCOL  ? &tally->doubled
                                                  : &tally->silent;

    *counter += 1;
}

/* Reads the unit register at a unit, as often as it takes to see whether one device is there. */
static int look(struct assigning *assigning, uint8_t unit, struct seen *seen)
{
    const struct assign_job *job = &assigning->job;
    const struct modbus_request request = {.unit = unit,
                                           .function = MODBUS_HOLDING_REGISTERS,
                                           .address = job->map.unit_reg,
                                           .count = (uint16_t)registers_of(&job->map),
                                           .timeout_ns = job->timeout_ns};

    *seen = (struct seen){0};
    for (unsigned i = 0; i < SCAN_ASKED_GARBLED && scan_questions(&seen->tally); i++) {
        struct link_reply reply;
        int result = open_link(assigning);

        if (result)
            return result;
        result = assigning->link->ops->transact(assigning->link, &request, &reply);
        if (result == ERR_CLOSED)
            return result;
        if (result == 0)
            seen->value = value_of(&job->map, reply.data);
        count(&seen->tally, result);
    }
    return 0;
}

static bool is_there(const struct seen *seen)
{
    return seen->tally.answers + seen->tally.exceptions > 0;
}

static bool is_silent(const struct seen *seen)
{
    return !is_there(seen) && seen->tally.garbled + seen->tally.doubled == 0;
}

/* Writes a register of the map. ERR_EXCEPTION when the device refuses; no answer is no error: it
 * may have gone to its new place with it. */
static int write_value(struct assigning *assigning, uint8_t unit, uint16_t address, uint16_t value)
{
    const struct assign_map *map = &assigning->job.map;
    float number = (float)value;
    uint32_t bits;
    uint8_t data[4] = {(uint8_t)(value >> 8), (uint8_t)value};
    struct modbus_request request = {
        .unit = unit,
        .function = map->f32 || map->multiple ? PDU_WRITE_REGISTERS : PDU_WRITE_REGISTER,
        .address = address,
        .count = (uint16_t)registers_of(map),
        .data = data,
        .data_size = (uint8_t)(2 * registers_of(map)),
        .timeout_ns = 4 * assigning->job.timeout_ns,
    };
    struct link_reply reply;
    int result = open_link(assigning);

    memcpy(&bits, &number, sizeof bits);
    for (int i = 0; map->f32 && i < 4; i++)
        data[i] = (uint8_t)(bits >> (24 - 8 * i));
    if (!result)
        result = assigning->link->ops->transact(assigning->link, &request, &reply);
    if (result == ERR_EXCEPTION)
        snprintf(assigning->why, assigning->why_size,
                 "unit %u refuses to have register %u written (exception %u)", unit, address,
                 reply.exception);
    return result == ERR_EXCEPTION || result == ERR_CLOSED ? result : 0;
}

/* One device at the old place, which holds its unit where the profile says. */
static int check_old(struct assigning *assigning)
{
    const struct assign_job *job = &assigning->job;
    const struct scan_quality quality = {.answering = 1};
    struct seen seen;
    int error = look(assigning, job->from, &seen);

    if (error)
        return error;
    if (is_silent(&seen)) {
        snprintf(assigning->why, assigning->why_size,
                 "nobody answers at unit %u: check power, A and B, and the line's setting",
                 job->from);
        return ERR_TIMEOUT;
    }
    if (scan_judge(&seen.tally, &quality) != SCAN_PRESENT) {
        snprintf(
            assigning->why, assigning->why_size,
            "two devices seem to answer at unit %u, or there is noise: leave one of them on the "
            "line",
            job->from);
        return ERR_EXISTS;
    }
    if (!job->force && (seen.tally.answers == 0 || seen.value != job->from)) {
        snprintf(assigning->why, assigning->why_size,
                 "unit %u does not hold its unit in register %u: the profile is not of this device "
                 "(--force writes all the same)",
                 job->from, job->map.unit_reg);
        return ERR_INVALID;
    }
    return 0;
}

static bool same_line(const struct port_settings *a, const struct port_settings *b)
{
    return a->baud == b->baud && a->data_bits == b->data_bits && a->parity == b->parity &&
           a->stop_bits == b->stop_bits;
}

/* Nobody at the new place, at the line's setting of now and of then. */
static int check_new(struct assigning *assigning)
{
    const struct assign_job *job = &assigning->job;

    for (int then = 0; then < 2; then++) {
        struct seen seen;
        int error;

        if ((!then && job->to == job->from) || (then && same_line(&assigning->where, &job->line)))
            continue;
        set_line(assigning, then ? &job->line : &assigning->where);
        error = look(assigning, job->to, &seen);
        if (error)
            return error;
        if (is_silent(&seen))
            continue;
        snprintf(assigning->why, assigning->why_size,
                 "somebody answers at unit %u already: choose another", job->to);
        return ERR_EXISTS;
    }
    set_line(assigning, &assigning->where);
    return 0;
}

/*
 * Writes what makes the device one of `unit` at `line`. It may go there at once, or when all is
 * written, or when it was switched off and on: whoever answers at the new place has gone.
 */
static int move(struct assigning *assigning, uint16_t address, uint16_t value, uint8_t unit,
                const struct port_settings *line)
{
    struct seen seen;
    int error;

    set_line(assigning, &assigning->where);
    error = write_value(assigning, assigning->unit, address, value);
    if (error)
        return error;
    set_line(assigning, line);
    error = look(assigning, unit, &seen);
    if (error || !is_there(&seen))
        return error;
    assigning->unit = unit;
    assigning->where = *line;
    return 0;
}

/* Parity and stop bits: by one register, or by two. */
static int write_format(struct assigning *assigning)
{
    const struct assign_job *job = &assigning->job;
    struct port_settings line = assigning->where;
    bool two = job->stop_code >= 0;
    int error;

    line.data_bits = job->line.data_bits;
    line.parity = job->line.parity;
    if (!two)
        line.stop_bits = job->line.stop_bits;
    error = same_line(&line, &assigning->where)
                ? 0
                : move(assigning, job->map.format_reg, job->format_code, assigning->unit, &line);
    if (error || !two || job->line.stop_bits == assigning->where.stop_bits)
        return error;
    line = assigning->where;
    line.stop_bits = job->line.stop_bits;
    return move(assigning, job->map.stop_reg, (uint16_t)job->stop_code, assigning->unit, &line);
}

/* The unit, the format, the baud: each at wherever the device answers by then. */
static int write_all(struct assigning *assigning)
{
    const struct assign_job *job = &assigning->job;
    struct port_settings line;
    int error = 0;

    if (job->to != job->from)
        error = move(assigning, job->map.unit_reg, job->to, job->to, &assigning->where);
    if (!error)
        error = write_format(assigning);
    if (error || job->line.baud == assigning->where.baud)
        return error;
    line = assigning->where;
    line.baud = job->line.baud;
    return move(assigning, job->map.baud_reg, job->baud_code, assigning->unit, &line);
}

static int begin(struct assigning *assigning, const struct assign_job *job,
                 struct driver_host *host, char *why, size_t why_size)
{
    int error;

    *assigning = (struct assigning){.job = *job, .host = host, .why = why, .why_size = why_size};
    assigning->where = job->bus.line;
    assigning->unit = job->from;
    error = link_new_line(&assigning->link, &assigning->job.bus, host);
    return error ? fail(assigning, error, error_text(error)) : 0;
}

static int verify(struct assigning *assigning, unsigned tries)
{
    const struct assign_job *job = &assigning->job;
    struct seen seen = {0};

    set_line(assigning, &job->line);
    for (unsigned i = 0; i < tries; i++) {
        int error =
            i ? host_wait(assigning->host, -1, clock_mono(assigning->host->clock) + PAUSE_NS) : 0;

        if (!error)
            error = look(assigning, job->to, &seen);
        if (error)
            return error;
        if (seen.tally.answers && (job->force || seen.value == job->to))
            return ASSIGN_DONE;
    }
    snprintf(assigning->why, assigning->why_size,
             "it does not answer as unit %u at %" PRId32 " %u%c%u: look for it with sluice scan",
             job->to, job->line.baud, job->line.data_bits, job->line.parity, job->line.stop_bits);
    return ERR_CORRUPT;
}

int assign_verify(const struct assign_job *job, struct driver_host *host, char *why,
                  size_t why_size)
{
    struct assigning assigning;
    int result = begin(&assigning, job, host, why, why_size);

    if (!result)
        result = verify(&assigning, VERIFY_TRIES);
    link_free(assigning.link);
    return result;
}

int assign(const struct assign_job *job, struct driver_host *host, char *why, size_t why_size)
{
    struct assigning assigning;
    int result = begin(&assigning, job, host, why, why_size);

    if (!result)
        result = check_old(&assigning);
    if (!result)
        result = check_new(&assigning);
    if (!result && job->found)
        job->found(job->context);
    if (!result)
        result = write_all(&assigning);
    if (!result)
        result = verify(&assigning, job->map.restart ? RESTART_TRIES : VERIFY_TRIES);
    if (result == ERR_CORRUPT && job->map.restart)
        result = ASSIGN_RESTART;
    link_free(assigning.link);
    return result;
}
