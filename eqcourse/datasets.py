"""Real data for the lessons. It ships with scikit-learn, scikit-image or this package; nothing is downloaded."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

__all__ = [
    "DANGEROUS_DIGITS",
    "LabelledImages",
    "Luggage",
    "Molecule",
    "digits",
    "faces",
    "horse",
    "luggage",
    "molecules",
    "photos",
]

MOLECULES_FILE = Path(__file__).parent / "data" / "molecules.json"
MOLECULES_SHA256 = "37bf72fa1bc82ffbd2adb6b633bcd4ed108b8a455522abf9f9abb0bb8275f0f7"

DANGEROUS_DIGITS = (1, 4, 7)
"""The digit classes that `luggage` declares dangerous: the pointed ones."""


class LabelledImages(NamedTuple):
    """Images and their labels."""

    images: torch.Tensor
    """(number, height, width), values in [0, 1]"""
    labels: torch.Tensor
    """(number,), int64"""


class Luggage(NamedTuple):
    """One piece of luggage: a set of items, that is, of digit images."""

    items: torch.Tensor
    """(n, 8, 8), values in [0, 1]"""
    dangerous: torch.Tensor
    """(n,), bool: which items are dangerous"""
    verdict: bool
    """whether any item is dangerous"""


@dataclass(frozen=True)
class Molecule:
    """A molecule in twelve poses and one mirrored pose; the origin is its centre of mass."""

    symbols: tuple[str, ...]
    """chemical symbols of the n atoms"""
    bonds: tuple[tuple[int, int], ...]
    """pairs of atom numbers"""
    angles: torch.Tensor
    """(12,), degrees: pose k is pose 0 turned anticlockwise about the z axis by angles[k]"""
    positions: torch.Tensor
    """(12, n, 3), Å"""
    energies: torch.Tensor
    """(12,), eV"""
    forces: torch.Tensor
    """(12, n, 3), eV/Å"""
    mirrored_positions: torch.Tensor
    """(n, 3), Å: pose 0 with x replaced by −x"""
    mirrored_energy: torch.Tensor
    """(), eV"""
    mirrored_forces: torch.Tensor
    """(n, 3), eV/Å"""
    provenance: dict[str, Any]
    """who computed what, how, when, with which versions"""


def photos(height: int | None = None, dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    """Two colour photographs, "flower" and "temple": (3, height, width), values in [0, 1].

    They are scikit-learn's sample images, 427 × 640 pixels. A smaller `height` shrinks them by averaging over areas
    and keeps their proportions. Raises ValueError for a height below 1 or above 427.

    >>> {name: tuple(photo.shape) for name, photo in photos(height=80).items()}
    {'flower': (3, 80, 120), 'temple': (3, 80, 120)}
    """
    from sklearn.datasets import load_sample_image

    files = {"flower": "flower.jpg", "temple": "china.jpg"}
    loaded = {name: torch.from_numpy(load_sample_image(file).copy()) for name, file in files.items()}
    return {
        name: _shrink(photo.permute(2, 0, 1).to(dtype) / 255, height).contiguous() for name, photo in loaded.items()
    }


def horse(height: int | None = None, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """The silhouette of a horse: (height, width), 1 on the horse and 0 around it.

    It is scikit-image's `horse`, 328 × 400 pixels. A smaller `height` shrinks it by averaging over areas, so that
    pixels on its outline get values in between. Raises ValueError for a height below 1 or above 328.

    >>> horse().shape, horse().unique().tolist()
    (torch.Size([328, 400]), [0.0, 1.0])
    >>> horse(height=41).shape
    torch.Size([41, 50])
    """
    import skimage.data

    background = torch.from_numpy(np.asarray(skimage.data.horse(), dtype=bool).copy())
    return _shrink((~background).to(dtype)[None], height)[0]


def faces(dtype: torch.dtype = torch.float32) -> LabelledImages:
    """100 faces (label 1) and 100 pieces of background (label 0), in this order: images (200, 25, 25) in [0, 1].

    They are scikit-image's `lfw_subset`, from Labeled Faces in the Wild (Huang et al. 2007).

    >>> images, labels = faces()
    >>> images.shape, int(labels.sum())
    (torch.Size([200, 25, 25]), 100)
    """
    import skimage.data

    images = torch.from_numpy(np.asarray(skimage.data.lfw_subset())).to(dtype)
    labels = torch.cat([torch.ones(100, dtype=torch.int64), torch.zeros(100, dtype=torch.int64)])
    return LabelledImages(images, labels)


def digits(dtype: torch.dtype = torch.float32) -> LabelledImages:
    """1797 handwritten digits: images (1797, 8, 8) in [0, 1], labels 0 to 9.

    They are scikit-learn's `load_digits`, from the UCI Optical Recognition of Handwritten Digits data set.

    >>> images, labels = digits()
    >>> images.shape, labels[:5].tolist()
    (torch.Size([1797, 8, 8]), [0, 1, 2, 3, 4])
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.from_numpy(bunch.images).to(dtype) / 16
    return LabelledImages(images, torch.from_numpy(bunch.target).to(torch.int64))


