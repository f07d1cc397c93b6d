"""Runs a shell script on a workstation of the lab as an examiner would: Systems Manager, with boto3 as the client.

    in_guest.py INSTANCE SCRIPT     with the lab's variables in the environment (icecore-lab --exports)
"""
import os
import sys
import time
import warnings

import boto3

SECONDS = 180


def client(service, environment):
    warnings.simplefilter("ignore", ResourceWarning)  # boto3 keeps its connections
    return boto3.client(service, endpoint_url=environment["AWS_ENDPOINT_URL"], region_name=environment["AWS_REGION"],
                        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"], aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"])


def run(environment, instance, script):
    """(exit code, output, errors)"""
    ssm = client("ssm", environment)
    command = ssm.send_command(InstanceIds=[instance], DocumentName="AWS-RunShellScript", Parameters={"commands": script.splitlines()})["Command"]
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        done = ssm.get_command_invocation(CommandId=command["CommandId"], InstanceId=instance)
        if done["Status"] not in ("Pending", "InProgress"):
            return done["ResponseCode"], done["StandardOutputContent"], done["StandardErrorContent"]
        time.sleep(0.1)
    raise AssertionError("the guest hangs")


if __name__ == "__main__":
    code, out, errors = run(os.environ, sys.argv[1], sys.argv[2])
    sys.stdout.write(out)
    sys.stderr.write(errors)
    sys.exit(code)
