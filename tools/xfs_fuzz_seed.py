#!/usr/bin/env python3
"""Packs an XFS image into a fuzz input (fuzz/disk.h, disk_of_pieces): its size, and the pieces of it that are not zero. Arguments: image, output, and
"nolog" for an empty log. Record headers that only mark the part of the log that was never written (cycle 0) are left out: zeros say the same."""
import struct
import sys

GRAIN = 64

image, output = sys.argv[1:3]
with open(image, "rb") as source:
    disk = bytearray(source.read())
block_size, = struct.unpack_from(">I", disk, 4)
log_start, = struct.unpack_from(">Q", disk, 48)
ag_blocks, = struct.unpack_from(">I", disk, 84)
log_blocks, = struct.unpack_from(">I", disk, 96)
ag_log = disk[124]
begin = ((log_start >> ag_log) * ag_blocks + (log_start & ((1 << ag_log) - 1))) * block_size
for at in range(begin, begin + log_blocks * block_size, 512):
    magic, cycle = struct.unpack_from(">II", disk, at)
    if "nolog" in sys.argv or (magic == 0xFEEDBABE and cycle == 0):
        disk[at:at + 512] = bytes(512)
zero = bytes(GRAIN)
pieces, begin = [], None
for at in range(0, len(disk) + GRAIN, GRAIN):
    if at < len(disk) and disk[at:at + GRAIN] != zero:
        begin = at if begin is None else begin
    elif begin is not None:
        pieces.append((begin, disk[begin:at]))
        begin = None
out = struct.pack("<Q", len(disk))
for offset, data in pieces:
    out += struct.pack("<QI", offset, len(data)) + data
with open(output, "wb") as target:
    target.write(out)
