"""The images of the test cluster, made here: a tar in docker's archive form needs no registry and no builder.

Not tagged `latest`, which Kubernetes always pulls.
"""

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

PAUSE = "kecs.dev/test/pause:1"
BUSYBOX = "kecs.dev/test/busybox:1"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def add(tar, name, data=b"", mode=0o644, kind=tarfile.REGTYPE, target=""):
    # No times and no owners: the same contents always have the same digest.
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.type, entry.linkname = len(data), mode, kind, target
    tar.addfile(entry, io.BytesIO(data))


def archive(name, config, fill):
    """An image of one layer, which `fill` writes."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        fill(tar)
    layer = layer.getvalue()
    image = json.dumps({
        "architecture": "amd64", "os": "linux", "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(layer)}"]},
        "history": [{"created_by": "kecs tests"}],
    }).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for entry, data in [("config.json", image), ("layer.tar", layer), ("manifest.json", manifest)]:
            add(tar, entry, data)
    return whole.getvalue()


def pause():
    def fill(tar):
        add(tar, "catatonit", Path("/usr/bin/catatonit").read_bytes(), 0o755)
    return archive(PAUSE, {"Entrypoint": ["/catatonit", "-P"]}, fill)


def busybox():
    program = Path("/bin/busybox")
    applets = subprocess.run([program, "--list"], check=True, capture_output=True, text=True).stdout.split()

    def fill(tar):
        for directory, mode in [("bin", 0o755), ("etc", 0o755), ("root", 0o700), ("tmp", 0o1777), ("var", 0o755)]:
            add(tar, directory, mode=mode, kind=tarfile.DIRTYPE)
        add(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
        add(tar, "etc/group", b"root:x:0:\nnogroup:x:65534:\n")
        add(tar, "bin/busybox", program.read_bytes(), 0o755)
        for applet in applets:
            if applet != "busybox":
                add(tar, f"bin/{applet}", kind=tarfile.SYMTYPE, target="busybox")
    return archive(BUSYBOX, {"Cmd": ["sh"], "Env": ["PATH=/bin"]}, fill)


def load(state, ctr):
    """Imports the images where the kubelet looks for them."""
    for name, data in [("pause", pause()), ("busybox", busybox())]:
        path = state / f"{name}.tar"
        path.write_bytes(data)
        command = [*ctr, "--namespace", "k8s.io", "images", "import", str(path)]
        subprocess.run(command, check=True, capture_output=True)
