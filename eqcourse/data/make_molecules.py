"""Make `molecules.json`: four molecules in thirteen poses, with energies and forces from quantum chemistry.

The course does not run this script; it ships the result. To remake the file, in an environment of its own:

    pip install ase tblite
    python eqcourse/data/make_molecules.py

and copy the checksum that it prints into `eqcourse/datasets.py`.

The method is GFN2-xTB, a semi-empirical tight-binding method (Bannwarth, Ehlert, Grimme, J. Chem. Theory Comput. 2019, 15, 1652). Energy
and forces are computed anew at each pose. No stored arrow is ever turned, so that their turning along with the molecule is a finding.
"""

import hashlib
import json
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

SEED = 0
DISPLACEMENT = 0.04  # Å, standard deviation: enough for forces that can be seen
ANGLES = list(range(0, 360, 30))  # degrees, anticlockwise about the z axis
STEP = 1e-3  # Å, for the finite differences
ACCURACY = 1e-4  # of tblite's self-consistent cycle; its default is 1

# name: (G2 name, bonds, mirror plane to keep or None, turns after which no atom hides another, seen along z)
MOLECULES: dict[str, tuple[str, list[tuple[int, int]], str | None, list[tuple[float, str]]]] = {
    "water": ("H2O", [(0, 1), (0, 2)], None, [(90, "y"), (90, "z"), (15, "x")]),
    "ammonia": ("NH3", [(0, 1), (0, 2), (0, 3)], "x", [(15, "z"), (-35, "x")]),
    "ethanol": (
        "CH3CH2OH",
        [(0, 1), (1, 2), (2, 3), (1, 4), (1, 5), (0, 6), (0, 7), (0, 8)],
        "z",
        [(40, "y"), (5, "x")],
    ),
    "CHFClBr": ("", [(0, 1), (0, 2), (0, 3), (0, 4)], None, [(165, "z"), (-65, "x")]),
}


def geometry(g2_name: str) -> Any:
    """Starting geometry: from ASE's G2 database, or the ideal tetrahedron of CHFClBr with textbook bond lengths."""
    from ase import Atoms  # type: ignore[import-not-found]
    from ase.build import molecule  # type: ignore[import-not-found]

    if g2_name:
        return molecule(g2_name)
    corners = np.array([[1, 1, 1], [-1, -1, 1], [1, -1, -1], [-1, 1, -1]]) / np.sqrt(3)
    lengths = np.array([1.09, 1.36, 1.76, 1.95])  # Å: C–H, C–F, C–Cl, C–Br
    atoms = Atoms("CHFClBr", positions=np.vstack([np.zeros(3), lengths[:, None] * corners]))
    atoms.rotate((1, 1, 1), "z")  # C–H upwards
    return atoms


def mirror_symmetric(displacement: np.ndarray, atoms: Any, plane: str) -> np.ndarray:
    """The mean of a displacement and its mirror image, so that a molecule with a mirror plane stays achiral."""
    mirror = np.ones(3)
    mirror["xyz".index(plane)] = -1
    distances = np.linalg.norm(atoms.positions[:, None] * mirror - atoms.positions, axis=-1)
    partner = distances.argmin(axis=1)
    return (displacement + displacement[partner] * mirror) / 2


def compute(atoms: Any) -> tuple[float, np.ndarray]:
    """Energy in eV and forces in eV/Å of the molecule as it stands."""
    from tblite.ase import TBLite  # type: ignore[import-not-found]

    atoms = atoms.copy()
    atoms.calc = TBLite(method="GFN2-xTB", accuracy=ACCURACY, verbosity=0)
    return float(atoms.get_potential_energy()), np.array(atoms.get_forces())


def rounded(atoms: Any) -> Any:
    """The molecule at the positions that the file will hold, so that energy and forces belong to exactly those."""
    atoms = atoms.copy()
    atoms.positions = np.round(atoms.positions, 8)
    return atoms


def pose_record(atoms: Any) -> dict[str, Any]:
    atoms = rounded(atoms)
    energy, forces = compute(atoms)
    return {
        "positions": atoms.positions.tolist(),
        "energy": round(energy, 8),
        "forces": np.round(forces, 8).tolist(),
    }


