"""DSSE envelopes checked with openssl alone, as docs/ledger.md says."""
import base64
import json
import subprocess

from harness import scratch


def statement(case, name):
    """The signed in-toto Statement of an envelope in the case; AssertionError where openssl refuses the signature, or the key is not the one named."""
    envelope = json.loads((case / name).read_text())
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    [signature] = envelope["signatures"]
    key = case / "signatures" / f"{signature['keyid']}.pub.pem"
    folder = scratch()
    (folder / "pae").write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    (folder / "sig").write_bytes(base64.b64decode(signature["sig"]))
    check = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", folder / "pae", "-sigfile", folder / "sig"]
    ran = subprocess.run(check, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{name}: {ran.stdout}{ran.stderr}"
    der = subprocess.run(["openssl", "pkey", "-pubin", "-in", key, "-outform", "DER"], capture_output=True, check=True).stdout
    digest = subprocess.run(["sha256sum"], input=der, capture_output=True, check=True).stdout.split()[0].decode()
    assert digest == signature["keyid"], f"{name}: the key {key.name} has the id {digest}"
    return json.loads(payload)
