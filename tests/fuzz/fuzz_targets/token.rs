#![no_main]
credprobe_fuzz::target!(token);
