"""Who is on call, and who is called after them, as one document: taken out, compared, brought in. docs/extend/rotas.md says its form."""

from __future__ import annotations

from .bringing_in import Line, bring_in
from .comparing import differences
from .reading import LIMIT
from .saying import document

__all__ = ["LIMIT", "Line", "bring_in", "differences", "document"]
