#!/usr/bin/python3
"""The image of an Orange Pi Zero, from its card on, on the larger sister that QEMU has: boot loader, presets, a node, published values."""
from harness import check, main
from harness.imaged import needs_long, starts_and_publishes

BOARD = "orangepi-zero"
UART1 = ("-serial", "chardev:bus")
START_S = 900


def starts_and_publishes_what_a_node_says(site):
    needs_long()
    board, messages = starts_and_publishes(site, BOARD, "board:UART1", UART1, START_S)
    check("U-Boot SPL" in board.console(), "it starts from the card, with what the chip reads first", board.console()[:2000])
    check("allwinner,sun8i-h2-plus" in board.shell("tr '\\0' ' ' </proc/device-tree/compatible"), "the device tree is that of the board")
    return "%d messages" % messages


main(starts_and_publishes_what_a_node_says)
