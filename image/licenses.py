"""The licences of what is linked into the binary, with their texts, because most of them require that the text is passed on."""

from pathlib import Path

from crates import ROOT, Crate

# Licences, and the notices that belong to them.
NAMES = ("LICEN", "COPY", "NOTICE", "UNLICENSE")
# These are not crates, but they are in the binary.
BESIDES = """\
Besides the crates the binary holds parts of
  Rust's standard library: MIT OR Apache-2.0, with third parties of its own (https://github.com/rust-lang/rust)
  the GNU C library, linked statically: LGPL-2.1-or-later (https://sourceware.org/glibc), from the builder's package libc6-dev.
With the project's sources anyone can link it anew with another C library: `make build`.
"""


def listed(crates: list[Crate]) -> str:
    rows = []
    owners: dict[str, list[str]] = {}
    for crate in crates:
        files = texts(crate)
        rows.append(f"{crate}: {crate.license}{'' if files else ' (the crate brings no text)'}")
        for file in files:
            text = "\n".join(line.rstrip() for line in file.read_text(errors="replace").strip().splitlines())
            owners.setdefault(text, []).append(f"{crate} ({file.name})")
    parts = [f"{crates[0]} is made of these crates:\n\n" + "\n".join(rows) + "\n", BESIDES]
    for text, its in sorted(owners.items(), key=lambda it: it[1]):
        parts.append(f"{'=' * 100}\n" + "\n".join(its) + f"\n\n{text}\n")
    return "\n".join(parts)


def texts(crate: Crate) -> list[Path]:
    folder = crate.folder if crate.sha256 else ROOT
    return sorted(it for it in folder.iterdir() if it.name.upper().startswith(NAMES) and it.is_file())
