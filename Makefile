# Two commands for a fresh machine: `make demo` shows Callwarden at work, `make test` sets up and passes the tests.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTS := $(VENV)/.tests-ready
# Tests start hundreds of processes: where this is set, each of them would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

# $(call beside,NAME,COMMAND) begins something; $(call ended,NAME,SECONDS) waits for it, shows it, and fails where it failed.
define beside
rm -f $(VENV)/$(1).*; { $(2); echo $$? >$(VENV)/$(1).rc; } >$(VENV)/$(1).log 2>&1 </dev/null &
endef
define ended
for _ in {1..$(2)}; do [ -s $(VENV)/$(1).rc ] && break; sleep 1; done; cat $(VENV)/$(1).log; exit $$(cat $(VENV)/$(1).rc || echo 1)
endef

.PHONY: demo test check audit fuzz format lint types live browser screenshots bench faults words setup deb boot clean

demo: $(READY)
	$(BIN)/callwarden demo

# Three at once on two cores, because many only wait. First what needs only this machine, with coverage (programs that
# tests start are not watched: they would be twice as slow); then what keeps time with a browser (also that beside
# telephones); then with telephones alone: three benches, each with an Asterisk of its own; then ringtones and lost
# connections on the oldest Asterisk, which differs there.
# Beside all that one call goes on for five minutes; what became of it is said, and counts, at the end.
test: $(TESTS) live-tools browser-tools ops-tools db-tools
	@$(call beside,long-call,$(BIN)/python -m pytest -p no:cacheprovider -m slow tests/live/test_long_call.py $(PYTEST_ARGS))
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m 'not live and not browser' --cov --cov-report=term:skip-covered $(PYTEST_ARGS)
	$(BIN)/python -m pytest -n 3 --dist loadfile -m browser $(PYTEST_ARGS)
	$(BIN)/python -m pytest -n 3 --dist load -m 'live and not browser and not slow' $(PYTEST_ARGS)
	CALLWARDEN_ASTERISK=16 $(BIN)/python -m pytest -n 2 --dist loadfile tests/live/test_ringtones.py tests/live/test_lost_connection.py $(PYTEST_ARGS)
	@$(call ended,long-call,600)

# What has to be fetched comes while the code is read.
check: $(TESTS)
	@$(call beside,tools,$(MAKE) --no-print-directory live-tools browser-tools ops-tools db-tools)
	$(MAKE) --no-print-directory lint types audit-if-reachable
	@$(call ended,tools,600)
	$(MAKE) --no-print-directory test

# Known weaknesses of the pinned packages. `check` goes on where nobody can be asked, and says so.
audit: $(TESTS)
	$(BIN)/python packaging/audit.py --strict

.PHONY: audit-if-reachable
audit-if-reachable: $(TESTS)
	@$(BIN)/python packaging/audit.py

format: $(TESTS)
	$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format --quiet .

lint: $(TESTS)
	$(BIN)/ruff format --check . && $(BIN)/ruff check .

types: $(TESTS)
	$(BIN)/mypy

live: $(TESTS) live-tools browser-tools
	$(BIN)/python -m pytest -m 'live and not slow' $(PYTEST_ARGS)

browser: $(TESTS) browser-tools
	$(BIN)/python -m pytest -m 'browser and not live' $(PYTEST_ARGS)

screenshots: $(TESTS) browser-tools
	$(BIN)/python -m tests.browser.screenshots docs/images

# The property tests with many times their examples, and the table of docs/bad-input.md. As long as you like: FUZZ=100.
FUZZ ?= 20
fuzz: $(TESTS)
	$(BIN)/python -m tests.fuzz --times $(FUZZ)

bench: $(TESTS)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m bench

# The fault table (docs/faults.md): hours. Some rows only: make faults ROWS='kill locked'. Disk and Asterisk rows as root.
faults: $(TESTS) live-tools
	$(BIN)/python -m tests.faults $(ROWS)

