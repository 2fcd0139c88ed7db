"""Pre-training of the compact model: simulated tasks, curriculum, training loop.

Nothing here is needed at run time; `python -m causalmix_core.foundation.pretraining` starts or
resumes a training (see docs/compact-model-card.md).
"""
