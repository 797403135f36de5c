# The boot script of boards with U-Boot (2021.01 and newer). It chooses a slot, counts the try, and starts its kernel.
#
# What it chooses by is in one sector of the disk, which is written whole or not at all: BOOT_ORDER, and how many tries
# each slot has left. Linux writes the same sector (fw_setenv, through RAUC). Where the sector is damaged, slot A is
# tried first, then B.

setenv slots_at @ENVIRONMENT_SECTOR@
setenv BOOT_ORDER "A B"
setenv BOOT_A_LEFT 3
setenv BOOT_B_LEFT 3
${devtype} dev ${devnum}
if ${devtype} read ${kernel_addr_r} ${slots_at} 1; then
    env import -c ${kernel_addr_r} 0x200 BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
fi

setenv slot
setenv first
for try in "${BOOT_ORDER}"; do
    if test "x${first}" = "x"; then
        setenv first ${try}
    fi
    if test "x${try}" = "xA"; then
        setenv left ${BOOT_A_LEFT}
    else
        setenv left ${BOOT_B_LEFT}
    fi
    # Not every U-Boot can count.
    setenv fewer
    if test "x${left}" = "x3"; then
        setenv fewer 2
    elif test "x${left}" = "x2"; then
        setenv fewer 1
    elif test "x${left}" = "x1"; then
        setenv fewer 0
    fi
    if test "x${slot}" != "x"; then
        # chosen
    elif test "x${fewer}" = "x"; then
        # no try left
    elif test "x${try}" = "xA"; then
        setenv BOOT_A_LEFT ${fewer}
        setenv slot A
        setenv part 2
    elif test "x${try}" = "xB"; then
        setenv BOOT_B_LEFT ${fewer}
        setenv slot B
        setenv part 3
    fi
done

if test "x${slot}" = "x"; then
    echo "sluice: no slot has a try left; both get three again"
    # Also one that Linux took out of the order, as it does with what it leaves: now there is no better one.
    if test "x${first}" = "xB"; then
        setenv BOOT_ORDER "B A"
    else
        setenv BOOT_ORDER "A B"
    fi
    setenv BOOT_A_LEFT 3
    setenv BOOT_B_LEFT 3
    env export -c -s 0x200 ${kernel_addr_r} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
    ${devtype} write ${kernel_addr_r} ${slots_at} 1
    reset
fi

env export -c -s 0x200 ${kernel_addr_r} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
${devtype} write ${kernel_addr_r} ${slots_at} 1
echo "sluice: starting slot ${slot} (tries left: A ${BOOT_A_LEFT}, B ${BOOT_B_LEFT}; order ${BOOT_ORDER})"

@UNPACKING@
setenv bootargs "@CONSOLE@ rauc.slot=${slot} panic=5 ro quiet @ARGUMENTS@"
if load ${devtype} ${devnum}:${part} ${kernel_addr_r} /boot/vmlinuz; then
    if load ${devtype} ${devnum}:${part} ${ramdisk_addr_r} /boot/initrd; then
        setenv initrd ${ramdisk_addr_r}:${filesize}
@DEVICE_TREE@
        @START@ ${kernel_addr_r} ${initrd} ${tree}
    fi
fi
echo "sluice: slot ${slot} does not start"
reset
