#![no_main]
credprobe_fuzz::target!(arguments);
