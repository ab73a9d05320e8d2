#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the manifests for Kubernetes, and the Containerfile, against what can be said of them without
a cluster.

    deploy.py ROOT SOCKSTATD
"""
import os
import re
import subprocess
import sys
import tempfile

import yaml

VERSIONS = {'Namespace': 'v1', 'ServiceAccount': 'v1', 'ConfigMap': 'v1', 'DaemonSet': 'apps/v1',
            'PodMonitor': 'monitoring.coreos.com/v1'}
INSTRUCTIONS = {'ARG', 'FROM', 'COPY', 'WORKDIR', 'RUN', 'USER', 'EXPOSE', 'ENTRYPOINT'}
# What may be set of a pod is much more: this is what none of ours may lack.
POD = {
    'hostNetwork': True,
    'automountServiceAccountToken': False,
    'securityContext.runAsNonRoot': True,
    'securityContext.seccompProfile.type': 'RuntimeDefault',
    'nodeSelector': {'kubernetes.io/os': 'linux'},
    'tolerations': [{'operator': 'Exists'}],
}
CONTAINER = {
    'securityContext.allowPrivilegeEscalation': False,
    'securityContext.readOnlyRootFilesystem': True,
    'securityContext.capabilities.drop': ['ALL'],
    'livenessProbe.httpGet.path': '/-/healthy',
    'readinessProbe.httpGet.path': '/-/ready',
}
PRIVILEGES = ('privileged', 'hostPID', 'hostIPC', 'add')
# Of the node's files: names of cgroups, which a container does not see of others.
HOST_PATHS = {'/sys/fs/cgroup'}


def read(*path):
    """The text of a file."""
    with open(os.path.join(*path), encoding='utf-8') as f:
        return f.read()


def at(value, path):
    """What is at "a.b.c", or None."""
    for key in path.split('.'):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def keys(value):
    """Every key at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def judge_object(document):
    """What is wrong with any object."""
    kind, name = document.get('kind'), at(document, 'metadata.name')
    if VERSIONS.get(kind) != document.get('apiVersion'):
        yield f'{kind} of {document.get("apiVersion")}'
    if name != 'sockstatd':
        yield f'{kind} is named {name}'
    if kind != 'Namespace' and at(document, 'metadata.namespace') != 'sockstatd':
        yield f'{kind} is not in its namespace'
    for key in PRIVILEGES:
        if key in keys(document.get('spec')):
            yield f'{kind} has {key}'


def judge_host_paths(volumes, mounts):
    """What is wrong with what it sees of the node's files."""
    paths = {volume['name']: at(volume, 'hostPath.path') for volume in volumes}
    for mount in mounts:
        path = paths[mount['name']]
        if path and (path not in HOST_PATHS or mount['mountPath'] != path or
                     not mount.get('readOnly')):
            yield f'it mounts {path} of the node'


def judge_daemon_set(document, port, revision):
    """What is wrong with the DaemonSet; PORT is the daemon's, REVISION its version."""
    pod = at(document, 'spec.template.spec')
    container, = pod['containers']
    labels = at(document, 'spec.template.metadata.labels')
    if at(document, 'spec.selector.matchLabels') != labels:
        yield 'it does not select its own pods'
    for what, expected in ((pod, POD), (container, CONTAINER)):
        for path, value in expected.items():
            if at(what, path) != value:
                yield f'{path} is {at(what, path)}, not {value}'
    if [(p['name'], p['containerPort'], p['hostPort']) for p in container['ports']] != \
            [('metrics', port, port)]:
        yield f'its port is not {port}'
    if container['image'] != f'sockstatd:{revision}':
        yield f'its image is {container["image"]}, not of version {revision}'
    mounted = {mount['name'] for mount in container['volumeMounts']}
    if mounted != {volume['name'] for volume in pod['volumes']}:
        yield 'what it mounts is not what it has'
    yield from judge_host_paths(pod['volumes'], container['volumeMounts'])


def judge_config(document, sockstatd):
    """What the daemon has to say of the configuration."""
    with tempfile.NamedTemporaryFile('w', encoding='utf-8', suffix='.yaml') as f:
        f.write(document['data']['sockstatd.yaml'])
        f.flush()
        result = subprocess.run((sockstatd, '--config.file=' + f.name, '--config.check'),
                                stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                                check=False)
    if result.returncode:
        yield result.stderr


def judge_monitor(document, daemon_set):
    """What keeps the PodMonitor from finding the pods."""
    if at(document, 'spec.selector.matchLabels') != at(daemon_set, 'spec.template.metadata.labels'):
        yield 'the PodMonitor selects other pods'
    if [e['port'] for e in document['spec']['podMetricsEndpoints']] != ['metrics']:
        yield 'the PodMonitor scrapes another port'


def judge_containerfile(text, port):
    """What is wrong with the Containerfile."""
    lines = re.sub(r'\\\n', ' ', re.sub(r'(?m)^\s*#.*\n', '', text)).splitlines()
    instructions = [line.split(None, 1) for line in lines if line.strip()]
    stages = [m[1] for word, rest in instructions if word == 'FROM'
              for m in [re.search(r' AS (\w+)$', rest)] if m]
    for word, rest in instructions:
        source = re.match(r'--from=(\w+)', rest)
        if word not in INSTRUCTIONS:
            yield f'{word} is no instruction of ours'
        if word == 'COPY' and source and source[1] not in stages:
            yield f'there is no stage {source[1]}'
    users = [rest for word, rest in instructions if word == 'USER']
    if users[-1:] != ['65534:65534']:
        yield f'it runs as {users[-1:]}'
    if ['EXPOSE', str(port)] not in instructions:
        yield f'it does not expose {port}'


def main():
    root, sockstatd = sys.argv[1:]
    defaults = subprocess.run((sockstatd, '--config.file=/dev/null', '--config.dump'), check=True,
                              stdout=subprocess.PIPE, text=True).stdout
    port = int(yaml.safe_load(defaults)['web']['listen_addresses'][0].rsplit(':', 1)[1])
    version = re.search(r"version: '(.*)'", read(root, 'meson.build'))[1]
    place = os.path.join(root, 'deploy', 'kubernetes')
    objects = {}
    faults = []
    for name in sorted(os.listdir(place)):
        for document in yaml.safe_load_all(read(place, name)):
            objects[document['kind']] = document
            faults += judge_object(document)
    if objects.keys() != VERSIONS.keys():
        sys.exit(f'there is {sorted(objects)}, not {sorted(VERSIONS)}')
    faults += judge_daemon_set(objects['DaemonSet'], port, version)
    faults += judge_config(objects['ConfigMap'], os.path.abspath(sockstatd))
    faults += judge_monitor(objects['PodMonitor'], objects['DaemonSet'])
    faults += judge_containerfile(read(root, 'deploy', 'Containerfile'), port)
    print('\n'.join(faults))
    sys.exit(1 if faults else 0)


if __name__ == '__main__':
    main()
