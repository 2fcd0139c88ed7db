"""Where the network runs."""

from causalmix_core.errors import CheckpointError


def choose(device: str = "auto") -> str:
    """Return an explicit torch device name.

    Args:
        device: "auto" (CUDA if there is one, else Apple's MPS, else the CPU), or a device that
            must be there: "cpu", "cuda", "cuda:1", "mps".

    Raises:
        CheckpointError: the device asked for is not there.
    """
    if device == "cpu":
        return "cpu"
    import torch

    cuda = torch.cuda.is_available()
    mps = torch.backends.mps.is_available()
    if device == "auto":
        return "cuda" if cuda else "mps" if mps else "cpu"
    kind, _, number = device.partition(":")
    if kind == "cuda" and cuda and (not number or int(number) < torch.cuda.device_count()):
        return device
    if kind == "mps" and mps:
        return device
    raise CheckpointError(f"There is no device {device!r} on this machine: use 'auto' or 'cpu'.")
