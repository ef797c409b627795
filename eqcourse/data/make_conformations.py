"""Make `conformations.npz`: ethanol, methylamine and ammonia as they move at 500 K, with energies and forces from quantum chemistry.

The course does not run this script; it ships the result. To remake the file (about ten minutes on one core), in an environment of its own:

    pip install ase tblite
    OMP_NUM_THREADS=1 python eqcourse/data/make_conformations.py

and copy the checksum that it prints into `eqcourse/datasets.py`.

The method is GFN2-xTB, a semi-empirical tight-binding method (Bannwarth, Ehlert, Grimme, J. Chem. Theory Comput. 2019, 15, 1652), in
molecular dynamics with Langevin's thermostat. A molecule tumbles as it moves; each frame is therefore laid on the first one, so that all
frames have about one orientation and a model that knows no rotation gets its best case. Energy and forces are computed anew at the
positions that the file holds, in the frames and in the rotated and reflected ones: no stored arrow is ever turned, so that forces turning
along is a finding.
"""

import hashlib
import json
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

TEMPERATURE = 500  # K
TIME_STEP = 0.5  # fs; the fastest vibration, O–H, takes 9 fs
FRICTION = 0.02  # 1/fs: the thermostat forgets a velocity in 50 fs
EQUILIBRATION = 10_000  # steps that are thrown away first: 5 ps
INTERVAL = 150  # steps from one frame to the next: 75 fs
GAP = 20  # intervals between the last frame for training and the first one for testing: 1.5 ps
TURNED = 100  # test frames that are also rotated, and as many that are also reflected
STEP = 5e-3  # Å, for the finite differences
PROBED = 3  # frames of each molecule whose forces are compared with them
ACCURACY = 1e-4  # of tblite's self-consistent cycle in what is stored; its default, 1, drives the dynamics
DECIMALS = 8

# name: (G2 name, bonds, frames for training, frames for testing, seed)
MOLECULES: dict[str, tuple[str, list[tuple[int, int]], int, int, int]] = {
    "ethanol": (
        "CH3CH2OH",
        [(0, 1), (1, 2), (2, 3), (1, 4), (1, 5), (0, 6), (0, 7), (0, 8)],
        1000,
        500,
        1,
    ),
    "methylamine": ("H3CNH2", [(0, 1), (0, 2), (1, 3), (1, 4), (0, 5), (0, 6)], 400, 200, 2),
    "ammonia": ("NH3", [(0, 1), (0, 2), (0, 3)], 400, 200, 3),
}


def trajectory(g2_name: str, train: int, test: int, seed: int) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
    """The molecule, its positions in Å (frames, n, 3), their times in fs and the kinetic temperatures in K (frames,)."""
    from ase.build import molecule  # type: ignore[import-not-found]
    from ase.md.langevin import Langevin  # type: ignore[import-not-found]
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution  # type: ignore[import-not-found]
    from ase.units import fs, kB  # type: ignore[import-not-found]
    from tblite.ase import TBLite  # type: ignore[import-not-found]

    generator = np.random.default_rng(seed)
    atoms = molecule(g2_name)
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
    MaxwellBoltzmannDistribution(atoms, temperature_K=TEMPERATURE, rng=generator)
    dynamics = Langevin(
        atoms, TIME_STEP * fs, temperature_K=TEMPERATURE, friction=FRICTION / fs, rng=generator, fixcm=False
    )
    dynamics.run(EQUILIBRATION)
    positions, times, temperatures = [], [], []
    step = 0
    for frame in range(train + test):
        pause = INTERVAL * GAP if frame == train else INTERVAL
        dynamics.run(pause)
        step += pause
        positions.append(atoms.positions.copy())
        times.append(step * TIME_STEP)
        # The thermostat moves the centre of mass too: all 3n directions take part.
        temperatures.append(2 * atoms.get_kinetic_energy() / (3 * len(atoms) * kB))
    return atoms, np.array(positions), np.array(times), np.array(temperatures)


