"""A lab's record held against botocore's service models, by tests/conformance/validate.py."""
import io
import sys

from harness import REPOSITORY, Lab

sys.path.insert(0, str(REPOSITORY / "tests/conformance"))

import validate  # noqa: E402

# What AWS has added since the botocore of Debian 12 (1.29.27): in the current model, and so in the practice account.
NEWER = ("bootMode: 'uefi-preferred' is not one of", "currentInstanceBootMode: no such member of Instance")


def complaints(record):
    """What is wrong with the requests and replies in it, one line each. A lab that is still at work may have its last line half written: stop it."""
    out = io.StringIO()
    _, seen = validate.validate([record], out)
    assert sum(seen.values()) > 0, f"{record} is empty"
    lines = [line for line in out.getvalue().splitlines() if line.startswith(f"{record}:")]
    return [line for line in lines if not any(newer in line for newer in NEWER)][:50]


def operations(record):
    return set(validate.validate([record], io.StringIO())[1])


def complaints_of_all():
    """{a lab's command line: what is wrong in its record} of every lab that this process had; all of them are stopped."""
    wrong = {}
    for lab in Lab.labs:
        lab.stop()
        if lab.record.stat().st_size and (found := complaints(lab.record)):
            wrong[" ".join(map(str, lab.process.args))] = found
    return wrong
