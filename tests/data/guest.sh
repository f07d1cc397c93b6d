#!/bin/bash
# First process of a User Mode Linux guest whose root is this machine's tree (hostfs): a real kernel for what this machine's own may lack. Does JOB and stops.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs none /run
mount -t tmpfs none /dev/shm 2>/dev/null
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
modules=$(find /usr/lib/uml/modules/"$(uname -r)" -name '*.ko')
# Adds modules by name, in order; those that are built in or there already are no matter.
ins() { for m in "$@"; do insmod $(grep "/$m.ko$" <<<"$modules") 2>/dev/null || true; done; }
export -f ins
export modules
bash "$JOB" > "$JOB.out" 2>&1
echo $? > "$JOB.code"
sync -f "$JOB.code"
echo o > /proc/sysrq-trigger
sleep 10
