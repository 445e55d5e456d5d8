//! Fuzzes the answer at the Pod Identity agent's address.
#![no_main]
credprobe_fuzz::target!(agent_answer);
