# make run    opens bellwire          ARGS="doorbell-pio" names a scenario, or anything else that bellwire takes
# make test   checks and tests it     TESTS="tests/engine/test_build.py -k image" chooses, or anything else that pytest takes
# The first of either makes .venv and installs; everything else of the set-up is in .ci/.

BIN := .venv/bin
export PYTHON ?=
ARGS ?=
ONLY ?=
TESTS ?=
# All of them are shared out among the processors, a stretch each; who chooses gets one process, whose lines come in order.
CHOSEN = $(or $(TESTS),--numprocesses auto --maxprocesses 8 --dist worksteal)

.NOTPARALLEL:
.PHONY: run test coverage build venv lint format docs pictures icons languages recordings svm-recordings fuzz closings kills left-behind wirings svm lectures soak again sentences rectangles failures sanitize wheel clean system-libraries test-libraries

run: system-libraries build
	@$(BIN)/bellwire $(ARGS)

test: test-libraries build lint
	@$(BIN)/python -m pytest $(CHOSEN)

# The tests, and what of bellwire none of them runs.
coverage: test-libraries build
	@rm -rf build/measured
	@PYTHONPATH="$(CURDIR)/tests/measured$${PYTHONPATH:+:$$PYTHONPATH}" $(BIN)/python -m pytest $(CHOSEN)
	@$(BIN)/python -m tests.uncovered

lint: build
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# The manual, in build/manual; a warning is an error. It asks nothing of a network.
docs: build
	@$(BIN)/python -m sphinx -b html -W --keep-going -n -q -d build/doctrees docs build/manual

format: venv
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

build: venv
	@$(BIN)/python -P engine/build.py

# The pictures of the README and the manual, offscreen; a file is touched only where its bytes have changed.
pictures: build
	@$(BIN)/bellwire shots build docs/shots.toml --outside --force

# assets/icons/*.png anew, in each size that a desktop asks for.
icons: test-libraries
	@assets/icons/draw

# What the program says, brought into assets/languages/*.po for translators; fails while something is not translated.
languages: build
	@$(BIN)/python -m tests.catalogue
	@$(BIN)/python -P engine/build.py

# assets/recordings anew, one of each scenario, which is what people see who have no KVM; says on which machine.
# ONLY="roundtrip irq-msi" chooses.
recordings: build
	@$(BIN)/python -m tests.record_shipped $(ONLY)

# The same of those with a KVM's name behind them, in the lab of .ci/svm-lab: a few minutes.
svm-recordings: build
	@.ci/svm-lab --out assets/recordings . $(BIN)/python -u -m tests.record_shipped $(ONLY)

# Six thousand guests that nobody wrote: random code, programs with flipped bits, scribblers over what guest and host share.
# And two thousand recordings that nobody recorded, through every command and the window. N chooses how many of each, SEED which.
fuzz: build
	@$(BIN)/python -m tests.fuzz --count $(or $(N),2000) --seed $(or $(SEED),1)
	@$(BIN)/python -m tests.recording_fuzz $(or $(N),2000) $(or $(SEED),1)

# Windows closed by signals at random moments, N on each platform, and five times as many switches of scenario.
closings: test-libraries build
	@$(BIN)/python -m tests.closings $(or $(N),200) $(or $(SEED),1)

# Recorders of hosts that signal flat out, N of them killed at random moments.
kills: build
	@$(BIN)/python -m tests.kills $(or $(N),200) $(or $(SEED),1)

# Runs of each kind of machine, watched inside the kernel, of N of which a process is killed: nothing is left of them.
left-behind: build
	@$(BIN)/python -m tests.left_behind $(or $(N),50) $(or $(SEED),1)

# Every scenario with few signals, then the tests marked kvm, where KVM is kvm_amd on an emulated CPU: of conformance all, of
# the others one parametrization of each function; under two hours on two CPUs. ALL=1: all of them, for many hours.
# A clock in there may run twice as fast as ours: the last line is by ours.
# ONLY="roundtrip irq-msi" chooses scenarios, and runs no tests; ONLY=tests/engine/kvm/test_vm.py runs the tests of a file.
svm: build
	@.ci/svm-lab --verbose --timeout $(if $(ALL),86400,7200) . env $(if $(ALL),BELLWIRE_ALL=1) $(BIN)/python -u -m tests.svm $(ONLY)

# N random VMs of ours, each seen from outside three times, held against what was registered.
wirings: build
	@BELLWIRE_WIRINGS=$(or $(N),1000) $(BIN)/python -m pytest -q tests/engine/attached -k random_wirings

# A lecture of N minutes over guests, told four times as fast: nothing may grow.
lectures: build
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.lectures $(or $(N),45)

# Every scenario, idling either way, and every machine with bursts, N times in a row; the first failure ends it.
soak: build
	@for n in $$(seq $(or $(N),20)); do \
	    BELLWIRE_SPINNING=all $(BIN)/python -m pytest -q -x tests/engine -k 'every_scenario_ or every_length' || exit 1; \
	done

# All that CI does, N times in a row in clean clones, beside a busy loop on each CPU; the first failure ends it. Hours.
again: build
	@$(BIN)/python -m tests.again $(or $(N),20)

# Captions, evidence and totals of every scenario in every wiring, held against plain counts.
sentences: build
	@BELLWIRE_SENTENCES=all $(BIN)/python -m pytest -q tests/viz/diagram/test_captions.py

# Labels and wires of the diagram of every scenario, in many sizes, with small and large text, in both themes.
rectangles: build
	@BELLWIRE_RECTANGLES=all $(BIN)/python -m pytest -q tests/viz/diagram/test_widget_rectangles.py

# Eight machines built as often as they call the core, each time with another call that fails; and eight scenarios run as
# often as they call the system, the same.
failures: build
	@BELLWIRE_EACH_CALL=1 $(BIN)/python -m pytest -q tests/engine/machines/test_build_failing.py
	@$(BIN)/python -m tests.each_call

# tests/c/*.c with the core, as programs under gcc's sanitizers, in build/address and build/thread.
sanitize: venv
	@$(BIN)/python -P engine/build.py --sanitize address,undefined --out build/address
	@$(BIN)/python -P engine/build.py --sanitize thread --out build/thread

wheel: venv
	@PIP_CONSTRAINT=.ci/constraints.txt $(BIN)/python -m build --no-isolation --wheel

clean:
	rm -rf .venv build dist engine/_core*.so engine/kernel/bw-kernel engine/kernel/tracefs/bw-tracefs guests/*.bin guests/*.rom .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

system-libraries:
	@.ci/system-libraries

test-libraries:
	@.ci/system-libraries --test

venv: system-libraries
	@.ci/venv
