//! Fuzzes the two files of profiles.
#![no_main]
credprobe_fuzz::target!(profile_files);
