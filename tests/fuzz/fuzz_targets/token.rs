//! Fuzzes the content of the token file.
#![no_main]
credprobe_fuzz::target!(token);
