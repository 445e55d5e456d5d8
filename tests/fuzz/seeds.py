"""Writes the corpora that the fuzzer starts from, out of tests/scenarios and a few texts written here: `seeds.py`.
CREDPROBE_BIN and CREDPROBE_SANDBOX_BIN name the binaries whose reports are seeds too.

The corpora are small on purpose: what the fuzzer finds beyond them is kept in a cache, not in the repository.
"""
import base64
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
SCENARIOS = HERE.parent / "scenarios"
# The same as in probe/src/transport/canned.rs and probe/src/fuzz.rs.
BETWEEN = b"\n---\n"
IN_TOKEN = "MarkOfTheTokenThatNobodyMayPrint"
IN_CREDENTIALS = "MarkOfTheKeysWhichNobodyMayPrint"
NOW = 1_795_255_200
ROLE = "arn:aws:iam::814203749616:role/checkout-reader"
ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
KID = "073895fd1a2c6bf116077e16528d7eafd23204bb"
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
# For all seeds of one target together.
LIMIT = 32 * 1024
LONGEST = 10 * 1024
# These contain a new key or other times in each run. Existing ones are kept, so that the corpus does not change for nothing.
NEW_EACH_TIME = ("certificate", "saved_report")
# The scenarios whose reports are seeds, of different lengths.
REPORTS = ("healthy", "not-injected", "access-denied", "dns-failed")


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def token(header: dict | None = None, claims: dict | None = None) -> str:
    header = {"alg": "RS256", "kid": KID, **(header or {})}
    claims = {
        "aud": ["sts.amazonaws.com"], "exp": NOW + 86_400, "iat": NOW, "nbf": NOW, "iss": ISSUER,
        "sub": "system:serviceaccount:shop:checkout", **(claims or {}),
    }
    parts = [{name: value for name, value in part.items() if value is not None} for part in (header, claims)]
    return ".".join([*(base64url(json.dumps(part).encode()) for part in parts), IN_TOKEN])


def http(status: int, body: str, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} -\r\n{headers}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def error(code: str, message: str) -> str:
    return (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{message}</Message></Error><RequestId>c0ffee</RequestId></ErrorResponse>"
    )