# Collect the texts of code and pages into the catalogues; then translate what is new in locales/*/LC_MESSAGES.
words: $(TESTS)
	$(BIN)/pybabel -q extract -F babel.cfg -k Message -k not_found --no-location --sort-output -o .words.pot daemon
	$(BIN)/pybabel -q update -i .words.pot -d daemon/web/locales -D callwarden --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 120
	@rm -f .words.pot

setup: $(TESTS)

# dist/callwarden_VERSION_ARCH.deb, for the minor version of Python with which this is made.
deb: $(READY)
	packaging/deb/build dist $(VENV)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Callwarden needs Python 3.11 or newer; name it with make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(MAKE) --no-print-directory python3-venv
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fast]'
	@touch $@

# The live tests' SIP phones have wheels for some machines only; without them those tests say so and are skipped.
$(TESTS): $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --only-binary :all: --editable '.[live]' \
	  || echo 'No SIP phone library for this machine: live tests will be skipped.'
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --only-binary :all: --editable '.[postgresql,mysql]' \
	  || echo 'No drivers for this machine: CDR tables in PostgreSQL and MariaDB will not be tested.'
	@touch $@

.PHONY: python3-venv live-tools browser-tools ops-tools db-tools
python3-venv:
	@if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; \
	else echo 'Install the package python3-venv (as root: apt-get install python3-venv), then run make again.'; exit 1; fi

# A real Asterisk and SIPp for the live tests. Without root they are named, and the live tests say why they are skipped.
live-tools:
	@missing=; command -v sipp >/dev/null || missing="$$missing sip-tester"; \
	command -v asterisk >/dev/null || command -v mmdebstrap >/dev/null || missing="$$missing mmdebstrap"; \
	if [ -n "$$missing" ]; then if [ "$$(id -u)" = 0 ]; then \
	  echo "Installing$$missing"; apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else echo "Live tests are skipped without:$$missing (as root: apt-get install$$missing)"; fi; fi

# Debian's Chromium and letters for Vietnamese. Without root it is named, and the browser tests say why they are skipped.
browser-tools:
	@if [ -z "$$CHROMIUM" ] && ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null; then \
	  if [ "$$(id -u)" = 0 ]; then \
	    echo 'Installing chromium'; apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	  else echo 'Browser tests are skipped without: chromium (as root: apt-get install chromium fonts-dejavu-core)'; fi; fi

# Servers that keep CDR tables; each test starts one of its own, on loopback, in a folder that goes.
db-tools:
	@missing=; [ -n "$$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ] || command -v initdb >/dev/null || missing="$$missing postgresql"; \
	[ -x /usr/sbin/mariadbd ] || command -v mariadbd >/dev/null || missing="$$missing mariadb-server-core"; \
	if [ -n "$$missing" ]; then if [ "$$(id -u)" = 0 ]; then \
	  echo "Installing$$missing"; apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else echo "CDR tables of servers are not tested without:$$missing (as root: apt-get install$$missing)"; fi; fi

# The package in a Debian that is made and booted for it, as root: installed, watched, frozen, reloaded, purged.
boot: $(TESTS) live-tools
	CALLWARDEN_BOOT=$$(. /etc/os-release && echo $$VERSION_CODENAME) $(BIN)/python -m pytest tests/packaging $(PYTEST_ARGS)

# Prometheus' own judge of rules and metrics, taken out of Debian's package: its service is not wanted here.
ops-tools: $(TESTS)
	@if ! command -v promtool >/dev/null && [ ! -x $(BIN)/promtool ] && command -v apt-get dpkg-deb >/dev/null; then \
	  (cd $(VENV) && { apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }; } \
	    && dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x --strip-components=3 -C bin ./usr/bin/promtool; rm -f prometheus_*.deb) >/dev/null 2>&1; \
	  [ -x $(BIN)/promtool ] || echo 'Some tests of the metrics are skipped without: promtool (Debian package prometheus)'; fi

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage build dist *.egg-info
