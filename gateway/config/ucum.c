#include "config/ucum.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *unit, *ucum;
} known[] = {
    {"°C", "Cel"},        {"K", "K"},
    {"°F", "[degF]"},     {"V", "V"},
    {"mV", "mV"},         {"kV", "kV"},
    {"A", "A"},           {"mA", "mA"},
    {"kA", "kA"},         {"W", "W"},
    {"kW", "kW"},         {"MW", "MW"},
    {"VA", "V.A"},        {"kVA", "kV.A"},
    {"Wh", "W.h"},        {"kWh", "kW.h"},
    {"MWh", "MW.h"},      {"VAh", "V.A.h"},
    {"kVAh", "kV.A.h"},   {"J", "J"},
    {"kJ", "kJ"},         {"MJ", "MJ"},
    {"GJ", "GJ"},         {"Ah", "A.h"},
    {"Hz", "Hz"},         {"kHz", "kHz"},
    {"MHz", "MHz"},       {"Ω", "Ohm"},
    {"Ohm", "Ohm"},       {"kΩ", "kOhm"},
    {"S/m", "S/m"},       {"µS/cm", "uS/cm"},
    {"μS/cm", "uS/cm"},   {"mS/cm", "mS/cm"},
    {"bar", "bar"},       {"mbar", "mbar"},
    {"Pa", "Pa"},         {"hPa", "hPa"},
    {"kPa", "kPa"},       {"MPa", "MPa"},
    {"psi", "[psi]"},     {"m3", "m3"},
    {"m³", "m3"},         {"l", "L"},
    {"L", "L"},           {"ml", "mL"},
    {"m3/h", "m3/h"},     {"m³/h", "m3/h"},
    {"l/h", "L/h"},       {"l/min", "L/min"},
    {"l/s", "L/s"},       {"L/min", "L/min"},
    {"kg", "kg"},         {"g", "g"},
    {"mg", "mg"},         {"t", "t"},
    {"kg/h", "kg/h"},     {"t/h", "t/h"},
    {"m", "m"},           {"cm", "cm"},
    {"mm", "mm"},         {"km", "km"},
    {"µm", "um"},         {"m/s", "m/s"},
    {"km/h", "km/h"},     {"kn", "[kn_i]"},
    {"rpm", "{rev}/min"}, {"1/min", "/min"},
    {"%", "%"},           {"ppm", "[ppm]"},
    {"ppb", "[ppb]"},     {"pH", "[pH]"},
    {"lx", "lx"},         {"lm", "lm"},
    {"W/m2", "W/m2"},     {"W/m²", "W/m2"},
    {"°", "deg"},         {"rad", "rad"},
    {"s", "s"},           {"ms", "ms"},
    {"min", "min"},       {"h", "h"},
    {"d", "d"},           {"N", "N"},
    {"kN", "kN"},         {"Nm", "N.m"},
    {"dB", "dB"},         {"µg/m3", "ug/m3"},
    {"µg/m³", "ug/m3"},   {"mg/l", "mg/L"},
    {"mg/m3", "mg/m3"},   {"kg/m3", "kg/m3"},
    {"g/m3", "g/m3"},     {"kWh/m3", "kW.h/m3"},
    {"mm/h", "mm/h"},
};

const char *ucum_of_unit(const char *unit)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i].unit, unit) == 0)
            return known[i].ucum;
    return NULL;
}
