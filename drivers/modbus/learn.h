/*
 * What a device taught the planner by refusing reads (exceptions 2 and 3): how large a read may be,
 * which gaps between points it does not let be read over, which registers it does not have.
 *
 * A read that is refused is cut in two, in a gap where it has one. A cut is only a guess at first:
 * when its parts were answered, the whole is tried once more without it, and it stays when that is
 * refused again (it is sure then). All is put in doubt again once a day, as the device may have got
 * another firmware: that costs a refused request for each cut.
 */
#ifndef SLUICE_MODBUS_LEARN_H
#define SLUICE_MODBUS_LEARN_H

#include "field/driver.h"
#include "modbus/plan.h"

#define LEARN_TEXT_SIZE_MAX 2048
#define LEARN_RANGES_MAX    48 /* that are kept across restarts; further ones are learnt again */
#define LEARN_RETEST_NS     (24 * 3600 * NS_PER_S)

/* A read was answered. */
void learn_accepted(struct plan *plan, struct plan_group *group, const struct plan_block *block);

/*
 * A read of several points was refused. Returns the point of the order in front of which it is to
 * be cut; PLAN_NONE where there is no place, as all its points share a register.
 */
uint32_t learn_refused(struct plan *plan, struct plan_group *group, const struct plan_block *block,
                       uint8_t exception);

/* Marks the points that a block serves as refused, or as answered again. */
void learn_bad_points(struct plan *plan, struct plan_group *group, const struct plan_block *block);
void learn_good_points(struct plan *plan, struct plan_group *group, const struct plan_block *block);

/* Picks the cut that is tried next by a sheet of these classes, if none is. */
void learn_choose_trial(struct plan *plan, struct plan_group *group, uint16_t classes);

/* Whether the sheet that was made does try it; where no read of it would cross the cut anyway, the
 * cut stays, and false asks for the next one. */
bool learn_check_trial(struct plan *plan, struct plan_group *group, uint16_t classes,
                       const struct plan_sheet *sheet);

/* Puts all that was learnt about a group in doubt. */
void learn_doubt(struct plan *plan, struct plan_group *group);

/* Tells how much was learnt about a device. */
void learn_count(const struct plan *plan, uint32_t device, struct driver_stats *stats);

/* Registers (or bits) that one read of a group may ask for, by what was learnt; 0: no limit. */
uint32_t learn_limit(const struct plan_device *device, uint8_t function);

/*
 * All that was learnt about a device, as words:
 *
 *     learnt=1 key=9c1f03aa answers_us=4300 registers=60 cut=3:100-107 refused=3:220-221
 *
 * `key` stands for what the device is: its unit, the port or host of its bus, vendor and model.
 * `registers` and `bits` are the most that a read may ask for. Ranges are registers as they are on
 * the wire, behind the function code; those of a cut must not be read over, and "cut=3:50-49" is
 * between 49 and 50. Words that begin with "id." are who the device is (passport.h). Returns the size, without a terminating zero.
 */
size_t learn_text(const struct plan *plan, uint32_t device, char out[LEARN_TEXT_SIZE_MAX]);

/*
 * Takes such a text. What is not one of this version, or is about another device, is left alone:
 * ERR_INVALID, ERR_NOT_FOUND. Before plan_start. Points that have been refused are tried at once
 * when the plan starts.
 */
int learn_take(struct plan *plan, uint32_t device, const char *text, size_t size);

/* Forgets all of it but who the device is: everything is tried again. */
void learn_forget(struct plan *plan, uint32_t device);

#endif
