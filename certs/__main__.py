"""`python -m certs --out DIR`: make or renew the certificates in a folder."""

import argparse
import sys
from pathlib import Path

from certs.files import IPS, NAMES, CertsError, ensure


def main() -> None:
    """Make an authority and a serving certificate, or renew what is due; to be run as often as one likes."""
    parser = argparse.ArgumentParser(prog="python -m certs", description=main.__doc__)
    parser.add_argument("--out", required=True, type=Path, help="folder of ca.crt, ca.key, tls.crt and tls.key")
    parser.add_argument("--name", action="append", help=f"DNS name, may be repeated (default: {', '.join(NAMES)})")
    parser.add_argument("--ip", action="append", help=f"IP address, may be repeated (default: {', '.join(IPS)})")
    args = parser.parse_args()
    try:
        files = ensure(args.out, names=args.name or NAMES, ips=args.ip or IPS)
    except (CertsError, OSError) as error:
        sys.exit(f"certs: {error}")
    print("\n".join(files.did) or f"{files.certificate} is good")


if __name__ == "__main__":
    main()
