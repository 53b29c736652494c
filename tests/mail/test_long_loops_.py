
import os
import pytest
from tests.support.post import Post
from tests.support.responders import Exchange, days, talkative, with_headers, without_any

PAIRS = [(with_headers, without_any), (without_any, without_any), (talkative, without_any), (talkative, talkative)]

@pytest.mark.parametrize("maria,jonas", PAIRS)
def test_it_ends(world, monkeypatch, maria, jonas):
    count = int(os.environ["DAYS"]) if talkative is not jonas else max(1, int(os.environ["DAYS"]) // 100)
    exchange = Exchange(Post(world), monkeypatch, {"maria@example.org": maria, "jonas@example.org": jonas})
    longest = days(exchange, count)
    print(f"{maria.__name__} and {jonas.__name__}: {count} days, {len(exchange.sent)} mails out, {exchange.answered} answers of programs,"
          f" longest exchange {longest} rounds, {exchange.held()} held")
