"""Limits of reviews, and what is read in them."""

REVIEW_TIMEOUT = 10.0
"""Seconds that an apiserver waits for a review if the request does not say: the apiserver's own default."""
REVIEW_LONGEST = 30.0
"""Seconds that an apiserver waits at most, whatever the request says."""
REVIEW_MARGIN = 1.5
"""Seconds of these that stay unused: the answer must travel, and the last call may need a second more to connect."""
OWN_NAME_TIMEOUT = 2.0
"""Seconds to ask the front door for Medea's own user name there. The first review that needs it waits."""
NAME_TIMEOUT = 2.0
"""Seconds to ask the front door whether a name is free."""
TEMPLATE_TIMEOUT = 3.0
"""Seconds to read one WorkflowTemplate. A freshly started apiserver on a busy machine took two."""
TEMPLATES_BUDGET = 3.0
"""Seconds to read all WorkflowTemplates of one Workflow."""
MOST_TEMPLATES = 60
"""WorkflowTemplates that one Workflow may refer to: each takes a request to the front door."""
RESERVE_NEEDS = 1.0
"""Seconds that must be left to reserve room: with fewer, the answer would reach the apiserver too late."""
LEDGER_BACK_NEEDS = 2.0
"""Seconds that must be left to begin a review anew when Postgres is back."""
RETRY_AFTER = 1
"""Seconds after which whoever was refused because something was away is to ask again: unchanged argo, argo-server and
kubectl do so up to ten times, before they show an error."""
LEDGER_TRIES = 3
"""Times that a review is begun: a Postgres that answers, but only with errors, is not asked for ever."""
PREFLIGHT_TIMEOUT = 2.0
"""Seconds for a dry run on one target."""
PREFLIGHT_BUDGET = 4.0
"""Seconds for the dry runs on all targets, which are asked one after another."""
PREFLIGHT_NEEDS = 0.5
"""Seconds that must be left to ask another target."""
RETRY_TIMEOUT = 2.0
"""Seconds to read a run that is to be retried; if its target is away, the verb waits until it is back."""

LONGEST_DECISION = 1000
"""Characters of the annotations that explain a decision: with a hundred targets the full text is far longer."""

WEIGH_BUDGET = 3.0
"""Seconds to compute what a Workflow needs."""
WEIGH_SUM_SECONDS = 1.0
"""Seconds of these that the walk leaves for the sum of everything, the fallback when the walk is too expensive."""
WEIGH_MOST_AT_ONCE = 2
"""Heavy Workflows weighed at once: they share one interpreter with all light reviews."""
WEIGH_LIGHT_CALLS = 300
"""Up to this many calls of templates a Workflow is light: they take some milliseconds."""
WEIGH_MOST_CALLS = 5000
"""Calls of templates in one walk: about a second."""
WEIGH_MOST_SUMMED = 50_000
"""Calls of templates in one sum: more than an object of 1.5 MB can have."""
WEIGH_MOST_FLOW = 2_500_000
"""Work in maximum flows, as the sum of tasks squared: about a second, or 27 flows of 300 tasks. Beyond that, upper
bounds are used."""
WEIGH_MOST_SPARE = 1_000_000
"""The same for all resources but the limits of CPU and memory together."""
WEIGH_MOST_EXACT = 300
"""Tasks in one maximum flow; with more, an upper bound is used."""
WEIGH_DEEPEST = 50
"""Depth of templates that call each other. Each level takes several of the interpreter's 1,000 frames."""
WEIGH_MOST_ROUNDS = 100
"""Rounds of a loop that are looked at one by one; later ones count as the largest of these."""
WEIGH_MOST_PODS = 2000
"""A higher limit on pods is ignored: it would only make the computation slow."""
WEIGH_DEEPEST_CREATED = 3
"""Levels of Workflows that create Workflows that are counted."""
WEIGH_DEEPEST_ORDER = 40
"""Levels to which an order of tasks is taken apart; what is left is weighed by a flow."""
WEIGH_MOST_TRIED = 1500
"""Tasks in all flows for one limit on pods. They are tried at several prices: each gives an upper bound, and the lowest
counts."""
WEIGH_MOST_ATTEMPTS = 20
"""Attempts of a pod whose size depends on how often it was retried; with more, that counts as unknown."""
WEIGH_LONGEST_LOOP = 10**6
"""Rounds of a loop. A longer one would need more memory than any target has."""
WEIGH_PAGE = 4096
"""Characters of bindings that count as one call."""
SHARED_MOST_CALLS = 2000
"""Calls of templates that are followed to find the locks and caches that they name: some tenths of a second."""
SHARED_MOST_NAMES = 100
"""Locks and caches of one Workflow that are looked after: each is looked up in the ledger."""
SHARED_MOST_NOTES = 5
"""Sentences about locks and caches that can't be looked after: a loop may have one for each round."""
YAML_LONGEST = 64 * 1024
"""Characters of a manifest that are read. A whole Workflow has at most 1.5 MB, but YAML is slow to parse."""
YAML_MOST_VALUES = 20_000
"""Values in a manifest: with aliases, a short text can expand without bound."""
YAML_DEEPEST = 100
"""Levels of nesting: the parser that is written in C has a stack of its own, and kills the process beyond that."""
YAML_LONGEST_NUMBER = 1000
"""Characters of a whole number: Python writes none of more than 4,300 digits, and one in base 60 (`1:1:1`) takes its
time to be read."""
SUBMIT_LONGEST = 16 * 1024
"""Characters in all calls of `spark-submit` that are read of one Workflow."""
TAGS_LONGEST = 64 * 1024
"""Characters that the tags of one text may expand to; further tags count as unknown."""
INPUTS_LONGEST = 256 * 1024
"""Characters of all inputs of one template call; further inputs count as unknown."""
EXPRESSION_LONGEST = 2000
"""Characters of a condition or an expression; what a longer one gives counts as unknown."""
EXPRESSION_DEEPEST = 20
"""Levels of nesting in an expression. Each takes several of the interpreter's 1,000 frames."""
EXPRESSIONS_KEPT = 256
"""Expressions whose reading is remembered, the latest ones: the rounds of a loop have the same ones."""
EXPRESSION_LARGEST = 64 * 1024
"""Characters of a text, or values in a list, that an expression may make on the way."""
PATTERN_LONGEST_TEXT = 500
"""Characters of a text that is searched by a regular expression."""
PATTERN_MOST_REPEATS = 3
"""Repeats in a regular expression: each multiplies the time by the length of the text."""
# Different configurations of targets' Argo with which a Workflow is weighed: each takes as long as one.
WEIGH_MOST_CONFIGS = 8
