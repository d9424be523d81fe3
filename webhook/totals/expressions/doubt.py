"""What is raised for everything that is not certain."""


class Doubt(Exception):
    """The value is not certain: it is not known, Argo would refuse it, or nobody has checked what Argo makes of it."""
