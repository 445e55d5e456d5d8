# Everything that can be built, run and tested here. `make` alone lists it.
#
#   make build    the static binary
#   make run      one healthy and two failing verdicts, in the sandbox
#   make test     all tests, with the binary that ships
#   make fuzz     the targets of tests/fuzz, TIME=600 seconds each; `make fuzz-smoke`: ten seconds each
#   make pytest   all suites of tests/python except the nightly ones (`make pytest-nightly`); most also have their own target, as follows
#   make peers    the probe against boto3 and its data, JavaScript's SDK, cryptography, SeaweedFS's STS (PyPI, npm; kept in /var/tmp)
#   make sdks     `chain` and `check` against 15 SDKs and programs in the sandbox's pod (from PyPI, npm, crates.io and Debian)
#   make regions  regions, partitions, FIPS and opt-in lists against botocore's data (part of `make peers`)
#   make dependencies  the reason for each dependency; licences, duplicates and sources of crates
#   make image    the container image with SBOM and licences, in target/image; arm64 too if Rust's target and a cross compiler are installed
#   make image-check  checks the image; `make image-twice` also builds it again and compares
#   make sandbox-image  the sandbox and the probe in an image, to try them without Rust
#   make containers  the image in real containers with podman, beside the sandbox; needs root
#   make reproducible  the binary built in two places and compared byte for byte (several minutes)
#   make kubectl  the plugin `kubectl credprobe`, for people with access to a cluster; its manifest for krew is in target/krew
#   make debug-recipes  manifests/debug with a real kubectl (from PyPI, kept in /var/tmp) on the tests' API server
#   make kubectl-check  the plugin with a real kubectl and a real AWS CLI, on moto's IAM, EKS and STS (from PyPI, kept in /var/tmp)
#   make page     the page of `serve` in Chromium, /metrics with Prometheus's own parser (from PyPI, kept in /var/tmp)
#   make reports  all reports and explain texts: form, commands by their own parsers, pasted into shells (after `make test`)
#   make manifests  manifests/ against Kubernetes's schemas, with a real kubectl, helm and promtool (from PyPI, kept in /var/tmp)
#   make test-cluster  image, manifests and recipes on the cluster that KUBECONFIG names (tests/cluster/README.md)
#   make trial-cluster  the same on a cluster with one node, built and started here (Debian's Kubernetes 1.20); needs root
#   make lint     format, clippy
#   make deny     the checks of `make dependencies`, with cargo-deny
#   make bench    the probe against curl, the AWS CLI, boto3 and the smallest Rust program, in one run; into probe/docs/performance.md
#   make bench-check  counts the pure part's instructions with valgrind, against the recorded ones; RECORD=1 records
#   make docs     writes the generated pages, snapshots and manifests
#   make ci       CI_STEPS below: what a change must pass
#   make nightly  NIGHTLY_STEPS too
#   make clean
#
# Needs Rust (rustup's cargo) and make. On its first run `make build` installs cargo-auditable, `make deny` cargo-deny.

# What a change must pass, in this order: at most 20 minutes on two cores if crates and packages are already downloaded.
CI_STEPS := lint build sandbox test fuzz-smoke bench-check pytest current
# Steps that take long, or whose result seldom changes. The last one writes a page.
NIGHTLY_STEPS := fuzz pytest-nightly reproducible trial-cluster bench

