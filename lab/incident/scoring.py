"""Findings against ground truth, as docs/rules.md says: which rows of the incident a case has found, and what it cried wolf about."""
import datetime
import json
import re
from pathlib import Path

SEVERITIES = ["info", "low", "medium", "high", "critical"]
HEX_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def load(path, wanted):
    """A JSON document of the format `wanted`; ValueError says what is wrong with the file."""
    try:
        data = json.loads(Path(path).read_text())
    except (OSError, ValueError) as problem:
        raise ValueError(f"{path}: {problem}") from problem
    if not isinstance(data, dict) or data.get("format") != wanted:
        raise ValueError(f"{path}: is not {wanted}")
    return data


def seconds(text):
    """Seconds since the epoch of an ISO time with up to nine decimals; None if it is none."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(?:Z|\+00:00)", text or "")
    if not match:
        return None
    whole = datetime.datetime.fromisoformat(match.group(1)).replace(tzinfo=datetime.timezone.utc).timestamp()
    return whole + float(match.group(2) or 0)


def from_snapshot(findings, case):
    """Whether the findings come from snapshots, so that every file location must say which and from which blocks."""
    snapshots = Path(case) / "snapshots"
    return snapshots.is_dir() and any(snapshots.iterdir()) or str(findings.get("target", "")).startswith(("snap-", "i-", "vol-"))


class Judge:
    """Holds facts against findings. `snapshot_case`: provenance down to block checksums is asked for."""

    def __init__(self, truth, findings, snapshot_case):
        self.truth, self.findings, self.snapshot_case = truth, findings["findings"], snapshot_case

    def rows(self):
        """[(row id, met, [(fact name, None or why not)])]"""
        out = []
        for row in self.truth["rows"]:
            facts = [(fact["name"], self.missing(fact)) for fact in row["facts"]]
            out.append((row["id"], all(why is None for _, why in facts), facts))
        return out

    def missing(self, fact):
        """None if some finding carries the fact, else why the nearest one does not."""
        named = [f for f in self.findings if f.get("rule") in fact["rules"]]
        if not named:
            return f"no finding of {' or '.join(fact['rules'])}"
        complaints = [self.complaint(fact, finding) for finding in named]
        # The finding that got furthest explains best; each complaint carries how many checks it passed.
        return None if None in complaints else max(complaints, key=lambda c: c[0])[1]

    def complaint(self, fact, finding):
        """None if the finding carries the fact, else (checks passed, what is wrong)."""
        name, locations = finding.get("id", "?"), finding.get("locations", [])
        if "path" in fact:
            problems = [self._file(fact, place, finding, location) for place in [fact, *fact.get("or", [])] for location in locations]
            if None not in problems:
                best = max(problems, default=(0, "it has no location"), key=lambda p: p[0])
                return best[0], f"{name}: {best[1]}"
        elif "event_ids" in fact:
            events = {x.get("event_id"): x for x in locations if x.get("kind") == "cloudtrail"}
            absent = [e for e in fact["event_ids"] if e not in events]
            if absent:
                return 1, f"{name}: {len(absent)} of {len(fact['event_ids'])} events are not named, first {absent[0]}"
            if any(not events[e].get("file") for e in fact["event_ids"]):
                return 2, f"{name}: an event without the file that it was saved in"
            if problem := self._time(fact, finding, None):
                return 3, f"{name}: {problem}"
        elif "instance_attribute" in fact:
            good = [x for x in locations if x.get("kind") == "instance" and x.get("attribute") == fact["instance_attribute"] and x.get("instance") == self.truth["instance"]]
            if not good:
                return 1, f"{name}: no location in {fact['instance_attribute']} of {self.truth['instance']}"
            if not any(x.get("file") and HEX_SHA256.match(x.get("sha256") or "") for x in good):
                return 2, f"{name}: {fact['instance_attribute']} without its file and SHA-256"
            if problem := self._time(fact, finding, None):
                return 3, f"{name}: {problem}"
        words = " ".join([finding.get("title") or "", finding.get("sentence") or "", *[x.get("excerpt") or "" for x in locations]])
        for text in fact.get("contains", []):
            if text not in words:
                return 8, f"{name}: neither sentence nor excerpts hold {text!r}"
        return None

    def _file(self, fact, place, finding, location):
        if location.get("kind") != "file" or location.get("path") != place["path"]:
            return 0, f"no location at {place['path']}"
        if location.get("inode") != place["inode"]:
            return 1, f"{place['path']}: inode {location.get('inode')} instead of {place['inode']}"
        # An image file has no volume id; where one is given it must be the right one.
        if location.get("volume") != place["volume"] and (self.snapshot_case or location.get("volume")):
            return 2, f"{place['path']}: volume {location.get('volume')} instead of {place['volume']}"
        if self.snapshot_case:
            if not str(location.get("snapshot") or "").startswith("snap-"):
                return 3, f"{place['path']}: no snapshot named"
            blocks = location.get("blocks") or []
            if not blocks or not all(isinstance(b.get("index"), int) and HEX_SHA256.match(b.get("sha256") or "") for b in blocks):
                return 4, f"{place['path']}: no blocks with their SHA-256"
        if "sha256" in fact and location.get("sha256") != fact["sha256"]:
            return 5, f"{place['path']}: content's SHA-256 {location.get('sha256')} instead of {fact['sha256']}"
        if problem := self._time(fact, finding, location):
            return 6, f"{place['path']}: {problem}"
        return None

    def _time(self, fact, finding, location):
        """Covered by the finding's time, by its [first, last], or by the time of the location that matched."""
        if "time" not in fact:
            return None
        wanted, slack = seconds(fact["time"]), fact.get("time_tolerance_s", 0)
        points = [(finding.get("time"),) * 2, (finding.get("first"), finding.get("last") or finding.get("first")), ((location or {}).get("time"),) * 2]
        for first, last in points:
            first, last = seconds(first), seconds(last)
            if first is not None and last is not None and first - slack <= wanted <= last + slack:
                return None
        return f"time {finding.get('time')} [{finding.get('first')}, {finding.get('last')}] does not cover {fact['time']} ± {slack} s"


def above(findings, lowest):
    """Findings of at least that severity; an unknown word counts as the highest."""
    rank = lambda f: SEVERITIES.index(f["severity"]) if f.get("severity") in SEVERITIES else len(SEVERITIES)
    return [f for f in findings["findings"] if rank(f) >= SEVERITIES.index(lowest)]


def on_innocent(truth, findings):
    """[(finding, innocent)]: findings above info with a location on an innocent path. A path that a fact also names is not innocent there."""
    guilty = {(place["path"], rule) for row in truth["rows"] for fact in row["facts"] for place in [fact, *fact.get("or", [])] if "path" in place for rule in fact["rules"]}
    out = []
    for finding in above(findings, "low"):
        paths = {x.get("path") for x in finding.get("locations", []) if x.get("kind") == "file"}
        out += [(finding, item) for item in truth["innocent"] if item["path"] in paths and (item["path"], finding.get("rule")) not in guilty]
    return out
