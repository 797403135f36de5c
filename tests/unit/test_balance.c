/* The book-keeping of `sluice audit`: it must find what is missing, and excuse nothing that was not
 * told. */
// links: sluice_cli
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/balance.h"
#include "cli/sets.h"
#include "core/error.h"

#define BATCH "{\"schema\":1,\"gw\":\"g\",\"epoch\":\"0000000a\",\"uplink\":\"cloud\","

static void take(struct balance *balance, const char *payload)
{
    assert_int_equal(balance_message(balance, "data", payload, strlen(payload), false), 0);
}

static struct balance_report draw(struct balance *balance)
{
    struct balance_report report;

    assert_int_equal(balance_draw(balance, &report), 0);
    return report;
}

static void a_run_without_holes_is_proven(void **state)
{
    struct balance *balance = balance_open(NULL);

    (void)state;
    take(balance, BATCH "\"covers\":[1,3],\"events\":[{\"n\":2,\"k\":\"reading\",\"d\":\"a\","
                        "\"p\":\"x\",\"t\":1,\"v\":1,\"q\":\"good\"}]}");
    take(balance, BATCH "\"covers\":[4,4],\"events\":[]}");
    struct balance_report report = draw(balance);
    assert_true(report.proven);
    assert_int_equal(report.first, 1);
    assert_int_equal(report.last, 4);
    balance_close(balance);
}

static void a_hole_in_the_covers_is_found_whatever_the_order(void **state)
{
    struct balance *balance = balance_open(NULL);

    (void)state;
    take(balance, BATCH "\"covers\":[10,12],\"events\":[{\"n\":10,\"k\":\"state\",\"t\":1}]}");
    take(balance, BATCH "\"covers\":[1,3],\"events\":[]}");
    take(balance, BATCH "\"covers\":[5,9],\"events\":[]}");
    struct balance_report report = draw(balance);
    assert_false(report.proven);
    assert_int_equal(report.holes, 1);
    assert_int_equal(report.hole_events, 1);
    take(balance, BATCH "\"covers\":[4,4],\"events\":[]}");
    assert_true(draw(balance).proven);
    balance_close(balance);
}

static void duplicates_are_told_by_their_key(void **state)
{
    const char *message = BATCH "\"covers\":[1,1],\"events\":[{\"n\":1,\"k\":\"state\",\"t\":1}]}";
    struct balance *balance = balance_open(NULL);

    (void)state;
    take(balance, message);
    take(balance, message);
    struct balance_report report = draw(balance);
    assert_int_equal(report.events, 1);
    assert_int_equal(report.duplicates, 1);
    assert_true(report.proven);
    balance_close(balance);
}

static void another_uplink_does_not_fill_the_holes(void **state)
{
    struct balance *balance = balance_open("cloud");
    const char *other =
        "{\"epoch\":\"0000000a\",\"uplink\":\"local\",\"covers\":[2,2],\"events\":[]}";

    (void)state;
    take(balance, BATCH "\"covers\":[1,1],\"events\":[{\"n\":1,\"k\":\"state\",\"t\":1}]}");
    take(balance, other);
    take(balance, BATCH "\"covers\":[3,3],\"events\":[]}");
    assert_int_equal(draw(balance).holes, 1);
    balance_close(balance);
}

static void messages_that_break_the_contract_are_counted(void **state)
{
    static const char *const broken[] = {
        "",
        "[",
        BATCH "\"covers\":[5,4],\"events\":[]}",
        BATCH "\"covers\":[1],\"events\":[]}",
        BATCH "\"covers\":[1,2],\"events\":[{\"n\":3,\"k\":\"state\",\"t\":1}]}",
        BATCH "\"covers\":[1,2],\"events\":[{\"n\":1}]}",
        BATCH "\"covers\":[1,2]}",
    };
    struct balance *balance = balance_open("cloud");

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        assert_int_equal(balance_message(balance, "data", broken[i], strlen(broken[i]), false),
                         ERR_PROTOCOL);
    struct balance_report report = draw(balance);
    assert_int_equal(report.broken, sizeof broken / sizeof broken[0]);
    assert_false(report.proven);
    balance_close(balance);
}

