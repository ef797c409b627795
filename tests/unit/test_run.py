"""The launcher: what it installs and when, what it says when that fails, and what it passes on. No network is used."""

import ast
import errno
import importlib.util
import subprocess
import sys
import tomllib
from collections import namedtuple
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
NO_NETWORK = (
    "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(': Failed to establish a new "
    "connection: [Errno -3] Temporary failure in name resolution')': /simple/numpy/\n"
    "ERROR: Could not find a version that satisfies the requirement numpy==2.4.6 (from versions: none)\n"
    "ERROR: No matching distribution found for numpy==2.4.6\n"
)
FULL_DISK = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
NO_VENV = "The virtual environment was not created successfully because ensurepip is not\navailable.\n"
NO_WHEEL = "ERROR: No matching distribution found for torch==2.13.0\n"
NO_RIGHTS = "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: 'x'\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A fresh run.py that works in an empty folder, with a fake pip and a fake venv.

    `run.steps` holds the commands that ran, `run.fail[step]` the output with which a step fails, `run.calls` what was
    started in `.venv`.
    """
    spec = importlib.util.spec_from_file_location("run_under_test", ROOT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "requirements.txt").write_text("# pins\ntorch==2.13.0\nnumpy==2.4.6\n")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "eqcourse"\nversion = "0.1.0"\n[project.optional-dependencies]\ndev = ["ruff==0.17.6"]\n'
    )
    module.steps, module.fail, module.calls = [], {}, []

    def watch(title: str, command: list[str]) -> tuple[int, str]:
        step = title.partition("] ")[2]
        module.steps.append((step, [str(part) for part in command]))
        if step == "virtual environment":
            module.VENV.mkdir()
        output = module.fail.get(step)
        if isinstance(output, BaseException):
            raise output
        if output is None and step == "virtual environment":
            (module.VENV / "works").touch()
        if output is None and step == "packages":
            (module.VENV / "lib" / "python3.11" / "site-packages" / "torch").mkdir(parents=True, exist_ok=True)
        return (0, "") if output is None else (1, output)

    def call(arguments: list[str], **variables: str) -> int:
        module.calls.append((arguments, variables))
        return 0

    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "venv_version", lambda: "3.11" if (module.VENV / "works").exists() else None)
    monkeypatch.setattr(module, "has_nvidia", lambda: False)
    monkeypatch.setattr(module, "watch", watch)
    monkeypatch.setattr(module, "call", call)
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module.platform, "machine", lambda: "x86_64")
    usage = namedtuple("usage", "total used free")
    module.free = 50 * 10**9
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage(0, 0, module.free))
    return module


def names(run: ModuleType) -> list[str]:
    return [step for step, _ in run.steps]


ALL_STEPS = ["virtual environment", "PyTorch for CPU", "packages", "eqcourse"]


# --------------------------------------------------------------------------------------------------- old Pythons


def test_parses_on_old_pythons_and_checks_the_version_first() -> None:
    tree = ast.parse((ROOT / "run.py").read_text(encoding="utf-8"), feature_version=(3, 6))
    docstring, first, second, *_ = tree.body
    assert isinstance(docstring, ast.Expr)
    assert ast.unparse(first) == "import sys"
    assert ast.unparse(second).startswith("if sys.version_info < (3, 11):")


def test_an_old_python_is_told_so() -> None:
    code = "import runpy, sys; sys.version_info = (3, 8, 1, 'final', 0); runpy.run_path('run.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer, and this is Python 3.8" in done.stderr
    assert "Traceback" not in done.stderr


# -------------------------------------------------------------------------------------------------------- set-up


def test_first_start_installs_and_the_second_does_not(run: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["lab"]) == 0
    assert names(run) == ALL_STEPS
    commands = dict(run.steps)
    cpu = commands["PyTorch for CPU"]
    assert {"--no-deps", "--retries", "--timeout", "torch==2.13.0", run.CPU_WHEELS} <= set(cpu)
    assert cpu[cpu.index("--retries") + 1] == "0"
    assert commands["packages"][-2:] == ["-r", "requirements.txt"]
    assert commands["eqcourse"][-3:] == ["--no-deps", "-e", "."]
    assert "Ready after" in capsys.readouterr().out
    run.steps.clear()
    assert run.main(["lab"]) == 0
    assert run.steps == []
    assert capsys.readouterr().out == ""


def test_test_adds_the_developer_pins_and_lab_needs_nothing_after_it(run: ModuleType) -> None:
    run.main(["lab"])
    run.steps.clear()
    run.main(["test"])
    assert names(run) == ALL_STEPS[1:]
    assert "ruff==0.17.6" in dict(run.steps)["packages"]
    run.steps.clear()
    run.main(["lab"])
    run.main(["test"])
    assert run.steps == []


@pytest.mark.parametrize(
    ("file", "old", "new", "again"),
    [
        ("requirements.txt", "numpy==2.4.6", "numpy==2.4.7", True),
        ("requirements.txt", "# pins", "# all the pins\n", False),
        ("pyproject.toml", "0.1.0", "0.2.0", True),
        ("pyproject.toml", "ruff==0.17.6", "ruff==0.17.7", False),  # of no interest to a learner
    ],
)
def test_only_what_matters_installs_again(run: ModuleType, file: str, old: str, new: str, again: bool) -> None:
    run.main(["lab"])
    run.steps.clear()
    path = run.ROOT / file
    path.write_text(path.read_text().replace(old, new))
    run.main(["lab"])
    assert bool(run.steps) is again


def test_a_moved_folder_installs_again(run: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run.main(["lab"])
    before = run.fingerprint("lab", "3.11")
    (tmp_path / "elsewhere").mkdir()
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / "elsewhere" / name).write_bytes((tmp_path / name).read_bytes())
    monkeypatch.setattr(run, "ROOT", tmp_path / "elsewhere")
    assert run.fingerprint("lab", "3.11") != before
    assert run.fingerprint("lab", "3.12") != run.fingerprint("lab", "3.11")


@pytest.mark.parametrize("step", ALL_STEPS)
def test_an_interrupted_set_up_goes_on(run: ModuleType, step: str, capsys: pytest.CaptureFixture[str]) -> None:
    run.fail[step] = KeyboardInterrupt()
    assert run.main(["test"]) == 130
    assert "can be run again" in capsys.readouterr().err
    assert not list(run.VENV.glob("*.stamp"))
    assert run.calls == []
    run.fail.clear()
    run.steps.clear()
    assert run.main(["test"]) == 0
    assert names(run) == (ALL_STEPS if step == "virtual environment" else ALL_STEPS[1:])
    assert len(run.calls) == 1


def test_a_failed_update_is_not_taken_for_done(run: ModuleType) -> None:
    run.main(["lab"])
    requirements = run.ROOT / "requirements.txt"
    old = requirements.read_text()
    requirements.write_text(old.replace("2.4.6", "2.4.7"))
    run.fail["packages"] = NO_NETWORK
    assert run.main(["lab"]) == 1
    requirements.write_text(old)  # numpy may be 2.4.7 by now
    run.fail.clear()
    run.steps.clear()
    run.main(["lab"])
    assert "packages" in names(run)


def test_a_half_made_environment_is_made_anew(run: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    (run.VENV / "bin").mkdir(parents=True)
    (run.VENV / "bin" / "leftover").touch()
    assert run.main(["lab"]) == 0
    assert names(run)[0] == "virtual environment"
    assert not (run.VENV / "bin").exists()
    assert "made anew" in capsys.readouterr().out


def test_the_wheel_index_for_cpus_may_fail(run: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    run.fail["PyTorch for CPU"] = NO_NETWORK
    assert run.main(["lab"]) == 0
    assert "PyPI's build" in capsys.readouterr().out


def test_with_an_nvidia_gpu_or_elsewhere_pypi_has_the_right_build(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "has_nvidia", lambda: True)
    run.main(["lab"])
    assert "PyTorch for CPU" not in names(run)
    run.shutil.rmtree(run.VENV)
    run.steps.clear()
    monkeypatch.setattr(run, "has_nvidia", lambda: False)
    monkeypatch.setattr(run.sys, "platform", "win32")
    run.main(["lab"])
    assert "PyTorch for CPU" not in names(run)


# ---------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("step", "output", "words"),
    [
        ("virtual environment", NO_VENV, "apt install python3-venv"),
        ("virtual environment", "No module named venv\n", "apt install python3-venv"),
        ("packages", NO_NETWORK, "network connection"),
        ("packages", FULL_DISK, "disk is full"),
        ("packages", NO_WHEEL, "does not exist for this machine"),
        ("packages", NO_RIGHTS, "could not be written"),
        ("packages", "something new\n", "something new"),
        ("eqcourse", NO_NETWORK, "network connection"),
        ("eqcourse", FULL_DISK, "disk is full"),
    ],
)
def test_a_failed_step_is_explained(
    run: ModuleType, step: str, output: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run.fail[step] = output
    assert run.main(["lab"]) == 1
    told = capsys.readouterr().err
    assert words in told
    assert f"'{step}'" in told
    assert "run the same command again" in told
    assert run.calls == []
    assert not list(run.VENV.glob("*.stamp"))


def test_a_small_disk_is_seen_before_anything_is_downloaded(
    run: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    run.free = 2 * 10**9
    assert run.main(["lab"]) == 1
    assert "about 3 GB" in capsys.readouterr().err
    assert run.steps == []
    run.free = 50 * 10**9
    run.fail["eqcourse"] = NO_NETWORK
    assert run.main(["lab"]) == 1
    run.fail.clear()
    run.free = 2 * 10**9  # enough for what is missing now
    assert run.main(["lab"]) == 0


def test_a_disk_that_is_full_is_seen_even_if_the_output_hides_it(run: ModuleType) -> None:
    run.free = 10**6
    assert "disk is full" in run.explain("virtual environment", "Error: Command '-m ensurepip' returned 1\n")


def test_an_intel_mac_is_told_so(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run.sys, "platform", "darwin")
    assert run.main(["lab"]) == 1
    assert "Intel Macs" in capsys.readouterr().err
    assert run.steps == []
    monkeypatch.setattr(run.platform, "machine", lambda: "arm64")
    assert run.main(["lab"]) == 0


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", ".venv"), "Permission denied"),
    ],
)
def test_what_the_launcher_itself_cannot_write(
    run: ModuleType, error: OSError, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run.fail["virtual environment"] = error
    assert run.main(["lab"]) == 1
    assert words in capsys.readouterr().err


# --------------------------------------------------------------------------------------------- what is passed on


@pytest.mark.parametrize("uid", [0, 1000])
def test_lab_passes_arguments_on(run: ModuleType, monkeypatch: pytest.MonkeyPatch, uid: int) -> None:
    monkeypatch.setattr(run.os, "geteuid", lambda: uid, raising=False)
    run.main(["lab", "--no-browser", "--port", "0"])
    ((command, _),) = run.calls
    assert command[:2] == ["-m", "jupyterlab"]
    assert command[-3:] == ["--no-browser", "--port", "0"]
    assert any(part.endswith("lessons/00_start_here.ipynb") for part in command)
    assert ("--allow-root" in command) is (uid == 0)


def test_test_is_one_pytest_run_over_all_that_is_there(run: ModuleType) -> None:
    for folder in ("lessons", "exercises"):  # no solutions/ yet
        (run.ROOT / folder).mkdir()
    run.main(["test", "-k", "act", "-x"])
    ((command, variables),) = run.calls
    assert command[:2] == ["-m", "pytest"]
    assert command[-7:] == ["tests", "eqcourse", "lessons", "exercises", "-k", "act", "-x"]
    assert {"--nbval", "--nbval-current-env"} <= set(command)
    assert variables == {"OMP_NUM_THREADS": "1"}


def test_a_path_takes_the_place_of_everything(run: ModuleType) -> None:
    (run.ROOT / "tests").mkdir()
    (run.ROOT / "tests" / "test_x.py").touch()
    run.main(["test", "tests/test_x.py::test_y", "-k", "tests"])
    ((command, _),) = run.calls
    assert "eqcourse" not in command
    assert command[-3:] == ["tests/test_x.py::test_y", "-k", "tests"]


def test_full_runs_the_notebooks_again_on_two_threads(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    (run.ROOT / "lessons").mkdir()
    codes = iter([1, 0])
    calls = []

    def call(arguments: list[str], **variables: str) -> int:
        calls.append((arguments, variables))
        return next(codes)

    monkeypatch.setattr(run, "call", call)
    assert run.main(["test", "--full"]) == 1
    (_, first), (command, second) = calls
    assert first == {"OMP_NUM_THREADS": "1"}
    assert second == {"OMP_NUM_THREADS": "2"}
    assert command[-1] == "lessons"
    assert "tests" not in command


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["notebooks"], ["notebooks"]),
        (["notebooks", "01", "02"], ["notebooks", "01", "02"]),
        (["notebooks", "--readme"], ["notebooks", "--readme"]),
        (["exercises"], ["exercises"]),
        (["exercises", "--check"], ["exercises", "--check"]),
        (["reset", "01"], ["sheets", "reset", "01"]),
        (["check", "01"], ["sheets", "check", "01"]),
    ],
)
def test_tools(run: ModuleType, arguments: list[str], command: list[str]) -> None:
    run.main(arguments)
    assert run.calls == [(["-m", f"eqcourse.tools.{command[0]}", *command[1:]], {})]


def test_bench_runs_all_or_the_named(run: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    (run.ROOT / "benchmarks").mkdir()
    for name in ("act", "start"):
        (run.ROOT / "benchmarks" / f"bench_{name}.py").touch()
    assert run.main(["bench", "--setup"]) == 0
    assert [(Path(command[0]).name, command[1:]) for command, _ in run.calls] == [
        ("bench_act.py", ["--setup"]),
        ("bench_start.py", ["--setup"]),
    ]
    run.calls.clear()
    assert run.main(["bench", "start", "--setup"]) == 0
    assert len(run.calls) == 1
    assert run.main(["bench", "strat"]) == 2
    assert "there are: act, start" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["notebooks", "--redme"], ["reset", "01", "02"], ["reset"], ["dance"], []])
def test_a_wrong_command_line(run: ModuleType, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run.main(arguments)
    assert stopped.value.code == 2
    assert "usage: run.py" in capsys.readouterr().err
    assert run.steps == []


@pytest.mark.parametrize("verb", ["lab", "test", "notebooks", "exercises", "reset", "check", "bench"])
def test_each_verb_has_help(run: ModuleType, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run.main([verb, "--help"])
    assert stopped.value.code == 0
    assert f"usage: run.py {verb}" in capsys.readouterr().out


# ------------------------------------------------------------------------------------------ the files that it reads


def test_pins_lie_in_the_ranges_of_pyproject() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges = {range_.name: range_.specifier for range_ in map(Requirement, table["dependencies"])}
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    assert {pin.name for pin in pins} == set(ranges)
    for pin in pins:
        (version,) = pin.specifier
        assert version.operator == "=="
        assert version.version in ranges[pin.name]


def test_other_configuration_files() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["dependencies"][-1] == {"pip": ["-r requirements.txt", "-e ."]}
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["test"]["steps"][-1] == {"run": "python run.py test"}
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").endswith("\nexec python3 run.py test\n")


# ------------------------------------------------------------------------------------------- with real processes


@pytest.fixture
def real() -> ModuleType:
    """run.py with nothing replaced."""
    spec = importlib.util.spec_from_file_location("run_for_real", ROOT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_watch_returns_what_a_step_printed(real: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    code = "import sys; print('out', flush=True); print('π', file=sys.stderr); sys.exit(3)"
    assert real.watch("[1/4] a step", [sys.executable, "-c", code]) == (3, "out\nπ\n")
    assert capsys.readouterr().out == "[1/4] a step ... 0 s\n"


def test_call_returns_the_exit_code(real: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(real.signal, "signal", lambda *_: None)
    assert real.call(["-c", "import os, sys; sys.exit(int(os.environ['CODE']))"], CODE="5") == 5


def test_venv_version(real: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(real, "PYTHON", tmp_path / "nothing")
    assert real.venv_version() is None
    monkeypatch.setattr(real, "PYTHON", Path(sys.executable))
    assert real.venv_version() == "{}.{}".format(*sys.version_info)
    fake = SimpleNamespace(returncode=1, stdout="", stderr="No module named pip")
    monkeypatch.setattr(real.subprocess, "run", lambda *_, **__: fake)
    assert real.venv_version() is None
