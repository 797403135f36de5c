#include "modbus/phases.h"

#include <stdlib.h>
#include <string.h>

#include "modbus/sheet.h"

#define SEARCH_CLASSES_MAX 6
#define SEARCH_POINTS_MAX  20000 /* beyond it the search would take longer than it is worth */
#define CANDIDATES_MAX     4096  /* of one class */
#define TRIALS_MAX         512   /* of a group */
#define WORTH_IT           0.999 /* of the time in step, or it stays that */

/* Sets of classes, as bits. */
struct meetings {
    unsigned classes;
    int64_t *repeat_ns; /* after which all of a set meet again; 0: they never do */
    double *per_s;      /* how often exactly these are due */
};

/* What the reads of a set take: INT64_MAX when it was not worked out yet. */
struct price {
    int64_t ns;
    uint32_t reads;
};

static const struct plan_class *class_of(const struct plan *plan, const struct plan_group *group,
                                         unsigned number)
{
    return &plan->classes[group->first_class + number];
}

static int64_t greatest_common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

static bool meet(const struct plan_class *a, const struct plan_class *b)
{
    return (a->phase_ns - b->phase_ns) % greatest_common_divisor(a->every_ns, b->every_ns) == 0;
}

static void meetings_free(struct meetings *meetings)
{
    free(meetings->repeat_ns);
    free(meetings->per_s);
}

static bool meetings_make(struct meetings *meetings, unsigned classes)
{
    meetings->classes = classes;
    meetings->repeat_ns = malloc(sizeof *meetings->repeat_ns << classes);
    meetings->per_s = malloc(sizeof *meetings->per_s << classes);
    return meetings->repeat_ns && meetings->per_s;
}

/* When a set meets again that is another one and the class `last`. */
static int64_t repeat_with(const struct plan *plan, const struct plan_group *group,
                           const struct meetings *meetings, unsigned others, unsigned last)
{
    const struct plan_class *class = class_of(plan, group, last);
    int64_t repeat_ns = meetings->repeat_ns[others], factor;

    if (others == 0)
        return class->every_ns;
    for (unsigned i = 0; i < last && repeat_ns; i++) {
        if ((others >> i & 1) && !meet(class_of(plan, group, i), class))
            return 0;
    }
    if (repeat_ns == 0)
        return 0;
    factor = class->every_ns / greatest_common_divisor(repeat_ns, class->every_ns);
    return repeat_ns > INT64_MAX / factor ? 0 : repeat_ns * factor; /* once in centuries: never */
}

/* Fills in how often which classes are due together, by their phases. */
static void count_meetings(const struct plan *plan, const struct plan_group *group,
                           struct meetings *meetings)
{
    unsigned sets = 1u << meetings->classes, last = 0;

    meetings->repeat_ns[0] = 0;
    meetings->per_s[0] = 0;
    for (unsigned set = 1; set < sets; set++) {
        last += set == 2u << last;
        int64_t repeat_ns = repeat_with(plan, group, meetings, set & ~(1u << last), last);

        meetings->repeat_ns[set] = repeat_ns;
        meetings->per_s[set] = repeat_ns ? (double)NS_PER_S / (double)repeat_ns : 0;
    }
    /* From "at least these" to "exactly these". */
    for (unsigned bit = 0; bit < meetings->classes; bit++) {
        for (unsigned set = 0; set < sets; set++) {
            if (!(set >> bit & 1))
                meetings->per_s[set] -= meetings->per_s[set | 1u << bit];
        }
    }
}

/* Whether a set does occur, and not but by what rounding left. */
static bool occurs(const struct meetings *meetings, unsigned set)
{
    return meetings->repeat_ns[set] &&
           meetings->per_s[set] * (double)meetings->repeat_ns[set] > 1e-6 * (double)NS_PER_S;
}

static const struct price *price_of(const struct plan *plan, const struct plan_group *group,
                                    struct price *prices, unsigned set)
{
    struct price *price = &prices[set];

    if (price->ns == INT64_MAX)
        price->ns = sheet_price_ns(plan, group, (uint16_t)set, &price->reads);
    return price;
}

/* The set of several classes that occurs most often of those that are not yet `taken`; 0: none. */
static unsigned most_frequent(const struct meetings *meetings, const unsigned *taken,
                              unsigned count)
{
    unsigned found = 0;

    for (unsigned set = 3; set < 1u << meetings->classes; set++) {
        bool known = !(set & (set - 1)) || !occurs(meetings, set);

        for (unsigned i = 0; i < count && !known; i++)
            known = taken[i] == set;
        if (!known && (!found || meetings->per_s[set] > meetings->per_s[found]))
            found = set;
    }
    return found;
}

/*
 * Time and reads of a group each second. Only so many sets of several classes have reads of their
 * own; in the rounds of others each class is read by itself.
 */
