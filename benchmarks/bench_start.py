"""How long it takes to begin: `import eqcourse`, each lesson from a cold kernel; if asked, the set-up and the whole test command.

    python run.py bench start            # imports and lessons
    python run.py bench start --setup    # also a clean clone to JupyterLab answering, and its second start
    python run.py bench start --test     # also python run.py test, with the set-up done

The figures are printed beside what they must reach and stored in benchmarks/results/start.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from common import ROOT, load, report, store

from eqcourse.tools.notebooks import execute, find_notebooks, read_notebook

LAZY = ("matplotlib", "scipy", "ipywidgets")
IMPORT_PROBE = f"""
import sys, time
import torch
start = time.perf_counter()
import eqcourse
print(1000 * (time.perf_counter() - start), *[name for name in {LAZY} if name in sys.modules])
"""


def bench_import(runs: int = 5) -> dict[str, object]:
    """Milliseconds that `import eqcourse` takes after `import torch`: the median over fresh processes."""
    milliseconds, loaded = [], set()
    for _ in range(runs):
        out = subprocess.run([sys.executable, "-c", IMPORT_PROBE], capture_output=True, text=True, check=True, cwd=ROOT)
        first, *names = out.stdout.split()
        milliseconds.append(float(first))
        loaded |= set(names)
    median = statistics.median(milliseconds)
    report("import eqcourse beyond import torch", median, 150, "ms")
    print(f"{'of ' + ', '.join(LAZY) + ' it loads':42} {', '.join(sorted(loaded)) or 'none'}")
    return {"import_ms": round(median, 1), "import_loads": sorted(loaded)}


def bench_lessons() -> dict[str, object]:
    """Seconds of each lesson from a cold kernel, as `run.py notebooks` measures them; nothing is stored."""
    os.environ["OMP_NUM_THREADS"] = "1"
    seconds = {}
    for path in find_notebooks(ROOT):
        if path.parent.name == "lessons":
            nb = read_notebook(path)
            seconds[path.stem] = round(execute(nb, path.parent), 1)
            report(path.stem, seconds[path.stem], 20, "s")
    return {"lessons_s": seconds}


def seconds_to_answer(clone: Path, runtime: Path) -> float:
    """Seconds from `python run.py lab` in `clone` until JupyterLab answers; it is stopped again."""
    environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime)}
    # The Python that made the .venv of this process, as a newcomer has no other.
    base = getattr(sys, "_base_executable", sys.executable)
    command = [base, "run.py", "lab", "--no-browser", "--port", "0", "--log-level=ERROR"]
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=clone, env=environment, stdout=sys.stderr) as process:
        try:
            while process.poll() is None:
                for file in runtime.glob("jpserver-*.json"):
                    try:
                        server = json.loads(file.read_text())
                        urllib.request.urlopen(f"{server['url']}api/status?token={server['token']}", timeout=5).close()
                        return time.perf_counter() - start
                    except (ValueError, OSError):  # the file is half written, or the server not up yet
                        pass
                time.sleep(0.05)
            raise RuntimeError(f"run.py lab ended with exit code {process.returncode}")
        finally:
            process.terminate()


def bench_setup() -> dict[str, object]:
    """Seconds from a clean clone (of what is committed) to JupyterLab answering, and of the second start."""
    with tempfile.TemporaryDirectory(prefix="eqcourse-") as folder:
        clone, runtime = Path(folder, "clone"), Path(folder, "runtime")
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        first = seconds_to_answer(clone, runtime)
        report("clean clone to JupyterLab answering", first, 120, "s")
        second = seconds_to_answer(clone, runtime)
        report("second start", second, 5, "s")
    return {"setup_s": round(first, 1), "second_start_s": round(second, 1)}


def bench_test() -> dict[str, object]:
    """Seconds of the whole test command. The tests have to pass: a run that stops early is quick."""
    command = [sys.executable, "run.py", "test", "-q"]
    subprocess.run([*command, "--collect-only"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)  # sets up, if need be
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=True)
    seconds = time.perf_counter() - start
    report("python run.py test", seconds, 360, "s")
    return {"test_s": round(seconds, 1)}


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description="Time imports, lessons and, if asked, more.", allow_abbrev=False)
    parser.add_argument("--setup", action="store_true", help="also time a clean clone to JupyterLab answering")
    parser.add_argument("--test", action="store_true", help="also time python run.py test, which has to pass")
    options, _ = parser.parse_known_args()
    figures = load("start")  # what is not measured now stays
    figures |= bench_import() | bench_lessons()
    if options.setup:
        figures |= bench_setup()
    if options.test:
        figures |= bench_test()
    store("start", figures)


if __name__ == "__main__":
    main()
