"""The one launcher of eqcourse: `python run.py lab` opens the course, `python run.py --help` lists the other verbs.

It needs Python 3.11 or newer with pip, and nothing else: the first start makes `.venv` and installs what is missing,
every later start finds a stamp in `.venv` and begins at once. An interrupted set-up can simply be run again.
"""

import sys

# Before anything that an older Python lacks; the file itself parses from Python 3.6 on, so that this message appears.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "eqcourse needs Python 3.11 or newer, and this is Python %d.%d.\n" % sys.version_info[:2]  # noqa: UP031
        + "Install a newer one from https://www.python.org/downloads/ (or name it, if you have it: python3.12 run.py lab)."
    )

import argparse
import errno
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import threading
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
GB = 10**9

NETWORK_WORDS = (
    "NewConnectionError",
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Name or service not known",
    "getaddrinfo failed",
    "nodename nor servname",
    "Network is unreachable",
    "Connection refused",
    "Connection reset",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "Read timed out",
    "ProxyError",
    "CERTIFICATE_VERIFY_FAILED",
    "IncompleteRead",
)
DISK_WORDS = ("No space left on device", "Errno 28]", "not enough space on the disk", "Disk quota exceeded")


class SetupError(Exception):
    """The set-up cannot go on; the message says in plain words why, and what to do."""


# ---------------------------------------------------------------------------------------------------------- set-up


def explain(step: str, output: str) -> str:
    """Turn what pip or venv printed when `step` failed into plain words and advice."""
    # ensurepip hides its own errors, so look at the disk as well as at the words.
    if any(words in output for words in DISK_WORDS) or shutil.disk_usage(ROOT).free < 0.05 * GB:
        why = (
            f"the disk is full. Make room on the disk of {ROOT} (about 3 GB), and on that of the temporary files, "
            "which the variable TMPDIR can move."
        )
    elif any(words in output for words in NETWORK_WORDS):
        why = "the packages could not be downloaded. Is there a network connection, or a proxy or firewall in the way?"
    elif step == "virtual environment" and ("ensurepip" in output or "No module named" in output):
        why = (
            "this Python comes without venv or pip. On Debian or Ubuntu: sudo apt install python3-venv; elsewhere, use "
            "the Python from https://www.python.org/downloads/."
        )
    elif "No matching distribution found" in output:
        why = (
            f"a package does not exist for this machine and Python {platform.python_version()}. Python 3.11 to 3.13 on "
            "64-bit Linux, Windows and Apple silicon have them all: use one of these."
        )
    elif "Permission denied" in output or "Access is denied" in output:
        why = f"a file could not be written. Close what uses {VENV} (JupyterLab, an editor) and check its rights."
    else:
        why = "see below."
    told = [line for line in output.splitlines() if line.startswith(("ERROR", "error", "Error"))] or output.splitlines()
    detail = "".join("\n    " + line[:300] for line in told[-4:])
    return f"Set-up stopped at '{step}': {why}\nThen run the same command again: it goes on where it stopped.{detail}"


def watch(title: str, command: Sequence[str]) -> tuple[int, str]:
    """Run a command quietly: one line with its title and the seconds it takes. Returns its exit code and its output."""

    def read(pipe: IO[str]) -> None:
        for line in pipe:
            lines.append(line)  # one by one, for the line below to show the last

    start = time.monotonic()
    lines: list[str] = []
    live = sys.stdout.isatty()
    print(title, end=" ... ", flush=True)
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=child_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        reader = threading.Thread(target=read, args=(process.stdout,))
        reader.start()
        try:
            while reader.is_alive():
                reader.join(timeout=1)
                if live:  # what pip is doing, so that a long download does not look like a standstill
                    doing = lines[-1].strip() if lines else ""
                    status = f"{title} ... {time.monotonic() - start:.0f} s  {doing}"
                    print("\r" + status[: shutil.get_terminal_size().columns - 1] + "\033[K", end="", flush=True)
        except BaseException:
            process.terminate()
            raise
    print((f"\r{title} ... " if live else "") + f"{time.monotonic() - start:.0f} s" + ("\033[K" if live else ""))
    return process.returncode, "".join(lines)


