#![no_main]
credprobe_fuzz::target!(proc_files);