def force_error(atoms: Any) -> float:
    """Largest |force + dE/dx| over all atoms and directions, the derivative by central differences."""
    atoms = rounded(atoms)
    _, forces = compute(atoms)
    worst = 0.0
    for atom in range(len(atoms)):
        for direction in range(3):
            energies = []
            for sign in (-1, 1):
                moved = atoms.copy()
                moved.positions[atom, direction] += sign * STEP
                energies.append(compute(moved)[0])
            slope = (energies[1] - energies[0]) / (2 * STEP)
            worst = max(worst, abs(forces[atom, direction] + slope))
    return worst


def make(name: str, generator: np.random.Generator) -> tuple[dict[str, Any], float]:
    """One molecule's record, and how far its forces are from −dE/dx."""
    g2_name, bonds, plane, turns = MOLECULES[name]
    atoms = geometry(g2_name)
    displacement = generator.normal(0, DISPLACEMENT, atoms.positions.shape)
    if plane is not None:
        displacement = mirror_symmetric(displacement, atoms, plane)
    atoms.positions += displacement
    for angle, axis in turns:
        atoms.rotate(angle, axis)
    atoms.positions -= atoms.get_center_of_mass()

    poses = []
    for angle in ANGLES:
        turned = atoms.copy()
        turned.rotate(angle, "z", center=(0, 0, 0))
        poses.append(pose_record(turned))
    mirrored = atoms.copy()
    mirrored.positions[:, 0] *= -1
    record = {
        "symbols": atoms.get_chemical_symbols(),
        "bonds": bonds,
        "poses": poses,
        "mirrored": pose_record(mirrored),
    }
    return record, force_error(atoms)


def main() -> None:
    generator = np.random.default_rng(SEED)
    molecules = {}
    checks = {}
    for name in MOLECULES:
        molecules[name], checks[name] = make(name, generator)
        energies = [pose["energy"] for pose in molecules[name]["poses"]]
        spread = max(energies) - min(energies)
        strongest = np.linalg.norm(molecules[name]["poses"][0]["forces"], axis=-1).max()
        print(
            f"{name}: spread of energies {spread:.1e} eV, strongest force {strongest:.2f} eV/Å, "
            f"|F + dE/dx| ≤ {checks[name]:.1e} eV/Å"
        )
    provenance = {
        "made_by": "eqcourse/data/make_molecules.py",
        "date": date.today().isoformat(),
        "versions": {
            **{name: version(name) for name in ("ase", "tblite", "numpy")},
            "python": platform.python_version(),
        },
        "method": f"GFN2-xTB (semi-empirical), tblite accuracy {ACCURACY}, gas phase, no charge",
        "geometry": "water, ammonia, ethanol: ASE's G2 database (MP2/6-31G*); CHFClBr: ideal tetrahedron, "
        "bonds C–H 1.09, C–F 1.36, C–Cl 1.76, C–Br 1.95 Å",
        "displacement": f"normal, {DISPLACEMENT} Å per coordinate, numpy default_rng({SEED}); for ammonia and "
        "ethanol averaged with its mirror image, so that they stay achiral",
        "poses": "turned anticlockwise about the z axis through the centre of mass, which is the origin; "
        "mirrored: first pose with x replaced by −x; energy and forces computed anew at each",
        "units": {"positions": "Å", "energy": "eV", "forces": "eV/Å", "angles": "degrees"},
        "check": {
            "what": f"largest |force + dE/dx| at the first pose, central differences of {STEP} Å, eV/Å",
            **{name: float(f"{error:.1e}") for name, error in checks.items()},
        },
    }
    content = {"provenance": provenance, "angles": ANGLES, "molecules": molecules}
    lines = [f"{json.dumps(key)}: {json.dumps(part, ensure_ascii=False)}" for key, part in content.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    path = Path(__file__).with_name("molecules.json")
    path.write_text(text, encoding="utf-8", newline="\n")
    print(f"{path.name}: {len(text.encode())} bytes, sha256 {hashlib.sha256(text.encode()).hexdigest()}")


if __name__ == "__main__":
    main()
