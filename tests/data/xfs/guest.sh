#!/bin/bash
# First process of a User Mode Linux guest whose root is this machine's tree (hostfs): does JOB (a script) and stops.
mount -t proc proc /proc
mount -t tmpfs none /dev/shm 2>/dev/null
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
bash "$JOB" > "$JOB.out" 2>&1
echo $? > "$JOB.code"
sync -f "$JOB.code"
echo o > /proc/sysrq-trigger
sleep 10
