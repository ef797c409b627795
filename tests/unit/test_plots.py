"""What a figure says about itself is true: alternative text, fingerprint, and the difference at a square's corner."""

import base64
import io
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from eqcourse import datasets, plots
from eqcourse.plots import Corners, difference, draw_image, draw_molecule, draw_set, draw_text, draw_vector, fingerprint

rng = np.random.default_rng(0)
PICTURE = rng.random((5, 7))


def one(draw, *data):
    fig = Figure(figsize=(3, 2))
    draw(fig.subplots(), *data)
    return fig


def words(fig):
    """All text in a figure."""
    return [text.get_text() for text in fig.findobj(mpl.text.Text) if text.get_text()]


# --- publishing ---


def png(tag):
    return base64.b64decode(re.search(r"base64,([^\"]*)", tag)[1])


def test_the_tag_has_escaped_alternative_text_and_the_width_on_the_screen():
    tag = plots.image_tag(one(draw_image, PICTURE), 'x < y & "z"')
    assert 'alt="x &lt; y &amp; &quot;z&quot;"' in tag
    assert 'width="288"' in tag
    assert 'style="max-width:100%"' in tag
    header = png(tag)[16:24]
    assert (int.from_bytes(header[:4]), int.from_bytes(header[4:])) == (576, 384)


def test_the_background_is_white_and_opaque():
    fig = Figure(figsize=(1, 1), facecolor="none")
    pixels = plt.imread(io.BytesIO(png(plots.image_tag(fig, "nothing"))))
    assert (pixels == 1).all()


def test_the_same_figure_gives_the_same_bytes():
    tags = [plots.image_tag(one(draw_image, PICTURE), "noise") for _ in range(2)]
    assert tags[0] == tags[1]
    assert tags[0] != plots.image_tag(one(draw_image, PICTURE.T), "noise")


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_an_empty_alternative_text_is_refused(alt):
    with pytest.raises(ValueError, match="alternative text is empty"):
        plots.show(one(draw_image, PICTURE), alt)


def test_show_publishes_one_output_and_closes_the_figure(monkeypatch):
    bundles = []
    monkeypatch.setattr(plots, "publish", bundles.append)
    fig, ax = plt.subplots()
    draw_image(ax, PICTURE)
    plots.show(fig, "noise")
    (bundle,) = bundles
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"].startswith("noise\naxes 1: 1 image of 5×7, mean 0.")
    assert not plt.fignum_exists(fig.number)


def test_show_outside_a_notebook_prints_its_text(capsys):
    plots.show(one(draw_text, "hello"), "a greeting")
    assert capsys.readouterr().out == "a greeting\naxes 1: “hello”\n"


def test_style_and_figures_change_no_setting():
    before = dict(mpl.rcParams)
    with plots.style():
        assert mpl.rcParams["font.size"] == 10
    plots.act(PICTURE, PICTURE[::-1], draw_image)
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


# --- fingerprints ---


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x + 0.05,
        lambda x: x[::-1],
        lambda x: x[:, ::-1],
        lambda x: x.T,
        lambda x: x[:-1],
        lambda x: np.roll(x, 1, axis=1),
    ],
    ids=["brighter", "upside down", "mirrored", "transposed", "cropped", "shifted"],
)
def test_the_fingerprint_of_an_image_notices_a_change(change):
    assert fingerprint(one(draw_image, PICTURE)) != fingerprint(one(draw_image, change(PICTURE)))


def test_the_fingerprint_of_a_mirrored_photo_is_another():
    photo = datasets.photos(height=60)["temple"]
    assert fingerprint(one(draw_image, photo)) != fingerprint(one(draw_image, photo.flip(-1)))


def test_the_fingerprint_of_a_vector_notices_a_swap_and_a_sign():
    prints = {fingerprint(one(draw_vector, x)) for x in ([1, 2, 3], [2, 1, 3], [1, 2, -3], [3, 2, 1])}
    assert len(prints) == 4


def test_the_fingerprint_of_a_set_notices_its_labels():
    items = rng.random((2, 8, 8))
    prints = {fingerprint(one(draw_set, items, labels)) for labels in (None, [True, False], [False, True])}
    assert len(prints) == 3