def laid_on_the_first(positions: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Each frame moved to its centre of mass and turned so that it fits the first one best (Kabsch 1976, weighted by mass)."""
    weights = masses / masses.sum()
    centred = positions - np.einsum("i,fid->fd", weights, positions)[:, None]
    u, _, vt = np.linalg.svd(np.einsum("i,fid,ie->fde", weights, centred, centred[0]))
    u[:, :, -1] *= np.linalg.det(u @ vt)[:, None]
    return np.einsum("fid,fde->fie", centred, u @ vt)


def random_rotations(count: int, generator: np.random.Generator) -> np.ndarray:
    """Rotation matrices (count, 3, 3), uniformly distributed: the QR decomposition of normal numbers, its signs made unique."""
    q, r = np.linalg.qr(generator.normal(size=(count, 3, 3)))
    q *= np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
    return q * np.linalg.det(q)[:, None, None]


def compute(symbols: list[str], positions: np.ndarray) -> tuple[float, np.ndarray]:
    """Energy in eV and forces in eV/Å at positions (n, 3) in Å."""
    from ase import Atoms  # type: ignore[import-not-found]
    from tblite.ase import TBLite

    atoms = Atoms(symbols, positions=positions)
    atoms.calc = TBLite(method="GFN2-xTB", accuracy=ACCURACY, verbosity=0)
    return float(atoms.get_potential_energy()), np.array(atoms.get_forces())


def computed(symbols: list[str], positions: np.ndarray) -> dict[str, np.ndarray]:
    """Positions (frames, n, 3) as the file will hold them, and energies (frames,) and forces (frames, n, 3) at exactly those."""
    positions = np.round(positions, DECIMALS)
    results = [compute(symbols, frame) for frame in positions]
    return {
        "positions": positions,
        "energies": np.round([energy for energy, _ in results], DECIMALS),
        "forces": np.round([forces for _, forces in results], DECIMALS),
    }


def slope_error(symbols: list[str], positions: np.ndarray, forces: np.ndarray) -> float:
    """Largest |force + dE/dx| in eV/Å over all atoms and directions of one frame, the derivative by differences of fourth order."""
    errors = []
    for index in np.ndindex(positions.shape):
        slope = 0.0
        for steps, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
            moved = positions.copy()
            moved[index] += steps * STEP
            slope += weight * compute(symbols, moved)[0] / (12 * STEP)
        errors.append(abs(forces[index] + slope))
    return float(max(errors))


def correlation(values: np.ndarray) -> float:
    """The correlation of each frame's value with that of the next frame."""
    return float(np.corrcoef(values[:-1], values[1:])[0, 1])


def checks(symbols: list[str], parts: dict[str, dict[str, np.ndarray]], train: int) -> dict[str, float]:
    """What the physics demands of the stored numbers; everything in eV, eV/Å or without a unit."""
    frames = parts["frames"]
    every = range(0, len(frames["energies"]), len(frames["energies"]) // PROBED)
    forces = np.concatenate([part["forces"] for part in parts.values()])
    torques = np.concatenate([np.cross(part["positions"], part["forces"]) for part in parts.values()])
    copies = [parts[kind]["energies"] - frames["energies"][parts[kind]["of"]] for kind in ("rotated", "reflected")]
    figures = {
        "force_plus_slope": max(
            slope_error(symbols, frames["positions"][i], frames["forces"][i]) for i in list(every)[:PROBED]
        ),
        "net_force": np.abs(forces.sum(axis=1)).max(),
        "net_torque": np.abs(torques.sum(axis=1)).max(),
        "energy_of_rotated_and_reflected": np.abs(np.concatenate(copies)).max(),
        "correlation_of_neighbouring_energies": correlation(frames["energies"][:train]),
    }
    return {name: float(f"{figure:.1e}") for name, figure in figures.items()}


def make(name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of one molecule, each under its key, and the checks of their physics."""
    g2_name, bonds, train, test, seed = MOLECULES[name]
    atoms, positions, times, temperatures = trajectory(g2_name, train, test, seed)
    symbols = atoms.get_chemical_symbols()
    parts = {"frames": computed(symbols, laid_on_the_first(positions, atoms.get_masses()))}

    generator = np.random.default_rng(seed)
    of = train + np.arange(TURNED) * (test // TURNED)
    for kind, sign in (("rotated", 1), ("reflected", -1)):
        matrices = sign * random_rotations(TURNED, generator)
        turned = np.einsum("fde,fie->fid", matrices, parts["frames"]["positions"][of])
        parts[kind] = {**computed(symbols, turned), "matrices": matrices, "of": of}

    found = checks(symbols, parts, train)
    found["mean_kinetic_temperature"] = round(float(temperatures.mean()))
    print(f"{name}: {found}", flush=True)
    arrays = {f"{name}/{kind}/{key}": array for kind, part in parts.items() for key, array in part.items()}
    arrays |= {
        f"{name}/symbols": np.array(symbols),
        f"{name}/bonds": np.array(bonds),
        f"{name}/times": times,
        f"{name}/train_frames": np.array(train),
    }
    return arrays, found


def main() -> None:
    arrays: dict[str, np.ndarray] = {}
    found = {}
    for name in MOLECULES:
        made, found[name] = make(name)
        arrays |= made
    provenance = {
        "made_by": "eqcourse/data/make_conformations.py",
        "date": date.today().isoformat(),
        "versions": {
            **{name: version(name) for name in ("ase", "tblite", "numpy")},
            "python": platform.python_version(),
        },
        "method": f"GFN2-xTB (semi-empirical), tblite accuracy {ACCURACY}, gas phase, no charge; "
        "the dynamics with accuracy 1",
        "dynamics": f"Langevin at {TEMPERATURE} K, time step {TIME_STEP} fs, friction {FRICTION} 1/fs, from ASE's G2 geometry; "
        f"{EQUILIBRATION * TIME_STEP / 1000:g} ps thrown away, then a frame every {INTERVAL * TIME_STEP:g} fs; "
        f"{GAP * INTERVAL * TIME_STEP / 1000:g} ps between the frames for training and those for testing",
        "temperature": TEMPERATURE,
        "orientation": "each frame moved to its centre of mass and turned onto the first one (least squares, weighted by "
        "mass), then energy and forces computed there",
        "rotated": f"{TURNED} test frames under uniformly random rotations, and the same under −1 times others, "
        "energy and forces computed anew at each",
        "seeds": {name: seed for name, (*_, seed) in MOLECULES.items()},
        "units": {"positions": "Å", "energies": "eV", "forces": "eV/Å", "times": "fs", "temperature": "K"},
        "check": {
            "what": f"largest |force + dE/dx| of {PROBED} frames (differences of fourth order, step {STEP} Å), largest component of the "
            "net force (eV/Å) and torque (eV), largest difference in energy between a frame and its rotated or reflected "
            "copy (eV), correlation of the energies of neighbouring training frames, mean kinetic temperature (K)",
            **found,
        },
    }
    arrays["provenance"] = np.array(json.dumps(provenance, ensure_ascii=False))
    path = Path(__file__).with_name("conformations.npz")
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    raw = path.read_bytes()
    print(f"{path.name}: {len(raw)} bytes, sha256 {hashlib.sha256(raw).hexdigest()}")


if __name__ == "__main__":
    main()