def pip_install(*arguments: str) -> list[str]:
    """The pip command of `.venv` that installs `arguments`."""
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--progress-bar", "off"]
    return [*pip, *arguments]


def venv_version() -> str | None:
    """The Python version of `.venv`, or None if there is none, or a broken or half-made one."""
    probe = "import sys, pip; print('%d.%d' % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))"
    try:
        done = subprocess.run([str(PYTHON), "-I", "-c", probe], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def requirements() -> list[str]:
    """The pins of requirements.txt, without its comments."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def project() -> dict[str, Any]:
    """The table `project` of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def developer_pins() -> list[str]:
    """What the extra `dev` of pyproject.toml adds to requirements.txt."""
    pins: list[str] = project()["optional-dependencies"]["dev"]
    return pins


def stamp(profile: str) -> Path:
    """The file that says for which state of the requirements a profile was installed."""
    return VENV / f"eqcourse-{profile}.stamp"


def fingerprint(profile: str, version: str) -> str:
    """A hash of all that decides what is installed: the pins, the Python version, and where this folder lies."""
    facts = [version, str(ROOT), project()["name"], project()["version"], *requirements()]
    if profile == "dev":
        facts += developer_pins()
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def is_ready(profile: str, version: str | None) -> bool:
    """Whether `.venv` already holds what the profile needs."""
    if version is None or not stamp(profile).is_file():
        return False
    return stamp(profile).read_text(encoding="utf-8") == fingerprint(profile, version)


def has_nvidia() -> bool:
    """Whether this machine has an NVIDIA driver."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def check_machine(fresh: bool) -> None:
    """Refuse at once what could only fail after minutes of downloading."""
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        raise SetupError(
            "PyTorch has no current build for Intel Macs, nor for an Intel build of Python on Apple silicon.\n"
            "On Apple silicon install the arm64 Python from https://www.python.org/downloads/; on an Intel Mac "
            "there is only another machine, or Binder, which reads environment.yml."
        )
    need = (10 if sys.platform == "linux" and has_nvidia() else 3) if fresh else 0.3
    free = shutil.disk_usage(ROOT).free / GB
    if free < need:
        raise SetupError(
            f"The set-up needs about {need} GB, and the disk that holds {ROOT} has {free:.1f} GB free.\n"
            "Make room and run the same command again."
        )


def set_up(profile: str) -> None:
    """Make `.venv` and install what a profile ("lab" or "dev") needs, unless a stamp says that it is all there."""
    version = venv_version()
    if is_ready(profile, version):
        return
    fresh = not any(VENV.glob("lib/*/site-packages/torch")) and not any(VENV.glob("Lib/site-packages/torch"))
    check_machine(fresh)
    start = time.monotonic()
    torch = next((line for line in requirements() if line.startswith("torch==")), None)
    cpu_torch = torch is not None and sys.platform == "linux" and not has_nvidia()
    titles = ["virtual environment", *(["PyTorch for CPU"] if cpu_torch else []), "packages", "eqcourse"]
    step = {title: f"[{number}/{len(titles)}] {title}" for number, title in enumerate(titles, start=1)}
    print(f"Setting up {VENV}" + (" (once: a few minutes, about 2 GB)" if fresh else ""))

    if version is None:
        if VENV.exists():
            print("      .venv is incomplete or broken, so it is made anew")
            shutil.rmtree(VENV)
        code, output = watch(step["virtual environment"], [sys.executable, "-m", "venv", str(VENV)])
        version = venv_version()
        if code or version is None:
            raise SetupError(explain("virtual environment", output or "ensurepip"))
    for each in ("lab", "dev"):  # until all steps are done, nothing may claim that they are
        stamp(each).unlink(missing_ok=True)

    if cpu_torch and torch is not None:
        # PyPI's wheels for Linux bring 2.7 GB of CUDA. A network that does not let us through must not cost minutes.
        hurry = ["--no-deps", "--retries", "0", "--timeout", "10", "--index-url", CPU_WHEELS]
        code, output = watch(step["PyTorch for CPU"], pip_install(*hurry, torch))
        if code:
            print("      not to be had from there; the next step takes PyPI's build, which is larger")
    extra = developer_pins() if profile == "dev" else []
    code, output = watch(step["packages"], pip_install("-r", "requirements.txt", *extra))
    if code:
        raise SetupError(explain("packages", output))
    code, output = watch(step["eqcourse"], pip_install("--no-deps", "-e", "."))
    if code:
        raise SetupError(explain("eqcourse", output))

    for each in ("lab", "dev") if profile == "dev" else ("lab",):
        stamp(each).write_text(fingerprint(each, version), encoding="utf-8")
    print(f"Ready after {time.monotonic() - start:.0f} s.\n", flush=True)


# ----------------------------------------------------------------------------------------------------------- verbs


def child_environment(**variables: str) -> dict[str, str]:
    """The environment of what runs in `.venv`: text is UTF-8 on Windows too."""
    return {**os.environ, "PYTHONUTF8": "1", **variables}


def call(arguments: Sequence[str], **variables: str) -> int:
    """Run the Python of `.venv` in this folder until it ends, and return its exit code.

    Ctrl-C reaches the child as well, which answers it in its own way (JupyterLab asks whether to stop); SIGTERM is
    passed on, so that no server stays behind.
    """
    sys.stdout.flush()
    with subprocess.Popen([str(PYTHON), *arguments], cwd=ROOT, env=child_environment(**variables)) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        interrupted = False
        while True:
            try:
                code = process.wait()
                break
            except KeyboardInterrupt:
                interrupted = True
    if interrupted and code:
        raise KeyboardInterrupt
    return code


def tool(name: str, arguments: Sequence[str]) -> int:
    """Run one of eqcourse.tools in a learner's environment."""
    set_up("lab")
    return call(["-m", f"eqcourse.tools.{name}", *arguments])


def lab(options: argparse.Namespace, further: list[str]) -> int:
    """Open JupyterLab at the first lesson."""
    set_up("lab")
    command = ["-m", "jupyterlab", "--LabApp.default_url=/lab/tree/lessons/00_start_here.ipynb"]
    # Neither a question about news on a newcomer's first screen, nor a look-up for updates where there may be no network.
    command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # containers and Binder run as root, and Jupyter refuses it otherwise
    return call([*command, *further])


def is_path(argument: str) -> bool:
    """Whether an argument of `test` names a file or folder of ours, rather than being an option or its value."""
    looks_like_path = "/" in argument or os.sep in argument or argument.endswith((".py", ".ipynb"))
    return looks_like_path and (ROOT / argument.split("::")[0]).exists()


def test(options: argparse.Namespace, further: list[str]) -> int:
    """Run everything that CI runs: one pytest run over tests, doctests and notebooks (ruff and mypy are tests too)."""
    set_up("dev")
    notebooks = [folder for folder in ("lessons", "solutions", "exercises") if (ROOT / folder).is_dir()]
    everything = [] if any(map(is_path, further)) else ["tests", "eqcourse", *notebooks]
    command = ["-m", "pytest", "--nbval", "--nbval-current-env", "--nbval-sanitize-with=tests/nbval.cfg"]
    # A backup that `reset` made is a learner's, whatever is in it.
    command += ["--nbval-cell-timeout=120", "--ignore-glob=*.backup-*.ipynb"]
    workers = min(4, os.cpu_count() or 1)
    # Only loadscope keeps the cells of a notebook together, in order and in one kernel.
    command += ["-n", str(workers), "--dist", "loadscope"] if workers > 1 else []
    # Sums of floats depend on the number of threads, and what notebooks store was made with one.
    code = call([*command, *everything, *further], OMP_NUM_THREADS="1")
    if options.full and notebooks:
        print("\nAll notebooks again, on two threads", flush=True)
        code = call([*command, *notebooks], OMP_NUM_THREADS="2") or code
    return code


def notebooks(options: argparse.Namespace, further: list[str]) -> int:
    """Execute lessons and solutions and store their outputs and run times."""
    return tool("notebooks", [*(["--readme"] if options.readme else []), *options.names])


def exercises(options: argparse.Namespace, further: list[str]) -> int:
    """Generate exercises/ from solutions/."""
    return tool("exercises", ["--check"] if options.check else [])


def reset(options: argparse.Namespace, further: list[str]) -> int:
    """Give back a fresh exercise sheet; work in the old one is kept as a backup."""
    return tool("sheets", ["reset", options.sheet])


def check(options: argparse.Namespace, further: list[str]) -> int:
    """Print the verdicts of an exercise sheet in the terminal."""
    return tool("sheets", ["check", options.sheet])


def bench(options: argparse.Namespace, further: list[str]) -> int:
    """Run the benchmarks, all of them or those that are named."""
    scripts = {path.stem.removeprefix("bench_"): path for path in sorted((ROOT / "benchmarks").glob("bench_*.py"))}
    unknown = [name for name in options.names if name not in scripts]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(scripts)}", file=sys.stderr)
        return 2
    set_up("lab")
    codes = [call([str(scripts[name]), *further]) for name in options.names or scripts]
    return int(any(codes))


