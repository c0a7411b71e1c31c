from __future__ import annotations
import numpy as np
def chance_line(scores):
    return None
