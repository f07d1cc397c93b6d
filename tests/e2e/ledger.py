"""The ledger by docs/ledger.md alone: no code of icecore's."""
import hashlib
import json
import re

FRAME = re.compile(rb'^(\{"seq":(\d+),"time":"[^"]+","prev":"([0-9a-f]{64})".*),"sha256":"([0-9a-f]{64})"\}$', re.DOTALL)


def entries(case):
    """The parsed lines; AssertionError where the chain is broken. A last line without its LF was never acknowledged, and is left out."""
    lines = (case / "ledger.jsonl").read_bytes().split(b"\n")
    parsed, previous = [], "0" * 64
    for number, line in enumerate(lines[:-1], 1):
        match = FRAME.match(line)
        assert match, f"line {number} has no frame: {line[:200]!r}"
        assert int(match[2]) == number, f"line {number} says seq {match[2].decode()}"
        assert match[3].decode() == previous, f"line {number} does not chain"
        previous = match[4].decode()
        assert hashlib.sha256(match[1]).hexdigest() == previous, f"line {number} is not what its sha256 says"
        parsed.append(json.loads(line))
    return parsed


def acts(parsed):
    """[(intent, outcome or None)]; AssertionError for an outcome without intent, or two of one intent."""
    intents = {entry["seq"]: [entry, None] for entry in parsed if entry["kind"] == "intent"}
    for entry in parsed:
        if entry["kind"] == "outcome":
            assert entry["act"] in intents, f"outcome {entry['seq']} without an intent"
            assert intents[entry["act"]][1] is None, f"two outcomes of {entry['act']}"
            intents[entry["act"]][1] = entry
    return [tuple(pair) for pair in intents.values()]


def created(parsed):
    """Ids of what was made in the account, as the outcomes tell."""
    return [item["id"] for entry in parsed if entry["kind"] == "outcome" for item in entry["body"].get("created", [])]
