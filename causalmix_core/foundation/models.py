"""Which foundation models there are, and where their files are."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from causalmix_core.errors import CheckpointError
from causalmix_core.foundation import checkpoint
from causalmix_core.progress import Progress, silent

WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Model:
    """A foundation model the analyst can choose.

    Attributes:
        name: what to pass as `model=`.
        title: what to show.
        description: what it is, in a sentence for people.
        licence: its terms, in one sentence.
        rows: training rows it is meant for, at most.
        columns: feature columns it is meant for, at most.
        classes: classes it can tell apart, at most.
        megabytes: size of its file, roughly.
        shipped: whether its file comes with CausalMix.
        version: tabpfn's name of the version to download; None for the shipped one.
        confirm: whether the licence has to be accepted before the download.
    """

    name: str
    title: str
    description: str
    licence: str
    rows: int
    columns: int
    classes: int
    megabytes: float
    shipped: bool = False
    version: str | None = None
    confirm: bool = False


_NON_COMMERCIAL = (
    "Prior Labs' non-commercial licence: neither the model nor what it puts out may be used "
    "commercially or in production, and a fine-tuned copy stays under the same terms."
)

MODELS: tuple[Model, ...] = (
    Model(
        name="compact",
        title="Compact (shipped)",
        description=(
            "A small network in TabPFN's format that the CausalMix project trained itself on "
            "simulated tables, in less than nine hours on two cores; it is not TabPFN's released "
            "model."
        ),
        licence="Apache-2.0, like CausalMix.",
        rows=1_000,
        columns=100,
        classes=10,
        megabytes=5.5,
        shipped=True,
    ),
    Model(
        name="tabpfn-v2",
        title="TabPFN v2",
        description="Prior Labs' released model of 2025; downloaded from Hugging Face when asked.",
        licence="Prior Labs License: Apache-2.0 with the duty to name TabPFN where it is used.",
        rows=10_000,
        columns=500,
        classes=10,
        megabytes=29,
        version="v2",
    ),
    Model(
        name="tabpfn-v2.5",
        title="TabPFN v2.5",
        description="Prior Labs' released model; the download needs a Prior Labs account.",
        licence=_NON_COMMERCIAL,
        rows=50_000,
        columns=2_000,
        classes=10,
        megabytes=43,
        version="v2.5",
        confirm=True,
    ),
    Model(
        name="tabpfn-v3",
        title="TabPFN v3",
        description="Prior Labs' released model; the download needs a Prior Labs account.",
        licence=_NON_COMMERCIAL,
        rows=50_000,
        columns=2_000,
        classes=10,
        megabytes=213,
        version="v3",
        confirm=True,
    ),
    Model(
        name="tabpfn-v3.5",
        title="TabPFN v3.5",
        description="Prior Labs' newest released model; the download needs a Prior Labs account.",
        licence=_NON_COMMERCIAL,
        rows=50_000,
        columns=2_000,
        classes=10,
        megabytes=876,
        version="v3.5",
        confirm=True,
    ),
)
"""In the order in which to offer them; the first is the default."""

DEFAULT = MODELS[0].name


def model(name: str) -> Model:
    """Return the listed model of that name.

    Raises:
        CheckpointError: there is none.
    """
    for known in MODELS:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in MODELS)
    raise CheckpointError(
        f"There is no model {name!r}: choose one of {names}, or give a .safetensors file."
    )


def path(name_or_file: str | os.PathLike[str] = DEFAULT) -> Path:
    """Return the file of a listed model, or the local checkpoint of that path; never downloads.

    Raises:
        CheckpointError: no such model or file, a model not downloaded yet, or a pickle.
    """
    text = os.fspath(name_or_file)
    listed = {known.name: known for known in MODELS}
    if text not in listed:
        endings = (".safetensors", *checkpoint.PICKLES)
        if os.sep in text or "/" in text or text.lower().endswith(endings):
            return checkpoint.check_file(text)
        model(text)
    chosen = listed[text]
    file = WEIGHTS / "compact.safetensors" if chosen.shipped else _downloaded(chosen)
    if not file.is_file():
        if chosen.shipped:
            raise CheckpointError(f"The shipped model file {file} is missing: install it again.")
        raise CheckpointError(
            f"{chosen.title} is not on this machine. Download it by name first: "
            f"causalmix_core.foundation.download({chosen.name!r}), about {chosen.megabytes:g} MB. "
            f"Licence: {chosen.licence}"
        )
    return file


def _downloaded(chosen: Model) -> Path:
    """Where a downloaded model is kept; the name carries no version tabpfn would act on."""
    home = os.environ.get("CAUSALMIX_HOME")
    if home is None:
        from platformdirs import user_data_dir

        home = user_data_dir("causalmix")
    return Path(home) / "models" / f"{chosen.name.replace('.', '-')}.safetensors"


def is_available(name_or_file: str | os.PathLike[str]) -> bool:
    """Tell whether `path` would return a file."""
    try:
        path(name_or_file)
    except CheckpointError:
        return False
    return True


def download(
    name: str,
    *,
    accept_licence: bool = False,
    progress: Progress = silent,
    fetch: Callable[[str, Path], Path] | None = None,
) -> Path:
    """Download a listed model and keep it as safetensors; the only call that uses the network.

    The official files are pickles: they are read with torch's reader for plain values only, which
    runs no code, and converted.

    Args:
        name: a listed model.
        accept_licence: that its licence was shown and accepted; needed where `Model.confirm`.
        progress: called before the download and before the conversion.
        fetch: gets tabpfn's version name and a folder and returns the file put there; tabpfn's own
            download if None.

    Returns:
        The file, as `path` returns it from then on.

    Raises:
        CheckpointError: the licence is not accepted, or the download failed.
    """
    chosen = model(name)
    if chosen.shipped:
        return path(name)
    if chosen.confirm and not accept_licence:
        raise CheckpointError(
            f"{chosen.title} comes under {chosen.licence} Accept the licence to download it."
        )
    assert chosen.version is not None
    import tempfile

    from causalmix_core.foundation._tabpfn import convert_pickle, fetch_official

    target = _downloaded(chosen)
    with tempfile.TemporaryDirectory() as folder:
        progress(0.0, f"Downloading {chosen.title}, about {chosen.megabytes:g} MB")
        got = (fetch or fetch_official)(chosen.version, Path(folder))
        progress(0.8, "Converting it to safetensors")
        kept = convert_pickle(got, version=chosen.version)
        kept["causalmix"] = {"name": chosen.name, "licence": chosen.licence}
        checkpoint.save(kept, target)
    progress(1.0, f"{chosen.title} is ready")
    return target


def load(
    name_or_file: str | os.PathLike[str] = DEFAULT,
    *,
    seed: int = 0,
    device: str = "auto",
    **more: Any,
) -> Any:
    """Return an unfitted `tabpfn.TabPFNClassifier` on a listed model or a local checkpoint.

    Further settings go to `_tabpfn.classifier` (`encoder`, `n_estimators`, `precision` …).
    """
    from causalmix_core.foundation._tabpfn import classifier

    return classifier(path(name_or_file), seed=seed, device=device, **more)
