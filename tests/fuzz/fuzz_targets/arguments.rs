//! Fuzzes arguments and environment.
#![no_main]
credprobe_fuzz::target!(arguments);