HOST := $(shell rustc -vV | sed -n 's/^host: //p')
# Link the C library statically, pack relocations (glibc 2.36 on) and fold identical code: 350 kB less, and ASLR still works.
# Leave out the tables for unwinding, because a panic aborts: another 550 kB less. These flags are only for the target, because
# build scripts and macros do not build with them. Therefore the builds have --target.
STATIC_FLAGS := -C target-feature=+crt-static -C link-arg=-Wl,--pack-dyn-relocs=relr -C link-arg=-Wl,--icf=all \
  -C link-arg=-Wl,-T,probe/no-unwind-tables.ld -C link-arg=-Wl,--no-eh-frame-hdr
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
# Panic messages contain the paths of the crates' sources. This makes the bytes the same wherever it is built, and saves 20 kB.
# It is evaluated when it is used, because on a fresh machine `sources` makes the folder.
PATH_FLAGS = $(foreach dir,$(shell ls -d $(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src/*/),--remap-path-prefix=$(dir)=/) \
  --remap-path-prefix=$(abspath $(TARGET_DIR))=/target
SHIPPED := $(abspath $(TARGET_DIR))/$(HOST)/release/credprobe
SANDBOX := $(abspath $(TARGET_DIR))/debug/credprobe-sandbox
# The second target. GNU's linker does not fold code, so the linker that comes with Rust is used here too.
ARM := aarch64-unknown-linux-gnu
ARM_FLAGS := -C link-arg=-fuse-ld=lld -C link-arg=-B$(shell rustc --print sysroot)/lib/rustlib/$(HOST)/bin/gcc-ld
SHIPPED_ARM := $(abspath $(TARGET_DIR))/$(ARM)/release/credprobe
HAS_ARM := $(and $(filter x86_64-%,$(HOST)),$(wildcard $(shell rustc --print sysroot)/lib/rustlib/$(ARM)/lib),$(shell command -v aarch64-linux-gnu-gcc))
IMAGE := $(abspath $(TARGET_DIR))/image
# Built for this machine only; nothing in the plugin needs Unix.
PLUGIN := $(abspath $(TARGET_DIR))/$(HOST)/release/kubectl-credprobe
KREW := $(abspath $(TARGET_DIR))/krew
BINARIES := $(HOST)=$(SHIPPED) $(if $(HAS_ARM),$(ARM)=$(SHIPPED_ARM))
FLAGS_VARIABLE := CARGO_TARGET_$(shell echo $(HOST) | tr 'a-z-' 'A-Z_')_RUSTFLAGS
KEYS := $(abspath $(TARGET_DIR))/sandbox-keys
# Outside the checkout, because that may be closed to the pod's user.
PEERS := /var/tmp/credprobe-peers-$(shell id -u)
TRIAL := /var/tmp/credprobe-trial-$(shell id -u)

# Some tests check deadlines, so the programs of two steps must not compete for the processors.
.NOTPARALLEL:
.PHONY: $(CI_STEPS) $(NIGHTLY_STEPS) kubectl kubectl-check dependencies manifests page peers reports regions sdks containers debug-recipes image-check image-twice help sources auditable build-arm64 binaries run image sandbox-image test-cluster deny floor docs ci nightly clean
help:
	@sed -n 's/^#   //p' Makefile
	@printf '\nci: $(CI_STEPS)\nnightly: the same, then $(NIGHTLY_STEPS)\n'

sources:
	cargo fetch --locked --target $(HOST)

# It writes the list of crates into the binary, for `cargo audit bin`, Trivy and Syft. The version is fixed, because the bytes
# depend on it.
AUDITABLE := 0.7.7
AUDITABLE_TOOL := /var/tmp/credprobe-tools-$(shell id -u)/cargo-auditable-$(AUDITABLE)
auditable:
	@test -x $(AUDITABLE_TOOL)/bin/cargo-auditable || cargo install --quiet --locked --root $(AUDITABLE_TOOL) cargo-auditable@$(AUDITABLE)

# -p keeps the features of the sandbox out of what ships.
build: sources auditable
	PATH="$(AUDITABLE_TOOL)/bin:$$PATH" $(FLAGS_VARIABLE)="$(STATIC_FLAGS) $(PATH_FLAGS)" \
	  cargo auditable build --release --locked --target $(HOST) -p credprobe
	@ls -l $(SHIPPED)

build-arm64: sources auditable
	PATH="$(AUDITABLE_TOOL)/bin:$$PATH" CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="$(STATIC_FLAGS) $(PATH_FLAGS) $(ARM_FLAGS)" \
	  cargo auditable build --release --locked --target $(ARM) -p credprobe
	@ls -l $(SHIPPED_ARM)

kubectl: sources
	cargo build --release --locked --target $(HOST) -p kubectl-credprobe
	python3 probe/kubectl/krew.py --out=$(KREW) --binary=$(HOST)=$(PLUGIN)
	@ls -l $(PLUGIN)

binaries: build
ifneq ($(HAS_ARM),)
	$(MAKE) build-arm64
else
	@echo 'NOT BUILT for arm64: needs `rustup target add $(ARM)` and Debian'"'"'s gcc-aarch64-linux-gnu and libc6-dev-arm64-cross, on x86-64'
endif

sandbox:
	cargo build --locked -p credprobe-sandbox
	@mkdir -p $(KEYS)

run: build sandbox
	@for scenario in healthy access-denied token-file-unreadable; do \
	  echo; echo "=== $$scenario"; \
	  $(SANDBOX) --scenario=$$scenario --keys=$(KEYS) -- $(SHIPPED) check; echo "exit code $$?"; \
	done

# Keeps each scenario's report for `make reports`.
REPORTS := $(abspath $(TARGET_DIR))/reports
test: build sandbox
	@rm -rf $(REPORTS) && mkdir -p $(REPORTS)
	CREDPROBE_BIN=$(SHIPPED) CREDPROBE_SANDBOX_BIN=$(SANDBOX) CREDPROBE_KEEP_REPORTS=$(REPORTS) cargo test --locked --workspace

FUZZ := CARGO_TARGET_DIR=$(abspath $(TARGET_DIR))/fuzz python3 -B tests/fuzz/run.py --cache=/var/tmp/credprobe-fuzz-$(shell id -u)
fuzz:
	$(FUZZ) --seconds=$(or $(TIME),600)

# Runs all seeds, and fuzzes for ten seconds.
fuzz-smoke:
	$(FUZZ) --seconds=10

# All suites of tests/python, or one by its folder's name.
PYTEST = CREDPROBE_BIN=$(SHIPPED) CREDPROBE_SANDBOX_BIN=$(SANDBOX) CREDPROBE_IMAGES=$(IMAGE) CREDPROBE_BINARIES="$(BINARIES)" CREDPROBE_REPORTS=$(REPORTS) \
  CREDPROBE_KUBECTL_BIN=$(PLUGIN) python3 tests/python/run.py
pytest: build sandbox kubectl image sandbox-image
	$(PYTEST) -m 'not nightly'

pytest-nightly: build sandbox image
	$(PYTEST) -m nightly

dependencies manifests page peers reports sdks: build sandbox
	$(PYTEST) $@

regions: build
	$(PYTEST) peers/test_partitions.py

debug-recipes: kubectl
	$(PYTEST) debug

kubectl-check: kubectl
	$(PYTEST) kubectl

containers: image sandbox-image
	$(PYTEST) containers

image-check: image
	$(PYTEST) image -m 'not nightly'

image-twice: image
	$(PYTEST) image -m nightly

# The image's time is that of the last commit, if there is a repository. It is set only here, because ring is rebuilt when it
# changes.
image: binaries
	SOURCE_DATE_EPOCH=$(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),0) \
	  python3 image/build.py --out=$(IMAGE) $(BINARIES:%=--binary=%)

sandbox-image: build sandbox
	python3 image/sandbox.py --out=$(IMAGE) --sandbox=$(SANDBOX) --probe=$(SHIPPED)

reproducible:
	bash image/reproducible.sh

lint:
	cargo fmt --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

# The nodes must be able to pull the images; IMAGE_NAME and SANDBOX_IMAGE_NAME are their names.
test-cluster: kubectl
	CREDPROBE_KUBECTL_BIN=$(PLUGIN) python3 tests/cluster/run.py $(if $(IMAGE_NAME),--image=$(IMAGE_NAME)) $(if $(SANDBOX_IMAGE_NAME),--sandbox-image=$(SANDBOX_IMAGE_NAME)) $(CLUSTER_FLAGS)

trial-cluster: image sandbox-image kubectl
	CREDPROBE_KUBECTL_BIN=$(PLUGIN) python3 tests/cluster/trial/run.py --cache=$(TRIAL) --images=$(IMAGE) -- \
	  python3 tests/cluster/run.py --image=credprobe:tested --sandbox-image=credprobe-sandbox:tested --pull-policy=Never $(CLUSTER_FLAGS)

# Advisories need the network beyond the package registry, so they are left to `cargo deny check advisories`.
deny:
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny --locked check bans licenses sources

# With an absolute path, because floor is built in its own folder, where the linker's script is not.
FLOOR_FLAGS = $(subst probe/no-unwind,$(abspath probe)/no-unwind,$(STATIC_FLAGS)) $(PATH_FLAGS)
FLOOR_DIR := $(abspath $(TARGET_DIR))/floor
floor:
	cd tests/bench/floor && $(FLAGS_VARIABLE)="$(FLOOR_FLAGS)" CARGO_TARGET_DIR=$(FLOOR_DIR) cargo build --release --locked --target $(HOST)

bench: build sandbox floor
	cargo build --locked -p credprobe --example peak
	CREDPROBE_BIN=$(SHIPPED) CREDPROBE_SANDBOX_BIN=$(SANDBOX) CREDPROBE_FLOOR_BIN=$(FLOOR_DIR)/$(HOST)/release/floor \
	  CREDPROBE_PEAK_BIN=$(abspath $(TARGET_DIR))/debug/examples/peak \
	  python3 tests/bench/run.py --cache=$(PEERS) --write=probe/docs/performance.md

bench-check: build
	CREDPROBE_BIN=$(SHIPPED) python3 tests/bench/instructions.py $(and $(RECORD),--record)

docs: build sandbox
	CREDPROBE_WRITE_DOCS=1 cargo test --locked -p credprobe-judge -p credprobe --lib --test scale -- current
	CREDPROBE_WRITE_SNAPSHOTS=1 CREDPROBE_BIN=$(SHIPPED) CREDPROBE_SANDBOX_BIN=$(SANDBOX) cargo test --locked -p credprobe --test scenarios --test command_line
	CREDPROBE_BIN=$(SHIPPED) python3 manifests/generate.py

# The steps before must not have written anything: the tests compare pages and snapshots.
current:
	git diff --exit-code

ci: $(CI_STEPS)

nightly: ci $(NIGHTLY_STEPS)

clean:
	cargo clean
