#!/usr/bin/env bash
# `check` (two STS calls) against curl doing one of them, in the same pod and the same run: make bench.
# Prints medians in milliseconds of whole processes, start to exit, taken in turns, and the ratio.
set -euo pipefail
runs=${RUNS:-200}
probe=$1
url="https://sts.$AWS_REGION.amazonaws.com/"

now() { echo "${EPOCHREALTIME/[.,]/}"; }
with_probe() { "$probe" check --output=json >/dev/null; }
locally() { "$probe" check --no-network --output=json >/dev/null; }
with_curl() {
  curl -sS --fail --cacert "$AWS_CA_BUNDLE" -o /dev/null "$url" \
    --data-urlencode Action=AssumeRoleWithWebIdentity --data-urlencode Version=2011-06-15 \
    --data-urlencode "RoleArn=$AWS_ROLE_ARN" --data-urlencode RoleSessionName=curl \
    --data-urlencode DurationSeconds=900 --data-urlencode "WebIdentityToken@$AWS_WEB_IDENTITY_TOKEN_FILE"
}
nothing() { /bin/true; }
time_of() { local start end; start=$(now); "$1"; end=$(now); echo $((end - start)); }

for what in with_probe with_curl locally nothing; do "$what"; eval "$what=()"; done # a first run of each: file cache, and it works at all
for ((i = 0; i < runs; i++)); do
  with_probe+=("$(time_of with_probe)")
  with_curl+=("$(time_of with_curl)")
  locally+=("$(time_of locally)")
  nothing+=("$(time_of nothing)")
done
row() { # name, times in microseconds
  local name=$1; shift
  printf '%s\n' "$@" | sort -n | awk -v name="$name" '
    {t[NR]=$1} END {printf "%-38s median %6.2f ms   5 %% %6.2f   95 %% %6.2f   runs %d\n",
      name, t[int((NR+1)/2)]/1000, t[int(NR*0.05)+1]/1000, t[int(NR*0.95)]/1000, NR}'
}
median() { printf '%s\n' "$@" | sort -n | awk '{t[NR]=$1} END {print t[int((NR+1)/2)]}'; }
row "check (two calls, HTTPS)" "${with_probe[@]}"
row "curl (one call, HTTPS)" "${with_curl[@]}"
row "check --no-network" "${locally[@]}"
row "/bin/true, the floor of this measuring" "${nothing[@]}"
awk -v a="$(median "${with_probe[@]}")" -v b="$(median "${with_curl[@]}")" 'BEGIN {printf "ratio check : curl %.2f\n", a/b}'
