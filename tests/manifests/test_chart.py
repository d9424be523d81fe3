"""The chart renders what it should, and refuses what makes no sense. It needs the laboratory's Helm, and no cluster."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from certs.authority import subjects
from tests.lab import binaries, render
from tests.lab.errors import LabError
from tests.lab.shell import run
from webhook.certificates.names import names_in
from webhook.doors.classes.config import read_rules

pytestmark = pytest.mark.lab
PRODUCTION = f"--values={render.CHART / 'values-production.yaml'}"
PARTS = ("webhook", "plugin", "api", "logs", "controller")
FILES = (
    "--set=files.enabled=true",
    "--set=files.namespace=science",
    "--set=files.s3.endpoint=https://s3.example.com",
    "--set=files.s3.bucket=jobs",
)
CLASSES = (
    "--set=classes.enabled=true",
    "--set=classes.namespace=jobs",
    "--set=classes.rabbitmq.secret=rabbit",
    "--set=classes.workers.actor-jobs.command={python,/srv/job.py}",
    "--set=classes.workers.spark-jobs.command={python}",
    "--set=classes.config.classes.spark-jobs.run_by=workers",
)
Object = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    binaries.build("helm")
    binaries.build("kubectl")


def objects(*words: str) -> list[Object]:
    return [one for one in yaml.safe_load_all(render.template(*words)) if one]


def of(kind: str, *words: str) -> dict[str, Object]:
    """By name."""
    return {one["metadata"]["name"]: one for one in objects(*words) if one["kind"] == kind}


def pods(*words: str) -> Iterator[Object]:
    """The spec of every pod that an installation may make."""
    for one in objects(*words):
        if one["kind"] == "Pod":
            yield one["spec"]
        elif one["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield one["spec"]["template"]["spec"]


def environment(pod: Object) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in pod["containers"][0]["env"]}


@pytest.mark.parametrize("hold", ["none", "plugin"])
def test_where_a_namespace_names_no_hold_argos_pods_are_fenced_by_the_default(hold: str) -> None:
    [rule] = of("ValidatingAdmissionPolicy", f"--set=hold={hold}")["medea-runs-once"]["spec"]["validations"]
    assert f"[?'medea.dev/hold'].orValue('{hold}') != 'none'" in rule["expression"]


@pytest.mark.parametrize("words", [(), (PRODUCTION,)])
def test_helm_has_nothing_against_it(words: tuple[str, ...]) -> None:
    said = run([binaries.binary("helm"), "lint", "--strict", render.CHART, *words])
    assert "0 chart(s) failed" in said and "[WARNING]" not in said


def test_the_rendered_manifests_are_the_charts() -> None:
    for file, text in render.rendered().items():
        assert file.read_text() == text, "make manifests"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set=imgae=x"], "'imgae'"),
        (["--set=image=has a space"], "/image"),
        (["--set=image=medea@sha256:short"], "/image"),
        (["--set=webhook.replicas=0"], "/webhook/replicas"),
        (["--set=hold=suspend"], "/hold"),
        (["--set=settings.POSTGRESQL_URL=x"], "POSTGRESQL_URL"),
        (["--set=prometheus.url=prometheus:9090"], "/prometheus/url"),
        (["--set=postgres.embedded=false"], "no ledger: set ledger.secret"),
        (["--set=ledger.secret=x"], "two ledgers: ledger.secret is set"),
    ],
)
def test_values_that_make_no_sense_are_refused_by_name(words: list[str], said: str) -> None:
    with pytest.raises(LabError) as refused:
        render.template(*words)
    assert said in str(refused.value)


@pytest.mark.parametrize("image", ["registry.example:5000/medea", f"a/b/medea:1.2@sha256:{'0' * 64}"])
def test_one_value_is_the_image_of_every_part_and_of_the_agents(image: str) -> None:
    words = (f"--set=image={image}", "--set=logs.enabled=true")
    images = {one["containers"][0]["image"] for one in pods(*words)}
    assert images == {image, "docker.io/library/postgres:18"}
    told = {environment(one).get("MEDEA_PLUGIN_IMAGE") for one in pods(*words)}
    assert told == {image, None}


def test_names_of_the_namespace_and_of_argos_account_are_the_releases_own() -> None:
    words = ("--set=argo.namespace=flows", "--set=argo.serviceAccount=release-wc", "--set=logs.enabled=true")
    text = render.template("--namespace=elsewhere", *words)
    assert "medea-system" not in text and "argo:argo" not in text
    binding = of("ClusterRoleBinding", "--namespace=elsewhere", *words)["medea-argo-tasksets"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "release-wc", "namespace": "flows"}]
    webhooks = of("MutatingWebhookConfiguration", "--namespace=elsewhere", *words)["medea"]["webhooks"]
    conditions = " ".join(one["expression"] for one in webhooks[1]["matchConditions"])
    assert "system:serviceaccount:flows:release-wc" in conditions
    assert "system:serviceaccount:elsewhere:medea" in conditions


@pytest.mark.parametrize("words", [("--set=logs.enabled=true",), (PRODUCTION,), FILES, CLASSES])
def test_every_pod_is_as_restricted_as_can_be(words: tuple[str, ...]) -> None:
    for pod in pods(*words):
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        # Services are named medea-…, and the variables that Kubernetes would make of them are Medea's settings.
        assert pod["enableServiceLinks"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"] and container["resources"]["requests"]["cpu"]


def test_a_role_is_bound_to_an_account_that_exists() -> None:
    words = ("--set=logs.enabled=true", "--set=hold=plugin")
    accounts = set(of("ServiceAccount", *words))
    used = {pod["serviceAccountName"] for pod in pods(*words) if pod.get("automountServiceAccountToken", True)}
    assert used <= accounts
    subjects = {
        subject["name"]
        for one in objects(*words)
        if one["kind"].endswith("RoleBinding")
        for subject in one["subjects"]
        if subject["namespace"] == render.SYSTEM
    }
    assert subjects == accounts


def test_in_production_every_part_outlives_a_node() -> None:
    deployments, budgets = of("Deployment", PRODUCTION), of("PodDisruptionBudget", PRODUCTION)
    assert set(deployments) == set(budgets) == {f"medea-{part}" for part in PARTS}
    for name, one in deployments.items():
        spec = one["spec"]
        assert spec["replicas"] == 3 and spec["minReadySeconds"] > 0
        assert budgets[name]["spec"]["selector"] == spec["selector"]
        assert {two["topologyKey"] for two in spec["template"]["spec"]["topologySpreadConstraints"]}
    assert "StatefulSet" not in {one["kind"] for one in objects(PRODUCTION)}


def test_in_production_each_port_is_for_those_who_need_it() -> None:
    policies = of("NetworkPolicy", PRODUCTION, "--set=networkPolicy.apiserver={10.1.0.0/16}")
    ports = {
        rule["port"]: [key for who in ingress.get("from", []) for key in who]
        for one in policies.values()
        for ingress in one["spec"]["ingress"]
        for rule in ingress["ports"]
    }
    # Of Medea's own pods, one greets each door: see below.
    assert ports[8443] == ["podSelector", "ipBlock"]
    assert ports[8444] == ["ipBlock"]
    assert ports[8445] == ["podSelector", "namespaceSelector", "podSelector"]
    # It asks everybody for a token itself.
    assert ports[8090] == ports[8091] == []
    assert all(ports[port] == ["podSelector", "namespaceSelector"] for port in (9095, 9096, 9097, 9098, 9099))
    selected = {one["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for one in policies.values()}
    assert selected == set(PARTS)


def test_policies_let_helm_test_greet_every_door_that_has_medeas_certificate() -> None:
    narrow = ("networkPolicy.apiserver={10.1.0.0/16}", "files.portals.team=portal", "classes.callers.team=jobs")
    words = (PRODUCTION, *FILES, *CLASSES, *(f"--set={one}" for one in narrow))
    greets = of("Pod", *words)["medea-check"]["metadata"]["labels"]

    def lets_in(rule: Object) -> bool:
        alone = [who["podSelector"]["matchLabels"] for who in rule["from"] if list(who) == ["podSelector"]]
        return any(labels.items() <= greets.items() for labels in alone)

    policies = of("NetworkPolicy", *words)
    for door, number in {"webhook": 8443, "plugin": 8445, "files": 5000, "classes": 8000}.items():
        rules = policies[f"medea-{door}"]["spec"]["ingress"]
        [rule] = [one for one in rules if number in {port["port"] for port in one["ports"]}]
        assert lets_in(rule), door
    assert [rule["ports"] for rule in policies["medea-api"]["spec"]["ingress"] if "from" not in rule]


def test_while_nobody_says_where_the_apiserver_is_its_doors_are_open_to_all() -> None:
    policies = of("NetworkPolicy", PRODUCTION)
    for door in ("webhook", "logs"):
        assert "from" not in policies[f"medea-{door}"]["spec"]["ingress"][0]


def test_the_ledger_is_a_dsn_out_of_a_secret_with_its_authority() -> None:
    for pod in pods(PRODUCTION):
        [dsn] = [one for one in pod["containers"][0]["env"] if one["name"] == "MEDEA_LEDGER_DSN"]
        assert dsn["valueFrom"] == {"secretKeyRef": {"name": "medea-ledger", "key": "dsn"}}
        mounts = {one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
        assert str(Path(environment(pod)["PGSSLROOTCERT"]).parent) in mounts


def test_kubectl_applies_it_with_another_image_by_one_change(tmp_path: Path) -> None:
    base = render.BASE.parent
    for file in base.iterdir():
        (tmp_path / file.name).write_text(file.read_text().replace("image: medea:0.1.0", "image: reg/medea:2"))
    (tmp_path / "medea.yaml").write_text(render.BASE.read_text())
    made = list(yaml.safe_load_all(run([binaries.binary("kubectl"), "kustomize", tmp_path])))
    deployments = [one["spec"]["template"]["spec"] for one in made if one["kind"] == "Deployment"]
    assert {one["containers"][0]["image"] for one in deployments} == {"reg/medea:2"}
    assert {environment(one).get("MEDEA_PLUGIN_IMAGE") for one in deployments} == {"reg/medea:2", None}
    assert "medea-image" not in {one["metadata"]["name"] for one in made}


def test_what_watches_medea_is_made_only_when_it_is_asked_for() -> None:
    asked = (
        "--set=monitoring.podMonitor=true,monitoring.rules=true,monitoring.dashboard=true,monitoring.labels.team=a",
    )
    kinds = {"PodMonitor", "PrometheusRule"}
    assert not kinds & {one["kind"] for one in objects()}
    made = {one["kind"]: one for one in objects(*asked) if one["kind"] in kinds}
    shipped = yaml.safe_load((render.CHART / "files/alerts.yaml").read_text())
    assert made["PrometheusRule"]["spec"] == shipped
    assert made["PodMonitor"]["metadata"]["labels"]["team"] == "a"
    dashboard = of("ConfigMap", *asked)["medea-dashboard"]
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(dashboard["data"]["medea.json"])["title"] == "Medea"


def test_prometheus_is_told_who_asks_and_for_which_tenant() -> None:
    for pod in pods(PRODUCTION, '--set-json=prometheus.headers={"X-Scope-OrgID": "team a,b"}'):
        told, mounts = environment(pod), {one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
        assert told["MEDEA_PROMETHEUS_HEADERS"] == "X-Scope-OrgID=team%20a%2Cb"
        for name in ("MEDEA_PROMETHEUS_CA", "MEDEA_PROMETHEUS_TOKEN_FILE"):
            assert str(Path(told[name]).parent) in mounts


def test_the_targets_credentials_have_a_namespace_of_their_own_that_outlives_the_release() -> None:
    words = ("--set=targets.namespace=fleet", "--set=logs.enabled=true")
    [space] = [one for one in objects(*words) if one["kind"] == "Namespace"]
    assert space["metadata"]["name"] == "fleet"
    assert space["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert "medea-targets" not in render.template(*words)
    told = {environment(one).get("MEDEA_TARGETS_NAMESPACE") for one in pods(*words)}
    assert told == {"fleet", None}
    with pytest.raises(LabError, match=r"targets.namespace is medea-system, which is Medea's own"):
        render.template("--set=targets.namespace=medea-system")


def test_the_authoritys_key_is_the_controllers_alone_and_nothing_lists_medeas_secrets() -> None:
    may_read: dict[str, set[str]] = {}
    for role in (one for one in objects("--set=logs.enabled=true") if one["kind"] == "Role"):
        for rule in role["rules"] if role["metadata"]["namespace"] == render.SYSTEM else ():
            if "secrets" in rule["resources"] and set(rule["verbs"]) & {"get", "list", "watch"}:
                may_read.setdefault(role["metadata"]["name"], set()).update(rule.get("resourceNames", ["*"]))
    names = {"medea-tls", "medea-cert-manager-tls"}
    assert may_read == {
        "medea-controller": {*names, "medea-authority"},
        "medea-webhook": names,
        "medea-check": names,
    }


BY_CERT_MANAGER = "--set=certificates.issuer=cert-manager"


def test_cert_manager_is_asked_for_the_names_that_medea_would_give_itself() -> None:
    asked = of("Certificate", BY_CERT_MANAGER, "--set=certificates.names={localhost,127.0.0.1,fd00::1}")["medea"][
        "spec"
    ]
    assert subjects(asked["dnsNames"], asked["ipAddresses"]) == names_in(render.SYSTEM, "localhost,127.0.0.1,fd00::1")
    assert "ipAddresses" not in of("Certificate", BY_CERT_MANAGER)["medea"]["spec"]


def test_with_cert_manager_doors_show_what_it_issues_and_the_apiserver_trusts_what_signs_that() -> None:
    certificates = {name: one["spec"] for name, one in of("Certificate", BY_CERT_MANAGER).items()}
    issuers = {name: one["spec"] for name, one in of("Issuer", BY_CERT_MANAGER).items()}
    shown = certificates["medea"]
    assert read_by_pods(BY_CERT_MANAGER) == {(shown["secretName"], "cert-manager")}
    [trusted] = [one["metadata"] for one in objects(BY_CERT_MANAGER) if "WebhookConfiguration" in one["kind"]]
    system, authority = trusted["annotations"]["cert-manager.io/inject-ca-from"].split("/")
    assert (system, certificates[authority]["isCA"]) == (render.SYSTEM, True)
    assert issuers[shown["issuerRef"]["name"]]["ca"]["secretName"] == certificates[authority]["secretName"]
    assert issuers[certificates[authority]["issuerRef"]["name"]] == {"selfSigned": {}}


def test_what_either_issuer_writes_the_other_leaves_alone() -> None:
    theirs = {one["spec"]["secretName"] for one in of("Certificate", BY_CERT_MANAGER).values()}
    assert len(theirs) == 2 and not theirs & {"medea-tls", "medea-authority"}
    assert read_by_pods() == {("medea-tls", "medea")}
    assert "cert-manager.io" not in render.template()


def read_by_pods(*words: str) -> set[tuple[str, str]]:
    """The Secret that pods have their certificate from, and who fills it."""
    known = [environment(one) for one in pods(*words)]
    return {(one["MEDEA_TLS_SECRET"], one["MEDEA_TLS_ISSUER"]) for one in known if "MEDEA_TLS_SECRET" in one}


NODES = (
    "--set=nodes.namespace=flows",
    "--set=nodes.rabbitmq.host=mq.example.com",
    "--set=nodes.rabbitmq.queue=resource",
    "--set=nodes.rabbitmq.secret=mq",
)


def test_questions_about_nodes_are_taken_from_rabbitmq_where_that_is_named() -> None:
    def told(*words: str) -> dict[str, Any]:
        [container] = of("Deployment", *words)["medea-api"]["spec"]["template"]["spec"]["containers"]
        return {one["name"]: one.get("value", one.get("valueFrom")) for one in container["env"]}

    assert not {"MQ_IP", "ARGO_NAMESPACE"} & set(told())
    found = told(*NODES, "--set=nodes.rabbitmq.ca=mq-ca")
    assert (found["MQ_IP"], found["MQ_PORT"], found["MQ_RESOURCE_QUE"]) == ("mq.example.com", "5672", "resource")
    assert (found["ARGO_NAMESPACE"], found["MEDEA_MQ_CA"]) == ("flows", "/run/medea/mq-ca/ca.crt")
    assert found["MQ_ID"] == {"secretKeyRef": {"name": "mq", "key": "username"}}
    assert found["MQ_PASSWD"] == {"secretKeyRef": {"name": "mq", "key": "password"}}
    assert "MQ_PASSWD" not in environment(next(pods(*NODES)))


@pytest.mark.parametrize("missing", [NODES[0], NODES[2], NODES[3]])
def test_questions_over_rabbitmq_name_the_value_that_they_lack(missing: str) -> None:
    with pytest.raises(LabError, match=missing.removeprefix("--set=").partition("=")[0]):
        render.template(*(one for one in NODES if one != missing))


def test_the_door_for_files_is_off_until_it_is_asked_for() -> None:
    assert "medea-files" not in of("Deployment")
    assert [one for one in objects() if one["metadata"]["name"] == "medea-files"] == []


@pytest.mark.parametrize("missing", ["files.namespace", "files.s3.endpoint", "files.s3.bucket"])
def test_the_door_for_files_names_the_value_that_it_lacks(missing: str) -> None:
    with pytest.raises(LabError, match=f"files.enabled is true, so {missing} has to be set"):
        render.template(*(word for word in FILES if missing not in word))


def test_the_door_for_files_is_deployed_with_what_it_needs_in_its_namespace_alone() -> None:
    words = (
        *FILES,
        "--set=files.s3.secret=store",
        "--set=files.runsPerUser.my-tool=3",
        "--set=files.queuedPerUser=2000000",
        "--set=networkPolicy.enabled=true",
    )
    pod = of("Deployment", *words)["medea-files"]["spec"]["template"]["spec"]
    variables = environment(pod)
    assert pod["serviceAccountName"] == "medea-files"
    assert pod["containers"][0]["args"] == ["serve", "files"]
    assert variables["MEDEA_FILES_NAMESPACE"] == "science"
    assert variables["SERVICE_MY_TOOL_RUNS_PER_USER"] == "3"
    assert variables["MEDEA_FILES_QUEUED_PER_USER"] == "2000000"
    secrets = {
        one["name"]: one["valueFrom"]
        for one in pod["containers"][0]["env"]
        if one["name"].startswith("MEDEA_S3_") and "valueFrom" in one
    }
    assert secrets == {
        "MEDEA_S3_ACCESS_KEY": {"secretKeyRef": {"name": "store", "key": "accesskey"}},
        "MEDEA_S3_SECRET_KEY": {"secretKeyRef": {"name": "store", "key": "secretkey"}},
    }
    roles = [one for one in objects(*words) if one["kind"] == "Role" and one["metadata"]["name"] == "medea-files"]
    assert {one["metadata"]["namespace"] for one in roles} == {"science", render.SYSTEM}
    ports = {
        port["port"] for rule in of("NetworkPolicy", *words)["medea-files"]["spec"]["ingress"] for port in rule["ports"]
    }
    assert ports == {5000, 9100}
    assert of("Service", *words)["medea-files"]["spec"]["ports"] == [
        {"name": "files", "port": 5000, "targetPort": "files"}
    ]


def test_the_door_for_job_classes_is_off_until_it_is_asked_for() -> None:
    assert [
        one for one in objects() if "classes" in one["metadata"]["name"] or "worker" in one["metadata"]["name"]
    ] == []


@pytest.mark.parametrize("missing", ["classes.namespace", "classes.rabbitmq.secret"])
def test_the_door_for_job_classes_names_the_value_that_it_lacks(missing: str) -> None:
    with pytest.raises(LabError, match=f"classes.enabled is true, so {missing} has to be set"):
        render.template(*(word for word in CLASSES if missing not in word))


def test_the_door_for_job_classes_is_deployed_with_what_it_needs_in_its_namespace_alone() -> None:
    words = (*CLASSES, "--set=networkPolicy.enabled=true", "--set=classes.rabbitmq.ca=rabbit-ca")
    pod = of("Deployment", *words)["medea-classes"]["spec"]["template"]["spec"]
    variables = environment(pod)
    assert pod["serviceAccountName"] == "medea-classes"
    assert pod["containers"][0]["args"] == ["serve", "classes"]
    assert variables["MEDEA_CLASSES_NAMESPACE"] == "jobs"
    assert variables["MEDEA_RABBITMQ_CA"] == "/run/medea/rabbitmq-ca/ca.crt"
    [config] = [one for one in objects(*words) if one["kind"] == "ConfigMap" and "classes.yaml" in one["data"]]
    rules = read_rules(config["data"]["classes.yaml"])
    assert rules.classes["spark-jobs"].run_by == rules.classes["actor-jobs"].run_by == "workers"
    assert {"configMap": {"name": config["metadata"]["name"]}, "name": "classes"} in pod["volumes"]
    roles = [one for one in objects(*words) if one["kind"] == "Role" and one["metadata"]["name"] == "medea-classes"]
    assert {one["metadata"]["namespace"] for one in roles} == {"jobs", render.SYSTEM}
    ports = {
        port["port"]
        for rule in of("NetworkPolicy", *words)["medea-classes"]["spec"]["ingress"]
        for port in rule["ports"]
    }
    assert ports == {8000, 9101}
    assert of("Service", *words)["medea-classes"]["spec"]["ports"] == [
        {"name": "classes", "port": 8000, "targetPort": "classes"}
    ]


def test_workers_run_their_command_with_no_rights_and_are_scaled_by_their_queues() -> None:
    deployments, scaled = of("Deployment", *CLASSES), of("ScaledObject", *CLASSES)
    assert set(scaled) == {"medea-worker-actor-jobs", "medea-worker-spark-jobs"}
    worker = deployments["medea-worker-actor-jobs"]["spec"]
    pod = worker["template"]["spec"]
    assert "replicas" not in worker
    assert pod["serviceAccountName"] == "medea-worker"
    assert pod["terminationGracePeriodSeconds"] == 3600
    assert pod["containers"][0]["args"] == ["worker", "actor-jobs", "--", "python", "/srv/job.py"]
    [url] = [one for one in pod["containers"][0]["env"] if one["name"] == "RABBITMQ_URL"]
    assert url["valueFrom"] == {"secretKeyRef": {"name": "rabbit", "key": "url"}}
    for name, messages in (("actor-jobs", "5"), ("spark-jobs", "3")):
        spec = scaled[f"medea-worker-{name}"]["spec"]
        [trigger] = spec["triggers"]
        assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (1, 10)
        assert spec["scaleTargetRef"] == {"name": f"medea-worker-{name}"}
        assert trigger["metadata"] == {
            "protocol": "amqp",
            "queueName": name,
            "mode": "QueueLength",
            "value": messages,
        }
        assert trigger["authenticationRef"] == {"name": "medea-workers"}
    [access] = [one for one in objects(*CLASSES) if one["kind"] == "TriggerAuthentication"]
    assert access["spec"]["secretTargetRef"] == [{"parameter": "host", "name": "rabbit", "key": "url"}]
    bindings = [one for one in objects(*CLASSES) if "Binding" in one["kind"]]
    assert not any(subject["name"] == "medea-worker" for one in bindings for subject in one.get("subjects") or [])


def test_keda_trusts_the_authority_of_rabbitmq_that_medea_trusts() -> None:
    words = (*CLASSES, "--set=classes.rabbitmq.ca=rabbit-ca")
    [access] = [one for one in objects(*words) if one["kind"] == "TriggerAuthentication"]
    assert access["spec"]["configMapTargetRef"] == [
        {"parameter": "ca", "name": "rabbit-ca", "key": "ca.crt"},
        {"parameter": "tls", "name": "medea-workers", "key": "tls"},
    ]
    assert of("ConfigMap", *words)["medea-workers"]["data"] == {"tls": "enable"}
    assert "medea-workers" not in of("ConfigMap", *CLASSES)


def test_the_files_of_jobs_go_to_the_store_that_is_named() -> None:
    words = (*CLASSES, "--set=classes.s3.endpoint=https://s3", "--set=classes.s3.secret=s", "--set=classes.s3.ca=s3-ca")
    with pytest.raises(LabError, match=r"classes.s3.bucket has to be"):
        render.template(*words)
    deployments = of("Deployment", *words, "--set=classes.s3.bucket=jobs")
    for name in ("medea-classes", "medea-worker-actor-jobs"):
        pod = deployments[name]["spec"]["template"]["spec"]
        assert environment(pod)["MEDEA_S3_BUCKET"] == "jobs"
        assert {"name": "s3-ca", "configMap": {"name": "s3-ca"}} in pod["volumes"]
    [scratch] = [one for one in pod["volumes"] if one["name"] == "tmp"]
    assert scratch["emptyDir"]["sizeLimit"] == "1Gi"
    assert "MEDEA_S3_BUCKET" not in environment(of("Deployment", *CLASSES)["medea-classes"]["spec"]["template"]["spec"])


def test_without_keda_there_are_as_many_workers_as_one_says() -> None:
    words = (*CLASSES, "--set=classes.keda.enabled=false", "--set=classes.workers.actor-jobs.minReplicas=4")
    assert of("Deployment", *words)["medea-worker-actor-jobs"]["spec"]["replicas"] == 4
    assert [one for one in objects(*words) if one["kind"] in ("ScaledObject", "TriggerAuthentication")] == []
