"""catalejo: search, ask and understand your own files, offline, on a laptop CPU.

    files -> readers -> items -> encoders -> vectors -> store -> search -> hits

>>> from catalejo import Catalog
>>> catalog = Catalog("photos.catalog")
"""

from catalejo.catalog import Catalog
from catalejo.errors import CatalejoError
from catalejo.records import Hit, Item, Limits, ModelCard, SearchResult, Skipped
from catalejo.reports import AddReport

__version__ = "0.1.0"

__all__ = [
    "AddReport",
    "CatalejoError",
    "Catalog",
    "Hit",
    "Item",
    "Limits",
    "ModelCard",
    "SearchResult",
    "Skipped",
    "__version__",
]
