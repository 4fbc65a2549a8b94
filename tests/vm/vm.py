"""Virtual machines for the tests: bases, overlays, start, ssh, power cut, reboot.

Used by `run` (scenarios) and `machine` (by hand). Python standard library only.
"""

import fcntl
import hashlib
import io
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("SEAWORTHY_VM_CACHE") or Path.home() / ".cache/seaworthy-vm")
MACHINES = CACHE / "machines"
# Everything a guest needs is laid out below this folder as in the repository.
GUEST_DIR = "/opt/vm"
BINARY_IN_GUEST = "/usr/local/bin/seaworthy"

# Oldest first: Debian 11 (docker 20.10.5, auditd 3.0, no merged /usr), 12 (20.10.24, 3.0.9),
# 13 (26.1, 4.0) and testing (28.5, 4.1).
RELEASES = ["bullseye", "bookworm", "trixie", "forky"]

# Emulated hosts are slow and busy ones slower still: deadlines are generous, and
# nothing waits for one that has no reason to.
BOOT_TIMEOUT = int(os.environ.get("SEAWORTHY_VM_BOOT_TIMEOUT", "300"))


class NotRunnable(Exception):
    """Something this machine lacks; the tests are not run, which is no failure."""


class MachineError(Exception):
    """A machine did not do what it must."""


def say(text):
    print(text, flush=True)


# --- what the host offers ------------------------------------------------------

def need_tools():
    wanted = {
        "qemu-system-x86_64": "qemu-system-x86",
        "qemu-img": "qemu-utils",
        "ssh": "openssh-client",
        "tar": "tar",
    }
    missing = [f"{tool} (package {package})" for tool, package in wanted.items() if not shutil.which(tool)]
    if platform.machine() != "x86_64":
        missing.append("an x86-64 host")
    if missing:
        raise NotRunnable("missing: " + ", ".join(missing))


_accelerator = None
_kvm_boots_known = threading.Event()
_kvm_probe = threading.Lock()


def accelerator():
    """`kvm` where it really works, else `tcg`. /dev/kvm may exist, open and even
    create machines and still not run one, so a processor is started on four
    bytes of code that leave through a debug port."""
    global _accelerator
    forced = os.environ.get("SEAWORTHY_VM_ACCEL")
    if forced:
        return forced
    if _accelerator is None:
        _accelerator = "kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) and _kvm_runs() else "tcg"
    return _accelerator


def _kvm_runs():
    rom = bytearray(b"\xf4" * 65536)  # hlt
    rom[-16:-11] = bytes([0xB0, 0x2A, 0xE6, 0xF4, 0xF4])  # mov al,42; out 0xf4,al; hlt
    with tempfile.NamedTemporaryFile(suffix=".rom") as file:
        file.write(rom)
        file.flush()
        command = [
            "qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-m", "16", "-nodefaults",
            "-display", "none", "-bios", file.name, "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
        ]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 42 * 2 + 1


# --- bases ----------------------------------------------------------------------

