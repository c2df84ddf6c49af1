"""What an extractor has to tell about a document: a bounded list of warnings."""

from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import ResultWarning


class Notes:
    """Collects warnings, at most ``limit`` of them, and whether something is missing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left_out = 0
        self._warnings: list[ResultWarning] = []
        self.partial = False

    def warn(self, code: str, message: str, page: int | None = None) -> None:
        """Note something a reader should know; nothing is missing."""
        if len(self._warnings) < self._limit:
            self._warnings.append(ResultWarning(code=code, message=message, page=page))
        else:
            self._left_out += 1

    def cut(self, code: Reason | str, message: str, page: int | None = None) -> None:
        """Note that something is missing from the result."""
        self.partial = True
        self.warn(code.value if isinstance(code, Reason) else code, message, page)

    @property
    def warnings(self) -> list[ResultWarning]:
        """The warnings in order; a last one counts those over the limit."""
        if not self._left_out:
            return list(self._warnings)
        message = f"{self._left_out} further warnings were left out."
        return [*self._warnings, ResultWarning(code="MORE_WARNINGS", message=message)]
