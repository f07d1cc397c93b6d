"""The stored blocks of a case against the image that the lab serves."""
import hashlib
import sqlite3

BLOCK = 524288


def wrong_blocks(snapshot_folder, truth):
    """[(index, what is wrong)] of the recorded blocks, and how many were looked at. `truth`: the whole image, as a path."""
    database = sqlite3.connect(f"file:{snapshot_folder / 'blocks.db'}?mode=ro&immutable=1", uri=True)
    rows = database.execute("select block_index, sha256 from block").fetchall()
    database.close()
    wrong = []
    with open(snapshot_folder / "image.raw", "rb") as image, open(truth, "rb") as right:
        for index, recorded in rows:
            image.seek(index * BLOCK)
            right.seek(index * BLOCK)
            stored, wanted = image.read(BLOCK), right.read(BLOCK).ljust(BLOCK, b"\0")
            digest = bytes.fromhex(recorded) if isinstance(recorded, str) else recorded
            if stored != wanted:
                wrong.append((index, "other bytes than the volume's"))
            if digest != hashlib.sha256(wanted).digest():
                wrong.append((index, "recorded with another SHA-256"))
    return wrong, len(rows)
