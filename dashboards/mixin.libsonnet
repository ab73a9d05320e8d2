// SPDX-License-Identifier: Apache-2.0
// As monitoring mixins are laid out: grafanaDashboards, prometheusAlerts and prometheusRules, hidden, to
// be rendered.
(import 'config.libsonnet') +
(import 'dashboards/dashboards.libsonnet') +
(import 'alerts/alerts.libsonnet') +
(import 'rules/rules.libsonnet')
