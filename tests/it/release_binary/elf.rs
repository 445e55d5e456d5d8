//! What the file's ELF headers and its size say.
//! A library reads them, because images with the probe have no readelf, and CI need not have it either.

use libtest_mimic::Failed;
use object::{
    Object as _, ObjectKind, ObjectSection as _,
    elf::{DT_NEEDED, PT_DYNAMIC, PT_INTERP},
    read::elf::{Dyn as _, ElfFile64, FileHeader as _, ProgramHeader as _},
};
use std::{fs, path::Path};

/// Compressed it is less than half of that: pulling the image then costs at most one round trip more.
const SIZE_LIMIT: usize = 4_600_000;

pub(crate) fn is_static(file: &Path) -> Result<Result<(), String>, Failed> {
    let bytes = fs::read(file)?;
    let elf: ElfFile64<'_> = ElfFile64::parse(&*bytes)?;
    let endian = elf.endian();
    for header in elf.elf_header().program_headers(endian, &*bytes)? {
        if header.p_type(endian) == PT_INTERP {
            return Err("it asks for a dynamic loader".into());
        }
        let dynamic = header.dynamic(endian, &*bytes)?.unwrap_or_default();
        if header.p_type(endian) == PT_DYNAMIC && dynamic.iter().any(|entry| entry.tag(endian) == DT_NEEDED) {
            return Err("it needs a shared library".into());
        }
    }
    Ok(Ok(()))
}

pub(crate) fn is_stripped(file: &Path) -> Result<Result<(), String>, Failed> {
    let bytes = fs::read(file)?;
    let elf: ElfFile64<'_> = ElfFile64::parse(&*bytes)?;
    let left = |name: &str| name.starts_with(".debug") || [".symtab", ".strtab"].contains(&name);
    match elf.sections().filter_map(|section| section.name().ok()).find(|name| left(name)) {
        Some(name) => Err(format!("it still has a section {name}").into()),
        None => Ok(Ok(())),
    }
}

/// The kernel randomizes addresses only for such a file.
pub(crate) fn is_relocatable(file: &Path) -> Result<Result<(), String>, Failed> {
    let bytes = fs::read(file)?;
    let elf: ElfFile64<'_> = ElfFile64::parse(&*bytes)?;
    match elf.kind() {
        ObjectKind::Dynamic => Ok(Ok(())),
        kind => Err(format!("it is {kind:?}").into()),
    }
}

pub(crate) fn is_small(file: &Path) -> Result<Result<(), String>, Failed> {
    let size = fs::read(file)?.len();
    if size <= SIZE_LIMIT { Ok(Ok(())) } else { Err(format!("it has {size} bytes").into()) }
}
