"""CloudTrail: the attacker's calls (C1 to C3, H15) among weeks of ordinary ones, as LookupEvents returns them."""
import base64
import json

from . import cloudinit, story as s

ADMIN_ARN = f"arn:aws:iam::{s.ACCOUNT}:user/marta.admin"
BOT = "deploy-bot"
UPLOADER = "shop-uploader"
CLI = "aws-cli/2.15.30 Python/3.11.8 Linux/6.1.0-41-amd64 exe/x86_64.debian.12"
CI_ADDRESS = "192.0.2.40"
BULK_TYPE = "c6i.32xlarge"
GLOBAL = {"iam.amazonaws.com", "signin.amazonaws.com"}  # recorded in us-east-1


class Book:
    """Events by name. `ids` lists what truth.py refers to."""

    def __init__(self, story):
        self.story, self.events, self.ids = story, [], {}

    def user(self, name, key):
        return {"type": "IAMUser", "principalId": "AIDA" + self.story.hex("principal/" + name, 17).upper(),
                "arn": f"arn:aws:iam::{s.ACCOUNT}:user/{name}", "accountId": s.ACCOUNT, "accessKeyId": key, "userName": name}

    def add(self, label, when, name, source, who, address, request=None, response=None, error=None, message=None, agent=CLI, read_only=False, resources=()):
        number = len(self.events)
        event_id, moment = self.story.uuid(f"event/{number}"), s.iso(int(self.story.at(when)))
        record = {
            "eventVersion": "1.08", "userIdentity": who, "eventTime": moment, "eventSource": source, "eventName": name,
            "awsRegion": "us-east-1" if source in GLOBAL else s.REGION, "sourceIPAddress": address, "userAgent": agent,
            "requestParameters": request, "responseElements": response, "requestID": self.story.uuid(f"request/{number}"), "eventID": event_id,
            "readOnly": read_only, "eventType": "AwsConsoleSignIn" if source == "signin.amazonaws.com" else "AwsApiCall",
            "managementEvent": True, "recipientAccountId": s.ACCOUNT, "eventCategory": "Management"}
        if error:
            record["errorCode"], record["errorMessage"] = error, message
        event = {"EventId": event_id, "EventName": name, "ReadOnly": "true" if read_only else "false", "EventTime": moment, "EventSource": source,
                 "Resources": [{"ResourceType": kind, "ResourceName": res} for kind, res in resources], "CloudTrailEvent": json.dumps(record, separators=(",", ":"))}
        if who.get("accessKeyId"):
            event["AccessKeyId"] = who["accessKeyId"]
        if who.get("userName"):
            event["Username"] = who["userName"]
        self.events.append(event)
        self.ids.setdefault(label, []).append(event_id)


def _items(*values, key="instanceId"):
    return {"items": [{key: v} for v in values]}


def _run(kind, count, ami, key, ids=()):
    request = {"instancesSet": {"items": [{"imageId": ami, "minCount": count, "maxCount": count, "keyName": key}]}, "instanceType": kind,
               "blockDeviceMapping": {}, "monitoring": {"enabled": False}, "disableApiTermination": False}
    response = {"requestId": "", "reservationId": "r-" + "0" * 17, "ownerId": s.ACCOUNT, "instancesSet": {"items": [{"instanceId": i, "imageId": ami, "instanceType": kind} for i in ids]}}
    return request, response if ids else None