def test_the_fingerprint_counts_lines_points_arrows_and_bars():
    fig = Figure()
    ax = fig.subplots()
    ax.plot([0, 1, 2])
    ax.plot([1, 1])
    ax.scatter([0, 1], [2, 4])
    ax.quiver([0, 1, 2], [0, 0, 0], [1, 1, 1], [0, 0, 3])
    ax.bar([0, 1], [5, 7])
    text = fingerprint(fig)
    for part in ["2 lines of 5 points, mean 1.000", "scatter of 2 points, mean 1.750", "3 arrows", "2 bars, mean 3.4"]:
        assert part in text
    assert fingerprint(fig, counts_only=True) == ("axes 1: 2 lines of 5 points; scatter of 2 points; 3 arrows; 2 bars")


def test_the_fingerprint_is_the_same_for_noise_below_its_digits_and_never_minus_zero():
    assert fingerprint(one(draw_vector, [1e-9, -1e-9])) == fingerprint(one(draw_vector, [0, 0]))
    assert "-0.000" not in fingerprint(one(draw_vector, [-1e-9, -1e-9]))


def test_the_fingerprint_survives_missing_values():
    fig = Figure()
    fig.subplots().plot([1, np.nan, 3])
    assert "mean 2.000" in fingerprint(fig)


# --- drawing ---


def test_a_vector_shows_value_and_number_of_each_cell():
    (ax,) = one(draw_vector, [1, -0.5, 0.25, -1e-9]).axes
    assert [text.get_text() for text in ax.texts] == ["1", "−0.5", "0.25", "0"]
    assert ax.get_xticks().tolist() == [0, 1, 2, 3]


def test_labels_are_told_by_signs_and_not_by_colour_alone():
    assert words(one(draw_set, np.zeros((3, 8, 8)), torch.tensor([False, True, False]))) == ["✓", "!", "✓"]


@pytest.mark.parametrize(
    ("draw", "data", "message"),
    [
        (draw_image, (np.zeros((4, 4, 3)),), r"has \(4, 4, 3\); move its last axis to the front"),
        (draw_image, (np.zeros(4),), r"or \(3, height, width\); this one has \(4,\)"),
        (plots.draw_mask, (np.zeros((1, 4, 4)),), r"this one has the shape \(1, 4, 4\)"),
        (draw_vector, (np.zeros(13),), "Use draw_image"),
        (draw_vector, (np.zeros((2, 2)),), "Use draw_image"),
        (draw_set, (np.zeros((3, 8, 8)), [True]), "3 items and 1 labels"),
        (draw_set, (np.zeros((8, 8)),), r"shape \(n, height, width\)"),
        (draw_molecule, ("OH", np.zeros((2, 2)), []), r"positions should be \(2, 3\), not \(2, 2\)"),
        (draw_molecule, ("OH", np.zeros((2, 3)), [], np.zeros((3, 3))), r"forces should be \(2, 3\), not \(3, 3\)"),
    ],
)
def test_data_that_do_not_fit_are_refused(draw, data, message):
    with pytest.raises(ValueError, match=message):
        one(draw, *data)


def test_all_poses_of_a_molecule_are_drawn_to_one_scale():
    ethanol = datasets.molecules()["ethanol"]
    limits, units = set(), set()
    for positions, forces in zip(ethanol.positions, ethanol.forces, strict=True):
        fig = one(draw_molecule, ethanol.symbols, positions, ethanol.bonds, forces)
        limits.add(round(fig.axes[0].get_xlim()[1], 5))
        units.add(words(fig)[-1])
    assert len(limits) == 1
    assert units == {"2 eV/Å"}


def test_the_nearer_atom_is_drawn_over_the_further_one():
    (ax,) = one(draw_molecule, ["O", "H"], [[0.2, 0, 1], [0, 0, -1]], []).axes
    assert ax.collections[1].get_offsets().tolist() == [[0, 0], [0.2, 0]]


def test_tensors_that_require_gradients_can_be_drawn():
    assert "mean 1.000" in fingerprint(one(draw_vector, torch.ones(3, requires_grad=True)))


def test_values_beyond_the_unit_interval_are_clipped_without_a_word(caplog):
    one(draw_image, 3 * rng.random((3, 4, 4)) - 1)
    assert not caplog.records


# --- squares and triangles ---


def double(x):
    return 2 * x


def reverse(x):
    return x.flip(0)


def rise(x):
    return x * torch.tensor([1.0, 2, 3])


X = torch.tensor([1.0, 2, 4])


def test_a_commuting_square_says_so():
    fig = plots.square(double, reverse, reverse, X, draw_in=draw_vector, draw_out=draw_vector)
    assert {"=", "max |difference| 0"} <= set(words(fig))
    assert "≠" not in words(fig)


