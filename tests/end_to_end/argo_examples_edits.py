"""What is changed in the text of single examples: chance is taken out, and nothing lasts or repeats for longer than it
takes to see it. `STORE` stands for the address of the test's own HTTP server.
"""

Edit = tuple[str, str]

_GITHUB = (
    "https://raw.githubusercontent.com/argoproj/argo-workflows/4e450e250168e6b4d51a126b784e90b11a0162bc"
    "/pkg/apis/workflow/v1alpha1/generated.swagger.json"
)
_RANDOM_EXIT = "import random; import sys; exit_code = random.choice([0, 1, 1]); sys.exit(exit_code)"
_LOCK_HELD_20 = ("sleep 20; echo acquired", "echo acquired")
_LOCK_HELD_50 = ("sleep 50; echo acquired", "echo acquired")
_TWO_OF_FIVE = ('["1","2","3","4","5"]', '["1","2"]')
_PRODUCE_TWICE = ("$(seq 1 20)", "$(seq 1 2)")
_FEWER_WORDS = ("        - take\n        - at\n        - least\n        - 60\n        - seconds\n        - to\n", "")
_OS_RELEASE = ("[/etc/os-release]", "[/etc/passwd]")
_AT_ONCE = ("suspend: {}", 'suspend: {duration: "1"}')
_TWO_NUMBERS = ("withItems: [1, 2, 3, 4]", "withItems: [1, 2]")

EDITS: dict[str, tuple[Edit, ...]] = {
    # A store that is no bucket has no folders.
    "artifact-disable-archive.yaml": (("path: /etc", "path: /etc/passwd"), ("&& find .", "|| cat /tmp/etc")),
    "cron-backfill.yaml": (("serviceAccountName: argo-server", "serviceAccountName: default"), ('"21"', '"20"')),
    "custom-metrics.yaml": ((_RANDOM_EXIT, "print(0)"),),
    "daemon-step.yaml": (_PRODUCE_TWICE, ("initialDelaySeconds: 5", "initialDelaySeconds: 1")),
    "dag-daemon-retry-strategy.yaml": (('count: "10"', 'count: "2"'),),
    "dag-daemon-task.yaml": (_PRODUCE_TWICE, ("initialDelaySeconds: 5", "initialDelaySeconds: 1")),
    "dag-disable-failFast.yaml": (("sleep 30; ", ""),),
    # The second of three is to run out of time, and only that one.
    "dag-task-level-timeout.yaml": (
        ('"20s"', '"300s"'),
        ('"10s"', '"2s"'),
        ('"15s"', '"5s"'),
    ),
    "default-pdb-support.yaml": (("sleep 10", "sleep 1"),),
    "fibonacci-seq-conditional-param.yaml": (('value: "5"', 'value: "3"'),),
    "forever.yaml": (("seq 1 1000", "seq 1 2"),),
    "handle-large-output-results.yaml": ((" | jq '.[{{inputs.parameters.index}}]'", ""),),
    "http-hello-world.yaml": (
        (_GITHUB, "STORE/status/200"),
        (_GITHUB.replace("4e450e250168e6b4d51a126b784e90b11a0162bc", "thisisnotahash"), "STORE/status/404"),
    ),
    "http-success-condition.yaml": (
        ("http://httpstat.us/201", "STORE/status/201"),
        ("https://google.com", "STORE/given/google"),
    ),
    "intermediate-parameters.yaml": (_AT_ONCE, ("supplied: {}", "supplied: {}\n                  default: 'YES'")),
    "k8s-owner-reference.yaml": (
        ("image: argoproj/argosay:v2", "image: argoproj/argosay:v2\n                  command: [argosay]"),
    ),
    "k8s-wait-wf.yaml": (('"20"', '"1"'),),
    "life-cycle-hooks-tmpl-level.yaml": ((_GITHUB, "STORE/status/200"),),
    "life-cycle-hooks-wf-level.yaml": ((_GITHUB, "STORE/status/200"),),
    "loops-maps.yaml": (_OS_RELEASE,),
    "loops-param-argument.yaml": (_OS_RELEASE,),
    "loops-param-result.yaml": (("range(20, 31)", "range(0, 2)"),),
    "loops-sequence.yaml": (
        ('count: "5"', 'count: "2"'),
        ('end: "105"', 'end: "101"'),
        ('start: "5"', 'start: "1"'),
        ('value: "3"', 'value: "1"'),
    ),
    "parallelism-limit.yaml": (("sleep 10", "sleep 1"), _FEWER_WORDS),
    "parallelism-nested-workflow.yaml": (("sleep 30", "sleep 0"), ('["a","b","c","d"]', '["a","b"]')),
    "parallelism-nested.yaml": (
        ("sleep 10", "sleep 0"),
        ('["a","b","c","d"]', '["a","b"]'),
        ("[1,2,3,4]", "[1,2]"),
    ),
    "parallelism-template-limit.yaml": (("sleep 10", "sleep 1"), _FEWER_WORDS),
    "parameter-aggregation-dag.yaml": (_TWO_NUMBERS,),
    "parameter-aggregation-script.yaml": (_TWO_NUMBERS,),
    "parameter-aggregation.yaml": (_TWO_NUMBERS,),
    "pod-gc-strategy.yaml": (("deleteDelayDuration: 30s", "deleteDelayDuration: 1s"),),
    "recursive-for-loop.yaml": (("value: '10'", "value: '2'"),),
    "sidecar.yaml": (("apk update &&\n        apk add curl &&\n        ", ""), _PRODUCE_TWICE),
    "step-level-timeout.yaml": (("sleep 30s", "sleep 300s"), ('"10s"', '"3s"')),
    "suspend-template-outputs.yaml": (_AT_ONCE, ("supplied: {}", "supplied: {}\n            default: go on")),
    "suspend-template.yaml": (_AT_ONCE, ('duration: "20"', 'duration: "1"')),
    "synchronization-mutex-tmpl-level-legacy.yaml": (_LOCK_HELD_20, _LOCK_HELD_50, _TWO_OF_FIVE),
    "synchronization-mutex-tmpl-level.yaml": (_LOCK_HELD_20, _LOCK_HELD_50, _TWO_OF_FIVE),
    "synchronization-tmpl-level-legacy.yaml": (("sleep 10; ", ""),),
    "synchronization-tmpl-level.yaml": (("sleep 10; ", ""),),
    "template-defaults.yaml": (("timeout: 30s", "timeout: 300s"),),
    "timeouts-step.yaml": (("activeDeadlineSeconds: 10", "activeDeadlineSeconds: 3"),),
    "timeouts-workflow.yaml": (("activeDeadlineSeconds: 30", "activeDeadlineSeconds: 15"),),
}

