"""Rules, dashboard and monitor: checked by promtool, and against the names that /metrics serves."""

import json
import re
import shutil
import sys
from pathlib import Path

from lib import given
from manifests import served, tree
from manifests.case import Case, ran

MONITORING = tree.ROOT / "manifests" / "monitoring"
RULES = MONITORING / "credprobe.rules.yaml"
# Excludes what the rules themselves record, as in workload:credprobe_not_ready:count.
METRIC = re.compile(r"(?<!:)\bcredprobe_[a-z_]+")
SELECTED = re.compile(r"\b(credprobe_[a-z_]+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
# Labels that Prometheus, not /metrics, adds to each sample of a pod. The rules derive `workload` from the pod's name.
OF_THE_SCRAPE = {"namespace", "pod", "job", "instance", "container", "endpoint", "workload"}
GROUPED = re.compile(r"\b(?:by|ignoring|on)\s*\(([^)]*)\)")


def alerts() -> list[str]:
    (rules,) = tree.parsed(RULES.read_text())
    return [it["expr"] for group in rules["groups"] for it in group["rules"]]


def panels() -> list[dict]:
    return json.loads((MONITORING / "dashboard.json").read_text())["panels"]


def queries() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def unknown(queries: list[str], answer: str) -> list[str]:
    """Names, labels and label values that the answer lacks, or that it has only with --metrics=full."""
    samples = served.samples(answer)
    found = []
    for query in queries:
        for name in set(METRIC.findall(query)):
            if name not in samples or name == "credprobe_class":
                found.append(f"{name} is not served: {query}")
        for name, selectors in SELECTED.findall(query):
            for label, operator, value in MATCHER.findall(selectors):
                values = samples.get(name, {}).get(label, set())
                if label not in OF_THE_SCRAPE and (operator == "=" and value not in values or not values):
                    found.append(f"{name} has no {label}={value}: {query}")
        # A recorded series has the labels of the metrics that its name contains.
        known = {it for name in re.findall(r"credprobe_[a-z_]+", query) for it in samples.get(name, {})} | OF_THE_SCRAPE
        for labels in GROUPED.findall(query):
            found += [f"no {it} to group by: {query}" for it in re.findall(r"\w+", labels) if it not in known]
    return found


class Promtool(Case):
    def test_rules_are_valid(self) -> None:
        done = ran("promtool", "check", "rules", "--lint-fatal", RULES)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_alerts(self) -> None:
        self.assertEqual(self.run_tests(RULES.read_text()), [])

    def run_tests(self, rules: str) -> list[str]:
        shutil.copy(tree.ROOT / "tests" / "python" / "manifests" / "alerts.test.yaml", self.folder)
        (self.folder / RULES.name).write_text(rules)
        done = ran("promtool", "test", "rules", "alerts.test.yaml", cwd=self.folder)
        return [] if done.returncode == 0 else [done.stdout + done.stderr]

    def test_each_alert_is_needed_by_its_test(self) -> None:
        """If a threshold or a guard is changed, the tests above fail."""
        text = RULES.read_text()
        for old, new in [
            ("credprobe_ready == 0", "credprobe_ready == 1"),
            ("for: 10m", "for: 1m"),
            ("for: 10m", "for: 30m"),
            ("sum by (namespace, workload) (workload:credprobe_not_ready", "sum by (namespace, workload, class) (workload:credprobe_not_ready"),
            ('but!=""', 'class!="ready"'),
            ("{6,10})?-", "{6,10})-"),
            ("|[0-9]+)", ")"),
            ("max by (namespace, workload)", "min by (namespace, workload)"),
            ("#credprobestale", "#credprobeabsent"),
            ('unless ignoring (result) increase(credprobe_exchanges_total{result="ok"}[30m]) > 0', ""),
            ("0.1 * (", "0.3 * ("),
            (" > 0) > 3 * 3600", " > -1) > 3 * 3600"),
            ("3 * 3600", "4 * 3600"),
            ("or absent(credprobe_build_info)", ""),
            ("offset 1h", "offset 1m"),
        ]:
            with self.subTest(old):
                self.assertIn(old, text)
                self.assertNotEqual(self.run_tests(text.replace(old, new)), [])

    def test_dashboard_queries_are_valid(self) -> None:
        """Checked as recording rules, because promtool does not read dashboards."""
        rules = [{"record": f"panel:{number}", "expr": plain(it)} for number, it in enumerate(queries())]
        file = self.folder / "panels.yaml"
        file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
        done = ran("promtool", "check", "rules", file)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"{len(panels())} rules found", done.stdout)


def plain(query: str) -> str:
    return query.replace("$namespace", ".*").replace("$pod", ".*")