def test_a_square_that_does_not_commute_says_by_how_much():
    # f(g▷x) = (4, 2, 1) · (1, 2, 3) = (4, 4, 3); g▷f(x) = reverse of (1, 4, 12) = (12, 4, 1)
    fig = plots.square(rise, reverse, reverse, X, draw_in=draw_vector, draw_out=draw_vector)
    assert {"≠", "max |difference| 8"} <= set(words(fig))
    corners = [ax.images[0].get_array().ravel().tolist() for ax in fig.axes]
    assert corners == [[1, 2, 4], [4, 2, 1], [1, 4, 12], [4, 4, 3], [12, 4, 1]]
    assert [ax.get_title() for ax in fig.axes] == ["x", "g▷x", "f(x)", "f(g▷x)", "g▷f(x)"]


def test_a_square_of_given_corners_draws_them():
    corners = Corners("A", "B", "C", "D", "E")
    fig = plots.square(corners=corners, draw_in=draw_text, draw_out=draw_text, g_in_label="left", g_out_label="right")
    assert fingerprint(fig) == "\n".join(f"axes {i}: “{letter}”" for i, letter in enumerate("ABCDE", start=1))
    assert {"≠", "the same: no", "left", "right"} <= set(words(fig))


def test_a_square_needs_maps_or_corners_and_not_both():
    corners = Corners(1, 2, 3, 4, 5)
    with pytest.raises(ValueError, match=r"needs f, g_in, g_out and x, or corners"):
        plots.square(double, reverse, draw_in=draw_vector, draw_out=draw_vector)
    with pytest.raises(ValueError, match="both maps and corners"):
        plots.square(double, corners=corners, draw_in=draw_vector, draw_out=draw_vector)


def test_the_triangle_draws_one_output_if_it_is_shared_and_two_if_not():
    shared = plots.triangle(torch.sum, reverse, X, draw_vector, draw_text)
    assert [ax.get_title() for ax in shared.axes] == ["x", "g▷x", "f(x) = f(g▷x)"]
    split = plots.triangle(lambda x: x[0], reverse, X, draw_vector, draw_text)
    assert [ax.get_title() for ax in split.axes] == ["x", "g▷x", "f(x)", "f(g▷x)"]
    assert {"≠", "max |difference| 3"} <= set(words(split))


@pytest.mark.parametrize(
    ("a", "b", "same", "text"),
    [
        (torch.tensor([1.0, -2]), torch.tensor([1.0, -2.25]), False, "max |difference| 0.25 K"),
        (1e3, 1e3 + 1e-3, True, "max |difference| 0.001 K"),
        (1e-3, 2e-3, False, "max |difference| 0.001 K"),
        (np.array([1, 2, 3]), np.array([3, 2, 1]), False, "2 of 3 differ"),
        (torch.tensor([True]), torch.tensor([True]), True, "0 of 1 differ"),
        (True, False, False, "the same: no"),
        ("flower", "flower", True, "the same: yes"),
    ],
)
def test_difference(a, b, same, text):
    assert difference(a, b, unit="K") == (same, text)


def test_nan_and_infinity_are_never_the_same():
    assert not difference([float("nan")], [float("nan")]).same
    assert not difference([float("inf")], [1.0]).same


def test_results_of_different_shapes_cannot_be_compared():
    with pytest.raises(ValueError, match=r"different shapes, \(2,\) and \(3,\)"):
        difference(np.zeros(2), np.zeros(3))


# --- partition ---


def test_the_partition_holds_every_image_once_and_every_name():
    images = rng.random((6, 4, 4))
    fig = plots.partition([[images[:2], images[2:4]], [images[4:]]], names=["ones", "twos"], title="All images")
    (ax,) = fig.axes
    drawn = np.stack([image.get_array() for image in ax.images])
    assert np.array_equal(drawn, images)
    assert {"ones", "twos", "All images"} <= set(words(fig))
    # Poses of one orbit stand side by side, another instance below, another class to the right.
    places = [tuple(image.get_extent()) for image in ax.images]
    (left, _, bottom, _), (right, _, same_bottom, _), (_, _, below, _) = places[:3]
    assert right > left
    assert same_bottom == bottom > below
    assert min(place[0] for place in places[4:]) > max(place[1] for place in places[:4])


@pytest.mark.parametrize(
    ("classes", "names", "message"),
    [
        ([[[PICTURE]]], ["a", "b"], "1 classes and 2 names"),
        ([], [], "at least one class"),
        ([[]], ["a"], "one orbit in each class"),
        ([[[]]], ["a"], "one image in each orbit"),
    ],
)
def test_a_partition_with_nothing_in_it_is_refused(classes, names, message):
    with pytest.raises(ValueError, match=message):
        plots.partition(classes, names)
