"""A lab's record held against botocore's service models, by tests/conformance/validate.py."""
import io
import sys

from harness import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tests/conformance"))

import validate  # noqa: E402


def complaints(record):
    """What is wrong with the requests and replies in it, one line each. A lab that is still at work may have its last line half written: stop it."""
    out = io.StringIO()
    problems, seen = validate.validate([record], out)
    assert sum(seen.values()) > 0, f"{record} is empty"
    return out.getvalue().splitlines()[:50] if problems else []


def operations(record):
    return set(validate.validate([record], io.StringIO())[1])