def attack(book, launched):
    """C1 to C3 and the later use of the stolen key. `launched`: the ids of the attacker's instances."""
    story, a = book.story, s.ATTACKER
    bot = book.user(BOT, s.LEAKED_KEY)
    ec2, sts, iam, trail = "ec2.amazonaws.com", "sts.amazonaws.com", "iam.amazonaws.com", "cloudtrail.amazonaws.com"
    agent = "Boto3/1.34.90 md/Botocore#1.34.90 ua/2.0 os/linux#6.6.15-amd64 md/arch#x86_64 lang/python#3.11.8"
    book.add("C1", -240, "GetCallerIdentity", sts, bot, a, agent=agent, read_only=True)
    book.add("C1", -239.6, "DescribeInstances", ec2, bot, a, {"instancesSet": {}, "filterSet": {}}, agent=agent, read_only=True)
    book.add("C1", -239.2, "ListUsers", iam, bot, a, None, error="AccessDenied", agent=agent, read_only=True,
             message=f"User: {bot['arn']} is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::{s.ACCOUNT}:user/ because no identity-based policy allows the iam:ListUsers action")
    book.add("C2-key", -230.6, "CreateKeyPair", ec2, bot, a, {"keyName": "k1", "keyType": "ed25519", "keyFormat": "pem"},
             {"requestId": story.uuid("ckp"), "keyName": "k1", "keyPairId": s.BAD_KEY_PAIR_ID, "keyMaterial": "<sensitiveDataRemoved>"}, agent=agent,
             resources=[("AWS::EC2::KeyPair", "k1")])
    book.add("C2-ingress", -230.3, "AuthorizeSecurityGroupIngress", ec2, bot, a,
             {"groupId": "sg-0a5203422c0005e01", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}, "ipv6Ranges": {}, "prefixListIds": {}}]}},
             {"requestId": story.uuid("asgi"), "_return": True}, agent=agent, resources=[("AWS::EC2::SecurityGroup", "sg-0a5203422c0005e01")])
    for n in range(9):
        ids = [launched[n]] if n < len(launched) else []
        request, response = _run(BULK_TYPE, 1 if n < len(launched) else 8, s.BASE_AMI, "k1", ids)
        error = None if ids else "Client.VcpuLimitExceeded"
        book.add("C2-run", -230 + n * 0.2, "RunInstances", ec2, bot, a, request, response, error, agent=agent,
                 message=None if ids else "You have requested more vCPU capacity than your current vCPU limit of 384 allows for the instance bucket that the specified instance type belongs to.",
                 resources=[("AWS::EC2::Instance", i) for i in ids])
    book.add("C3-logging", -225.5, "StopLogging", trail, bot, a, {"name": f"arn:aws:cloudtrail:{s.REGION}:{s.ACCOUNT}:trail/management"}, None, "AccessDenied",
             f"User: {bot['arn']} is not authorized to perform: cloudtrail:StopLogging", agent, resources=[("AWS::CloudTrail::Trail", "management")])
    me = [("AWS::EC2::Instance", s.INSTANCE)]
    state = lambda now, old: {"instancesSet": {"items": [{"instanceId": s.INSTANCE, "currentState": now, "previousState": old}]}}
    book.add("C3-user-data", -225, "StopInstances", ec2, bot, a, {"instancesSet": _items(s.INSTANCE), "force": False},
             state({"code": 64, "name": "stopping"}, {"code": 16, "name": "running"}), agent=agent, resources=me)
    book.add("C3-user-data", -223.2, "ModifyInstanceAttribute", ec2, bot, a, {"instanceId": s.INSTANCE, "userData": "<sensitiveDataRemoved>"},
             {"requestId": story.uuid("mia"), "_return": True}, agent=agent, resources=me)
    book.add("C3-user-data", -222.6, "StartInstances", ec2, bot, a, {"instancesSet": _items(s.INSTANCE)},
             state({"code": 0, "name": "pending"}, {"code": 80, "name": "stopped"}), agent=agent, resources=me)
    up = book.user(UPLOADER, s.STOLEN_KEY)
    book.add("H15", -179.5, "GetCallerIdentity", sts, up, a, agent="aws-cli/1.27.49 Python/3.11.2 Linux/6.1.0-41-cloud-amd64", read_only=True)
    book.add("H15", -179.1, "ListBuckets", "s3.amazonaws.com", up, a, {"Host": f"s3.{s.REGION}.amazonaws.com"}, None, read_only=True,
             agent="[aws-cli/1.27.49 Python/3.11.2 Linux/6.1.0-41-cloud-amd64]")


