"""Attack a14: a paper takes over the decoder, and from its process reaches for the vault's memory, files and network.

The attacker's code runs where a decoder's would: in a process that loaded the decoders and gave up its rights. Each
attempt is also made without giving them up, so that a refusal is the filter's work and not an accident.
"""

import asyncio
import json
import os
import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from services.vault.papers.confinement import NOT_CONFINED
from services.vault.papers.sandbox import Sandbox, SandboxError
from tests.support import fax_images

_ATTACKER = """
    import ctypes, json, mmap, os, resource, signal, socket, subprocess, sys, threading
    from services.vault.papers.sandbox_process import give_up_rights
    pipe, parent, results = os.open(sys.argv[1], os.O_RDONLY), os.getppid(), {}
    attempts = json.loads(sys.argv[2])
    library = ctypes.CDLL(None, use_errno=True)
    def call(number, *arguments):
        if library.syscall(number, *arguments) == -1:
            raise OSError(ctypes.get_errno(), "refused")
    if len(sys.argv) == 3:
        give_up_rights()
    for name, attempt in attempts.items():
        try:
            exec(attempt)
        except (OSError, RuntimeError, ValueError) as error:
            results[name] = "refused"
        else:
            results[name] = "done"
    os.write(1, json.dumps(results).encode())
"""

_TWIN = """
    import ctypes, os, sys
    from shared.process_rights import protect_memory
    library = ctypes.CDLL(None)
    if os.getuid() == 0:
        os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
        library.prctl(4, 1, 0, 0, 0)  # as a program is that was started by this user
    if sys.argv[1] == "vault":
        secret = ctypes.create_string_buffer(b"the key of the campaign")
        if sys.argv[2] == "protected":
            protect_memory()
        print(ctypes.addressof(secret), flush=True)
        sys.stdin.read()
    else:
        try:
            with open(f"/proc/{sys.argv[2]}/mem", "rb", buffering=0) as memory:
                memory.seek(int(sys.argv[3]))
                print(memory.read(23).decode())
        except OSError as error:
            print(type(error).__name__)
"""


def start(program: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start a program of the tests, which speaks on pipes."""
    command = [sys.executable, "-c", textwrap.dedent(program), *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


CALLS = {
    "x86_64": {
        "openat": 257,
        "process_vm_readv": 310,
        "process_vm_writev": 311,
        "ptrace": 101,
        "mprotect": 10,
        "prctl": 157,
        "seccomp": 317,
        "bpf": 321,
    },
    "aarch64": {
        "openat": 56,
        "process_vm_readv": 270,
        "process_vm_writev": 271,
        "ptrace": 117,
        "mprotect": 226,
        "prctl": 167,
        "seccomp": 277,
        "bpf": 280,
    },
}[platform.machine()]
"""Numbers of system calls on this machine (Linux, asm/unistd.h)."""

ATTEMPTS = {
    "open a file": "open('/etc/hostname')",
    "open by another call": f"call({CALLS['openat']}, -100, b'/etc/hostname', 0)",
    "use a handle that is open": "os.pread(pipe, 1, 0)",
    "look at a file": "os.stat('/')",
    "list a folder": "os.listdir('/')",
    "write a file": "os.open('/tmp/kuji-a14', os.O_CREAT | os.O_WRONLY); os.unlink('/tmp/kuji-a14')",
    "make a file without a name": "os.memfd_create('x')",
    "make a socket": "socket.socket()",
    "make a local socket": "socket.socketpair()",
    "read the parent's memory as a file": "open(f'/proc/{parent}/maps')",
    "read the parent's memory by a call": f"call({CALLS['process_vm_readv']}, parent, 0, 0, 0, 0, 0)",
    "write the parent's memory by a call": f"call({CALLS['process_vm_writev']}, parent, 0, 0, 0, 0, 0)",
    "trace the parent": f"call({CALLS['ptrace']}, 0x4206, parent, 0, 0); call({CALLS['ptrace']}, 17, parent, 0, 0)",
    "take a handle of the parent": "os.pidfd_open(parent)",
    "send the parent a signal": "os.kill(parent, 0)",
    "start a program": "subprocess.run(['/bin/true'], check=True)",
    "make a process": "os.fork() or os._exit(0)",
    "make a thread": "threading.Thread(target=print).start()",
    "make memory executable": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
    "make known memory executable": "page = mmap.mmap(-1, 4096);"
    f"call({CALLS['mprotect']}, ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(page))), 4096, 5)",
    "be readable again": f"call({CALLS['prctl']}, 4, 1, 0, 0, 0)",
    "allow itself more": f"call({CALLS['prctl']}, 22, 0, 0, 0, 0); call({CALLS['seccomp']}, 0, 0, 0)",
    "lift its limits": "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))",
    "use io_uring": "call(425, 1, ctypes.create_string_buffer(120))",
    "load a program into the kernel": "os.close(os.dup(0));"
    f"call({CALLS['bpf']}, 0, ctypes.create_string_buffer(120), 120)",
}
_REFUSED_TO_ALL = {"trace the parent", "allow itself more", "load a program into the kernel", "use io_uring"}
"""Attempts that a system may refuse to everybody: they say nothing about the filter elsewhere."""


def attempt_all(*arguments: str) -> dict[str, str]:
    """Run the attacker's code in a process with the decoders, and return what came of each attempt."""
    with start(_ATTACKER, __file__, json.dumps(ATTEMPTS), *arguments) as attacker:
        results: dict[str, str] = json.loads(attacker.communicate(timeout=60)[0].splitlines()[-1])
    return results


def test_a_paper_that_took_over_its_decoder_can_compute_and_nothing_else() -> None:
    assert attempt_all() == dict.fromkeys(ATTEMPTS, "refused")


def test_without_the_filter_the_same_code_does_what_it_wants() -> None:
    done = attempt_all("free")
    assert {name for name, result in done.items() if result == "refused"} <= _REFUSED_TO_ALL


_OPENS_A_FILE = """
from services.vault.papers import sandbox_process
from shared.paper_files import NotAPaperError

def inspect(data):
    try:
        open("/etc/hostname").close()
    except OSError:
        raise NotAPaperError("damaged")
    raise NotAPaperError("encrypted")

sandbox_process.inspect_file = inspect
sandbox_process.main()
"""
"""Decoder that opens a file when it is given its first byte; its answer tells whether it could."""


async def test_the_decoder_gives_up_its_rights_before_it_decodes_a_byte() -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _OPENS_A_FILE, stdin=pipe, stdout=pipe)
    async with asyncio.timeout(60):
        answer, _ = await process.communicate(fax_images.fax(98))
    assert json.loads(answer) == {"refused": "damaged"}


