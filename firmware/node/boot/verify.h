/* Whether a version is what was signed, by the key that this boot loader was built with. */
#ifndef SLUICE_NODE_VERIFY_H
#define SLUICE_NODE_VERIFY_H

#include "node/core/slots.h"

/* A slots_check. The signature takes some seconds on the slowest of the boards. */
enum image_fault verify(const struct nflash *flash, const uint8_t header[IMAGE_HEADER_SIZE],
                        bool checked);

#endif
