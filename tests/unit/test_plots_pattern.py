"""The pictures of weight sharing patterns and of tensors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from eqcourse import intertwiners, plots
from eqcourse.groups import CyclicGroup, SymmetricGroup
from eqcourse.representations import outer


def space_of(order_in=1, order_out=1, n=5):
    V = SymmetricGroup(n).defining()
    return intertwiners(V**order_in, V**order_out)


def sign_twist(n=3):
    G = SymmetricGroup(n)
    return intertwiners(G.defining(), (G.defining() * G.sign()).flatten())


def test_cells_with_one_number_have_one_colour_and_others_another():
    space = space_of(2, 2)
    fig = plots.pattern(space)
    pixels = np.asarray(fig.axes[0].images[0].get_array())
    colours = {}
    for place, label in np.ndenumerate(space.pattern.numpy()):
        colours.setdefault(int(label), set()).add(tuple(pixels[place]))
    assert len(colours) == 15
    assert all(len(found) == 1 for found in colours.values())
    assert len(set.union(*colours.values())) == 15


def test_each_cell_shows_its_number_and_sign():
    fig = plots.pattern(sign_twist())
    texts = {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in fig.axes[0].texts}
    assert texts == {(0, 1): "0", (0, 2): "−0", (1, 0): "−0", (1, 2): "0", (2, 0): "0", (2, 1): "−0"}
    pixels = np.asarray(fig.axes[0].images[0].get_array())
    assert (pixels[np.eye(3, dtype=bool)] == 1).all(), "forced zeros are white"
    assert "not a weight" in fig.axes[0].get_xlabel()
    assert plots.pattern(space_of()).axes[0].get_xlabel() == ""


def test_block_lines_stand_between_blocks():
    V2, V3, V4 = (SymmetricGroup(n).defining() for n in (2, 3, 4))
    table = outer(V2, V3, V4)
    fig = plots.pattern(intertwiners(table, table))
    places = {float(line.get_ydata()[0]) for line in fig.axes[0].lines if len(set(line.get_ydata())) == 1}
    assert places == {4 * k - 0.5 for k in range(1, 6)}
    V = SymmetricGroup(3).defining()
    both = plots.pattern(intertwiners(V + V.group.trivial(), V))
    assert {float(line.get_xdata()[0]) for line in both.axes[0].lines if len(set(line.get_xdata())) == 1} == {2.5}


def test_highlight_keeps_one_colour_and_fades_the_others():
    space = space_of(2, 2)
    pixels = np.asarray(plots.pattern(space, highlight=3).axes[0].images[0].get_array())
    chosen = space.pattern.numpy() == 3
    assert (pixels[chosen] == to_rgb(plots.PALETTE[1])).all()
    assert pixels[~chosen].min() > 0.8
    with pytest.raises(ValueError, match="numbered 0 to 14"):
        plots.pattern(space, highlight=15)
    with pytest.raises(ValueError, match="has no orbits"):
        plots.pattern(sign_twist(4), highlight=0)


def test_many_orbits_are_numbered_and_pale():
    fig = plots.pattern(space_of(2, 3, n=3))
    assert len({tuple(p) for p in np.asarray(fig.axes[0].images[0].get_array()).reshape(-1, 3)}) == 1
    assert len(fig.axes[0].texts) == 27 * 9


def test_cells_without_colour_and_number_are_explained():
    def note(n, **how):
        shift = CyclicGroup(n).regular()
        return plots.pattern(intertwiners(shift, shift), **how).axes[0].get_xlabel()

    assert "Too many weights" in note(31)
    assert note(30) == note(31, highlight=3) == ""


@pytest.mark.parametrize("space", [sign_twist(3), sign_twist(40), intertwiners(*[CyclicGroup(64).regular()] * 2)])
def test_title_and_note_are_inside_the_picture(space):
    fig = plots.pattern(space)
    fig.draw_without_rendering()
    for words in (fig.axes[0].title, fig.axes[0].xaxis.label):
        box = words.get_window_extent()
        assert box.y0 >= 0
        assert box.y1 <= fig.bbox.height


def test_a_fine_pattern_is_refused():
    shift = CyclicGroup(1025).regular()
    with pytest.raises(ValueError, match="too fine to draw"):
        plots.pattern(intertwiners(shift, shift))


def test_words_and_equations():
    assert plots.describe_pattern(sign_twist()).endswith("Entries of each weight: 6. 3 entries are forced to zero.")
    assert plots.pattern_equations(sign_twist()) == [
        "w0 = W[0,1] = −W[0,2] = −W[1,0] = W[1,2] = W[2,0] = −W[2,1]",
        "0 = W[0,0] = W[1,1] = W[2,2]",
    ]
    with pytest.raises(ValueError, match="at most 9 × 9"):
        plots.pattern_equations(space_of(2, 2))


def test_a_notebook_shows_the_picture():
    bundle = space_of()._repr_mimebundle_()
    assert bundle["text/html"].startswith('<img alt="Weight sharing pattern, 5 rows')
    assert bundle["text/plain"].startswith("2-dimensional space of equivariant maps from R⁵ to R⁵ of S_5")


def test_palettes_stay_apart_under_colour_blindness():
    """Least OKLab distance × 100 over normal and three simulated visions (Machado et al. 2009): at least 8."""
    visions = [
        np.eye(3),
        np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
        np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
        np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
    ]
    to_cone = np.array([[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]])
    to_lab = np.array([[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]])
    for palette in (plots.PALETTE, plots.PALETTE_15):
        rgb = np.array([to_rgb(colour) for colour in palette])
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        for vision in visions:
            lab = np.cbrt(np.clip(linear @ vision.T, 0, 1) @ to_cone.T) @ to_lab.T
            assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab, 2)) > 0.08


def test_arrays_of_one_to_three_axes():
    for shape in [(4,), (4, 4)]:
        fig, ax = plots.plt.subplots()
        plots.draw_array(ax, torch.arange(4 ** len(shape)).reshape(shape))
        assert np.asarray(ax.images[0].get_array()).size == 4 ** len(shape)
        plots.plt.close(fig)
    fig, ax = plots.plt.subplots()
    x = np.arange(27).reshape(3, 3, 3)
    plots.draw_array(ax, x)
    front, top, right = (c.get_array().reshape(3, 3) for c in ax.collections)
    assert (front == x[:, :, 0]).all()
    assert (top.reshape(3, 3) == x[0]).all()
    assert (right == x[:, -1]).all()
    with pytest.raises(ValueError, match="equal axes"):
        plots.draw_array(ax, np.zeros((2, 3)))
    with pytest.raises(ValueError, match="equal axes"):
        plots.draw_array(ax, [])
    plots.plt.close(fig)