async def test_where_the_decoder_cannot_be_confined_nothing_is_decoded_and_no_paper_is_blamed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = "from services.vault.papers import confinement, sandbox_process; confinement.MACHINES = {}; "
    code += "sandbox_process.main()"
    started = asyncio.create_subprocess_exec

    async def unconfined(*_: str, **options: object) -> asyncio.subprocess.Process:
        return await started(sys.executable, "-c", code, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", unconfined)
    with pytest.raises(SandboxError, match="cannot be confined"):
        await Sandbox().inspect(fax_images.fax(98))
    assert NOT_CONFINED


@pytest.mark.parametrize(("state", "seen"), [("protected", "PermissionError"), ("open", "the key of the campaign")])
def test_a_process_of_the_vaults_user_reads_nothing_in_the_vaults_memory(state: str, seen: str) -> None:
    with start(_TWIN, "vault", state) as vault:
        assert vault.stdout is not None
        address = vault.stdout.readline().strip()
        with start(_TWIN, "neighbour", str(vault.pid), address) as neighbour:
            assert neighbour.communicate(timeout=60)[0].strip() == seen
        vault.communicate("", timeout=60)


def test_the_vault_protects_its_memory_before_it_opens_a_key(tmp_path: Path) -> None:
    """Start the vault with a build that only looks: `PR_GET_DUMPABLE`, the limit of core files, locked memory."""
    look = """
        import ctypes, resource, runpy, sys
        import services.vault.app
        def looking(settings):
            status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
            print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE), status["VmLck"])
            sys.exit()
        services.vault.app.build = looking
        runpy.run_module("services.vault", run_name="__main__")
    """
    given = {"AMQP_URL": "amqp://localhost/", "MONGO_URL": "mongodb://localhost/", "STATE_DIR": tmp_path}
    given |= {"KEYSTORE_DIR": tmp_path, "PASSPHRASE_FILE": "x"}
    environment = {**os.environ, **{f"KUJI_{name}": str(value) for name, value in given.items()}}
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(look)], env=environment, capture_output=True, text=True, check=True
    )
    dumpable, _, limits = ended.stdout.splitlines()[-1].partition(" ")
    assert (dumpable, limits.partition(")")[0]) == ("0", "(0, 0")
    if os.geteuid() == 0:
        assert int(limits.split()[-2]) > 0, "root may lock all of it"
