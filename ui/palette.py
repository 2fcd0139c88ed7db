"""One look per role, so that a generator or a method is drawn alike on every page.

The four hues keep a contrast of at least 3:1 on white and on the dark background (WCAG 1.4.11);
a dash pattern goes with each colour, so that colour is never the only cue.
"""

from dataclasses import dataclass

BLUE, VERMILLION, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#737373"


@dataclass(frozen=True)
class Look:
    """How one role is drawn: its label, its colour, its dash pattern and its marker."""

    label: str
    color: str
    dash: str = "solid"
    symbol: str = "circle"

    def faint(self, opacity: float = 0.18) -> str:
        """The colour as a transparent fill."""
        red, green, blue = (int(self.color[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},{opacity})"


_LOOKS = {
    "real": Look("Real rows", GREY, "solid", "circle"),
    "none": Look("No fine-tuning", GREY, "dash", "line-ew"),
    "default": Look("Real rows only", PURPLE, "solid", "square"),
    "causal": Look("Causal model", BLUE, "solid", "circle"),
    "causalmix": Look("Real + causal", BLUE, "solid", "circle"),
    "causal-only": Look("Causal rows only", BLUE, "dot", "circle-open"),
    "mixup": Look("Mixup", VERMILLION, "dash", "diamond"),
    "smote": Look("SMOTE", GREEN, "dot", "triangle-up"),
    "tabebm": Look("TabEBM", PURPLE, "dashdot", "cross"),
    "adasyn": Look("ADASYN", GREEN, "dashdot", "hexagon"),
    "borderline-smote": Look("Borderline-SMOTE", GREEN, "longdash", "star"),
    "arf": Look("Adversarial random forest", VERMILLION, "longdashdot", "star"),
    "tableaugment": Look("TableAugment", PURPLE, "dot", "x"),
    "gaussian-copula": Look("Gaussian copula", BLUE, "longdash", "x"),
}
_SPARE = (
    (PURPLE, "dashdot", "cross"),
    (BLUE, "longdash", "x"),
    (VERMILLION, "longdashdot", "star"),
    (GREEN, "dashdot", "hexagon"),
    (GREY, "dot", "pentagon"),
)


def look(role: str) -> Look:
    """Return how `role` (a generator's, method's or split's name) is drawn."""
    if role in _LOOKS:
        return _LOOKS[role]
    color, dash, symbol = _SPARE[sum(map(ord, role)) % len(_SPARE)]
    return Look(role.replace("-", " ").capitalize(), color, dash, symbol)


def method_label(name: str) -> str:
    """Return what people call a method of fine-tuning."""
    from causalmix_core.finetune.methods import METHODS

    return METHODS[name].title if name in METHODS else look(name).label


def learns(method: str) -> bool:
    """Whether a method takes steps, so that its scores make a curve and not a level."""
    from causalmix_core.finetune.methods import METHODS

    return method not in METHODS or METHODS[method].trains
