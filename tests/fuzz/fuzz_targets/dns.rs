//! Fuzzes a name server's answers, and the files that name it.
#![no_main]
credprobe_fuzz::target!(dns);
