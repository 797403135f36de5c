#include "cli/probe_device.h"

#include <time.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/status.h"
#include "core/text.h"
#include "field/report.h"
#include "modbus/decode.h"

#define TRIES_MAX 3
#define BUSY_NS   (500 * NS_PER_MS)

const char *probe_verdict_name(enum probe_verdict verdict)
{
    static const char *const names[] = {"has",     "implausible", "not available",
                                        "has not", "fails",       "silent"};

    return names[verdict];
}

static enum probe_verdict verdict_of(uint16_t status)
{
    switch (status) {
    case STATUS_GOOD:
        return PROBE_HAS;
    case STATUS_IMPLAUSIBLE:
        return PROBE_IMPLAUSIBLE;
    case STATUS_NOT_AVAILABLE:
    case STATUS_NOT_A_NUMBER:
        return PROBE_NOT_AVAILABLE;
    case STATUS_ILLEGAL_FUNCTION:
    case STATUS_ILLEGAL_ADDRESS:
    case STATUS_ILLEGAL_VALUE:
        return PROBE_REFUSED;
    case STATUS_TIMEOUT:
    case STATUS_COMMUNICATION:
    case STATUS_CORRUPT:
    case STATUS_UNEXPECTED:
    case STATUS_GATEWAY_PATH:
    case STATUS_GATEWAY_TARGET:
        return PROBE_SILENT;
    default:
        return PROBE_FAILED;
    }
}

static void take_value(struct probe_result *result, const struct link_reply *reply)
{
    const struct modbus_point_options *options = result->point->options;
    char letters[MODBUS_TEXT_SIZE_MAX];
    struct value value;
    struct text text;

    result->status = modbus_decode_reading(options, reply->data, 0, letters, &value);
    result->status = report_status(result->point, &value, result->status);
    if (report_is_bad(result->status))
        return;
    text_init(&text, result->value, sizeof result->value);
    text_json_value(&text, &value);
}

int probe_point(struct ask *ask, const struct site_device *device, const struct site_point *point,
                int64_t timeout_ns, struct probe_result *result)
{
    const struct modbus_device_options *of = device->options;
    const struct modbus_point_options *options = point->options;
    struct modbus_request request = {
        .unit = (uint8_t)of->unit,
        .function = options->function,
        .address = options->address,
        .count = options->count,
        .timeout_ns = of->timeout_ns ? of->timeout_ns : timeout_ns,
    };
    bool again = true;

    *result = (struct probe_result){.point = point};
    for (int tries = 0; tries < TRIES_MAX && again; tries++) {
        struct link_reply reply;
        int error = ask_read(ask, &request, &reply);

        if (error == ERR_CLOSED || (error && *ask_why(ask)))
            return error;
        result->status = link_read_status(error, reply.exception);
        if (error == 0)
            take_value(result, &reply);
        result->verdict = verdict_of(result->status);
        again = result->verdict == PROBE_SILENT || result->status == STATUS_DEVICE_BUSY ||
                result->status == STATUS_ACKNOWLEDGE;
        if (again && result->verdict != PROBE_SILENT)
            nanosleep(&(struct timespec){.tv_nsec = BUSY_NS}, NULL);
    }
    return 0;
}
