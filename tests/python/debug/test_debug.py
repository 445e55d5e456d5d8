"""`kubectl credprobe debug` and the recipes of manifests/debug, with a real kubectl on our own API server. See README.md."""

import copy
import json
import os
import re
import shutil
import subprocess
import tempfile
import textwrap
import unittest
from pathlib import Path

from debug.api_server import ApiServer
from lib import given

HERE = Path(__file__).parent
RECIPES = given.ROOT / "manifests" / "debug"
CHECKOUT = json.loads((HERE / "checkout.json").read_text())
POD = CHECKOUT["metadata"]["name"]
IMAGE = "registry.example.com/credprobe:0.1.0"
REPORT = "# ✗ access-denied 53: role checkout-reader does not accept service account shop/checkout\n"
# The permissions that README.md lists for the plugin's user.
OF_PLUGIN = {"get pods", "patch pods/ephemeralcontainers", "get pods/log"}
OF_RECIPES = OF_PLUGIN | {"list pods", "watch pods", "create pods/attach"}
# In seconds: far more than a case takes, and a hundredth of kubectl's own timeout.
LIMIT = 60



def path(folder: Path) -> str:
    """A PATH with kubectl and the plugin under their names."""
    given.program("dash")
    bin = folder / "bin"
    bin.mkdir(exist_ok=True)
    for name, program in [("kubectl", given.kubectl()), ("kubectl-credprobe", given.kubectl_plugin())]:
        (bin / name).unlink(missing_ok=True)
        (bin / name).symlink_to(program)
    return f"{bin}:{os.environ['PATH']}"


def ended(code: int, reason: str = "Error", message: str = "") -> dict:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


def waiting(reason: str, message: str) -> dict:
    return {"waiting": {"reason": reason, "message": message}}


def app(pod: dict) -> dict:
    return pod["spec"]["containers"][0]


def two_containers() -> dict:
    pod = copy.deepcopy(CHECKOUT)
    pod["spec"]["containers"].append({"name": "proxy", "image": "registry.example.com/proxy:1"})
    return pod


