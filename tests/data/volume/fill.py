"""`fill.py DEVICE SEED [PIECES]`: writes reproducible bytes all over a device, or into PIECES places of it, and prints the SHA-256 of the whole."""
import hashlib
import os
import random
import sys

device, seed = sys.argv[1], int(sys.argv[2])
pieces = int(sys.argv[3]) if len(sys.argv) > 3 else 0
randomness = random.Random(seed)
with open(device, "r+b", buffering=0) as file:
    size = file.seek(0, os.SEEK_END)
    if pieces:
        for _ in range(pieces):
            file.seek(randomness.randrange(size // 4096) * 4096)
            file.write(randomness.randbytes(4096))
    else:
        file.seek(0)
        for at in range(0, size, 1 << 20):
            file.write(randomness.randbytes(min(1 << 20, size - at)))
    os.fsync(file.fileno())
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(1 << 20):
        digest.update(piece)
print(os.path.basename(device), size, digest.hexdigest(), flush=True)
