#!/usr/bin/env python3
"""An encrypted folder, as the kernel makes it and as it shows it without the key.

    fscrypt.py make ROOT    adds a key to the filesystem and makes ROOT/secret with files in it
    fscrypt.py list ROOT    "inode mode size encrypted:<base64url of the stored name>", one line a file of ROOT/secret

Source: Documentation/filesystems/fscrypt.rst, include/uapi/linux/fscrypt.h, struct fscrypt_nokey_name of fs/crypto/fname.c.
"""
import base64
import ctypes
import os
import struct
import sys

FS_IOC_ADD_ENCRYPTION_KEY, FS_IOC_SET_ENCRYPTION_POLICY = 0xC0506617, 0x800C6613
KEY_SPEC_IDENTIFIER, POLICY_V2, AES_256_XTS, AES_256_CTS, PAD_32 = 2, 2, 1, 4, 3
HASH, SHOWN = 8, 149  # bytes of the folder's hash before the name, and of the name before a digest takes the rest's place


def ioctl(handle, request, buffer):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ioctl(handle, ctypes.c_ulong(request), buffer) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def make(root):
    key = bytes(range(64))
    argument = struct.pack("<II32xIII7I", KEY_SPEC_IDENTIFIER, 0, len(key), 0, 0, *[0] * 7) + key
    buffer = ctypes.create_string_buffer(argument, len(argument))
    ioctl(os.open(root, os.O_RDONLY), FS_IOC_ADD_ENCRYPTION_KEY, buffer)
    identifier = buffer.raw[8:24]
    secret = os.path.join(root, "secret")
    os.mkdir(secret)
    policy = struct.pack("<BBBBB3x", POLICY_V2, AES_256_XTS, AES_256_CTS, PAD_32, 0) + identifier
    ioctl(os.open(secret, os.O_RDONLY), FS_IOC_SET_ENCRYPTION_POLICY, ctypes.create_string_buffer(policy, len(policy)))
    os.chdir(secret)
    for name in ("name", "b" * 60, "c" * 200):
        with open(name, "w") as file:
            file.write("content " * 1000)
    os.mkdir("folder")
    os.symlink("/a/target", "link")


def stored(shown):
    raw = base64.urlsafe_b64decode(shown + "=" * (-len(shown) % 4))
    return base64.urlsafe_b64encode(raw[HASH:HASH + SHOWN]).decode().rstrip("=")


def listed(root):
    for entry in os.scandir(os.path.join(root, "secret")):
        status = entry.stat(follow_symlinks=False)
        print(status.st_ino, oct(status.st_mode), status.st_size, "encrypted:" + stored(entry.name))


{"make": make, "list": listed}[sys.argv[1]](sys.argv[2])
