"""Real data for the lessons. It ships with scikit-learn, scikit-image or this package; nothing is downloaded."""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

__all__ = [
    "DANGEROUS_DIGITS",
    "Conformations",
    "DigitsOnPhotos",
    "LabelledImages",
    "LabelledSignals",
    "Luggage",
    "Molecule",
    "TurnedFrames",
    "augmentation_study",
    "check_molecule",
    "conformations",
    "digits",
    "digits_on_photos",
    "faces",
    "horse",
    "luggage",
    "mnist1d",
    "molecules",
    "photos",
    "rotation_study",
    "shift_study",
]

MOLECULES_FILE = Path(__file__).parent / "data" / "molecules.json"
MOLECULES_SHA256 = "37bf72fa1bc82ffbd2adb6b633bcd4ed108b8a455522abf9f9abb0bb8275f0f7"
CONFORMATIONS_FILE = Path(__file__).parent / "data" / "conformations.npz"
CONFORMATIONS_SHA256 = "b9b2fe988fae70e993b2ba30fa7e32d4312ad67201958a746a3984d4e73f6375"
STUDY_FILE = Path(__file__).parent / "data" / "augmentation_study.json"
STUDY_SHA256 = "267889ac3175d18eae3500a1be3a9784e67075c5ec4e0ffe513baea1834b86fb"
MNIST1D_FILE = Path(__file__).parent / "data" / "mnist1d.npz"
MNIST1D_SHA256 = "9dd2529fa1b9fcf5dbcb5dd87123df4ea5df1dfb8c76a44e6be2b9b02f58e9f9"
ROTATION_STUDY_FILE = Path(__file__).parent / "data" / "rotation_study.json"
ROTATION_STUDY_SHA256 = "d4134473d62c73d8120d64467107eff063f9ba535fe3c279aa1523eef819afdb"
SHIFT_STUDY_FILE = Path(__file__).parent / "data" / "shift_study.json"
SHIFT_STUDY_SHA256 = "55d5e90862b959977d32623184a993ffb517369d306976dbb78f82b9f626579c"

# Scenes of `digits_on_photos`: pixels, and fractions of full brightness.
SCENE, GLYPH = 24, 16
PHOTO_HEIGHT = 160
MILK = 0.4
INK = 0.15
SHADOW = 0.6
SHADOW_DOWN, SHADOW_RIGHT = 1, 3
# Which digits, and which columns of the photographs, belong to training and to testing.
PARTS = {"train": (slice(0, 1200), (0, 144)), "test": (slice(1200, 1797), (144, 240))}

# Atomic number and covalent radius in Å (Cordero et al., Dalton Trans. 2008, 2832).
ELEMENTS = {
    "H": (1, 0.31),
    "B": (5, 0.84),
    "C": (6, 0.76),
    "N": (7, 0.71),
    "O": (8, 0.66),
    "F": (9, 0.57),
    "Si": (14, 1.11),
    "P": (15, 1.07),
    "S": (16, 1.05),
    "Cl": (17, 1.02),
    "Br": (35, 1.20),
    "I": (53, 1.39),
}
# How many of the unit make one ångström.
LENGTH_UNITS = {"bohr": 1.8897, "nm": 0.1, "pm": 100.0}

DANGEROUS_DIGITS = (1, 4, 7)
"""The digit classes that `luggage` declares dangerous: the pointed ones."""


class LabelledImages(NamedTuple):
    """Images and their labels."""

    images: torch.Tensor
    """(number, height, width), values in [0, 1]"""
    labels: torch.Tensor
    """(number,), int64"""


class LabelledSignals(NamedTuple):
    """Signals and their labels."""

    signals: torch.Tensor
    """(number, places), about mean 0 and variance 1"""
    labels: torch.Tensor
    """(number,), int64"""


class DigitsOnPhotos(NamedTuple):
    """Pictures of one digit each on a glass door, where its strokes are, and which digit it is."""

    images: torch.Tensor
    """(number, 3, 24, 24), values in [0, 1]"""
    masks: torch.Tensor
    """(number, 24, 24), bool: the strokes, without their shadow"""
    labels: torch.Tensor
    """(number,), int64, 0 to 9"""


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