STS_HEADERS = "x-amzn-RequestId: c0ffee\r\nDate: Sat, 21 Nov 2026 10:00:00 GMT\r\nContent-Type: text/xml\r\n"
ISSUED = (
    f'<AssumeRoleWithWebIdentityResponse xmlns="{NAMESPACE}"><AssumeRoleWithWebIdentityResult>'
    "<Audience>sts.amazonaws.com</Audience><AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:x</AssumedRoleId>"
    "<Arn>arn:aws:sts::814203749616:assumed-role/checkout-reader/credprobe</Arn></AssumedRoleUser>"
    f"<Credentials><AccessKeyId>ASIAEXAMPLEEXAMPLE00</AccessKeyId><SecretAccessKey>{IN_CREDENTIALS}</SecretAccessKey>"
    f"<SessionToken>{IN_CREDENTIALS}</SessionToken><Expiration>2026-11-21T11:00:00Z</Expiration></Credentials>"
    f"<Provider>{ISSUER}</Provider><SubjectFromWebIdentityToken>system:serviceaccount:shop:checkout"
    "</SubjectFromWebIdentityToken></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
)
IDENTITY = (
    f'<GetCallerIdentityResponse xmlns="{NAMESPACE}"><GetCallerIdentityResult>'
    "<Arn>arn:aws:sts::814203749616:assumed-role/checkout-reader/credprobe</Arn><UserId>AROAEXAMPLE:x</UserId>"
    "<Account>814203749616</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)
STATUS = (
    "Name:\tapp\nState:\tS (sleeping)\nPid:\t7\nPPid:\t1\nUid:\t1000\t1001\t1002\t1003\nGid:\t4\t5\t6\t7\n"
    "Groups:\t10 20 \nVmSize:\t 100 kB\nCapPrm:\t0000000000080400\nCapEff:\t0000000000000002\n"
    "CapBnd:\t000001ffffffffff\nNoNewPrivs:\t1\nSeccomp:\t2\nKthread:\t0\n"
)
MOUNTS = (
    "22 1 0:21 / /proc rw shared:5 - proc proc rw\n700 690 0:88 /..2026_11_21_10/token//deleted "
    "/run/secrets/eks.amazonaws.com/serviceaccount/token ro - tmpfs tmpfs rw\n1 2 0:1 /a\\040b /c\\134d - x\n"
)


def everything() -> dict[str, list[bytes]]:
    seeds: dict[str, list[bytes]] = {name: [] for name in TARGETS}
    token_of_pod = token()
    add = lambda target, seed: seeds[target].append(seed if isinstance(seed, bytes) else seed.encode())
    cases = {name: case for path in SCENARIOS.glob("*.json") for name, case in json.loads(path.read_text()).items()}
    for _, scenario in sorted(cases.items()):
        spec = scenario.get("token", {})
        if spec:
            minted = spec.get("bytes") or token(spec.get("header"), spec.get("claims"))
            if spec.get("base64"):
                minted = base64.b64encode(minted.encode()).decode()
            add("token", spec.get("prepend", "") + minted + spec.get("append", ""))
        if answer := scenario.get("answer"):
            headers = "".join(f"{name}: {value}\r\n" for name, value in answer.get("headers", {}).items())
            own = "body" not in answer
            body = error(answer["code"], answer["message"]) if own else answer["body"]
            add("sts_answer", http(answer["status"], body, STS_HEADERS if own else headers))
        if answer := scenario.get("agent", {}).get("answer"):
            add("agent_answer", http(answer["status"], answer["body"], "Content-Type: text/plain; charset=utf-8\r\n"))
        for role in (role for account in scenario.get("accounts", []) for role in account.get("roles", [])):
            if policy := role.get("trust_policy"):
                add("trust_policy", json.dumps(policy))
        if profile := scenario.get("profile"):
            add("profile_files", "[default]\nregion=eu-west-1\n\n---\n" + profile)
        if arguments := scenario.get("args"):
            add("arguments", "check\n" + "\n".join(arguments))

    add("token", token_of_pod)
    add("token", token({"alg": "none", "kid": None}))
    add("sts_answer", BETWEEN.join([http(200, ISSUED, STS_HEADERS), http(200, IDENTITY, STS_HEADERS)]))
    add("sts_answer", http(400, error("InvalidIdentityToken", f"Provided Token {token_of_pod} is invalid."), STS_HEADERS))
    add("sts_answer", http(403, "<html><body>Blocked</body></html>", "Content-Type: text/html\r\n"))
    add("sts_answer", http(400, "<Error><Code>AccessDenied</Code><Message>&#x41;&amp;</Message></Error>"))
    add("sts_answer", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n<a/> \r\n0\r\nX: y\r\n\r\n")
    plain = "Content-Type: text/plain; charset=utf-8\r\n"
    add("agent_answer", http(404, "404 page not found\n", plain))
    add("agent_answer", http(200, json.dumps({
        "AccessKeyId": "ASIAEXAMPLEEXAMPLE00", "SecretAccessKey": IN_CREDENTIALS, "Token": IN_CREDENTIALS,
        "AccountId": "814203749616", "Expiration": "2026-11-21T11:00:00Z"})))
    exception = "AccessDeniedException): Unauthorized Exception! EKS does not have permissions to assume the associated role."
    add("agent_answer", http(400, f"[c0ffee]: ({exception}, fault: client\n", plain))
    add("agent_answer", http(500, "unable to fetch credentials from EKS Auth: operation error EKS Auth: AssumeRoleForPodIdentity, "
        f"https response error StatusCode: 400, RequestID: c0ffee, ResourceNotFoundException: {token_of_pod}\n", plain))
    discovery = {
        "issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys", "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"]}
    modulus = base64url(hashlib.sha512(b"n").digest() * 4)
    keys = {"keys": [{"kty": "RSA", "kid": KID, "use": "sig", "alg": "RS256", "n": modulus, "e": "AQAB"}]}
    add("issuer_documents", BETWEEN.join([http(200, json.dumps(discovery)), http(200, json.dumps(keys))]))
    add("issuer_documents", http(200, json.dumps({**discovery, **keys})))
    add("issuer_documents", http(403, "{}"))
    with tempfile.TemporaryDirectory() as folder:
        for subject, curve in [("/CN=sts.eu-west-1.amazonaws.com/O=Example", "prime256v1")]:
            command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-nodes", "-days", "30",
                "-subj", subject, "-addext", "subjectAltName=DNS:sts.eu-west-1.amazonaws.com,IP:10.0.0.1",
                "-keyout", f"{folder}/key", "-out", f"{folder}/pem"]
            subprocess.run(command, check=True, capture_output=True)
            pem = pathlib.Path(f"{folder}/pem").read_text()
            add("certificate", pem)
            add("certificate", base64.b64decode("".join(pem.splitlines()[1:-1])))
    add("proc_files", STATUS)
    add("proc_files", MOUNTS)
    add("proc_files", f"AWS_ROLE_ARN={ROLE}\0PATH=/bin\0AWS_REGION=eu-west-1\0HOSTNAME")
    question = b"\x03sts\x09eu-west-1\x09amazonaws\x03com\0"
    for kind, data in ((1, bytes([10, 0, 12, 31])), (28, bytes(16)), (5, b"\xc0\x0c")):
        record = b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\0\x01\0\0\0\x1e" + len(data).to_bytes(2, "big") + data
        add("dns", b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0" + question + kind.to_bytes(2, "big") + b"\0\x01" + record)
    add("dns", "search shop.svc.cluster.local svc.cluster.local\nnameserver 10.100.0.10\noptions ndots:5 timeout:2 attempts:3 use-vc\n")
    add("dns", "127.0.0.1 localhost\n::1 ip6-localhost # x\nfe80::1%eth0 router\n")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::814203749616:oidc-provider/{ISSUER.removeprefix('https://')}"},
        "Condition": {"StringEquals": {f"{ISSUER.removeprefix('https://')}:aud": "sts.amazonaws.com"},
            "ForAnyValue:StringLike": {f"{ISSUER.removeprefix('https://')}:sub": ["system:serviceaccount:*:check?ut"]}}}]}
    add("trust_policy", json.dumps({"Role": {"Arn": ROLE, "AssumeRolePolicyDocument": policy}}))
    add("trust_policy", json.dumps(urllib.parse.quote(json.dumps(policy))))
    add("profile_files", f"[profile a]\nrole_arn = {ROLE}\nweb_identity_token_file=/t\nsource_profile=b\n s3 =\n  x = y\n[sso-session c]\nsso_region=x\n")
    for line in ("--help", "explain\naccess-denied", "judge\nx.json\n--output=json", "trust\n--policy=-", "chain\n--sdk=boto3",
                 "serve\n--listen=[::]:9809\n--interval=15s\n--hold=15m\n--readiness=strict",
                 "status\n--admin-listen=127.0.0.1:9810", "check\n--as-uid=1\n--as-gid=2\n--as-groups=1,2\n--tolerate=transient,53"):
        add("arguments", line)
    add("arguments", "check\0CREDPROBE_TIMEOUT=10s\nCREDPROBE_REPORT_ONLY=true\nCREDPROBE_DISABLED=why\nCREDPROBE_OUTPUT=json")
    for scenario in REPORTS:
        command = [os.environ["CREDPROBE_SANDBOX_BIN"], f"--scenario={scenario}", "--pod=always", "--",
            os.environ["CREDPROBE_BIN"], "check", "--output=json"]
        ran = subprocess.run(command, check=False, capture_output=True)
        add("saved_report", json.dumps(json.loads(ran.stdout), separators=(",", ":")))
    return seeds


TARGETS = sorted(path.stem for path in (HERE / "fuzz_targets").glob("*.rs"))


def main() -> None:
    for target, seeds in everything().items():
        kept = HERE / "corpus" / f"{target}.json"
        if target in NEW_EACH_TIME and kept.exists():
            continue
        total, chosen = 0, {}
        for seed in seeds:
            if len(seed) > LONGEST or total + len(seed) > LIMIT:
                continue
            total += len(seed)
            chosen[hashlib.sha1(seed).hexdigest()] = seed
        # Each byte is one character.
        kept.write_text(json.dumps([chosen[name].decode("latin-1") for name in sorted(chosen)], indent=1) + "\n")
        print(f"{target}: {len(chosen)} seeds")


if __name__ == "__main__":
    main()