def parser() -> argparse.ArgumentParser:
    """The command line: the verbs and what each of them takes."""
    root = argparse.ArgumentParser(
        prog="run.py",
        description="eqcourse: a course on equivariant neural networks. The first start sets up .venv by itself.",
        allow_abbrev=False,
    )
    verbs = root.add_subparsers(dest="verb", metavar="verb", required=True)

    def add(run: Callable[[argparse.Namespace, list[str]], int], more: str = "") -> argparse.ArgumentParser:
        about = (run.__doc__ or "").splitlines()[0]
        short = about[0].lower() + about[1:].rstrip(".")
        verb = verbs.add_parser(run.__name__, help=short, description=f"{about} {more}".strip(), allow_abbrev=False)
        verb.set_defaults(run=run)
        return verb

    add(lab, "Further arguments go to JupyterLab, for example --no-browser or --port 8890.")
    verb = add(test, "Further arguments go to pytest, for example -k groups, -n 0 or tests/unit/test_groups.py.")
    verb.add_argument("--full", action="store_true", help="run every notebook a second time, on two threads")
    verb = add(notebooks, "A notebook that fails keeps what is stored.")
    verb.add_argument("names", nargs="*", metavar="NN", help="only those whose name starts so (default: all)")
    verb.add_argument("--readme", action="store_true", help="only rewrite the table of lessons in README.md")
    verb = add(exercises)
    verb.add_argument("--check", action="store_true", help="write nothing, fail if a stored sheet differs")
    for run in (reset, check):
        add(run).add_argument("sheet", metavar="NN", help="number of the sheet, for example 01")
    verb = add(bench, "Further arguments go to each benchmark, which takes those that it knows.")
    verb.add_argument("names", nargs="*", metavar="name", help="for example start, for benchmarks/bench_start.py")
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, run its verb, and turn what can go wrong during the set-up into plain words."""
    root = parser()
    options, further = root.parse_known_args(arguments)
    if further and options.verb not in ("lab", "test", "bench"):
        root.error(f"{options.verb} does not take {' '.join(further)}; see run.py {options.verb} --help")
    try:
        code: int = options.run(options, further)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except OSError as error:
        full = error.errno == errno.ENOSPC
        print(f"\n{explain('writing', DISK_WORDS[0]) if full else f'Stopped: {error}'}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command can be run again.", file=sys.stderr)
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
