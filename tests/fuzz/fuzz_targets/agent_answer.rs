#![no_main]
credprobe_fuzz::target!(agent_answer);
