# One-line recipes. ARGS passes options on: make up ARGS="--port 9000", make test ARGS="tests/unit -x".
RUN := ./podium exec
PIP_COMPILE := pip-compile --quiet --generate-hashes --strip-extras --no-header --no-emit-index-url --no-emit-find-links
UNIT := python -m pytest -q -n auto -p no:schemathesis tests/unit
SERVERS := python -m pytest -n auto --dist loadgroup --no-loadscope-reorder --ignore tests/unit --ignore tests/chaos --ignore tests/e2e
STACK := python -m pytest tests/chaos tests/e2e
.PHONY: up down status logs code key check artefacts test bench lock

up:        ; @./podium up $(ARGS)
down:      ; @./podium down $(ARGS)
status:    ; @./podium status $(ARGS)
logs:      ; @./podium logs $(ARGS)
code:      ; @./podium code $(EMAIL)
key:       ; @./podium key $(INSTANCE)
check:     ; @$(RUN) sh -c 'ruff check . && ruff format --check . && mypy && lint-imports && python -m infra.artefacts --check'
artefacts: ; @$(RUN) python -m infra.artefacts
test: check ; @$(RUN) sh -c '$(if $(ARGS),python -m pytest $(ARGS),$(UNIT) && $(SERVERS) && $(STACK))'
bench:     ; @$(RUN) python -m bench $(ARGS)
lock:      ; @$(RUN) sh -c 'pip install --quiet pip-tools && $(PIP_COMPILE) --all-extras -o requirements/dev.txt pyproject.toml && $(PIP_COMPILE) -c requirements/dev.txt -o requirements/functions.txt pyproject.toml'
