#![no_main]
credprobe_fuzz::target!(profile_files);
