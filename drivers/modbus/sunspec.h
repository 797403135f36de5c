/*
 * SunSpec: devices that describe themselves. Behind the marker "SunS" stands a chain of information
 * models, each with its number and length, so that a walk along it finds every point that the
 * device has (SunSpec Device Information Model Specification 1.1). Pure, no I/O: the registers come
 * through a callback. What each model holds is data, drivers/profiles/sunspec/models.tsv.
 */
#ifndef SLUICE_MODBUS_SUNSPEC_H
#define SLUICE_MODBUS_SUNSPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUNSPEC_ID_SIZE   64
#define SUNSPEC_NAME_SIZE 96

struct sunspec_models;

/* Reads the file of models. ERR_NOT_FOUND, ERR_IO, ERR_INVALID where a line is none, ERR_NOMEM.
 * sunspec_models_close(NULL) is fine. */
int sunspec_models_open(struct sunspec_models **models, const char *path);
void sunspec_models_close(struct sunspec_models *models);
size_t sunspec_models_count(const struct sunspec_models *models);

/* Reads holding registers, at most SUNSPEC_READ_MAX. 0 or an error, which ends the walk. */
#define SUNSPEC_READ_MAX 100
typedef int sunspec_read_fn(void *context, uint16_t address, uint16_t count, uint16_t *registers);

/* A model of the chain. */
struct sunspec_model {
    uint16_t number, address, length; /* of the model number; registers behind the length */
    const char *label;                /* NULL: the file of models does not have it */
};

struct sunspec_point {
    char id[SUNSPEC_ID_SIZE]; /* unique in the device */
    char name[SUNSPEC_NAME_SIZE];
    const char *unit, *ucum, *class, *state; /* "" where there is none */
    const char *type;                        /* as in configurations */
    const char *na;                          /* the number of a point that the device lacks; "" */
    const char *enums;                       /* "1=OFF;2=SLEEPING" */
    uint16_t model, address, registers;
    int32_t scale_address; /* of a power of ten; -1: none */
    int power;             /* of ten, fixed; besides `factor` */
    const char *factor;    /* from the model's unit to `unit`: "0.001" */
    bool implemented;      /* in what was read on the walk */
    bool read;             /* one of those that most want, and implemented */
};

struct sunspec_visitor {
    void (*model)(void *context, const struct sunspec_model *model);
    void (*point)(void *context, const struct sunspec_point *point);
    void *context;
};

/*
 * Looks for the marker at 40000, 0 and 50000 and walks along the chain, telling each model and its
 * points in their order; models that are not known are told and passed over. Returns the register
 * of the marker; ERR_NOT_FOUND when there is none, ERR_INVALID when the chain does not end where
 * registers end, or what `read` returned (an exception at a place where the marker could be is no
 * error: ERR_EXCEPTION).
 */
int32_t sunspec_walk(const struct sunspec_models *models, sunspec_read_fn *read, void *read_context,
                     const struct sunspec_visitor *visitor);

#endif
