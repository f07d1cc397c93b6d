"""GetConsoleScreenshot's JPEG: a real baseline JPEG, written here because no Debian package need be pulled in for one picture.

Every 8×8 block is flat, so only DC coefficients are coded (ITU-T T.81: tables K.3 for DC; for AC a table with end-of-block alone).
It shows the outlines of a text console: one bright block for each character of the lines given.
"""
import struct

DC_BITS = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]  # K.3.1
COLUMNS, ROWS = 80, 30


def _dc_codes():
    codes, code, symbol = {}, 0, 0
    for length, count in enumerate(DC_BITS, 1):
        for _ in range(count):
            codes[symbol] = (code, length)
            code, symbol = code + 1, symbol + 1
        code <<= 1
    return codes


def _segment(marker, body):
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg(lines):
    """A picture of COLUMNS×ROWS blocks of 8×8 pixels, grey."""
    codes, bits, last = _dc_codes(), [], 0
    for row in range(ROWS):
        text = lines[row] if row < len(lines) else ""
        for column in range(COLUMNS):
            bright = column < len(text) and text[column] != " "
            value = (190 if bright else 8) - 128  # DC is 8 × mean; the quantiser is 8, so the coefficient is the mean
            difference, last = value - last, value
            size = abs(difference).bit_length()
            code, length = codes[size]
            bits.append(f"{code:0{length}b}")
            if size:
                bits.append(f"{difference if difference > 0 else difference + (1 << size) - 1:0{size}b}")
            bits.append("0")  # end of block
    stream = "".join(bits)
    stream += "1" * (-len(stream) % 8)
    data = int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\0")
    return (b"\xff\xd8" + _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + _segment(0xDB, b"\0" + bytes([8] * 64))
            + _segment(0xC0, struct.pack(">BHHBBBB", 8, ROWS * 8, COLUMNS * 8, 1, 1, 0x11, 0))
            + _segment(0xC4, b"\0" + bytes(DC_BITS) + bytes(range(12))) + _segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\0")
            + _segment(0xDA, b"\1\1\0\0\x3f\0") + data + b"\xff\xd9")