def base_dir(release, build=True):
    """The folder of the base of a release, built when the cache lacks it."""
    builder = [str(HERE / "build-base")]
    found = subprocess.run(builder + ["--key", release], stdout=subprocess.PIPE, text=True)
    if found.returncode:
        raise NotRunnable(f"{release}: build-base does not know it")
    base = Path(found.stdout.strip())
    if not (base / "disk.qcow2").exists():
        if not build:
            return None
        done = subprocess.run(builder + [release], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            why = done.stderr.strip().splitlines()
            raise NotRunnable(f"the base of {release} cannot be built: {why[-1] if why else 'build-base failed'}")
    _leave_kvm_that_does_not_boot(base)
    return base


def _leave_kvm_that_does_not_boot(base):
    """Emulates from here on where KVM runs four bytes of code and still no kernel.

    Seen inside another virtual machine: the kernel of Debian 13 ended in `KVM internal
    error` while it unpacked itself, that of Debian 12 never said a word. Asked once a run,
    with the first base, before anything depends on the answer."""
    global _accelerator
    with _kvm_probe:
        if _kvm_boots_known.is_set() or accelerator() != "kvm" or os.environ.get("SEAWORTHY_VM_ACCEL"):
            return
        if not _kvm_boots(base / "vmlinuz"):
            say("KVM is there and boots no kernel: emulating instead")
            _accelerator = "tcg"
        _kvm_boots_known.set()


def _kvm_boots(kernel):
    """Whether a kernel gets as far as looking for the disk that it is not given: then it
    panics, and the emulator ends."""
    command = ["qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-smp", "2", "-m", "512", "-nodefaults",
               "-display", "none", "-no-reboot", "-kernel", str(kernel),
               "-append", "console=ttyS0 panic=-1", "-serial", "stdio"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return b"Kernel panic - not syncing" in done.stdout


def kernel_arguments():
    words = ["root=/dev/vda", "rw", "console=ttyS0", "net.ifnames=0", "panic=-1",
             # On the serial console: warnings, panics, and units that fail or hang.
             "loglevel=5", "systemd.show_status=auto"]
    if accelerator() == "tcg":
        # norandmaps: an emulator translates code by address, so every randomised
        # exec is translated anew (restart of dockerd 24 s with, 6.5 s without).
        words += ["norandmaps", "nokaslr", "mitigations=off", "tsc=reliable", "clocksource=tsc",
                  "no_timer_check", "random.trust_cpu=on"]
    return " ".join(words)


def overlay_drive(disk):
    # unsafe is about the host losing power; what the guest has written is kept when
    # the emulator is killed.
    return f"file={disk},if=virtio,format=qcow2,cache=unsafe"


def qemu_command(base, folder, drive, port, incoming=None):
    """The one command line for cold boots, saved machines and resumed ones: a
    saved memory only fits a machine with the very same devices."""
    if accelerator() == "kvm":
        processor = ["-accel", "kvm", "-cpu", "host"]
    else:
        # The cheapest model that still has rdrand: boot does not wait for entropy.
        processor = ["-accel", "tcg,thread=multi", "-cpu", "qemu64,+rdrand,-svm"]
    command = ["qemu-system-x86_64", *processor, "-smp", "2", "-m", "1024", "-nodefaults", "-display", "none",
               "-no-reboot",
               "-kernel", str(base / "vmlinuz"), "-initrd", str(base / "initrd.img"),
               "-append", kernel_arguments(),
               "-drive", drive,
               "-netdev", f"user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22",
               "-device", "virtio-net-pci,netdev=n0",
               "-chardev", f"file,id=serial,path={folder}/serial.log,append=on", "-serial", "chardev:serial",
               "-qmp", f"unix:{sockets_dir(folder)}/qmp,server=on,wait=off"]
    if incoming:
        command += ["-incoming", f"exec:cat {incoming}"]
    return command


def sockets_dir(folder):
    """A short path: a unix socket's may have 107 bytes."""
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    path = Path(tempfile.gettempdir()) / f"seaworthy-vm-{os.getuid()}" / digest
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Qmp:
    """The emulator's control socket, one connection per use."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(str(path))
        self.lines = self.sock.makefile("r")
        self.lines.readline()  # greeting
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        message = {"execute": name}
        if arguments:
            message["arguments"] = arguments
        self.sock.sendall((json.dumps(message) + "\n").encode())
        while True:
            line = self.lines.readline()
            if not line:
                raise MachineError(f"the emulator closed its control socket during {name}")
            answer = json.loads(line)
            if "error" in answer:
                raise MachineError(f"{name}: {answer['error'].get('desc')}")
            if "return" in answer:
                return answer["return"]  # anything else is an event

    def close(self):
        self.lines.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# --- machines -------------------------------------------------------------------

class Machine:
    """One machine: a folder with an overlay disk, a serial log and meta.json."""

    def __init__(self, folder):
        self.dir = Path(folder)
        self.meta = {}
        self.process = None
        self.dies_with_us = False
        if (self.dir / "meta.json").exists():
            self.meta = json.loads((self.dir / "meta.json").read_text())

    # -- life --

    @classmethod
    def create(cls, name, release, frozen=True, folder=None):
        """A new machine on an overlay; not started. frozen: on the saved state."""
        base = base_dir(release)
        backing, memory, state = base / "disk.qcow2", None, None
        if frozen:
            state = freeze(release, base)
            backing, memory = state / "disk.qcow2", state / "memory"
        machine = cls(folder or MACHINES / name)
        if machine.alive():
            raise MachineError(f"machine {name} is running already")
        shutil.rmtree(machine.dir, ignore_errors=True)
        machine.dir.mkdir(parents=True)
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(backing),
                        str(machine.disk)], check=True)
        machine.meta = {"name": name, "release": release, "base": str(base),
                        "state": str(state) if state else None, "memory": str(memory) if memory else None}
        machine.save()
        return machine

    @property
    def name(self):
        return self.meta.get("name", self.dir.name)

    @property
    def disk(self):
        return self.dir / "disk.qcow2"

    @property
    def drive(self):
        return overlay_drive(self.disk)

    @property
    def serial(self):
        return self.dir / "serial.log"

    @property
    def base(self):
        return Path(self.meta["base"])

    def save(self):
        temporary = self.dir / "meta.json.new"
        temporary.write_text(json.dumps(self.meta, indent=1))
        temporary.rename(self.dir / "meta.json")

    def alive(self):
        if self.process is not None:
            return self.process.poll() is None
        pid = self.meta.get("pid")
        if not pid:
            return False
        try:
            # A pid may belong to somebody else by now.
            return str(self.dir) in Path(f"/proc/{pid}/cmdline").read_text()
        except OSError:
            return False

    def start(self):
        """Resume from the saved memory the first time, boot cold ever after."""
        if self.alive():
            raise MachineError(f"machine {self.name} is running already")
        memory = self.meta.pop("memory", None)
        self.save()
        for attempt in range(3):
            said = self.serial.stat().st_size if self.serial.exists() else 0
            self._launch(memory)
            try:
                if memory:
                    self._resume()
                self.wait_up()
                break
            except MachineError:
                if memory or attempt == 2 or not self._lost_to_emulator(said):
                    raise
                say(f"{self.name}: the emulator lost a write to the kernel's code before init ran; booting again")
        if memory:
            # The guest's clock stood still while it was saved.
            self.run(f"date -s @{time.time():.2f}", timeout=60)
        return self

    def _launch(self, memory):
        for attempt in range(3):
            port = free_port()
            command = qemu_command(self.base, self.dir, self.drive, port, memory)
            if self.dies_with_us and shutil.which("setpriv"):
                command = ["setpriv", "--pdeathsig", "KILL", *command]
            with open(self.dir / "qemu.log", "ab") as log:
                self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                start_new_session=True)
            self.meta.update(pid=self.process.pid, port=port)
            self.save()
            time.sleep(0.3)
            # Between choosing a port and taking it somebody else may have been faster.
            if self.process.poll() is None or attempt == 2:
                break

    def _lost_to_emulator(self, said):
        """Whether this boot died of a known race of the emulator, and before anything of
        the guest's disk ran.

        QEMU before 8.1 may run a stale translation of code that another processor of the
        guest has just patched: the kernel meets a breakpoint of its own that is no longer
        there (bugzilla.redhat.com 2216496; once in some hundred boots). Only the kernel's
        own start counts, process 1 before it becomes init: a later panic is a result.
        """
        if self.alive() or accelerator() != "tcg" or not self.serial.exists():
            return False
        text = self.serial.read_bytes()[said:].decode(errors="replace")
        oops = re.search(r"int3: [0-9]{4} \[#1\](?:.*\n){1,3}.*\bPID: 1 Comm: swapper/0\b", text)
        return oops is not None and "Kernel panic" in text

    def _qmp(self, timeout=20):
        deadline = time.monotonic() + timeout
        while True:
            try:
                return Qmp(sockets_dir(self.dir) / "qmp")
            except OSError:
                if time.monotonic() > deadline or not self.alive():
                    raise MachineError(f"{self.name}: the emulator does not answer\n{self.tail()}") from None
                time.sleep(0.1)

    def _resume(self):
        with self._qmp() as qmp:
            deadline = time.monotonic() + 120
            while qmp.command("query-status")["status"] == "inmigrate":
                if time.monotonic() > deadline:
                    raise MachineError(f"{self.name}: the saved memory did not load")
                time.sleep(0.1)
            qmp.command("cont")  # it was stopped when it was saved

    def wait_up(self, timeout=None):
        """Until ssh answers and systemd has nothing queued any more."""
        deadline = time.monotonic() + (timeout or BOOT_TIMEOUT)
        self.disconnect()
        while True:
            self._check(deadline, "ssh does not answer")
            opened = subprocess.run(self.ssh_command("-o", "ConnectTimeout=10", "-M", "-N", "-f", master=True),
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if opened.returncode == 0:
                break
            time.sleep(0.5)
        while True:
            self._check(deadline, "the boot does not finish")
            # degraded: a unit failed. That is for the scenario to judge.
            state = self.run("systemctl is-system-running --wait || true",
                             timeout=max(5, deadline - time.monotonic())).stdout.split()
            if state and state[-1] in ("running", "degraded"):
                return
            time.sleep(0.5)

    def _check(self, deadline, what):
        if not self.alive():
            raise MachineError(f"{self.name}: the emulator ended\n{self.tail()}")
        if time.monotonic() > deadline:
            raise MachineError(f"{self.name}: {what}\n{self.tail()}")

    def wait_off(self, timeout=180):
        deadline = time.monotonic() + timeout
        while self.alive():
            if time.monotonic() > deadline:
                raise MachineError(f"{self.name}: does not go down\n{self.tail()}")
            time.sleep(0.2)
        self._ended()

    def _ended(self):
        self.disconnect()
        self.process = None
        self.meta.pop("pid", None)
        self.save()

    def reboot(self):
        """An orderly reboot: the guest goes down by itself, the same disk boots cold."""
        self.run("systemctl reboot", timeout=60, check=False)
        self.wait_off()
        self.start()

    def power_cut(self):
        """No warning: the page cache is gone. What the guest has written stays, flushed or
        not; a disk that loses that, too, is in disk.py."""
        if self.alive():
            pid = self.meta["pid"]
            os.kill(pid, signal.SIGKILL)
            if self.process is not None:
                self.process.wait()
            while Path(f"/proc/{pid}").exists() and self.alive():
                time.sleep(0.05)
        self._ended()

    def save_memory(self, file):
        """Stop the guest where it is, save its memory, and end the emulator. With the
        disk as it is now, `meta["memory"]` resumes there."""
        self.disconnect()
        time.sleep(2)  # its session in the guest ends
        with self._qmp() as qmp:
            qmp.command("stop")
            qmp.command("migrate-set-parameters", **{"max-bandwidth": 2 ** 40})
            qmp.command("migrate", uri=f"exec:cat > {file}")
            while True:
                status = qmp.command("query-migrate").get("status")
                if status == "completed":
                    break
                if status in ("failed", "cancelled"):
                    raise MachineError(f"{self.name}: saving its memory {status}")
                time.sleep(0.2)
            qmp.command("quit")
        self.wait_off(60)

    def stop(self):
        if not self.alive():
            return
        self.run("systemctl poweroff", timeout=60, check=False)
        self.wait_off()

    def destroy(self):
        if not self.dir.exists():
            return
        self.power_cut()
        shutil.rmtree(sockets_dir(self.dir), ignore_errors=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def tail(self, lines=60):
        """The end of what emulator and kernel said."""
        text = []
        for file in (self.dir / "qemu.log", self.serial):
            if file.exists():
                body = file.read_bytes()[-20000:].decode(errors="replace").splitlines()
                text += [f"--- {file.name}", *body[-lines:]]
        return "\n".join(text)

    def journal(self):
        """The guest's own log of this boot, as far as the guest still answers."""
        if not self.alive():
            return "(the machine is off)"
        try:
            return self.run("journalctl --boot --no-pager --output short-monotonic", timeout=60, check=False).stdout
        except MachineError:
            return "(the machine does not answer)"

    # -- in and out --

    def ssh_command(self, *more, master=False):
        control = ["-o", f"ControlPath={sockets_dir(self.dir)}/ssh"]
        if not master:
            control += ["-o", "ControlMaster=no"]
        return ["ssh", "-F", "none", "-i", str(self.base / "id_ed25519"), "-p", str(self.meta["port"]),
                "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR",
                "-o", f"UserKnownHostsFile={self.base}/known_hosts", "-o", "GlobalKnownHostsFile=/dev/null",
                "-o", "HostKeyAlias=seaworthy-vm", "-o", "StrictHostKeyChecking=yes",
                "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=8",
                *control, *more, "root@127.0.0.1"]

    def disconnect(self):
        control = sockets_dir(self.dir) / "ssh"
        if control.exists() and self.meta.get("port"):
            subprocess.run(self.ssh_command("-O", "exit"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=30)
        control.unlink(missing_ok=True)

    def in_guest(self, script):
        """The command that has root's shell in the guest run one command line."""
        return self.ssh_command() + [script]

    def run(self, script, timeout=120, check=True, **options):
        """One shell command line in the guest; output and errors as text."""
        try:
            done = subprocess.run(self.in_guest(script), stdin=options.pop("stdin", subprocess.DEVNULL),
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                  timeout=timeout, **options)
        except subprocess.TimeoutExpired:
            raise MachineError(f"{self.name}: no end after {timeout:.0f} s: {script}\n{self.tail()}") from None
        if check and done.returncode:
            raise MachineError(f"{self.name}: exit {done.returncode} from: {script}\n{done.stdout}")
        return done

    def feed(self, data, script, timeout=120):
        """Bytes to the standard input of a command in the guest."""
        done = subprocess.run(self.in_guest(script), input=data, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout)
        if done.returncode:
            raise MachineError(f"{self.name}: {script}: {done.stdout.decode(errors='replace')}")

    def push_tree(self, *folders):
        """Folders of tests/vm into the guest, replacing what was there."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
            for folder in folders:
                archive.add(HERE / folder, arcname=folder, filter=_owned_by_root)
        gone = " ".join(f"{GUEST_DIR}/{folder}" for folder in folders)
        self.feed(buffer.getvalue(), f"rm -rf {gone}; mkdir -p {GUEST_DIR} && tar -C {GUEST_DIR} -xzf -")

    def push_file(self, local, remote=BINARY_IN_GUEST, mode="755"):
        packed = subprocess.run(["gzip", "-1", "-c", str(local)], stdout=subprocess.PIPE, check=True).stdout
        # Beside and renamed: a program that runs cannot be written to.
        self.feed(packed, f"gzip -dc > {remote}.new && chmod {mode} {remote}.new && mv {remote}.new {remote}", 300)


def _owned_by_root(entry):
    if "__pycache__" in entry.name:
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


# --- the frozen start -----------------------------------------------------------

def frozen_dir(base):
    """Keyed by all that the saved memory depends on, the emulator's version included."""
    version = subprocess.run(["qemu-system-x86_64", "--version"], stdout=subprocess.PIPE, text=True).stdout
    example = qemu_command(Path("base"), Path("folder"), overlay_drive("disk"), 0)
    warm_up = (HERE / "guest/import-busybox").read_text()
    recipe = json.dumps([version, accelerator(), example, warm_up, WARM_UP])
    return base / ("frozen-" + hashlib.sha256(recipe.encode()).hexdigest()[:12])


def freeze(release, base):
    """A machine booted once, warmed up and saved with its memory: later ones
    resume in seconds. Made at first use and kept beside the base."""
    state = frozen_dir(base)
    if (state / "memory").exists():
        return state
    with open(base.parent / f".{release}.freeze.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (state / "memory").exists():
            return state
        folder = Path(tempfile.mkdtemp(prefix=".freeze-", dir=base))
        machine = Machine.create("freeze-" + release, release, frozen=False, folder=folder / "machine")
        machine.dies_with_us = True
        try:
            machine.start()
            machine.push_tree("guest")
            machine.run(WARM_UP, timeout=600)
            target = folder / "state"
            target.mkdir()
            machine.save_memory(target / "memory")
            machine.disk.rename(target / "disk.qcow2")
            (target / "disk.qcow2").chmod(0o444)
            target.rename(state)
        finally:
            machine.power_cut()
            shutil.rmtree(sockets_dir(machine.dir), ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
    return state


# One container has run, nothing of it is left, and the machine has come to rest.
WARM_UP = f"""set -e
systemctl is-active docker auditd
bash {GUEST_DIR}/guest/import-busybox
docker run --rm busybox true
docker image rm busybox >/dev/null
rm -rf {GUEST_DIR}
sync
for i in $(seq 60); do
  read -r load rest < /proc/loadavg
  case $load in 0.[0-4]*) break;; esac
  sleep 1
done
"""
