//! Fuzzes STS's answers to the exchange and to GetCallerIdentity.
#![no_main]
credprobe_fuzz::target!(sts_answer);