@dataclass(frozen=True)
class TurnedFrames:
    """Frames of a molecule after a rotation or a reflection, with energies and forces computed anew there."""

    frames: torch.Tensor
    """(m,), int64: which of the frames they are"""
    matrices: torch.Tensor
    """(m, 3, 3): row k of `positions` is positions[frames[k]] @ matrices[k].T"""
    positions: torch.Tensor
    """(m, n, 3), Å"""
    energies: torch.Tensor
    """(m,), eV"""
    forces: torch.Tensor
    """(m, n, 3), eV/Å"""


@dataclass(frozen=True)
class Conformations:
    """A molecule as it moves at a temperature: frames in order of time; the origin is its centre of mass."""

    symbols: tuple[str, ...]
    """chemical symbols of the n atoms"""
    numbers: torch.Tensor
    """(n,), int64: atomic numbers"""
    bonds: tuple[tuple[int, int], ...]
    """pairs of atom numbers"""
    positions: torch.Tensor
    """(frames, n, 3), Å"""
    energies: torch.Tensor
    """(frames,), eV"""
    forces: torch.Tensor
    """(frames, n, 3), eV/Å"""
    times: torch.Tensor
    """(frames,), fs"""
    train: torch.Tensor
    """frames for training, int64: the early ones"""
    test: torch.Tensor
    """frames for testing, int64: the late ones, 1.5 ps after the last one for training"""
    rotated: TurnedFrames
    """100 test frames, each under a random rotation"""
    reflected: TurnedFrames
    """the same 100 test frames, each under −1 times a random rotation"""
    temperature: float
    """K"""
    provenance: dict[str, Any]
    """who computed what, how, when, with which versions; and the checks of the physics"""


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


def digits_on_photos(seed: int, count: int, part: str = "train", dtype: torch.dtype = torch.float32) -> DigitsOnPhotos:
    """Digits written in dark ink on a milky glass door, seen from the side where they read well; strokes as masks.

    Behind the glass is a piece of one of the two `photos`, mixed with 40 % white. On it stands one handwritten digit,
    16 × 16 pixels, at a random place. The sun stands to the left: a shadow, which takes 60 % of the light, falls one
    pixel below and three to the right of each stroke. From the other side of the door all of it is mirrored:
    `images.flip(-1)` and `masks.flip(-1)`, with the same labels.

    `part` is "train" or "test": other digits and other parts of the photographs. The same seed gives the same
    pictures. The masks are where the ink covers more than half of a pixel. Raises ValueError for a count below 1 and
    for another part.

    >>> images, masks, labels = digits_on_photos(seed=0, count=5)
    >>> images.shape, masks.shape, labels.shape
    (torch.Size([5, 3, 24, 24]), torch.Size([5, 24, 24]), torch.Size([5]))
    """
    if count < 1:
        raise ValueError(f"digits_on_photos got count={count}; give the number of pictures, at least 1")
    if part not in PARTS:
        raise ValueError(f'digits_on_photos got part={part!r}; give "train" or "test"')
    which, (left, right) = PARTS[part]
    generator = torch.Generator().manual_seed(seed)

    def below(bound: int) -> torch.Tensor:
        return torch.randint(bound, (count,), generator=generator)

    backgrounds = torch.stack(list(photos(PHOTO_HEIGHT, dtype).values()))
    rows, columns = below(PHOTO_HEIGHT - SCENE + 1), left + below(right - left - SCENE + 1)
    scenes = _cut(backgrounds[below(len(backgrounds))], rows, columns, SCENE)
    scenes = scenes * (1 - MILK) + MILK

    glyphs, labels = (values[which] for values in digits(dtype))
    chosen = below(len(glyphs))
    strokes = torch.nn.functional.interpolate(glyphs[chosen, None], size=(GLYPH, GLYPH), mode="bicubic")
    strokes = ((strokes - 0.3) / 0.3).clamp(0, 1)
    # A wide empty frame around each digit: cutting out of it puts the digit somewhere.
    free = SCENE - GLYPH
    framed = torch.nn.functional.pad(strokes, (free + SHADOW_RIGHT, free, free + SHADOW_DOWN, free))
    up, back = below(free + 1), below(free + 1)
    ink = _cut(framed, up + SHADOW_DOWN, back + SHADOW_RIGHT, SCENE)
    shadow = _cut(framed, up, back, SCENE)
    images = scenes * (1 - SHADOW * shadow) * (1 - ink) + INK * ink
    return DigitsOnPhotos(images, ink[:, 0] > 0.5, labels[chosen])


