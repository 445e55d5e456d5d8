//! Fuzzes `/proc/PID/status`, `environ` and `mountinfo`.
#![no_main]
credprobe_fuzz::target!(proc_files);