PYTHON = {
    _RANDOM_EXIT: "exit $(( {{retries}} < 1 ))",
    "print('retries: {{retries}}')": "echo retries: {{retries}}; exit $(( {{retries}} < 1 ))",
    "random.choice([0, 0, 1])": "exit 1",
    "random.choice([1, 2])": "exit $(( {{retries}} < 1 ? 2 : 1 ))",
    "random.choice(range(0, 5))": "exit $(( {{retries}} < 1 ))",
    "random.choice([0, 1, 1]); \nsys.exit": "exit $(( {{retries}} < 1 ))",
    "random.choice(messages)": "printf '\\033[31mFG Red\\033[0m\\n'",
    'print("heads" if random': "echo heads",
    'result = "heads" if random': "echo heads",
    'print("heads")': "echo heads",
    'print("tails")': "echo tails",
    'print("hi")': "echo hi",
    "print(0)": "exit 0",
    "print(1)": "echo 1",
    'print("true")': "echo true",
    'print("{{inputs.parameters.message}}")': 'echo "{{inputs.parameters.message}}"',
    "print({{inputs.parameters.counter}} + 1)": "echo $(( {{inputs.parameters.counter}} + 1 ))",
    "print({{inputs.parameters.a}}": (
        "echo $(( {{inputs.parameters.a}} {{inputs.parameters.op}} {{inputs.parameters.b}} ))"
    ),
    'assert "{{inputs.parameters.x}}" == "hi"': '[ "{{inputs.parameters.x}}" = hi ]',
    'f.write("it was heads")': "echo it was heads >/result.txt",
    'f.write("it was tails")': "echo it was tails >/result.txt",
    'f.write("Welcome")': "echo Welcome >/result.txt",
    "json.dump([i for i in range(0, 2)]": "echo '[0, 1]'",
    '"num": i': (
        """[ $(( {{inputs.parameters.num}} % 2 )) = 0 ] && even=even || even=odd; """
        """echo '{"num": {{inputs.parameters.num}}, "evenness": "'$even'"}'"""
    ),
    "i = random.randint(1, 100)": "echo 42",
    "Math.floor(Math.random() * 100)": "echo 42",
    "result = random.randint(0,5)": "echo 2",
}
"""By a phrase of the Python (or JavaScript) that an image without either can't run: the same in sh."""
