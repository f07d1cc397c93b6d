"""What the workstation's tests share: a lab without pauses, a case with the incident's two volumes, and what the account held before."""
import os
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import in_guest  # noqa: E402
import ledger  # noqa: E402
from harness import DATA_VOLUME, DONE, FAILED, INCIDENT, PARTIAL, ROOT_VOLUME, USAGE, Case, Lab, finish, scratch, sha256, slow, start  # noqa: E402,F401

QUICK = ("--instance-seconds", "0.1", "--volume-seconds", "0.05", "--snapshot-seconds", "0.1", "--ec2-rate", "0", "--ec2-write-rate", "0")
REGION = "us-west-2"
FOREIGN_ACCOUNT = "444455556666"
TABLES = ("instances", "volumes", "security_groups", "key_pairs", "network_interfaces")


SETTLE_SECONDS = 120  # nobody waits that long but on a machine that does twenty other things


def settled(lab):
    """The account, once what was deleted is gone: EC2 takes a moment over a volume ("deleting") after it has said yes."""
    return waited_for(lab.state, lambda state: all(one["State"] != "deleting" for one in state[REGION].get("volumes", [])))


def waited_for(look, good, seconds=SETTLE_SECONDS):
    """What `look` sees once it is `good`; what it saw last, for the caller to judge, when that does not come. The pauses grow: a machine under load is not
    helped by a hundred looks a second at the whole account."""
    deadline, pause = time.monotonic() + seconds, 0.01
    while True:
        seen = look()
        if good(seen) or time.monotonic() > deadline:
            return seen
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)


def alive_after(lab, before):
    """`alive`, once it is as it was before; whatever it still is when the time is over."""
    return waited_for(lambda: alive(lab), lambda now: now == before)


def home_state(lab):
    return settled(lab)[REGION]


def alive(lab):
    """Ids of everything that costs or opens something, evidence apart."""
    state = settled(lab)
    found = set()
    for table in TABLES:
        for item in state[REGION].get(table, []):
            if table == "instances" and item["State"]["Name"] == "terminated":
                continue
            key = {"instances": "InstanceId", "volumes": "VolumeId", "security_groups": "GroupId", "key_pairs": "KeyPairId",
                   "network_interfaces": "NetworkInterfaceId"}[table]
            found.add(item[key])
    found |= {role["Arn"] for role in state["iam"]["roles"]} | {profile["Arn"] for profile in state["iam"]["instance_profiles"]}
    return found


def tagged(lab, table, case_id):
    return [item for item in home_state(lab).get(table, []) if {"Key": "icecore:case", "Value": case_id} in item.get("Tags", item.get("TagSet", []))]


class Desk:
    """A case with evidence of both volumes, in a scratch folder."""

    def __init__(self, lab, collect=True, **changes):
        self.lab = lab
        self.case = Case(lab, **changes)
        self.cwd, self.folder = self.case.cwd, self.case.cwd / "case"
        if not collect:
            return
        for volume in (ROOT_VOLUME, DATA_VOLUME):
            ran = self.run("collect", volume, "--case", "case")
            if ran.code != DONE:
                raise AssertionError(ran)

    def run(self, *arguments, **more):
        return self.case.run(*arguments, **more)

    def ws(self, what, *arguments, **more):
        return self.run("workstation", what, "case", *arguments, **more)

    @property
    def case_id(self):
        import json
        identity = json.loads((self.folder / "case.json").read_text())
        return next(value for value in identity.values() if str(value).startswith("case-"))

    def workstations(self):
        return [one for one in tagged(self.lab, "instances", self.case_id) if one["State"]["Name"] not in ("terminated", "shutting-down")]

    def copies(self):
        return [one for one in tagged(self.lab, "volumes", self.case_id)
                if any(tag["Key"] == "icecore:subject" and tag["Value"].startswith("snap-") for tag in one["Tags"])]

    def remove(self):
        self.case.remove()


def terminate(lab, instance):
    """Somebody else's hand."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # boto3 keeps its connections
        ec2 = in_guest.client("ec2", lab.exports)
        ec2.terminate_instances(InstanceIds=[instance])
        while ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["State"]["Name"] != "terminated":
            time.sleep(0.05)


def mutating(requests):
    """What changed the account, of the lab's request record; DryRun changes nothing."""
    reading = ("Describe", "Get", "List", "Lookup")
    return [one["action"] for one in requests if not one["action"].startswith(reading) and "DryRun=true" not in (one["request"].get("body") or "")]


os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