def _cut(images: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor, size: int) -> torch.Tensor:
    """From each of the images (count, channels, H, W) the square whose upper left corner is at its row and column."""
    steps = torch.arange(size)
    which = torch.arange(len(images))[:, None, None]
    cut = images[which, :, (rows[:, None] + steps)[:, :, None], (columns[:, None] + steps)[:, None, :]]
    return cut.movedim(-1, 1).contiguous()


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


def mnist1d(part: str, dtype: torch.dtype = torch.float32) -> LabelledSignals:
    """MNIST-1D: curves that stand for the ten digits, at random places of a noisy signal of 40 numbers, with labels 0 to 9.

    `part` is "train", 4000 signals, or "test", 1000. They were made with the generator of its authors (Greydanus and Kobak
    2024, Apache License 2.0), with their arguments, by `eqcourse/data/make_mnist1d.py`; three digits of each number are
    stored. Raises ValueError for another part; FileNotFoundError or ValueError if the shipped file is missing or changed.

    >>> signals, labels = mnist1d("test")
    >>> signals.shape, labels[:5].tolist()
    (torch.Size([1000, 40]), [2, 6, 3, 9, 4])
    """
    if part not in ("train", "test"):
        raise ValueError(f'mnist1d got part={part!r}; give "train" or "test"')
    raw = _read_shipped(MNIST1D_FILE, MNIST1D_SHA256, "signals of MNIST-1D", "make_mnist1d.py")
    with np.load(io.BytesIO(raw)) as arrays:
        signals, labels = arrays[f"{part}_signals"], arrays[f"{part}_labels"]
    return LabelledSignals(torch.from_numpy(signals).to(dtype), torch.from_numpy(labels).to(torch.int64))


def rotation_study() -> dict[str, Any]:
    """The full-size study of lesson 18, as `eqcourse/data/make_rotation_study.py` has made it, which defines each number.

    "learners" holds for each network its number of weights, and for both ways of training ("upright" and "turned") one
    record for each of five seeds: the shares of test digits named right "at" each of the "angles", and at "any" angle.
    Raises FileNotFoundError or ValueError if the shipped file is missing or changed.

    >>> study = rotation_study()
    >>> list(study["learners"]), len(study["learners"]["C_4"]["upright"])
    (['plain', 'C_4', 'SO(2)'], 5)
    """
    raw = _read_shipped(
        ROTATION_STUDY_FILE, ROTATION_STUDY_SHA256, "numbers of lesson 18's study", "make_rotation_study.py"
    )
    content: dict[str, Any] = json.loads(raw)
    return content


def shift_study() -> dict[str, Any]:
    """The full-size study of lesson 11, as `eqcourse/data/make_shift_study.py` has made it, which defines each number.

    "results" is a list with a record for each learner: its parameters, and shares of training and of test signals named
    right, one for each of five seeds. "provenance" stands beside it. Raises FileNotFoundError or ValueError if the shipped
    file is missing or changed.

    >>> study = shift_study()
    >>> study["results"][0]["learner"], len(study["results"][0]["shifted"])
    ('circulant', 5)
    """
    raw = _read_shipped(SHIFT_STUDY_FILE, SHIFT_STUDY_SHA256, "numbers of lesson 11's study", "make_shift_study.py")
    content: dict[str, Any] = json.loads(raw)
    return content


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


