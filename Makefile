# make demo   a desk with a demo company on http://127.0.0.1:8000 (PORT=8001 make demo for another port)
# make check  formatting, lint, types, import contracts, house rules
# make test   the whole test suite, on SQLite and on PostgreSQL, with a browser
# make test-senders  the monitoring tools and clients people run, as they are packaged, against a desk (SHORT=1: it is down for seconds only)
# make test-mail  a real Postfix and Dovecot around a desk, which are installed where root plays it
# make proof  the long proofs and the measurements (an hour or two)

PORT ?= 8000
PYTHON ?= python3
MAIL_SERVERS := dovecot-imapd dovecot-lmtpd dovecot-sieve postfix
BIN := .venv/bin

.PHONY: demo check test test-senders proof setup-dev format migrations messages clean

demo: .venv/ready
	@ALLSWELL_PORT=$(PORT) ALLSWELL_URL=http://127.0.0.1:$(PORT) exec $(BIN)/python -m allswell demo

check: .venv/ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/house

test: .venv/ready-dev
	$(BIN)/python -m tests.run

# what it needs goes into tests/senders/.installed: Debian's packages are unpacked there, not installed
test-senders: .venv/ready-dev
	$(BIN)/python -m tests.senders.install
	SENDERS_DOWN=$(if $(SHORT),8,60) $(BIN)/python -m pytest tests/senders

# real mail servers: what Debian lacks is installed where that can be done
test-mail: .venv/ready-dev
	@{ command -v dovecot && command -v postfix && test -e /usr/lib/dovecot/modules/lib90_sieve_plugin.so; } >/dev/null || test "$$(id -u)" != 0 || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq $(MAIL_SERVERS) >/dev/null; }
	MAIL_SERVERS=1 $(BIN)/python -m pytest tests/mail_servers

proof: .venv/ready-dev
	$(BIN)/python -m bench.proof --out bench/RESULTS.md

format: .venv/ready-dev
	$(BIN)/ruff check --fix -q . || true
	$(BIN)/ruff format .

setup-dev: .venv/ready-dev

# collect the words of the screens from the code, bring the catalogs up to date, compile them; says what is not translated
messages: .venv/ready-dev
	$(BIN)/python -m tools.messages

# uv when it is there, else the standard library's venv and pip; both install exactly the locked, hashed versions
.venv/ready: requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed."; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; PYTHON=python3.12 make names another."; exit 2; }
	@if command -v uv >/dev/null; then \
	  test -x $(BIN)/python || uv venv -q --python $(PYTHON) .venv; \
	  VIRTUAL_ENV=.venv uv pip install -q --require-hashes -r requirements.lock; \
	else \
	  test -x $(BIN)/python || $(PYTHON) -m venv .venv; \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock; \
	fi
	@touch $@

.venv/ready-dev: requirements-dev.lock
	@command -v uv >/dev/null || $(MAKE) --no-print-directory .venv/ready
	@if command -v uv >/dev/null; then \
	  test -x $(BIN)/python || uv venv -q --python $(PYTHON) .venv; \
	  VIRTUAL_ENV=.venv uv pip install -q --require-hashes -r requirements-dev.lock; \
	else \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock; \
	fi
	@touch .venv/ready $@