class Names(Case):
    def answer(self) -> str:
        # Passed as text, because the pod's user may not be able to read this folder.
        script = [sys.executable, "-I", "-B", "-c", Path(served.__file__).read_text(), given.probe()]
        done = ran("sandbox", "--scenario=healthy", "--", *script)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def test_rules_and_dashboard_name_only_what_is_served(self) -> None:
        answer = self.answer()
        self.none(unknown(alerts() + queries(), answer))
        for query in ("credprobe_redy == 0", 'credprobe_exchanges_total{result="failed"}', "sum by (stage) (credprobe_ready)"):
            with self.subTest(query):
                self.assertNotEqual(unknown([query], answer), [])

    def test_each_metric_of_the_rules_is_in_the_dashboard(self) -> None:
        self.assertLessEqual(set(METRIC.findall(" ".join(alerts()))), set(METRIC.findall(" ".join(queries()))))


class Dashboard(Case):
    def test_grafanas_own_models_know_all_of_it(self) -> None:
        """Grafana would ignore everything that does not survive a round trip through its models."""
        whole = json.loads((MONITORING / "dashboard.json").read_text())
        self.none(lost(whole, through_grafanas_models(whole)))
        whole["panels"][0]["titel"] = "Ready"
        whole["templating"]["list"][1]["multiple"] = True
        self.assertEqual(len(lost(whole, through_grafanas_models(whole))), 2)

    def test_each_class_is_shown_in_words(self) -> None:
        (codes,) = mapped("byType")
        for names in mapped("byName"):
            self.assertEqual({it["text"] for it in names.values()}, {it["text"] for it in codes.values()})
            self.assertEqual(names["access-denied"]["text"], "access-denied 53")
        self.assertEqual((codes["53"]["text"], codes["0"]["color"]), ("access-denied 53", "green"))
        owners = {it["owner"] for it in classes() if it["owner"]}
        self.assertEqual(len({it["color"] for it in codes.values()}), len(owners) + 1, "a colour for each owner")

    def test_hourly_events_are_counted_over_an_hour(self) -> None:
        """A rate of 0.0003 per second would look like a flat line at zero."""
        self.none([query for query in queries() + alerts() if "rate(" in query])


def through_grafanas_models(whole: dict) -> dict:
    from grafana_foundation_sdk.cog import encoder, plugins
    from grafana_foundation_sdk.models import dashboard

    plugins.register_default_plugins()
    return json.loads(encoder.JSONEncoder().encode(dashboard.Dashboard.from_json(whole)))


def lost(one: object, other: object, where: str = "") -> list[str]:
    """The parts of `one` that `other` lacks."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [it for name in one for it in (lost(one[name], other[name], f"{where}/{name}") if name in other else [f"{where}/{name}"])]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [it for number, pair in enumerate(zip(one, other)) for it in lost(*pair, f"{where}/{number}")]
    return [] if one == other else [where]


def mapped(matcher: str) -> list[dict]:
    overrides = [it for panel in panels() for it in panel["fieldConfig"]["overrides"] if it["matcher"]["id"] == matcher]
    return [value["options"] for it in overrides for property in it["properties"] if property["id"] == "mappings" for value in property["value"]]


def classes() -> list[dict]:
    return json.loads(ran(given.probe(), "explain", "--output=json").stdout)["classes"]


class Objects(Case):
    def test_each_alert_has_its_runbook(self) -> None:
        """Each alert's link leads to a heading of that page."""
        (rules,) = tree.parsed(RULES.read_text())
        for rule in (it for group in rules["groups"] for it in group["rules"] if "alert" in it):
            page, _, heading = rule["annotations"]["runbook_url"].partition("#")
            self.assertEqual(heading, rule["alert"].lower())
            self.assertIn(f"\n### {rule['alert']}\n", (tree.ROOT / page).read_text())

    def test_operators_object_has_the_same_rules(self) -> None:
        (rules,) = tree.parsed(RULES.read_text())
        (object,) = tree.parsed((MONITORING / "prometheus-rule.yaml").read_text())
        self.assertEqual(object["spec"]["groups"], rules["groups"])

    def test_monitor_finds_the_sidecars_port(self) -> None:
        (monitor,) = tree.parsed((MONITORING / "pod-monitor.yaml").read_text())
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        for file in ("native-sidecar.yaml", "readiness-gate/deployment.yaml"):
            (object,) = tree.parsed((tree.ROOT / "manifests" / file).read_text())
            (probe,) = tree.probes(tree.pod_spec(object))
            self.assertEqual(probe["ports"], [{"name": endpoint["port"], "containerPort": 9809}])

    def test_dashboard_has_no_two_panels_in_one_place(self) -> None:
        taken = [(x, y) for it in panels() for x in columns(it) for y in rows(it)]
        self.assertEqual(len(taken), len(set(taken)))
        self.assertEqual(len({it["id"] for it in panels()}), len(panels()))
        self.assertTrue(all(it["targets"] and it["title"] and it["description"] for it in panels()))


def columns(panel: dict) -> range:
    place = panel["gridPos"]
    assert place["x"] + place["w"] <= 24, panel["title"]
    return range(place["x"], place["x"] + place["w"])


def rows(panel: dict) -> range:
    return range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
