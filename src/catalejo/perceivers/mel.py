"""Log-mel spectrograms as YAMNet hears them, with NumPy alone.

Source: YAMNet's ``features.py`` and ``params.py`` (tensorflow/models, research/audioset/yamnet): 16 kHz, frames of
25 ms every 10 ms, periodic Hann window, magnitudes of an FFT of 512, 64 triangular bands from 125 to 7500 Hz on HTK's
mel scale, log(x + 0.001); patches of 96 frames (0.96 s) every 48 (0.48 s).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from catalejo.perceivers import RATE_HZ, Samples

FRAME, STEP, FFT = 400, 160, 512  # samples
BANDS, LOW_HZ, HIGH_HZ = 64, 125.0, 7_500.0
OFFSET = 0.001
PATCH, PATCH_STEP = 96, 48  # frames
PATCH_S, PATCH_STEP_S = PATCH * STEP / RATE_HZ, PATCH_STEP * STEP / RATE_HZ
# samples that the frames of one patch take, and from one patch to the next
PATCH_SAMPLES, PATCH_STEP_SAMPLES = (PATCH - 1) * STEP + FRAME, PATCH_STEP * STEP


@cache
def filters() -> Samples:
    """The triangular bands: (257, 64) float32, each with its peak at 1 (not of equal area)."""
    edges = _hz_to_mel(np.linspace(0.0, RATE_HZ / 2, FFT // 2 + 1))[1:, None]  # the constant part belongs to no band
    corners = np.linspace(_hz_to_mel(np.array(LOW_HZ)), _hz_to_mel(np.array(HIGH_HZ)), BANDS + 2)
    low, middle, high = corners[:-2], corners[1:-1], corners[2:]
    bands = np.minimum((edges - low) / (middle - low), (high - edges) / (high - middle))
    return np.pad(np.maximum(bands, 0.0), ((1, 0), (0, 0))).astype(np.float32)


def _hz_to_mel(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(hz / 700.0))


def log_mel(samples: Samples) -> Samples:
    """The log-mel spectrogram of a sound.

    Args:
        samples: (n,) mono, 16 kHz, -1 to 1.

    Returns:
        (frames, 64) float32; no frame where there are fewer than 400 samples.
    """
    if len(samples) < FRAME:
        return np.empty((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::STEP]  # (frames, 400)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
    magnitudes = np.abs(np.fft.rfft(frames * window, FFT)).astype(np.float32)  # (frames, 257)
    return np.asarray(np.log(magnitudes @ filters() + OFFSET), np.float32)


def patches(samples: Samples) -> Samples:
    """A sound as the pictures YAMNet looks at.

    Args:
        samples: (n,) mono, 16 kHz; filled with silence up to a whole patch.

    Returns:
        (m, 96, 64) float32, m at least 1; patch i begins at ``i * 0.48`` s.
    """
    steps = max(0, -(-(len(samples) - PATCH_SAMPLES) // PATCH_STEP_SAMPLES))
    whole = np.pad(samples, (0, max(0, PATCH_SAMPLES + steps * PATCH_STEP_SAMPLES - len(samples))))
    views = np.lib.stride_tricks.sliding_window_view(log_mel(whole), PATCH, axis=0)[::PATCH_STEP]  # (m, 64, 96)
    return np.ascontiguousarray(views.transpose(0, 2, 1))
