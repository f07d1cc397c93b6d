#!/usr/bin/env python3
"""Boil botocore's service models down to the part the lab needs.

Writes one JSON text: for each service its protocol, its operations and the shapes they
reach. The lab parses requests and writes replies by it, so that no name is typed by hand.

    tools/lab_model.py > lab/model/services.json

Shapes: "s" string, "i" integer, "b" boolean, "d" float, "t" timestamp, "x" blob, or the name of
an entry of "shapes":  {"m": {member: [shape, name in requests, name in replies]}, "r": [required]}
is a structure, {"l": [shape, item name]} a list, {"e": [...]} a string with few values,
{"map": shape} a map. A member's names are left out where they are its own.
"""
import gzip
import json
import os
import sys

import botocore

# Longer enumerations (instance types, regions) are checked against the world, not the model.
MAX_ENUM = 24

SERVICES = {
    "ec2": ("2016-11-15", """
        DescribeInstances DescribeInstanceAttribute DescribeInstanceStatus DescribeInstanceTypes
        DescribeInstanceTypeOfferings DescribeInstanceCreditSpecifications DescribeVolumes DescribeVolumeAttribute
        DescribeVolumeStatus DescribeSnapshots DescribeSnapshotAttribute DescribeSnapshotTierStatus DescribeLockedSnapshots
        DescribeNetworkInterfaces DescribeSecurityGroups DescribeSecurityGroupRules DescribeSubnets DescribeVpcs
        DescribeImages DescribeImageAttribute DescribeLaunchTemplates DescribeLaunchTemplateVersions
        GetLaunchTemplateData DescribeKeyPairs DescribeIamInstanceProfileAssociations DescribeAvailabilityZones
        DescribeRegions DescribeAddresses DescribeTags DescribeFlowLogs DescribeRouteTables DescribeNetworkAcls
        DescribeAccountAttributes GetConsoleOutput
        GetConsoleScreenshot CreateSnapshot CreateSnapshots CopySnapshot DeleteSnapshot CreateTags DeleteTags
        CreateVolume DeleteVolume AttachVolume DetachVolume ModifySnapshotAttribute LockSnapshot UnlockSnapshot
        RunInstances TerminateInstances StopInstances StartInstances ModifyInstanceAttribute CreateSecurityGroup
        DeleteSecurityGroup AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress
        RevokeSecurityGroupEgress CreateKeyPair ImportKeyPair DeleteKeyPair
        GetEbsEncryptionByDefault GetEbsDefaultKmsKeyId"""),
    "sts": ("2011-06-15", "GetCallerIdentity AssumeRole AssumeRoleWithWebIdentity GetSessionToken"),
    "iam": ("2010-05-08", """
        GetInstanceProfile GetRole ListAttachedRolePolicies ListRolePolicies CreateRole DeleteRole AttachRolePolicy
        DetachRolePolicy CreateInstanceProfile DeleteInstanceProfile AddRoleToInstanceProfile
        RemoveRoleFromInstanceProfile"""),
    "ssm": ("2014-11-06", "GetParameter DescribeInstanceInformation SendCommand GetCommandInvocation"),
    "kms": ("2014-11-01", "CreateKey DescribeKey ListKeys CreateAlias"),
    "cloudtrail": ("2013-11-01", "LookupEvents DescribeTrails GetTrailStatus GetEventSelectors"),
    "ebs": ("2019-11-02", "StartSnapshot CompleteSnapshot ListSnapshotBlocks ListChangedBlocks"),
}
SCALARS = {"string": "s", "integer": "i", "long": "i", "boolean": "b", "double": "d", "float": "d",
           "timestamp": "t", "blob": "x"}


def load(service, version):
    path = os.path.join(os.path.dirname(botocore.__file__), "data", service, version, "service-2.json")
    opener = gzip.open if not os.path.exists(path) else open
    with opener(path if opener is open else path + ".gz") as file:
        return json.load(file)


def boil(model, wanted):
    shapes = {}
    protocol = model["metadata"]["protocol"]

    def reference(name):
        shape = model["shapes"][name]
        kind = shape["type"]
        if kind == "string" and 0 < len(shape.get("enum", [])) <= MAX_ENUM:
            shapes.setdefault(name, {"e": shape["enum"]})
            return name
        if kind in SCALARS:
            return SCALARS[kind]
        if name in shapes:
            return name
        entry = shapes[name] = {}
        if kind == "list":
            entry["l"] = [reference(shape["member"]["shape"]), shape["member"].get("locationName", "member")]
        elif kind == "map":
            entry["map"] = reference(shape["value"]["shape"])
        else:
            entry["m"] = {member: trim(member, ref) for member, ref in shape["members"].items()}
            if shape.get("required"):
                entry["r"] = shape["required"]
        return name

    def trim(member, ref):
        output = ref.get("locationName", member)
        request = member
        if protocol == "ec2":
            request = ref.get("queryName") or (output[0].upper() + output[1:])
        names = [reference(ref["shape"]), request, output]
        while len(names) > 1 and names[-1] == member:
            names.pop()
        return names

    ops = {}
    for name in wanted.split():
        operation = model["operations"][name]
        ops[name] = [reference(operation[side]["shape"]) if side in operation else "" for side in ("input", "output")]
        wrapper = operation.get("output", {}).get("resultWrapper")
        if wrapper:
            ops[name].append(wrapper)
    return {"version": model["metadata"]["apiVersion"], "protocol": protocol, "ops": ops, "shapes": shapes,
            "xmlns": model["metadata"].get("xmlNamespace", "")}


def main():
    result = {}
    for service, (version, wanted) in SERVICES.items():
        result[service] = boil(load(service, version), wanted)
    # One shape a line: small, and still a readable diff.
    out = ["{"]
    for number, (service, data) in enumerate(result.items()):
        shapes = data.pop("shapes")
        head = json.dumps(data, separators=(",", ":"))[:-1]
        out.append(f'{json.dumps(service)}:{head},"shapes":{{')
        lines = [f"{json.dumps(n)}:{json.dumps(s, separators=(',', ':'))}" for n, s in sorted(shapes.items())]
        out.append(",\n".join(lines))
        out.append("}}" + ("," if number + 1 < len(result) else ""))
    out.append("}")
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