def noise(book, fleet, volumes):
    """Weeks of ordinary administration: alike in name to what the attacker does, not in who, whence and why."""
    story, rng = book.story, book.story.rng("noise")
    admin, ec2 = book.user("marta.admin", s.ADMIN_KEY), "ec2.amazonaws.com"
    console = {k: v for k, v in admin.items() if k != "accessKeyId"}
    scaling = {"type": "AssumedRole", "principalId": "AROA" + story.hex("asg", 17).upper() + ":AutoScaling", "accountId": s.ACCOUNT,
               "arn": f"arn:aws:sts::{s.ACCOUNT}:assumed-role/AWSServiceRoleForAutoScaling/AutoScaling", "invokedBy": "autoscaling.amazonaws.com"}
    bot, up = book.user(BOT, s.LEAKED_KEY), book.user(UPLOADER, s.STOLEN_KEY)
    for day in (41, 40, 27, 14, 12, 8, 5, 3, 1):
        book.add("noise", -day * s.DAY - 500, "ConsoleLogin", "signin.amazonaws.com", console, s.ADMIN_ADDRESS if day != 3 else s.ADMIN_HOME, None, {"ConsoleLogin": "Success"},
                 agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
    book.add("noise", s.GOLDEN_BOOT - 30, "CreateKeyPair", ec2, admin, s.ADMIN_ADDRESS, {"keyName": "web-prod-2024", "keyType": "ed25519"},
             {"keyName": "web-prod-2024", "keyPairId": s.KEY_PAIR_ID}, resources=[("AWS::EC2::KeyPair", "web-prod-2024")])
    request, response = _run("t3.large", 1, s.BASE_AMI, "web-prod-2024", [s.GOLDEN_INSTANCE])
    book.add("noise", s.GOLDEN_BOOT - 2, "RunInstances", ec2, admin, s.ADMIN_ADDRESS, request, response, resources=[("AWS::EC2::Instance", s.GOLDEN_INSTANCE)])
    book.add("noise", s.GOLDEN_IMAGED, "CreateImage", ec2, admin, s.ADMIN_ADDRESS, {"instanceId": s.GOLDEN_INSTANCE, "name": "shop-web-baseline"}, {"imageId": s.GOLDEN_AMI},
             resources=[("AWS::EC2::Instance", s.GOLDEN_INSTANCE), ("AWS::EC2::Ami", s.GOLDEN_AMI)])
    # The whole web tier at once, by the administrator, from the office, of the account's own image: not an attack.
    for instance in [s.INSTANCE, *fleet]:
        request, response = _run("t3.large", 1, s.GOLDEN_AMI, "web-prod-2024", [instance])
        book.add("noise", s.LAUNCHED - 2, "RunInstances", ec2, admin, s.ADMIN_ADDRESS, request, response, resources=[("AWS::EC2::Instance", instance)])
    book.add("noise", s.LAUNCHED + 3, "CreateVolume", ec2, admin, s.ADMIN_ADDRESS, {"size": "2", "zone": s.ZONE, "volumeType": "gp3"}, {"volumeId": s.DATA_VOLUME}, resources=[("AWS::EC2::Volume", s.DATA_VOLUME)])
    book.add("noise", s.LAUNCHED + 4, "AttachVolume", ec2, admin, s.ADMIN_ADDRESS, {"volumeId": s.DATA_VOLUME, "instanceId": s.INSTANCE, "device": "/dev/sdf"}, {"status": "attaching"},
             resources=[("AWS::EC2::Volume", s.DATA_VOLUME), ("AWS::EC2::Instance", s.INSTANCE)])
    book.add("noise", s.LAUNCHED + 9, "AuthorizeSecurityGroupIngress", ec2, admin, s.ADMIN_ADDRESS,
             {"groupId": "sg-0a5203422c0005e02", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}}, {"_return": True},
             resources=[("AWS::EC2::SecurityGroup", "sg-0a5203422c0005e02")])
    book.add("noise", -8 * s.DAY - 100, "ModifyInstanceAttribute", ec2, admin, s.ADMIN_ADDRESS, {"instanceId": s.INSTANCE, "disableApiTermination": {"value": False}}, {"_return": True},
             resources=[("AWS::EC2::Instance", s.INSTANCE)])
    for n in range(40):
        book.add("noise", -rng.randrange(60, 12 * s.DAY), rng.choice(["DescribeInstances", "DescribeInstanceStatus"]), ec2, scaling, "autoscaling.amazonaws.com", {"instancesSet": {}}, read_only=True,
                 agent="autoscaling.amazonaws.com")
    for n in range(24):  # the bot's own work: the same key, from the build server
        when = -rng.randrange(1, 12) * s.DAY - rng.randrange(300)
        book.add("noise", when, "GetCallerIdentity", "sts.amazonaws.com", bot, CI_ADDRESS, read_only=True)
        book.add("noise", when + 0.2, "DescribeInstances", ec2, bot, CI_ADDRESS, {"filterSet": {"items": [{"name": "tag:Role", "valueSet": {"items": [{"value": "web"}]}}]}}, read_only=True)
    for n in range(10):
        book.add("noise", -rng.randrange(1, 12) * s.DAY - 45, "GetCallerIdentity", "sts.amazonaws.com", up, "203.0.113.200", read_only=True)
    # The administrator notices the bill and ends the attacker's instances.
    book.add("noise", -62, "TerminateInstances", ec2, admin, s.ADMIN_ADDRESS, {"instancesSet": _items(*volumes)}, None, resources=[("AWS::EC2::Instance", i) for i in volumes])


def events(story, fleet, launched):
    """(events, {label: [event id]})."""
    book = Book(story)
    attack(book, launched)
    noise(book, fleet, launched)
    return sorted(book.events, key=lambda e: e["EventTime"]), book.ids


def user_data_base64(story, evil):
    text = cloudinit.evil_user_data(story) if evil else cloudinit.user_data(story)
    return base64.b64encode(text.encode()).decode()