def conformations(name: str = "ethanol", dtype: torch.dtype = torch.float64) -> Conformations:
    """Ethanol, methylamine or ammonia in motion at 500 K: 1500, 600 and 600 frames; see `Conformations`.

    Energies (eV) and forces (eV/Å) are semi-empirical: GFN2-xTB (Bannwarth, Ehlert, Grimme 2019), from molecular
    dynamics by `eqcourse/data/make_conformations.py`, which says how. Each frame was laid on the first one before its
    energy and forces were computed: all frames have about one orientation, and only `rotated` and `reflected` have
    others. No force was ever turned. A frame's energy hardly knows the previous one (correlation 0.05 to 0.16 over
    75 fs); the slow turning of ethanol's O–H about its C–O bond does (0.4). The numbers are stored as float64 with
    eight decimals; the forces equal −dE/dx to 3e-7 eV/Å. In float32 an energy of −310 eV keeps three decimals:
    subtract the mean of the training energies before you convert. Raises ValueError for another name;
    FileNotFoundError or ValueError if the shipped file is missing or changed.

    >>> ethanol = conformations("ethanol")
    >>> "".join(ethanol.symbols), ethanol.forces.shape, len(ethanol.train), len(ethanol.test)
    ('CCOHHHHHH', torch.Size([1500, 9, 3]), 1000, 500)
    >>> error = ethanol.rotated.energies - ethanol.energies[ethanol.rotated.frames]
    >>> bool(error.abs().max() < 1e-6)
    True
    """
    raw = _read_shipped(CONFORMATIONS_FILE, CONFORMATIONS_SHA256, "conformations", "make_conformations.py")
    with np.load(io.BytesIO(raw)) as arrays:
        names = [key.removesuffix("/symbols") for key in arrays if key.endswith("/symbols")]
        if name not in names:
            raise ValueError(f"there are no conformations of {name!r}; there are some of {', '.join(names)}")

        def tensor(key: str) -> torch.Tensor:
            return torch.from_numpy(arrays[f"{name}/{key}"]).to(dtype)

        def turned(kind: str) -> TurnedFrames:
            frames = torch.from_numpy(arrays[f"{name}/{kind}/of"]).to(torch.int64)
            matrices, positions = tensor(f"{kind}/matrices"), tensor(f"{kind}/positions")
            return TurnedFrames(frames, matrices, positions, tensor(f"{kind}/energies"), tensor(f"{kind}/forces"))

        provenance = json.loads(str(arrays["provenance"]))
        symbols = tuple(map(str, arrays[f"{name}/symbols"]))
        frames = torch.arange(len(arrays[f"{name}/times"]))
        train_frames = int(arrays[f"{name}/train_frames"])
        return Conformations(
            symbols=symbols,
            numbers=torch.tensor([ELEMENTS[symbol][0] for symbol in symbols]),
            bonds=tuple((int(first), int(second)) for first, second in arrays[f"{name}/bonds"]),
            positions=tensor("frames/positions"),
            energies=tensor("frames/energies"),
            forces=tensor("frames/forces"),
            times=tensor("times"),
            train=frames[:train_frames],
            test=frames[train_frames:],
            rotated=turned("rotated"),
            reflected=turned("reflected"),
            temperature=float(provenance["temperature"]),
            provenance=provenance,
        )


def augmentation_study() -> dict[str, Any]:
    """The full-size study of lesson 06, as `eqcourse/data/make_augmentation_study.py` has made it, which defines each number.

    "results" is a list with a record for each order of the training data, learner and size; its numbers are lists with
    one entry for each of ten networks. "sizes", "parameters" of each learner, and "provenance" stand beside it. Raises
    FileNotFoundError or ValueError if the shipped file is missing or changed.

    >>> study = augmentation_study()
    >>> study["parameters"]["plain"], sorted(study["results"][0])[:2], len(study["results"][0]["error"])
    (369, ['error', 'error, longest first'], 10)
    """
    raw = _read_shipped(STUDY_FILE, STUDY_SHA256, "numbers of lesson 06's study", "make_augmentation_study.py")
    content: dict[str, Any] = json.loads(raw)
    return content


