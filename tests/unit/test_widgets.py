"""Controls redraw, errors are shown, and what is published says the same on every run."""

import matplotlib.pyplot as plt
import pytest
from ipywidgets import Checkbox, Dropdown, FloatSlider, IntSlider, IntText

from eqcourse import widgets
from eqcourse.widgets import build, explore


def draw(power, mirrored=False):
    fig, ax = plt.subplots(figsize=(2, 1))
    xs = range(-4, 5)
    ax.plot(xs, [(-x if mirrored else x) ** power for x in xs])
    return fig


def describe(power, mirrored=False):
    return f"{'minus x' if mirrored else 'x'} to the power {power}"


@pytest.fixture
def published(monkeypatch):
    bundles = []
    monkeypatch.setattr(widgets, "publish", bundles.append)
    return bundles


def test_controls_come_from_abbreviations_in_order_with_readable_descriptions():
    box = build(
        lambda **values: plt.figure(figsize=(1, 1)),
        lambda **values: "empty",
        how_many=(1, 4),
        angle=(0.0, 90.0, 15.0),
        group=[("rotations", "C4"), ("mirrors", "C2")],
        mirrored=False,
        seed=IntText(3, description="random seed"),
    )
    *controls, _ = box.children
    assert [type(control) for control in controls] == [IntSlider, FloatSlider, Dropdown, Checkbox, IntText]
    assert [control.description for control in controls] == ["how many", "angle", "group", "mirrored", "random seed"]


def test_a_slider_redraws_once_it_is_let_go_and_only_for_a_new_value():
    drawn = []

    def spy(power):
        drawn.append(power)
        return draw(power)

    slider, view = build(spy, describe, power=(1, 3)).children
    assert slider.continuous_update is False
    before = view.value
    slider.value = 3
    assert 'alt="x to the power 3"' in view.value
    assert view.value != before
    slider.value = 3
    assert drawn == [2, 3]


def test_the_picture_is_that_of_all_controls():
    slider, checkbox, view = build(draw, describe, power=(1, 3), mirrored=False).children
    checkbox.value = True
    slider.value = 3
    _, _, fresh = build(draw, describe, power=IntSlider(3), mirrored=True).children
    assert view.value == fresh.value


def test_figures_are_closed_even_if_describing_them_fails():
    open_before = plt.get_fignums()
    slider, _ = build(draw, lambda power: 1 / 0, power=(1, 3)).children
    slider.value = 3
    assert plt.get_fignums() == open_before


def test_an_error_stands_in_the_place_of_the_picture_until_it_is_mended():
    def fussy(power):
        if power == 2:
            raise ValueError("no <even> powers & such")
        return draw(power)

    slider, view = build(fussy, describe, power=(1, 3)).children
    assert "There is no picture for power = 2.\nValueError: no &lt;even&gt; powers &amp; such" in view.value
    assert "<img" not in view.value
    slider.value = 3
    assert view.value.startswith("<img")


def test_what_is_published(published):
    explore(draw, describe, frames=[{"power": 1}, {"power": 3, "mirrored": True}], power=(1, 3), mirrored=False)
    (bundle,) = published
    assert bundle["text/plain"] == (
        "power = 1, mirrored = no: x to the power 1\npower = 3, mirrored = yes: minus x to the power 3"
    )
    assert bundle["text/html"].count("<img") == 2
    assert "<figcaption>power = 3, mirrored = yes</figcaption>" in bundle["text/html"]
    assert set(bundle["application/vnd.jupyter.widget-view+json"]) == {"version_major", "version_minor", "model_id"}
    explore(draw, describe, frames=[{"power": 1}, {"power": 3, "mirrored": True}], power=(1, 3), mirrored=False)
    assert {k: v for k, v in published[1].items() if "widget" not in k} == {
        k: v for k, v in bundle.items() if "widget" not in k
    }


def test_frames_leave_the_controls_where_they_were(published):
    slider = IntSlider(2, 1, 3)
    explore(draw, describe, frames=[{"power": 1}, {"power": 3}], power=slider)
    assert slider.value == 2


def test_a_choice_is_captioned_by_its_label_and_not_by_its_address(published):
    choices = [("twice", lambda x: 2 * x), ("thrice", lambda x: 3 * x)]
    explore(lambda f: draw(f(1)), lambda f: describe(f(1)), frames=[{"f": choice} for _, choice in choices], f=choices)
    assert published[0]["text/plain"] == "f = twice: x to the power 2\nf = thrice: x to the power 3"


def test_an_error_in_a_frame_is_raised_since_its_author_must_see_it(published):
    with pytest.raises(ZeroDivisionError):
        explore(lambda power: draw(1 // power), describe, frames=[{"power": 0}], power=(0, 3))


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "at least one frame"),
        ([{"powr": 1}], r"names \['powr'\], but the controls are \['power'\]"),
        ([{"power": 9}], "sets power to 9, which its control cannot take; it takes 3 instead"),
        ([{"power": "x"}], "sets power to 'x', which its control cannot take"),
    ],
)
def test_frames_that_cannot_be_are_refused(frames, message):
    with pytest.raises(ValueError, match=message):
        explore(draw, describe, frames=frames, power=(1, 3))


@pytest.mark.parametrize("control", [(3, 1), None, object()])
def test_controls_that_cannot_be_made_are_refused(control):
    with pytest.raises(ValueError, match=r"The control power=.* cannot be made"):
        build(draw, describe, power=control)


def test_outside_a_notebook_the_descriptions_are_printed(capsys):
    explore(draw, describe, frames=[{"power": 2}], power=(1, 3))
    assert capsys.readouterr().out == "power = 2: x to the power 2\n"
