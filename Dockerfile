# Medea and its executor plugin in one image: `docker build --tag medea .`
# BASE is any image with a Python of 3.11 or newer and its venv module. Whoever publishes an image pins it by its digest:
# --build-arg BASE=docker.io/library/python:3.13-slim-bookworm@sha256:…
ARG BASE=docker.io/library/python:3.13-slim-bookworm
FROM ${BASE}

# A name for the uid, for whatever asks for one.
RUN echo 'medea:x:10001:10001:Medea:/var/lib/medea:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'medea:x:10001:' >> /etc/group \
    && install --directory --owner=10001 --group=10001 /var/lib/medea

# The dependencies, exactly as locked; pip itself stays out of the image. `medea` is written by hand because installing
# the project would mean downloading its build backend, which no lock holds.
COPY requirements-run.lock /opt/medea/
RUN python3 -m venv /tmp/pip \
    && python3 -m venv --without-pip /opt/medea \
    && /tmp/pip/bin/pip --no-cache-dir --python /opt/medea/bin/python \
        install --require-hashes --requirement /opt/medea/requirements-run.lock \
    && rm -r /tmp/pip \
    && echo /opt/medea/src > "$(/opt/medea/bin/python -c 'import site; print(site.getsitepackages()[0])')/medea.pth" \
    && printf '#!/opt/medea/bin/python\nfrom webhook.__main__ import main\n\nmain()\n' > /opt/medea/bin/medea \
    && chmod 755 /opt/medea/bin/medea

ENV PATH=/opt/medea/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /var/lib/medea
ENTRYPOINT ["medea"]

# Last, because it changes most. `.dockerignore` lets nothing through but what the image runs.
COPY . /opt/medea/src
# The root file system is read-only where this runs, so Python could never keep what it compiled.
RUN python -m compileall -q /opt/medea/src
USER 10001:10001
