"""Sessions in the database, under digests of their keys: who reads the database or a backup cannot step into anybody's session.

They are loaded with a statement that is composed once."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from allswell.database.rows import PreparedModel
from allswell.kernel import clock
from allswell.kernel.sealed import row_of


def _by_key() -> PreparedModel:
    model = DatabaseStore.get_model_class()
    return PreparedModel(model, lambda key: model.objects.filter(session_key=key))


class SessionStore(DatabaseStore):
    """Django's own store; only the load and what stands in the table for a key are ours."""

    _loading: PreparedModel | None = None

    @classmethod
    def get_model_class(cls) -> Any:
        """Django's own table."""
        return DatabaseStore.get_model_class()

    def _get_session_from_db(self) -> Any:
        if SessionStore._loading is None:
            SessionStore._loading = _by_key()
        found = SessionStore._loading.record(row_of(str(self.session_key)))
        if found is None or found.expire_date <= clock.now():
            self._session_key = None
            return None
        return found

    def exists(self, session_key: str) -> bool:
        """Whether a session with this key is kept."""
        return super().exists(row_of(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """The row, without the key itself."""
        made = super().create_model_instance(data)
        made.session_key = row_of(made.session_key)
        return made

    def delete(self, session_key: str | None = None) -> None:
        """Forget the session with this key, or this one."""
        key = session_key or self.session_key
        if key is not None:
            super().delete(row_of(key))
