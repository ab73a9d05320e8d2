// SPDX-License-Identifier: Apache-2.0
// As monitoring mixins are laid out: prometheusAlerts and prometheusRules, hidden, to be rendered.
(import 'config.libsonnet') +
(import 'alerts/alerts.libsonnet') +
(import 'rules/rules.libsonnet')
