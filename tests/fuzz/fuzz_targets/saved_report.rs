//! Fuzzes a saved report.
#![no_main]
credprobe_fuzz::target!(saved_report);
