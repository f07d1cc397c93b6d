"""glibc's login records: struct utmp (utmp.h; 384 bytes on x86-64) for wtmp and btmp, struct lastlog (292 bytes)."""
import ipaddress
import struct

from . import sessions as se

UTMP = struct.Struct("<hxxi32s4s32s256shhiii4i20x")
LASTLOG = struct.Struct("<i32s256s")
BOOT_TIME, RUN_LVL, LOGIN_PROCESS, USER_PROCESS, DEAD_PROCESS = 2, 1, 6, 7, 8


def record(kind, pid, line, ident, user, host, seconds):
    address = [0, 0, 0, 0]
    try:
        # ut_addr_v6 is in network byte order
        address[0] = struct.unpack("<i", ipaddress.IPv4Address(host).packed)[0]
    except ValueError:
        pass
    whole = int(seconds)
    return UTMP.pack(kind, pid, line.encode(), ident.encode(), user.encode(), host.encode(), 0, 0, 0, whole, int((seconds - whole) * 1e6), *address)


def wtmp_events(story):
    """[(minutes, bytes)] in the order of writing."""
    out = []
    for boot in se.boots(story):
        out.append((boot.start, record(BOOT_TIME, 0, "~", "~~", "reboot", boot.kernel, story.at(boot.start))))
        out.append((boot.start + 0.3, record(RUN_LVL, ord("5"), "~", "~~", "runlevel", boot.kernel, story.at(boot.start + 0.3))))
        out.append((boot.start + 0.31, record(LOGIN_PROCESS, 600, "ttyS0", "tyS0", "LOGIN", "", story.at(boot.start + 0.31))))
        if boot.stop is not None:
            out.append((boot.stop, record(RUN_LVL, 0, "~", "~~", "shutdown", boot.kernel, story.at(boot.stop))))
    for x in se.sessions(story):
        out.append((x.start, record(USER_PROCESS, x.pid + 8, "pts/0", "ts/0", x.user, x.address, story.at(x.start))))
        end = x.start + x.length
        out.append((end, record(DEAD_PROCESS, x.pid + 8, "pts/0", "", "", "", story.at(end))))
    return sorted(out, key=lambda e: e[0])


def btmp_events(story):
    return [(f.when, record(LOGIN_PROCESS, f.pid, "ssh:notty", "", f.user, f.address, story.at(f.when))) for f in se.failures(story)]


def lastlog_events(story, uids):
    """[(minutes, offset, bytes)]: the file is an array indexed by uid, sparse where nobody ever came."""
    return [(x.start, uids[x.user] * LASTLOG.size, LASTLOG.pack(int(story.at(x.start)), b"pts/0", x.address.encode()))
            for x in se.sessions(story) if x.user in uids]


assert UTMP.size == 384 and LASTLOG.size == 292