def luggage(seed: int, sizes: Sequence[int], dtype: torch.dtype = torch.float32) -> list[Luggage]:
    """Pieces of luggage whose items are handwritten digits; the digits 1, 4 and 7 (`DANGEROUS_DIGITS`) are dangerous.

    One piece for each entry n of `sizes`, with n different items in random order. A coin decides whether it is safe;
    if not, between one item and a third of its items (rounded up) are dangerous. The same seed gives the same luggage.
    Raises ValueError for a size below 1 or above 1000.

    >>> first, second = luggage(seed=0, sizes=[3, 5])
    >>> first.items.shape, second.items.shape
    (torch.Size([3, 8, 8]), torch.Size([5, 8, 8]))
    >>> bool(first.dangerous.any()) == first.verdict
    True
    """
    for size in sizes:
        if not 1 <= size <= 1000:
            raise ValueError(f"luggage got the size {size}; each entry of `sizes` is a number of items from 1 to 1000")
    images, labels = digits(dtype)
    is_dangerous = torch.isin(labels, torch.tensor(DANGEROUS_DIGITS))
    generator = torch.Generator().manual_seed(seed)
    return [_pack(images, is_dangerous, size, generator) for size in sizes]


def _pack(images: torch.Tensor, is_dangerous: torch.Tensor, size: int, generator: torch.Generator) -> Luggage:
    safe = bool(torch.randint(2, (), generator=generator))
    most = (size + 2) // 3
    count = 0 if safe else int(torch.randint(1, most + 1, (), generator=generator))
    chosen = torch.cat(
        [
            _draw(is_dangerous.nonzero()[:, 0], count, generator),
            _draw((~is_dangerous).nonzero()[:, 0], size - count, generator),
        ]
    )
    chosen = chosen[torch.randperm(size, generator=generator)]
    return Luggage(images[chosen], is_dangerous[chosen], count > 0)


def _draw(candidates: torch.Tensor, count: int, generator: torch.Generator) -> torch.Tensor:
    """`count` different entries of `candidates`."""
    return candidates[torch.randperm(len(candidates), generator=generator)[:count]]


def molecules(dtype: torch.dtype = torch.float64) -> dict[str, Molecule]:
    """Water, ammonia, ethanol and the chiral CHFClBr, each in twelve poses and one mirrored: see `Molecule`.

    Energies (eV) and forces (eV/Å) are semi-empirical: GFN2-xTB (Bannwarth, Ehlert, Grimme 2019), computed anew at
    each pose by `eqcourse/data/make_molecules.py`; no force was ever turned. The geometries are a little off
    equilibrium, so that there are forces to see. Ammonia and ethanol have kept their mirror plane, and water is flat:
    only CHFClBr is chiral. The default dtype is float64, since float32 keeps three decimals of an energy only.
    Raises FileNotFoundError or ValueError if the shipped file is missing or changed.

    >>> ethanol = molecules()["ethanol"]
    >>> "".join(ethanol.symbols), ethanol.forces.shape
    ('CCOHHHHHH', torch.Size([12, 9, 3]))
    >>> float(ethanol.energies.max() - ethanol.energies.min()) < 1e-6
    True
    """
    content = _read_molecules(MOLECULES_FILE)
    return {name: _molecule(record, content, dtype) for name, record in content["molecules"].items()}


def _molecule(record: dict[str, Any], content: dict[str, Any], dtype: torch.dtype) -> Molecule:
    def stacked(key: str) -> torch.Tensor:
        return torch.tensor([pose[key] for pose in record["poses"]], dtype=dtype)

    mirrored = record["mirrored"]
    return Molecule(
        symbols=tuple(record["symbols"]),
        bonds=tuple((first, second) for first, second in record["bonds"]),
        angles=torch.tensor(content["angles"], dtype=dtype),
        positions=stacked("positions"),
        energies=stacked("energy"),
        forces=stacked("forces"),
        mirrored_positions=torch.tensor(mirrored["positions"], dtype=dtype),
        mirrored_energy=torch.tensor(mirrored["energy"], dtype=dtype),
        mirrored_forces=torch.tensor(mirrored["forces"], dtype=dtype),
        provenance=content["provenance"],
    )


def _read_molecules(path: Path) -> dict[str, Any]:
    remedy = (
        "Get the file back with `git checkout -- eqcourse/data/molecules.json` or by installing eqcourse again, "
        "or remake it with `eqcourse/data/make_molecules.py` (its first lines say how)."
    )
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"The molecules are missing: there is no file {path}. {remedy}") from None
    # git may have given the file Windows line ends; they change no number.
    found = hashlib.sha256(raw.replace(b"\r\n", b"\n")).hexdigest()
    if found != MOLECULES_SHA256:
        raise ValueError(
            f"The molecules in {path} are not those that this version of eqcourse was made with: "
            f"sha256 {found[:12]}…, expected {MOLECULES_SHA256[:12]}…. {remedy}"
        )
    content: dict[str, Any] = json.loads(raw)
    return content


def _shrink(image: torch.Tensor, height: int | None) -> torch.Tensor:
    """A (channels, height, width) image shrunk to the given height by averaging over areas."""
    full_height, full_width = image.shape[-2:]
    if height is None:
        return image
    if not 1 <= height <= full_height:
        raise ValueError(
            f"height={height} was asked for, but the image has {full_height} rows; give a height from 1 to {full_height}"
        )
    width = max(1, round(full_width * height / full_height))
    return torch.nn.functional.interpolate(image[None], size=(height, width), mode="area")[0]
