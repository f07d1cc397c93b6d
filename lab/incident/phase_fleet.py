"""Guest: the nine other machines, one after another on one disk; the host takes what changed after each."""
from . import keys, machine, story as s

ROLES = ["web", "web", "batch"]


def run(guest, t0, seed, fleet):
    story = s.Story(t0, seed)
    k = keys.all_keys(story)
    for number, (instance, host) in enumerate(fleet):
        guest.clock(story.at(s.LAUNCHED + number))
        guest.mount("/dev/ubda1")
        name = f"fleet-{number}"
        machine.first_boot(guest, story, s.LAUNCHED + number, instance, host, story.hex("machine/" + name, 32),
                           keys.KeyPair(story.bytes("key/" + name, 32), f"root@{host}"), k["launch"], s.GOLDEN_INSTANCE, data_volume=False)
        if len(list(guest.path("/var/lib/cloud/instances").iterdir())) != 2:
            raise RuntimeError(f"{host} is not made from the image alone")
        role = ROLES[number % len(ROLES)]
        guest.write("/etc/shop-role", role + "\n")
        if role == "batch":  # one kind of machine has a job of its own
            guest.write("/etc/cron.d/shop-orders", "5 * * * * deploy /usr/bin/python3 /usr/local/lib/shop/orders.py\n")
        guest.unmount()
        (guest.place / f"done-{number}").touch()
        while not (guest.place / f"go-{number}").exists():
            guest.sh("sleep", "0.02")
    return {}
