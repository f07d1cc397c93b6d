"""SSH keys and password hashes that come from the seed: ed25519 by openssl, OpenSSH's formats by hand (PROTOCOL.key)."""
import base64
import hashlib
import struct
import subprocess

PKCS8 = bytes.fromhex("302e020100300506032b657004220420")  # RFC 8410: the 32-byte seed follows


def _string(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">I", len(data)) + data


def _public(seed):
    done = subprocess.run(["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"], input=PKCS8 + seed, capture_output=True, check=True)
    return done.stdout[-32:]


class KeyPair:
    """An ed25519 key pair in OpenSSH's notation: `public` is the one line, `private` the PEM file."""

    def __init__(self, seed, comment):
        raw = _public(seed)
        blob = _string("ssh-ed25519") + _string(raw)
        self.blob, self.comment = blob, comment
        self.public = f"ssh-ed25519 {base64.b64encode(blob).decode()} {comment}".rstrip()
        check = seed[:4]
        secret = check + check + blob + _string(seed + raw) + _string(comment)
        secret += bytes(range(1, 1 + -len(secret) % 8))
        body = b"openssh-key-v1\0" + _string("none") + _string("none") + _string("") + struct.pack(">I", 1) + _string(blob) + _string(secret)
        text = base64.b64encode(body).decode()
        lines = "\n".join(text[i:i + 70] for i in range(0, len(text), 70))
        self.private = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{lines}\n-----END OPENSSH PRIVATE KEY-----\n"

    def fingerprint(self):
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


def password_hash(password, salt):
    done = subprocess.run(["openssl", "passwd", "-6", "-salt", salt, "-stdin"], input=password, text=True, capture_output=True, check=True)
    return done.stdout.strip()


def all_keys(story):
    """Every key pair of the story, by name."""
    names = {"launch": "web-prod-2024", "admin-laptop": "admin@office", "attacker": "x@kali", "backup": "backup@shop",
             "host": "root@" + "ip-10-0-2-37", "golden-host": "root@ip-10-0-2-11", "internal-1": "", "internal-2": "", "mass": "k1"}
    return {name: KeyPair(story.bytes("key/" + name, 32), comment) for name, comment in names.items()}
