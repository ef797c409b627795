"""Pictures with controls. A widget is a drawing function, a describing function, and a control for each of their values."""

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from traitlets import TraitError

from .plots import image_tag, publish

__all__ = ["build", "explore"]


def explore(
    draw: Callable[..., Figure],
    describe: Callable[..., str],
    /,
    *,
    frames: Sequence[Mapping[str, Any]],
    **controls: Any,
) -> None:
    """Show a picture with controls; without a running kernel, the chosen `frames` stand there as still pictures.

    `draw(**values)` returns a figure, `describe(**values)` says in words what it shows: its alternative text. A control
    is a tuple `(least, most)` or `(least, most, step)`, a list or dictionary of choices, a bool, a text or an ipywidget.
    A frame gives values for some or all controls; the others keep their starting values. Figures are closed after use.
    Outside a notebook the descriptions of the frames are printed. Raises ValueError for a control that ipywidgets cannot
    make, for a frame that names no control, and if there are no frames.

    >>> def draw(power):
    ...     fig = Figure()
    ...     _ = fig.subplots().plot([x**power for x in range(9)])
    ...     return fig
    >>> explore(draw, lambda power: f"x to the power {power}", frames=[{"power": 1}, {"power": 2}], power=(1, 3))
    power = 1: x to the power 1
    power = 2: x to the power 2
    """
    makers = _make(controls)
    if not frames:
        raise ValueError(
            "explore needs at least one frame, such as frames=[{'angle': 30}]: it is what readers without a kernel see"
        )
    # Before the controls draw: each frame sets them and sets them back.
    stills = [_values_and_caption(makers, frame) for frame in frames]
    box = _assemble(draw, describe, makers)
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    publish(
        {
            "text/plain": "\n".join(f"{caption}: {describe(**values)}" for values, caption in stills),
            "text/html": _filmstrip([(_picture(draw, describe, values), caption) for values, caption in stills]),
            "application/vnd.jupyter.widget-view+json": view,
        }
    )


def build(draw: Callable[..., Figure], describe: Callable[..., str], /, **controls: Any) -> ipywidgets.VBox:
    """The box that `explore` shows: the controls in order, and at the end the picture.

    Setting a control draws the picture anew. If that fails, the error stands in the place of the picture. Raises
    ValueError for a control that ipywidgets cannot make.

    >>> box = build(lambda size: Figure(figsize=(size, 1)), lambda size: f"an empty picture, {size} wide", size=(1, 4))
    >>> slider, view = box.children
    >>> slider.value = 3
    >>> view.value[:39]
    '<img alt="an empty picture, 3 wide" src'
    """
    return _assemble(draw, describe, _make(controls))


def _make(controls: Mapping[str, Any]) -> dict[str, ipywidgets.ValueWidget]:
    """A widget for each control, described by its name; sliders and texts report when they are let go, not on the way."""
    made = {}
    for name, control in controls.items():
        try:
            widget = ipywidgets.interactive.widget_from_abbrev(control)
        except ValueError as error:
            raise ValueError(f"The control {name}={control!r} cannot be made: {error}") from None
        if not isinstance(widget, ipywidgets.ValueWidget):
            raise ValueError(
                f"The control {name}={control!r} cannot be made; give (least, most), (least, most, step), a list of "
                "choices, True or False, a text, or an ipywidget"
            )
        if widget is not control and hasattr(widget, "continuous_update"):
            widget.continuous_update = False
        widget.description = widget.description or name.replace("_", " ")
        widget.style.description_width = "initial"
        made[name] = widget
    return made


def _assemble(
    draw: Callable[..., Figure], describe: Callable[..., str], makers: Mapping[str, ipywidgets.ValueWidget]
) -> ipywidgets.VBox:
    view = ipywidgets.HTML()

    def redraw(_change: Any = None) -> None:
        values = {name: widget.value for name, widget in makers.items()}
        try:
            view.value = _picture(draw, describe, values)
        except Exception as error:  # raised in a callback, it would be lost or end up in the log
            view.value = _failure(_caption(makers), error)

    redraw()
    for widget in makers.values():
        widget.observe(redraw, "value")
    return ipywidgets.VBox([*makers.values(), view])


def _picture(draw: Callable[..., Figure], describe: Callable[..., str], values: Mapping[str, Any]) -> str:
    fig = draw(**values)
    try:
        return image_tag(fig, describe(**values))
    finally:
        plt.close(fig)


def _failure(caption: str, error: Exception) -> str:
    text = html.escape(f"There is no picture for {caption}.\n{type(error).__name__}: {error}")
    return f'<pre role="alert" style="white-space:pre-wrap">{text}</pre>'


def _values_and_caption(
    makers: Mapping[str, ipywidgets.ValueWidget], frame: Mapping[str, Any]
) -> tuple[dict[str, Any], str]:
    """All values of a frame, and how its controls show them. The controls are set to the frame, read, and set back."""
    if unknown := sorted(set(frame) - set(makers)):
        raise ValueError(f"The frame {dict(frame)} names {unknown}, but the controls are {sorted(makers)}")
    start = {name: makers[name].value for name in frame}
    try:
        for name, value in frame.items():
            _set(name, makers[name], value)
        return {name: widget.value for name, widget in makers.items()}, _caption(makers)
    finally:
        for name, value in start.items():
            makers[name].value = value


def _set(name: str, widget: ipywidgets.ValueWidget, value: Any) -> None:
    message = f"A frame sets {name} to {value!r}, which its control cannot take"
    try:
        widget.value = value
    except TraitError as error:
        raise ValueError(f"{message}: {error}") from None
    if isinstance(value, int | float | str) and widget.value != value:  # a slider moves to its end and says nothing
        raise ValueError(f"{message}; it takes {widget.value!r} instead")


def _caption(makers: Mapping[str, ipywidgets.ValueWidget]) -> str:
    """The controls' names and values, as their reader sees them."""
    return ", ".join(f"{widget.description} = {_shown(widget)}" for widget in makers.values())


def _shown(widget: ipywidgets.ValueWidget) -> str:
    value = getattr(widget, "label", widget.value)  # of a choice, its label
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _filmstrip(pictures: Sequence[tuple[str, str]]) -> str:
    """Pictures with captions, side by side where there is room."""
    figures = "".join(
        f'<figure style="margin:0"><figcaption>{html.escape(caption)}</figcaption>{picture}</figure>'
        for picture, caption in pictures
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:1em">{figures}</div>'
