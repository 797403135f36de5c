# What the first program after the kernel needs, in the initramfs of an image and in the tiny one.

say() { echo "sluice: $*" >/dev/console; }

begin() {
    export PATH=/usr/sbin:/usr/bin:/sbin:/bin
    mount -t proc -o nosuid,nodev,noexec proc /proc
    mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
    mount -t devtmpfs -o nosuid,mode=0755 devtmpfs /dev
}

# The modules in /lib/modules/load, which names each behind what it needs. What a board lacks does not load: no matter.
load_modules() {
    while read -r module; do
        insmod "/lib/modules/$module" 2>/dev/null
    done </lib/modules/load
}

# option NAME: the value of NAME=value on the kernel's command line.
option() {
    for word in $(cat /proc/cmdline); do
        case $word in
        "$1"=*) echo "${word#*=}" ;;
        esac
    done
}

# partition NAME: its device. A GPT has names; in an MBR it is the place that counts.
partition() {
    case $1 in
    boot) place=1 ;;
    root-a) place=2 ;;
    root-b) place=3 ;;
    data) place=4 ;;
    esac
    for entry in /sys/class/block/*/uevent; do
        device='' number='' label=''
        while IFS='=' read -r key value; do
            case $key in
            DEVNAME) device=$value ;;
            PARTN) number=$value ;;
            PARTNAME) label=$value ;;
            esac
        done <"$entry"
        [ -n "$number" ] || continue
        if [ "$label" = "$1" ] || { [ -z "$label" ] && [ "$number" = "$place" ]; }; then
            echo "/dev/$device"
            return 0
        fi
    done
    return 1
}

# wait_partition NAME SECONDS: the same, once the disk has been found.
wait_partition() {
    tries=$(($2 * 10))
    until partition "$1"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        usleep 100000
    done
}
