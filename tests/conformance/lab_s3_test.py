"""boto3 as a client of icecore-lab's S3: every call it has, Object Lock enforced, and what it must refuse.

At the end the record is held against botocore's model (validate_s3.py).
"""
import base64
import datetime
import hashlib
import unittest

import botocore.exceptions

import small_world as world
from lab_case import Case

MIB = 1 << 20
LOCKED, OPEN, ABROAD, DEFAULT = "evidence-locked", "evidence-open", "evidence-abroad", "evidence-default"


def sha(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def soon(seconds=3600):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).replace(microsecond=0)


class S3(Case):
    flags = ["--page-size", "2"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.s3 = cls.lab.client("s3")

    def put(self, key, data=b"evidence", bucket=LOCKED, **more):
        return self.s3.put_object(Bucket=bucket, Key=key, Body=data, ChecksumSHA256=sha(data), **more)

    def locked(self, key, mode="GOVERNANCE", **more):
        return self.put(key, ObjectLockMode=mode, ObjectLockRetainUntilDate=soon(), **more)

    def begin(self, key, **more):
        return self.s3.create_multipart_upload(Bucket=LOCKED, Key=key, ChecksumAlgorithm="SHA256", **more)["UploadId"]

    def part(self, key, upload, number, data):
        sent = self.s3.upload_part(Bucket=LOCKED, Key=key, UploadId=upload, PartNumber=number, Body=data, ChecksumSHA256=sha(data))
        return {"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA256": sent["ChecksumSHA256"]}

    def complete(self, key, upload, parts):
        return self.s3.complete_multipart_upload(Bucket=LOCKED, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})

    def test_an_object_is_what_was_put(self):
        self.put("a/b c+ü%.txt", b"hello", Metadata={"who": "me"}, ContentType="text/plain")
        head = self.s3.head_object(Bucket=LOCKED, Key="a/b c+ü%.txt", ChecksumMode="ENABLED")
        self.assertEqual((head["ContentLength"], head["ChecksumSHA256"], head["Metadata"], head["ContentType"]),
                         (5, sha(b"hello"), {"who": "me"}, "text/plain"))
        self.assertEqual(self.s3.get_object(Bucket=LOCKED, Key="a/b c+ü%.txt")["Body"].read(), b"hello")
        self.assertEqual(self.s3.get_object(Bucket=LOCKED, Key="a/b c+ü%.txt", Range="bytes=1-2")["Body"].read(), b"el")

    def test_ranges(self):
        self.put("ranged", b"hello")

        def part(wanted):
            return self.s3.get_object(Bucket=LOCKED, Key="ranged", Range=f"bytes={wanted}")["Body"].read()
        self.assertEqual((part("0-0"), part("3-"), part("1-999"), part("4-" + "9" * 30)), (b"h", b"lo", b"ello", b"o"))
        for nonsense in ("5-", "9" * 30 + "-", "3-1", "0-x", "x-1", "7", "", "-", "1--2", "+1-2"):
            with self.subTest(nonsense):
                self.refused("InvalidRange", self.s3.get_object, Bucket=LOCKED, Key="ranged", Range=f"bytes={nonsense}")

    def test_object_lock_holds(self):
        first = self.locked("kept")["VersionId"]
        second = self.put("kept", b"overwritten")["VersionId"]
        self.assertNotEqual(first, second)
        self.assertEqual(self.s3.get_object(Bucket=LOCKED, Key="kept", VersionId=first)["Body"].read(), b"evidence")
        self.refused("AccessDenied", self.s3.delete_object, Bucket=LOCKED, Key="kept", VersionId=first)
        marker = self.s3.delete_object(Bucket=LOCKED, Key="kept")
        self.assertTrue(marker["DeleteMarker"])
        self.refused("NoSuchKey", self.s3.get_object, Bucket=LOCKED, Key="kept")
        self.assertEqual(self.s3.get_object(Bucket=LOCKED, Key="kept", VersionId=first)["Body"].read(), b"evidence")
        listed = self.s3.list_object_versions(Bucket=LOCKED, Prefix="kept")
        self.assertEqual(({v["VersionId"] for v in listed["Versions"]}, len(listed["DeleteMarkers"])), ({first, second}, 1))
        self.s3.delete_object(Bucket=LOCKED, Key="kept", VersionId=second)
        self.s3.delete_object(Bucket=LOCKED, Key="kept", VersionId=first, BypassGovernanceRetention=True)

    def test_compliance_has_no_bypass(self):
        version = self.locked("forever", "COMPLIANCE")["VersionId"]
        self.refused("AccessDenied", self.s3.delete_object, Bucket=LOCKED, Key="forever", VersionId=version, BypassGovernanceRetention=True)
        later = {"Mode": "COMPLIANCE", "RetainUntilDate": soon(7200)}
        self.s3.put_object_retention(Bucket=LOCKED, Key="forever", VersionId=version, Retention=later)
        self.assertEqual(self.s3.get_object_retention(Bucket=LOCKED, Key="forever")["Retention"], later)
        shorter = {"Mode": "COMPLIANCE", "RetainUntilDate": soon(60)}
        self.refused("AccessDenied", self.s3.put_object_retention, Bucket=LOCKED, Key="forever", VersionId=version, Retention=shorter)

    def test_what_object_lock_refuses(self):
        past = soon(-60)
        self.refused("InvalidArgument", self.put, "x", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=past)
        self.refused("InvalidRequest", self.put, "x", bucket=OPEN, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=soon())
        self.refused("ObjectLockConfigurationNotFoundError", self.s3.get_object_lock_configuration, Bucket=OPEN)
        self.refused("NoSuchBucket", self.s3.get_object_lock_configuration, Bucket="no-such-bucket")
        self.assertEqual(self.s3.get_object_lock_configuration(Bucket=DEFAULT)["ObjectLockConfiguration"]["Rule"]["DefaultRetention"],
                         {"Mode": "GOVERNANCE", "Days": 3})
        self.put("by-default", bucket=DEFAULT)
        self.assertEqual(self.s3.head_object(Bucket=DEFAULT, Key="by-default")["ObjectLockMode"], "GOVERNANCE")

    def test_checksums_are_checked(self):
        self.refused("BadDigest", self.s3.put_object, Bucket=OPEN, Key="x", Body=b"hello", ChecksumSHA256=sha(b"other"))
        self.refused("BadDigest", self.s3.put_object, Bucket=OPEN, Key="x", Body=b"hello", ContentMD5=base64.b64encode(b"0" * 16).decode())

    def test_parts_become_an_object(self):
        upload = self.begin("big", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=soon())
        data = [b"a" * (5 * MIB), b"b" * (5 * MIB), b"c" * 10]
        parts = [self.part("big", upload, n, piece) for n, piece in enumerate(data, 1)]
        found = [p for page in self.s3.get_paginator("list_parts").paginate(Bucket=LOCKED, Key="big", UploadId=upload) for p in page["Parts"]]
        self.assertEqual([(p["PartNumber"], p["Size"], p["ChecksumSHA256"]) for p in found], [(n, len(d), sha(d)) for n, d in enumerate(data, 1)])
        composite = sha(b"".join(hashlib.sha256(d).digest() for d in data)) + "-3"
        self.assertEqual(self.complete("big", upload, parts)["ChecksumSHA256"], composite)
        head = self.s3.head_object(Bucket=LOCKED, Key="big", ChecksumMode="ENABLED")
        self.assertEqual((head["ChecksumSHA256"], head["ObjectLockMode"], head["ContentLength"]), (composite, "GOVERNANCE", 10 * MIB + 10))
        self.assertEqual(self.s3.get_object(Bucket=LOCKED, Key="big")["Body"].read(), b"".join(data))
        self.refused("NoSuchUpload", self.complete, "big", upload, parts)

    def test_what_multipart_refuses(self):
        upload = self.begin("small")
        parts = [self.part("small", upload, n, b"x" * 100) for n in (1, 2)]
        self.refused("EntityTooSmall", self.complete, "small", upload, parts)
        self.refused("InvalidPartOrder", self.complete, "small", upload, parts[::-1])
        self.refused("InvalidPart", self.complete, "small", upload, [{**parts[0], "ETag": '"0"'}])
        self.refused("InvalidRequest", self.complete, "small", upload, [{k: v for k, v in parts[0].items() if k != "ChecksumSHA256"}])
        self.refused("InvalidRequest", self.s3.upload_part, Bucket=LOCKED, Key="small", UploadId=upload, PartNumber=1, Body=b"y")
        self.refused("InvalidArgument", self.part, "small", upload, 10_001, b"x")
        self.s3.abort_multipart_upload(Bucket=LOCKED, Key="small", UploadId=upload)
        self.refused("NoSuchUpload", self.s3.list_parts, Bucket=LOCKED, Key="small", UploadId=upload)

    def test_uploads_are_listed_in_pages(self):
        made = {(f"many/{n}", self.begin(f"many/{n}")) for n in range(5)}
        pages = list(self.s3.get_paginator("list_multipart_uploads").paginate(Bucket=LOCKED, Prefix="many/"))
        self.assertGreater(len(pages), 1)
        self.assertEqual({(u["Key"], u["UploadId"]) for page in pages for u in page["Uploads"]}, made)

    def test_objects_are_listed_in_pages(self):
        for n in range(5):
            self.put(f"list/{n}", bucket=OPEN)
        pages = list(self.s3.get_paginator("list_objects_v2").paginate(Bucket=OPEN, Prefix="list/"))
        self.assertEqual([o["Key"] for page in pages for o in page["Contents"]], [f"list/{n}" for n in range(5)])
        self.assertIn(LOCKED, [b["Name"] for b in self.s3.list_buckets()["Buckets"]])
        self.s3.head_bucket(Bucket=OPEN)

    def test_another_region_is_followed(self):
        self.lab.client("s3", region="eu-west-1").head_bucket(Bucket=ABROAD)
        self.assertEqual(self.s3.list_objects_v2(Bucket=ABROAD).get("KeyCount"), 0)  # botocore goes where x-amz-bucket-region says

    def test_a_principal_without_the_right(self):
        nobody = self.lab.client("s3", key=world.LIMITED_KEY)
        self.refused("AccessDenied", nobody.put_object, Bucket=OPEN, Key="x", Body=b"x")
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            nobody.head_object(Bucket=OPEN, Key="nothing")
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 403)


if __name__ == "__main__":
    unittest.main()
