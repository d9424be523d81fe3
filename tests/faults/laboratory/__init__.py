"""Random faults against the real laboratory: kill -9, SIGSTOP, cut links, Secrets made anew, quotas taken away.

`links` and `rewired` put a proxy on each of Medea's links; `happenings` are the faults; `episode` draws them from a
seed and lets people work meanwhile; `history` writes down what every apiserver shows, and `judge` judges by that alone.
"""