static void what_is_sent_to_whom_a_line_is_lent_is_not_the_gateway_s(void **state)
{
    const char *message = BATCH
        "\"covers\":[1,4],\"events\":["
        "{\"n\":1,\"k\":\"reading\",\"d\":\"m\",\"p\":\"x\",\"t\":1000,\"v\":1,\"q\":\"good\"},"
        "{\"n\":2,\"k\":\"state\",\"d\":\"m\",\"t\":2000,\"v\":false,\"q\":\"bad\",\"why\":"
        "\"lent\"},"
        "{\"n\":3,\"k\":\"state\",\"d\":\"m\",\"t\":4000,\"v\":true,\"q\":\"good\"},"
        "{\"n\":4,\"k\":\"reading\",\"d\":\"m\",\"p\":\"x\",\"t\":4000,\"v\":4,\"q\":\"good\"}]}";
    static const struct {
        const char *device;
        int64_t t;
        unsigned excused, missing;
    } cases[] = {{"m", 3000, 1, 0}, {"m", 1500, 0, 1}, {"m", 4500, 0, 1}, {"mm", 3000, 0, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct balance *balance = balance_open(NULL);
        char path[] = "/tmp/balance-truth-XXXXXX";
        FILE *file = fdopen(mkstemp(path), "w");
        int line;

        assert_non_null(file);
        fprintf(file, "{\"d\":\"m\",\"p\":\"x\",\"v\":1,\"t\":1000}\n"
                      "{\"d\":\"m\",\"p\":\"x\",\"v\":4,\"t\":4000}\n");
        fprintf(file, "{\"d\":\"%s\",\"p\":\"x\",\"v\":2,\"t\":%d}\n", cases[i].device,
                (int)cases[i].t);
        fclose(file);
        take(balance, message);
        assert_int_equal(balance_truth(balance, path, &line), 0);
        unlink(path);
        struct balance_report report = draw(balance);
        assert_int_equal(report.excused, cases[i].excused);
        assert_int_equal(report.missing, cases[i].missing);
        balance_close(balance);
    }
}

static void a_mark_whose_count_is_not_reached_is_found(void **state)
{
    const char *mark = "{\"epoch\":\"0000000a\",\"uplink\":\"local\",\"covers\":[1,3],\"count\":2}";
    const char *value = "{\"t\":1,\"v\":5,\"q\":\"good\",\"key\":\"0000000a-1\"}";
    struct balance *balance = balance_open(NULL);

    (void)state;
    assert_int_equal(balance_message(balance, "v/a/x", value, strlen(value), false), 0);
    assert_int_equal(balance_message(balance, "mark", mark, strlen(mark), false), 0);
    assert_int_equal(draw(balance).marks_short, 1);
    value = "{\"t\":1,\"v\":5,\"q\":\"good\",\"key\":\"0000000a-3\"}";
    assert_int_equal(balance_message(balance, "v/a/x", value, strlen(value), false), 0);
    assert_true(draw(balance).proven);
    balance_close(balance);
}

static void what_the_broker_had_kept_proves_nothing(void **state)
{
    const char *value = "{\"t\":1,\"v\":5,\"q\":\"good\",\"key\":\"0000000a-1\"}";
    struct balance *balance = balance_open(NULL);

    (void)state;
    assert_int_equal(balance_message(balance, "v/a/x", value, strlen(value), true), 0);
    assert_int_equal(draw(balance).events, 0);
    balance_close(balance);
}

static void write_truth(char path[32], const char *lines)
{
    strcpy(path, "/tmp/sluice-balance-XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, lines, strlen(lines)), (ssize_t)strlen(lines));
    close(fd);
}

static struct balance_report draw_with_truth(struct balance *balance, const char *lines)
{
    char path[32];
    int line;

    write_truth(path, lines);
    assert_int_equal(balance_truth(balance, path, &line), 0);
    unlink(path);
    return draw(balance);
}

static void a_value_that_was_sent_and_did_not_arrive_is_missing(void **state)
{
    struct balance *balance = balance_open(NULL);

    (void)state;
    take(balance, BATCH "\"covers\":[1,1],\"events\":[{\"n\":1,\"k\":\"reading\",\"d\":\"a\","
                        "\"p\":\"c\",\"t\":1000,\"v\":1,\"q\":\"good\"}]}");
    struct balance_report report = draw_with_truth(
        balance, "{\"d\":\"a\",\"p\":\"c\",\"v\":1,\"t\":1000}\n{\"d\":\"a\",\"p\":\"c\",\"v\":2,"
                 "\"t\":2000}\n{\"d\":\"a\",\"p\":\"c\",\"v\":3,\"t\":3000,\"late\":true}\n");
    assert_int_equal(report.truth, 2);
    assert_int_equal(report.delivered, 1);
    assert_int_equal(report.missing, 1);
    assert_false(report.proven);
    balance_close(balance);
}

static void what_was_sent_before_it_listened_is_counted_apart(void **state)
{
    static const char sent[] = "{\"d\":\"a\",\"p\":\"c\",\"v\":1,\"t\":1000}\n"
                               "{\"d\":\"a\",\"p\":\"c\",\"v\":2,\"t\":1499}\n"
                               "{\"d\":\"a\",\"p\":\"c\",\"v\":3,\"t\":1600}\n"
                               "{\"d\":\"a\",\"p\":\"c\",\"v\":4,\"t\":1700}\n";
    static const struct {
        int64_t since_ms;
        int first; /* number that the covers begin with */
        int arrived;
        unsigned truth, before, missing;
    } cases[] = {
        {1500, 9, 3, 2, 2, 1}, {1500, 9, 1, 4, 0, 3}, /* in between nothing is left out */
        {9000, 9, 3, 2, 2, 1}, /* a clock that is ahead excuses nothing behind what arrived */
        {1200, 9, 3, 3, 1, 2}, {1500, 9, 7, 4, 0, 4}, /* nothing of it arrived */
        {1500, 1, 3, 4, 0, 3},                        /* all since the journal began was seen */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct balance *balance = balance_open(NULL);
        char message[512];

        balance_listens(balance, cases[i].since_ms);
        snprintf(message, sizeof message,
                 BATCH "\"covers\":[%d,%d],\"events\":[{\"n\":%d,\"k\":\"reading\",\"d\":\"a\","
                       "\"p\":\"c\",\"t\":1600,\"v\":%d,\"q\":\"good\"}]}",
                 cases[i].first, cases[i].first, cases[i].first, cases[i].arrived);
        take(balance, message);
        struct balance_report report = draw_with_truth(balance, sent);
        assert_int_equal(report.truth, cases[i].truth);
        assert_int_equal(report.before, cases[i].before);
        assert_int_equal(report.missing, cases[i].missing);
        assert_int_equal(report.before_t, cases[i].before == 2   ? 1499
                                          : cases[i].before == 1 ? 1000
                                                                 : 0);
        balance_close(balance);
    }
}

static char *printed(struct balance *balance, bool json)
{
    struct balance_report report = draw(balance);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    balance_print(balance, &report, json, out);
    fclose(out);
    return text;
}

static void has(char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("\"%s\" is not in:\n%s", words, text);
    free(text);
}

static void it_says_whose_proof_it_is_and_what_the_ledger_says_of_it(void **state)
{
    const char *ledger =
        "{\"schema\":1,\"last\":12,\"uplinks\":{\"local\":{\"acked\":3,\"pending\":0,\"dropped\":"
        "{}},\"cloud\":{\"acked\":8,\"pending\":1,\"dropped\":{\"retention\":2,\"poison\":1}}}}";
    const char *other =
        "{\"epoch\":\"0000000a\",\"uplink\":\"local\",\"covers\":[2,2],\"events\":[]}";
    struct balance *balance = balance_open(NULL);

    (void)state;
    take(balance, BATCH "\"covers\":[1,1],\"events\":[{\"n\":1,\"k\":\"state\",\"t\":1}]}");
    has(printed(balance, false),
        "uplink cloud: 1 message, 1 event, 0 duplicates dropped, 1 epoch\n");
    take(balance, other);
    assert_int_equal(balance_message(balance, "ledger", ledger, strlen(ledger), true), 0);
    has(printed(balance, false),
        "newest event is 12; of uplink cloud 8 are acknowledged, 1 pending, "
        "3 dropped\nother uplinks, not proven here: local (--uplink)\n");
    has(printed(balance, true),
        "\"ledger\":{\"last\":12,\"acked\":8,\"pending\":1,\"dropped\":3,\"retained\":true}");
    balance_close(balance);
}

static void an_uplink_that_there_is_not_is_told_with_those_that_are(void **state)
{
    const char *ledger = "{\"last\":12,\"uplinks\":{\"cloud\":{\"acked\":3}}}";
    struct balance *named = balance_open("clowd"), *first = balance_open(NULL);
    char words[128];

    (void)state;
    assert_false(balance_lacks_uplink(named, true, words, sizeof words)); /* nothing is known */
    take(named, BATCH "\"covers\":[1,1],\"events\":[]}");
    assert_false(balance_lacks_uplink(named, false, words, sizeof words)); /* it may yet come */
    assert_true(balance_lacks_uplink(named, true, words, sizeof words));
    assert_int_equal(balance_message(named, "ledger", ledger, strlen(ledger), false), 0);
    assert_true(balance_lacks_uplink(named, false, words, sizeof words));
    assert_string_equal(words, "; did you mean \"cloud\"?");
    assert_int_equal(balance_message(first, "ledger", ledger, strlen(ledger), false), 0);
    assert_false(balance_lacks_uplink(first, true, words, sizeof words));
    balance_close(named);
    balance_close(first);
}

static void a_value_that_nobody_sent_or_that_came_late_is_foreign(void **state)
{
    struct balance *balance = balance_open(NULL);

    (void)state;
    take(balance, BATCH "\"covers\":[1,2],\"events\":[{\"n\":1,\"k\":\"reading\",\"d\":\"a\","
                        "\"p\":\"c\",\"t\":1000,\"v\":1,\"q\":\"good\"},{\"n\":2,\"k\":\"reading\","
                        "\"d\":\"a\",\"p\":\"c\",\"t\":2000,\"v\":7,\"q\":\"good\"}]}");
    struct balance_report report =
        draw_with_truth(balance, "{\"d\":\"a\",\"p\":\"c\",\"v\":1,\"t\":900,\"late\":true}\n");
    assert_int_equal(report.never_sent, 2);
    assert_false(report.proven);
    balance_close(balance);
}

static void a_hole_that_is_told_needs_no_number(void **state)
{
    struct balance *balance = balance_open(NULL);
    struct balance_report report;

    (void)state;
    take(balance, BATCH "\"covers\":[1,12],\"events\":[{\"k\":\"gap\",\"t\":1,\"lost\":[1,10],"
                        "\"count\":10,\"why\":\"retention\"},{\"n\":11,\"k\":\"reading\","
                        "\"d\":\"a\",\"p\":\"c\",\"t\":2,\"v\":1,\"q\":\"good\"}]}");
    assert_int_equal(balance_draw(balance, &report), 0);
    assert_int_equal(report.broken, 0);
    assert_int_equal(report.gaps, 1);
    assert_int_equal(report.gap_events, 10);
    assert_int_equal(report.events, 1);
    balance_close(balance);
}

static void a_told_crash_excuses_its_time_and_no_other(void **state)
{
    struct balance *balance = balance_open(NULL);

    (void)state;
    take(balance, BATCH "\"covers\":[1,1],\"events\":[{\"n\":1,\"k\":\"reading\",\"d\":\"a\","
                        "\"p\":\"c\",\"t\":10000,\"v\":1,\"q\":\"good\"}]}");
    take(balance, "{\"epoch\":\"0000000b\",\"uplink\":\"cloud\",\"covers\":[2,3],\"events\":[{"
                  "\"n\":2,\"k\":\"lifecycle\",\"t\":19999,\"v\":\"epoch\"},{\"n\":3,"
                  "\"k\":\"gap\",\"t\":20000,\"extent_ms\":250,\"why\":\"crash\"}]}");
    struct balance_report report =
        draw_with_truth(balance, "{\"d\":\"a\",\"p\":\"c\",\"v\":1,\"t\":10000}\n"
                                 "{\"d\":\"a\",\"p\":\"c\",\"v\":2,\"t\":10100}\n"
                                 "{\"d\":\"a\",\"p\":\"c\",\"v\":3,\"t\":5000}\n"
                                 "{\"d\":\"a\",\"p\":\"c\",\"v\":4,\"t\":25000}\n");
    assert_int_equal(report.excused, 1);
    assert_int_equal(report.missing, 2);
    balance_close(balance);
}

static void a_crash_excuses_no_more_than_the_extent_that_it_told(void **state)
{
    struct balance *balance = balance_open(NULL);

    (void)state;
    take(balance, BATCH "\"covers\":[1,1],\"events\":[{\"n\":1,\"k\":\"reading\",\"d\":\"a\","
                        "\"p\":\"c\",\"t\":10000,\"v\":1,\"q\":\"good\"}]}");
    take(balance,
         "{\"epoch\":\"0000000b\",\"uplink\":\"cloud\",\"covers\":[2,2],\"events\":[{\"n\":2,"
         "\"k\":\"gap\",\"t\":20000,\"extent_ms\":250,\"why\":\"crash\"}]}");
    struct balance_report report =
        draw_with_truth(balance, "{\"d\":\"a\",\"p\":\"c\",\"v\":2,\"t\":10100}\n"
                                 "{\"d\":\"a\",\"p\":\"c\",\"v\":3,\"t\":11900}\n"
                                 "{\"d\":\"a\",\"p\":\"c\",\"v\":4,\"t\":12000}\n"
                                 "{\"d\":\"a\",\"p\":\"c\",\"v\":1,\"t\":10000}\n");
    assert_int_equal(report.excused, 2);
    assert_int_equal(report.missing, 1);
    balance_close(balance);
}

static void ranges_melt_where_they_touch(void **state)
{
    static const struct {
        uint64_t first, last;
        size_t count;
    } steps[] = {{10, 20, 1}, {30, 40, 2}, {50, 60, 3}, {21, 21, 3}, {22, 29, 2},
                 {1, 5, 3},   {6, 9, 2},   {15, 55, 1}, {1, 60, 1},  {62, 62, 2}};
    struct range_set set = {0};

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        assert_int_equal(range_set_add(&set, steps[i].first, steps[i].last), 0);
        assert_int_equal(set.count, steps[i].count);
    }
    range_set_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_without_holes_is_proven),
        cmocka_unit_test(a_hole_in_the_covers_is_found_whatever_the_order),
        cmocka_unit_test(duplicates_are_told_by_their_key),
        cmocka_unit_test(another_uplink_does_not_fill_the_holes),
        cmocka_unit_test(messages_that_break_the_contract_are_counted),
        cmocka_unit_test(what_is_sent_to_whom_a_line_is_lent_is_not_the_gateway_s),
        cmocka_unit_test(a_mark_whose_count_is_not_reached_is_found),
        cmocka_unit_test(what_the_broker_had_kept_proves_nothing),
        cmocka_unit_test(a_value_that_was_sent_and_did_not_arrive_is_missing),
        cmocka_unit_test(what_was_sent_before_it_listened_is_counted_apart),
        cmocka_unit_test(it_says_whose_proof_it_is_and_what_the_ledger_says_of_it),
        cmocka_unit_test(an_uplink_that_there_is_not_is_told_with_those_that_are),
        cmocka_unit_test(a_value_that_nobody_sent_or_that_came_late_is_foreign),
        cmocka_unit_test(a_hole_that_is_told_needs_no_number),
        cmocka_unit_test(a_told_crash_excuses_its_time_and_no_other),
        cmocka_unit_test(a_crash_excuses_no_more_than_the_extent_that_it_told),
        cmocka_unit_test(ranges_melt_where_they_touch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
