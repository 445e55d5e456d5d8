#![no_main]
credprobe_fuzz::target!(sts_answer);
