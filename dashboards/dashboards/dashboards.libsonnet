// SPDX-License-Identifier: Apache-2.0
// {file: dashboard}, as mixins have them.
(import 'overview.libsonnet') +
(import 'accept-queues.libsonnet') +
(import 'port-in-depth.libsonnet') +
(import 'fleet.libsonnet')
