"""How Medea's installation is: found out from inside, said line by line, with the command that mends what is missing.

It reads and changes nothing. Whether a target is as Medea needs it is not asked here, only whether it answers.
"""
