#!/usr/bin/python3
"""The image of a Raspberry Pi 3, from U-Boot on, on the one that QEMU has, which has no network: as far as its setup code."""
from harness import check, main
from harness.imaged import needs_long, shows_its_setup_code

BOARD = "rpi3"
START_S = 600


def starts_and_shows_its_setup_code(site):
    needs_long()
    board, _ = shows_its_setup_code(site, BOARD, "board:USB", START_S)
    check("RPI 3 Model B" in board.console(), "the boot loader of the board", board.console()[:1000])


main(starts_and_shows_its_setup_code)
