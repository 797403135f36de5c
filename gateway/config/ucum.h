/* UCUM codes (ucum.org, version 2.1) of the units that people write. */
#ifndef SLUICE_CONFIG_UCUM_H
#define SLUICE_CONFIG_UCUM_H

/* "°C" -> "Cel"; NULL for a unit that is not known. */
const char *ucum_of_unit(const char *unit);

#endif
