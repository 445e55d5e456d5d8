#![no_main]
credprobe_fuzz::target!(trust_policy);