def check_molecule(symbols: Sequence[str], positions: torch.Tensor) -> None:
    """Raise a ValueError unless positions (..., n, 3) in Å are those of a molecule of these n atoms.

    Refused are other shapes, fewer than two atoms, NaN and infinity, coincident atoms, and lengths that cannot be in Å:
    the median distance of an atom to its nearest neighbour is 0.7 to 1.5 times the sum of their covalent radii
    (Cordero et al. 2008), else the error guesses the unit. Raises TypeError if the positions are no floating-point
    tensor.

    >>> water = molecules()["water"]
    >>> check_molecule(water.symbols, water.positions)
    >>> try:
    ...     check_molecule(water.symbols, water.positions / 10)
    ... except ValueError as error:
    ...     print(str(error).split(": ")[1])
    the positions look like nm; in Å they are positions / 0.1
    """
    if not isinstance(positions, torch.Tensor) or not positions.is_floating_point():
        given = positions.dtype if isinstance(positions, torch.Tensor) else type(positions).__name__
        raise TypeError(f"positions must be a floating-point tensor (..., n, 3) in Å, got {given}")
    n = len(symbols)
    if positions.ndim < 2 or tuple(positions.shape[-2:]) != (n, 3) or not positions.numel():
        raise ValueError(
            f"positions of {n} atoms ({' '.join(symbols)}) have the shape (..., {n}, 3), got {tuple(positions.shape)}"
        )
    if n < 2:
        raise ValueError(
            f"a molecule has at least two atoms, got {n}: one atom alone has no distances and feels no force"
        )
    unknown = sorted(set(symbols) - ELEMENTS.keys())
    if unknown:
        raise ValueError(f"unknown chemical symbols {', '.join(unknown)}; known are {', '.join(ELEMENTS)}")
    positions = positions.detach()
    if not positions.isfinite().all():
        raise ValueError("positions contain NaN or infinity: look for it with positions.isfinite().all(dim=-1)")
    frames = positions.reshape(-1, n, 3)
    distances = torch.linalg.vector_norm(frames[:, :, None] - frames[:, None], dim=-1)
    distances = distances + torch.diag(torch.full((n,), torch.inf, dtype=frames.dtype, device=frames.device))
    if distances.min() < 1e-3:
        frame, first, second = (int(i) for i in (distances < 1e-3).nonzero()[0])
        raise ValueError(
            f"atoms {first} ({symbols[first]}) and {second} ({symbols[second]}) of frame {frame} lie on one point: "
            "no force is defined there; were the positions copied or rounded?"
        )
    nearest, neighbour = distances.min(dim=-1)
    radii = torch.tensor([ELEMENTS[symbol][1] for symbol in symbols], dtype=frames.dtype, device=frames.device)
    ratio = float((nearest / (radii + radii[neighbour])).median())
    if not 0.7 <= ratio <= 1.5:
        unit = min(LENGTH_UNITS, key=lambda unit: abs(np.log(ratio / LENGTH_UNITS[unit])))
        per = LENGTH_UNITS[unit]
        guess = f"the positions look like {unit}; in Å they are positions / {per:g}"
        if not 0.7 <= ratio / per <= 1.5:
            guess = "convert the positions to Å"
        raise ValueError(
            f"nearest neighbours are typically {float(nearest.median()):.3g} apart, {ratio:.2f} times a bond of these "
            f"atoms in Å: {guess}"
        )


def _read_molecules(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(_read_shipped(path, MOLECULES_SHA256, "molecules", "make_molecules.py"))
    return content


def _read_shipped(path: Path, sha256: str, what: str, script: str) -> bytes:
    """The content of a file in `eqcourse/data/`, its checksum verified."""
    remedy = (
        f"Get the file back with `git checkout -- eqcourse/data/{path.name}` or by installing eqcourse again, "
        f"or remake it with `eqcourse/data/{script}` (its first lines say how)."
    )
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"The {what} are missing: there is no file {path}. {remedy}") from None
    # git may have given a text file Windows line ends; they change no number.
    if path.suffix == ".json":
        raw = raw.replace(b"\r\n", b"\n")
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise ValueError(
            f"The {what} in {path} are not those that this version of eqcourse was made with: "
            f"sha256 {found[:12]}…, expected {sha256[:12]}…. {remedy}"
        )
    return raw


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