static double add_up(const struct plan *plan, const struct plan_group *group,
                     const struct meetings *meetings, struct price *prices, double *reads_per_s)
{
    unsigned taken[SHEET_UNIONS_MAX], count = 0, set;
    double share = 0, alone_per_s[PLAN_CLASSES_MAX], reads = 0;

    for (unsigned i = 0; i < meetings->classes; i++)
        alone_per_s[i] = (double)NS_PER_S / (double)meetings->repeat_ns[1u << i];
    while (count < SHEET_UNIONS_MAX && (set = most_frequent(meetings, taken, count))) {
        const struct price *price = price_of(plan, group, prices, set);

        share += meetings->per_s[set] * (double)price->ns;
        reads += meetings->per_s[set] * price->reads;
        for (unsigned i = 0; i < meetings->classes; i++)
            alone_per_s[i] -= set >> i & 1 ? meetings->per_s[set] : 0;
        taken[count++] = set;
    }
    for (unsigned i = 0; i < meetings->classes; i++) {
        const struct price *price = price_of(plan, group, prices, 1u << i);

        share += alone_per_s[i] * (double)price->ns;
        reads += alone_per_s[i] * price->reads;
    }
    *reads_per_s += reads;
    return share / (double)NS_PER_S;
}

static struct price *no_prices(unsigned classes)
{
    struct price *prices = malloc(sizeof *prices << classes);

    for (unsigned set = 0; prices && set < 1u << classes; set++)
        prices[set].ns = INT64_MAX;
    return prices;
}

void phases_demand(const struct plan *plan, const struct plan_group *group, double *share,
                   double *reads_per_s)
{
    struct meetings meetings;
    struct price *prices = no_prices(group->class_count);

    if (meetings_make(&meetings, group->class_count) && prices) {
        count_meetings(plan, group, &meetings);
        *share += add_up(plan, group, &meetings, prices, reads_per_s);
    }
    meetings_free(&meetings);
    free(prices);
}

struct search {
    struct plan *plan;
    struct plan_group *group;
    struct meetings meetings;
    struct price *prices;
    int64_t step_ns; /* all phases are multiples of it: others meet less and gain nothing */
    unsigned trials; /* that were made; the first one is in step */
    double best;
    int64_t best_ns[PLAN_CLASSES_MAX];
};

static void consider(struct search *search)
{
    double reads = 0, share = 0;

    if (search->prices) {
        count_meetings(search->plan, search->group, &search->meetings);
        share = add_up(search->plan, search->group, &search->meetings, search->prices, &reads);
    }
    if (search->trials++ > 0 && share >= search->best * WORTH_IT)
        return;
    search->best = share;
    for (unsigned i = 0; i < search->group->class_count; i++)
        search->best_ns[i] = class_of(search->plan, search->group, i)->phase_ns;
}

/* Which of the shorter intervals a class meets. */
static unsigned meets(const struct search *search, unsigned number)
{
    const struct plan_class *class = class_of(search->plan, search->group, number);
    unsigned met = 0;

    for (unsigned i = 0; i < number; i++)
        met |= (unsigned)meet(class_of(search->plan, search->group, i), class) << i;
    return met;
}

/* After which a class meets the same of the shorter intervals as before. */
static int64_t alike_ns(const struct search *search, unsigned number)
{
    int64_t every_ns = class_of(search->plan, search->group, number)->every_ns, alike = 1;

    for (unsigned i = 0; i < number; i++) {
        int64_t other_ns = class_of(search->plan, search->group, i)->every_ns;
        int64_t common_ns = greatest_common_divisor(every_ns, other_ns);

        alike *= common_ns / greatest_common_divisor(alike, common_ns);
    }
    return alike;
}

/* Tries the phases of a class and of all longer ones. Where two meet the same of the shorter
 * intervals, the first is tried. `turn` tells the groups apart. */
static void place(struct search *search, unsigned number, uint32_t turn)
{
    struct plan_class *class = &search->plan->classes[search->group->first_class + number];
    uint64_t tried = 0;

    if (number == search->group->class_count) {
        consider(search);
        return;
    }
    int64_t alike = number ? alike_ns(search, number) : class->every_ns;
    int64_t choices = class->every_ns / alike;
    int64_t begin_ns = (number ? class[-1].phase_ns : 0) + alike * (turn % choices);

    for (int64_t i = 0; i < CANDIDATES_MAX && i * search->step_ns < alike; i++) {
        class->phase_ns = (begin_ns + i * search->step_ns) % class->every_ns;
        unsigned met = search->prices ? meets(search, number) : 0;

        if (tried >> met & 1)
            continue;
        tried |= UINT64_C(1) << met;
        place(search, number + 1, (uint32_t)(turn / choices));
        if (!search->prices || number == 0 || search->trials >= TRIALS_MAX)
            break;
    }
}

/* Two intervals are cheapest in step: what is due together never costs more than apart. */
static bool worth_a_search(const struct plan *plan, const struct plan_group *group)
{
    bool aligned = false;

    for (unsigned i = 0; i < group->class_count; i++)
        aligned |= class_of(plan, group, i)->aligned;
    return group->class_count > 2 && group->class_count <= SEARCH_CLASSES_MAX && !aligned &&
           group->points <= SEARCH_POINTS_MAX;
}

void phases_choose(struct plan *plan, struct plan_group *group)
{
    struct search search = {.plan = plan, .group = group};

    if (worth_a_search(plan, group) && meetings_make(&search.meetings, group->class_count))
        search.prices = no_prices(group->class_count);
    for (unsigned i = 0; i < group->class_count; i++)
        search.step_ns =
            greatest_common_divisor(class_of(plan, group, i)->every_ns, search.step_ns);
    place(&search, 0, (uint32_t)(group - plan->groups));
    for (unsigned i = 0; i < group->class_count; i++)
        plan->classes[group->first_class + i].phase_ns = search.best_ns[i];
    meetings_free(&search.meetings);
    free(search.prices);
}
