//! Fuzzes a trust policy, bare or as `aws iam get-role` prints it.
#![no_main]
credprobe_fuzz::target!(trust_policy);
