"""Job classes, as the Cloud Job Orchestrator has them: what a job says of itself decides what runs it.

    rules       what a job costs, and its class (pure)      config      the placement configuration (pure)
    submission  what `POST /submit-job` takes (pure)        workflow    the Workflow of a job (pure)
    submitting  one job, written down                       dispatch    submits Workflows, and follows them
    queue       the queue of a class (pure)                 routes      the calls over HTTP
    outbox      jobs for workers, published until RabbitMQ confirms them
    worker      takes one job at a time from a queue        command     runs the command that does the work
    results     the files that jobs leave in the store
    sweep       repairs, counts, removes what is old

A job is a row in the ledger before anything else of it is anywhere. The row is the truth: a message in RabbitMQ says
only that there is something to do, and may be lost or come twice.
"""
