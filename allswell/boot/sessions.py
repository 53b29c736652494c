"""Sessions in the database, loaded with a statement that is composed once."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from allswell.database.rows import PreparedModel
from allswell.kernel import clock


def _by_key() -> PreparedModel:
    model = DatabaseStore.get_model_class()
    return PreparedModel(model, lambda key: model.objects.filter(session_key=key))


class SessionStore(DatabaseStore):
    """Django's own store; only the load is ours."""

    _loading: PreparedModel | None = None

    @classmethod
    def get_model_class(cls) -> Any:
        """Django's own table."""
        return DatabaseStore.get_model_class()

    def _get_session_from_db(self) -> Any:
        if SessionStore._loading is None:
            SessionStore._loading = _by_key()
        found = SessionStore._loading.record(str(self.session_key))
        if found is None or found.expire_date <= clock.now():
            self._session_key = None
            return None
        return found