def command(folder: Path, api: ApiServer, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    """Runs with a separate environment, without the user's kubectl settings."""
    config = folder / "kubeconfig"
    config.write_text(
        json.dumps(
            {
                "clusters": [{"name": "loopback", "cluster": {"server": api.url}}],
                "contexts": [{"name": "loopback", "context": {"cluster": "loopback", "user": "dev", "namespace": "shop"}}],
                "users": [{"name": "dev", "user": {}}],
                "current-context": "loopback",
            }
        )
    )
    home = {"PATH": path(folder), "HOME": str(folder), "KUBECONFIG": str(config), "TMPDIR": str(folder), "CREDPROBE_IMAGE": IMAGE}
    return subprocess.run(
        arguments, env={**home, **variables}, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT
    )


class Case(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def plugin(self, api: ApiServer, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
        done = command(self.folder, api, given.kubectl_plugin(), *arguments, **variables)
        # The profile may contain keys, so it goes through a pipe and no file is made.
        left = {it.name for it in self.folder.iterdir()} - {"bin", "kubeconfig", ".kube", "stand-in", "pod.json", "name", "a folder"}
        self.assertEqual(left, set(), done)
        return done


class Plugin(Case):
    def test_probes_exit_code_and_report_are_passed_on(self) -> None:
        for code in (0, 21, 53):
            with self.subTest(code), ApiServer(CHECKOUT, ended(code), REPORT, allowed=OF_PLUGIN) as api:
                done = self.plugin(api, POD, "-n", "shop")
                self.assertEqual((done.returncode, done.stdout), (code, REPORT), done)
                self.assertEqual(set(api.asked), OF_PLUGIN)

    def test_debug_container_has_the_profile_and_nothing_else(self) -> None:
        with ApiServer(CHECKOUT, ended(0, "Completed")) as api:
            done = self.plugin(api, POD)
        self.assertEqual(done.returncode, 0, done)
        (added,) = api.added
        self.assertRegex(added.pop("name"), r"^credprobe-[0-9a-f]{5}$")
        env = app(CHECKOUT)["env"]
        expected = {
            "image": IMAGE,
            "args": ["check", "--target-pid=auto"],
            "targetContainerName": "app",
            "env": [env[0], *env[2:]],
            "volumeMounts": [app(CHECKOUT)["volumeMounts"][2]],
            # The container's own settings, and what `restricted` adds.
            "securityContext": {
                **app(CHECKOUT)["securityContext"],
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "resources": {},
            "terminationMessagePolicy": "File",
        }
        self.assertEqual(added, expected)

    def test_flags_arrive_as_they_are(self) -> None:
        flags = ["--expect-subject=shop/a b", "--ca-bundle=it's \"here\" $HOME", "--tolerate=*", "", "--within=3"]
        with ApiServer(CHECKOUT, ended(0)) as api:
            done = self.plugin(api, POD, "--within=20", "--", *flags)
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(api.added[0]["args"], ["check", "--target-pid=auto", *flags])

    def test_a_target_of_the_users_is_kept(self) -> None:
        with ApiServer(CHECKOUT, ended(0)) as api:
            self.plugin(api, POD, "--", "--target-pid=7")
        self.assertEqual(api.added[0]["args"], ["check", "--target-pid=7"])

    def test_container_named_is_taken(self) -> None:
        with ApiServer(two_containers(), ended(0)) as api:
            done = self.plugin(api, "-c", "app", f"pod/{POD}")
        self.assertEqual((done.returncode, api.added[0]["targetContainerName"]), (0, "app"), done)

    def test_default_container_is_taken(self) -> None:
        pod = two_containers()
        pod["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "app"}
        with ApiServer(pod, ended(0)) as api:
            done = self.plugin(api, POD)
        self.assertEqual((done.returncode, api.added[0]["targetContainerName"]), (0, "app"), done)

    def test_one_of_two_containers_must_be_named(self) -> None:
        for flags in ([], ["-c", "sidecar"]):
            with self.subTest(flags), ApiServer(two_containers(), ended(0)) as api:
                done = self.plugin(api, POD, *flags)
                self.assertEqual((done.returncode, done.stdout, api.added), (2, "", []), done)
                self.assertIn("app, proxy", done.stderr)

    def test_container_that_does_not_run_is_judged_by_its_spec(self) -> None:
        pod = copy.deepcopy(CHECKOUT)
        pod["status"]["containerStatuses"][0]["state"] = waiting("CrashLoopBackOff", "back-off 5m0s")
        with ApiServer(pod, ended(53), REPORT) as api:
            done = self.plugin(api, POD)
        self.assertEqual((done.returncode, done.stdout), (53, REPORT), done)
        self.assertEqual(api.added[0]["args"], ["check"])
        self.assertNotIn("targetContainerName", api.added[0])

    def test_user_of_the_image_comes_from_the_status(self) -> None:
        pod = copy.deepcopy(CHECKOUT)
        del app(pod)["securityContext"]
        pod["status"]["containerStatuses"][0]["user"] = {"linux": {"uid": 4000, "gid": 4001}}
        with ApiServer(pod, ended(0)) as api:
            done = self.plugin(api, POD)
        added = api.added[0]["securityContext"]
        self.assertEqual((added["runAsUser"], added["runAsGroup"], done.returncode), (4000, 4001, 0), done)

    def test_unknown_user_is_said(self) -> None:
        pod = copy.deepcopy(CHECKOUT)
        del app(pod)["securityContext"], pod["status"]["containerStatuses"][0]["user"]
        with ApiServer(pod, ended(3)) as api:
            done = self.plugin(api, POD)
        self.assertEqual(done.returncode, 3, done)
        self.assertIn("use --custom with its runAsUser and runAsGroup", done.stderr)

    def test_root_gets_no_profile_that_forbids_root(self) -> None:
        pod = copy.deepcopy(CHECKOUT)
        pod["spec"]["securityContext"] = {"runAsUser": 1000}
        app(pod)["securityContext"] = {"runAsUser": 0}
        with ApiServer(pod, ended(0)) as api:
            done = self.plugin(api, POD)
        self.assertEqual((done.returncode, api.added[0]["securityContext"]), (0, {"runAsUser": 0, "runAsGroup": 1000}), done)

    def test_custom_profile_replaces_ours(self) -> None:
        with ApiServer(CHECKOUT, ended(0)) as api:
            done = self.plugin(api, POD, "--profile=general", "--custom", str(RECIPES / "profile-r3.json"))
        self.assertEqual(done.returncode, 0, done)
        self.assertNotIn("env", api.added[0])
        expected = {"runAsUser": 0, "runAsNonRoot": False, "capabilities": {"add": ["SYS_PTRACE"]}}
        self.assertEqual(api.added[0]["securityContext"], expected)

    def test_image_that_cannot_be_pulled_is_3_and_why(self) -> None:
        state = waiting("ErrImagePull", 'failed to pull image "x": not found')
        with ApiServer(CHECKOUT, state) as api:
            done = self.plugin(api, POD)
        self.assertEqual((done.returncode, done.stdout), (3, ""), done)
        self.assertRegex(done.stderr, r'credprobe-\w{5} did not start: ErrImagePull: failed to pull image "x": not found\n$')

    def test_container_that_cannot_be_started_is_3_and_why(self) -> None:
        states = [
            waiting("CreateContainerConfigError", "container has runAsNonRoot and\nimage will run as root"),
            ended(128, "StartError", "exec: credprobe: not found"),
        ]
        for state in states:
            with self.subTest(state), ApiServer(CHECKOUT, state) as api:
                done = self.plugin(api, POD)
                self.assertEqual((done.returncode, done.stdout), (3, ""), done)
                (why,) = state.values()
                message = why["message"].replace("\n", r"\u{a}")
                self.assertIn(f"did not start: {why['reason']}: {message}\n", done.stderr)

    def test_what_the_node_says_is_printed_without_control_characters(self) -> None:
        # ESC, CR, BEL, DEL, C1's CSI, and characters that override the direction.
        hostile = "a\x1b[2Jb\rc\x07d\x7fe\x9b2Jf\u202eg\u2066h"
        states = [waiting("ErrImagePull", hostile), ended(128, "StartError", hostile), ended(53, message=hostile)]
        for state in states:
            with self.subTest(state), ApiServer(CHECKOUT, state, REPORT, allowed=OF_PLUGIN - {"get pods/log"}) as api:
                done = self.plugin(api, POD)
                self.assertIn(r"a\u{1b}[2Jb\u{d}c\u{7}d\u{7f}e\u{9b}2Jf\u{202e}g\u{2066}h", done.stdout + done.stderr)
                unseen = re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", done.stdout + done.stderr)
                self.assertEqual(unseen, [])

    def test_end_without_an_exit_code_is_3(self) -> None:
        for code in (None, 256, -1, 0.5, "0; touch x"):
            with self.subTest(code), ApiServer(CHECKOUT, ended(code)) as api:
                stand_in = self.kubectl(f"""
                    case "$*" in
                      *" debug "*) sed -n 's/.*--container=\\([^ ]*\\).*/\\1/p' >"$HOME/name" <<END
                $*
                END
                      ;;
                      *) jq --arg name "$(cat "$HOME/name" 2>/dev/null)" --argjson code '{json.dumps(code)}' \\
                        '.status.ephemeralContainerStatuses = [{{$name, state: {{terminated: {{exitCode: $code}}}}}}]' "$HOME/pod.json" ;;
                    esac""")
                (self.folder / "pod.json").write_text(json.dumps(CHECKOUT))
                done = self.plugin(api, POD, PATH=stand_in)
                self.assertEqual((done.returncode, done.stdout), (3, ""), done)
                self.assertIn("it has no exit code", done.stderr)

    def test_answer_that_is_not_a_pod_is_3(self) -> None:
        for answer in ("", "{", "[]", "null", '{"kind": "Pod"}', '{"spec": {"containers": [7]}}'):
            with self.subTest(answer), ApiServer(CHECKOUT, ended(0)) as api:
                done = self.plugin(api, POD, PATH=self.kubectl(f"printf %s '{answer}'"))
                self.assertEqual((done.returncode, done.stdout), (3, ""), done)
                self.assertIn("what kubectl printed is not a pod", done.stderr)

    def kubectl(self, script: str) -> str:
        """A PATH with a kubectl that prints what no API server says."""
        stand_in = self.folder / "stand-in" / "kubectl"
        stand_in.parent.mkdir(exist_ok=True)
        stand_in.write_text(f"#!/bin/sh\n{textwrap.dedent(script)}\n")
        stand_in.chmod(0o755)
        return f"{stand_in.parent}:{path(self.folder)}"

    def test_container_that_does_not_end_is_3_after_the_time_given(self) -> None:
        with ApiServer(CHECKOUT, {"running": {"startedAt": "2026-11-22T00:00:00Z"}}) as api:
            done = self.plugin(api, POD, "--within=2")
        self.assertEqual((done.returncode, done.stdout), (3, ""), done)
        self.assertIn("did not end within 2 s (running)", done.stderr)

    def test_killed_container_is_told_from_a_verdict(self) -> None:
        with ApiServer(CHECKOUT, ended(137, "OOMKilled")) as api:
            done = self.plugin(api, POD)
        self.assertEqual(done.returncode, 137, done)
        self.assertIn("was killed: OOMKilled", done.stderr)

    def test_refusal_by_admission_is_3_with_its_message(self) -> None:
        refusal = f'pods "{POD}" is forbidden: violates PodSecurity "restricted:latest": unrestricted capabilities'
        with ApiServer(CHECKOUT, ended(0), refusal=refusal) as api:
            done = self.plugin(api, POD)
        self.assertEqual((done.returncode, done.stdout, api.added), (3, "", []), done)
        self.assertIn(refusal, done.stderr.splitlines()[-1])

    def test_refusal_by_rbac_is_3_with_its_message(self) -> None:
        for missing in sorted(OF_PLUGIN - {"get pods/log"}):
            with self.subTest(missing), ApiServer(CHECKOUT, ended(0), allowed=OF_PLUGIN - {missing}) as api:
                done = self.plugin(api, POD)
                self.assertEqual((done.returncode, done.stdout, api.added), (3, "", []), done)
                self.assertIn('User "dev" cannot', done.stderr.splitlines()[-1])

    def test_without_logs_there_is_the_termination_message(self) -> None:
        line = "access-denied 53: role checkout-reader does not accept service account shop/checkout"
        with ApiServer(CHECKOUT, ended(53, message=line), REPORT, allowed=OF_PLUGIN - {"get pods/log"}) as api:
            done = self.plugin(api, POD)
        self.assertEqual((done.returncode, done.stdout), (53, f"{line}\n"), done)

    def test_pod_that_is_not_there_or_has_ended_is_3(self) -> None:
        over = copy.deepcopy(CHECKOUT)
        over["status"]["phase"] = "Failed"
        for pod, name, why in [(CHECKOUT, "cart", 'pods "cart" not found'), (over, POD, "has ended")]:
            with self.subTest(why), ApiServer(pod, ended(0)) as api:
                done = self.plugin(api, name)
                self.assertEqual((done.returncode, api.added), (3, []), done)
                self.assertIn(why, done.stderr)

    def test_usage_errors_are_2_before_anything_is_asked(self) -> None:
        wrong = [
            [],
            ["--"],
            [POD, "other"],
            ["deployment/checkout"],
            [POD, "-n"],
            [POD, "-n", ""],
            [POD, "--output=json"],
            [POD, "--profile=root"],
            [POD, "--within=soon"],
            [POD, "--custom=/nowhere.json"],
        ]
        with ApiServer(CHECKOUT, ended(0)) as api:
            for arguments in wrong:
                with self.subTest(arguments):
                    done = self.plugin(api, *arguments)
                    self.assertEqual((done.returncode, done.stdout), (2, ""), done)
            without_image = self.plugin(api, POD, CREDPROBE_IMAGE="")
            self.assertEqual(without_image.returncode, 2, without_image)
            self.assertIn("--image", without_image.stderr)
        self.assertEqual(api.asked, [])

    def test_help_goes_to_stdout(self) -> None:
        with ApiServer(CHECKOUT, ended(0)) as api:
            for arguments, usage in [(["--help"], "Usage: kubectl credprobe"), (["debug", "--help"], "Usage: kubectl credprobe [debug] POD")]:
                done = self.plugin(api, *arguments)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn(usage, done.stdout)

    def test_the_word_may_be_left_out(self) -> None:
        for word in ([], ["debug"]):
            with self.subTest(word), ApiServer(CHECKOUT, ended(53), REPORT, allowed=OF_PLUGIN) as api:
                done = self.plugin(api, *word, POD, "-n", "shop")
                self.assertEqual((done.returncode, done.stdout, len(api.added)), (53, REPORT, 1), done)

    def test_kubectl_finds_it_by_a_link_in_the_path(self) -> None:
        bin = self.folder / "a folder"
        bin.mkdir()
        (bin / "kubectl-credprobe").symlink_to(os.path.relpath(given.kubectl_plugin(), bin.resolve()))
        with ApiServer(CHECKOUT, ended(53), REPORT) as api:
            done = command(self.folder, api, "kubectl", "credprobe", POD, "--context=loopback", PATH=f"{path(self.folder)}:{bin}")
        self.assertEqual((done.returncode, done.stdout), (53, REPORT), done)


class Recipes(Case):
    """The commands of README.md, exactly as they are written there."""

    def test_each_adds_its_container_and_prints_report_and_code(self) -> None:
        readme = (RECIPES / "README.md").read_text()
        recipes = dict(re.findall(r"<!-- recipe: (R\d) -->\n```sh\n(.*?)```", readme, re.DOTALL))
        self.assertEqual(set(recipes), {"R1", "R2", "R3"})
        for name, script in recipes.items():
            with self.subTest(name), ApiServer(CHECKOUT, ended(53), REPORT, allowed=OF_RECIPES) as api:
                folder = self.folder / name
                shutil.copytree(RECIPES, folder)
                done = command(folder, api, "dash", "-euc", script)
                self.assertEqual(done.returncode, 0, done)
                self.assertEqual(done.stdout.splitlines()[-2:], [REPORT.rstrip(), "53"], done)
                added = api.added[0]
                self.assertEqual((added["targetContainerName"], added["image"]), ("app", IMAGE))
                self.assertEqual(added["args"], ["check", "--target-pid=auto"])
                user = added["securityContext"]["runAsUser"]
                self.assertEqual((user, "env" in added), (0 if name == "R3" else 1000, name == "R1"))

    def test_files_parse(self) -> None:
        for file in RECIPES.glob("*.json"):
            with self.subTest(file.name):
                self.assertIsInstance(json.loads(file.read_text()), dict)
