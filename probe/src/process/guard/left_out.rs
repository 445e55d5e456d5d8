//! Leaves out of the static binary what would be linked but never run: 620 kB. Each function that is defined here would
//! otherwise come from the C library or libgcc, and bring along what it calls.
#![expect(unsafe_code, reason = "symbols of C can be defined no other way")]

use std::arch::global_asm;
use std::ffi::{c_int, c_void};
use std::ptr;

/// `_URC_END_OF_STACK` of the Itanium C++ ABI.
const END_OF_STACK: c_int = 5;

// std's panic hook, which `install` replaces, walks the stack. This walk visits no frame. The optimiser sees that, and drops the
// code that reads DWARF, inflates it and demangles names.
// SAFETY: the signature is the ABI's; walking no frame is within its contract.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Backtrace(_each: *const c_void, _argument: *mut c_void) -> c_int {
    END_OF_STACK
}

extern "C" fn fails() -> c_int {
    -1
}

extern "C" fn finds_nothing() -> *const c_void {
    ptr::null()
}

extern "C" fn is_not_translated(_domain: *const c_void, message: *const c_void) -> *const c_void {
    message
}

extern "C" fn is_never_called() -> ! {
    std::process::abort()
}

// Weak, so that the C library's own definition wins where its object is linked for another reason: with another version of glibc
// the binary is larger, and nothing else changes. Chosen for glibc 2.36, and for what this process does:
// - pthread_getattr_np: std asks it for the main thread's stack, for which it reads /proc/self/maps with scanf. `guard` needs no
//   such range to tell that the stack is used up.
// - __vfprintf_internal: no text is formatted in C, except of error numbers that Linux does not define, which stay without one.
// - __dcgettext: no catalogue of translations, and no conversion of character sets.
// - __assert_fail: ends without the sentence, which nobody could use.
// - dlsym: a static binary has no table of symbols to look them up in.
// - __wcsmbs_…: conversion of wide characters, for stdio.
// - __libc_resp: the state of the C library's resolver, which each thread would get.
// - _Unwind_…, __gcc_personality_v0: a panic aborts, and no thread is cancelled.
global_asm!(
    ".macro instead_of name, ours",
    ".weak \\name",
    ".type \\name, %function",
    ".set \\name, \\ours",
    ".endm",
    "instead_of pthread_getattr_np, {fails}",
    "instead_of __vfprintf_internal, {fails}",
    "instead_of dlsym, {finds_nothing}",
    "instead_of __dcgettext, {is_not_translated}",
    "instead_of __assert_fail, {is_never_called}",
    "instead_of __wcsmbs_load_conv, {is_never_called}",
    "instead_of __wcsmbs_clone_conv, {is_never_called}",
    "instead_of __wcsmbs_named_conv, {is_never_called}",
    "instead_of _nl_cleanup_ctype, {is_never_called}",
    ".irp name, DeleteException, Find_FDE, ForcedUnwind, GetCFA, GetDataRelBase, GetIP, GetIPInfo, GetLanguageSpecificData, \
     GetRegionStart, GetTextRelBase, RaiseException, Resume, SetGR, SetIP",
    "instead_of _Unwind_\\name, {is_never_called}",
    ".endr",
    "instead_of __gcc_personality_v0, {is_never_called}",
    ".purgem instead_of",
    ".pushsection .rodata.__wcsmbs_gconv_fcts_c, \"a\"",
    ".balign 8",
    ".weak __wcsmbs_gconv_fcts_c",
    ".type __wcsmbs_gconv_fcts_c, %object",
    "__wcsmbs_gconv_fcts_c: .zero 32",
    ".popsection",
    ".pushsection .tbss.__libc_resp, \"awT\", %nobits",
    ".balign 8",
    ".weak __libc_resp",
    ".type __libc_resp, %object",
    "__libc_resp: .zero 8",
    ".popsection",
    fails = sym fails,
    finds_nothing = sym finds_nothing,
    is_not_translated = sym is_not_translated,
    is_never_called = sym is_never_called,
);
