#!/usr/bin/python3
"""How many GetSnapshotBlock a second does the lab serve?

    tests/conformance/load.py BUILD/icecore-lab [SECONDS] [CONNECTIONS] [--tls]

Makes a disk of 512 written blocks, signs one request a block beforehand (a signature holds five minutes) and sends them over
kept-alive connections, so that the client costs as little as it can. Prints requests and MiB a second and what the lab's processor cost.
"""
import multiprocessing
import os
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import time

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_world as world  # noqa: E402

BLOCKS = 512


def signed_requests(url, ebs):
    blocks = ebs.list_snapshot_blocks(SnapshotId=world.AMI_SNAPSHOT, MaxResults=10_000)["Blocks"]
    signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(*world.KEY), "ebs", world.REGION)
    out = []
    for block in blocks:
        path = f"/snapshots/{world.AMI_SNAPSHOT}/blocks/{block['BlockIndex']}"
        request = botocore.awsrequest.AWSRequest("GET", url + path, params={"blockToken": block["BlockToken"]})
        signer.add_auth(request)
        prepared = request.prepare()
        target = prepared.url[len(url):]
        lines = [f"GET {target} HTTP/1.1", f"Host: {url.split('//')[1]}"] + [f"{k}: {v.decode() if isinstance(v, bytes) else v}" for k, v in prepared.headers.items()]
        out.append(("\r\n".join(lines) + "\r\n\r\n").encode())
    return out


def fetch(port, tls, requests, seconds, counts):
    connection = socket.create_connection(("127.0.0.1", port))
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the rate is measured, not the trust
        connection = context.wrap_socket(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    buffer = memoryview(bytearray(1 << 20))
    done, end = 0, time.time() + seconds
    while time.time() < end:
        connection.sendall(random.choice(requests))
        got, wanted = 0, None
        while wanted is None or got < wanted:
            received = connection.recv_into(buffer[got:])
            if received == 0:
                raise RuntimeError("the lab hung up")
            got += received
            if wanted is None and (at := bytes(buffer[:min(got, 4096)]).find(b"\r\n\r\n")) >= 0:
                if not bytes(buffer[:12]) == b"HTTP/1.1 200":
                    raise RuntimeError(bytes(buffer[:got]).decode(errors="replace"))
                wanted = at + 4 + world.BLOCK
        done += 1
    counts.put(done)


def main():
    tls = "--tls" in sys.argv
    words = [w for w in sys.argv[1:] if w != "--tls"]
    lab, seconds, connections = words[0], float(words[1]) if len(words) > 1 else 5, int(words[2]) if len(words) > 2 else 4
    with tempfile.TemporaryDirectory(prefix="lab-load-") as folder:
        world.build(folder)
        with open(os.path.join(folder, "base.raw"), "r+b") as disk:
            for _ in range(BLOCKS):
                disk.write(random.randbytes(world.BLOCK))
        port_file = os.path.join(folder, "port")
        flags = ["--tls", "--tls-dir", folder] if tls else []
        process = subprocess.Popen([lab, "--world", folder, "--port-file", port_file, "--ebs-get-rate", "0", *flags], stdout=subprocess.DEVNULL)
        try:
            while not os.path.exists(port_file):
                time.sleep(0.05)
            with open(port_file, encoding="ascii") as file:
                port = int(file.read())
            url = f"http{'s' if tls else ''}://127.0.0.1:{port}"
            ebs = boto3.client("ebs", endpoint_url=url, region_name=world.REGION, aws_access_key_id=world.KEY[0], aws_secret_access_key=world.KEY[1],
                               verify=os.path.join(folder, "lab-ca.pem") if tls else None)
            requests = signed_requests(url, ebs)
            counts = multiprocessing.Queue()
            workers = [multiprocessing.Process(target=fetch, args=(port, tls, requests, seconds, counts)) for _ in range(connections)]
            for worker in workers:
                worker.start()
            total = sum(counts.get(timeout=seconds + 30) for _ in workers)
            for worker in workers:
                worker.join()
            with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            busy = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            print(f"{total / seconds:.0f} GetSnapshotBlock/s, {total / seconds / 2:.0f} MiB/s, {connections} connections, "
                  f"{'TLS' if tls else 'plain'}, the lab used {busy:.1f} s of processor in {seconds:.0f} s")
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main()
